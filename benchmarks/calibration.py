"""What intervals and bounds cover: laws that are known, on few runs and many.

    python benchmarks/calibration.py                the table of docs/evidence.md
    python benchmarks/calibration.py --seeds 50     quick
    python benchmarks/calibration.py --systems kepler --workers 2

Each seed draws so many runs of a system at random from a pool, parts them as a search would (60 %
find, 40 % judge), and measures formulas whose truth is known. No search: the formula is given.
Percent of the seeds in which

flatness    the interval of the flatness of a true law, on the judging runs, holds 1
smoothed    that of the smoothed flatness holds what the whole pool gives
errors      the true coefficients lie within two standard errors, on all runs (mean over them)
drift       the true motion is within the bound, on the judging runs, for the law with a small
            function beside it that is not conserved, so that it drifts by 3 % of its spread; then
            for 10 %. The truth is the motion along clean runs over the spread, of the whole pool.
none        the bound of the true law, which does not drift, is above 0 before it is made so: its
            estimate plus its margin
"""

import argparse
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np

from discovery import datasets, libraries
from discovery.estimation.preparation import prepare
from discovery.estimation.split import Split
from discovery.laws.judging.drift import DriftTest
from discovery.laws.judging.evidence import gather

POOL, STEPS, NOISE = 3000, 60, 0.02
RUNS = (8, 12, 20, 50, 100)
DRIFTS = (0.03, 0.1)
COLUMNS = ("flatness", "smoothed", "errors", "drift 3 %", "drift 10 %")


@dataclass(frozen=True)
class Known:
    """A law by its terms and coefficients, and a function that is not conserved."""

    terms: tuple[str, ...]
    coefficients: tuple[float, ...]
    moving: str


SYSTEMS = {
    "harmonic_oscillator": Known(("q**2", "p**2"), (1, 1), "q*p"),
    "kepler": Known(("u**2", "v**2", "1/sqrt(x**2 + y**2)"), (1, 1, -2), "x"),
    "henon_heiles": Known(
        ("p1**2", "p2**2", "q1**2", "q2**2", "q1**2*q2", "q2**3"), (1, 1, 1, 1, 2, -2 / 3), "q1"
    ),
    "lotka_volterra": Known(("x", "y", "log(x)", "log(y)"), (1.5, 2, -1.5, -1), "x"),
    "rigid_body": Known(("omega1**2", "omega3**2"), (1 / 3, -1), "omega1"),
    "pendulum": Known(("omega**2", "cos(theta)"), (0.5, -1), "omega"),
}


def coverage(name, seeds):
    """Return how often each interval covers, (run counts, columns), in percent."""
    known = SYSTEMS[name]
    runs, clean = (datasets.load(name, POOL, STEPS, noise, seed=7) for noise in (NOISE, 0.0))
    orbits = prepare(runs)
    law = libraries.custom(list(known.terms), runs.names)
    beside = libraries.custom([*known.terms, known.moving], runs.names)
    exact = np.array(known.coefficients, dtype=float)
    values = beside.values(clean.rows)
    share = (exact @ values[:-1]).std() / values[-1].std()
    drifting = [np.append(exact, drift * share) for drift in DRIFTS]
    motion = [along(c @ values) for c in drifting]
    whole = gather(law, exact, orbits, np.random.default_rng(0)).smoothed_flatness
    return np.array(
        [
            [
                100 * np.mean(column)
                for column in zip(
                    *[
                        covered(orbits, n, seed, (law, exact, whole), (beside, drifting, motion))
                        for seed in range(seeds)
                    ],
                    strict=True,
                )
            ]
            for n in RUNS
        ]
    )


def along(values):
    """Return the motion along runs over the spread of all samples, of clean values."""
    values = values.reshape(POOL, STEPS)
    return np.sqrt(values.var(axis=1).mean()) / values.std()


def covered(orbits, n_runs, seed, true, other):
    """Tell of one draw of runs which intervals cover."""
    rng = np.random.default_rng([n_runs, seed])
    some = orbits.take(rng.choice(POOL, n_runs, replace=False))
    judges = some.take(Split.choose(n_runs, rng)[1])
    law, exact, whole = true
    seen = gather(law, exact, judges, rng)
    test = DriftTest(law, exact, some)
    found, errors = test.refined(), test.standard_errors(exact)
    main = int(np.argmin(errors))
    off = np.delete(np.abs(found * (exact[main] / found[main]) - exact) / errors.clip(1e-300), main)
    library, drifting, motion = other
    bounds = [gather(library, c, judges, rng).drift_interval[1] for c in drifting]
    return (
        inside(1.0, seen.flatness_interval),
        inside(whole, seen.smoothed_flatness_interval),
        np.mean(off <= 2),
        *(bound >= true for bound, true in zip(bounds, motion, strict=True)),
    )


def inside(value, interval):
    """Tell whether an interval holds a value."""
    return interval[0] <= value <= interval[1]


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=500)
    parser.add_argument("--systems", nargs="+", default=list(SYSTEMS), choices=list(SYSTEMS))
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    print("| system | runs | " + " | ".join(COLUMNS) + " |")
    print("|---|---|" + "---|" * len(COLUMNS))
    with ProcessPoolExecutor(options.workers) as pool:
        found = pool.map(coverage, options.systems, [options.seeds] * len(options.systems))
        for name, table in zip(options.systems, found, strict=True):
            for n, row in zip(RUNS, table, strict=True):
                print(f"| {name} | {n} | " + " | ".join(f"{x:.1f}" for x in row) + " |", flush=True)


if __name__ == "__main__":
    main()
