"""Fields on a grid: laws that are integrals of densities."""
