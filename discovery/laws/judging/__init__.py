"""Judging: what held-out runs say of a formula, and which laws are kept."""
