"""Laws by genetic programming, by a plain eigenproblem of polynomials, and by the package.

    pip install gplearn        # 0.4.3 takes scikit-learn 1.8 and newer
    python benchmarks/law_rivals.py
    python benchmarks/law_rivals.py --systems kepler toda --noise 0 --seconds 100

All three see the same noisy runs. gplearn searches expressions of the coordinates with the usual
objective, the variance along runs over that between runs, on half of them, once with roots and once
with logarithms, exponentials and waves. Of the best of each generation that is taken which does
best on the other half, its length counted. It is told how many laws there are, and searches for
them in turn: of the variance between runs, what those found before explain by a line and a square
does not count. The plain way is `plain_baseline.py`. PySR needs Julia and its packages, and is not
compared.

found    functions that are laws: |Spearman|, on clean runs of another seed, of .99 or more with a
         true law, or with a polynomial of degree 3 in all true laws that was fitted to the
         function's ranks; counted by the rank of their gradients. "+ n": others that were given
length   names, numbers and operations in a formula, the median of those found
s        CPU seconds of the whole search
"""

import argparse
import time
import warnings

import numpy as np
import sympy
from plain_baseline import baseline, library_for, rank
from recovered_laws import find
from scipy import stats

from discovery import datasets
from discovery.libraries import polynomial

SYSTEMS = (
    "pendulum",
    "duffing",
    "lotka_volterra",
    "rock_paper_scissors",
    "rigid_body",
    "isotropic_oscillator",
    "kepler",
    "henon_heiles",
    "central_force",
    "double_pendulum",
    "toda",
)
OPERATIONS = (
    ("add", "sub", "mul", "div", "sqrt"),
    ("add", "sub", "mul", "div", "log", "exp", "sin", "cos"),
)
POPULATION, PARSIMONY = 1000, 0.01
LAW = 0.99
STEPS = 50  # of each run that gplearn sees: every so many
WORST = 20.0  # of the objective: functions without a value, and constants
CLEAN_RUNS, CLEAN_STEPS, PROBES = 300, 50, 256
WAYS = ("gplearn", "polynomials", "ours")
HEADER = (
    "system",
    "laws",
    *(f"{way}: {what}" for way in WAYS for what in ("found", "length", "s")),
)


class Objective:
    """Logarithm of the variance along runs over that between them, of functions of thinned states.

    Parameters
    ----------
    states : (runs, steps, d) array
    known : list of callable
        Functions found before: what a square in one of them explains is no variance between runs.
    """

    def __init__(self, states, known):
        self.shape = states.shape[:2]
        self.rows = states.reshape(-1, states.shape[2])
        columns = [np.ones(len(states))]
        for function in known:
            means = function(self.rows).reshape(self.shape).mean(axis=1)
            means = (means - means.mean()) / means.std()
            columns += [means, means**2]
        self.basis = np.linalg.qr(np.column_stack(columns))[0]

    def __call__(self, values):
        """Return it for values (rows,)."""
        values = values.reshape(self.shape)
        size = np.abs(values).max()
        if not np.isfinite(size) or size > 1e100:
            return WORST
        means = values.mean(axis=1)
        rest = means - self.basis @ (self.basis.T @ means)
        between = np.mean(rest**2)
        if between <= (1e-9 * size) ** 2:
            return WORST
        return float(np.log(np.mean((values - means[:, None]) ** 2) / between + 1e-12))


def genetic(runs, count, seconds, seed):
    """Return functions that gplearn finds in so many CPU seconds each, and their lengths.

    Parameters
    ----------
    runs : Trajectories
    count : int
        Of laws, one function each.
    seconds : float
    seed : int
    """
    states = np.stack(runs.states)[:, :: max(1, len(runs.states[0]) // STEPS)]
    functions, lengths = [], []
    for k in range(count):
        fit, held = (Objective(some, functions) for some in (states[::2], states[1::2]))
        share = seconds / len(OPERATIONS)
        found = [evolved(fit, held, operations, share, seed + k) for operations in OPERATIONS]
        program = min(found, key=lambda pair: pair[1])[0]
        functions.append(program.execute)
        lengths.append(program.length_)
    return functions, lengths


def evolved(fit, held, operations, seconds, seed):
    """Return what does best on held-out runs, of the best of each generation, and what it costs."""
    from gplearn.fitness import make_fitness
    from gplearn.functions import make_function
    from gplearn.genetic import SymbolicRegressor

    own = {"exp": make_function(function=exponential, name="exp", arity=1, wrap=False)}
    search = SymbolicRegressor(
        population_size=POPULATION,
        function_set=[own.get(name, name) for name in operations],
        metric=make_fitness(
            # It is called with two values once, to see what it returns.
            function=lambda _, values, w: fit(values) if len(values) == len(fit.rows) else 0.0,
            greater_is_better=False,
            wrap=False,
        ),
        parsimony_coefficient=PARSIMONY,
        stopping_criteria=-np.inf,
        warm_start=True,
        low_memory=True,
        random_state=seed,
    )
    best, least, generation = None, np.inf, 0
    end = time.process_time() + seconds
    while best is None or time.process_time() < end:
        generation += 1
        search.set_params(generations=generation)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            search.fit(fit.rows, np.zeros(len(fit.rows)))
        program = search._program
        cost = held(program.execute(held.rows)) + PARSIMONY * program.length_
        if cost < least or best is None:
            best, least = program, cost
    return best, least


def exponential(values):
    """Return the exponential, of numbers within ±50: gplearn asks for finite ones."""
    return np.exp(np.clip(values, -50.0, 50.0))


def polynomials(runs, seed):
    """Return the functions of the plain eigenproblem, and their lengths."""
    functions, _ = baseline(runs, seed)
    terms = library_for(runs.names).expressions()
    all_terms = sum(sympy.Symbol(f"c{j}") * term for j, term in enumerate(terms))
    return functions, [length(all_terms)] * len(functions)


def length(expression):
    """Count the names, numbers and operations in a formula."""
    return sum(1 for _ in sympy.preorder_traversal(expression))


def laws_among(functions, clean):
    """Return which functions are laws, by their numbers.

    Parameters
    ----------
    functions : list of callable
        States (n, d) to values (n,).
    clean : Trajectories
        Runs without noise, with the truth.
    """
    truths = np.stack([truth(clean.states) for truth in clean.truth.values()], axis=-1)
    known = truths.mean(axis=1)
    known = (known - known.mean(axis=0)) / known.std(axis=0)
    names = [f"h{i}" for i in range(known.shape[1])]
    design = np.column_stack([np.ones(len(known)), polynomial(names, 3).values(known).T])
    fit, judge = slice(0, None, 2), slice(1, None, 2)
    out = []
    for number, function in enumerate(functions):
        values = function(clean.rows).reshape(truths.shape[:2])
        ranks = stats.rankdata(values).reshape(values.shape)
        told = design[judge] @ np.linalg.lstsq(design[fit], ranks[fit].mean(axis=1))[0]
        told = np.repeat(told, values.shape[1])
        others = [told, *np.moveaxis(truths[judge], -1, 0).reshape(truths.shape[-1], -1)]
        alike = max(abs(stats.spearmanr(values[judge].ravel(), other)[0]) for other in others)
        if alike >= LAW:
            out.append(number)
    return out


def independent(functions, clean, seed):
    """Return how many functions are independent, by differences at some states."""
    rows = np.random.default_rng(seed).choice(clean.rows, PROBES, replace=False)
    steps = 1e-4 * np.diag(clean.rows.std(axis=0))
    slopes = [
        np.column_stack([function(rows + step) - function(rows - step) for step in steps])
        for function in functions
    ]
    return rank([slope / np.maximum(np.abs(slope).max(), 1e-300) for slope in slopes])


def ours(runs, options):
    """Return the package's functions and their lengths."""
    report = find(runs, options)
    found = report.quantities[: report.n_conserved]
    return found, [length(quantity.expression) for quantity in found]


def cells(functions, lengths, seconds, clean, seed):
    """Return what the table says of one way."""
    laws = laws_among(functions, clean)
    count = independent([functions[i] for i in laws], clean, seed)
    wrong = len(functions) - len(laws)
    middle = f"{np.median([lengths[i] for i in laws]):.0f}" if laws else "–"
    return [f"{count} + {wrong}" if wrong else str(count), middle, f"{seconds:.1f}"], count


def measure(name, options):
    """Return the cells of one system, and the counts of all ways."""
    runs = datasets.load(name, options.runs, options.steps, options.noise, options.seed)
    clean = datasets.load(name, CLEAN_RUNS, CLEAN_STEPS, seed=options.seed + 1)
    true = datasets.info(name).count
    row, counts = [name, str(true)], []
    for way in (
        lambda: genetic(runs, true, options.seconds, options.seed),
        lambda: polynomials(runs, options.seed),
        lambda: ours(runs, options),
    ):
        begin = time.process_time()
        functions, lengths = way()
        seconds = time.process_time() - begin
        some, count = cells(functions, lengths, seconds, clean, options.seed)
        row += some
        counts.append(min(count, true))
    return row, counts, true


def main(argv=None):
    """Print the table, row by row as it is measured."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--systems", nargs="+", default=SYSTEMS, metavar="NAME")
    parser.add_argument("--noise", type=float, default=0.01, metavar="F")
    parser.add_argument("--seconds", type=float, default=15.0, help="of gplearn, a law")
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.set_defaults(no_model=True, no_roles=False)
    options = parser.parse_args(argv)
    print_row(HEADER)
    print("|" + "---|" * len(HEADER))
    totals, laws = np.zeros(len(WAYS), dtype=int), 0
    for name in options.systems:
        row, counts, true = measure(name, options)
        print_row(row)
        totals, laws = totals + counts, laws + true
    counts = ", ".join(f"{way} {n}" for way, n in zip(WAYS, totals, strict=True))
    print(f"\nOf {laws} laws: {counts}.")


def print_row(row):
    """Print one row of a table."""
    print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
