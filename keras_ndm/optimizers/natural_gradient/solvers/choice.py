"""Which solver "auto" takes: what a step of each would cost, estimated from shapes.

Counted are the multiplications and the numbers held of one step on N samples with r columns a
sample, R = r·N rows. A Dense layer w → u at T positions has in the exact solver, for each of the
½ R² entries of the kernel, T² (u + w/r²) products, or w·u where its rows are held instead, which
is less for many positions. Layers of other kinds hold rows of all their p weights: R·p numbers,
½ R² p products. Then R³/6 for the factorization. The Kronecker solver holds such rows too, of fewer
columns where there are many, and in place of the kernel has A and B with their inverses. Both pass
the layers some times forward and back. What layers of other kinds take for that is counted by the
rows that are held and read, which is too little for convolutions, in both. Under "auto" the
optimizer has A, B and their inverses whatever is chosen, since it is built before the first batch.
"""

import math
from dataclasses import dataclass

from keras_ndm.optimizers.natural_gradient.fisher.layer_blocks import Part, rows_are_cheaper
from keras_ndm.optimizers.natural_gradient.line_search import FRACTIONS
from keras_ndm.optimizers.natural_gradient.solvers.conjugate_gradient import ITERATIONS
from keras_ndm.optimizers.natural_gradient.solvers.kronecker import REFRESH

__all__ = ["MEMORY_LIMIT", "MOST_COLUMNS", "Estimate", "choose", "exact", "kronecker"]

# Bytes that a step of the exact solver may take beside the model itself.
MEMORY_LIMIT = 2**30

# Columns of the Fisher matrix at the outputs that the Kronecker solver pulls back one by one; where
# there are more it takes one random combination of them.
MOST_COLUMNS = 4

# How much dearer an exact step may be. A judgement, from few runs of benchmarks/optimizers.py at
# equal time: at 2 (regressions) and 12 (digits, where Kronecker overfits) exact ended lower or the
# same, at 9 (the default manifold) higher, but so it did in the eight steps of a Poisson equation,
# at 2.
_WORTH = 6.0

# What every step takes whatever its size (calls, small operations), in products.
_OVERHEAD = 3e7

# Products in the time in which a number of held rows is read.
_HELD = 8

# Assumed where a data set does not tell the size of its batches (its last one is smaller).
_UNKNOWN_SAMPLES = 1024


@dataclass(frozen=True)
class Estimate:
    """What a step takes: multiplications, and numbers held beside the model."""

    products: float
    numbers: float


def exact(parts: list[Part], columns: int, samples: int) -> Estimate:
    """Estimate for the exact solver.

    Parameters
    ----------
    parts : list of Part
    columns : int
        r, numbers a sample.
    samples : int
        N, of a batch.
    """
    rows = columns * samples
    # The half of the kernel, and what is copied of it and held of a panel.
    products, numbers = rows**3 / 6.0, float(rows**2)
    for p in parts:
        held = not p.positions or rows_are_cheaper(p.positions, columns, p.width, p.units)
        pair = p.weights if held else p.positions**2 * (p.units + p.width / columns**2)
        products += 0.5 * rows**2 * pair
        numbers += rows * p.weights * held + _passed(p, columns, samples)
    # Loss twice, line search, J̃ d, J̃ᵀ c, and a pass back for each column.
    passes = 4 + len(FRACTIONS) + columns
    return Estimate(_OVERHEAD + products + passes * _pass(parts, samples), numbers)


def kronecker(parts: list[Part], columns: int, samples: int) -> Estimate:
    """Estimate for the Kronecker solver.

    Parameters
    ----------
    parts, columns, samples
        As in `exact`.
    """
    whole = columns <= MOST_COLUMNS
    columns = columns if whole else 1
    solves = 2 + ITERATIONS if whole else 1
    products, numbers = 0.0, 0.0
    for p in parts:
        numbers += _passed(p, columns, samples) + columns * samples * p.weights * (not p.positions)
        numbers += 2.0 * (p.width**2 + p.units**2)
        products += samples * p.positions * (p.width**2 + columns * p.units**2)
        products += 2.0 * (p.width**3 + p.units**3) / REFRESH
        products += solves * p.width * p.units * (p.width + p.units)
    # As above, with two products J̃ d to begin with and two products for each conjugate gradient.
    passes = 5 + len(FRACTIONS) + columns + 2 * (1 + ITERATIONS if whole else 1)
    return Estimate(_OVERHEAD + products + passes * _pass(parts, samples), numbers)


def choose(
    parts: list[Part], columns: int, samples: int | None, number_size: int
) -> tuple[str, str]:
    """Solver for a model of these parts, and the reason in a sentence.

    Parameters
    ----------
    parts : list of Part
    columns : int
        Numbers a sample: rows of its Jacobian.
    samples : int or None
        Of a batch.
    number_size : int
        Bytes of a number.
    """
    known = samples is not None
    count = samples if known else _UNKNOWN_SAMPLES
    a, b = exact(parts, columns, count), kronecker(parts, columns, count)
    size = f"{count} samples" if known else f"batches of unknown size, taken as {count},"
    facts = (
        f"{size} with {columns} number{'s' * (columns > 1)} each make {columns * count} rows, with "
        f"which an exact step takes about {_work(a, number_size)}, a Kronecker step "
        f"{_work(b, number_size)}"
    )
    if number_size * a.numbers > MEMORY_LIMIT:
        also = " Both take more than that: smaller batches take less."
        return "kronecker", (
            f"kronecker, since {facts}; the limit of memory is {MEMORY_LIMIT / 2**20:.0f} MiB."
            f"{also if number_size * b.numbers > MEMORY_LIMIT else ''}"
        )
    if a.products > _WORTH * b.products:
        return (
            "kronecker",
            f"kronecker, since {facts}; at most {_WORTH:g} times as much is worth it.",
        )
    return "exact", f"exact, since {facts}."


def _pass(parts, samples):
    """Products of one pass through the layers."""
    return samples * sum(p.weights * (p.positions or _HELD) for p in parts)


def _passed(part, columns, samples):
    """Numbers in a and δ of a Dense layer."""
    return samples * part.positions * (part.width + columns * part.units)


def _work(estimate, number_size):
    mebibytes = math.ceil(estimate.numbers * number_size / 2**20)
    return f"{estimate.products:.1e} multiplications and {mebibytes} MiB"
