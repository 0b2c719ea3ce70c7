"""Finding: operators, sparse candidates, rounded coefficients."""
