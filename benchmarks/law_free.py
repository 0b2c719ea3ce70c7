"""Data without a law beside the data sets: noise, maps, driven and dissipative motions."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from discovery import Trajectories, datasets
from discovery.datasets.integrate import integrate

MECHANICAL = ("position", "velocity")
BURN_IN = 50


class Control(NamedTuple):
    """How to draw states (runs, steps, d), what they are, and what is told about their noise.

    ``told`` is ``"added"`` for the noise that is added to them, ``"all"`` where they are nothing
    but noise and that is told; None where nothing is.
    """

    draw: Callable[[np.random.Generator, int, int], np.ndarray]
    roles: tuple[str, ...] | None = None
    dt: float = 1.0
    told: str | None = None


CONTROLS: dict[str, Control] = {}


def load(
    name: str, noise: float, seed: int, runs: int, steps: int
) -> tuple[Trajectories, np.ndarray | None]:
    """Return runs with noise as a share of each column's spread, and the noise that is told.

    Names are those of ``CONTROLS`` and of the data sets.
    """
    if name not in CONTROLS:
        return datasets.load(name, runs, steps, noise, seed), None
    control = CONTROLS[name]
    for_states, for_noise = map(np.random.default_rng, np.random.SeedSequence(seed).spawn(2))
    clean = control.draw(for_states, runs, steps)
    spread = clean.std(axis=(0, 1))
    states = clean + noise * spread * for_noise.standard_normal(clean.shape)
    told = {"added": max(noise, 1e-3) * spread, "all": np.hypot(1, noise) * spread}
    times = control.dt * np.arange(steps)
    return Trajectories(states, times=times, roles=control.roles), told.get(control.told)


def _autoregressive(rng: np.random.Generator, runs: int, steps: int) -> np.ndarray:
    """Three columns with coefficients .95, .8 and .5, in their stationary state."""
    memory = np.array([0.95, 0.8, 0.5])
    pushes = rng.standard_normal((runs, steps, 3))
    states = np.empty_like(pushes)
    states[:, 0] = pushes[:, 0] / np.sqrt(1 - memory**2)
    for i in range(1, steps):
        states[:, i] = memory * states[:, i - 1] + pushes[:, i]
    return states


def _random_walks(rng: np.random.Generator, runs: int, steps: int) -> np.ndarray:
    return np.cumsum(rng.standard_normal((runs, steps, 3)), axis=1)


def _shuffled(rng: np.random.Generator, runs: int, steps: int) -> np.ndarray:
    """Kepler's states, each row in any place of any run."""
    rows = datasets.load("kepler", runs, steps, seed=int(rng.integers(2**31))).rows
    return rng.permutation(rows).reshape(runs, steps, -1)


def _white(rng: np.random.Generator, runs: int, steps: int) -> np.ndarray:
    return rng.standard_normal((runs, steps, 3))


def _uniform(rng: np.random.Generator, runs: int, steps: int) -> np.ndarray:
    return rng.uniform(0, 1, (runs, steps, 3))


CONTROLS |= {
    "AR(1)": Control(_autoregressive),
    "random walks": Control(_random_walks),
    "shuffled rows": Control(_shuffled),
    "white noise": Control(_white),
    "white noise, added told": Control(_white, told="added"),
    "white noise, all told": Control(_white, told="all"),
    "uniform noise": Control(_uniform),
    "uniform noise, all told": Control(_uniform, told="all"),
}


def _iterates(
    step: Callable[[np.ndarray], np.ndarray], low: tuple[float, ...], high: tuple[float, ...]
) -> Callable[[np.random.Generator, int, int], np.ndarray]:
    """Return a sampler of a map's iterates, from anywhere in a box, the first ones left out."""

    def draw(rng: np.random.Generator, runs: int, steps: int) -> np.ndarray:
        state = rng.uniform(low, high, (runs, len(low)))
        states = []
        for _ in range(BURN_IN + steps):
            state = step(state)
            states.append(state)
        return np.stack(states[BURN_IN:], axis=1)

    return draw


def _standard_map(state: np.ndarray) -> np.ndarray:
    """Chirikov's map with K = 5 on the torus, where no island of size is left."""
    angle, momentum = state.T
    momentum = (momentum + 5 * np.sin(angle)) % (2 * np.pi)
    return np.stack([(angle + momentum) % (2 * np.pi), momentum], axis=1)


def _henon(state: np.ndarray) -> np.ndarray:
    x, y = state.T
    return np.stack([1 - 1.4 * x**2 + y, 0.3 * x], axis=1)


CONTROLS |= {
    "standard map": Control(_iterates(_standard_map, (0, 0), (2 * np.pi, 2 * np.pi))),
    "Hénon map": Control(_iterates(_henon, (-0.5, -0.1), (0.5, 0.1))),
}


def _flow(
    rhs: Callable[..., tuple],
    low: tuple[float, ...],
    high: tuple[float, ...],
    dt: float,
    columns: int | None = None,
) -> Callable[[np.random.Generator, int, int], np.ndarray]:
    """Return a sampler of a flow's runs from a box; ``columns`` of them are seen."""

    def draw(rng: np.random.Generator, runs: int, steps: int) -> np.ndarray:
        starts = rng.uniform(low, high, (runs, len(low)))
        times = dt * np.arange(steps)
        return integrate(lambda s: np.stack(rhs(*s.T), axis=1), starts, times)[..., :columns]

    return draw


def _driven(x: np.ndarray, v: np.ndarray, phase: np.ndarray) -> tuple:
    return v, x - x**3 - 0.15 * v + 0.3 * np.cos(phase), 1 + 0 * phase


def _parametric(x: np.ndarray, v: np.ndarray, phase: np.ndarray) -> tuple:
    return v, -(1 + 0.6 * np.cos(phase)) * x - x**3, 1.4 + 0 * phase


def _two_cycles(x: np.ndarray, v: np.ndarray, y: np.ndarray, w: np.ndarray) -> tuple:
    return v, (1 - x**2) * v - x, w, 1.5 * (1 - y**2) * w - 2 * y


def _well(q: np.ndarray, v: np.ndarray) -> np.ndarray:
    return v**2 / 2 - q**2 / 2 + q**4 / 4


def _left_or_right(q: np.ndarray, v: np.ndarray) -> tuple:
    """Double well; friction and push hold the energy at -.12: a cycle in each well."""
    return v, q - q**3 - 1.5 * (_well(q, v) + 0.12) * v


def _nested(q: np.ndarray, v: np.ndarray) -> tuple:
    """Stable cycles of radius 1 and 2, an unstable one of radius 1.5 between them."""
    square = q**2 + v**2
    return v, -q - 0.1 * (square - 1) * (square - 2.25) * (square - 4) * v


def _damped_kepler(x: np.ndarray, y: np.ndarray, u: np.ndarray, v: np.ndarray) -> tuple:
    """Drag as the square of the speed: a linear one leaves the mean ellipse its shape."""
    cubed, drag = np.hypot(x, y) ** 3, 0.06 * np.hypot(u, v)
    return u, v, -x / cubed - drag * u, -y / cubed - drag * v


def _damped_kepler_runs(rng: np.random.Generator, runs: int, steps: int) -> np.ndarray:
    starts = datasets.info("kepler").sample(rng, runs)
    times = 0.1 * np.arange(steps)
    return integrate(lambda s: np.stack(_damped_kepler(*s.T), axis=1), starts, times)


def _rosenzweig_macarthur(x: np.ndarray, y: np.ndarray) -> tuple:
    """Prey that fill their ground, predators that can be sated."""
    eaten = x * y / (1 + 0.6 * x)
    return x * (1 - x / 4) - eaten, 0.8 * eaten - 0.45 * y


def _lorenz_96(*x: np.ndarray) -> tuple:
    n = len(x)
    return tuple((x[(i + 1) % n] - x[i - 2]) * x[i - 1] - x[i] + 8.0 for i in range(n))


_TURN = 2 * np.pi
CONTROLS |= {
    "driven Duffing": Control(
        _flow(_driven, (-1.5, -1, 0), (1.5, 1, _TURN), 0.2, columns=2), MECHANICAL, 0.2
    ),
    "parametric drive": Control(
        _flow(_parametric, (-1.5, -1, 0), (1.5, 1, _TURN), 0.2, columns=2), MECHANICAL, 0.2
    ),
    "two van der Pol": Control(
        _flow(_two_cycles, (-2.5,) * 4, (2.5,) * 4, 0.12), MECHANICAL * 2, 0.12
    ),
    "a cycle in each well": Control(
        _flow(_left_or_right, (-1.6, -1.0), (1.6, 1.0), 0.15), MECHANICAL, 0.15
    ),
    "nested cycles": Control(_flow(_nested, (-2, -2), (2, 2), 0.15), MECHANICAL, 0.15),
    "damped Kepler": Control(
        _damped_kepler_runs, ("position", "position", "velocity", "velocity"), 0.1
    ),
    "Rosenzweig-MacArthur": Control(
        _flow(_rosenzweig_macarthur, (0.3, 0.3), (3.5, 2.0), 0.3), ("amount", "amount"), 0.3
    ),
    "Lorenz-96": Control(_flow(_lorenz_96, (-4.0,) * 5, (8.0,) * 5, 0.06), ("other",) * 5, 0.06),
}
