"""How far printed numbers are from the truth, in their stated errors: random systems, over seeds.

    python benchmarks/coefficients.py                        the table of docs/evidence.md
    python benchmarks/coefficients.py --systems central chain --seeds 2 --noise 0.01 --each

Each system is fitted by `ConservedQuantityFinder`. On clean runs of the same system the numbers of
each exact law are those at which its very terms do not move: Gauss and Newton's method, from what
is printed, numbers inside terms too; the term whose error is zero keeps its coefficient. Where
the formula then still moves by more than 1e-6 of its spread, its form is not that of a law: an
imitation. For the other formulas

z           (printed − true) / stated error, of each number that is not printed as it is in truth;
            its mean, standard deviation, and the shares beyond 2 and 3
as it is    numbers with an error that are printed as they are (simple ones, equal ones)

Then how many formulas are imitations: of those beside which no other form fits as well, of those
beside which some do, and of those whose form the data do not tell (`form_known`).
"""

import argparse
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import sympy
from trials import Trial, add_arguments, find, run

from discovery import Trajectories, datasets
from discovery.laws.judging.numbers_inside import numbers_inside

NOISES = (0.002, 0.01, 0.05)
# Motion over spread of a form that is a law's, and errors of a number that is its true one.
FORM, SAME = 1e-6, 1e-3
STEPS = 12
# How sure a form is.
FORMS = ("one form", "several forms", "form not told")
# Kinds whose laws are no sums of terms with errors.
FIELDS = ("wave", "korteweg", "exchange")


@dataclass(frozen=True)
class Law:
    """An exact law: how sure its form is, whether it is that of a law, and z of its numbers."""

    trial: Trial
    formula: str
    form: str
    is_law: bool
    z: tuple[float, ...]


def measure(trial: Trial, options: argparse.Namespace) -> list[Law]:
    """Fit one system, and compare its laws with clean runs."""
    size = options.runs, options.steps
    runs = datasets.load(trial.system, *size, noise=trial.noise, seed=trial.seed)
    clean = datasets.load(trial.system, *size, seed=trial.seed)
    report = find(runs, None, trial.seed, options)
    laws = [q for q in report.quantities if q.verdict == "exact" and not q.library.learned]
    return [Law(trial, str(q.expression), form(q), *compared(q, clean)) for q in laws]


def form(quantity) -> str:
    """Return how sure the report is of a law's form."""
    if not quantity.form_known:
        return FORMS[2]
    return FORMS[bool(quantity.alternatives)]


def compared(quantity, clean: Trajectories) -> tuple[bool, tuple[float, ...]]:
    """Return whether a law's terms hold a law near it, and z of its numbers."""
    terms = list(quantity.coefficients)
    printed = np.array(list(quantity.coefficients.values()))
    errors = np.array(list(quantity.standard_errors.values()))
    numbers = numbers_inside(terms)
    if numbers:
        printed = np.append(printed, [float(n) for n in numbers])
        errors = np.append(errors, [quantity.inside_error * float(n) for n in numbers])
    values = function(terms, numbers, clean)
    free = np.flatnonzero(np.nan_to_num(errors))
    true, moved = settled(values, printed, free, errors)
    # The error that is told is that of the least known number inside.
    told = free if len(numbers) < 2 else free[free < len(terms)]
    z = (printed - true)[told] / errors[told]
    return bool(moved < FORM), tuple(z.tolist())


def function(terms: list[sympy.Expr], numbers: list[sympy.Number], clean: Trajectories):
    """Return a function of numbers p: the formula less its mean on each run, and its values."""
    coefficients = sympy.symbols(f"c:{len(terms)}")
    inside = sympy.symbols(f"a:{len(numbers)}", positive=True)
    put = dict(zip(numbers, inside, strict=True))
    put |= {-number: -symbol for number, symbol in put.items()}
    whole = sum(c * term.xreplace(put) for c, term in zip(coefficients, terms, strict=True))
    names = sympy.symbols(list(clean.names))
    call = sympy.lambdify([*names, *coefficients, *inside], whole, "numpy")
    rows, shape = clean.rows.T, (clean.n_runs, -1)

    def values(p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        h = np.broadcast_to(call(*rows, *p), rows.shape[1:]).reshape(shape)
        return (h - h.mean(axis=1, keepdims=True)).ravel(), h.ravel()

    return values


def settled(values, start: np.ndarray, free: np.ndarray, errors: np.ndarray):
    """Return the numbers at which a formula moves least, and its motion over its spread there.

    Of many the nearest to the start, in errors.
    """
    p, away = start.copy(), np.zeros(len(free))
    for _ in range(STEPS):
        moved, _ = values(p)
        slopes = []
        for j in free:
            step = np.zeros(len(p))
            step[j] = 1e-6 * max(abs(p[j]), errors[j])
            both = values(p + step)[0] - values(p - step)[0]
            slopes.append(both / (2 * step[j]) * errors[j])
        slopes = np.array(slopes).T.reshape(len(moved), -1)
        if not np.isfinite(slopes).all():  # clean runs go where a logarithm has no value
            return start, np.inf
        size = np.sqrt((slopes**2).sum(axis=0))
        back = moved - slopes @ away
        away, *_ = np.linalg.lstsq(slopes, -back, rcond=1e-9 / max(len(size), 1))
        p = start.copy()
        p[free] += away * errors[free]
        if not np.isfinite(p).all():
            return start, np.inf
    moved, h = values(p)
    return p, moved.std() / h.std()


def rows(laws: list[Law], noises: tuple[float, ...]) -> Iterator[tuple]:
    """Yield the rows of the table."""
    for noise in noises:
        some = [law for law in laws if law.trial.noise == noise]
        z = np.array([one for law in some if law.is_law for one in law.z])
        off = z[np.abs(z) > SAME]
        size = np.abs(off)
        if not len(off):
            continue
        yield (
            *(f"{100 * noise:g} %", len(some), sum(not law.is_law for law in some)),
            *(len(z) - len(off), len(off), f"{off.mean():.2f}", f"{off.std():.2f}"),
            *(f"{100 * np.mean(size > 2):.1f} %", f"{100 * np.mean(size > 3):.1f} %"),
        )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_arguments(parser, seeds=6, runs=60, steps=100)
    parser.set_defaults(noise=NOISES, no_model=True)
    parser.add_argument("--each", action="store_true", help="print every law as it is found")
    options = parser.parse_args()
    kinds = options.systems or [k for k in datasets.random_kinds() if k not in FIELDS]
    seeds = range(options.first, options.first + options.seeds)
    trials = [Trial(f"{k}/{s}", n, s) for s, k, n in itertools.product(seeds, kinds, options.noise)]
    laws = []
    for found in run(trials, options, measure):
        laws += found
        for law in found if options.each else ():
            z = " ".join(f"{one:.2f}" for one in law.z)
            what = "law" if law.is_law else "imitation"
            where = f"{law.trial.system} {law.trial.noise:g}"
            print(f"{where} {what} ({law.form}) [{z}] {law.formula}", flush=True)
    print("| noise | laws | imitations | as it is | z | mean | sd | beyond 2 | beyond 3 |")
    print("|---|---|---|---|---|---|---|---|---|")
    for row in rows(laws, options.noise):
        print("| " + " | ".join(map(str, row)) + " |")
    print("\n| form | laws | imitations |\n|---|---|---|")
    for sure in FORMS:
        some = [law.is_law for law in laws if law.form == sure]
        print(f"| {sure} | {len(some)} | {some.count(False)} |")


if __name__ == "__main__":
    main()
