"""How rows are kept: one set of statements for every database."""
