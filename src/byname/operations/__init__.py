"""What one can do: one function per verb, and the only door for every face."""
