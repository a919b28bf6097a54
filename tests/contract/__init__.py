"""Against the real clients: what they ship and what they do."""
