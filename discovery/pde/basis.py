"""Waves to expand a field in: on a line, in a plane, in space.

A field on N points is a sum of waves, u_p = Σ_k a_k B_pk, with orthonormal columns B: white noise
on the points is white noise on the amplitudes, and the derivatives of u are those of the waves. In
a plane and in space waves are products of those along the axes. Along an axis that is a ring these
are 1, cos and sin; between walls, where the ends do not meet, they are cosines of half periods,
which have no slope at either end, or for a field that is zero at both, sines of half periods.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from enum import IntEnum

import numpy as np


class Ends(IntEnum):
    """What holds at the ends of an axis.

    RING : the ends meet.
    WALLS : no slope, at walls half a step beyond the first and the last point.
    FIXED_ON, FIXED_HALF, FIXED_BEYOND : zero, at the first and the last point, or at walls half a
        step or a step beyond them.
    """

    RING = 0
    WALLS = 1
    FIXED_ON = 2
    FIXED_HALF = 3
    FIXED_BEYOND = 4

    @property
    def is_fixed(self) -> bool:
        """Whether the field is zero there."""
        return self >= Ends.FIXED_ON

    @property
    def beyond(self) -> float:
        """Steps from the first point to a wall."""
        return {Ends.RING: 0.0, Ends.FIXED_ON: 0.0, Ends.FIXED_BEYOND: 1.0}.get(self, 0.5)

    def steps(self, n_points: int) -> float:
        """Return the steps from one wall to the other, or around a ring."""
        return n_points if self == Ends.RING else n_points - 1 + 2 * self.beyond

    def numbers(self, n_points: int) -> np.ndarray:
        """Return each wave's number of periods around a ring, or of half periods, (n,)."""
        i = np.arange(n_points)
        return (i + 1) // 2 if self == Ends.RING else i + self.is_fixed

    def weights(self, n_points: int) -> np.ndarray:
        """Return what each point counts in a sum that is an integral over the steps, (n,).

        Exact for products of two waves of half the grid's wave numbers or less. Where the walls are
        a step beyond, products of slopes are not zero there: their values at the walls are read off
        the points, between which they are waves too.
        """
        weights, p = np.ones(n_points), np.arange(1, n_points + 1)
        if self == Ends.FIXED_ON:
            weights[[0, -1]] = 0.5
        elif self == Ends.FIXED_BEYOND:
            phase = 1.0 if n_points % 2 else np.cos(np.pi * p / (n_points + 1))
            weights -= (-1.0) ** p * phase
        return weights


class Basis:
    """Waves on a grid, in the order of their wave numbers.

    Parameters
    ----------
    shape : sequence of D int
        Points along each axis.
    spacings : sequence of D float
        Between neighbouring points along each axis.
    walls : sequence of D Ends
        What holds at the ends of each axis.
    kept : (K,) array of int, optional
        Places, in the order of wave numbers, of the waves that are kept; all N by default.

    Attributes
    ----------
    shells : (K,) array of int
        Each wave's wave number, in units of the smallest one. Waves of one shell swing alike.
    indices : (K, D) array of int
        Each wave's number along each axis.
    """

    def __init__(
        self,
        shape: Sequence[int],
        spacings: Sequence[float],
        walls: Sequence[bool],
        kept: np.ndarray | None = None,
    ) -> None:
        self.shape, self.spacings = tuple(shape), tuple(spacings)
        self.walls = tuple(map(Ends, walls))
        axes = list(zip(self.shape, self.spacings, self.walls, strict=True))
        units = [np.pi * (1 if ends else 2) / (ends.steps(n) * h) for n, h, ends in axes]
        steps = [ends.numbers(n) for n, _, ends in axes]
        along = np.meshgrid(*(k * u for k, u in zip(steps, units, strict=True)), indexing="ij")
        size = np.sqrt(sum(k**2 for k in along)).ravel() / min(units)
        shells = np.rint(size).astype(int)
        order = np.argsort(shells, kind="stable")
        order = order if kept is None else order[kept]
        self.shells = shells[order]
        self.indices = np.stack(np.unravel_index(order, self.shape), axis=1)
        self.frequencies = np.stack(
            [k[i] for k, i in zip(steps, self.indices.T, strict=True)], axis=1
        )
        # The box of waves along the axes that holds those kept.
        self._box = tuple(self.indices.max(axis=0) + 1)
        self._places = np.ravel_multi_index(tuple(self.indices.T), self._box)

    def __len__(self) -> int:
        return len(self.indices)

    @property
    def n_points(self) -> int:
        """Number of points N."""
        return int(np.prod(self.shape))

    @property
    def groups(self) -> list[np.ndarray]:
        """The waves of each shell, from long to short."""
        return [np.flatnonzero(self.shells == shell) for shell in np.unique(self.shells)]

    def among(self, kept: np.ndarray) -> Basis:
        """Return some of all the waves.

        Parameters
        ----------
        kept : (K,) array of int
            In ascending order; of a basis that has all waves.
        """
        return Basis(self.shape, self.spacings, self.walls, kept)

    def scaled(self, length: float) -> Basis:
        """Return the same waves in another unit of length.

        Parameters
        ----------
        length : float
        """
        out = Basis.__new__(Basis)
        out.__dict__.update(self.__dict__)
        out.__dict__.pop("_along", None)
        out.spacings = tuple(h / length for h in self.spacings)
        return out

    def field(self, amplitudes: np.ndarray, orders: Sequence[int] = ()) -> np.ndarray:
        """Return a derivative of the field with amplitudes (n, K) at the points, (n, N).

        Parameters
        ----------
        amplitudes : (n, K) array
        orders : sequence of D int, optional
            Of the derivative along each axis; none by default.
        """
        return self._at_points(amplitudes, self._matrices(orders))

    def amplitudes(self, values: np.ndarray, orders: Sequence[int] = ()) -> np.ndarray:
        """Return Σ_p v_p B⁽ᵏ⁾_p, (n, K): amplitudes of values (n, N), or the adjoint of `field`.

        Parameters
        ----------
        values : (n, N) array
        orders : sequence of D int, optional
        """
        return self._over_points(values, self._matrices(orders))

    def power(self, values: np.ndarray) -> np.ndarray:
        """Return Σ_p v_p B_pk², (n, K): what independent values of variance v give amplitudes.

        Parameters
        ----------
        values : (n, N) array
        """
        return self._over_points(values, [m**2 for m in self._matrices(())])

    def local(self, variance: np.ndarray, one: Sequence[int], other: Sequence[int]) -> np.ndarray:
        """Return Σ_k v_k B⁽ᵃ⁾_pk B⁽ᵇ⁾_pk, (n, N): a covariance of two derivatives at a point.

        Parameters
        ----------
        variance : (n, K) array
            Of the amplitudes.
        one, other : sequence of D int
            Orders of the two derivatives.
        """
        pairs = zip(self._matrices(one), self._matrices(other), strict=True)
        return self._at_points(variance, [a * b for a, b in pairs])

    def dense(self, orders: Sequence[int] = ()) -> np.ndarray:
        """Return the waves, or a derivative of them, as one matrix (N, K).

        Parameters
        ----------
        orders : sequence of D int, optional
        """
        out = np.ones((1, len(self)))
        for matrix, index in zip(self._matrices(orders), self.indices.T, strict=True):
            out = (out[:, None, :] * matrix[None, :, index]).reshape(-1, len(self))
        return out

    def at(self, places: np.ndarray, order: int = 0) -> np.ndarray:
        """Return the waves on a line, or a derivative of them, at any places, (n, K).

        Parameters
        ----------
        places : (n,) array
            From the first point on; between walls those beyond are mirrored.
        order : int
        """
        arguments = self.shape[0], self.spacings[0], self.walls[0], order
        return waves(*arguments, places)[:, self.indices[:, 0]]

    def _matrices(self, orders: Sequence[int]) -> list[np.ndarray]:
        orders = tuple(orders) or (0,) * len(self.shape)
        return [along[order] for along, order in zip(self._along, orders, strict=True)]

    @functools.cached_property
    def _along(self) -> list[_Axis]:
        axes = zip(self.shape, self.spacings, self.walls, self._box, strict=True)
        return [_Axis(*axis) for axis in axes]

    def _at_points(self, amplitudes: np.ndarray, matrices: list[np.ndarray]) -> np.ndarray:
        box = np.zeros((len(amplitudes), int(np.prod(self._box))))
        box[:, self._places] = amplitudes
        return _along_axes(box.reshape(-1, *self._box), matrices)

    def _over_points(self, values: np.ndarray, matrices: list[np.ndarray]) -> np.ndarray:
        box = _along_axes(values.reshape(-1, *self.shape), [m.T for m in matrices])
        return box[:, self._places]


class _Axis(dict):
    """The waves along one axis by the order of their derivative, made when they are asked for."""

    def __init__(self, n_points: int, spacing: float, walls: bool, n_waves: int) -> None:
        self._arguments, self._kept = (n_points, spacing, walls), n_waves

    def __missing__(self, order: int) -> np.ndarray:
        self[order] = np.ascontiguousarray(waves(*self._arguments, order)[:, : self._kept])
        return self[order]


def _along_axes(values: np.ndarray, matrices: list[np.ndarray]) -> np.ndarray:
    """Multiply each axis of values (n, m1, …, mD) by its matrix (p, m), and flatten: (n, P)."""
    for matrix in matrices:
        # The axis in front goes, and comes back at the end.
        values = np.tensordot(values, matrix, axes=(1, 1))
    return values.reshape(len(values), -1)


def waves(
    n_points: int,
    spacing: float,
    walls: Ends,
    order: int = 0,
    places: np.ndarray | None = None,
) -> np.ndarray:
    """Return orthonormal waves along an axis, or a derivative of them.

    Parameters
    ----------
    n_points : int
    spacing : float
    walls : Ends
        Between walls waves are cosines of half periods, or where the field is fixed, sines.
    order : int
        Of the derivative.
    places : (P,) array, optional
        From the first point on; the N points by default.

    Returns
    -------
    (P, N) array
        ``[p, i]``: wave i at place p; frequencies ascend. Wave 0 is constant if the field is not
        fixed. If it is fixed at the end points, the last two waves are these points' values.
    """
    ends, i = Ends(walls), np.arange(n_points)
    x = spacing * np.arange(n_points) if places is None else places
    x, number = x + ends.beyond * spacing, ends.numbers(n_points)
    length = ends.steps(n_points) * spacing
    if ends == Ends.RING:
        wave_number, phase = 2 * np.pi * number / length, np.where(i % 2 == 0, -np.pi / 2, 0.0)
        phase *= i > 0
    else:
        wave_number, phase = np.pi * number / length, -np.pi / 2 * ends.is_fixed
    size = np.sqrt(np.where(number > 0, 2, 1) / ends.steps(n_points))
    angle = np.outer(x, wave_number) + phase
    out = size * wave_number**order * np.cos(angle + order * np.pi / 2)
    if ends == Ends.RING and n_points % 2 == 0:
        # The wave that changes sign from point to point has no slope that the points could show.
        out[:, -1] *= 0.0 if order and places is None else np.sqrt(0.5)
    if ends == Ends.FIXED_HALF:
        out[:, -1] *= np.sqrt(0.5)
    if ends == Ends.FIXED_ON:
        out[:, -2:] = 0.0
        if not order and places is None:
            out[[0, -1], [-2, -1]] = 1.0
    return out
