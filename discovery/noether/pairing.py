r"""Noether's theorem, both ways: a symmetry's momentum, and the symmetry of a conserved quantity.

A Killing field ξ (that keeps the potential) gives p_ξ = ξᵀ g q̇, conserved. A conserved quantity h
of a Hamiltonian system generates the flow ẋ = Π ∇h, which maps solutions to solutions. Where h is
linear in the momenta, that flow moves space alone: q̇ = ξ(q). The energy moves along time.
Otherwise the symmetry is hidden: it mixes positions and momenta.

Numbers of laws have errors, and what these leave of a component is none: ξ = M⁻¹ s, s = ∂h/∂w, has

    δξ = M⁻¹ (δs − δM ξ),

and a component that no more than this makes other than one number, or than zero, is that number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import sympy

from discovery.criteria import FORMULAS
from discovery.formulas.parsing import parse_formula
from discovery.libraries.monomials import symbols_of
from discovery.noether import phase_space
from discovery.noether.agreement import disagreements
from discovery.noether.bracket_span import BracketSpan
from discovery.noether.phase_space import PhaseSpace
from discovery.noether.words import describe
from discovery.symmetries.geometry import metric_at_points
from discovery.symmetries.geometry.sources import Metric, source_of
from discovery.symmetries.symmetry import Symmetry

# States at which brackets are evaluated.
_PROBES = 400
# How far they are moved off the data, in spreads.
_APART = 0.3


class Pairing(NamedTuple):
    """What `pair` finds.

    Attributes
    ----------
    symmetries : list of str or None
        One sentence a quantity; None where it has no partner that is known.
    algebra : str or None
        Name of the algebra that the quantities generate by Poisson brackets, beside the energy,
        which commutes with them all; "unknown" where it is none known here; None where brackets are
        not known or there is nothing beside the energy.
    generators : list of sympy.Expr
        The quantities, independent ones, and what their brackets add.
    flags : list of str
        Where the laws and the Killing fields of their energy disagree
        (`discovery.noether.agreement`), and which laws have no partner.
    reason : str
        Why nothing could be paired; empty where it was.
    fields : list of (list of sympy.Expr) or None
        The field in the positions that each quantity generates; None for those that move momenta
        otherwise.
    positions : tuple of sympy.Symbol
    kinds : tuple of str
        Their roles.
    """

    symmetries: list[str | None]
    algebra: str | None
    generators: list[sympy.Expr]
    flags: list[str]
    reason: str
    fields: Sequence[list[sympy.Expr] | None] = ()
    positions: tuple[sympy.Symbol, ...] = ()
    kinds: tuple[str | None, ...] = ()


def momentum(symmetry: Symmetry, metric: Metric, q: np.ndarray, velocity: np.ndarray) -> np.ndarray:
    """Return p_ξ = ξᵀ g q̇, conserved if ξ is a symmetry of the motion.

    Parameters
    ----------
    symmetry : Symmetry
        From a `SymmetryFinder`.
    metric : callable or fitted model
        The kinetic metric, as `SymmetryFinder` takes it.
    q, velocity : (N, n) arrays

    Returns
    -------
    (N,) array

    Raises
    ------
    ValueError
        When shapes do not fit, numbers are not finite, the metric is not one or the
        model not mechanical.
    """
    q, velocity = np.asarray(q, dtype=float), np.asarray(velocity, dtype=float)
    if q.shape != velocity.shape:
        raise ValueError(
            f"Positions and velocities must have one shape; received {q.shape}, {velocity.shape}."
        )
    if not (np.isfinite(q).all() and np.isfinite(velocity).all()):
        raise ValueError("Positions and velocities must be finite; some are NaN or infinite.")
    if not source_of(metric).mechanical:
        raise ValueError(
            f"The model {type(metric).__name__} is not mechanical: its metric is no mass matrix "
            "and gives no momenta. Use a LagrangianManifold, or a callable kinetic metric."
        )
    g = metric_at_points.evaluate(metric, q).metric
    return np.einsum("bi,bij,bj->b", symmetry(q), g, velocity)


def pair(
    quantities: Sequence[sympy.Expr | str],
    names: Sequence[str],
    roles: Sequence[str | None] | None,
    states: np.ndarray | None = None,
    errors: Sequence[Mapping[sympy.Expr, float]] | None = None,
) -> Pairing:
    """Name the symmetry behind each conserved quantity, and the algebra of all.

    Parameters
    ----------
    quantities : sequence of sympy.Expr, str, or what has an ``expression``
        Conserved quantities in the coordinates' names.
    names, roles : sequence of D
        Of the coordinates. Positions or angles pair with velocities or momenta; for velocities the
        energy among the quantities tells the masses.
    states : (N, D) array, optional
        Where brackets are evaluated: states of the data. Their median energy decides between
        so(4) and so(3,1) for Kepler's problem. Default: random states.
    errors : sequence of mappings from term to standard error, optional
        Of each quantity's coefficients; exact by default.

    Returns
    -------
    Pairing
        All None, with the reason, where roles do not pair, or no energy is found with which all
        quantities commute.
    """
    symbols = symbols_of(names)
    if isinstance(quantities, str) or not isinstance(quantities, Sequence):
        raise ValueError(
            f"quantities: received {type(quantities).__name__}. Expected a list of formulas."
        )
    formulas = [getattr(h, "expression", h) for h in quantities]
    parsed = [parse_formula(h, symbols, "quantities") for h in formulas]

    def nothing(reason: str) -> Pairing:
        none = [None] * len(parsed)
        return Pairing(none, None, [], [], reason, none)

    try:
        pairs = phase_space.canonical_pairs(names, roles)
    except ValueError as error:
        return nothing(str(error))
    if not parsed:
        return nothing("There are no quantities to pair.")
    states = _probes(parsed, symbols, states)
    if states is None:
        return nothing("The quantities or their slopes are not finite at enough states.")
    velocities = any(roles[j] != "momentum" for _, j in pairs)
    space = phase_space.phase_space(parsed, symbols, pairs, velocities, states)
    if space is None:
        return nothing("No energy is among the quantities with which all of them commute.")
    kinds = [roles[i] for i, _ in pairs]
    fields = _fields(parsed, errors or [{}] * len(parsed), velocities, space, states)
    sentences = [
        _sentence(h, k == space.energy, fields[k], space, kinds) for k, h in enumerate(parsed)
    ]
    span = BracketSpan(space, states)
    # What was found as the energy may be that less squares of the total momentum.
    span.close([space.hamiltonian if k == space.energy else h for k, h in enumerate(parsed)])
    flags = disagreements(parsed, sentences, space, kinds, states)
    said = sentences, span.name(), span.generators, flags, ""
    return Pairing(*said, fields, tuple(space.positions), tuple(kinds))


def _probes(
    quantities: Sequence[sympy.Expr], symbols: Sequence[sympy.Symbol], states: np.ndarray | None
) -> np.ndarray | None:
    """Return states at which all quantities and their slopes are finite."""
    rng = np.random.default_rng(0)
    if states is None:
        states = rng.normal(scale=0.7, size=(2 * _PROBES, len(symbols)))
    states = np.asarray(states, dtype=float)
    if states.ndim != 2 or states.shape[1] != len(symbols):
        raise ValueError(f"States must have shape (N, {len(symbols)}); received {states.shape}.")
    states = states[rng.permutation(len(states))[: 2 * _PROBES]]
    # Runs that began alike obey relations of their own, which are no relations of functions.
    states = states + _APART * states.std(axis=0) * rng.standard_normal(states.shape)
    slopes = phase_space.gradients(quantities, symbols, states).reshape(len(states), -1)
    # Near a singularity a few states would outweigh all others.
    size = np.abs(slopes).max(axis=1)
    fine = np.isfinite(size)
    fine &= size <= 10 * np.median(size[fine]) if fine.any() else fine
    return states[fine][:_PROBES] if fine.sum() >= 20 else None


def _fields(
    quantities: Sequence[sympy.Expr],
    errors: Sequence[Mapping[sympy.Expr, float]],
    velocities: bool,
    space: PhaseSpace,
    states: np.ndarray,
) -> list[list[sympy.Expr] | None]:
    """Return the field that each quantity but the energy generates; see `_field`."""
    own = {symbol.name: symbol for symbol in space.symbols}
    known = [
        {
            term.xreplace({s: own[s.name] for s in term.free_symbols if s.name in own}): error
            for term, error in each.items()
        }
        for each in errors
    ]
    masses = {} if space.energy is None or not velocities else known[space.energy]
    return [
        None if k == space.energy else _field(h, known[k], masses, space, states)
        for k, h in enumerate(quantities)
    ]


def _field(
    h: sympy.Expr,
    errors: Mapping[sympy.Expr, float],
    of_masses: Mapping[sympy.Expr, float],
    space: PhaseSpace,
    states: np.ndarray,
) -> list[sympy.Expr] | None:
    """Return the field in the positions that a law linear in the momenta generates, or None."""
    slope = sympy.Matrix([h.diff(w) for w in space.momenta])
    if slope.is_zero_matrix or slope.has(*space.momenta):
        return None
    field = list(space.mass.inv() * slope)
    n, symbols = len(field), space.symbols
    values = phase_space.evaluate(field, symbols, states)
    inverse = phase_space.evaluate(list(space.mass.inv()), symbols, states).reshape(-1, n, n)
    variance = np.zeros_like(values)
    for term, error in errors.items():
        moved = phase_space.evaluate([term.diff(w) for w in space.momenta], symbols, states)
        variance += (error * np.einsum("bij,bj->bi", inverse, moved)) ** 2
    for term, error in of_masses.items():
        mass = phase_space.evaluate(list(sympy.hessian(term, space.momenta)), symbols, states)
        moved = np.einsum("bij,bjk,bk->bi", inverse, mass.reshape(-1, n, n), values)
        variance += (error * moved) ** 2
    allowed = FORMULAS.interval**2 * variance.mean(axis=0)
    levels = values.mean(axis=0)
    out = []
    for component, value, level, most in zip(field, values.T, levels, allowed, strict=True):
        if component.is_number or not np.mean((value - level) ** 2) <= most:
            out.append(component)
        else:
            out.append(sympy.Integer(0) if level**2 <= most else sympy.Float(level, 6))
    return out


def _sentence(
    h: sympy.Expr,
    is_energy: bool,
    field: list[sympy.Expr] | None,
    space: PhaseSpace,
    kinds: Sequence[str | None],
) -> str | None:
    momenta, positions = space.momenta, space.positions
    if is_energy:
        return "time translation"
    if field is not None:
        return describe(field, positions, kinds)
    if not h.has(*momenta):
        return None
    hessian = sympy.hessian(h, momenta)
    if any(hessian.has(w) for w in momenta):
        return "hidden symmetry, of higher order in the momenta"
    alone = [k for k, w in enumerate(momenta) if h.has(w)]
    others = [q for k, q in enumerate(positions) if k not in alone]
    separate = len(alone) < len(momenta) and not any(h.has(q) for q in others)
    if separate and not any(hessian[a, b] for a in alone for b in alone if a != b):
        moving = ", ".join(str(positions[k]) for k in alone)
        return f"time translation of the motion in {moving} alone"
    if not hessian.free_symbols:
        return "hidden symmetry of Fradkin's kind, quadratic in the momenta"
    linear = all(not entry.diff(q).free_symbols for entry in hessian for q in positions)
    if linear and not any(space.mass.has(q) for q in positions):
        return "hidden symmetry of Laplace–Runge–Lenz kind, quadratic in the momenta"
    return "hidden symmetry, quadratic in the momenta"
