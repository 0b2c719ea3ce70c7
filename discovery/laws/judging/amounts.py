"""Sums of amounts, as books write them: what is conserved is counted, and nothing negatively.

Of an enzyme E + ES and S + P − E are conserved, and so is S + ES + P. The sums without negative
numbers are judged as any other formula, and stand in where they pass.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from discovery.estimation.orbits import Orbits
from discovery.formulas.totals import Whole, are_independent, in_whole_numbers, totals
from discovery.laws.judging.law import Law
from discovery.laws.judging.verdict import Verdict
from discovery.libraries.library import Library


def in_amounts(
    laws: Sequence[Law],
    identities: Sequence[Law],
    orbits: Orbits,
    judged: Callable[[Library, np.ndarray], Law],
) -> list[Law]:
    """Return laws with those that are sums of amounts in a basis without negative numbers.

    Parameters
    ----------
    laws : sequence of Law
        Independent ones.
    identities : sequence of Law
        Sums that are the same in all runs take part, and stay.
    orbits : Orbits
        All runs.
    judged : callable (Library, (s,) array) -> Law
        Judges a formula.

    Returns
    -------
    list of Law
        The same laws where there is no such basis.
    """
    amounts = _are_amounts(orbits)
    sums = {
        i: row
        for i, law in enumerate(laws)
        if law.verdict == Verdict.EXACT and (row := _sum_of(law, amounts)) is not None
    }
    if all(min(row) >= 0 for row in sums.values()):
        return list(laws)
    given = [row for law in identities if (row := _sum_of(law, amounts)) is not None]
    own = {row: laws[i] for i, row in sums.items()}
    symbols = laws[next(iter(sums))].library.symbols
    found: dict[Whole, Law] = {}
    for row in totals(list(sums.values()), given) or ():
        law = own.get(row) or judged(*_as_formula(symbols, row))
        if law.verdict == Verdict.EXACT:
            found[row] = law
    # Where runs refute a sum, what was found stays in its place.
    for row, law in sorted(own.items(), key=lambda pair: min(pair[0]) < 0):
        if len(found) < len(sums) and are_independent([*given, *found, row]):
            found[row] = law
    if len(found) < len(sums):
        return list(laws)
    replaced = dict(zip(sums, found.values(), strict=True))
    return [replaced.get(i, law) for i, law in enumerate(laws)]


def _are_amounts(orbits: Orbits) -> np.ndarray:
    """Tell which columns are nowhere negative but for noise, (d,): by the least of n normals."""
    states = orbits.measured.states
    least = -orbits.noise * np.sqrt(2 * np.log(len(states)))
    return (states.min(axis=0) >= least) & (states.mean(axis=0) > 0)


def _sum_of(law: Law, amounts: np.ndarray) -> Whole | None:
    """Return the whole numbers (d,) of a sum of amounts; None for another formula."""
    terms = law.library
    if not isinstance(terms, Library) or not all(term.is_Symbol for term in terms.expressions()):
        return None
    row = np.zeros(len(terms.symbols))
    row[[terms.symbols.index(term) for term in terms.expressions()]] = law.coefficients
    if not row.any() or not amounts[np.flatnonzero(row)].all():
        return None
    return in_whole_numbers(row if row.max() > 0 else -row)


def _as_formula(symbols: Sequence, row: Whole) -> tuple[Library, np.ndarray]:
    own = np.flatnonzero(row)
    powers = [tuple(int(i == j) for i in range(len(own))) for j in range(len(own))]
    atoms = [symbols[i] for i in own]
    return Library(symbols, atoms, powers, "totals"), np.array(row, dtype=float)[own]
