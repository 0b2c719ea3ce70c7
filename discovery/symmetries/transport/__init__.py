"""Parallel transport of Killing data: how many fields there are at most."""
