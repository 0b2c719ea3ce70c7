"""From runs to orbits: noise, gross errors, smooth paths."""
