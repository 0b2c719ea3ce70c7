"""Two ways to solve for the damped natural gradient, and the choice between them."""
