"""Tests of the room `blobs`."""
