"""Byname: a self-hosted registry for ML artifacts, built around names you can trust."""

__version__ = "0.1.0"
