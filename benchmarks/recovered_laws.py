"""How many laws are found, how true they are, and how long it takes: systems × noise.

    python benchmarks/recovered_laws.py                    the first table of the documentation
    python benchmarks/recovered_laws.py --all --no-model   every data set, without training
    python benchmarks/recovered_laws.py --systems kepler three_body --noise 0.01
    python benchmarks/recovered_laws.py --no-roles         columns a, b, c … of no known role

What is counted and measured, for each system and noise:

found       quantities called exact; **bold** where that is not the true count, with ! if above it
|ρ|         for each true law, the best |Spearman| with a single quantity found, over all states of
            clean orbits of another seed
R²          the truth explained by a polynomial (degree 3, or 2 where there are many) in all
            quantities found and parameters, one value a run, fitted on half of those clean orbits
            and scored on the other half; a law that is a function of several found ones shows here,
            not in |ρ|.
            The n-th best of the true laws, where n of them are independent: the others may be
            known up to a sign only (the second component of Kepler's vector).
baseline    how many the plain way finds (`plain_baseline.py`), and its |ρ|, that of the n-th best
"""

import argparse
import time
from dataclasses import dataclass

import numpy as np
import pandas as pd
from plain_baseline import baseline
from scipy import stats

from discovery import ConservedQuantityFinder, Trajectories, datasets, discover
from discovery.libraries import polynomial

SYSTEMS = (
    "harmonic_oscillator",
    "pendulum",
    "duffing",
    "lotka_volterra",
    "isotropic_oscillator",
    "anisotropic_oscillator",
    "kepler",
    "double_pendulum",
    "henon_heiles",
    "rigid_body",
    "three_body",
    "lorenz",
    "van_der_pol",
    "damped_pendulum",
    "damped_oscillator",
)
HELD_OUT_RUNS, HELD_OUT_STEPS = 300, 50


@dataclass
class Score:
    """One row: what was found of a system at one noise."""

    system: str
    noise: float
    true: int
    found: int
    spearman: dict[str, float]
    r2: float
    together: float
    seconds: float
    baseline: int
    baseline_spearman: float
    baseline_together: float
    formulas: tuple[str, ...]

    def row(self):
        """Return the cells of the table."""
        right = self.found == self.true
        count = str(self.found) if right else f"**{self.found}{'!' * (self.found > self.true)}**"
        laws = ", ".join(f"{law} {value:.4f}" for law, value in self.spearman.items())
        worst = f"{self.baseline_spearman:.4f}" if np.isfinite(self.baseline_spearman) else ""
        return (
            self.system,
            f"{self.noise:g}",
            str(self.true),
            count,
            laws or "—",
            f"{self.r2:.5f}" if np.isfinite(self.r2) else "—",
            f"{self.seconds:.1f}",
            str(self.baseline),
            worst or "—",
        )


HEADER = (
    "system",
    "noise",
    "laws",
    "found",
    "best \\|ρ\\|",
    "R²",
    "s",
    "baseline",
    "its \\|ρ\\|",
)


FLAWS = ("irregular", "missing", "outliers")


def measure(name, noise, options):
    """Find the laws of one system and compare them with the truth."""
    flaws = {key: getattr(options, key) for key in FLAWS if getattr(options, key)}
    runs = datasets.load(name, options.runs, options.steps, noise, options.seed, **flaws)
    begin = time.perf_counter()
    report = find(runs, options)
    seconds = time.perf_counter() - begin
    found = report.quantities[: report.n_conserved]
    clean = datasets.load(name, HELD_OUT_RUNS, HELD_OUT_STEPS, seed=options.seed + 1)
    values = [quantity(clean.states) for quantity in found]
    functions, count = baseline(runs, options.seed)
    plain = [f(clean.rows).reshape(clean.n_runs, -1) for f in functions]
    truths = {law: truth(clean.states) for law, truth in clean.truth.items()}
    true = datasets.info(name).count
    roles = clean.roles or [None] * clean.dim
    given = [clean.states[..., i] for i, role in enumerate(roles) if role == "parameter"]
    clear, unclear = (
        [explained(truth, [*some, *given] if some else []) for truth in truths.values()]
        for some in (values, plain)
    )
    single, plainly = (
        {law: best_spearman(truth, some) for law, truth in truths.items()}
        for some in (values, plain)
    )
    return Score(
        system=name,
        noise=noise,
        true=true,
        found=report.n_conserved,
        spearman=single,
        r2=nth_best(true, [r2 for r2, _ in clear]),
        together=nth_best(true, list(map(max, single.values(), (rank for _, rank in clear)))),
        seconds=seconds,
        baseline=count,
        baseline_spearman=nth_best(true, list(plainly.values())),
        baseline_together=nth_best(
            true, list(map(max, plainly.values(), (rank for _, rank in unclear)))
        ),
        formulas=tuple(str(quantity.expression) for quantity in found),
    )


def find(runs, options):
    """Run `discover`, or the finder alone."""
    if options.no_roles:
        names = [f"{chr(97 + i % 26)}{i // 26 or ''}" for i in range(runs.dim)]
        times = runs.row_times.reshape(runs.n_runs, -1)
        runs = Trajectories(runs.states, times=times, names=names)
    if not options.no_model:
        return discover(runs, random_state=options.seed, verbose=False)
    finder = ConservedQuantityFinder(roles=runs.roles, random_state=options.seed)
    frame = pd.DataFrame(runs.rows, columns=runs.names)
    return finder.fit(frame, groups=runs.groups, times=runs.row_times).report_


def nth_best(n, values):
    """Return the n-th largest value; NaN where there is none."""
    return sorted(values)[-n] if n else np.nan


def best_spearman(truth, values):
    """Return the best |Spearman| of a true law (runs, steps) with one of the functions found."""
    return max((abs(stats.spearmanr(truth.ravel(), v.ravel())[0]) for v in values), default=0.0)


def explained(truth, values):
    """Return R² of the truth by a polynomial in functions, and |Spearman| of the two.

    On other runs than its fit.
    """
    if not values:
        return 0.0, 0.0
    target, known = truth.mean(axis=1), np.column_stack([v.mean(axis=1) for v in values])
    known = (known - known.mean(axis=0)) / known.std(axis=0)
    names = [f"h{i}" for i in range(known.shape[1])]
    degree = 3 if len(names) <= 3 else 2
    design = np.column_stack([np.ones(len(known)), polynomial(names, degree).values(known).T])
    fit, judge = slice(0, None, 2), slice(1, None, 2)
    coefficients = np.linalg.lstsq(design[fit], target[fit])[0]
    told, target = design[judge] @ coefficients, target[judge]
    return 1 - (target - told).var() / target.var(), abs(stats.spearmanr(told, target)[0])


def summary(scores):
    """Return the sentence under the table."""
    lawful = [s for s in scores if s.true]
    controls = [s for s in scores if not s.true]
    right = sum(s.found == s.true for s in lawful)
    over = sum(s.found > s.true for s in lawful)
    plain = sum(s.baseline == s.true for s in lawful)
    return (
        f"Counts right: {right} of {len(lawful)} (baseline {plain}); above the truth: {over}. "
        f"Controls with a law: {sum(s.found > 0 for s in controls)} of {len(controls)} "
        f"(baseline {sum(s.baseline > 0 for s in controls)})."
    )


def main(argv=None):
    """Print the table, row by row as it is measured."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--systems", nargs="+", default=SYSTEMS, metavar="NAME")
    parser.add_argument("--all", action="store_true", help="every data set")
    parser.add_argument("--noise", nargs="+", type=float, default=(0.0, 0.01, 0.05), metavar="F")
    parser.add_argument("--no-model", action="store_true", help="ConservedQuantityFinder alone")
    parser.add_argument("--no-roles", action="store_true", help="no roles, no names")
    for flaw in FLAWS:
        parser.add_argument(f"--{flaw}", type=float, default=0.0, metavar="F", help="of load")
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(argv)
    print("|" + "|".join(f" {cell} " for cell in HEADER) + "|")
    print("|" + "|".join("---" for _ in HEADER) + "|")
    scores = []
    for name in datasets.names() if options.all else options.systems:
        for noise in options.noise:
            scores.append(measure(name, noise, options))
            cells = [cell.replace("|", "\\|") for cell in scores[-1].row()]
            print("|" + "|".join(f" {cell} " for cell in cells) + "|", flush=True)
    print(f"\n{summary(scores)}")


if __name__ == "__main__":
    main()
