"""Expanded functions: products of momenta times smooth functions of all positions at once.

    Φ_j = Π_i w_i^{a_ji} Π_i B_{k_ji}(q_i)

B are Chebyshev polynomials on the range of a position, and the cosines and sines of an angle
(B_1 = cos q, B_2 = sin q, B_3 = cos 2q …). Sums of them come as near to any smooth function as one
asks, with the more terms the nearer its poles are to the range. On a stretched axis, of
asinh((q − c) / s), poles about s from the middle are far off: those of potentials with a core.
Values and derivatives are products of tables, one a position: nothing is compiled.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import sympy
from numpy.polynomial import polynomial

from discovery.estimation.errors import between

# Quartiles nearer to each other than this share of half the range have no length to stretch by.
_NARROW = 1e-3


@dataclass(frozen=True)
class Axis:
    """One position, or a difference of two.

    Attributes
    ----------
    column : int
        Its column.
    angle : bool
    middle, half : float
        Middle and half width of its range, stretched if it is; 0 and 1 for an angle.
    other : int or None
        The column that is subtracted.
    core : (float, float) or None
        Centre c and length s of a stretched axis.
    """

    column: int
    angle: bool
    middle: float = 0.0
    half: float = 1.0
    other: int | None = None
    core: tuple[float, float] | None = None

    @classmethod
    def over(cls, rows: np.ndarray, column: int, other: int | None = None) -> Axis:
        """Return the axis over the range that a position, or a difference, has.

        Parameters
        ----------
        rows : (n, d) array
            States.
        column : int
        other : int, optional
            The column that is subtracted.
        """
        return cls(column, False, other=other)._over(rows)

    def stretched(self, rows: np.ndarray) -> Axis:
        """Return it stretched about the median of rows (n, d), by their quartiles.

        An angle stays as it is, and what has next to no quartiles.
        """
        low, middle, high = np.quantile(self.of(rows), [0.25, 0.5, 0.75])
        if self.angle or high - low <= _NARROW * self.half:
            return self
        return replace(self, core=(float(middle), float(high - low) / 4))._over(rows)

    def _over(self, rows: np.ndarray) -> Axis:
        values = self._of_core(self.of(rows), 0)[0]
        low, high = float(values.min()), float(values.max())
        return replace(self, middle=(low + high) / 2, half=(high - low) / 2)

    def _of_core(self, q: np.ndarray, order: int) -> list[np.ndarray]:
        """Return asinh((q − c) / s), or q, and derivatives up to `order`, 2 at most."""
        if self.core is None:
            return [q, np.ones_like(q), np.zeros_like(q)][: order + 1]
        centre, length = self.core
        at = (q - centre) / length
        root = np.hypot(1, at)
        return [np.arcsinh(at), 1 / (length * root), -at / (length**2 * root**3)][: order + 1]

    @property
    def slopes(self) -> dict[int, float]:
        """The columns that it depends on, and how."""
        return {self.column: 1.0} if self.other is None else {self.column: 1.0, self.other: -1.0}

    def of(self, rows: np.ndarray) -> np.ndarray:
        """Return its values (n,) in rows (n, d)."""
        return sum(sign * rows[:, i] for i, sign in self.slopes.items())

    def shape(self, symbols: Sequence[sympy.Symbol]) -> sympy.Expr:
        """Return it as an expression of all coordinates."""
        return symbols[self.column] - (0 if self.other is None else symbols[self.other])

    def count(self, degree: int) -> int:
        """Return the number of functions up to a degree."""
        return 2 * degree + 1 if self.angle else degree + 1

    def degree(self, k: int) -> int:
        """Return the degree of function k: the wave number for an angle."""
        return (k + 1) // 2 if self.angle else k

    def tables(self, q: np.ndarray, size: int, order: int) -> list[np.ndarray]:
        """Return the first functions and their derivatives, (size, n) each.

        Parameters
        ----------
        q : (n,) array
        size : int
            Number of functions.
        order : {0, 1, 2}
            Of the highest derivative.
        """
        z, *slopes = self._of_core(q, order)
        u = (z - self.middle) / self.half
        if self.angle:
            numbers = self.degree(np.arange(size))[:, None]
            # A sine is a cosine a quarter turn later.
            late = np.where(np.arange(size) % 2 | (np.arange(size) == 0), 0.0, np.pi / 2)[:, None]
            return [
                numbers**m * np.cos(numbers * u - late + m * np.pi / 2) for m in range(order + 1)
            ]
        out = [table / self.half**m for m, table in enumerate(_chebyshev(u, size, order))]
        if self.core is not None:  # the chain rule
            if order > 1:
                out[2] = out[2] * slopes[0] ** 2 + out[1] * slopes[1]
            if order > 0:
                out[1] = out[1] * slopes[0]
        return out

    def expression(self, symbols: Sequence[sympy.Symbol], k: int) -> sympy.Expr:
        """Return function k as an expression of all coordinates."""
        shape = self.shape(symbols)
        if self.angle:
            wave = sympy.sin if k and k % 2 == 0 else sympy.cos
            return wave(self.degree(k) * shape)
        if self.core is not None:
            centre, length = map(sympy.Float, self.core)
            shape = sympy.asinh((shape - centre) / length)
        return sympy.chebyshevt(k, (shape - sympy.Float(self.middle)) / sympy.Float(self.half))


class Expanded:
    """m products of momenta and of functions of positions.

    Parameters
    ----------
    symbols : sequence of d sympy.Symbol
    axes : sequence of Axis
        The positions.
    momenta : sequence of int
        Columns of the momenta.
    powers : (m, momenta) array of int
    functions : (m, positions) array of int
        Which function of each position.
    name : str
        What reports call it.
    """

    learned = False
    positive = ()
    fitted = 0
    is_coordinate = False

    def __init__(
        self,
        symbols: Sequence[sympy.Symbol],
        axes: Sequence[Axis],
        momenta: Sequence[int],
        powers: np.ndarray,
        functions: np.ndarray,
        name: str = "expansion",
    ) -> None:
        self.symbols, self.axes, self.momenta = tuple(symbols), tuple(axes), tuple(momenta)
        self.powers, self.functions = np.asarray(powers), np.asarray(functions)
        self.name = name

    def __len__(self) -> int:
        return len(self.powers)

    @property
    def dim(self) -> int:
        """Number of coordinates d."""
        return len(self.symbols)

    @property
    def atoms(self) -> tuple[sympy.Symbol, ...]:
        """The coordinates: all that terms are made of is made of these."""
        return self.symbols

    @property
    def degrees(self) -> np.ndarray:
        """The degree of each term in the positions, (m,)."""
        return sum(axis.degree(k) for axis, k in zip(self.axes, self.functions.T, strict=True))

    def values(self, states: np.ndarray) -> np.ndarray:
        """Evaluate the terms, (m, n), at states (n, d)."""
        return self.jets(states, order=0)[0]

    def jets(
        self, states: np.ndarray, covariance: np.ndarray | None = None, order: int = 1
    ) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
        """Evaluate terms, gradients and Hessians against a covariance.

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
        own = [*(axis.slopes for axis in self.axes), *({i: 1.0} for i in self.momenta)]
        factors = [self._of_axis(k, states, order) for k in range(len(self.axes))]
        factors += [self._of_momentum(k, states, order) for k in range(len(self.momenta))]

        def product(*derived: int) -> np.ndarray:
            parts = (tables[derived.count(k)][which] for k, (tables, which) in enumerate(factors))
            out = next(parts, np.ones((len(self), len(states))))
            for part in parts:
                out *= part
            return out

        values, slopes, bend = product(), None, None
        if order > 0:
            slopes = np.zeros((self.dim, *values.shape))
            for k, signs in enumerate(own):
                slope = product(k)
                for column, sign in signs.items():
                    slopes[column] += sign * slope
        if order > 1:
            bend = np.zeros_like(values)
            for i, j in itertools.combinations_with_replacement(range(len(own)), 2):
                share = sum(
                    a * b * between(covariance, m, n)
                    for (m, a), (n, b) in itertools.product(own[i].items(), own[j].items())
                )
                if np.any(share):
                    bend += product(i, j) * share * (1 if i == j else 2)
        return values, slopes, bend

    def _of_axis(
        self, k: int, states: np.ndarray, order: int
    ) -> tuple[list[np.ndarray], np.ndarray]:
        """Return tables of one position's functions and derivatives, and which each term has."""
        axis, which = self.axes[k], self.functions[:, k]
        return axis.tables(axis.of(states), int(which.max(initial=0)) + 1, order), which

    def _of_momentum(
        self, k: int, states: np.ndarray, order: int
    ) -> tuple[list[np.ndarray], np.ndarray]:
        """Return the same of one momentum's powers."""
        w, which = states[:, self.momenta[k]], self.powers[:, k]
        powers = np.eye(int(which.max(initial=0)) + 1)
        orders = [polynomial.polyder(powers, m) if m else powers for m in range(order + 1)]
        return [polynomial.polyval(w, some) for some in orders], which

    def expressions(self) -> list[sympy.Expr]:
        """Return the terms as SymPy expressions."""
        out = []
        for powers, functions in zip(self.powers, self.functions, strict=True):
            p = [self.symbols[i] ** int(a) for i, a in zip(self.momenta, powers, strict=True)]
            b = [
                axis.expression(self.symbols, int(k))
                for axis, k in zip(self.axes, functions, strict=True)
            ]
            out.append(sympy.Mul(*p, *b))
        return out

    def costs(self) -> np.ndarray:
        """Return the degree of each term: what costs more comes later."""
        return 1.0 + self.degrees + self.powers.sum(axis=1)

    def kinds(self) -> list[tuple]:
        """Return a kind of its own for each term."""
        return [(k,) for k in range(len(self))]

    def restrict(self, columns: Sequence[int]) -> Expanded:
        """Return the given terms."""
        columns = list(columns)
        parts = self.symbols, self.axes, self.momenta
        return Expanded(*parts, self.powers[columns], self.functions[columns], self.name)


def _chebyshev(u: np.ndarray, size: int, order: int) -> np.ndarray:
    """Return T_0, T_1, … at u (n,), so many, and their derivatives, (order + 1, size, n).

    T_{k+1} = 2 u T_k − T_{k−1}, and so on for derivatives.
    """
    out = np.zeros((order + 1, size, len(u)))
    out[0, :1] = 1.0
    out[0, 1:2] = u
    out[1:2, 1:2] = 1.0
    for k in range(1, size - 1):
        for m in range(order + 1):
            out[m, k + 1] = 2 * u * out[m, k] - out[m, k - 1]
            if m:
                out[m, k + 1] += 2 * m * out[m - 1, k]
    return out
