"""Motion of fields: u_t = J δE/δu, with brackets of the usual field equations.

    canonical           u_t = δE/δv,   v_t = −δE/δu
    along x             u_t = ∂x δE/δu                              (Korteweg, de Vries)
    crossed along x     u_t = ∂x δE/δv,   v_t = ∂x δE/δu            (shallow water, Boussinesq)
    shallow water       h_t = −∇·δE/δu,   u_t = δE/δu × ω/h − ∇δE/δh    (in a plane)
    incompressible      u_t = P (δE/δu × ω),   P leaves no divergence   (in a plane, in space)
    vorticity           w_t = {w, δE/δw} = w_x (δE/δw)_y − w_y (δE/δw)_x    (in a plane)

ω = ∇ × u. A law whose flow is the measured motion, at some unit of time, is the energy. In the
bracket that has one, a law whose flow is ∂u/∂x is the momentum along x, and what turns u into v is
the wave action. The energy of vorticity is no integral of a local density: there it is the stream
function, Δψ = w, that tells the bracket.

Source: P. J. Morrison, Rev. Mod. Phys. 70, 467 (1998), sections III and IV; P. J. Olver,
*Applications of Lie Groups to Differential Equations* (1993), ch. 7.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from discovery.criteria import SYMMETRIES
from discovery.noether.motion import Candidate, MeasuredMotion
from discovery.pde.densities import Jets
from discovery.pde.grid import Grid

# Values of fields that are compared, in whole runs, and the fewest runs.
_VALUES, _FEWEST = 200_000, 2


class Told(NamedTuple):
    """What a law of fields is called, and the symmetry behind it; None where nothing tells."""

    name: str | None = None
    symmetry: str | None = None


class _Bracket(NamedTuple):
    """The flow (n, F, …) of a function by its slopes (n, F, …) at fields (n, F, …).

    And what of the fields it moves: noise has a divergence.
    """

    flow: Callable[[np.ndarray, np.ndarray], np.ndarray]
    moved: Callable[[np.ndarray], np.ndarray] = np.asarray
    canonical: bool = False


_ENERGY = Told("energy", "time translation")
_CANONICAL = _Bracket(lambda u, s: np.stack([s[:, 1], -s[:, 0]], axis=1), canonical=True)


@dataclass(frozen=True)
class _Ring:
    """Fields (n, F, …, ny, nx) on a grid whose ends meet."""

    grid: Grid

    @property
    def axes(self) -> list[int]:
        """The axes of x, y and z."""
        return [-1 - k for k in range(self.grid.n_axes)]

    def of(self, states: np.ndarray) -> np.ndarray:
        """Return the fields of states (n, d)."""
        return states[:, self.grid.columns].reshape(len(states), -1, *self.grid.shape)

    def states(self, fields: np.ndarray) -> np.ndarray:
        """Return the states (n, d) of fields."""
        out = np.empty((len(fields), self.grid.columns.size))
        out[:, self.grid.columns] = fields.reshape(len(fields), *self.grid.columns.shape)
        return out

    def d(self, fields: np.ndarray, axis: int) -> np.ndarray:
        """Return a derivative along an axis."""
        return self._times(1j * self._numbers(axis), fields)

    def along(self, fields: Sequence[np.ndarray]) -> np.ndarray:
        """Return ∇·u of one field (n, …) for each direction."""
        return sum(self.d(u, axis) for u, axis in zip(fields, self.axes, strict=True))

    def gradient(self, field: np.ndarray) -> list[np.ndarray]:
        """Return the slopes of a field (n, …) along x, y and z."""
        return [self.d(field, axis) for axis in self.axes]

    def potential(self, field: np.ndarray) -> np.ndarray:
        """Return Δ⁻¹ of a field, without a mean."""
        squares = sum(self._numbers(axis) ** 2 for axis in self.axes)
        return self._times(-1 / np.where(squares == 0, np.inf, squares), field)

    def _numbers(self, axis: int) -> np.ndarray:
        n, h = self.grid.shape[axis], self.grid.spacings[axis]
        numbers = 2 * np.pi * np.fft.fftfreq(n, h)
        if n % 2 == 0:
            numbers[n // 2] = 0.0  # a wave of two points has no slope at them
        return numbers.reshape([n if k == axis else 1 for k in range(-self.grid.n_axes, 0)])

    def _times(self, factor: np.ndarray, fields: np.ndarray) -> np.ndarray:
        over = tuple(self.axes)
        return np.fft.ifftn(factor * np.fft.fftn(fields, axes=over), axes=over).real


def told_by_flow(laws: Sequence[Candidate], grid: Grid, motion: MeasuredMotion) -> list[Told]:
    """Name integrals by what they move.

    Parameters
    ----------
    laws : sequence of Candidate
        Integrals as functions of the values on the grid.
    grid : Grid
    motion : MeasuredMotion
        Of these values.

    Returns
    -------
    list of Told
        Nothing for all where no bracket gives the motion, or more than one does, and between walls.
        Where there are coordinates beside the fields the energy alone.
    """
    nothing = [Told()] * len(laws)
    if not laws or not motion.windows or any(map(any, grid.walls)):
        return nothing
    motion = _beginning(motion)
    slopes = [law.gradient(motion.states) for law in laws]
    if not all(np.isfinite(slope).all() for slope in slopes):
        return nothing
    if grid.beside:
        energy = _energy_beside(slopes, grid, motion)
        return [_ENERGY if k == energy else Told() for k in range(len(laws))]
    ring, found = _Ring(grid), []
    fields = ring.of(motion.states)
    for bracket in _brackets(ring):
        flows = [ring.states(bracket.flow(fields, ring.of(slope))) for slope in slopes]
        energies = [k for k, flow in enumerate(flows) if _is_motion(flow, ring, motion)]
        if len(energies) == 1:
            found.append((bracket, energies[0], flows))
    if len(found) != 1:
        return nothing
    bracket, energy, flows = found[0]
    moved = bracket.moved(fields)
    told = [_moved(flow, moved, ring, bracket.canonical) for flow in flows]
    if told[energy] == Told():
        told[energy] = _ENERGY
    return told


def _energy_beside(slopes: Sequence[np.ndarray], grid: Grid, motion: MeasuredMotion) -> int | None:
    """Return which law moves the fields by a bracket, and the coordinates beside them in pairs.

    Each pair, and the fields, in a unit of its own, as bodies have masses of their own.
    """
    here = np.sort(grid.columns, axis=None)
    inner = replace(grid, columns=np.searchsorted(here, grid.columns), beside=(), places=())
    parts = [(_Ring(inner), here, _brackets(_Ring(inner)))]
    if len(grid.beside) != 2:
        return None
    still = ((False,),) * 2
    pair = _Ring(Grid(("q", "p"), np.array([[0], [1]]), (1,), (1.0,), still))
    parts.append((pair, np.array(grid.beside), [_CANONICAL]))
    moving = set(range(len(slopes)))
    for ring, columns, brackets in parts:
        own = replace(motion, states=motion.states[:, columns], noise=motion.noise[columns])
        fields = ring.of(own.states)
        flows = [
            {k: ring.states(bracket.flow(fields, ring.of(slopes[k][:, columns]))) for k in moving}
            for bracket in brackets
        ]
        moving = {k for some in flows for k, flow in some.items() if _is_motion(flow, ring, own)}
    return moving.pop() if len(moving) == 1 else None


def is_vorticity(grid: Grid, motion: MeasuredMotion) -> bool:
    """Tell whether the one field in a plane is the vorticity of a flow without friction.

    Parameters
    ----------
    grid : Grid
    motion : MeasuredMotion
        Of the values on the grid.
    """
    if (len(grid.fields), grid.n_axes) != (1, 2) or any(map(any, grid.walls)) or grid.beside:
        return False
    if not motion.windows:
        return False
    ring, motion = _Ring(grid), _beginning(motion)
    w = ring.of(motion.states)
    (wx, wy), (px, py) = ring.gradient(w), ring.gradient(ring.potential(w))
    return _is_motion(ring.states(wx * py - wy * px), ring, motion)


def _is_motion(flow: np.ndarray, ring: _Ring, motion: MeasuredMotion) -> bool:
    """Tell whether a multiple of a flow (n, d) is the measured motion.

    Each wave counts as much as it moves: in the short ones derivatives raise the noise.
    """
    spread = ring.of(motion.states).std(axis=(0, *ring.axes), keepdims=True)
    over = tuple(ring.axes)

    def waves(values: np.ndarray) -> np.ndarray:
        return np.fft.fftn(ring.of(values) / spread, axes=over, norm="ortho")

    change, own = waves(motion.change(motion.states)), waves(motion.integral(flow))
    weights = np.mean(np.abs(change) ** 2, axis=0)

    def product(one: np.ndarray, other: np.ndarray) -> float:
        return float(np.sum(weights * (one.conj() * other).real))

    square, moved = product(own, own), product(change, change)
    if not square > 0:
        return False
    rest = change - product(own, change) / square * own
    noise = ring.of(motion.noise[None]) / spread
    power = np.mean(noise**2, axis=over, keepdims=True)[0]
    both_ends = 2 * len(change) * float(np.sum(weights * power))
    most = SYMMETRIES.flow_noise * both_ends + SYMMETRIES.flow_rest * moved
    # Where noise hides the motion, any flow would do.
    return product(rest, rest) <= most < moved


def _beginning(motion: MeasuredMotion) -> MeasuredMotion:
    """Return the motion of the first runs."""
    rows = _VALUES // motion.states.shape[1]
    runs = max(_FEWEST, int(np.searchsorted(motion.offsets, rows, side="right")) - 1)
    last = motion.offsets[: runs + 1][-1]
    return replace(
        motion,
        states=motion.states[:last],
        times=motion.times[:last],
        offsets=motion.offsets[: runs + 1],
    )


def _brackets(ring: _Ring) -> Iterator[_Bracket]:
    """Yield the brackets of so many fields in so many directions."""
    n, axes = len(ring.grid.fields), ring.axes
    if n == 1:
        for axis in axes:
            yield _Bracket(lambda u, s, axis=axis: ring.d(s, axis))
    if n == 2:
        yield _CANONICAL
        for axis in axes:
            yield _Bracket(lambda u, s, axis=axis: ring.d(s[:, ::-1], axis))
    if n == len(axes) > 1:
        for order in itertools.permutations(range(n)):
            yield _Bracket(
                lambda u, s, order=order: _incompressible(ring, u, s, list(order)),
                lambda u, order=order: _projected(ring, u, list(order)),
            )
    if (n, len(axes)) == (3, 2):
        for order in itertools.permutations(range(n)):
            yield _Bracket(lambda u, s, order=order: _shallow(ring, u, s, list(order)))


def _incompressible(ring: _Ring, u: np.ndarray, slope: np.ndarray, order: list[int]) -> np.ndarray:
    """Return P (s × ω), the fields `order` being the velocities along x, y and z."""
    across = np.empty_like(u)
    parts = _across(ring, [u[:, k] for k in order], [slope[:, k] for k in order])
    for k, part in zip(order, parts, strict=True):
        across[:, k] = part
    return _projected(ring, across, order)


def _projected(ring: _Ring, u: np.ndarray, order: list[int]) -> np.ndarray:
    """Return fields without divergence."""
    out = u.copy()
    pressure = ring.gradient(ring.potential(ring.along([u[:, k] for k in order])))
    for k, slope in zip(order, pressure, strict=True):
        out[:, k] -= slope
    return out


def _shallow(ring: _Ring, u: np.ndarray, slope: np.ndarray, order: list[int]) -> np.ndarray:
    """Return the flow of water whose depth and velocities along x and y are the fields `order`."""
    depth, *velocity = (u[:, k] for k in order)
    by_depth, *by_velocity = (slope[:, k] for k in order)
    across = _across(ring, velocity, by_velocity)
    out = np.empty_like(u)
    out[:, order[0]] = -ring.along(by_velocity)
    for k, a, down in zip(order[1:], across, ring.gradient(by_depth), strict=True):
        out[:, k] = a / depth - down
    return out


def _across(
    ring: _Ring, velocity: Sequence[np.ndarray], slope: Sequence[np.ndarray]
) -> list[np.ndarray]:
    """Return s × ω, ω = ∇ × u, in a plane or in space."""
    if len(velocity) == 2:
        (u, v), (s, t) = velocity, slope
        spin = ring.d(v, -1) - ring.d(u, -2)
        return [t * spin, -s * spin]
    u, (x, y, z) = velocity, ring.axes
    spin = [
        ring.d(u[2], y) - ring.d(u[1], z),
        ring.d(u[0], z) - ring.d(u[2], x),
        ring.d(u[1], x) - ring.d(u[0], y),
    ]
    return list(np.cross(np.stack(slope), np.stack(spin), axis=0))


def _moved(flow: np.ndarray, fields: np.ndarray, ring: _Ring, canonical: bool) -> Told:
    """Tell a flow that moves the fields along an axis, or turns one into the other."""
    grid = ring.grid
    names = Jets(grid.fields, grid.n_axes).variables
    for axis, name in zip(ring.axes, names, strict=True):
        if _is_multiple(flow, ring.states(ring.d(fields, axis))):
            return Told(f"momentum along {name}", f"translation along {name}")
    if canonical:
        turned = np.stack([fields[:, 1], -fields[:, 0]], axis=1)
        if _is_multiple(flow, ring.states(turned)):
            return Told("wave action", f"rotation in ({', '.join(grid.fields)})")
    return Told()


def _is_multiple(flow: np.ndarray, other: np.ndarray) -> bool:
    """Tell whether a flow is a multiple of another, but for rounding of formulas."""
    size, square = np.sum(flow * flow), np.sum(other * other)
    if not (size > 0 and square > 0):
        return False
    rest = flow - np.sum(flow * other) / square * other
    return bool(np.sum(rest * rest) <= SYMMETRIES.equal_coefficients**2 * size)
