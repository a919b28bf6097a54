"""Translation and error shape of each face; rules are tested in the domain."""
