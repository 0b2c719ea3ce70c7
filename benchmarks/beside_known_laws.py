"""How often the bound on what a formula says beside a known law holds.

    python benchmarks/beside_known_laws.py

Energies that are not quite those of orbits about a charged black hole, beside their angular
momentum, at 1 % noise:
each seed draws runs from a pool and parts them as a search would. Printed are the true motion along
clean runs of the pool over the spread, for each number of runs in how many percent of the seeds the
bound of 5 % holds, and the bound in the middle.
"""

import argparse

import numpy as np

from discovery import datasets, libraries
from discovery.estimation.preparation import prepare
from discovery.estimation.split import Split
from discovery.laws.judging.beside import drift_beside

POOL, STEPS, NOISE = 800, 60, 0.01
RUNS = (20, 50, 100)
TERMS = ("L**2/r**2", "p**2", "1/r", "1/r**2", "r", "r**2")
FORMULAS = (
    (0.5521, 0.5, -1, -2.541, 0, 0),
    (1, 0.94, -3.353, 0, -0.01, 0.000196),
    (1, 0.921, 0, -10, 0.0118, -0.00023),
)


def bound(library, coefficients, known, orbits, seed):
    """Return the bound of one draw."""
    rng = np.random.default_rng(seed)
    some = orbits.take(rng.choice(POOL, seed[0], replace=False))
    judges = some.take(Split.choose(some.n_runs, rng)[1])
    bounds = [drift_beside(library, coefficients, known, runs) for runs in (judges, some)]
    return np.inf if None in bounds else max(bounds)[0]


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=100)
    options = parser.parse_args()
    runs, clean = (
        datasets.load("reissner_nordstrom", POOL, STEPS, noise, seed=7) for noise in (NOISE, 0.0)
    )
    orbits, library = prepare(runs), libraries.custom(list(TERMS), runs.names)
    known = [(libraries.custom(["L"], runs.names), np.ones(1))]
    print("| motion | " + " | ".join(f"{n} runs" for n in RUNS) + " |")
    print("|---|" + "---|" * len(RUNS))
    for formula in FORMULAS:
        c = np.array(formula, dtype=float)
        values = (c @ library.values(clean.rows)).reshape(POOL, STEPS)
        truth = np.sqrt(values.var(axis=1).mean()) / values.std()
        cells = []
        for n in RUNS:
            told = [bound(library, c, known, orbits, (n, s)) for s in range(options.seeds)]
            holds = 100 * np.mean(np.array(told) >= truth)
            cells.append(f"{holds:.0f} %, {100 * np.median(told):.2f} %")
        print(f"| {100 * truth:.2f} % | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
