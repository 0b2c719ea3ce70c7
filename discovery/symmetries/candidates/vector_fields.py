"""Vector-field libraries: the candidates ξ_k(x) from which symmetries are combined."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import sympy

from discovery.formulas.compiling import compile_formulas
from discovery.formulas.parsing import parse_formula
from discovery.libraries.monomials import symbols_of

# A singular factor (1/r, cot θ) is a candidate only where it stays below this on the points.
_BOUNDED = 20.0
# Scalar functions a coordinate direction, beyond which products of many factors are left out.
_MAX_FUNCTIONS = 130
# Terms of a component beyond which nobody reads them.
_READABLE = 20


class VectorFields:
    """Candidate vector fields with their values and partial derivatives.

    Parameters
    ----------
    symbols : sequence of n sympy.Symbol
        The coordinates.
    fields : sequence of m sequences of n sympy.Expr
        Components ξ^k of each field in the coordinate directions.

    Raises
    ------
    ValueError
        When there are no fields, a field has not n components, or uses other symbols.
    """

    def __init__(
        self, symbols: Sequence[sympy.Symbol], fields: Sequence[Sequence[sympy.Expr]]
    ) -> None:
        self.symbols = tuple(symbols)
        self.fields = tuple(
            tuple(c if isinstance(c, sympy.Expr) else parse_formula(c, symbols) for c in field)
            for field in fields
        )
        if not self.fields:
            raise ValueError("The library holds no vector fields; give at least one.")
        for field in self.fields:
            if len(field) != len(self.symbols):
                raise ValueError(
                    f"Each vector field needs {len(self.symbols)} components, one for each of "
                    f"{', '.join(map(str, self.symbols))}; received {field}."
                )
        scalars = list(dict.fromkeys(c for field in self.fields for c in field if c != 0))
        unknown = set().union(*(c.free_symbols for c in scalars)) - set(self.symbols)
        if unknown:
            raise ValueError(
                f"The library uses {', '.join(sorted(map(str, unknown)))}, which are not among the "
                f"coordinates {', '.join(map(str, self.symbols))}."
            )
        index = {scalar: j for j, scalar in enumerate(scalars)}
        self._entries = [
            (f, k, index[c])
            for f, field in enumerate(self.fields)
            for k, c in enumerate(field)
            if c != 0
        ]
        flat = [*scalars, *(c.diff(s) for c in scalars for s in self.symbols)]
        self._count = len(scalars)
        self._evaluate = compile_formulas(self.symbols, flat)

    def __len__(self) -> int:
        return len(self.fields)

    @property
    def dim(self) -> int:
        """Number of coordinates n."""
        return len(self.symbols)

    def jets(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Evaluate fields and derivatives.

        Parameters
        ----------
        points : (N, n) array

        Returns
        -------
        values : (N, m, n) array, ``values[b, f, k]`` = ξ_f^k
        slopes : (N, m, n, n) array, ``slopes[b, f, i, k]`` = ∂_i ξ_f^k
        """
        n_points, n = points.shape
        with np.errstate(all="ignore"):
            rows = self._evaluate(*np.asarray(points, dtype=float).T)
        flat = np.array([np.broadcast_to(np.asarray(r, dtype=float), (n_points,)) for r in rows])
        scalars, partials = flat[: self._count], flat[self._count :].reshape(self._count, n, -1)
        values = np.zeros((n_points, len(self), n))
        slopes = np.zeros((n_points, len(self), n, n))
        for f, k, j in self._entries:
            values[:, f, k] = scalars[j]
            slopes[:, f, :, k] = partials[j].T
        return values, slopes

    def combine(self, coefficients: Sequence[sympy.Expr]) -> tuple[sympy.Expr, ...]:
        """Return the components of Σ c_f ξ_f."""
        return tuple(
            sympy.Add(
                *(c * field[k] for c, field in zip(coefficients, self.fields, strict=True) if c)
            )
            for k in range(self.dim)
        )

    def costs(self) -> np.ndarray:
        """Return what each field costs in a formula: one a component, and its operations."""
        return np.array(
            [sum(1.0 + 0.25 * sympy.count_ops(c) for c in f if c != 0) for f in self.fields]
        )


def along_each_axis(
    symbols: Sequence[sympy.Symbol], functions: Sequence[sympy.Expr]
) -> VectorFields:
    """Return every function times every coordinate direction."""
    n = len(symbols)
    zero = sympy.Integer(0)
    return VectorFields(
        symbols,
        [tuple(f if k == i else zero for k in range(n)) for f in functions for i in range(n)],
    )


def library(
    kind: str | Sequence | VectorFields,
    names: Sequence[str],
    roles: Sequence[str | None],
    points: np.ndarray,
    degree: int,
) -> VectorFields:
    """Build a library by name, or from the user's own expressions.

    Parameters
    ----------
    kind : {"auto", "affine", "polynomial", "trigonometric"}, VectorFields, or sequence
        "auto" is polynomial, and trigonometric where roles say angle. A sequence holds scalar
        SymPy expressions (or strings), each tried along each axis, or fields of n components.
    names, roles : sequence of n
    points : (N, n) array
        Where singular factors such as 1/r and cot θ must stay bounded to be candidates.
    degree : int
        Of the polynomials.

    Raises
    ------
    ValueError
        On an unknown name.
    """
    symbols = symbols_of(names)
    if isinstance(kind, VectorFields):
        return kind
    if not isinstance(kind, str | Sequence):
        raise ValueError(
            "`library` must be a name or a list of SymPy expressions or vector fields; received "
            f"{type(kind).__name__}."
        )
    if not isinstance(kind, str):
        return _from_user(symbols, kind)
    if kind == "affine":
        return along_each_axis(symbols, [sympy.Integer(1), *symbols])
    if kind == "polynomial":
        return along_each_axis(symbols, _monomials(symbols, degree))
    if kind == "trigonometric":
        return along_each_axis(symbols, products(symbols, roles, points, degree))
    if kind == "auto":
        return along_each_axis(symbols, scalar_functions(symbols, roles, points, degree))
    raise ValueError(
        f'Unknown library {kind!r}. Expected "auto", "affine", "polynomial", "trigonometric", '
        '"learned", or a list of SymPy expressions or vector fields.'
    )


def scalar_functions(
    symbols: Sequence[sympy.Symbol],
    roles: Sequence[str | None],
    points: np.ndarray,
    degree: int,
) -> list[sympy.Expr]:
    """Return monomials, or products of periodic functions where there are angles.

    Parameters
    ----------
    symbols, roles, points, degree
        As in `products`.
    """
    if "angle" in roles:
        return products(symbols, roles, points, degree)
    return _monomials(symbols, degree)


def _from_user(symbols: Sequence[sympy.Symbol], given: Sequence) -> VectorFields:
    def expression(value: str | float | sympy.Expr) -> sympy.Expr:
        return parse_formula(value, symbols, "library")

    given = list(given)
    scalar = [isinstance(g, str | sympy.Expr | int | float) for g in given]
    if all(scalar):
        return along_each_axis(symbols, [expression(g) for g in given])
    if not all(one or isinstance(g, list | tuple) for g, one in zip(given, scalar, strict=True)):
        raise ValueError(
            f"library: received {given!r}. Expected scalar functions or vector fields: formulas, "
            "or sequences of formulas."
        )
    if any(scalar):
        raise ValueError(
            "The library mixes scalar functions and vector fields; give a list of one of the two."
        )
    return VectorFields(symbols, [[expression(c) for c in field] for field in given])


def _monomials(symbols: Sequence[sympy.Symbol], degree: int) -> list[sympy.Expr]:
    return [
        sympy.Mul(*chosen)
        for total in range(degree + 1)
        for chosen in itertools.combinations_with_replacement(symbols, total)
    ]


def products(
    symbols: Sequence[sympy.Symbol],
    roles: Sequence[str | None],
    points: np.ndarray,
    degree: int,
) -> list[sympy.Expr]:
    """Return products of one function a coordinate.

    Periodic ones for roles "angle", and no power of an angle: the rotation of a flat chart is no
    field on a torus. Exponentials for "rapidity", where they do not overflow, powers otherwise.

    Parameters
    ----------
    symbols : sequence of n sympy.Symbol
    roles : sequence of n
        "angle", "rapidity", or anything else for powers.
    points : (N, n) array
        Where singular factors must stay bounded; their number limits that of the products.
    degree : int
        Of the powers.
    """
    lists = []
    for s, role, column in zip(symbols, roles, points.T, strict=True):
        if role == "angle":
            options = [sympy.Integer(1), sympy.cos(s), sympy.sin(s)]
            if np.min(np.abs(np.sin(column))) > 1 / _BOUNDED:
                options += [sympy.cot(s), 1 / sympy.sin(s)]
            if np.min(np.abs(np.cos(column))) > 1 / _BOUNDED:
                options += [sympy.tan(s), 1 / sympy.cos(s)]
        elif role == "rapidity" and np.max(np.abs(column)) > _BOUNDED:
            options = [sympy.Integer(1)]
        elif role == "rapidity":
            options = [sympy.Integer(1), *(sympy.exp(c * s) for c in (1, -1, 2, -2))]
            if np.min(np.abs(np.sinh(column))) > 1 / _BOUNDED:
                options += [sympy.coth(s), 1 / sympy.sinh(s)]
            else:
                options += [sympy.tanh(s), 1 / sympy.cosh(s)]
        else:
            options = [s**p for p in range(degree + 1)]
            if np.min(column) > np.max(column) / _BOUNDED and np.min(column) > 0:
                options.append(1 / s)
        lists.append(options)
    products = [sympy.Mul(*chosen) for chosen in itertools.product(*lists)]
    # Many angles: keep the products of fewest factors, which come first.
    factors = [sum(c != 1 for c in chosen) for chosen in itertools.product(*lists)]
    order = sorted(range(len(products)), key=lambda j: factors[j])
    most = min(_MAX_FUNCTIONS, affordable(points) // len(symbols))
    while len(order) > most and factors[order[-1]] > 2:
        order = [j for j in order if factors[j] < factors[order[-1]]]
    return [products[j] for j in order]


def affordable(points: np.ndarray) -> int:
    """Return how many fields that many points can judge by a metric: four equations for each."""
    n = points.shape[1]
    return int((len(points) - n) * n * (n + 1) / 8)


def to_text(components: Sequence[sympy.Expr], names: Sequence[str]) -> str:
    """Print a field as ``-y ∂x + x ∂y``; a component of very many terms by their number."""
    text = ""
    for component, name in zip(components, names, strict=True):
        if component == 0:
            continue
        terms = len(sympy.Add.make_args(component))
        if terms > _READABLE or sympy.count_ops(component) > 5 * _READABLE:
            text += f"{' + ' if text else ''}[{terms} terms] ∂{name}"
            continue
        negative = component.could_extract_minus_sign() and not component.is_Add
        body = -component if negative else component
        factor = "" if body == 1 else f"({body}) " if body.is_Add else f"{body} "
        sign = ("-" if negative else "") if not text else (" - " if negative else " + ")
        text += f"{sign}{factor}∂{name}"
    return text or "0"
