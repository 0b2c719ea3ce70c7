"""Metrics at points, and what follows from their derivatives."""
