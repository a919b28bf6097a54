"""The Python client, against a whole server and against servers that misbehave."""
