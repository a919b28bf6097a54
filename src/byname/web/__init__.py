"""The page face."""
