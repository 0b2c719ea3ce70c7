"""Brackets that are no canonical ones: of what turns, and of fields."""
