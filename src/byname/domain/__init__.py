"""What is true: names, rules, permissions and errors. Pure Python; no I/O, no clock."""
