"""Motions of random systems: for what share the right laws give the right equations.

Each kind of `datasets.random_kinds()` that is no field and has laws, over seeds, 40 runs × 100
samples. Told are motions of which χ² per degree of freedom is at most 1.5 on held-out runs. Printed
are how many are told, χ² in the median and at most, and why the others are refused. The laws are
the true ones, or with --found those of a report.

    python benchmarks/unseen_motions.py --noise 0.01 0.05 --seeds 4
    python benchmarks/unseen_motions.py --found --kinds chain central
"""

import argparse
import itertools
import types

import numpy as np
import sympy

from discovery import ConservedQuantityFinder, datasets
from discovery.dynamics.equations import Law
from discovery.dynamics.routes import motion_of

RUNS, SAMPLES = 40, 100
WITHOUT = ("wave", "korteweg", "exchange", "dissipative")
WHY = {
    "leave more than one direction": "too few laws",
    "χ²": "χ²",
    "no sum": "no energy",
    "no speed": "no speed",
    "no law": "no law found",
}


def true_laws(system):
    """Return the laws of a random system as sums of terms."""
    symbols = [sympy.Symbol(name, real=True) for name in system.names]
    laws = []
    for law in system.laws.values():
        # The same program with SymPy's functions in place of NumPy's.
        formula = types.FunctionType(law.__code__, vars(sympy))(*symbols)
        terms = {}
        for part in sympy.Add.make_args(sympy.expand(formula)):
            number, term = part.as_coeff_Mul()
            terms[term] = terms.get(term, 0.0) + float(number)
        laws.append(Law.of({term: c for term, c in terms.items() if term != 1}))
    return laws


def residual(name, noise, found):
    """Return χ² of the motion of a system; or why there is none."""
    system = datasets.info(name)
    runs = datasets.load(name, RUNS, SAMPLES, noise=noise)
    level = (runs.rows - datasets.load(name, RUNS, SAMPLES).rows).std(axis=0)
    try:
        if found:
            return ConservedQuantityFinder(random_state=0).fit(runs).report_.motion().residual
        levels = dict(zip(runs.names, level.tolist(), strict=True))
        return motion_of(true_laws(system), [], runs, levels).residual
    except ValueError as refused:
        said = [short for text, short in WHY.items() if text in str(refused)]
        # Of an energy that is refused by its χ² too few laws are no reason.
        return next((s for s in said if s != "too few laws"), (said or ["other"])[0])


def main():
    """Print the table."""
    kinds = [kind for kind in datasets.random_kinds() if kind not in WITHOUT]
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--noise", type=float, nargs="*", default=[0.01])
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--kinds", nargs="*", default=kinds, choices=kinds)
    parser.add_argument("--found", action="store_true", help="laws of a report, not the true ones")
    options = parser.parse_args()
    print("| kind | noise | told | χ²: median, most | refused |\n|---|---|---|---|---|")
    for kind, noise in itertools.product(options.kinds, options.noise):
        names = [f"{kind}/{seed}" for seed in range(options.seeds)]
        said = [residual(name, noise, options.found) for name in names]
        told = [x for x in said if not isinstance(x, str)]
        worst = f"{np.median(told):.2f}, {max(told):.2f}" if told else "—"
        refused = ", ".join(
            f"{name}: {why}" for name, why in zip(names, said, strict=True) if isinstance(why, str)
        )
        print(
            f"| {kind} | {noise:g} | {len(told)} of {len(said)} | {worst} | {refused} |", flush=True
        )


if __name__ == "__main__":
    main()
