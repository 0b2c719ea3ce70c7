"""Bodies on a line that keep their order: laws of the gaps between them."""

import numpy as np
import pytest
import sympy

from discovery import ConservedQuantityFinder, Trajectories
from discovery.datasets.integrate import integrate

ROLES = ["position"] * 2 + ["momentum"] * 2


def repelling(states):
    """Two masses of 1 with the potential .7/d² between them, in wells that differ."""
    x, y, p, q = states.T
    push = 1.4 / (y - x) ** 3
    return np.stack([p, q, -push - x, push - 1.7 * y], axis=1)


@pytest.mark.slow
def test_energy_of_bodies_that_repel_each_other():
    starts = np.random.default_rng(3).normal([-1, 1.2, 0, 0], [0.2, 0.2, 0.5, 0.5], (40, 4))
    times = np.linspace(0, 5, 80)
    states = integrate(repelling, starts, times)
    noise = 0.005 * states.std(axis=(0, 1)) * np.random.default_rng(4).normal(size=states.shape)
    runs = Trajectories(states + noise, times=times, roles=ROLES)
    report = ConservedQuantityFinder(random_state=0, roles=ROLES).fit(runs).report_
    assert report.n_conserved == 1
    x, y = sympy.symbols("x1 x2")
    law = report.quantities[0].expression
    scale = law.coeff(sympy.Symbol("x3") ** 2)
    assert float(law.coeff((y - x) ** -2) / scale) == pytest.approx(1.4, abs=0.05)
