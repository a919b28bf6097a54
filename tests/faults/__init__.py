"""What survives when things around the server go wrong."""
