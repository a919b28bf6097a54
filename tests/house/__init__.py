"""Tests of the house itself: commands, documentation, set-up, who may import whom."""
