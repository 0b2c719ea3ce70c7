"""Textbook form: laws with their names, at the scale and in the order in which books write them.

A law has no scale and no sign of its own: kinetic terms get a half and come first,
u²/2 + v²/2 − 1/r, a rotation reads x v − y u, and the first body has mass one in all laws. No
function changes but for such a factor.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import sympy
from sympy.core.function import AppliedUndef

from discovery.formulas.angles import short_in_angles
from discovery.formulas.simple_numbers import Numbers
from discovery.libraries.many_bodies.sums import symmetry_of
from discovery.noether.brackets.fields import is_vorticity, told_by_flow
from discovery.noether.completion import (
    missing_components,
    missing_elements,
    missing_energy,
    missing_energy_of_spins,
)
from discovery.noether.flow import pairs_of
from discovery.noether.motion import Candidate, MeasuredMotion
from discovery.noether.naming import names_of
from discovery.pde.grid import Grid
from discovery.report.arrangement import arranged
from discovery.report.field_names import names_of_integrals
from discovery.report.quantity import Quantity, of_squares
from discovery.report.report import DiscoveryReport
from discovery.report.typesetting import spelled

# What is conserved, or would be.
_NAMED = ("exact", "approximate", "decaying")


def in_textbook_form(
    report: DiscoveryReport, motion: MeasuredMotion, numbers: Numbers
) -> DiscoveryReport:
    """Return a report whose laws have names, and the form that books give them.

    Components of vectors that are functions of the laws are named among the symmetries.

    Parameters
    ----------
    report : DiscoveryReport
        In the user's units.
    motion : MeasuredMotion
        Of the same coordinates.
    numbers : Numbers
        What counts as simple in a formula.
    """
    motion = replace(motion, tied=tuple(map(_candidate, report.identities)))
    laws = [q for q in report.quantities if q.verdict in _NAMED]
    found = names_of([_candidate(q) for q in laws], motion)
    named = iter(
        _of_sums(q) or name or _dissipated(q, motion) for q, name in zip(laws, found, strict=True)
    )
    names = [next(named) if q.verdict in _NAMED else None for q in report.quantities]
    names = [
        name if _may_be_named(q) else None for q, name in zip(report.quantities, names, strict=True)
    ]
    pairs = zip(report.quantities, names, strict=True)
    quantities = [
        in_book_form(replace(q, name=name, symmetry=_symmetry(q, name, names)), motion, numbers)
        for q, name in pairs
    ]
    notes = [*report.symmetries, *_of_whole_vectors(quantities, motion, numbers)]
    return replace(report, quantities=quantities, symmetries=notes)


def _may_be_named(quantity: Quantity) -> bool:
    """Tell whether a name would not say more than is known: that of a form that the data tell."""
    return quantity.form_known or quantity.approximation_error is not None


def _symmetry(quantity: Quantity, name: str | None, names: Sequence[str | None]) -> str | None:
    """Return the symmetry that goes with a name, or what brackets tell where it is none of these.

    A name is by the measured motion; brackets take one of several energies for that of the whole.
    """
    if not _may_be_named(quantity):
        return None
    if quantity.verdict != "exact":
        return quantity.symmetry
    known = (
        (r"energy", "time translation"),
        (r"energy of the motion in (.*)", r"time translation of the motion in \1 alone"),
        (r"energy of a mode", "time translation of the mode alone"),
        (r"canonical momentum along (\w+)", r"translation along \1, in the field"),
        (r"canonical angular momentum(.*)", r"rotation\1, in the field"),
        (r"total spin along (\w+)", r"rotation of all spins about \1"),
    )
    matches = ((re.fullmatch(form, name or ""), words) for form, words in known)
    found = next((match.expand(words) for match, words in matches if match), None)
    if found is None and quantity.symmetry == "time translation" and "energy" in names:
        return None
    return found or quantity.symmetry


def fields_in_textbook_form(
    report: DiscoveryReport, grid: Grid, motion: MeasuredMotion, numbers: Numbers
) -> DiscoveryReport:
    """Return a report on fields, its laws named, with the symmetries behind them.

    Energies get a half before the square of a velocity, or of a slope.

    Parameters
    ----------
    report : DiscoveryReport
        In the user's units.
    grid : Grid
    motion : MeasuredMotion
        Of the same fields.
    numbers : Numbers
        What counts as simple in a formula.
    """
    laws = [q for q in report.quantities if q.verdict in _NAMED]
    told = told_by_flow([_candidate(q) for q in laws], grid, motion)
    formulas = [q.expression for q in laws]
    by_form = names_of_integrals(formulas, bool(laws) and is_vorticity(grid, motion))
    named = {
        id(q): replace(q, name=own.name or name, symmetry=own.symmetry)
        for q, own, name in zip(laws, told, by_form, strict=True)
    }
    for key, q in named.items():
        twice = next(_of_field_energy(q.expression), 1) if q.name == "energy" else 1
        named[key] = q if twice == 1 else q.times(1 / twice, numbers)
    return replace(report, quantities=[named.get(id(q), q) for q in report.quantities])


def _of_field_energy(energy: sympy.Expr) -> Iterator[sympy.Expr]:
    """Yield twice the number before a square that gets a half.

    Of a field that has no slope in the energy, beside one that has: u_t; of a slope; of a field
    times another, h u²; of any field.
    """
    inside = sympy.Add(*(part.function for part in energy.atoms(sympy.Integral)))
    terms = list(_terms(inside))
    sloped = {d.expr for d in inside.atoms(sympy.Derivative)}
    fields = sorted(inside.atoms(AppliedUndef) - sloped, key=str)
    if sloped:
        yield from (2 * c for u in fields for c, t in terms if t == u**2)
    yield from (2 * c for c, t in terms if t.is_Pow and t.exp == 2 and t.base.is_Derivative)
    yield from (2 * c for u in fields for c, t in terms if isinstance(t / u**2, AppliedUndef))
    yield from (2 * c for u in fields for c, t in terms if t == u**2)


def _of_whole_vectors(
    quantities: Sequence[Quantity], motion: MeasuredMotion, numbers: Numbers
) -> list[str]:
    """Say which components of vectors, or elements, are conserved too."""
    laws = [q for q in quantities if q.verdict == "exact" and q.approximation_error is None]
    if not laws:
        return []
    formulas = [numbers.numeric(q.expression) for q in laws]
    known = formulas, [q.name for q in laws], motion
    if motion.pairs:
        found = {**missing_components(*known), **missing_energy(*known)}
    else:
        found = missing_elements(*known)
    if "energy" not in (q.name for q in laws):
        found |= missing_energy_of_spins(formulas, [_candidate(q) for q in laws], motion)
    momenta = [motion.names[i] for i in motion.momenta]
    return [
        f"{name} is conserved too, a function of the laws: "
        + spelled(arranged(law, motion.names, momenta), order="none")
        for name, law in found.items()
    ]


def _dissipated(quantity: Quantity, motion: MeasuredMotion) -> str | None:
    """Return the name of what friction, air or dry surfaces take of: an energy.

    Where nobody says what the columns are, only of positions and their velocities: components of
    a vector that turns fall as a velocity does, too.
    """
    if quantity.decay is None or not quantity.decay.losses:
        return None
    known = motion.told or pairs_of(_candidate(quantity), motion)
    return "energy" if known else None


def _of_sums(quantity: Quantity) -> str | None:
    """Return the name of kinetic energy and pair potentials, as sums over all bodies.

    Where atoms meet, samples are too few to tell it by its flow.
    """
    by_kind = symmetry_of(quantity.library) == "time translation"
    return "energy" if by_kind and quantity.verdict == "exact" else None


def _candidate(quantity: Quantity) -> Candidate:
    weights = np.array(list(quantity.coefficients.values()))
    return Candidate(quantity.library, weights, quantity.decay is not None)


def in_book_form(quantity: Quantity, motion: MeasuredMotion, numbers: Numbers) -> Quantity:
    """Return a law at the scale and with the sign that its name, or its squares, ask for.

    Parameters
    ----------
    quantity : Quantity
    motion : MeasuredMotion
        Which of the coordinates are momenta.
    numbers : Numbers
        What counts as simple in a formula.
    """
    if quantity.library.learned:
        return quantity
    momenta = [motion.names[i] for i in motion.momenta]
    expression = short_in_angles(of_squares(quantity.expression))
    quantity = replace(quantity, expression=expression, momenta=tuple(momenta))
    terms = list(_terms(quantity.expression))
    w = [sympy.Symbol(name) for name in momenta]
    q = [sympy.Symbol(motion.names[i]) for i in motion.positions]
    name = quantity.name or ""
    if "angular momentum" in name:
        first = _turning(terms, q, w)
    elif "momentum" in name:
        first = (c for m in w for c, t in terms if t == m)
    elif name.startswith("Runge"):
        first = (
            c for x in q for m in w for c, t in terms if t.free_symbols == {x, m} and t.has(m**2)
        )
    elif name.startswith("Fradkin"):
        first = (c for a, b in itertools.combinations(w, 2) for c, t in terms if t == a * b)
    elif name.startswith("Casimir"):
        first = iter(())
    elif all(t.func is sympy.log for _, t in terms):
        first = (c for c, _ in terms)
    else:
        first = _of_energy(terms, w, motion, numbers, name.startswith("energy"))
    pivot = next(first, None)
    if pivot in (None, 1):
        return quantity
    # In all digits, or a half would be none.
    factor = sympy.Float(1 / float(pivot)) if pivot.has(sympy.Float) else 1 / pivot
    return quantity.times(factor, numbers)


def _terms(expression: sympy.Expr) -> Iterator[tuple[sympy.Expr, sympy.Expr]]:
    """Yield the number and the rest of each term."""
    for term in sympy.Add.make_args(expression):
        yield term.as_coeff_Mul()


def _turning(
    terms: Sequence[tuple[sympy.Expr, sympy.Expr]],
    q: Sequence[sympy.Symbol],
    w: Sequence[sympy.Symbol],
) -> Iterator[sympy.Expr]:
    """Yield the numbers before x v_y, in the plane or in space; of an angle's, before its rate."""
    n = len(q)
    planes = [(0, 1), (1, 2), (2, 0)] if n == 3 else itertools.combinations(range(n), 2)
    for i, j in planes:
        yield from (c for c, t in terms if t.free_symbols == {q[i], w[j]} and not t.diff(w[j], 2))
    if len(terms) == 1:
        yield terms[0][0]


def _squares(
    terms: Sequence[tuple[sympy.Expr, sympy.Expr]], w: Sequence[sympy.Symbol]
) -> list[tuple[int, sympy.Expr, bool]]:
    """Return (which momentum, number, whether nothing else) of the terms c w² f(q)."""
    out, momenta = [], set(w)
    of = [(c, t, t.free_symbols) for c, t in terms]
    for k, m in enumerate(w):
        for c, t, symbols in of:
            if m not in symbols:
                continue
            rest = t / m**2
            if not rest.free_symbols & momenta:
                out.append((k, c, rest == 1))
    return out


def _of_energy(
    terms: Sequence[tuple[sympy.Expr, sympy.Expr]],
    w: Sequence[sympy.Symbol],
    motion: MeasuredMotion,
    numbers: Numbers,
    certain: bool,
) -> Iterator[sympy.Expr]:
    """Yield twice the number before a kinetic term, which gets a half: of the first body, w²/2.

    Where coordinates are angles there is no first body: of their halves the one that makes the
    formula simplest. Of a law that is not known to be an energy only where it is ½ w² for each
    momentum in it.
    """
    squares = _squares(terms, w)
    plain = [(k, c) for k, c, alone in squares if alone]
    if not certain:
        occurring = set().union(*(t.free_symbols for _, t in terms)) & set(w)
        definite = len({c.is_positive for _, c in plain}) == 1
        if (
            not definite
            or {w[k] for k, _ in plain} != occurring
            or len(plain) != sum(t.has(*w) for _, t in terms)
        ):
            return
    chosen = plain or [(k, c) for k, c, _ in squares]
    doubles = [2 * c for _, c in chosen]
    doubles += [2 * c for c, t in terms if t.is_Pow and t.exp == 2 and t.free_symbols <= set(w)]
    if not plain or any(motion.roles[motion.positions[k]] == "angle" for k, _ in chosen):
        doubles.sort(key=lambda d: sum(numbers.price(abs(float(c / d))) for c, _ in terms))
    yield from doubles
