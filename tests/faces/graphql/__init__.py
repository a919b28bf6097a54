"""Tests of the SDK's face."""
