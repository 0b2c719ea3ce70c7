"""Functions of true laws, and what hides in noisy places, are no further laws; bounds hold."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from discovery import ConservedQuantityFinder

ROLES = ["position"] * 2 + ["velocity"] * 2


def runs_of(force, seed, noise, n_runs=100, steps=100):
    """Return runs of a particle in the plane (runs, steps, 4), without and with noise."""
    rng = np.random.default_rng(seed)
    times = np.linspace(0, 10, steps)
    clean = np.array(
        [
            solve_ivp(
                lambda _, s: [s[2], s[3], *force(s[:2])],
                (0, 10),
                start,
                t_eval=times,
                rtol=1e-9,
                atol=1e-11,
            ).y.T
            for start in rng.uniform(-1, 1, (n_runs, 4))
        ]
    )
    spread = clean.reshape(-1, 4).std(axis=0)
    return clean, clean + noise * spread * rng.standard_normal(clean.shape)


def found(noisy):
    finder = ConservedQuantityFinder(roles=ROLES, random_state=0)
    groups = np.repeat(np.arange(len(noisy)), noisy.shape[1])
    return finder.fit(noisy.reshape(-1, 4), groups=groups)


def motion(quantity, clean):
    values = quantity(clean)
    return np.sqrt(values.var(axis=1).mean()) / values.std()


def quartic(x):
    return -(x @ x) * x


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seed", "noise"), [(0, 0.1), *((seed, noise) for seed in (1, 2) for noise in (0.05, 0.1))]
)
def test_a_quartic_well_has_two_laws(seed, noise):
    """L f(E) imitates a third one, and sums with 1/r the energy."""
    clean, noisy = runs_of(quartic, seed, noise)
    finder = found(noisy)
    assert finder.n_conserved_ == 2
    for quantity in finder.quantities_[:2]:
        assert motion(quantity, clean) <= quantity.drift_interval[1]


def dissociation(seed, runs=40, samples=100):
    """Return runs of HA ⇌ H + A (runs, samples, 3), of which pH is recorded: A − 10^(3 − pH)."""
    rng = np.random.default_rng(seed)
    times = np.linspace(0, 10, samples)
    out = []
    for _ in range(runs):
        start = rng.uniform(0.02, 0.2), rng.uniform(0.005, 0.1), 10 ** rng.uniform(-4, -2)
        way, phase = rng.uniform(0.5, 2), rng.uniform(0, 6)

        def rate(t, y, way=way, phase=phase):
            stirred = 1 + 0.5 * np.sin(way * t + phase)
            return stirred * (0.4 * y[0] - 200 * y[1] * y[2]) * np.array([-1, 1, 1])

        path = solve_ivp(rate, (0, 10), start, "LSODA", times, rtol=1e-9, atol=1e-12).y.T
        out.append(np.column_stack([1000 * path[:, :2], -np.log10(path[:, 2])]))
    return np.array(out)


@pytest.mark.parametrize("seed", [1, pytest.param(0, marks=pytest.mark.slow)])
def test_a_column_that_is_a_logarithm(seed):
    """Quadratic functions of pH with numbers that are hardly known do not end the search."""
    clean = dissociation(seed)
    rng = np.random.default_rng(seed)
    noisy = clean + 0.01 * clean.reshape(-1, 3).std(axis=0) * rng.standard_normal(clean.shape)
    groups = np.repeat(np.arange(len(clean)), clean.shape[1])
    finder = ConservedQuantityFinder(random_state=0)
    finder.fit(noisy.reshape(-1, 3), groups=groups)
    exact = [law for law in finder.quantities_ if law.verdict == "exact"]
    assert len(exact) == 2
    assert any("exp" in str(law.expression) for law in exact)
    assert max(motion(law, clean) for law in exact) < 1e-3
