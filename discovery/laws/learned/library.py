"""Learned features: a small network read as a library, where no closed form in reach is flat.

The network is trained elsewhere (`laws.learned.training`); here it is plain arrays, so that its
laws are callable, pickle, and need no backend. Values, gradients and Hessian contractions are
pushed forward through its layers together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import sympy

from discovery.estimation.errors import full
from discovery.formulas.pencil import Spectrum
from discovery.libraries.monomials import symbols_of


@dataclass(frozen=True)
class Network:
    """Dense tanh layers on standardized coordinates, angles by their cosine and sine.

    Attributes
    ----------
    centre, scale : (d,) arrays
    angles : tuple of int
        Columns that are angles.
    layers : tuple of (kernel, bias)
        The last one is linear.
    """

    centre: np.ndarray
    scale: np.ndarray
    angles: tuple[int, ...]
    layers: tuple[tuple[np.ndarray, np.ndarray], ...]

    def embed(self, states: np.ndarray) -> np.ndarray:
        """Return what the first layer sees, (n, d + angles): straight columns, cos, sin."""
        angles = states[:, list(self.angles)]
        straight = np.delete((states - self.centre) / self.scale, list(self.angles), axis=1)
        return np.hstack([straight, np.cos(angles), np.sin(angles)])

    def jets(
        self, states: np.ndarray, directions: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
        """Push values and derivatives through.

        Parameters
        ----------
        states : (n, d) array
        directions : (k, n, d) array or None

        Returns
        -------
        values (n, m), derivatives along each direction (k, n, m), sum of the second ones (n, m)
        """
        value = self.embed(states)
        first = bend = None
        if directions is not None:
            straight = np.delete(directions / self.scale, list(self.angles), axis=2)
            turn = directions[:, :, list(self.angles)]
            cos, sin = np.split(value[:, straight.shape[2] :], 2, axis=1)
            first = np.concatenate([straight, -sin * turn, cos * turn], axis=2)
            square = np.sum(turn**2, axis=0)
            bend = np.hstack([np.zeros(straight.shape[1:]), -cos * square, -sin * square])
        for depth, (kernel, bias) in enumerate(self.layers, start=1):
            value = value @ kernel + bias
            if first is not None:
                first, bend = first @ kernel, bend @ kernel
            if depth == len(self.layers):
                break
            value = np.tanh(value)
            slope = 1 - value**2
            if first is not None:
                bend = slope * (bend - 2 * value * np.sum(first**2, axis=0))
                first = slope * first
        return value, first, bend


class LearnedLibrary:
    """The outputs of a network as terms.

    Parameters
    ----------
    names : sequence of length d
    network : Network
    numbers : sequence of int, optional
        What the terms are called: f1, f2, …
    """

    learned = True
    positive = ()
    fitted = 0
    is_coordinate = False

    def __init__(
        self, names: Sequence[str], network: Network, numbers: Sequence[int] | None = None
    ) -> None:
        self.symbols = symbols_of(names)
        self.network = network
        size = network.layers[-1][0].shape[1]
        self.numbers = tuple(range(1, size + 1) if numbers is None else numbers)
        self.name = "learned features"

    def __reduce__(self) -> tuple:
        return LearnedLibrary, ([s.name for s in self.symbols], self.network, self.numbers)

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def dim(self) -> int:
        """Number of coordinates d."""
        return len(self.symbols)

    def values(self, states: np.ndarray) -> np.ndarray:
        """Evaluate the features, (m, n), at states (n, d)."""
        return self.jets(states, order=0)[0]

    def expressions(self) -> list[sympy.Expr]:
        """Return each feature as an undefined function of the coordinates."""
        return [sympy.Function(f"f{k}")(*self.symbols) for k in self.numbers]

    def kinds(self) -> list[tuple]:
        """Return a kind of its own for each feature."""
        return [(k,) for k in self.numbers]

    def costs(self) -> np.ndarray:
        """Return a high cost: any closed form is simpler."""
        return np.full(len(self), 100.0)

    def restrict(self, columns: Sequence[int]) -> LearnedLibrary:
        """Return the library of the given features."""
        columns = list(columns)
        return self._with_last(np.eye(len(self))[:, columns], [self.numbers[j] for j in columns])

    def rotated(self, flat: Spectrum) -> LearnedLibrary:
        """Return the library whose terms are the spectrum's directions, flattest first."""
        return self._with_last(flat.vectors, range(1, flat.vectors.shape[1] + 1))

    def _with_last(self, mix: np.ndarray, numbers: Sequence[int]) -> LearnedLibrary:
        *layers, (kernel, bias) = self.network.layers
        network = replace(self.network, layers=(*layers, (kernel @ mix, bias @ mix)))
        return LearnedLibrary([s.name for s in self.symbols], network, numbers)

    def jets(
        self, states: np.ndarray, covariance: np.ndarray | None = None, order: int = 1
    ) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
        """Evaluate features, gradients and Hessians against a covariance.

        Parameters
        ----------
        states : (n, d) array
        covariance : (n, d, d) array, or (n, d) array of variances, optional
            Σ, needed for order 2.
        order : {0, 1, 2}

        Returns
        -------
        values : (m, n) array
        gradients : (d, m, n) array or None
        curvatures : (m, n) array or None
            tr(Σ ∇∇Φ_j).
        """
        states = np.asarray(states, dtype=float)
        n, d = states.shape
        if order == 0:
            return self.network.jets(states, None)[0].T, None, None
        units = np.broadcast_to(np.eye(d)[:, None, :], (d, n, d))
        values, first, _ = self.network.jets(states, units)
        slopes = np.swapaxes(first, 1, 2)
        if order == 1:
            return values.T, slopes, None
        half = np.moveaxis(np.linalg.cholesky(full(covariance)), 2, 0)
        return values.T, slopes, self.network.jets(states, half)[2].T
