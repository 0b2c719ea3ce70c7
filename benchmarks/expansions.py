"""Expansions of laws: how many are told as what they may be, and where their bounds hold.

    python benchmarks/expansions.py                          the table of docs/evidence.md

Particles on a line, 40 runs × 100 samples. Each energy is fitted in its own terms (laws), and in
powers of x up to 2, 3, …, 8, of which the first two that are called exact count (expansions).

in doubt    formulas beside which the report says that others fit as well, or may
change      those whose numbers change from inner runs to outer ones
same, far   bounds that hold on fresh runs of the same draw, and on runs that start 1.3 times as far
            out; and those that hold at the states where the formula is known (`known_at`)
"""

import argparse
import itertools
import warnings
from collections.abc import Iterator

import numpy as np
import sympy

from discovery import ConservedQuantityFinder, Trajectories
from discovery.datasets.integrate import integrate

X, U = sympy.symbols("x u")
RUNS, TIMES, FAR = 40, np.linspace(0, 12, 100), 1.3
# Potentials, and how far from (0, 0) runs start.
POTENTIALS = {
    "pendulum": (-sympy.cos(X), 1.6, 0.8),
    "Morse": (sympy.exp(-2 * X) - 2 * sympy.exp(-X), 0.5, 0.5),
    "exponential": (sympy.exp(-X) + X, 1.2, 1.0),
    "logarithm": (sympy.log(X**2 + sympy.Rational(1, 4)), 1.0, 0.5),
    "inverse": (2 / (X + 2) + X / 2, 0.9, 0.6),
    "root": (2 * sympy.sqrt(X**2 + 1), 1.5, 1.0),
    "cosh": (sympy.cosh(3 * X / 2), 1.0, 1.0),
    "Gaussian": (-2 * sympy.exp(-(X**2)), 0.8, 0.6),
}
DEGREES = range(2, 9)


def drawn(name: str, seed: int, far: float = 1.0) -> np.ndarray:
    """Return clean runs, (runs, samples, 2)."""
    potential, *reach = POTENTIALS[name]
    force = sympy.lambdify(X, -potential.diff(X), "numpy")
    starts = far * np.array(reach) * np.random.default_rng(seed).uniform(-1, 1, (RUNS, 2))
    return integrate(lambda s: np.column_stack([s[:, 1], force(s[:, 0])]), starts, TIMES)


def motion(law, runs: np.ndarray, known: bool) -> float:
    """Return what a formula moves along runs, at all states or where it is known, in spreads."""
    values, where = law(runs), law.known_at(runs) if known else np.ones(runs.shape[:2], bool)
    moved = [v[w] - v[w].mean() for v, w in zip(values, where, strict=True) if w.any()]
    return float(np.sqrt(np.mean(np.concatenate(moved) ** 2)) / law.spread) if moved else 0.0


def fitted(name: str, noise: float, seed: int) -> Iterator[tuple[bool, object]]:
    """Yield the exact formulas of one draw, and whether each is in the law's own terms."""
    clean = drawn(name, seed)
    size = noise * clean.std(axis=(0, 1))
    states = clean + size * np.random.default_rng(seed + 1).standard_normal(clean.shape)
    runs = Trajectories(states, times=TIMES, names=("x", "u"))

    def exact(terms: list) -> list:
        finder = ConservedQuantityFinder(library=[U**2, *terms], random_state=seed).fit(runs)
        return [law for law in finder.report_.quantities if law.verdict == "exact"]

    own = [term.as_coeff_Mul()[1] for term in sympy.Add.make_args(POTENTIALS[name][0])]
    yield from ((True, law) for law in exact(own))
    powers = (exact([X**k for k in range(1, degree + 1)]) for degree in DEGREES)
    different = {
        str(law.expression): law
        for laws in itertools.islice(filter(None, powers), 2)
        for law in laws
    }
    yield from ((False, law) for law in different.values())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--first", type=int, default=0, metavar="SEED")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--noise", nargs="+", type=float, default=(0.002, 0.01, 0.05))
    parser.add_argument("--systems", nargs="+", default=list(POTENTIALS), metavar="NAME")
    parser.add_argument("--each", action="store_true", help="print every formula as it is found")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    rows = {True: [], False: []}
    for seed in range(options.first, options.first + options.seeds):
        for name in options.systems:
            fresh = drawn(name, seed + 1000), drawn(name, seed + 2000, FAR)
            for noise in options.noise:
                for own, law in fitted(name, noise, seed):
                    bound = max(law.drift_interval[1], 1e-6)
                    hold = [motion(law, runs, known) <= bound for runs in fresh for known in (0, 1)]
                    doubt = bool(law.alternatives) or law.doubtful
                    rows[own].append([doubt, law.changes_outwards, *hold])
                    if options.each:
                        print(name, seed, noise, own, rows[own][-1], law.formula, flush=True)
    print("| | formulas | in doubt | change | same | where known | far | where known |")
    print("|---|---|---|---|---|---|---|---|")
    for own, found in rows.items():
        counts = np.sum(found, axis=0) if found else []
        print(
            "|", " | ".join(map(str, ["laws" if own else "expansions", len(found), *counts])), "|"
        )


if __name__ == "__main__":
    main()
