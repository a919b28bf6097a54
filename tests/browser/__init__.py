"""The journeys a person makes, in a real browser, against a real server."""
