"""A finding as those use it who go on from laws: to motion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import sympy

from discovery.data.trajectories import Trajectories
from discovery.dynamics.equations import Law
from discovery.dynamics.motion import Motion
from discovery.dynamics.routes import motion_of
from discovery.report.quantity import Quantity

# More single terms than that, as of the pairs of many bodies, stay sums: a fit would take long.
_MOST_SINGLE = 20


def motion_from(
    quantities: Sequence[Quantity],
    identities: Sequence[Quantity],
    runs: Trajectories,
    noise: Mapping[str, float],
) -> Motion:
    """Return the motion that laws imply, or another form of one where that which is shown does not.

    Forms that fit as well as laws may push differently. Where those shown are refused, all others
    are tried, and that with the least χ² is taken.

    Parameters
    ----------
    quantities : sequence of Quantity
        Exact or decaying, in closed form.
    identities : sequence of Quantity
    runs : Trajectories
    noise : mapping from name to float

    Raises
    ------
    ValueError
        Why the forms that are shown are refused, where all are.
    """
    constraints = [as_law(q) for q in identities]
    shown = [as_law(q) for q in quantities]
    try:
        return motion_of(shown, constraints, runs, noise)
    except ValueError as refused:
        found = []
        for laws, remark in _other_forms(quantities, shown):
            try:
                motion = motion_of(laws, constraints, runs, noise)
            except ValueError:
                continue
            found.append(replace(motion, uncertain=(remark, *motion.uncertain)))
        if not found:
            raise refused from None
        return min(found, key=lambda motion: motion.residual)


def _other_forms(
    quantities: Sequence[Quantity], shown: Sequence[Law]
) -> Iterator[tuple[list[Law], str]]:
    """Yield the laws with one of them in another form that fits as well, and what was changed."""
    for i, quantity in enumerate(quantities):
        for form in quantity.alternatives if quantity.decay is None else ():
            pairs = (term.as_coeff_Mul() for term in sympy.Add.make_args(form))
            law = Law.of({term: float(number) for number, term in pairs})
            remark = (
                f"the form of {quantity.name or quantity.formula}: {form} moves the runs, and the "
                "form that is shown, which fits as well, does not"
            )
            yield [*shown[:i], law, *shown[i + 1 :]], remark


def as_law(quantity: Quantity) -> Law:
    """Return the terms of a quantity that is a formula, and what friction takes of it."""
    decay, terms = quantity.decay, _single(quantity.coefficients)
    if decay is None:
        # An equation of motion takes a law's numbers in units of its first.
        first = next((k for k, c in enumerate(quantity.coefficients.values()) if c), 0)
        errors = _single(quantity.errors_beside(first))
        kept = [error for term, error in errors.items() if terms[term]]
        return Law.of(terms)._replace(errors=tuple(map(abs, kept)))
    losses, factors = decay.losses, decay.factors
    if not losses:
        losses, factors = (quantity.expression,), (decay.rate,)
    return Law.of(terms, losses, factors)


def _single(numbers: Mapping[sympy.Expr, float]) -> dict[sympy.Expr, float]:
    """Return the numbers of single terms: a fit to the motion tells masses within a sum apart."""
    parts = [
        (part.as_coeff_Mul(), number)
        for term, number in numbers.items()
        for part in sympy.Add.make_args(term)
    ]
    out: dict[sympy.Expr, float] = {}
    for (own, term), number in parts:
        out[term] = out.get(term, 0.0) + float(own) * number
    return out if len(out) <= _MOST_SINGLE else dict(numbers)
