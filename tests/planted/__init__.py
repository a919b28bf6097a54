"""Bugs put in on purpose: the tests that guard against them must turn red."""
