"""Densities: independent up to total derivatives, and named without collisions."""

import numpy as np
import pytest

from discovery.pde.densities import Jets, escalation, with_second_derivatives
from discovery.pde.grid import grid_of
from discovery.pde.integrals import Integrals


@pytest.mark.parametrize("fields", ["u", "uv", "uvw"])
def test_no_density_is_a_total_derivative(fields):
    """The integrals' derivatives are linearly independent: none is zero or the sum of others."""
    grid = grid_of([f"{f}{p}" for f in fields for p in range(16)], 0.4)
    jets = Jets(grid.fields)
    for name, expressions in [*escalation(jets, positive=[0]), *with_second_derivatives(jets)]:
        parts = Integrals(expressions, jets, grid)
        states = np.random.default_rng(0).uniform(0.5, 1.5, (40, 16 * len(fields)))
        slopes = parts.gradients(parts.amplitudes(states)).swapaxes(0, 1)
        slopes = slopes.reshape(len(expressions), -1)
        slopes /= np.linalg.norm(slopes, axis=1, keepdims=True)
        assert np.linalg.matrix_rank(slopes, tol=1e-6) == len(expressions), name
        assert len(set(expressions)) == len(expressions)


def test_names_that_collide():
    with pytest.raises(ValueError, match="the name of another's derivative"):
        Jets(["u", "u_x"])
