"""What is conserved along orbits: found on some runs, judged on others."""
