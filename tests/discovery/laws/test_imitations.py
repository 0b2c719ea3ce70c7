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


@pytest.mark.parametrize(
    ("seed", "noise"),
    [(0, 0.1), *(pytest.param(s, n, marks=pytest.mark.slow) for s in (1, 2) for n in (0.05, 0.1))],
)
def test_a_quartic_well_has_two_laws(seed, noise):
    """L f(E) imitates a third one, and sums with 1/r the energy."""
    clean, noisy = runs_of(quartic, seed, noise)
    finder = found(noisy)
    assert finder.n_conserved_ == 2
    for quantity in finder.quantities_[:2]:
        assert motion(quantity, clean) <= quantity.drift_interval[1]
