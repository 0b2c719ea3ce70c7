"""Forecasts: the motion that follows from laws, beside sparse regression and networks.

Systems whose coefficients are no simple fractions, with noise. All methods see the same runs and
are asked to follow fresh starts, known exactly: what is off is off by the coefficients. Printed are
the error after one horizon (the length of a training run), as a share of the coordinates' spread,
and for how many horizons, ten at most, it stays below 0.2, both in the median over the starts.
"From a noisy run": the error one horizon after the end of a run of that length with the same noise,
from which the start is fitted, and in brackets what `forecast` says that it is.

Rivals are those of `forecast_rivals.py`: sparse regression, as it comes and with its numbers fitted
as those of the laws' motion are; PySINDy, the same two; networks, with --training CPU seconds each.

    python benchmarks/forecasts.py --noise 0.01 0.05 --seeds 3 --minutes 60
    python benchmarks/forecasts.py --rivals PySINDy "neural ODE" --training 20
    python benchmarks/forecasts.py --rivals                  # the laws' motion only
    python benchmarks/forecasts.py --controls --seeds 20     # law-free: a motion must be refused
"""

import argparse
import itertools
import time

import law_free
import numpy as np
from forecast_rivals import MISSING, RIVALS, Task, followed
from forecast_systems import MORE

from discovery import ConservedQuantityFinder, Trajectories, datasets

LIMIT, MOST = 0.2, 10
RUNS, SAMPLES, STARTS = 40, 120, 10
HAMILTONIAN = ("Hénon–Heiles", "Kepler", "pendulum", "central force", "Toda")
MASSES = np.array([1.1372, 0.8713, 0.9431])
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


def central(x, y, u, v):
    """Return the rates of attraction by 1/r and a spring."""
    pull = 1.1372 / np.hypot(x, y) ** 3 + 0.3426
    return u, v, -pull * x, -pull * y


def toda(x, y, z, u, v, w):
    """Return the rates of three particles on a ring with springs that are exponentials."""
    a, b, c = (1.1372 * np.exp(0.8713 * gap) for gap in (x - y, y - z, z - x))
    return u, v, w, c - a, a - b, b - c


def three_bodies(*state):
    """Return the rates of three bodies in a plane."""
    place = np.stack(state[:6], axis=-1)
    place = place.reshape(*place.shape[:-1], 3, 2)
    gap = place[..., None, :, :] - place[..., :, None, :]
    distance = np.sqrt((gap**2).sum(-1) + np.eye(3))
    pull = (MASSES[:, None] * gap / distance[..., None] ** 3).sum(-2)
    return (*state[6:], *np.moveaxis(pull.reshape(*pull.shape[:-2], 6), -1, 0))


def binaries(rng, n):
    """Return states of a binary and a third body about it."""
    drawn = datasets.load("three_body", n, 2, seed=int(rng.integers(2**31)))
    return drawn.states[:, 0]


def at_rest(rng, n):
    """Return states of a ring that does not drift."""
    drawn = rng.uniform(-0.8, 0.8, (n, 2, 3))
    return (drawn - drawn.mean(axis=2, keepdims=True)).reshape(n, 6)


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
    "central force": (central, orbits, 12.0, "xyuv", SPACE),
    "Toda": (toda, at_rest, 12.0, "xyzuvw", ["position"] * 3 + ["velocity"] * 3),
    "three bodies": (
        three_bodies,
        binaries,
        12.0,
        [*(f"{q}{i}" for i in "123" for q in "xy"), *(f"{w}{i}" for i in "123" for w in "uv")],
        ["position"] * 6 + ["velocity"] * 6,
    ),
    **MORE,
}


def by_laws(runs):
    """Return the report's motion, refitted."""
    return ConservedQuantityFinder(random_state=0).fit(runs).report_.motion().refit()


def from_noisy_runs(motion, starts, ahead, true, noise, spread):
    """Return the median error a horizon after a noisy run of one, and that which is said."""
    last = (len(ahead) - 1) // MOST
    rng, errors, said = np.random.default_rng(1), [], []
    for states in true:
        window = np.arange(0, last + 1)
        noisy = states[window] + noise * rng.normal(size=(len(window), len(noise)))
        found = motion.forecast(noisy, ahead[window], ahead[[2 * last]])
        errors.append(np.sqrt(np.mean(((found.states[0] - states[2 * last]) / spread) ** 2)))
        said.append(np.sqrt(np.mean((found.error[0] / spread) ** 2)))
    return float(np.median(errors)), float(np.median(said))


def judged(follow, starts, times, true, spread):
    """Return the median error after one horizon, and of how many horizons it is small."""
    error = np.sqrt(np.mean(((follow(starts, times) - true) / spread) ** 2, axis=2))
    error = np.where(np.isfinite(error), error, np.inf)
    valid = np.argmax(error > LIMIT, axis=1)
    valid = np.where((error > LIMIT).any(axis=1), valid, len(times) - 1) * MOST / (len(times) - 1)
    return float(np.median(error[:, (len(times) - 1) // MOST])), float(np.median(valid))


def drawn(name, noise, seed):
    """Return runs, noise, fresh starts, times ahead, the true states there and the spread."""
    rate, draw, horizon, names, roles = SYSTEMS[name]
    rng = np.random.default_rng(seed)
    times = np.linspace(0, horizon, SAMPLES)
    clean = followed(lambda s: rate(*s), draw(rng, RUNS), times)
    spread = clean.std(axis=(0, 1))
    states = clean + noise * spread * rng.normal(size=clean.shape)
    runs = Trajectories(states=states, times=times, names=list(names), roles=roles)
    starts, ahead = draw(rng, STARTS), np.linspace(0, MOST * horizon, 50 * MOST + 1)
    return runs, noise * spread, starts, ahead, followed(lambda s: rate(*s), starts, ahead), spread


def rows(options):
    """Yield a row of the table for each system, noise and seed."""
    some = options.systems[: options.first]
    for seed, noise, name in itertools.product(range(options.seeds), options.noise, some):
        runs, level, *asked = drawn(name, noise, seed)
        begun = time.perf_counter()
        try:
            motion = by_laws(runs)
            taken = time.perf_counter() - begun
            error, said = from_noisy_runs(motion, *asked[:3], level, asked[3])
            ours = f"{motion.residual:.2f} | {_said(judged(motion.rollout, *asked))} | "
            ours += f"{error:.1e} ({said:.1e})"
        except ValueError as refused:
            taken = time.perf_counter() - begun
            ours = f"refused: {str(refused)[:90]} | — | —"
        task = Task(runs, level, options.training, name in HAMILTONIAN)
        rivals = options.rivals if seed < options.rival_seeds else []
        cells = [ours, *(beside(title, task, asked) for title in rivals)]
        cells += [""] * (len(options.rivals) - len(rivals))
        yield f"| {name} | {noise:g} | {seed} | {' | '.join(cells)} | {taken:.0f} |"


def beside(title, task, asked):
    """Return what is said of a rival."""
    if title in MISSING:
        return "not installed"
    follow = RIVALS[title](task)
    return "—" if follow is None else _said(judged(follow, *asked))


def controls(options):
    """Yield what is said of the motion of data without a law, a row each."""
    free = [name for name in datasets.names() if not datasets.info(name).count]
    names = [*free, *law_free.CONTROLS][: options.first]
    for seed, noise, name in itertools.product(range(options.seeds), options.noise, names):
        runs, told = law_free.load(name, noise, 900 + seed, *options.size)
        try:
            finder = ConservedQuantityFinder(options.library, random_state=0, noise=told)
            report = finder.fit(runs).report_
            said = f"MOTION, χ² {report.motion().residual:.2f}"
        except ValueError as refused:
            said = f"refused: {str(refused)[:70]}"
        yield f"| {name} | {noise:g} | {seed} | {said} |"


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--noise", type=float, nargs="*", default=[0.01])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--systems", nargs="*", default=list(SYSTEMS), choices=list(SYSTEMS))
    parser.add_argument("--rivals", nargs="*", default=list(RIVALS)[:4], choices=list(RIVALS))
    parser.add_argument("--rival-seeds", type=int, default=1, help="seeds on which rivals run")
    parser.add_argument("--training", type=float, default=20, help="CPU seconds for each network")
    parser.add_argument("--controls", action="store_true", help="law-free data instead")
    parser.add_argument(
        "--size", type=int, nargs=2, default=[RUNS, SAMPLES], help="runs of law-free data, samples"
    )
    parser.add_argument("--library", default="auto", help="of law-free data: what is tried")
    parser.add_argument("--first", type=int, default=None, help="so many systems only")
    parser.add_argument("--minutes", type=float, default=np.inf, help="stop after so long")
    options = parser.parse_args()
    end = time.monotonic() + 60 * options.minutes
    if options.controls:
        print("| data | noise | seed | motion |\n|---|---|---|---|")
    else:
        titles = ["system", "noise", "seed", "χ²", "laws: error, horizons", "from a noisy run"]
        titles += [*options.rivals, "s"]
        print(f"| {' | '.join(titles)} |\n{'|---' * len(titles)}|")
    for row in controls(options) if options.controls else rows(options):
        print(row, flush=True)
        if time.monotonic() > end:
            print(f"stopped after {options.minutes:g} minutes", flush=True)
            break


def _said(figures):
    return f"{figures[0]:.1e}, {figures[1]:.1f}"


if __name__ == "__main__":
    main()
