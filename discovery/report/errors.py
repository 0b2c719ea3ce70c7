"""How well the coefficients of a formula are known, in words.

They are those of the terms that a reader sees: where 1 − cos 2θ is written as 2 sin²θ, the numbers
before the terms are sums of the coefficients, and the covariance of these goes along.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import sympy

from discovery.formulas.angles import in_sines, in_single_angles
from discovery.formulas.plain import plain
from discovery.formulas.scale import errors_beside, scale_term
from discovery.report.quantity import Quantity, of_squares
from discovery.report.typesetting import spelled
from discovery.report.words import percent, standard_error

# Terms whose errors are told one by one, and the least error, of its coefficient, that is told.
_TOLD_ONE_BY_ONE, _LEAST_ERROR = 3, 1e-6
# What is left where coefficients cancel, of these: rounding.
_CANCELLED = 1e-9
Numbers = dict[sympy.Expr, float]


def error_words(quantity: Quantity) -> str:
    """Return the standard errors of a formula's numbers; empty where none are known.

    Parameters
    ----------
    quantity : Quantity
    """
    if quantity.approximation_error is not None:
        return ""
    numbers, errors = _as_written(quantity)
    told = {
        term: errors[term]
        for term, value in numbers.items()
        if value and errors[term] > _LEAST_ERROR * abs(value)
    }
    parts = [_of_terms(told, numbers)] if told else []
    if quantity.inside_error is not None and quantity.inside_error > _LEAST_ERROR:
        parts.append(f"number inside a term ± {percent(quantity.inside_error)}")
    return ", ".join(parts)


def _of_terms(errors: Numbers, numbers: Numbers) -> str:
    if len(errors) <= _TOLD_ONE_BY_ONE:
        pairs = ((spelled(term), standard_error(error)) for term, error in errors.items())
        each = ", ".join(f"{term} ± {error}" for term, error in pairs)
        return f"coefficient{'s' if len(errors) > 1 else ''} of {each}"
    shares = [error / abs(numbers[term]) for term, error in errors.items()]
    return f"coefficients ± {percent(min(shares))} to {percent(max(shares))}"


def _as_written(quantity: Quantity) -> tuple[Numbers, Numbers]:
    """Return the numbers before the terms as they are written, and their errors.

    None where these are no sums of the law's coefficients, as in a product of two sums.
    """
    terms, errors = quantity.coefficients, quantity.standard_errors
    own = {term: of_squares(term).as_coeff_Mul() for term in terms}
    alike = {t: float(n) * terms[term] for term, (n, t) in own.items()}
    by_term = {t: abs(float(n)) * errors[term] for term, (n, t) in own.items()}
    written = _parts(plain(quantity.expression)).keys() - {sympy.S.One}
    opened = written - alike.keys() and sympy.Add(*written).has(sympy.sin, sympy.cos)
    if not opened or quantity.expression.has(sympy.Integral):
        return alike, by_term
    forms = (lambda term: term, in_single_angles, in_sines)
    found = (_rewritten(quantity, form, written) for form in forms)
    return next((pair for pair in found if pair is not None), ({}, {}))


def _rewritten(
    quantity: Quantity, form: Callable[[sympy.Expr], sympy.Expr], written: set[sympy.Expr]
) -> tuple[Numbers, Numbers] | None:
    """Return what `_as_written` does, if the terms come of the law's in this form; else None."""
    c, covariance = np.array(list(quantity.coefficients.values())), quantity.covariance
    if covariance is None:
        return None
    parts = [_parts(form(of_squares(term))) for term in quantity.coefficients]
    new = list(dict.fromkeys(term for part in parts for term in part if not term.is_number))
    shares = np.array([[part.get(term, 0.0) for part in parts] for term in new])
    numbers = shares @ c
    kept = np.abs(numbers) > _CANCELLED * (np.abs(shares) @ np.abs(c))
    if {term for term, some in zip(new, kept, strict=True) if some} != written:
        return None
    known = np.isfinite(np.diag(covariance))
    whole = shares @ np.where(np.outer(known, known), covariance, 0.0) @ shares.T
    unknown = np.flatnonzero(shares[:, ~known].any(axis=1))
    whole[unknown, unknown] = np.inf
    terms = [term for term, some in zip(new, kept, strict=True) if some]
    numbers, whole = numbers[kept], whole[np.ix_(kept, kept)]
    errors = errors_beside(numbers, whole, scale_term(numbers, whole))
    return (
        dict(zip(terms, numbers.tolist(), strict=True)),
        dict(zip(terms, errors.tolist(), strict=True)),
    )


def _parts(expression: sympy.Expr) -> Numbers:
    """Return the number before each term."""
    terms = sympy.Add.make_args(expression)
    pairs = (term.as_independent(*term.free_symbols, as_Add=False) for term in terms)
    return {term: float(number) for number, term in pairs}
