r"""Equations of motion of a system with an energy: Hamilton's, or Lagrange's.

H is a sum of terms of the laws, H = Σ b_j φ_j. With momenta

    q' = ∂H/∂p,   p' = −∂H/∂q.

With velocities H = T + V, T = ½ wᵀ M(q) w; then q' = w, which no fit may change, and

    M w' = ∂T/∂q − ∂V/∂q − (∂(M w)/∂q) w.

Where friction takes Σ_k f_k D_k in a unit of time, D_k homogeneous of degree n_k in the velocities,
the force −f_k (∂D_k/∂w)/n_k acts besides: it takes that much. Forces that do no work are those of
`discovery.dynamics.gyroscopic`.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import sympy

from discovery.criteria import MOTION, SYMMETRIES
from discovery.dynamics.bonds import along, bound
from discovery.dynamics.equations import Equations, Law, as_number, parameters
from discovery.dynamics.gyroscopic import Push, missing, pushes
from discovery.dynamics.ties import Ties
from discovery.dynamics.weak import Weak, needed
from discovery.noether.phase_space import evaluate

# States at which mass matrices are looked at.
_POINTS = 200
# What is zero but for rounding.
_ROUNDING = 1e-9
# Numbers this near, as a share, are the same but for errors of the laws; and how much more mixed
# masses count than others that are not one.
_NEAR, _UNMIXED = 0.02, 100.0
# Degrees of freedom up to which a mass matrix that is not diagonal is inverted as a formula.
_MOST_MIXED = 4


class Energy(NamedTuple):
    """A sum of terms that is the energy.

    Attributes
    ----------
    terms : list of sympy.Expr
    numbers : (k,) array
    losses : list of sympy.Expr
        What friction takes in a unit of time is a sum of these.
    factors : (l,) array
    remark : str
        What is not unique; empty where it is.
    across : list of Push
        Forces that do no work.
    strengths : (p,) array
        Their numbers.
    """

    terms: list[sympy.Expr]
    numbers: np.ndarray
    losses: list[sympy.Expr]
    factors: np.ndarray
    remark: str = ""
    across: Sequence[Push] = ()
    strengths: Sequence[float] = ()


class Space(NamedTuple):
    """Coordinates of a mechanical system.

    Attributes
    ----------
    symbols : tuple of d sympy.Symbol
    pairs : list of (int, int)
        Columns of each position and of its velocity or momentum.
    with_velocities : bool
    clock : tuple of int
        The column that tells the time, if there is one.
    bonds : sympy.Matrix (k, n) or None
        Slopes of what all runs obey alike, where only forces along its surface are asked for.
    """

    symbols: tuple[sympy.Symbol, ...]
    pairs: list[tuple[int, int]]
    with_velocities: bool
    clock: tuple[int, ...] = ()
    bonds: sympy.Matrix | None = None

    @property
    def q(self) -> list[sympy.Symbol]:
        """The positions."""
        return [self.symbols[i] for i, _ in self.pairs]

    @property
    def w(self) -> list[sympy.Symbol]:
        """Their velocities or momenta."""
        return [self.symbols[j] for _, j in self.pairs]


def canonical(
    laws: Sequence[Law], space: Space, weak: Weak, constraints: Sequence[Law] = ()
) -> tuple[Equations, str] | None:
    """Return the equations of motion, and what of them is not unique; None where no energy is.

    Parameters
    ----------
    laws : sequence of Law
    space : Space
    weak : Weak
    constraints : sequence of Law
        What all runs obey alike, which may be part of the energy.
    """
    # What decays by itself is no energy that a force takes.
    laws = [law for law in laws if all(_degree(loss, space.w) for loss in law.losses)]
    others, moving, free = _at_rest(constraints, space, weak)
    laws += [*others, *moving]
    if space.with_velocities:
        energy = _energy_of_velocities(laws, space, weak, free)
    else:
        energy = _energy_of_momenta(laws, space, weak)
    if energy is None and space.with_velocities and space.bonds is None:
        energy = _energy_beside_a_field(laws, space, weak)
    if energy is None:
        return None
    build = _lagrange if space.with_velocities else _hamilton
    equations = build(energy, space)
    return None if equations is None else (equations, energy.remark)


def _merged(
    laws: Sequence[Law], weights: np.ndarray, remark: str = ""
) -> tuple[Energy, np.ndarray]:
    """Return a sum of laws, each term once, and the sizes of what each number is a sum of."""
    terms: dict[sympy.Expr, float] = {}
    sizes: dict[sympy.Expr, float] = {}
    losses: dict[sympy.Expr, float] = {}
    for law, weight in zip(laws, weights, strict=True):
        for term, number in zip(law.terms, law.coefficients, strict=True):
            terms[term] = terms.get(term, 0.0) + weight * number
            sizes[term] = sizes.get(term, 0.0) + abs(weight * number)
        for loss, number in zip(law.losses, law.factors, strict=True):
            losses[loss] = losses.get(loss, 0.0) + weight * number
    # What is left of terms that cancel is rounding; of its own size, for others have other units.
    kept = {term: c for term, c in terms.items() if abs(c) > _ROUNDING * sizes[term]}
    numbers, factors = (np.array([*part.values()], dtype=float) for part in (kept, losses))
    energy = Energy(list(kept), numbers, list(losses), factors, remark)
    return energy, np.array([sizes[term] for term in kept])


def _straight(laws: Sequence[Law], momenta: Sequence[sympy.Symbol]) -> list[sympy.Expr]:
    """Return the laws that are linear in the momenta alone."""
    straight = []
    for law in laws:
        slopes = [law.expression.diff(p) for p in momenta]
        if any(slopes) and not any(s.free_symbols for s in slopes):
            straight.append(law.expression)
    return straight


def _product(a: sympy.Expr, b: sympy.Expr) -> Law:
    parts = [term.as_coeff_Mul() for term in sympy.Add.make_args(sympy.expand(a * b))]
    return Law(tuple(t for _, t in parts), tuple(float(c) for c, _ in parts))


def _with_products(laws: Sequence[Law], momenta: Sequence[sympy.Symbol]) -> list[Law]:
    """Return the laws and the products of those that are linear in the momenta alone."""
    pairs = itertools.combinations_with_replacement(_straight(laws, momenta), 2)
    return [*laws, *itertools.starmap(_product, pairs)]


def _at_rest(
    constraints: Sequence[Law], space: Space, weak: Weak
) -> tuple[list[Law], list[Law], list[Law]]:
    """Return what total momenta that are zero in all runs add to laws, and the other constraints.

    An energy may be written with any of these added: their values are zero. Products with one
    momentum move the data, and tell which form is the energy; products of two totals do not.
    """
    totals = []
    for law in constraints:
        if _straight([law], space.w):
            values = evaluate([law.expression], space.symbols, weak.path)
            # A mean below the noise of one sample is none.
            if abs(values.mean()) <= values.std():
                totals.append(law)
    others = [law for law in constraints if law not in totals]
    straight = _straight(totals, space.w)
    moving = [_product(total, p) for total in straight for p in space.w if total.has(p)]
    pairs = itertools.combinations_with_replacement(straight, 2)
    return others, moving, list(itertools.starmap(_product, pairs))


def _energy_of_momenta(laws: Sequence[Law], space: Space, weak: Weak) -> Energy | None:
    laws = _with_products(laws, space.w)
    columns = [c for pair in zip(*space.pairs, strict=True) for c in pair]
    size = weak.path[:, columns].std(axis=0)

    rates = []
    for law in laws:
        h = law.expression
        force = [-h.diff(q) for q in space.q]
        for loss, factor in zip(law.losses, law.factors, strict=True):
            drag = _friction(loss, space.w)
            force = [f - as_number(factor) * g for f, g in zip(force, drag, strict=True)]
        rate = [*(h.diff(p) for p in space.w), *force]
        rates.append(evaluate(rate, space.symbols, weak.path) / size)
    weak = weak.trusting(rates)
    flows = [weak.integral(rate).ravel() for rate in rates]
    target = (weak.change(weak.path[:, columns]) / size).ravel()
    which, weights, left = needed(flows, target, SYMMETRIES.energy_gain)
    if not which or left > MOTION.weak_rest:
        return None
    return _merged([laws[k] for k in which], _simple(weights))[0]


def _simple(weights: np.ndarray) -> np.ndarray:
    """Return weights, those near to a half or a whole number as that: a fit may still move them."""
    near = np.round(2 * weights) / 2
    return np.where((near != 0) & (abs(weights - near) <= _NEAR * abs(weights)), near, weights)


def _energy_of_velocities(
    laws: Sequence[Law], space: Space, weak: Weak, free: Sequence[Law] = ()
) -> Energy | None:
    """Find the sums of laws h that obey d/dt ∂h/∂w = ∂(2T − h)/∂q, and one with definite masses.

    Those that move nothing, the free ones, are added where the masses need them.
    """
    usable = _kinetic(_with_products(laws, space.w), space)
    speed = weak.path[:, [j for _, j in space.pairs]].std(axis=0)
    # Powers, in one unit. Not of the momentum's change: a total momentum has none.
    paths = [[part * speed for part in _pushed(law, space, weak.path)] for law in usable]
    weak = weak.trusting([pushed for _, pushed in paths])
    sizes = [weak.begin(momenta).ravel() for momenta, _ in paths]
    rests = [(weak.change(momenta) - weak.integral(pushed)).ravel() for momenta, pushed in paths]
    if not usable or not (np.isfinite(rests).all() and np.isfinite(sizes).all()):
        return None
    rest, whole = np.stack(rests, axis=1), np.stack(sizes, axis=1)
    size = np.linalg.norm(whole, axis=0)
    size = np.where(size > 0, size, 1.0)
    _, right, turn = np.linalg.svd(whole / size, full_matrices=False)
    known = right > 1e-6 * right[0]
    back = (turn[known].T / right[known]) / size[:, None]
    levels, vectors = np.linalg.eigh((rest @ back).T @ (rest @ back))
    sums = back @ vectors
    fine = levels <= MOTION.weak_rest
    good = fine & (levels <= SYMMETRIES.energy_gain**2 * levels[0] + 1e-5)
    # A slow drift of the whole is known worse than what moves within; without it no sum may have
    # all masses.
    sums = np.hstack(
        [np.eye(len(usable) + len(free))[:, len(usable) :], np.pad(sums, ((0, len(free)), (0, 0)))]
    )
    energies = (
        _definite([*usable, *free], sums[:, : len(free) + k], space, weak)
        for k in range(good.sum(), fine.sum() + 1)
        if k
    )
    return next(filter(None, energies), None)


def _kinetic(laws: Sequence[Law], space: Space) -> list[Law]:
    """Return the laws that are of second degree in the velocities."""
    usable = []
    for law in laws:
        hessian = sympy.hessian(law.expression, space.w)
        if not hessian.has(*space.w) and not hessian.is_zero_matrix:
            usable.append(law)
    return usable


def _pushed(law: Law, space: Space, path: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the momenta of an energy and its force along a path (m, d), both (m, n)."""
    h = law.expression
    momentum = [h.diff(w) for w in space.w]
    lagrangian = sum(w * p for w, p in zip(space.w, momentum, strict=True)) - h
    force = [lagrangian.diff(q) for q in space.q]
    for loss, factor in zip(law.losses, law.factors, strict=True):
        drag = _friction(loss, space.w)
        force = [f - as_number(factor) * g for f, g in zip(force, drag, strict=True)]
    momenta = evaluate(momentum, space.symbols, path)
    pushed = evaluate(force, space.symbols, path)
    if space.bonds is not None:
        kept, turned = along(space.bonds, space.symbols, space.q, space.w, path)
        pushed = np.einsum("nij,nj->ni", kept, pushed) + np.einsum("nij,nj->ni", turned, momenta)
        momenta = np.einsum("nij,nj->ni", kept, momenta)
    return momenta, pushed


def _energy_beside_a_field(laws: Sequence[Law], space: Space, weak: Weak) -> Energy | None:
    """Find one law that is an energy beside forces that do no work."""
    tried, found = pushes(space.q, space.w), []
    for law in _kinetic(laws, space):
        momenta, pushed = _pushed(law, space, weak.path)
        energy = _definite([law], np.ones((1, 1)), space, weak)
        if energy is None or not np.isfinite(pushed).all():
            continue
        sound = weak.trusting([pushed])
        rest = sound.change(momenta) - sound.integral(pushed)
        across = missing(rest, sound.begin(momenta), space.symbols, tried, sound)
        if across is not None:
            # In the units of the energy, which may be another multiple than the law.
            size = energy.numbers[0] / law.coefficients[law.terms.index(energy.terms[0])]
            found.append((across[2], energy._replace(across=across[0], strengths=size * across[1])))
    return min(found, key=lambda one: one[0])[1] if found else None


def _definite(laws: Sequence[Law], sums: np.ndarray, space: Space, weak: Weak) -> Energy | None:
    """Return the sum of laws (k, s) whose masses are nearest to one; None where none is definite.

    All of them move the data.
    """
    n = len(space.pairs)
    rows = np.linspace(0, len(weak.path) - 1, _POINTS).astype(int)
    masses = np.stack(
        [
            evaluate(
                list(sympy.hessian(law.expression, space.w)), space.symbols, weak.path[rows]
            ).reshape(-1, n, n)
            for law in laws
        ]
    )
    of_sums = np.einsum("kpij,ks->spij", masses, sums)
    one = np.broadcast_to(np.eye(n), of_sums[0].shape)
    # Several sums may be energies: rather one without mixed masses.
    count = np.where(np.eye(n) > 0, 1.0, _UNMIXED)
    matrix = (of_sums * count).reshape(len(of_sums), -1).T
    found = sums @ np.linalg.lstsq(matrix, one.ravel(), rcond=None)[0]
    found *= one.sum() / np.einsum("kpii,k->", masses, found)
    # A law alone keeps its own size; so does a sum in which rounding left traces of others.
    part = np.abs(found) * np.linalg.norm(masses.reshape(len(masses), -1), axis=1)
    found = np.where(part > 1e-3 * part.max(), found, 0.0)
    largest = int(np.argmax(np.abs(found)))
    if np.count_nonzero(found) == 1:
        found = found / abs(found[largest])
    found = _simple(found)
    levels = np.linalg.eigvalsh(np.einsum("kpij,k->pij", masses, found))
    definite = levels[:, 0] > MOTION.no_mass * np.abs(levels).max(axis=1)
    if np.mean(definite) <= SYMMETRIES.definite_share:
        return None
    remark = ""
    if sums.shape[1] > 1:
        remark = (
            f"the energy: {sums.shape[1]} independent sums of the laws give the same motion, and "
            "the masses that come nearest to one were taken"
        )
    kept = np.flatnonzero(found)
    energy, sizes = _merged([laws[k] for k in kept], found[kept], remark)
    return _unmixed(energy, sizes, space)


def _unmixed(energy: Energy, sizes: np.ndarray, space: Space) -> Energy:
    """Return an energy without its mixed masses, where they cancel but for errors of the laws."""
    mixed = np.array(
        [
            any(t.diff(a).diff(b) != 0 for a, b in itertools.combinations(space.w, 2))
            for t in energy.terms
        ]
    )
    if np.any(np.abs(energy.numbers[mixed]) > _NEAR * sizes[mixed]):
        return energy
    terms = [term for term, gone in zip(energy.terms, mixed, strict=True) if not gone]
    return energy._replace(terms=terms, numbers=energy.numbers[~mixed])


def _degree(loss: sympy.Expr, speeds: Sequence[sympy.Symbol]) -> sympy.Integer | None:
    """Return the degree of what friction takes in the speeds; None where it has none above zero."""
    symbols = sorted(loss.free_symbols, key=str)
    if not set(symbols) & set(speeds):
        return None
    points = np.random.default_rng(0).uniform(0.5, 1.5, (5, len(symbols)))
    # Euler: w·∂D/∂w = n D.
    ratio = evaluate([sum(w * loss.diff(w) for w in speeds) / loss], symbols, points)
    degree = round(float(ratio[0, 0]))
    return sympy.Integer(degree) if degree and np.allclose(ratio, degree, atol=1e-9) else None


def _friction(loss: sympy.Expr, speeds: Sequence[sympy.Symbol]) -> list[sympy.Expr]:
    """Return the force, but for its sign, that takes `loss` in a unit of time."""
    degree = _degree(loss, speeds)
    return [_without_signs(loss.diff(w) / degree, w) for w in speeds]


def _without_signs(force: sympy.Expr, w: sympy.Symbol) -> sympy.Expr:
    """Return a force with w |w| for w² sign w."""
    changed = sympy.expand(force.subs(sympy.sign(w), sympy.Abs(w) / w))
    return force if changed.has(1 / w) else changed


class _Unknown(NamedTuple):
    """The numbers of an energy: symbols or values of all, and of those that are free more."""

    used: list[sympy.Expr]
    free: tuple[sympy.Symbol, ...]
    values: np.ndarray
    titles: tuple[str, ...]
    ties: Ties

    def equations(self, symbols: tuple[sympy.Symbol, ...], rates: Sequence) -> Equations:
        """Return rates with these numbers."""
        return Equations(symbols, tuple(rates), self.free, self.values, self.titles, self.ties)


def _unknown(energy: Energy, fixed: int | None, space: Space) -> _Unknown:
    """Return the numbers of the terms, of which one may be fixed, and those that are free."""
    numbers = [*energy.numbers, *energy.factors, *energy.strengths]
    symbols = list(parameters(len(numbers)))
    titles = [*map(str, energy.terms), *(f"loss: {loss}" for loss in energy.losses)]
    titles += [push.title for push in energy.across]
    free = [k for k in range(len(symbols)) if k != fixed]
    used = [s if k in free else as_number(numbers[k]) for k, s in enumerate(symbols)]
    # Only terms of the energy: a loss of one half has nothing to do with a mass of one.
    own = [*energy.numbers, *(np.nan for _ in numbers[len(energy.terms) :])]
    moving = [bool(term.free_symbols & set(space.w)) for term in energy.terms]
    moving += [False] * (len(numbers) - len(moving))
    return _Unknown(
        used,
        tuple(symbols[k] for k in free),
        np.array([numbers[k] for k in free]),
        tuple(titles[k] for k in free),
        Ties.of(own, free, moving),
    )


def _hamilton(energy: Energy, space: Space) -> Equations:
    unknown = _unknown(energy, None, space)
    used = unknown.used
    h = sympy.Add(*(a * t for a, t in zip(used, energy.terms, strict=False)))
    rates = [sympy.Integer(0)] * len(space.symbols)
    for i in space.clock:
        rates[i] = sympy.Integer(1)
    for (i, j), q, p in zip(space.pairs, space.q, space.w, strict=True):
        rates[i], rates[j] = h.diff(p), -h.diff(q)
    for a, loss in zip(used[len(energy.terms) :], energy.losses, strict=True):
        force = _friction(loss, space.w)
        for (_, j), f in zip(space.pairs, force, strict=True):
            rates[j] -= a * f
    return unknown.equations(space.symbols, rates)


def _lagrange(energy: Energy, space: Space) -> Equations | None:
    # A factor of the energy changes nothing: the first kinetic term keeps its number.
    kinetic = [
        k for k, term in enumerate(energy.terms) if not sympy.hessian(term, space.w).is_zero_matrix
    ]
    unknown = _unknown(energy, kinetic[0], space)
    used = unknown.used
    h = sympy.Add(*(a * t for a, t in zip(used, energy.terms, strict=False)))
    momentum = sympy.Matrix([h.diff(w) for w in space.w])
    mass = momentum.jacobian(space.w).applyfunc(sympy.expand)
    lagrangian = sum(w * p for w, p in zip(space.w, momentum, strict=True)) - h
    q, w = sympy.Matrix(space.q), sympy.Matrix(space.w)
    force = sympy.Matrix([lagrangian.diff(x) for x in q]) - (mass * w).jacobian(q) * w
    besides = used[len(energy.terms) :]
    for a, loss in zip(besides, energy.losses, strict=False):
        force -= a * sympy.Matrix(_friction(loss, space.w))
    for a, push in zip(besides[len(energy.losses) :], energy.across, strict=True):
        force += a * sympy.Matrix(push.force)
    if mass.is_diagonal():
        pushed = [
            sympy.Add(*(part / m for part in sympy.Add.make_args(f)))
            for f, m in zip(force, mass.diagonal(), strict=True)
        ]
    elif len(space.pairs) <= _MOST_MIXED:
        pushed = list(mass.adjugate() * force / mass.det())
    else:
        return None
    if space.bonds is not None:
        pushed = bound(sympy.Matrix(pushed), mass.inv(method="ADJ"), space.bonds, space.q, space.w)
    rates = [sympy.Integer(0)] * len(space.symbols)
    for i in space.clock:
        rates[i] = sympy.Integer(1)
    for (i, j), speed, push in zip(space.pairs, space.w, pushed, strict=True):
        rates[i], rates[j] = speed, push
    return unknown.equations(space.symbols, rates)
