"""How well the coefficients of a formula are known, in words."""

from __future__ import annotations

from collections.abc import Mapping

import sympy

from discovery.report.quantity import Quantity, of_squares
from discovery.report.typesetting import spelled
from discovery.report.words import percent, standard_error

# Terms whose errors are told one by one, and the least error, of its coefficient, that is told.
_TOLD_ONE_BY_ONE, _LEAST_ERROR = 3, 1e-6


def error_words(quantity: Quantity) -> str:
    """Return the standard errors of a formula's numbers; empty where none are known.

    Parameters
    ----------
    quantity : Quantity
    """
    errors = quantity.standard_errors
    relative = {
        term: errors[term] / abs(value)
        for term, value in quantity.coefficients.items()
        if value and errors[term] > _LEAST_ERROR * abs(value)
    }
    if quantity.approximation_error is not None:
        return ""
    parts = [_of_coefficients(relative, errors)] if relative else []
    if quantity.inside_error is not None and quantity.inside_error > _LEAST_ERROR:
        parts.append(f"number inside a term ± {percent(quantity.inside_error)}")
    return ", ".join(parts)


def _of_coefficients(
    relative: Mapping[sympy.Expr, float], errors: Mapping[sympy.Expr, float]
) -> str:
    if len(relative) <= _TOLD_ONE_BY_ONE:
        written = ((*of_squares(term).as_coeff_Mul(), errors[term]) for term in relative)
        pairs = ((spelled(t), standard_error(abs(float(n)) * error)) for n, t, error in written)
        each = ", ".join(f"{term} ± {error}" for term, error in pairs)
        return f"coefficient{'s' if len(relative) > 1 else ''} of {each}"
    least, most = (percent(share) for share in (min(relative.values()), max(relative.values())))
    return f"coefficients ± {least} to {most}"
