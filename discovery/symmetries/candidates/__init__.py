"""Candidate fields: formulas, smooth functions, networks."""
