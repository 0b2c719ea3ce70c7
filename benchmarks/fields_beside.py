"""How many laws are found of fields beside other coordinates.

    python benchmarks/fields_beside.py                            all, at 0, 1 and 5 % noise
    python benchmarks/fields_beside.py --only piston --noise 0.1 --formulas

A particle in a field, an oscillator at a point of a string, tanks and a channel, a piston and gas.
60 runs × 120 samples, noise as a fraction of each column's spread. CPU seconds of the finder alone.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial

import numpy as np
from scipy.integrate import solve_ivp

from discovery import ConservedQuantityFinder, Trajectories

RUNS, STEPS = 60, 120
State, Flow = np.ndarray, Callable[[np.ndarray], np.ndarray]


class Ring:
    """Fields on a ring of n points, cut off above a share of the wave numbers."""

    def __init__(self, n: int, length: float, share: float) -> None:
        self.n, self.length, self.step = n, length, length / n
        self.x = self.step * np.arange(n)
        self._k = 2 * np.pi / length * np.arange(n // 2 + 1)
        self._keep = np.arange(n // 2 + 1) < n * share
        self._weight = self._keep * np.where(self._k == 0, 1, 2)

    def d(self, u: State, order: int = 1) -> State:
        """Return a derivative."""
        return np.fft.irfft((1j * self._k) ** order * self._keep * np.fft.rfft(u), self.n)

    def cut(self, u: State) -> State:
        """Return the part below the cut-off."""
        return np.fft.irfft(self._keep * np.fft.rfft(u), self.n)

    def peak(self, places: State) -> State:
        """Return, for each place, a source there: its part below the cut-off."""
        angles = (self.x - places[:, None])[..., None] * self._k
        return np.sum(self._weight * np.cos(angles), axis=2) / self.length

    def at(self, u: State, places: State, order: int = 0) -> State:
        """Return each field, or a derivative of it, at its place."""
        waves = np.fft.rfft(u) / self.n * np.exp(1j * self._k * places[:, None])
        return np.sum(self._weight * ((1j * self._k) ** order * waves).real, axis=1)

    def start(
        self, rng: np.random.Generator, rms: float, mean: tuple[float, float] = (0, 0)
    ) -> State:
        """Return fields of three waves about a mean."""
        waves = np.zeros((RUNS, self.n // 2 + 1), dtype=complex)
        waves[:, 1:4] = (rng.normal(size=(RUNS, 3)) + 1j * rng.normal(size=(RUNS, 3))) / [1, 2, 3]
        shape = np.fft.irfft(waves, self.n)
        return rng.uniform(*mean, (RUNS, 1)) + rms * shape / shape.std()


def solved(
    flow: Flow,
    start: list[State],
    dt: float,
    names: str,
    beside: dict[str, str | None],
    step: float,
) -> Trajectories:
    """Integrate runs of fields, called by letters, and coordinates, by their roles."""
    start = np.column_stack(start)
    solution = solve_ivp(
        lambda _, y: flow(y.reshape(start.shape)).ravel(),
        (0, dt * (STEPS - 1)),
        start.ravel(),
        method="DOP853",
        t_eval=dt * np.arange(STEPS),
        rtol=1e-9,
        atol=1e-10,
    )
    points = (start.shape[1] - len(beside)) // len(names)
    fields = [f"{f}{p}" for f in names for p in range(points)]
    return Trajectories(
        np.moveaxis(solution.y.T.reshape(STEPS, *start.shape), 1, 0),
        solution.t,
        [*fields, *beside],
        roles=["field"] * len(fields) + list(beside.values()),
        grid_spacing=step,
    )


def oscillator(rng: np.random.Generator, point: int = 5, drag: float = 0.0) -> Trajectories:
    """An oscillator at a point of a string: energy."""
    ring = Ring(32, 6.0, 0.34)
    source = ring.peak(ring.x[[point]])

    def flow(y: State) -> State:
        u, w, (q, p) = y[:, :32], y[:, 32:64], y[:, 64:].T
        force = -1.9 * q - 0.8 * ring.cut(u)[:, point] - drag * p
        return np.column_stack([w, ring.d(u, 2) - 0.7 * u - 0.8 * q[:, None] * source, p, force])

    start = [ring.start(rng, 0.6), ring.start(rng, 0.6), rng.normal(size=(RUNS, 2))]
    return solved(flow, start, 0.12, "uw", {"q": None, "p": None}, ring.step)


def spring(rng: np.random.Generator) -> Trajectories:
    """A quartic oscillator on a spring to a point of a nonlinear string: energy."""
    ring = Ring(32, 5.0, 0.25)
    source = ring.peak(ring.x[[20]])

    def flow(y: State) -> State:
        u, w, (q, p) = y[:, :32], y[:, 32:64], y[:, 64:].T
        pull = 0.7 * (q - ring.cut(u)[:, 20])
        bend = ring.d(u, 2) - 0.5 * u - ring.cut(0.6 * u**3)
        return np.column_stack([w, bend + pull[:, None] * source, p, -0.5 * q**3 - pull])

    start = [ring.start(rng, 0.7), ring.start(rng, 0.6), rng.normal(size=(RUNS, 2))]
    return solved(flow, start, 0.1, "uw", {"q": None, "p": None}, ring.step)


def particle(rng: np.random.Generator, drag: float = 0.0) -> Trajectories:
    """A free particle on a ring, source of the field that moves it: energy and momentum."""
    ring = Ring(32, 8.2, 0.3)

    def flow(y: State) -> State:
        u, w, (x, v) = y[:, :32], y[:, 32:64], y[:, 64:].T
        force = -0.9 * ring.at(u, x, 1) - drag * v
        return np.column_stack([w, ring.d(u, 2) - u - 0.9 * ring.peak(x), v, force])

    start = [ring.start(rng, 0.7), ring.start(rng, 0.5)]
    start += [rng.uniform(0, ring.length, RUNS), rng.normal(size=RUNS)]
    beside = {"x": "position", "v": "velocity"}
    return solved(flow, start, 0.1, "uw", beside, ring.step)


def tank(rng: np.random.Generator, leak: float = 0.0) -> Trajectories:
    """A tank that exchanges with a concentration at a point: their total."""
    ring = Ring(32, 4.0, 0.34)
    source = ring.peak(ring.x[[9]])

    def flow(y: State) -> State:
        u, n = y[:, :32], y[:, 32]
        rate = 0.5 * n - 0.8 * n / (1 + n) * ring.cut(u)[:, 9]
        return np.column_stack([0.15 * ring.d(u, 2) + rate[:, None] * source, -rate - leak * n])

    start = [ring.start(rng, 0.2, (1, 2)), rng.uniform(0.5, 3, RUNS)]
    return solved(flow, start, 0.06, "u", {"n": None}, ring.step)


def two_tanks(rng: np.random.Generator, leak: float = 0.0) -> Trajectories:
    """Tanks at both ends of a channel, in finite volumes: the total."""
    step = 0.2
    x = step * (np.arange(24) + 0.5)

    def flow(y: State) -> State:
        u, (a, b) = y[:, :24], y[:, 24:].T
        enter, leave = 0.6 * (a - u[:, 0]), 0.4 * (u[:, -1] - b)
        flux = np.column_stack([enter, -0.4 * np.diff(u, axis=1) / step, leave])
        return np.column_stack([-np.diff(flux, axis=1) / step, -enter - leak * a, leave])

    shapes = np.cos(np.pi / 4.8 * np.array([[1], [2]]) * x)
    start = [rng.uniform(1, 2, (RUNS, 1)) + rng.normal(0, 0.3, (RUNS, 2)) @ shapes]
    start += [rng.uniform(0.5, 2.5, (RUNS, 2))]
    return solved(flow, start, 0.04, "u", {"a": None, "b": None}, step)


def membrane(rng: np.random.Generator, leak: float = 0.0) -> Trajectories:
    """Two concentrations on a membrane, one of which exchanges with a stirred bulk: the total."""
    ring = Ring(32, 5.0, 0.34)

    def flow(y: State) -> State:
        u, v, c = y[:, :32], y[:, 32:64], y[:, 64:]
        turned, bound = ring.cut(0.3 * (v - u**2 / (1 + u))), ring.cut(0.4 * c - 0.25 * v)
        gone = ring.step * bound.sum(axis=1, keepdims=True) + leak * c
        return np.column_stack(
            [0.05 * ring.d(u, 2) + turned, 0.3 * ring.d(v, 2) - turned + bound, -gone]
        )

    start = [ring.start(rng, 0.2, (0.8, 1.6)), ring.start(rng, 0.2, (0.8, 1.6))]
    return solved(flow, [*start, rng.uniform(0.5, 2, RUNS)], 0.07, "uv", {"c": None}, ring.step)


def rotor(rng: np.random.Generator) -> Trajectories:
    """A string on a wheel whose inertia it adds to: energy, angular momentum, its own momentum."""
    ring = Ring(32, 6.0, 0.3)

    def flow(y: State) -> State:
        u, w, turn = y[:, :32], y[:, 32:64], y[:, 64:]
        inertia = 3 + ring.step * np.sum(u**2, axis=1, keepdims=True)
        change = 2 * ring.step * np.sum(u * w, axis=1, keepdims=True)
        return np.column_stack([w, ring.d(u, 2) - (1.5 - turn**2) * u, -turn * change / inertia])

    start = [ring.start(rng, 0.5), ring.start(rng, 0.5), rng.uniform(0.3, 0.9, RUNS)]
    return solved(flow, start, 0.12, "uw", {"o": None}, ring.step)


def piston(rng: np.random.Generator) -> Trajectories:
    """Gas between a wall and a piston at X, places as shares of X, with friction: its mass."""
    n, step = 24, 1 / 24
    x, faces = step * (np.arange(n) + 0.5), step * np.arange(1, n)

    def flow(y: State) -> State:
        r, m, at, v = y[:, :n], y[:, n : 2 * n], y[:, -2:-1], y[:, -1:]
        ends = np.zeros((RUNS, 1))
        dense, moving = (0.5 * (f[:, 1:] + f[:, :-1]) for f in (r, m))
        mass = moving - faces * v * dense - 0.02 * np.diff(r, axis=1)
        push = moving**2 / dense + dense - faces * v * moving - 0.02 * np.diff(m, axis=1)
        mass, push = np.hstack([ends, mass, ends]), np.hstack([r[:, :1], push, r[:, -1:]])
        gains = (-np.diff(flux, axis=1) / step for flux in (mass, push))
        rates = [(gain - v * f) / at for gain, f in zip(gains, (r, m), strict=True)]
        return np.column_stack([*rates, v, (r[:, -1:] - 1.1) / 2])

    at, v = rng.uniform(0.8, 1.4, (RUNS, 1)), rng.normal(0, 0.25, (RUNS, 1))
    swell = rng.normal(0, [0.1, 0.06], (RUNS, 2)) @ np.cos(np.pi * np.array([[1], [2]]) * x)
    dense = rng.uniform(0.9, 1.3, (RUNS, 1)) * (1 + swell)
    speed = v * x + rng.normal(0, 0.15, (RUNS, 1)) * np.sin(np.pi * x)
    beside = {"X": None, "V": "velocity"}
    return solved(flow, [dense, dense * speed, at, v], 0.03, "rm", beside, step)


def apart(rng: np.random.Generator) -> Trajectories:
    """Korteweg and de Vries' equation, and an oscillator that has nothing to do with it: four."""
    ring = Ring(48, 16.0, 0.33)

    def flow(y: State) -> State:
        u, (q, p) = y[:, :48], y[:, 48:].T
        return np.column_stack([-ring.cut(6 * u * ring.d(u)) - ring.d(u, 3), p, -2 * q])

    start = [ring.start(rng, 0.4, (0.2, 0.5)), rng.normal(size=(RUNS, 2))]
    return solved(flow, start, 0.06, "u", {"q": None, "p": None}, ring.step)


SYSTEMS = {
    "oscillator at a point": (oscillator, 1),
    "oscillator at the first point": (partial(oscillator, point=0), 1),
    "spring to a nonlinear string": (spring, 1),
    "particle in its field": (particle, 2),
    "tank": (tank, 1),
    "tanks at both ends": (two_tanks, 1),
    "membrane and bulk": (membrane, 1),
    "string on a wheel": (rotor, 3),
    "piston": (piston, 1),
    "KdV beside an oscillator": (apart, 4),
    "oscillator with drag": (partial(oscillator, drag=0.15), 0),
    # What drag takes is its distance: v + x/10 − ∫w u_x.
    "particle with drag": (partial(particle, drag=0.1), 1),
    "tank that leaks": (partial(tank, leak=0.1), 0),
    "two tanks, one leaks": (partial(two_tanks, leak=0.1), 0),
    "bulk that leaks": (partial(membrane, leak=0.1), 0),
}


def find(runs: Trajectories, noise: float) -> tuple[list[str], float]:
    """Return the exact laws found in noisy runs, and the CPU seconds that took."""
    rng = np.random.default_rng(1)
    states = runs.states + noise * runs.rows.std(axis=0) * rng.standard_normal(runs.states.shape)
    noisy = Trajectories(states, runs.times, runs.names, runs.roles, grid_spacing=runs.grid_spacing)
    finder, begin = ConservedQuantityFinder(random_state=0), time.process_time()
    found = finder.fit(noisy).quantities_
    laws = [q.formula for q in found if q.verdict == "exact"]
    return laws, time.process_time() - begin


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", nargs="*", default=list(SYSTEMS), choices=SYSTEMS)
    parser.add_argument("--noise", type=float, nargs="*", default=[0.0, 0.01, 0.05])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--formulas", action="store_true")
    options = parser.parse_args()
    print("| system | values | laws | found | CPU seconds |\n|---|---|---|---|---|")
    for name in options.only:
        make, count = SYSTEMS[name]
        runs = make(np.random.default_rng(options.seed))
        found = [find(runs, noise) for noise in options.noise]
        counts = ", ".join(
            f"{len(laws)}" if len(laws) == count else f"**{len(laws)}**" for laws, _ in found
        )
        seconds = ", ".join(f"{cpu:.0f}" for _, cpu in found)
        print(f"| {name} | {runs.dim} | {count} | {counts} | {seconds} |", flush=True)
        if options.formulas:
            print("\n".join(f"    {law}" for laws, _ in found for law in laws), flush=True)


if __name__ == "__main__":
    main()
