"""Units: what the coefficients of a formula must be measured in for its terms to add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import sympy
from sympy.core.function import AppliedUndef
from sympy.physics import units as known

from discovery.formulas.parsing import parse_formula


def coefficient_units(
    terms: Sequence[sympy.Expr], units: Mapping[str, str]
) -> dict[sympy.Expr, sympy.Expr]:
    """Return the unit of each term's coefficient beside that of the first term's.

    A 1 says that two terms add up as they are; anything else is a constant of nature or of the
    system that hides in the coefficient (G M in u² + v² − 2/r).

    Parameters
    ----------
    terms : sequence of sympy.Expr
        Formulas, or integrals of densities of fields u(x).
    units : mapping from coordinate to unit
        SymPy's names: ``{"x": "m", "u": "m/s", "theta": "rad"}``, ``"1"`` for none. For
        fields: of each field and of the place x.

    Raises
    ------
    ValueError
        For coordinates without a unit, unknown units, and functions such as exp or cos of what is
        not dimensionless.
    """
    if not isinstance(units, Mapping):
        raise ValueError(
            f"units: received {units!r}. Expected a unit for each coordinate: {{'x': 'm'}}."
        )
    values = {name: _parsed(name, text) for name, text in units.items()}
    missing = {name for term in terms for name in _names(term)} - set(values)
    if missing:
        raise ValueError(
            f"units: {', '.join(sorted(missing))} have none. Give one for each coordinate, '1' for "
            "pure numbers."
        )
    found = [_unit(term, values) for term in terms]
    return {
        t: sympy.powsimp(sympy.simplify(found[0] / u)) for t, u in zip(terms, found, strict=True)
    }


def _parsed(name: str, text: str) -> sympy.Expr:
    try:
        unit = parse_formula(text, _quantities())
    except ValueError:
        raise ValueError(
            f"units: {text!r} for {name} is no unit. Write m/s, kg*m**2 or 1, in SymPy's names "
            "(m, s, kg, rad, joule, …)."
        ) from None
    unit = known.convert_to(unit, [known.m, known.s, known.kg, known.A, known.K, known.mol])
    # A unit has no size here, and an angle is a number.
    unit = unit.subs({known.rad: 1, known.degree: 1})
    return unit.as_coeff_Mul()[1]


@cache
def _quantities() -> dict[str, known.Quantity]:
    found = ((name, getattr(known, name)) for name in dir(known))
    return {name: value for name, value in found if isinstance(value, known.Quantity)}


def _names(term: sympy.Expr) -> set[str]:
    """Return what needs a unit: the coordinates, or the fields and what they depend on."""
    fields = {str(f.func) for f in term.atoms(AppliedUndef)}
    return fields | {s.name for s in term.free_symbols}


def _unit(expression: sympy.Expr, values: Mapping[str, sympy.Expr]) -> sympy.Expr:
    """Return the unit of an expression, without its size."""
    if expression.is_Symbol:
        return values[expression.name]
    if isinstance(expression, AppliedUndef):
        return values[str(expression.func)]
    if isinstance(expression, sympy.Derivative):
        counts = expression.variable_count
        over = sympy.Mul(*(_unit(variable, values) ** order for variable, order in counts))
        return _unit(expression.expr, values) / over
    if isinstance(expression, sympy.Integral):
        over = sympy.Mul(*(_unit(variable, values) for variable in expression.variables))
        return _unit(expression.function, values) * over
    if expression.is_Number or expression.is_NumberSymbol:
        return sympy.Integer(1)
    parts = [_unit(a, values) for a in expression.args]
    if expression.is_Mul:
        return sympy.Mul(*parts)
    if expression.is_Pow:
        return sympy.powdenest(parts[0] ** expression.exp, force=True)
    if expression.is_Add:
        if any(sympy.simplify(p / parts[0]) != 1 for p in parts):
            raise ValueError(
                f"units: {expression} adds {' and '.join(sorted({str(p) for p in parts}))}. Scale "
                "the coordinates, or leave the library out that has this function."
            )
        return parts[0]
    if any(p != 1 for p in parts):
        raise ValueError(
            f"units: {expression} is a function of {', '.join(map(str, parts))}, which is no pure "
            "number. Divide the coordinate by a scale first."
        )
    return sympy.Integer(1)
