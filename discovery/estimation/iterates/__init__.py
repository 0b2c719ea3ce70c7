"""Samples that do not follow each other along a path in time."""
