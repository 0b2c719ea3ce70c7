"""Names of laws of fields: integrals that have the functional derivative of a known one.

Two densities that differ by a total derivative have the same integral, so it is not the densities
that are compared but what the integral answers to a small change of each field.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import sympy
from sympy.calculus.euler import euler_equations
from sympy.core.function import AppliedUndef

# Rounded coefficients are equal to this share.
_SAME = 1e-6


def names_of_integrals(laws: Sequence[sympy.Expr], vorticity: bool = False) -> list[str | None]:
    """Return the names of laws of fields, None for what has none.

    ``total of u``, with a coordinate beside it ``total of n + u``; ``enstrophy`` and ``potential
    enstrophy`` of two velocities in a plane, the latter over a depth; ``helicity`` of three in
    space; ``momentum along x``, ∫ u v_x, which generates translations of a canonical pair of
    fields; and beside a momentum ``wave action``, ∫ u² + v², which generates its turns. Of a
    vorticity the total is the ``circulation``, and the square's the ``enstrophy``.

    Parameters
    ----------
    laws : sequence of sympy.Expr
    vorticity : bool
        Whether the one field is the vorticity of a flow.
    """
    if vorticity:
        return [_of_vorticity(law) for law in laws]
    names = [_name(law) for law in laws]
    if any(name is not None and name.startswith("momentum") for name in names):
        names = [n or _wave_action(law) for n, law in zip(names, laws, strict=True)]
    return names


def _name(law: sympy.Expr) -> str | None:
    if not isinstance(law, sympy.Integral):
        return _beside(law)
    return _of_total(law) or next(
        (name for name, density in _known(law) if _is_multiple(law, density)), None
    )


def _beside(law: sympy.Expr) -> str | None:
    """Return the name of an integral with a sum of coordinates beside it, which are part of it."""
    terms = sympy.Add.make_args(law)
    inside = [term for term in terms if isinstance(term, sympy.Integral)]
    others = [term.as_coeff_Mul() for term in terms if not isinstance(term, sympy.Integral)]
    if len(inside) != 1 or not all(rest.is_Symbol for _, rest in others):
        return None
    name = _name(inside[0])
    if name is None or name.startswith("momentum"):
        return name
    if name.startswith("total of ") and all(number == 1 for number, _ in others):
        return f"total of {' + '.join(sorted(name[9:].split(' + ') + [str(z) for _, z in others]))}"
    return None


def _of_vorticity(law: sympy.Expr) -> str | None:
    (w,) = _fields(law)
    known = (("circulation", w), ("enstrophy", w**2))
    names = (name for name, density in known if (law.function / density).is_number)
    return next(names, "Casimir function" if law.function.is_polynomial(w) else None)


def _wave_action(law: sympy.Expr) -> str | None:
    fields = _fields(law) if isinstance(law, sympy.Integral) else []
    density = sympy.Add(*(u**2 for u in fields))
    return "wave action" if len(fields) == 2 and _is_multiple(law, density) else None


def _of_total(law: sympy.Integral) -> str | None:
    terms = sympy.Add.make_args(law.function)
    fields = [str(term.func) for term in terms if isinstance(term, AppliedUndef)]
    return f"total of {' + '.join(sorted(fields))}" if len(fields) == len(terms) else None


def _fields(law: sympy.Integral) -> list[AppliedUndef]:
    return sorted(law.function.atoms(AppliedUndef), key=str)


def _known(law: sympy.Integral) -> Iterator[tuple[str, sympy.Expr]]:
    """Yield names and densities that a law may be, by its fields and directions."""
    fields, space = _fields(law), law.variables
    if len(fields) == 2:
        u, v = fields
        for x in space:
            yield f"momentum along {x}", u * v.diff(x)
    if len(space) == 2 and len(fields) in (2, 3):
        x, y = space
        for u, v in itertools.permutations(fields, 2):
            over = [f for f in fields if f not in (u, v)]
            name = "potential enstrophy" if over else "enstrophy"
            yield name, (v.diff(x) - u.diff(y)) ** 2 / sympy.Mul(*over)
    if len(space) == len(fields) == 3:
        for u in itertools.permutations(fields):
            parts = zip(u, (1, 2, 0), (2, 0, 1), strict=True)
            yield (
                "helicity",
                sympy.Add(*(f * (u[k].diff(space[j]) - u[j].diff(space[k])) for f, j, k in parts)),
            )


def _is_multiple(law: sympy.Integral, density: sympy.Expr) -> bool:
    """Tell whether an integral is a number times that of a density."""
    factor = None
    for found, known in zip(_slopes(law, law.function), _slopes(law, density), strict=True):
        if known == 0 or found == 0:
            if known != found:
                return False
            continue
        ratio = sympy.cancel(sympy.nsimplify(found, rational=True) / known)
        if not ratio.is_number or (factor is not None and abs(ratio / factor - 1) > _SAME):
            return False
        factor = ratio
    return factor is not None


def _slopes(law: sympy.Integral, density: sympy.Expr) -> list[sympy.Expr]:
    """Return the functional derivatives of ∫ρ by the fields of a law."""
    return [
        sympy.together(sympy.expand(_slope(density, field, law.variables)))
        for field in _fields(law)
    ]


def _slope(density: sympy.Expr, field: AppliedUndef, space: Sequence[sympy.Symbol]) -> sympy.Expr:
    equations = euler_equations(density, [field], list(space))
    # SymPy leaves 0 = 0 out, or says that it is true.
    return next((e.lhs for e in equations if isinstance(e, sympy.Eq)), sympy.Integer(0))
