"""What the report says of itself is true: flatness near one, intervals that cover."""

import numpy as np
import pytest

from discovery import ConservedQuantityFinder, datasets

SYSTEMS = ("harmonic_oscillator", "lotka_volterra", "rigid_body", "charged_particle")


def laws(systems, noise, seeds):
    """Exact laws of each system for each seed; the level of the noise is not given."""
    found = []
    for seed in seeds:
        for name in systems:
            runs = datasets.load(name, 60, 150, noise=noise, seed=seed)
            finder = ConservedQuantityFinder(roles=runs.roles, random_state=seed)
            finder.fit(runs.rows, groups=runs.groups)
            found += finder.quantities_[: finder.n_conserved_]
    return found


def check(found, least):
    """Laws of one data set share its noise, so that few seeds leave much to chance."""
    flatness = np.array([law.flatness for law in found])
    low, high = np.array([law.flatness_interval for law in found]).T
    assert np.all(np.abs(flatness - 1) < 0.12)
    assert abs(flatness.mean() - 1) < 0.02
    assert np.mean((low <= 1) & (high >= 1)) >= least


@pytest.mark.parametrize("noise", [0.005, pytest.param(0.1, marks=pytest.mark.slow)])
def test_flatness_of_laws_is_one(noise):
    check(laws(SYSTEMS, noise, range(1)), least=0.7)


@pytest.mark.slow
@pytest.mark.parametrize("noise", [0.005, 0.01, 0.02, 0.05, 0.1])
def test_intervals_of_the_flatness_cover(noise):
    check(laws(SYSTEMS, noise, range(20)), least=0.85)
