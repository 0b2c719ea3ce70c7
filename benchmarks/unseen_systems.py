"""Counts, bounds and confidence on systems that nobody looked at: random ones, over seeds.

    python benchmarks/unseen_systems.py --no-model                # 15 kinds × 14 seeds × 4 levels
    python benchmarks/unseen_systems.py --no-model --rotate       # one level each: a quarter
    python benchmarks/unseen_systems.py --no-model --figure reliability.png
    python benchmarks/unseen_systems.py --no-model --rotate --minutes 45   # as many as that allows
    python benchmarks/unseen_systems.py --no-model --systems central wells --seeds 3 --noise 0.05

What is printed, for each noise, over all kinds and seeds:

right       counts of exact laws that are the truth's; too few; too many
bounds      laws called exact that move on the clean runs of the same seed by no more than the
            bound printed with them (rms motion along a run, over the whole spread; 1e-9, the
            integrator's error, is set aside)
by kind     counts that are right, at each noise

Then the reliability of the confidence: of the reports that state a confidence in a bin, the share
whose count is right. Undecided reports state none, and are counted apart. All limits are one-sided
95 % limits (Clopper-Pearson).
"""

import argparse
import itertools
from collections.abc import Sequence

import numpy as np
from trials import Outcome, Trial, add_arguments, lower_limit, run, upper_limit

from discovery import datasets

EDGES = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)


def print_row(*cells: str | int) -> None:
    """Print one row of a table."""
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def print_header(*cells: str) -> None:
    """Print the head of a table."""
    print()
    print_row(*cells)
    print("|" + "---|" * len(cells))


def share(hits: int, tries: int) -> str:
    """Return a share in per cent."""
    return f"{100 * hits / tries:.0f} %" if tries else "—"


def percent(rate: float) -> str:
    """Return a limit in per cent."""
    return f"{100 * rate:.2g} %"


def print_counts(outcomes: Sequence[Outcome], noises: Sequence[float]) -> None:
    """Print how many counts are right, too low and too high, and how many bounds hold."""
    print_header(
        *("noise", "systems", "right", "too few", "too many", "their rate is below"),
        *("exact laws", "bounds that hold", "at least"),
    )
    for noise in noises:
        some = [outcome for outcome in outcomes if outcome.trial.noise == noise]
        right = sum(outcome.exact == outcome.true for outcome in some)
        above = sum(outcome.exact > outcome.true for outcome in some)
        laws = [one for outcome in some for one in outcome.of("exact")]
        held = sum(one.holds for one in laws)
        print_row(
            *(f"{100 * noise:g} %", len(some), f"{right} ({share(right, len(some))})"),
            *(len(some) - right - above, above, percent(upper_limit(above, len(some)))),
            *(len(laws), f"{held} ({share(held, len(laws))})"),
            percent(lower_limit(held, len(laws))) if laws else "—",
        )


def print_kinds(outcomes: Sequence[Outcome], noises: Sequence[float]) -> None:
    """Print the counts that are right, by kind and noise, and how many are too high."""
    levels = (f"right at {100 * noise:g} %" for noise in noises)
    print_header("kind", "systems", *levels, "CPU s/fit")
    for kind in dict.fromkeys(_kind(outcome) for outcome in outcomes):
        of_kind = [outcome for outcome in outcomes if _kind(outcome) == kind]
        cells = []
        for noise in noises:
            some = [outcome for outcome in of_kind if outcome.trial.noise == noise]
            above = sum(outcome.exact > outcome.true for outcome in some)
            right = sum(outcome.exact == outcome.true for outcome in some)
            cells.append(f"{right} of {len(some)}" + (f", {above} above" if above else ""))
        seconds = sum(outcome.seconds for outcome in of_kind) / len(of_kind)
        systems = len({outcome.trial.system for outcome in of_kind})
        print_row(kind, systems, *cells, f"{seconds:.1f}")


def _kind(outcome: Outcome) -> str:
    return outcome.trial.system.partition("/")[0]


def reliability(outcomes: Sequence[Outcome]) -> list[tuple[float, float, int, int]]:
    """Return for each bin its mean stated confidence, its upper edge, right and all counts.

    Parameters
    ----------
    outcomes : sequence of Outcome
    """
    stated = np.array([o.confidence for o in outcomes if o.verdict != "undecided"])
    right = np.array([o.exact == o.true for o in outcomes if o.verdict != "undecided"])
    bins = np.clip(np.digitize(stated, EDGES) - 1, 0, len(EDGES) - 2)
    rows = []
    for i, upper in enumerate(EDGES[1:]):
        inside = bins == i
        if inside.any():
            rows.append((stated[inside].mean(), upper, int(right[inside].sum()), int(inside.sum())))
    return rows


def print_reliability(outcomes: Sequence[Outcome]) -> None:
    """Print the share of right counts by stated confidence."""
    print_header("confidence stated", "reports", "mean", "right", "at least")
    for mean, upper, right, n in reliability(outcomes):
        lower = EDGES[EDGES.index(upper) - 1]
        print_row(
            *(f"{lower:g} to {upper:g}", n, f"{mean:.2f}", share(right, n)),
            percent(lower_limit(right, n)),
        )
    undecided = sum(outcome.verdict == "undecided" for outcome in outcomes)
    print(f"\nUndecided: {undecided} of {len(outcomes)}.")


def draw(rows: Sequence[tuple[float, float, int, int]], path: str) -> None:
    """Write the reliability diagram, with 90 % intervals and the number of reports.

    Parameters
    ----------
    rows : sequence of (mean stated, upper edge, right, all)
        From `reliability`.
    path : str
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    stated = [row[0] for row in rows]
    shares = np.array([right / n for _, _, right, n in rows])
    low = np.array([lower_limit(right, n) for _, _, right, n in rows])
    high = np.array([upper_limit(right, n) for _, _, right, n in rows])
    figure, axes = plt.subplots(figsize=(4.6, 4.2))
    axes.plot([0, 1], [0, 1], color="0.75", linewidth=1, label="as stated")
    style = {"fmt": "o-", "color": "black", "capsize": 3, "linewidth": 1.2, "markersize": 4}
    bars = [shares - low, high - shares]
    axes.errorbar(stated, shares, bars, label="measured, 90 % interval", **style)
    for x, y, (*_, n) in zip(stated, low, rows, strict=True):
        place = {"textcoords": "offset points", "xytext": (0, -5), "ha": "center", "va": "top"}
        axes.annotate(str(n), (x, y), fontsize=8, color="0.35", **place)
    axes.set(xlabel="confidence stated", ylabel="share of counts that are right", aspect="equal")
    axes.set(xlim=(-0.05, 1.05), ylim=(-0.06, 1.05))
    axes.legend(loc="lower right", frameon=False, fontsize=8)
    figure.tight_layout()
    figure.savefig(path)


def main() -> None:
    """Print the tables; with --figure write the picture."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_arguments(parser, seeds=14, runs=40, steps=100)
    parser.add_argument("--figure", metavar="FILE", help="write the reliability diagram")
    parser.add_argument("--rotate", action="store_true", help="each system at one of the levels")
    parser.add_argument("--wrong", action="store_true", help="print what is wrong as it is found")
    options = parser.parse_args()
    kinds = options.systems or datasets.random_kinds()
    seeds = range(options.first, options.first + options.seeds)
    levels = len(options.noise)
    trials = [
        Trial(f"{kind}/{seed}", noise, seed)
        for seed, (k, kind), (i, noise) in itertools.product(
            seeds, enumerate(kinds), enumerate(options.noise)
        )
        if not options.rotate or (k + seed) % levels == i
    ]
    outcomes = []
    for outcome in run(trials, options):
        outcomes.append(outcome)
        if options.wrong:
            print_wrong(outcome)
    print_counts(outcomes, options.noise)
    print_kinds(outcomes, options.noise)
    print_reliability(outcomes)
    if options.figure:
        draw(reliability(outcomes), options.figure)


def print_wrong(outcome: Outcome) -> None:
    """Print a count that is wrong, and laws beyond their bounds."""
    where = f"{outcome.trial.system}, noise {outcome.trial.noise:g}"
    if outcome.exact != outcome.true:
        formulas = "; ".join(one.formula for one in outcome.of("exact"))
        stated = f"{outcome.verdict}, confidence {outcome.confidence:.2f}"
        print(f"{where}: {outcome.exact} of {outcome.true} ({stated}): {formulas}", flush=True)
    for one in outcome.of("exact"):
        if not one.holds:
            print(f"{where}: moves {one.motion:.3g}, bound {one.bound:.3g}: {one.formula}")


if __name__ == "__main__":
    main()
