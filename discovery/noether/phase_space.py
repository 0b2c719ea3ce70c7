r"""Poisson brackets in the coordinates of the data: positions with momenta, or with velocities.

With velocities w, momenta are p = M(q) w, M the matrix of the kinetic energy ½ wᵀ M w, and

    {q_i, q_j} = 0,   {q_i, w_j} = (M⁻¹)_ij,   {w_i, w_j} = (M⁻¹ R M⁻¹)_ij,
    R_ab = ∂_a (M w)_b − ∂_b (M w)_a.

M is read off the conserved quantity that is the energy: its second derivatives in w.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import sympy

from discovery.criteria import SYMMETRIES
from discovery.data.coordinates import MOMENTA, POSITIONS
from discovery.formulas import simple_numbers
from discovery.formulas.compiling import compile_formulas


def canonical_pairs(
    names: Sequence[str], roles: Sequence[str | None] | None
) -> list[tuple[int, int]]:
    """Return columns (position, its momentum or velocity).

    Angles pair with angular velocities and positions with velocities or momenta, each in order;
    where only the totals agree, all in order.

    Raises
    ------
    ValueError
        When roles are missing or do not pair.
    """
    roles = [None] * len(names) if roles is None else list(roles)
    if any(role not in (*POSITIONS, *MOMENTA) for role in roles):
        raise ValueError(
            "Canonical pairs need a role for each coordinate: position or angle, velocity, "
            f"momentum or angular_velocity; received {dict(zip(names, roles, strict=False))}."
        )
    positions = [i for i, role in enumerate(roles) if role in POSITIONS]
    momenta = [i for i, role in enumerate(roles) if role in MOMENTA]
    if len(positions) != len(momenta):
        raise ValueError(
            f"{len(positions)} positions and angles do not pair with {len(momenta)} velocities and "
            f"momenta: {dict(zip(names, roles, strict=True))}."
        )
    if len({roles[i] == "momentum" for i in momenta}) > 1:
        raise ValueError("Momenta and velocities are mixed; give all of one kind.")
    angles = [i for i in positions if roles[i] == "angle"]
    turning = [i for i in momenta if roles[i] == "angular_velocity"]
    if len(angles) == len(turning):
        straight = [i for i in positions if i not in angles]
        moving = [i for i in momenta if i not in turning]
        return sorted([*zip(angles, turning, strict=True), *zip(straight, moving, strict=True)])
    return list(zip(positions, momenta, strict=True))


@dataclass(frozen=True)
class PhaseSpace:
    """Coordinates with their Poisson brackets.

    Attributes
    ----------
    symbols : tuple of D sympy.Symbol
        Names as in the data.
    pairs : list of (int, int)
        Columns of positions and of their momenta or velocities.
    mass : sympy.Matrix (n, n)
        M(q) with p = M w; the identity where the data hold momenta.
    hamiltonian : sympy.Expr
        The energy, up to a factor.
    energy : int or None
        Which of the quantities that is, but for products of total momenta; None where it is a sum
        of several.
    """

    symbols: tuple[sympy.Symbol, ...]
    pairs: list[tuple[int, int]]
    mass: sympy.Matrix
    hamiltonian: sympy.Expr
    energy: int | None

    @property
    def positions(self) -> list[sympy.Symbol]:
        """The n positions and angles."""
        return [self.symbols[i] for i, _ in self.pairs]

    @property
    def momenta(self) -> list[sympy.Symbol]:
        """The n momenta or velocities, in the positions' order."""
        return [self.symbols[j] for _, j in self.pairs]

    def tensor(self) -> sympy.Matrix:
        """Return Π with {f, h} = ∇fᵀ Π ∇h, (D, D) in the order of the symbols."""
        n, d = len(self.pairs), len(self.symbols)
        inverse = self.mass.inv()
        momenta = self.mass * sympy.Matrix(self.momenta)
        curl = sympy.Matrix(
            n,
            n,
            lambda a, b: momenta[b].diff(self.positions[a]) - momenta[a].diff(self.positions[b]),
        )
        inner = inverse * curl * inverse
        out = sympy.zeros(d, d)
        for a, (q, w) in enumerate(self.pairs):
            for b, (q2, w2) in enumerate(self.pairs):
                out[q, w2] = inverse[a, b]
                out[w, q2] = -inverse[a, b]
                out[w, w2] = inner[a, b]
        return out


def evaluate(
    expressions: Sequence[sympy.Expr], symbols: Sequence[sympy.Symbol], states: np.ndarray
) -> np.ndarray:
    """Return the values of expressions at states, (N, k).

    Parameters
    ----------
    expressions : sequence of k sympy.Expr
    symbols : sequence of D sympy.Symbol
    states : (N, D) array
    """
    function = compile_formulas(symbols, expressions)
    with np.errstate(all="ignore"):
        columns = function(*np.asarray(states, dtype=float).T)
    return np.stack(
        [np.broadcast_to(np.asarray(c, dtype=float), (len(states),)) for c in columns], axis=1
    )


def gradients(
    expressions: Sequence[sympy.Expr], symbols: Sequence[sympy.Symbol], states: np.ndarray
) -> np.ndarray:
    """Return the gradients of expressions at states, (N, k, D).

    Parameters
    ----------
    expressions, symbols, states
        As in `evaluate`.
    """
    flat = evaluate([e.diff(s) for e in expressions for s in symbols], symbols, states)
    return flat.reshape(len(states), len(expressions), len(symbols))


def phase_space(
    quantities: Sequence[sympy.Expr],
    symbols: Sequence[sympy.Symbol],
    pairs: list[tuple[int, int]],
    with_velocities: bool,
    states: np.ndarray,
) -> PhaseSpace | None:
    """Find the Poisson brackets under which the quantities are conserved.

    Parameters
    ----------
    quantities : sequence of sympy.Expr
        Conserved; the energy is among them, or a sum of several of them.
    symbols, pairs
        Coordinates and the columns that pair.
    with_velocities : bool
        Whether the data hold velocities: then the energy tells the masses.
    states : (N, D) array
        Where the test {h, E} = 0 is made.

    Returns
    -------
    PhaseSpace or None
        None when no energy is found with which all the others commute: then the data are not known
        to be Hamiltonian in these coordinates.
    """
    momenta = [symbols[j] for _, j in pairs]
    for which, candidate in _energies(quantities, momenta, symbols, states):
        mass = sympy.hessian(candidate, momenta) if with_velocities else sympy.eye(len(pairs))
        space = PhaseSpace(tuple(symbols), pairs, mass, candidate, which)
        if _all_commute(quantities, candidate, space, states):
            return space
    return None


def _energies(
    quantities: Sequence[sympy.Expr],
    momenta: Sequence[sympy.Symbol],
    symbols: Sequence[sympy.Symbol],
    states: np.ndarray,
) -> Iterator[tuple[int | None, sympy.Expr]]:
    """Yield (index or None, expression): definite forms in the momenta, then sums of others."""
    semidefinite = []
    for k, h in enumerate(quantities):
        hessian = sympy.hessian(h, momenta)
        if any(hessian.has(w) for w in momenta):
            continue
        n = len(momenta)
        lowest = np.linalg.eigvalsh(evaluate(list(hessian), symbols, states).reshape(-1, n, n))
        size = np.abs(lowest).max(axis=1)
        for sign in (1, -1):
            bottom = np.min(lowest if sign == 1 else -lowest[:, ::-1], axis=1)
            # At the pole of a chart the matrix degenerates: a few states may be there.
            if np.mean(bottom > 1e-6 * size) > SYMMETRIES.definite_share:
                yield k, sign * h
            elif np.all(bottom > -1e-9 * size) and np.any(size > 0):
                semidefinite.append(sign * h)
    if len(semidefinite) > 1:
        # Energies of motions that do not touch: any weights do, and these give masses of one.
        for parts in ([_per_mass(h, momenta) for h in semidefinite], semidefinite):
            total = sympy.Add(*parts)
            if sympy.hessian(total, momenta).rank() == len(momenta):
                yield None, total
    yield from _with_masses(quantities, momenta)


def _per_mass(h: sympy.Expr, momenta: Sequence[sympy.Symbol]) -> sympy.Expr:
    """Return an energy over the first of its masses that is one number."""
    masses = [h.diff(w, 2) for w in momenta]
    known = [m for m in masses if m.is_number and m != 0]
    return sympy.expand(h / known[0]) if known else h


def _with_masses(
    quantities: Sequence[sympy.Expr], momenta: Sequence[sympy.Symbol]
) -> Iterator[tuple[int, sympy.Expr]]:
    """Yield a law plus products of total momenta that gives each velocity its own mass.

    What is found of several bodies is their energy up to squares of the total momentum, which are
    conserved too: any of these sums is a law, and this one has a diagonal, definite matrix.
    """
    known, straight = [], []
    for k, h in enumerate(quantities):
        slope = sympy.Matrix([h.diff(w) for w in momenta])
        hessian = slope.jacobian(list(momenta))
        if not slope.free_symbols and not slope.is_zero_matrix:
            straight.append(h)
        elif not hessian.free_symbols and not hessian.is_zero_matrix:
            known.append((k, h))
    squares = [a * b for a, b in itertools.combinations_with_replacement(straight, 2)]
    for k, h in known:
        forms = [h, *squares]
        matrices = np.array([sympy.hessian(f, momenta) for f in forms], dtype=float)
        mixed = matrices[:, ~np.eye(len(momenta), dtype=bool)]
        rest = np.linalg.lstsq(mixed[1:].T, mixed[0], rcond=None)[0]
        weights = np.append(1.0, -np.round(rest, 12))
        masses = np.einsum("f,fab->ab", weights, matrices)
        size = np.abs(masses).max()
        sign = np.sign(np.trace(masses))
        diagonal = np.abs(masses - np.diag(np.diag(masses))).max() <= SYMMETRIES.mixed_mass * size
        if diagonal and np.all(sign * np.diag(masses) > SYMMETRIES.mixed_mass * size):
            terms = zip(simple_numbers.as_numbers(sign * weights), forms, strict=True)
            yield k, sympy.expand(sympy.Add(*(c * f for c, f in terms)))


def _all_commute(
    quantities: Sequence[sympy.Expr],
    energy: sympy.Expr,
    space: PhaseSpace,
    states: np.ndarray,
) -> bool:
    d = len(space.symbols)
    poisson = evaluate(list(space.tensor()), space.symbols, states).reshape(-1, d, d)
    slopes = gradients([energy, *quantities], space.symbols, states)
    fine = np.isfinite(slopes).all(axis=(1, 2)) & np.isfinite(poisson).all(axis=(1, 2))
    if fine.sum() < 10:
        return False
    flow = np.einsum("bac,bc->ba", poisson[fine], slopes[fine, 0])
    rates = np.einsum("bia,ba->bi", slopes[fine, 1:], flow)
    sizes = np.einsum("bia,ba->bi", np.abs(slopes[fine, 1:]), np.abs(flow))
    share = np.median(np.abs(rates), axis=0) / np.maximum(np.median(sizes, axis=0), 1e-300)
    return bool(np.all(share <= SYMMETRIES.energy_bracket))
