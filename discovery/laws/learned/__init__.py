"""Learned features: laws without a closed form."""
