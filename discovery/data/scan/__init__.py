"""Runs that stay on disk: where each one is, and how some of them are read."""
