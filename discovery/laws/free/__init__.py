"""Free functions of position: laws whose coefficients are functions that no list names."""
