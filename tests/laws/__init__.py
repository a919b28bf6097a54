"""Laws that hold for every sequence of steps."""
