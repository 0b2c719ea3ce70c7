"""Sums of laws, judged as laws of their own: the energy where two others were found before it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from discovery.criteria import FORMULAS, LAWS, LawCriteria
from discovery.estimation.split import Split
from discovery.formulas.simple_numbers import NUMBERS, Numbers
from discovery.laws.finding.candidates import Candidate
from discovery.laws.finding.operators import operators
from discovery.laws.judging.judge import Judge
from discovery.laws.judging.law import Law
from discovery.laws.judging.outwards import told_by_all
from discovery.laws.judging.verdict import Verdict
from discovery.libraries.library import Library
from discovery.libraries.monomials import Exponents


def joined(
    laws: Sequence[Law],
    weights: np.ndarray,
    split: Split,
    rng: np.random.Generator,
    *,
    numbers: Numbers = NUMBERS,
    criteria: LawCriteria = LAWS,
) -> Law | None:
    """Return Σ b_k h_k as an exact law, or None where the runs do not bear it out.

    Parameters
    ----------
    laws : sequence of k Law
    weights : (k,) array
    split : Split
        Runs that it is refined on, and runs that judge it.
    rng : numpy.random.Generator
        Draws the resamples of runs.
    numbers : Numbers
        What coefficients are rounded to.
    criteria : LawCriteria
    """
    if any(type(law.library) is not Library for law in laws):
        return None
    return as_law(*sum_of(laws, weights), split, rng, numbers=numbers, criteria=criteria)


def as_law(
    library: Library,
    coefficients: np.ndarray,
    split: Split,
    rng: np.random.Generator,
    *,
    numbers: Numbers = NUMBERS,
    criteria: LawCriteria = LAWS,
) -> Law | None:
    """Return a formula as an exact law, or None where the runs do not bear it out.

    Parameters
    ----------
    library : Library
        Its s terms.
    coefficients : (s,) array
    split, rng, numbers, criteria
        As for `joined`.
    """
    split = split.where(library.positive)
    fit = split.fit
    ops = operators(library, fit.smoothed, fit.offsets, fit.scale, of_run=fit.of_run)
    support = tuple(range(len(library)))
    flatness = float(ops.pencil.ratio(coefficients))
    candidate = Candidate(support, coefficients, flatness, float(library.costs().sum()))
    judge = Judge(library, split, rng, numbers, criteria)
    law = judge.law(ops, judge.refined(ops, candidate))
    if law.verdict != Verdict.EXACT:
        return None
    return told_by_all(law, split.all, criteria)


def sum_of(laws: Sequence[Law], weights: np.ndarray) -> tuple[Library, np.ndarray]:
    """Return the s terms of a sum and its coefficients (s,), without what cancels.

    Parameters
    ----------
    laws : sequence of k Law
    weights : (k,) array
    """
    atoms = list(dict.fromkeys(atom for law in laws for atom in law.library.atoms))
    parts: dict[Exponents, list[float]] = {}
    for law, weight in zip(laws, weights, strict=True):
        places = [atoms.index(atom) for atom in law.library.atoms]
        for powers, c in zip(law.library.exponents, law.coefficients, strict=True):
            exponents = np.zeros(len(atoms), dtype=int)
            exponents[places] = powers
            parts.setdefault(tuple(exponents.tolist()), []).append(float(weight * c))
    kept = {
        powers: sum(own)
        for powers, own in parts.items()
        if abs(sum(own)) > FORMULAS.cancelled_sum * sum(map(abs, own))
    }
    symbols = laws[0].library.symbols
    return Library(symbols, atoms, list(kept), "sums of laws"), np.array(list(kept.values()))
