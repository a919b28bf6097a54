"""How bytes are kept: by digest, on local disk."""
