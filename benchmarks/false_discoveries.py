"""False discoveries: laws reported where there are none, over seeds and noise levels.

    python benchmarks/false_discoveries.py --no-model           # 29 systems × 20 seeds × 4 levels
    python benchmarks/false_discoveries.py --no-model --seeds 2 --systems "AR(1)" lorenz
    python benchmarks/false_discoveries.py --no-model --no-roles   # nothing told about the columns
    python benchmarks/false_discoveries.py --no-model --imitations --seeds 5  # systems with laws

A law that is called exact on one of the controls is the worst error there is, and is printed.
`approximate` is right only where the drift truly is small; those are printed too, with their motion
on the clean runs over their spread. `identities` are what all runs obey alike, as on a limit cycle;
elsewhere they are wrong.

With `--imitations` the systems are the data sets with laws. What is printed then: counts that are
right, counts above the truth, and laws called exact that move on the clean runs of the same seed by
more than the bound that is printed with them.
"""

import argparse
import itertools

from law_free import CONTROLS
from trials import Outcome, Trial, add_arguments, run, upper_limit

from discovery import datasets

VERDICTS = ("exact", "approximate", "identity")


def controls() -> list[str]:
    """Return the data sets without a law, fields on grids apart, and the controls beside them."""
    every = (datasets.info(name) for name in datasets.names())
    return [s.name for s in every if s.count == 0 and s.grid_spacing is None] + list(CONTROLS)


def lawful() -> list[str]:
    """Return the data sets with laws."""
    return [name for name in datasets.names() if datasets.info(name).count]


def where(outcome: Outcome) -> str:
    """Return which fit it was."""
    trial = outcome.trial
    return f"{trial.system}, noise {trial.noise:g}, seed {trial.seed}"


def print_controls(name: str, outcomes: list[Outcome]) -> list[str]:
    """Print the row of one control; return a line for everything that was found."""
    counts = [sum(len(outcome.of(verdict)) for outcome in outcomes) for verdict in VERDICTS]
    undecided = sum(outcome.verdict == "undecided" for outcome in outcomes)
    seconds = sum(outcome.seconds for outcome in outcomes) / len(outcomes)
    cells = [name, len(outcomes), *counts, undecided, f"{seconds:.1f}"]
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)
    return [
        f"{where(outcome)}: {one.verdict}, moves {one.motion:.2g}: {one.formula}"
        for outcome in outcomes
        for one in outcome.found
    ]


def print_imitations(name: str, outcomes: list[Outcome]) -> list[str]:
    """Print the row of one system with laws; return a line for everything that is too much."""
    above = [outcome for outcome in outcomes if outcome.exact > outcome.true]
    laws = [(outcome, one) for outcome in outcomes for one in outcome.of("exact")]
    broken = [(outcome, one) for outcome, one in laws if not one.holds]
    right = sum(outcome.exact == outcome.true for outcome in outcomes)
    cells = [name, len(outcomes), right, len(above), len(laws), len(broken)]
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)
    lines = [
        f"{where(outcome)}: {outcome.exact} of {outcome.true}: "
        + "; ".join(one.formula for one in outcome.of("exact"))
        for outcome in above
    ]
    return lines + [
        f"{where(outcome)}: moves {one.motion:.3g}, bound {one.bound:.3g}: {one.formula}"
        for outcome, one in broken
    ]


def main() -> None:
    """Print the table, and under it every law."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_arguments(parser, seeds=20, runs=30, steps=80)
    parser.add_argument("--imitations", action="store_true", help="systems with laws")
    options = parser.parse_args()
    names = options.systems or (lawful() if options.imitations else controls())
    seeds = range(options.first, options.first + options.seeds)
    trials = [Trial(*of) for of in itertools.product(names, options.noise, seeds)]
    header = (
        ("system", "fits", "right", "above the truth", "exact laws", "beyond their bound")
        if options.imitations
        else ("system", "fits", "exact", "approximate", "identities", "undecided", "CPU s/fit")
    )
    print("| " + " | ".join(header) + " |\n" + "|---" * len(header) + "|", flush=True)
    show = print_imitations if options.imitations else print_controls
    everything: list[Outcome] = []
    lines: list[str] = []
    for name, group in itertools.groupby(run(trials, options), lambda o: o.trial.system):
        outcomes = list(group)
        lines += show(name, outcomes)
        everything += outcomes
    print("".join(f"\n{line}" for line in lines))
    print("\n" + (imitations_in_words if options.imitations else controls_in_words)(everything))


def controls_in_words(outcomes: list[Outcome]) -> str:
    """Return the sentence under the table of controls."""
    hits, fits = sum(outcome.exact > 0 for outcome in outcomes), len(outcomes)
    nearly = sum(bool(outcome.of("approximate")) for outcome in outcomes)
    return (
        f"Fits with an exact law: {hits} of {fits}; the rate is below "
        f"{100 * upper_limit(hits, fits):.2g} % (95 %, Clopper-Pearson). With an approximate one: "
        f"{nearly}."
    )


def imitations_in_words(outcomes: list[Outcome]) -> str:
    """Return the sentences under the table of systems with laws."""
    fits, above = len(outcomes), sum(outcome.exact > outcome.true for outcome in outcomes)
    laws = [one for outcome in outcomes for one in outcome.of("exact")]
    broken = sum(not one.holds for one in laws)
    levels = sorted({outcome.trial.noise for outcome in outcomes})
    right = ", ".join(
        f"{sum(o.exact == o.true for o in outcomes if o.trial.noise == noise)} at {100 * noise:g} %"
        for noise in levels
    )
    return (
        f"Right counts: {right}, of {fits // len(levels)} each. "
        f"Counts above the truth: {above} of {fits}; the rate is below "
        f"{100 * upper_limit(above, fits):.2g} % (95 %, Clopper-Pearson). Exact laws that move on "
        f"clean runs by more than their bound: {broken} of {len(laws)}, below "
        f"{100 * upper_limit(broken, len(laws)):.2g} %."
    )


if __name__ == "__main__":
    main()
