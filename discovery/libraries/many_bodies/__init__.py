"""Sums over bodies, pairs and bonds: one candidate function each, however many bodies there are."""
