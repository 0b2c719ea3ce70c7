"""Of two functions that decay at one rate the ratio is conserved."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from discovery import ConservedQuantityFinder, libraries
from discovery.formulas.simple_numbers import NUMBERS
from discovery.laws.decaying.ratios import ratios
from discovery.laws.judging.decay import Decay
from discovery.laws.judging.law import Law

NAMES = ("x", "y", "z")
STATES = np.random.default_rng(0).standard_normal((200, 3))


def lost(terms, coefficients, rate, error=1e-3, **decay):
    library = libraries.custom(terms, NAMES)
    decay = Decay(rate, error, 0.0, **decay)
    return Law(library, np.array(coefficients), None, None, "decaying", cost=1.0, decay=decay)


def written(*laws):
    return [str(term) for some in ratios(laws, STATES, NUMBERS) for term in some.expressions()]


def test_the_denominator_stays_away_from_zero():
    one, other = lost(["x**2", "y**2"], [1, 2], 0.04), lost(["y**2", "z**2"], [1, 3], 0.041)
    below = "(x**2 + 3*y**2 + 3*z**2)"
    assert written(one, other) == [f"x**2/{below}", f"y**2/{below}"]
    whole = lost(["x**2", "y**2", "z**2"], [1, 1, 1], 0.04)
    assert written(lost(["x"], [1], 0.04), whole) == ["x/(x**2 + y**2 + z**2)"]
    (library,) = ratios([one, other], STATES, NUMBERS)
    assert library.fitted == 2
    # Neither of two coordinates keeps its sign, nor do sums of them.
    assert written(lost(["x"], [1], 0.04), lost(["y"], [1], 0.04)) == []


def test_rates_that_differ_give_none():
    one = lost(["x**2", "y**2", "z**2"], [1, 1, 1], 0.04)
    other = lost(["y**2"], [1], 0.04)
    assert written(one, other)
    assert written(one, replace(other, decay=replace(other.decay, rate=0.05))) == []
    # What decays to a level is no power of e; what friction takes may be.
    assert written(one, replace(other, decay=replace(other.decay, level=0.3))) == []
    y = other.library.symbols[1]
    taken = replace(other.decay, losses=(y**2,), factors=(0.04,))
    assert written(one, replace(other, decay=taken))
    assert written(one, replace(other, decay=replace(taken, factors=(0.08,)))) == []
    assert written(one, replace(other, decay=replace(taken, losses=(y**4,)))) == []


@pytest.mark.parametrize("noise", [0.01, pytest.param(0.05, marks=pytest.mark.slow)])
def test_a_body_that_spins_down(noise):
    """Its energy and its angular momentum squared are lost alike: their ratio is a law."""
    rng = np.random.default_rng(1)
    inertia, times = np.array([1.0, 1.5, 2.2]), np.linspace(0, 15, 120)

    def rate(_, w):
        return (np.cross(inertia * w, w) - 0.02 * inertia * w) / inertia

    clean = np.array(
        [
            solve_ivp(rate, (0, 15), start, t_eval=times, rtol=1e-9, atol=1e-11).y.T
            for start in rng.standard_normal((40, 3))
        ]
    )
    noisy = clean + noise * clean.reshape(-1, 3).std(axis=0) * rng.standard_normal(clean.shape)
    finder = ConservedQuantityFinder(
        library="polynomial", roles=["angular_velocity"] * 3, random_state=0
    )
    groups = np.repeat(np.arange(len(clean)), len(times))
    finder.fit(noisy.reshape(-1, 3), groups=groups, times=np.tile(times, len(clean)))
    law, fading = finder.quantities_
    assert (law.verdict, fading.verdict) == ("exact", "decaying")
    values = law(clean)
    assert np.sqrt(values.var(axis=1).mean()) < law.drift_interval[1] * values.std()
    assert law.inside_error < 0.05
