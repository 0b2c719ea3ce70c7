"""How well numbers are known: coefficients, and those inside terms, as 1.7 in exp(−r/1.7)/r.

A number inside a term was fitted to the same runs, and a coefficient is known only together with
it. To first order a change of it is one more term, a ∂h/∂a, whose coefficient is the change's
share of a. So its error is that of a coefficient, and the others' errors allow for it.

What is printed was fitted to some of the runs, and rounded. How far it lies from what all runs
would say, δ, is part of its error: the truth is δ ± s from it, and √(δ² + s²) is told.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import sympy

from discovery.criteria import LAWS, LawCriteria
from discovery.estimation.orbits import Orbits
from discovery.formulas.simple_numbers import Numbers, in_digits
from discovery.laws.judging.drift import DriftTest
from discovery.laws.judging.law import Law
from discovery.laws.judging.least_drift import LeastDrift
from discovery.libraries.embedded import Embedded
from discovery.libraries.fitted import Fitted
from discovery.libraries.functions import Functions
from discovery.libraries.library import Library
from discovery.libraries.monomials import unit
from discovery.libraries.numeric import Numeric

# Whole numbers and parts of a fraction up to here are not fitted.
_PLAIN = 4
# Of a number's error what is worth a step, and the longest step, as a share of the number.
_QUARTER, _FARTHEST = 0.25, 0.5


def with_errors(law: Law, orbits: Orbits, criteria: LawCriteria = LAWS) -> Law:
    """Return a law with the standard errors of its numbers.

    Parameters
    ----------
    law : Law
    orbits : Orbits
        Where its terms are known.
    criteria : LawCriteria
    """
    _, least, coefficients = _known(law, orbits, criteria)
    return with_told(law, least.square_errors(coefficients), inside=None)


def with_told(law: Law, off: np.ndarray, inside: float | None) -> Law:
    """Return a law with the errors of its numbers.

    Parameters
    ----------
    law : Law
    off : (s + k, s + k) array
        Mean squares and products of what its s coefficients, and the k numbers inside its terms as
        shares, are off by.
    inside : float or None
        What is known of those inside where k is 0.
    """
    s = len(law.library)
    if len(off) > s:
        inside = float(np.sqrt(np.diag(off)[s:].max()))
    return replace(law, covariance=off[:s, :s], inside=inside)


def with_moved_numbers(
    law: Law, orbits: Orbits, simple: Numbers, criteria: LawCriteria = LAWS
) -> Functions | None:
    """Return a law's terms with the numbers inside at which it drifts least.

    One step of Gauss and Newton's method. The path on which numbers were looked for is smoothed,
    which moves them.

    Parameters
    ----------
    law : Law
    orbits : Orbits
        The runs that it was found on.
    simple : Numbers
        What numbers are rounded to where the data allow.
    criteria : LawCriteria

    Returns
    -------
    Functions or None
        None where no number moves by a quarter of its error, or by more than can be told so.
    """
    numbers, least, coefficients = _known(law, orbits, criteria)
    errors = least.standard_errors(coefficients)[len(law.library) :]
    shifts = least.shift(coefficients, least.main(coefficients))[len(law.library) :]
    worth = np.abs(shifts) > _QUARTER * errors
    if not worth.any() or np.abs(shifts).max() > _FARTHEST or not np.isfinite(errors).all():
        return None
    put = {}
    for number, shift, error in zip(numbers, shifts, errors, strict=True):
        value = float(number) * (1 + shift)
        near, cost = simple.simple(value, error, error)
        digits = int(np.clip(np.ceil(1 - np.log10(max(error, 1e-12))), 2, 12))
        new = simple.symbolic(near) if np.isfinite(cost) else sympy.Float(in_digits(value, digits))
        put |= {number: new, -number: -new}
    embedded = isinstance(law.library, Embedded)
    terms = law.library.functions if embedded else law.library
    atoms = [atom.xreplace(put) for atom in terms.atoms]
    # With them a formula could imitate as much more.
    fitted = max(terms.fitted, sum(map(_is_fitted, map(sympy.sympify, put.values()))) // 2)
    moved = Fitted(terms.symbols, atoms, terms.exponents, terms.name, fitted)
    return replace(law.library, functions=moved) if embedded else moved


def _known(
    law: Law, orbits: Orbits, criteria: LawCriteria
) -> tuple[list[sympy.Number], LeastDrift, np.ndarray]:
    """Return the k numbers inside the terms, what tells all numbers, and the formula, (s + k,)."""
    numbers, terms, coefficients = with_changes(law.library, law.coefficients)
    test = DriftTest(terms, coefficients, orbits, criteria)
    return numbers, test.least, coefficients


def with_changes(
    library: Functions, coefficients: np.ndarray
) -> tuple[list[sympy.Number], Functions, np.ndarray]:
    """Return the numbers inside a formula's terms, and it with a ∂h/∂a for each, times zero.

    Parameters
    ----------
    library : Functions
        The formula's own s terms.
    coefficients : (s,) array

    Returns
    -------
    numbers : list of k sympy.Number
    terms : Functions
        s + k of them.
    coefficients : (s + k,) array
    """
    if isinstance(library, Embedded):
        numbers, terms, coefficients = with_changes(library.functions, coefficients)
        return numbers, replace(library, functions=terms), coefficients
    if not isinstance(library, Library):
        return [], library, coefficients
    written = library.expressions()
    changes = {number: _changes(written, number) for number in numbers_inside(written)}
    numbers = [number for number, of in changes.items() if of]
    if not numbers:
        return [], library, coefficients
    # Each term's own change has no coefficient in it: other formulas share what is compiled.
    parts = [(k, j, part) for k, a in enumerate(numbers) for j, part in changes[a].items()]
    n_terms, atoms = len(written), [*library.atoms, *(part for *_, part in parts)]
    none = (0,) * len(library.atoms)
    exponents = [(*own, *(0,) * len(parts)) for own in library.exponents]
    exponents += [(*none, *unit(len(parts), i)) for i in range(len(parts))]
    inner = Library(library.symbols, atoms, exponents, library.name)
    mixed = np.eye(len(inner), n_terms + len(numbers))
    mixed[n_terms:, n_terms:] = 0.0
    for i, (k, j, _) in enumerate(parts):
        mixed[n_terms + i, n_terms + k] = coefficients[j]
    return numbers, Numeric(inner, mixed, inner), np.append(coefficients, np.zeros(len(numbers)))


def numbers_inside(terms: list[sympy.Expr]) -> list[sympy.Number]:
    """Return the fitted numbers inside terms, each once.

    Halves of whole numbers as exponents are none, and neither are a term's own factor, numbers that
    are simple, and the origin of a coordinate where it is no decimal number: it is the user's.

    Parameters
    ----------
    terms : list of sympy.Expr
    """
    found: dict[sympy.Number, None] = {}

    def look(expression: sympy.Expr) -> None:
        if expression.is_Number and _is_fitted(expression):
            found[abs(expression)] = None
        parts = expression.args
        if expression.is_Pow and (2 * expression.exp).is_integer:
            parts = parts[:1]
        for part in parts:
            if not (part.is_Rational and _is_moved(expression)):
                look(part)

    for term in terms:
        for factor in sympy.Mul.make_args(term):
            if not factor.is_Number:
                look(factor)
    return list(found)


def _is_moved(expression: sympy.Expr) -> bool:
    """Tell whether it is a coordinate that counts from another origin."""
    return expression.is_Add and len(expression.args) == 2 and expression.args[1].is_Symbol


def _is_fitted(number: sympy.Number) -> bool:
    parts = (number.p, number.q) if number.is_Rational else (np.inf,)
    return max(map(abs, parts)) > _PLAIN


def _changes(terms: list[sympy.Expr], number: sympy.Number) -> dict[int, sympy.Expr]:
    """Return a ∂Φ_j/∂a for the number a, of the terms j that it changes by more than a constant."""
    of = {j: _change(term, number) for j, term in enumerate(terms)}
    return {j: change for j, change in of.items() if change.free_symbols}


@lru_cache(maxsize=4096)
def _change(term: sympy.Expr, number: sympy.Number) -> sympy.Expr:
    """Return a ∂Φ/∂a for the number a."""
    a = sympy.Dummy("a", positive=True)
    put = term.xreplace({number: a, -number: -a})
    return (a * put.diff(a)).xreplace({a: number})
