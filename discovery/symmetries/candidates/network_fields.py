r"""Vector fields that are learned: a small network whose outputs span the symmetries.

The candidates are ξ = Σ_f c_f φ_f(x) along each axis, φ_f constants, the coordinates' features u
and hidden units tanh(w·u + b). For given w and b the best c solve the eigenproblem of
`discovery.symmetries.lie_operators`, which makes the fields orthonormal in its denominator; w and b
descend on

    Σ_k log(λ_k + ε),        ∂λ_k = 2 r_k · ∂r_k − 2 λ_k s_k · ∂s_k,

over the n(n+1)/2 smallest λ, r_k and s_k the rows of numerator and denominator of the k-th field.
The logarithm spends units on fields that can become symmetries. Points that judge take no part.

Source: variable projection, Golub & Pereyra, SIAM J. Numer. Anal. 10 (1973) 413.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import sympy

from discovery.symmetries.candidates.fields import Fields
from discovery.symmetries.candidates.smooth_fields import along_axes


class NetworkFields:
    """Outputs of a network with one hidden layer, along each axis.

    They are `CandidateFields`.

    Parameters
    ----------
    symbols : sequence of n sympy.Symbol
    roles : sequence of n
        Angles enter by cosine and sine, other coordinates over their spread.
    points : (N, n) array
        Tell the spread.
    weights : (H, F + 1) array
        w and b of each unit.
    """

    def __init__(
        self,
        symbols: Sequence[sympy.Symbol],
        roles: Sequence[str | None],
        points: np.ndarray,
        weights: np.ndarray,
    ) -> None:
        self.symbols, self.weights = tuple(symbols), weights
        self._angles = [role == "angle" for role in roles]
        self._middle, spread = points.mean(axis=0), points.std(axis=0)
        self._spread = np.where(spread > 0, spread, 1.0)

    @property
    def dim(self) -> int:
        """Number of coordinates n."""
        return len(self.symbols)

    @property
    def width(self) -> int:
        """Number F of features."""
        return self.dim + sum(self._angles)

    def __len__(self) -> int:
        return self.dim * (1 + self.width + len(self.weights))

    @property
    def fields(self) -> list[str]:
        """One name a field, for messages."""
        return [f"output {i}" for i in range(len(self))]

    def with_weights(self, flat: np.ndarray) -> NetworkFields:
        """Return the fields of other weights, as one row."""
        other = object.__new__(NetworkFields)
        other.__dict__ = {**self.__dict__, "weights": flat.reshape(self.weights.shape)}
        return other

    def jets(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return values (N, m, n) and slopes (N, m, n, n), as `Fields.jets`."""
        u, du = self._features(np.asarray(points, dtype=float))
        t, _, dt = self._units(u, du)
        one = np.ones((len(u), 1))
        values = np.concatenate([one, u, t], axis=1)
        return along_axes(values, np.concatenate([0 * du[:, :1], du, dt], axis=1))

    def tangents(self) -> Fields:
        """Return the derivatives of the hidden units by their weights, as fields."""
        return _Tangents(self)

    def combine(self, coefficients: Sequence[float]) -> tuple[sympy.Expr, ...]:
        """Return the components of Σ c_f ξ_f."""
        features = []
        for k, s in enumerate(self.symbols):
            if self._angles[k]:
                features += [sympy.cos(s), sympy.sin(s)]
            else:
                features.append((s - float(self._middle[k])) / float(self._spread[k]))
        units = [
            sympy.tanh(sympy.Add(*(float(a) * u for a, u in zip(w, features, strict=False)), w[-1]))
            for w in self.weights
        ]
        table = np.asarray(coefficients, dtype=float).reshape(-1, self.dim)
        scalars = [sympy.Integer(1), *features, *units]
        return tuple(
            sympy.Add(*(float(c) * f for c, f in zip(column, scalars, strict=True) if c))
            for column in table.T
        )

    def _features(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return u (N, F) and its slopes (N, F, n)."""
        values, slopes = [], []
        for k, column in enumerate(points.T):
            if self._angles[k]:
                pairs = [(np.cos(column), -np.sin(column)), (np.sin(column), np.cos(column))]
            else:
                one = np.full(len(column), 1 / self._spread[k])
                pairs = [((column - self._middle[k]) / self._spread[k], one)]
            for value, slope in pairs:
                values.append(value)
                slopes.append(slope[:, None] * np.eye(self.dim)[k])
        return np.stack(values, axis=1), np.stack(slopes, axis=1)

    def _units(self, u: np.ndarray, du: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return t = tanh z, 1 − t² (N, H) and ∂t (N, H, n)."""
        t = np.tanh(u @ self.weights[:, :-1].T + self.weights[:, -1])
        s = 1 - t**2
        return t, s, s[:, :, None] * np.einsum("hf,bfk->bhk", self.weights[:, :-1], du)


class _Tangents:
    """Fields ∂φ_h/∂θ along each axis, θ the weights and the bias of unit h, in their order."""

    def __init__(self, network: NetworkFields) -> None:
        self._network = network

    def __len__(self) -> int:
        return self._network.dim * self._network.weights.size

    @property
    def fields(self) -> list[str]:
        return ["derivative"] * len(self)

    def jets(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        u, du = self._network._features(points)
        t, s, dt = self._network._units(u, du)
        full = np.concatenate([u, np.ones((len(u), 1))], axis=1)
        dfull = np.concatenate([du, 0 * du[:, :1]], axis=1)
        values = s[:, :, None] * full[:, None, :]
        bend = -2 * t[:, :, None] * dt  # slopes of 1 − t²
        slopes = bend[:, :, None, :] * full[:, None, :, None]
        slopes = slopes + s[:, :, None, None] * dfull[:, None, :, :]
        count, n = points.shape
        return along_axes(values.reshape(count, -1), slopes.reshape(count, -1, n))
