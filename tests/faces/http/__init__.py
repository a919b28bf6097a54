"""Tests of the room `http`, over real sockets."""
