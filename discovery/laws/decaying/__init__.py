"""Decaying quantities: what friction takes, and what is left without it."""
