"""Functions of framed coordinates as functions of the user's, and the other way."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import sympy

from discovery.data.frame import Frame
from discovery.estimation.errors import in_units
from discovery.formulas.charts import inside, outside, parted
from discovery.libraries.domain import Domain
from discovery.libraries.functions import Functions
from discovery.libraries.library import Library


class Framed(Functions):
    """Terms t of the user's coordinates, α t + β being the terms of framed ones.

    Their values are computed in the frame, where nothing cancels.

    Parameters
    ----------
    inner : Functions
        Of framed coordinates.
    frame : Frame

    Attributes
    ----------
    factors : (m,) list of sympy.Expr
        α of each term, exact.
    """

    def __init__(self, inner: Functions, frame: Frame) -> None:
        self._inner, self._frame = inner, frame
        self.name, self.symbols = inner.name, inner.symbols
        self.learned, self.positive = inner.learned, inner.positive
        self.fitted = inner.fitted
        names = tuple(s.name for s in inner.symbols)
        if inner.learned:
            # A network's features are what they are, whatever its inputs are called.
            parts = [(sympy.Integer(1), term, sympy.Integer(0)) for term in inner.expressions()]
        else:
            parts = [parted(outside(term, names, frame)) for term in inner.expressions()]
        self.factors = [factor for factor, _, _ in parts]
        self._expressions = [term for _, term, _ in parts]
        self._alpha = np.array([float(factor) for factor, _, _ in parts])
        self._beta = np.array([float(constant) for _, _, constant in parts])

    def __reduce__(self) -> tuple:
        # Not by its attributes: the inner library knows how it is pickled.
        return Framed, (self._inner, self._frame)

    @property
    def inner(self) -> Functions:
        """The functions of framed coordinates."""
        return self._inner

    @property
    def frame(self) -> Frame:
        """The chart of the coordinates."""
        return self._frame

    def __len__(self) -> int:
        return len(self._inner)

    @property
    def dim(self) -> int:
        """Number of coordinates d."""
        return self._inner.dim

    @property
    def is_coordinate(self) -> bool:
        """Whether every term is a product of powers of coordinates."""
        return self._inner.is_coordinate

    def expressions(self) -> list[sympy.Expr]:
        """Return the terms in the user's coordinates."""
        return list(self._expressions)

    def values(self, states: np.ndarray) -> np.ndarray:
        """Return the values (m, n) at the user's states (n, d)."""
        return self._plain(self._inner.values(self._frame.inside(states)))

    def known(self, states: np.ndarray) -> np.ndarray:
        """Tell at which of the user's states (n, d) functions without a closed form are known."""
        return self._inner.known(self._frame.inside(states))

    def jets(
        self, states: np.ndarray, covariance: np.ndarray | None = None, order: int = 1
    ) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
        """Evaluate the terms, their gradients and Hessians against a covariance.

        Parameters
        ----------
        states : (n, d) array
            The user's.
        covariance : (n, d, d) array, or (n, d) array of variances, optional
            Σ in the user's units, needed for order 2.
        order : {0, 1, 2}

        Returns
        -------
        values : (m, n) array
        gradients : (d, m, n) array or None
            ``gradients[i, j] = ∂t_j/∂x_i``.
        curvatures : (m, n) array or None
            tr(Σ ∇∇t_j).
        """
        unit, alpha = self._frame.unit, self._alpha[:, None]
        if covariance is not None:
            covariance = in_units(covariance, unit)
        phi, slopes, bend = self._inner.jets(self._frame.inside(states), covariance, order)
        slopes = None if slopes is None else slopes / alpha / unit[:, None, None]
        return self._plain(phi), slopes, None if bend is None else bend / alpha

    def domain(self, inner: Domain) -> Domain:
        """Return the same domain of the user's states, of one that is around framed states."""
        mean, size = self._plain(inner.mean[:, None])[:, 0], np.abs(self._alpha)
        inverse = inner.inverse * np.outer(self._alpha, self._alpha)
        return Domain(self, mean, inverse, inner.most, inner.farthest / size)

    def costs(self) -> np.ndarray:
        """Return what each term costs, (m,)."""
        return self._inner.costs()

    def kinds(self) -> list[tuple]:
        """Return what each term is but for the coordinates in it."""
        return self._inner.kinds()

    def restrict(self, columns: Sequence[int]) -> Framed:
        """Return the given terms."""
        return Framed(self._inner.restrict(columns), self._frame)

    def _plain(self, phi: np.ndarray) -> np.ndarray:
        return (phi - self._beta[:, None]) / self._alpha[:, None]


def in_frame(library: Library, frame: Frame) -> Library:
    """Return a library of the user's coordinates as one of framed coordinates.

    Its terms are the same up to a factor each.

    Parameters
    ----------
    library : Library
    frame : Frame
    """
    if frame.is_identity:
        return library
    atoms = []
    for atom in library.atoms:
        factor, rest, constant = parted(inside(atom, library.symbols, frame))
        atoms.append(rest + constant / factor)
    return Library(library.symbols, atoms, library.exponents, library.name)
