"""Laws completed: components of vectors, and elements, that are conserved because the laws are.

Independent laws hold a vector in part: of the Runge–Lenz vector in the plane one component, beside
energy and angular momentum. Turning the axes into each other turns a component into the next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import sympy

from discovery.criteria import SYMMETRIES
from discovery.formulas.simple_numbers import NUMBERS
from discovery.laws.completed import brackets
from discovery.libraries.choice import custom
from discovery.noether import phase_space
from discovery.noether.brackets.lie_poisson import energy_of_spins
from discovery.noether.elements import atoms_in
from discovery.noether.motion import Candidate, MeasuredMotion
from discovery.noether.naming import names_of

_VECTORS = ("angular momentum about", "Runge–Lenz vector along")
# States at which gradients are compared.
_PROBES = 200
# How well weights in a sum of laws are known.
_WEIGHTS = 1e-3


def missing_components(
    laws: Sequence[sympy.Expr], names: Sequence[str | None], motion: MeasuredMotion
) -> dict[str, sympy.Expr]:
    """Return components that are functions of the laws and not among them, by name.

    Their gradients are in the span of the laws' at the states of the data.

    Parameters
    ----------
    laws : sequence of sympy.Expr
        In plain symbols, with numbers alone as coefficients.
    names : sequence of str or None
        Theirs, as `discovery.noether.naming.names_of` gives them.
    motion : MeasuredMotion
    """
    axes = [motion.names[i] for i in motion.positions]
    known = dict(zip(names, laws, strict=True))
    out = {}
    for vector in _VECTORS:
        own = [axis for axis in axes if f"{vector} {axis}" in known]
        for axis in axes:
            if own and axis not in own:
                turned = _turned(known[f"{vector} {own[0]}"], own[0], axis, motion)
                if _is_function(turned, laws, motion):
                    out[f"{vector} {axis}"] = turned
    return out


def missing_energy(
    laws: Sequence[sympy.Expr], names: Sequence[str | None], motion: MeasuredMotion
) -> dict[str, sympy.Expr]:
    """Return the energy where two components of the Runge–Lenz vector in the plane hold it.

    It is a factor of their Poisson bracket, moves the coordinates as they were measured to move,
    and is a function of the laws, A² = k² + 2 E L², which the data may tell better than itself.

    Parameters
    ----------
    laws, names, motion
        As for `missing_components`.
    """
    pairs = [tuple(sympy.Symbol(motion.names[i]) for i in pair) for pair in motion.pairs]
    parts = [h for h, n in zip(laws, names, strict=True) if n and n.startswith(_VECTORS[1])]
    if "energy" in names or len(parts) != 2 or len(pairs) != 2:
        return {}
    real = {symbol: sympy.Symbol(symbol.name, real=True) for pair in pairs for symbol in pair}
    for part in brackets(*parts, pairs):
        form = Candidate(custom([part.xreplace(real)], motion.names), np.ones(1))
        if names_of([form], motion) == ["energy"] and _is_function(part, laws, motion):
            return {"energy": _in_few_digits(sympy.expand(part / part.diff(pairs[0][1], 2)))}
    return {}


def missing_energy_of_spins(
    laws: Sequence[sympy.Expr], forms: Sequence[Candidate], motion: MeasuredMotion
) -> dict[str, sympy.Expr]:
    """Return the energy of spins where a law is it but for parts of the total spin, or products.

    Parameters
    ----------
    laws : sequence of sympy.Expr
        As for `missing_components`.
    forms : sequence of Candidate
        The same.
    motion : MeasuredMotion
    """
    weights = energy_of_spins(forms, motion)
    if not weights:
        return {}
    simple = {key: NUMBERS.simple(weight, _WEIGHTS)[0] for key, weight in weights.items()}
    parts = (weight * sympy.prod(laws[k] for k in key) for key, weight in simple.items())
    return {"energy": _in_few_digits(sympy.expand(sympy.Add(*parts).n()))}


def missing_elements(
    laws: Sequence[sympy.Expr], names: Sequence[str | None], motion: MeasuredMotion
) -> dict[str, sympy.Expr]:
    """Return amounts of elements that are sums of the laws and not among them, by name.

    Parameters
    ----------
    laws, names, motion
        As for `missing_components`. Columns that are amounts are named by chemical formulas.
    """
    species = [n for n, role in zip(motion.names, motion.roles, strict=True) if role == "amount"]
    symbols = [sympy.Symbol(name) for name in species]
    slopes = ([law.diff(symbol) for symbol in symbols] for law in laws)
    linear = [[float(c) for c in own] for own in slopes if all(c.is_number for c in own)]
    out = {}
    for element, atoms in atoms_in(species).items() if linear else ():
        name, columns = f"amount of {element}", np.transpose(linear)
        rest = atoms - columns @ np.linalg.lstsq(columns, atoms, rcond=None)[0]
        known = np.linalg.norm(rest) <= SYMMETRIES.equal_coefficients * np.linalg.norm(atoms)
        if known and name not in names:
            pairs = zip(atoms, symbols, strict=True)
            out[name] = sympy.Add(*(int(count) * symbol for count, symbol in pairs))
    return out


def _in_few_digits(formula: sympy.Expr) -> sympy.Expr:
    """Return a formula with halves and whole numbers as such, and others in five digits."""
    twice = {number: round(2 * number) for number in formula.atoms(sympy.Float)}
    return formula.xreplace(
        {
            number: sympy.Rational(int(k), 2) if abs(2 * number - k) < 1e-9 else number.n(5)
            for number, k in twice.items()
        }
    )


def _turned(law: sympy.Expr, old: str, new: str, motion: MeasuredMotion) -> sympy.Expr:
    """Return a formula with the axes changed in a circle, or in the plane exchanged."""
    n = len(motion.pairs)
    axes = [motion.names[i] for i in motion.positions]
    step = axes.index(new) - axes.index(old)
    change: Mapping[sympy.Symbol, sympy.Symbol] = {
        sympy.Symbol(motion.names[motion.pairs[k][side]]): sympy.Symbol(
            motion.names[motion.pairs[(k + step) % n][side]]
        )
        for k in range(n)
        for side in (0, 1)
    }
    return law.xreplace(change)


def _is_function(law: sympy.Expr, laws: Sequence[sympy.Expr], motion: MeasuredMotion) -> bool:
    symbols = [sympy.Symbol(name) for name in motion.names]
    states = motion.states[:: max(1, len(motion.states) // _PROBES)]
    scale = motion.states.std(axis=0)
    slopes = phase_space.gradients([law, *laws], symbols, states) * scale
    rest = []
    for own, *others in slopes[np.isfinite(slopes).all(axis=(1, 2))]:
        span = np.transpose(others)
        left = own - span @ np.linalg.lstsq(span, own, rcond=1e-8)[0]
        rest.append(np.linalg.norm(left) / max(np.linalg.norm(own), 1e-300))
    return bool(rest) and bool(np.median(rest) <= SYMMETRIES.span_residual)
