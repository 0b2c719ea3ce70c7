"""Runs of fields, and the finder for them."""

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import solve_ivp

from discovery import ConservedQuantityFinder, Trajectories, datasets


@pytest.fixture(scope="session")
def linear():
    """Runs of a linear equation, summed from its waves, so that no integrator is needed."""
    return _linear


@pytest.fixture(scope="session")
def travelling():
    """Runs of u_t + u_x = −γ(u − mean): without the damping γ every integral of u is conserved."""
    return _travelling


@pytest.fixture(scope="session")
def sextic_wave():
    """Runs of u_tt = u_xx − au − bu⁵, by the leapfrog method, and a and b."""
    return _sextic_wave


@pytest.fixture(scope="session")
def gas():
    """Runs of r_t = −m_x, m_t = −(m²/r + r²)_x, by Runge and Kutta's method."""
    rng, points, step = np.random.default_rng(1), 24, 0.005
    place = 2 * np.pi * np.arange(points) / points
    ks = np.arange(points // 2 + 1) * (np.arange(points // 2 + 1) < points // 2)

    def waves(size):
        phase = np.arange(1, 3)[:, None] * place + rng.uniform(0, 6, (30, 2, 1))
        return np.sum(size * rng.normal(size=(30, 2, 1)) * np.cos(phase), axis=1)

    def flow(r, m):
        return -np.fft.irfft(1j * ks * np.fft.rfft(np.array([m, m**2 / r + r**2])), points)

    density = 1.5 + rng.normal(0, 0.15, (30, 1)) + waves(0.05)
    at = np.array([density, density * (rng.normal(0, 0.2, (30, 1)) + waves(0.05))])
    states = []
    for k in range(281):
        states += [at] if k % 7 == 0 else []
        one = flow(*at)
        two = flow(*(at + step / 2 * one))
        three = flow(*(at + step / 2 * two))
        at = at + step / 6 * (one + 2 * two + 2 * three + flow(*(at + step * three)))
    rows = np.moveaxis(np.array(states), 2, 0).reshape(30, len(states), -1)
    names = [f"{f}{p}" for f in "rm" for p in range(points)]
    return Trajectories(
        rows,
        step * 7 * np.arange(len(states)),
        names,
        roles=["field"] * 2 * points,
        grid_spacing=place[1],
    )


@pytest.fixture(scope="session")
def on_a_ring():
    """Runs of a field equation that is given by its flow, to nine digits."""
    return _on_a_ring


@pytest.fixture(scope="session")
def find():
    """A finder fitted to runs."""
    return _find


@pytest.fixture(scope="session")
def kdv():
    return datasets.load("kdv", 40, 80, noise=0.01, seed=0)


def _linear(name, n_runs=40, n_steps=100, points=24, noise=0.0, seed=0):
    rng = np.random.default_rng(seed)
    t = np.linspace(0, 6, n_steps)[:, None]
    walls = name.endswith("between walls")
    place = (np.arange(points) + 0.5) / points
    states = []
    for _ in range(n_runs):
        fields = np.zeros((2, n_steps, points))
        fields[0] += rng.uniform(-1, 1)
        for k in (1, 2, 3):
            phases = (np.pi * k * place,) if walls else (2 * np.pi * k * place,) * 2
            for number, phase in enumerate(phases):
                shape = np.sin(phase) if number else np.cos(phase)
                a, b = rng.normal(size=2) / k
                w = {"heat": 0.3 * k**2}.get(name, np.sqrt(k**2 + 0.5))
                if name == "heat":
                    fields[0] += a * np.exp(-w * t) * shape
                else:
                    fade = np.exp(-0.1 * t) if name == "damped wave" else 1.0
                    fields[0] += fade * (a * np.cos(w * t) + b * np.sin(w * t)) * shape
                    fields[1] += fade * w * (b * np.cos(w * t) - a * np.sin(w * t)) * shape
        if name == "damped wave":
            # The mean swings and fades as well.
            mean, start = fields[0].mean(axis=1, keepdims=True), rng.normal()
            fields[0] += mean * np.exp(-0.1 * t) * np.cos(0.7 * t + start) - mean
        states.append(np.hstack(fields[:1] if name == "heat" else fields))
    states = np.array(states)
    names = [f"{field}{p}" for field in ("u" if name == "heat" else "uv") for p in range(points)]
    states += noise * states.std(axis=(0, 1)) * rng.standard_normal(states.shape)
    return Trajectories(
        states, times=t[:, 0], names=names, roles=["field"] * len(names), grid_spacing=1 / points
    )


def _sextic_wave(noise=0.01, n_runs=30, n_steps=60, points=24, seed=0):
    rng, a, b, step = np.random.default_rng(seed), 0.83, 1.37, 0.01
    k = 2 * np.pi * np.fft.rfftfreq(points, 0.4)
    keep = np.arange(len(k)) < points / 6

    def force(u):
        return np.fft.irfft(
            keep * (-(k**2) * np.fft.rfft(u) - np.fft.rfft(a * u + b * u**5)), points
        )

    def start():
        waves = rng.normal(size=(n_runs, 3)) + 1j * rng.normal(size=(n_runs, 3))
        return np.fft.irfft(waves * [points, points / 2, points / 4], points) / 2

    u, v = start(), start()
    states = []
    for _ in range(n_steps):
        states.append(np.hstack([u, v]))
        for _ in range(10):
            v = v + step / 2 * force(u)
            u = u + step * v
            v = v + step / 2 * force(u)
    states = np.array(states).swapaxes(0, 1)
    states += noise * states.std(axis=(0, 1)) * rng.standard_normal(states.shape)
    names = [f"{field}{p}" for field in "uv" for p in range(points)]
    times = 10 * step * np.arange(n_steps)
    runs = Trajectories(states, times, names, ["field"] * len(names), grid_spacing=0.4)
    return runs, a, b


def _find(runs, library="auto", **options):
    finder = ConservedQuantityFinder(
        library, roles=runs.roles, grid_spacing=runs.grid_spacing, random_state=0, **options
    )
    rows = pd.DataFrame(runs.rows, columns=runs.names)
    return finder.fit(rows, groups=runs.groups, times=runs.row_times)


def _on_a_ring(flow, fields, times, length=2 * np.pi, n_runs=24, points=24, seed=0):
    """Integrate ``flow(d, *fields)``, with d(u, k) the k-th derivative of u, cut off.

    A field starts as a mean, uniform in a range, and two waves of a size.
    """
    rng, k = np.random.default_rng(seed), 2 * np.pi * np.fft.rfftfreq(points, length / points)
    keep, place = np.arange(len(k)) <= points / 3, np.linspace(0, 2 * np.pi, points, endpoint=False)

    def d(u, order=0):
        return np.fft.irfft(keep * (1j * k) ** order * np.fft.rfft(u), points)

    def started(low, high, size):
        waves = rng.normal(size=(2, n_runs, 2, 1))
        angle = np.arange(1, 3)[:, None] * place
        shape = np.sum(waves[0] * np.cos(angle) + waves[1] * np.sin(angle), axis=1)
        return rng.uniform(low, high, (n_runs, 1)) + size / 2 * shape

    start = np.array([started(*field) for field in fields])
    solution = solve_ivp(
        lambda _, y: np.array([d(f) for f in flow(d, *y.reshape(start.shape))]).ravel(),
        (0, times[-1]),
        start.ravel(),
        method="DOP853",
        t_eval=times,
        rtol=1e-9,
        atol=1e-11,
    )
    states = np.transpose(solution.y.T.reshape(len(times), *start.shape), (2, 0, 1, 3))
    names = [f"{f}{p}" for f in "uvw"[: len(fields)] for p in range(points)]
    return Trajectories(
        states.reshape(n_runs, len(times), -1),
        times,
        names,
        roles=["field"] * len(names),
        grid_spacing=length / points,
    )


def _travelling(noise=0.0, mean=0.0, size=1.0, damping=0.0, n_runs=30, n_steps=60, seed=0):
    rng = np.random.default_rng(seed)
    t, place = np.linspace(0, 6, n_steps)[:, None], 2 * np.pi * np.arange(24) / 24
    shape = (n_runs, 1, 1)
    states = mean + 0.3 * size * rng.normal(size=shape) + np.zeros((n_runs, n_steps, 24))
    for k in (1, 2):
        wave = np.cos(k * (place - t) + rng.uniform(0, 6, shape))
        states += size / k * rng.normal(size=shape) * np.exp(-damping * t) * wave
    # In units of the waves' size, whatever the mean.
    states += noise * size * rng.standard_normal(states.shape)
    names = [f"u{p}" for p in range(24)]
    spacing = 2 * np.pi / 24
    return Trajectories(states, t[:, 0], names, roles=["field"] * 24, grid_spacing=spacing)
