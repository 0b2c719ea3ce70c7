"""Planted laws: random quadratic systems of two to four variables, a new one for every seed.

    python benchmarks/planted.py                                 # 100 seeds at 1 %
    python benchmarks/planted.py --seeds 40 --noise 0 0.01 0.05 --minutes 30
    python benchmarks/planted.py --first 500 --misses            # others; what is wrong, formulas

The systems are those of `datasets.random("quadratic", seed)`: Lie-Poisson and Nambu flows, constant
brackets, fields with a factor, Volterra's species, triangles; half of them in a random frame. No
roles are told, and the columns are called a, b, c, d.

What is printed, for each noise and family of systems, beside the plain baseline's figures:

right     counts of exact laws that are the truth's, and how many are above it
|ρ|       |Spearman|, on clean runs of another seed, of a true law and one of the quantities found,
          or a polynomial in all of them that was fitted on the other half of these runs; the median
          over all systems, and the share of systems with .999 or more (of the n-th best law, of n
          independent ones)
s         seconds a fit, the median
"""

import argparse
import time
from collections import defaultdict

import numpy as np
from recovered_laws import FLAWS, measure

from discovery import datasets

# What a law must reach for a law of the data to be known.
KNOWN = 0.999
HEADER = (
    *("noise", "family", "systems", "right", "above", "median \\|ρ\\|", "≥ .999", "s"),
    *("baseline right", "above", "median \\|ρ\\|", "≥ .999"),
)


def row(noise, family, scores):
    """Return the cells of one row of the table."""
    n = len(scores)
    cells = [f"{100 * noise:g} %", family, str(n)]
    for counts, ranks in (
        ([s.found for s in scores], [s.together for s in scores]),
        ([s.baseline for s in scores], [s.baseline_together for s in scores]),
    ):
        right = sum(found == s.true for found, s in zip(counts, scores, strict=True))
        above = sum(found > s.true for found, s in zip(counts, scores, strict=True))
        ranks = np.nan_to_num(ranks)
        known = np.mean(ranks >= KNOWN)
        cells += [str(right), str(above), f"{np.median(ranks):.4f}", f"{100 * known:.0f} %"]
        if len(cells) < len(HEADER) - 4:
            cells.append(f"{np.median([s.seconds for s in scores]):.1f}")
    return cells


def print_row(cells):
    """Print one row of a table."""
    print("| " + " | ".join(cells) + " |", flush=True)


def main(argv=None):
    """Print the table when the time is up, and what is wrong as it is found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="first seed")
    parser.add_argument("--noise", nargs="+", type=float, default=(0.01,), metavar="F")
    parser.add_argument("--minutes", type=float, default=np.inf, help="stop fitting after so long")
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--model", action="store_true", help="train a manifold, as `discover` does")
    parser.add_argument("--misses", action="store_true", help="print what is wrong")
    parser.set_defaults(no_roles=True, **dict.fromkeys(FLAWS, 0.0))
    options = parser.parse_args(argv)
    options.no_model = not options.model
    scores = defaultdict(list)
    end = time.monotonic() + 60 * options.minutes
    for seed in range(options.first, options.first + options.seeds):
        for noise in options.noise:
            options.seed = seed
            score = measure(f"quadratic/{seed}", noise, options)
            scores[noise].append(score)
            if options.misses and not (score.found == score.true and score.together >= KNOWN):
                print_miss(score)
        if time.monotonic() > end:
            break
    print_row(HEADER)
    print("|" + "---|" * len(HEADER))
    for noise, some in scores.items():
        for name in sorted({family(score) for score in some}):
            print_row(row(noise, name, [score for score in some if family(score) == name]))
        print_row(row(noise, "all", some))


def print_miss(score):
    """Print what was found where it is not the truth, or not all of it."""
    counts = f"{score.found} of {score.true}, |ρ| {score.together:.4f}, {score.seconds:.1f} s"
    where = f"{score.system}, noise {score.noise:g}, {family(score)}"
    print(f"{where}: {counts}: {'; '.join(score.formulas)}", flush=True)


def family(score):
    """Return what the system of a score is, in words."""
    return datasets.info(score.system).doc.partition(":")[0].rstrip(".")


if __name__ == "__main__":
    main()
