"""The servers that Byname is compared with."""
