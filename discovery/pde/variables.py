"""What densities are made of, as functions of the amplitudes: how each is evaluated and answers.

    u, u_x, …   a field or a derivative of it, at all points
    u7          a field at one point of the grid
    x           a coordinate beside the fields
    u_at_x      a field at the place that a coordinate tells

The amplitudes (n, K + Z) of a state are those of the waves, and the coordinates beside the fields.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from discovery.pde.basis import Basis


class Variable(Protocol):
    """A symbol of densities.

    Attributes
    ----------
    part : slice
        The amplitudes that it depends on. Noise of two parts is independent.
    """

    part: slice

    def values(self, amplitudes: np.ndarray) -> np.ndarray:
        """Return its values (n, N), or (n, 1) where it is the same at all points.

        Parameters
        ----------
        amplitudes : (n, K + Z) array
        """

    def adjoint(self, slopes: np.ndarray, amplitudes: np.ndarray) -> np.ndarray:
        """Return Σ_p s_p ∂(value at p)/∂a, (n, k), over its part of the amplitudes.

        Parameters
        ----------
        slopes : (n, N) array
        amplitudes : (n, K + Z) array
        """


@dataclass(frozen=True)
class OfField:
    """A field, or a derivative of it.

    Attributes
    ----------
    part : slice
    basis : Basis
    orders : tuple of D int
        Of the derivative, along the axes of the grid's shape.
    """

    part: slice
    basis: Basis
    orders: tuple[int, ...]

    def values(self, amplitudes: np.ndarray) -> np.ndarray:
        """Return it at the points."""
        return self.basis.field(amplitudes[:, self.part], self.orders)

    def adjoint(self, slopes: np.ndarray, amplitudes: np.ndarray) -> np.ndarray:
        """Return what the integral of slopes times the waves is."""
        return self.basis.amplitudes(slopes, self.orders)

    def matrix(self, amplitudes: np.ndarray) -> np.ndarray:
        """Return its values as a matrix (N, k) times the amplitudes."""
        return self.basis.dense(self.orders)


@dataclass(frozen=True)
class AtPoint:
    """A field at a point of the grid.

    Attributes
    ----------
    part : slice
    basis : Basis
    point : int
    """

    part: slice
    basis: Basis
    point: int

    def values(self, amplitudes: np.ndarray) -> np.ndarray:
        """Return it, (n, 1)."""
        return amplitudes[:, self.part] @ self._waves.T

    def adjoint(self, slopes: np.ndarray, amplitudes: np.ndarray) -> np.ndarray:
        """Return the sum of the slopes times the waves at the point."""
        return slopes.sum(axis=1, keepdims=True) * self._waves

    def matrix(self, amplitudes: np.ndarray) -> np.ndarray:
        """Return the waves at the point, (1, k)."""
        return self._waves

    @property
    def _waves(self) -> np.ndarray:
        return self.basis.dense()[[self.point]]


@dataclass(frozen=True)
class AtPlace:
    """A field on a line, or a derivative of it, at the place that a coordinate tells.

    Attributes
    ----------
    part : slice
    basis : Basis
    place : int
        The amplitude that is the place, from the first point on.
    order : int
        Of the derivative.
    """

    part: slice
    basis: Basis
    place: int
    order: int

    def values(self, amplitudes: np.ndarray) -> np.ndarray:
        """Return it, (n, 1)."""
        own = amplitudes[:, self.part]
        return np.sum(own * self.matrix(amplitudes)[:, 0], axis=1, keepdims=True)

    def adjoint(self, slopes: np.ndarray, amplitudes: np.ndarray) -> np.ndarray:
        """Return the sum of the slopes times the waves at the place, which is held."""
        return slopes.sum(axis=1, keepdims=True) * self.matrix(amplitudes)[:, 0]

    def matrix(self, amplitudes: np.ndarray) -> np.ndarray:
        """Return the waves at the place of each row, (n, 1, k)."""
        return self.basis.at(amplitudes[:, self.place], self.order)[:, None, :]


@dataclass(frozen=True)
class Coordinate:
    """A coordinate beside the fields.

    Attributes
    ----------
    part : slice
        Of one amplitude, which it is.
    """

    part: slice

    def values(self, amplitudes: np.ndarray) -> np.ndarray:
        """Return it, (n, 1)."""
        return amplitudes[:, self.part]

    def adjoint(self, slopes: np.ndarray, amplitudes: np.ndarray) -> np.ndarray:
        """Return the sum of the slopes."""
        return slopes.sum(axis=1, keepdims=True)

    def matrix(self, amplitudes: np.ndarray) -> np.ndarray:
        """Return one, (1, 1)."""
        return np.ones((1, 1))


def covariance_of(
    one: Variable, other: Variable, amplitudes: np.ndarray, variance: np.ndarray
) -> np.ndarray:
    """Return the covariance of two variables of one part at each point, (n, N) or (n, 1).

    Parameters
    ----------
    one, other : Variable
    amplitudes : (n, K + Z) array
    variance : (n, k) array
        Of the part's amplitudes.
    """
    if isinstance(one, OfField) and isinstance(other, OfField):
        return one.basis.local(variance, one.orders, other.orders)
    product = one.matrix(amplitudes) * other.matrix(amplitudes)
    if product.ndim == 2:
        return variance @ product.T
    return np.einsum("nk,npk->np", variance, product)
