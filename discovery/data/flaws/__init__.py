"""Flaws of measured data: samples without a value, values that are none, angles that wrap."""
