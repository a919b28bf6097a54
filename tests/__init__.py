"""The tests of Byname, arranged like its rooms."""
