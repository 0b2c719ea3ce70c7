"""Forecasts: the motion that follows from laws, beside plain regression of the rates.

Systems whose coefficients are no simple fractions, with noise. Both methods see the same runs and
are asked to follow fresh starts, known exactly. Printed are the error after one horizon (the length
of a training run), as a share of the coordinates' spread, and for how many horizons, ten at most,
it stays below 0.2, both in the median over the starts.

Plain regression: rates by differences of the smoothed runs; all polynomials of degree 3 of the
coordinates, with sine and cosine for an angle; least squares with terms left out one after another
(Brunton, Proctor and Kutz, PNAS 113, 2016).
"""

import argparse
import itertools
import time
import warnings

import numpy as np
from scipy.integrate import solve_ivp

from discovery import ConservedQuantityFinder, Trajectories
from discovery.estimation.local_polynomials import smooth
from discovery.estimation.model_rows import rates

LIMIT, MOST = 0.2, 10
RUNS, SAMPLES, STARTS = 40, 120, 10
FAR = 1e3  # where a motion is given up
THRESHOLD, ROUNDS = 0.02, 10  # of plain regression
SPACE = ["position"] * 2 + ["velocity"] * 2
TURNING = ["angle"] * 2 + ["angular_velocity"] * 2


def heiles(x, y, u, v):
    """Return the rates of a cubic potential."""
    return u, v, -1.1372 * x - 1.8862 * x * y, -0.8713 * y - 0.9431 * x**2 + 0.8631 * y**2


def kepler(x, y, u, v):
    """Return the rates of a planet."""
    cube = np.hypot(x, y) ** 3
    return u, v, -1.1372 * x / cube, -1.1372 * y / cube


def pendulum(a, u):
    """Return the rates of a pendulum."""
    return u, -1.3713 * np.sin(a)


def double_pendulum(a, b, u, v):
    """Return the rates of two equal pendulums, one below the other."""
    c, s = np.cos(a - b), np.sin(a - b)
    first, second = -s * v**2 - 2.3148 * np.sin(a), s * u**2 - 1.1574 * np.sin(b)
    return u, v, (first - c * second) / (2 - c**2), (2 * second - c * first) / (2 - c**2)


def rigid_body(x, y, z):
    """Return Euler's rates of a body that turns freely."""
    return -1.2137 * y * z, 1.1171 * x * z, -0.2413 * x * y


def lotka_volterra(x, y):
    """Return the rates of prey and predators."""
    return 1.1372 * x - 0.8713 * x * y, -0.7131 * y + 0.5877 * x * y


def orbits(rng, n):
    """Return states of ellipses with eccentricities up to .5."""
    e, turn, size = rng.uniform(0, 0.5, n), rng.uniform(0, 2 * np.pi, n), rng.uniform(0.8, 1.3, n)
    near = size * (1 - e)
    speed = np.sqrt(1.1372 * (1 + e) / near)
    c, s = np.cos(turn), np.sin(turn)
    return np.stack([near * c, near * s, -speed * s, speed * c], axis=1)


# name: rates, starts, horizon, names, roles
SYSTEMS = {
    "Hénon–Heiles": (heiles, lambda rng, n: rng.uniform(-0.3, 0.3, (n, 4)), 20.0, "xyuv", SPACE),
    "Kepler": (kepler, orbits, 15.0, "xyuv", SPACE),
    "pendulum": (
        pendulum,
        lambda rng, n: rng.uniform(-1, 1, (n, 2)) * [2.5, 0.5],
        15.0,
        ["a", "u"],
        ["angle", "angular_velocity"],
    ),
    "double pendulum": (
        double_pendulum,
        lambda rng, n: rng.uniform(-0.9, 0.9, (n, 4)),
        12.0,
        "abuv",
        TURNING,
    ),
    "rigid body": (rigid_body, lambda rng, n: rng.normal(size=(n, 3)), 15.0, "xyz", None),
    "Lotka–Volterra": (
        lotka_volterra,
        lambda rng, n: rng.uniform(0.5, 2, (n, 2)),
        15.0,
        "xy",
        ["amount"] * 2,
    ),
}


def followed(rate, starts, times):
    """Return the states (n, k, d) of a motion, nan from where it ends."""
    out = np.full((len(starts), len(times), starts.shape[1]), np.nan)
    for i, start in enumerate(starts):
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            solved = solve_ivp(
                lambda _, s: rate(s), (times[0], times[-1]), start, "LSODA", times,
                rtol=1e-9, atol=1e-11, events=_ended,
            )  # fmt: skip
        out[i, : solved.y.shape[1]] = solved.y.T
    return out


def _ended(_, state):
    """Tell by a change of sign that a motion has run away."""
    return FAR - np.abs(state).max()


_ended.terminal = True


def by_regression(runs, noise):
    """Return a function that follows starts by rates that are sparse sums of plain terms."""
    path = smooth(runs.rows, runs.row_times, runs.offsets, noise).states
    slopes = rates(runs, path)
    angles = [i for i, role in enumerate(runs.roles or ()) if role == "angle"]
    rest = [i for i in range(runs.dim) if i not in angles]

    def terms(states):
        plain = [states[..., i] for i in rest]
        plain += [f(states[..., i]) for i in angles for f in (np.sin, np.cos)]
        powers = itertools.chain.from_iterable(
            itertools.combinations_with_replacement(range(len(plain)), k) for k in range(1, 4)
        )
        products = [np.prod([plain[i] for i in which], axis=0) for which in powers]
        return np.stack([np.ones(states.shape[:-1]), *products], axis=-1)

    matrix = terms(path)
    size = np.linalg.norm(matrix, axis=0)
    weights = np.zeros((matrix.shape[1], runs.dim))
    for i, target in enumerate(slopes.T):
        kept = np.arange(matrix.shape[1])
        for _ in range(ROUNDS):
            found = np.linalg.lstsq(matrix[:, kept] / size[kept], target, rcond=None)[0]
            strong = np.abs(found) > THRESHOLD * np.linalg.norm(target)
            if strong.all() or not strong.any():
                break
            kept = kept[strong]
        weights[kept, i] = found / size[kept]
    return lambda starts, times: followed(lambda s: terms(s) @ weights, starts, times)


def by_laws(runs):
    """Return a function that follows starts by the report's motion, and its held-out χ²."""
    report = ConservedQuantityFinder(random_state=0).fit(runs).report_
    motion = report.motion().refit()
    return motion.rollout, motion.residual


def judged(follow, starts, times, true, spread):
    """Return the median error after one horizon, and of how many horizons it is small."""
    error = np.sqrt(np.mean(((follow(starts, times) - true) / spread) ** 2, axis=2))
    error = np.where(np.isfinite(error), error, np.inf)
    valid = np.argmax(error > LIMIT, axis=1)
    valid = np.where((error > LIMIT).any(axis=1), valid, len(times) - 1) * MOST / (len(times) - 1)
    return float(np.median(error[:, (len(times) - 1) // MOST])), float(np.median(valid))


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--noise", type=float, default=0.01)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--systems", nargs="*", default=list(SYSTEMS), choices=list(SYSTEMS))
    options = parser.parse_args()
    print("| system | seed | χ² | laws: error, horizons | regression: error, horizons | seconds |")
    print("|---|---|---|---|---|---|")
    for name, seed in itertools.product(options.systems, range(options.seeds)):
        rate, draw, horizon, names, roles = SYSTEMS[name]
        rng = np.random.default_rng(seed)
        times = np.linspace(0, horizon, SAMPLES)
        clean = followed(lambda s, rate=rate: rate(*s), draw(rng, RUNS), times)
        spread = clean.std(axis=(0, 1))
        states = clean + options.noise * spread * rng.normal(size=clean.shape)
        runs = Trajectories(states=states, times=times, names=list(names), roles=roles)
        starts, ahead = draw(rng, STARTS), np.linspace(0, MOST * horizon, 50 * MOST + 1)
        true = followed(lambda s, rate=rate: rate(*s), starts, ahead)
        plain = judged(by_regression(runs, options.noise * spread), starts, ahead, true, spread)
        begun = time.perf_counter()
        try:
            follow, square = by_laws(runs)
        except ValueError as refused:
            print(f"| {name} | {seed} | refused: {refused} | — | {_said(plain)} | |", flush=True)
            continue
        taken = time.perf_counter() - begun
        ours = judged(follow, starts, ahead, true, spread)
        row = f"{square:.2f} | {_said(ours)} | {_said(plain)} | {taken:.0f}"
        print(f"| {name} | {seed} | {row} |", flush=True)


def _said(figures):
    return f"{figures[0]:.1e}, {figures[1]:.1f}"


if __name__ == "__main__":
    main()
