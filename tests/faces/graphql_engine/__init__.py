"""The engine below the face of the SDK: limits, variables, plans."""
