"""Forms of laws with free functions: polynomials in the momenta, coefficients functions of a shape.

    h = Σ c_a plain_a + Σ F_kb(s_k) factor_b,

where s_k are shape variables: a coordinate, a distance, a difference. Expanded in a basis, or in a
few atoms (1/s, log s …), each F is a sum of terms, and the whole an ordinary library. In a joint
form there is one F of two shapes, as a field about an axis has one of ρ and z.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

import numpy as np
import sympy

from discovery.criteria import NOISE
from discovery.data.coordinates import MOMENTA, group_bodies
from discovery.formulas.compiling import compile_formulas
from discovery.libraries.families import distances
from discovery.libraries.library import Library
from discovery.libraries.monomials import monomials, symbols_of, term_count
from discovery.libraries.unknown_scale import SCALE

# A product of factors.
Term = tuple[sympy.Expr, ...]
# What functions of a shape are written in.
S = sympy.Symbol("s", real=True)
# The second shape of a joint form.
T = sympy.Symbol("t", real=True)
# Differences of more coordinates are many shapes: bodies have stages of their own.
_MOST_POSITIONS = 4
# The share of the data that is near zero: functions vary there as well as far out.
_NEAR = 0.2
# Powers of a distance that changes by more are no numbers to calculate with.
_NARROWEST = 1e-3
# How far beyond the ends of a range what functions may vary with is counted from, of the range.
_BEYOND = 0.01
_HALF = sympy.Rational(1, 2)

# Groups of functions that describe a free function together, the simplest first.
SIGNED = tuple((S**n,) for n in (2, 1, 4, 3, 6))
POSITIVE = (
    (1 / S,),
    (S**2,),
    (sympy.log(S),),
    (S**-2,),
    (S,),
    (S**-3,),
    (S**4,),
    (S**-4,),
    (S**3,),
    (sympy.sqrt(S),),
    (S**-_HALF,),
    (S ** (3 * _HALF),),
    (S**6,),
    (S**-6,),
    (S**-12,),
)
IN_UNIT = ((sympy.sqrt(1 - S**2),), (1 / (1 - S**2),))
# Functions of two shapes: products of powers, also beside those of the distance from their origin.
_FAR = sympy.sqrt(S**2 + T**2)
_POWERS = [(a, n - a) for n in range(5) for a in range(n, -1, -1)]
JOINT = (
    *((S**a * T**b,) for a, b in _POWERS[1:]),
    # T² is what S² leaves of the distance.
    *((S**a * T**b * _FAR**c,) for c in (-1, -2, -3, -5) for a, b in _POWERS[:5]),
    (sympy.log(_FAR),),
    (_FAR,),
)
_JOINT = {"degree": 8, "joint": True}
JOINT_POSITIVE = ((sympy.log(S),), (1 / S,), (S**-2,))
_STRETCHED = 1 + (SCALE * S) ** 2
SCALED = (
    (sympy.exp(-((SCALE * S) ** 2)),),
    (1 / _STRETCHED,),
    (sympy.sqrt(_STRETCHED),),
    (_STRETCHED**-_HALF,),
    (sympy.log(_STRETCHED),),
    (sympy.cosh(SCALE * S) ** -2,),
    (sympy.log(sympy.cosh(SCALE * S)),),
)
SCALED_SIGNED = (
    (sympy.exp(-SCALE * S), sympy.exp(-2 * SCALE * S)),
    (sympy.exp(SCALE * S), sympy.exp(2 * SCALE * S)),
    (sympy.cos(SCALE * S), sympy.sin(SCALE * S)),
)
# Beside momenta: each comes with all of their products.
SCALED_BESIDE = (
    (sympy.exp(-SCALE * S),),
    (sympy.exp(SCALE * S),),
    (sympy.cos(SCALE * S), sympy.sin(SCALE * S)),
    (sympy.cosh(SCALE * S), sympy.sinh(SCALE * S)),
)
SCALED_POSITIVE = ((sympy.exp(-SCALE * S),), (sympy.exp(-SCALE * S) / S,))
# Of one coordinate in a sum, which may be anything: amounts, temperatures, speeds.
SUMMANDS = tuple((S**n,) for n in (1, 2, 3, 4))
SUMMANDS_POSITIVE = (
    (S,),
    (sympy.log(S),),
    (S**2,),
    (1 / S,),
    (sympy.sqrt(S),),
    (S**-2,),
    (S**3,),
    (S ** (3 * _HALF),),
    (S**-_HALF,),
    (S**4,),
)
SHARES = ((sympy.log(1 - S),), (1 / (1 - S),))


@dataclass(frozen=True)
class Shape:
    """A variable that free functions are of.

    Attributes
    ----------
    expression : sympy.Expr
    low, high : float
        Its range in the data.
    typical : float
        Its size in the nearest fifth of the data.
    clear : bool
        Whether it stays away from zero.
    even : {"sizes", "values", "ends"}
        What functions of it vary evenly in: its logarithm, itself, or how far it is from the ends
        of its range, as near a limit.
    """

    expression: sympy.Expr
    low: float
    high: float
    typical: float
    clear: bool
    even: str = "sizes"

    @classmethod
    def of(
        cls,
        expression: sympy.Expr,
        symbols: Sequence[sympy.Symbol],
        rows: np.ndarray,
        noise: np.ndarray,
    ) -> Shape:
        """Return a shape with the range that it has in data.

        Parameters
        ----------
        expression : sympy.Expr
        symbols : sequence of d sympy.Symbol
        rows : (n, d) array
        noise : (d,) array
            Standard deviation of each coordinate's noise.
        """
        error = max(noise[symbols.index(symbol)] for symbol in expression.free_symbols)
        (values,) = compile_formulas(symbols, [expression])(*rows.T)
        # A difference that never changes its sign is a distance.
        if values.max() < 0:
            expression, values = -expression, -values
        low, high = float(values.min()), float(values.max())
        clear = low > max(NOISE.clear_of_zero * error, _NARROWEST * high)
        return cls(expression, low, high, float(np.quantile(np.abs(values), _NEAR)), clear)

    @property
    def positive(self) -> bool:
        """Whether it may be divided by: near its zero, a distance's samples count for little."""
        return self.clear or bool(self.expression.is_nonnegative)

    @property
    def unit(self) -> sympy.Expr:
        """What is even in it from near to far, put into [-1, 1].

        Its logarithm where it is clear of zero, else its inverse hyperbolic sine: powers of the
        shape are exponentials there, which polynomials follow. Even in values itself; even at the
        ends the logarithm of how far it is from the one over how far from the other.
        """
        if self.even == "values":
            middle, half = (self.high + self.low) / 2, (self.high - self.low) / 2
            return (self.expression - sympy.Float(middle)) / sympy.Float(half)
        if self.even == "ends":
            over = _BEYOND * (self.high - self.low)
            up, down = self.expression - (self.low - over), (self.high + over) - self.expression
            return sympy.log(up / down) / sympy.Float(np.log(1 + 1 / _BEYOND))
        size = sympy.Float(self.typical)
        if self.clear:
            even, low, high = sympy.log(self.expression / size), np.log(self.low), np.log(self.high)
            low, high = low - np.log(self.typical), high - np.log(self.typical)
        else:
            even = sympy.asinh(self.expression / size)
            low, high = np.arcsinh(self.low / self.typical), np.arcsinh(self.high / self.typical)
        return (even - sympy.Float((high + low) / 2)) / sympy.Float((high - low) / 2)


@dataclass(frozen=True)
class Form:
    """One form of laws with free functions.

    Attributes
    ----------
    name : str
        What the functions are of.
    symbols : tuple of d sympy.Symbol
    plain : tuple of Term
        The terms without free functions.
    factors : tuple of Term
        What free functions are multiplied by; the empty product is 1.
    shapes : tuple of Shape
        Each has free functions of its own.
    degree : int
        Up to which free functions are expanded.
    joint : bool
        Whether free functions are of both shapes at once.
    parameters : tuple of sympy.Symbol
        Columns that are constant in each run; factors and plain terms may have them.
    """

    name: str
    symbols: tuple[sympy.Symbol, ...]
    plain: tuple[Term, ...]
    factors: tuple[Term, ...]
    shapes: tuple[Shape, ...]
    degree: int = 10
    joint: bool = False
    parameters: tuple[sympy.Symbol, ...] = ()

    @property
    def potential(self) -> bool:
        """Whether the free functions are of a potential alone."""
        return {*itertools.chain(*self.factors)} <= {*self.parameters}

    @property
    def width(self) -> int:
        """Terms that one function of a shape becomes."""
        return len(self.factors) * (1 if self.joint else len(self.shapes))

    def count(self, degree: int) -> int:
        """Return the number of terms of the free functions up to a degree, none below one."""
        degree = max(degree, 0)
        if self.joint:
            return len(self.factors) * term_count(len(self.shapes), degree)
        return degree * self.width

    def of_degree(self, degree: int) -> Form:
        """Return the form, expanded up to a degree."""
        return replace(self, degree=degree)

    def free(self) -> Library:
        """Return the library of powers of the shapes in their range."""
        units = [shape.unit for shape in self.shapes]
        if self.joint:
            exponents = monomials(len(units), self.degree)
        else:
            single = np.eye(len(units), dtype=int)
            exponents = [n * one for n in range(1, self.degree + 1) for one in single]
        powers = [
            (*factor, *(unit for unit, n in zip(units, e, strict=True) for _ in range(n)))
            for e in exponents
            for factor in self.factors
        ]
        return self._library([*self.plain, *powers], self.symbols, f"functions of {self.name}")

    def described(self, functions: Sequence[sympy.Expr], name: str = "") -> Library:
        """Return the library in which free functions are combinations of the given ones.

        Parameters
        ----------
        functions : sequence of sympy.Expr
            Of `S`, and of `T` in a joint form; of `SCALE`, which is a last coordinate then.
        name : str
            What reports call it.
        """
        terms = [
            (*factor, written)
            for function in functions
            for written in self._written(function)
            for factor in self.factors
        ]
        scaled = any(function.has(SCALE) for function in functions)
        symbols = (*self.symbols, SCALE) if scaled else self.symbols
        return self._library([*self.plain, *terms], symbols, name or f"of {self.name}")

    def groups(self) -> list[Term]:
        """Return the groups of functions without a scale that may describe its free functions."""
        if self.joint:
            some = JOINT + (JOINT_POSITIVE if self.shapes[0].positive else ())
        else:
            some = POSITIVE if all(s.positive for s in self.shapes) else SIGNED
        groups = [group for group in some if not self._among_plain(group)]
        if self.joint:
            return groups
        if all(shape.low > -1 and shape.high < 1 for shape in self.shapes):
            groups += IN_UNIT
        return groups

    def scaled_groups(self) -> list[Term]:
        """Return those with a length or wave number; none of two shapes."""
        if self.joint:
            return []
        if not self.potential:
            return [*SCALED, *SCALED_BESIDE]
        if not all(shape.positive for shape in self.shapes):
            return [*SCALED, *SCALED_SIGNED]
        groups = [*SCALED, *SCALED_POSITIVE]
        if all(shape.clear for shape in self.shapes):
            # Between two walls, and beside one: Pöschl and Teller's, Sutherland's, Calogero's.
            # One number: of walls at 0 and L it is π/L, of a potential 1/sin²(k x) k.
            half = sympy.Float(math.pi / 2) * S / _beyond(max(s.high for s in self.shapes))
            groups.append((sympy.sin(2 * half) ** -2,))
            groups.append((sympy.sin(half) ** -2, sympy.cos(half) ** -2))
            groups.append((sympy.sinh(SCALE * S) ** -2,))
        return groups

    def powers(self) -> list[Term]:
        """Return powers with an exponent that is searched; none of what may be zero."""
        if self.joint or not all(shape.clear for shape in self.shapes):
            return []
        return [(S**SCALE,), (S**-SCALE,)]

    def _among_plain(self, group: Term) -> bool:
        """Tell whether functions are sums of plain terms: squares of coordinates are."""
        if not self.potential:
            return False
        written = (f for function in group for f in self._written(function))
        terms = {sympy.S.One, *(sympy.Mul(*term) for term in self.plain)}
        return all(set(sympy.expand(f).as_coefficients_dict()) <= terms for f in written)

    def _written(self, function: sympy.Expr) -> list[sympy.Expr]:
        """Return a function of `S` and `T` as one of both shapes, or as one of each."""
        shapes = [shape.expression for shape in self.shapes]
        if self.joint:
            return [function.xreplace(dict(zip((S, T), shapes, strict=True)))]
        return [function.xreplace({S: shape}) for shape in shapes]

    def _library(
        self, terms: Sequence[Term], symbols: tuple[sympy.Symbol, ...], name: str
    ) -> Library:
        # Writing takes long, and many terms have the same factors.
        written = {factor: str(factor) for factor in {*itertools.chain(*terms)}}
        distinct = dict.fromkeys(tuple(sorted(term, key=written.get)) for term in terms)
        atoms = list(dict.fromkeys(itertools.chain(*distinct)))
        exponents = [tuple(map(Counter(term).__getitem__, atoms)) for term in distinct]
        return Library(symbols, atoms, exponents, name)


@dataclass(frozen=True)
class Summand(Form):
    """One free function of one coordinate, in a sum beside what others are expanded in.

    Attributes
    ----------
    name, symbols, plain, factors, shapes, degree, joint, parameters
        As of `Form`; one shape, and no factors.
    """

    potential = False

    def groups(self) -> list[Term]:
        """Return the functions without a length that may describe it."""
        (shape,) = self.shapes
        share = shape.clear and shape.high < 1
        return [*(SUMMANDS_POSITIVE if shape.clear else SUMMANDS), *(SHARES if share else ())]

    def scaled_groups(self) -> list[Term]:
        """Return those with a length: also logarithms that end at a limit beyond the data."""
        (shape,) = self.shapes
        limit = _beyond(max(abs(shape.low), abs(shape.high)))
        groups = [
            (sympy.exp(-SCALE * S),),
            (sympy.exp(SCALE * S),),
            (sympy.log(limit - S),),
            (sympy.log(limit**2 - S**2),),
            (sympy.log(1 + SCALE * S) if shape.clear else sympy.log(limit + S),),
            # Of cells: a product of waves is a sum of their logarithms.
            (sympy.log(sympy.cos(sympy.pi * S / (2 * limit))),),
        ]
        if shape.low > 0:
            groups.append((sympy.log(sympy.sin(sympy.pi * S / limit)),))
        return [*groups, *SCALED, *SCALED_BESIDE[2:3]]


def _beyond(edge: float) -> sympy.Expr:
    """Return a limit as far beyond the data as lengths between noise and range tell.

    Near limits count most.
    """
    return sympy.Float(edge) + 1 / (SCALE**2 * sympy.Float(edge))


def sum_form(
    symbols: Sequence[sympy.Symbol], columns: Sequence[int], rows: np.ndarray, noise: np.ndarray
) -> Form:
    """Return the form of sums of functions of one coordinate each.

    Parameters
    ----------
    symbols : sequence of d sympy.Symbol
    columns : sequence of int
        Those that functions are of.
    rows : (n, d) array
    noise : (d,) array
        Standard deviation of each coordinate's noise.
    """
    shapes = tuple(Shape.of(symbols[i], symbols, rows, noise) for i in columns)
    return Form("functions of one coordinate", tuple(symbols), (), ((),), shapes)


def one_summand(form: Form, k: int) -> Summand:
    """Return the form of a sum in which all but the k-th function are expanded."""
    others = tuple(shape for j, shape in enumerate(form.shapes) if j != k)
    plain = replace(form, shapes=others).free()
    terms = tuple((term,) for term in plain.expressions())
    return Summand(form.name, form.symbols, terms, ((),), (form.shapes[k],), form.degree)


def free_forms(
    names: Sequence[str],
    roles: Sequence[str | None],
    rows: np.ndarray,
    noise: np.ndarray,
    zeros: Sequence[Fraction] = (),
) -> list[Form]:
    """Return the forms to try for mechanical data, from few free functions to many.

    Also for angles with one other coordinate, which stands for the momentum: the part of what
    tunnels through a barrier and its phase, the distance and the direction of a stream.

    Parameters
    ----------
    names, roles : sequences of length d
    rows : (n, d) array
    noise : (d,) array
        Standard deviation of each coordinate's noise.
    zeros : sequence of d Fraction, optional
        Where the user's origin is, if it is another one.
    """
    seen = _Columns(tuple(names), tuple(roles), rows, noise, tuple(zeros))
    known = len(seen.positions) + len(seen.angles) + len(seen.momenta) == len(names)
    if not seen.momenta and len(names) == len(seen.angles) + 1:
        return list(seen.beside_angles(i for i in range(len(names)) if i not in seen.angles))
    if not seen.momenta or not (seen.positions or seen.angles) or not known:
        return []
    # Two bodies have one distance, however many coordinates.
    if len(seen.positions) > _MOST_POSITIONS and len(seen.apart) != 1:
        return []
    out = []
    if not seen.angles:
        out += [*seen.of_coordinates(), *seen.of_distances(), *seen.about_axes()]
    return [*out, *seen.beside_angles(seen.momenta), *seen.of_one_place()]


def beside_parameters(
    form: Form,
    symbols: Sequence[sympy.Symbol],
    parameters: Sequence[sympy.Symbol],
    rows: np.ndarray,
    noise: np.ndarray,
) -> list[Form]:
    """Return a potential's form with strengths and lengths that are parameters.

    Every term comes with each parameter too: of m w²/2 + k F(s) both. Functions are of the shape
    itself, then, where there is one, of the shape over each parameter and times each: a parameter
    may be a length or a wave number.

    Parameters
    ----------
    form : Form
        Of the coordinates alone.
    symbols : sequence of D sympy.Symbol
        All columns.
    parameters : sequence of sympy.Symbol
        Those that are constant in each run.
    rows : (n, D) array
    noise : (D,) array
        Standard deviation of each column's noise.
    """
    strengths = [(), *((p,) for p in parameters)]
    plain = tuple((*term, *k) for k in strengths for term in form.plain)
    whole = replace(
        form,
        symbols=tuple(symbols),
        plain=plain,
        factors=tuple((*factor, *k) for k in strengths for factor in form.factors),
        parameters=tuple(parameters),
    )
    out = [whole]
    for p in parameters if len(form.shapes) == 1 else ():
        values = rows[:, symbols.index(p)]
        if values.min() <= 0 <= values.max():
            continue  # no length
        (shape,) = form.shapes
        for expression in (shape.expression / p, shape.expression * p):
            of = Shape.of(expression, symbols, rows, noise)
            out.append(replace(whole, name=str(expression), shapes=(of,)))
    return out


@dataclass(frozen=True)
class _Columns:
    """What the free functions of mechanical data may be of.

    Attributes
    ----------
    names, roles : tuples of length d
    rows : (n, d) array
    noise : (d,) array
    zeros : tuple of d Fraction, or empty
    """

    names: tuple[str, ...]
    roles: tuple[str | None, ...]
    rows: np.ndarray
    noise: np.ndarray
    zeros: tuple[Fraction, ...] = ()

    @cached_property
    def symbols(self) -> tuple[sympy.Symbol, ...]:
        """The columns'."""
        return symbols_of(self.names)

    @cached_property
    def positions(self) -> list[int]:
        """Columns that are places."""
        return [i for i, role in enumerate(self.roles) if role == "position"]

    @cached_property
    def angles(self) -> list[int]:
        """Columns that are angles."""
        return [i for i, role in enumerate(self.roles) if role == "angle"]

    @cached_property
    def momenta(self) -> list[int]:
        """Columns that are momenta or velocities."""
        return [i for i, role in enumerate(self.roles) if role in MOMENTA]

    @cached_property
    def bodies(self) -> list[list[int]]:
        """Places that belong to one body."""
        return group_bodies([self.names[i] for i in self.positions], self.positions)

    @cached_property
    def apart(self) -> list[sympy.Expr]:
        """Distances of bodies."""
        return distances(self.symbols, self.bodies) if len(self.bodies) > 1 else []

    @cached_property
    def places(self) -> list[sympy.Symbol]:
        """Symbols of the positions."""
        return [self.symbols[i] for i in self.positions]

    @cached_property
    def plain(self) -> list[Term]:
        """What is quadratic in all coordinates: laws of that kind are known, and in no way."""
        both = [*self.places, *(self.symbols[i] for i in self.momenta)]
        return [*((q,) for q in both), *itertools.combinations_with_replacement(both, 2)]

    def shape(self, expression: sympy.Expr) -> Shape:
        """Return what a free function may be of."""
        return Shape.of(expression, self.symbols, self.rows, self.noise)

    def form(self, name: str, plain: Sequence[Term], shapes: list[Shape], **more: object) -> Form:
        """Return the form of plain terms and functions of shapes, with no factors by default."""
        more = {"factors": ((),), **more}
        return Form(name, self.symbols, tuple(plain), shapes=tuple(shapes), **more)

    def of_coordinates(self) -> Iterator[Form]:
        """Yield functions of each place, and of the differences of two."""
        if self.positions:
            yield self.form("the coordinates", self.plain, [self.shape(q) for q in self.places])
        if len(self.places) > 1:
            pairs = [self.shape(a - b) for a, b in itertools.combinations(self.places, 2)]
            yield self.form("differences", self.plain, pairs)

    def of_distances(self) -> Iterator[Form]:
        """Yield functions of the distances of bodies, and of one body's distance."""
        if len(self.places) < 2:
            return
        if self.apart:
            # Few unknowns: a body's mass is the same along all axes.
            moving = group_bodies([self.names[i] for i in self.momenta], self.momenta)
            alike = [(sympy.Add(*(self.symbols[i] ** 2 for i in body)),) for body in moving]
            shapes = [self.shape(r) for r in self.apart]
            yield self.form("the distances of bodies", alike, shapes)
        # Places of two bodies make no distance together.
        whole = [[self.symbols[i] for i in body] for body in self.bodies]
        for own in whole if self.apart else [self.places]:
            subsets = (itertools.combinations(own, k) for k in range(len(own), 1, -1))
            for some in itertools.chain.from_iterable(subsets):
                radius = self.shape(sympy.sqrt(sum(q**2 for q in some)))
                label = f"the distance of ({', '.join(map(str, some))})"
                yield self.form(label, self.plain, [radius])

    def about_axes(self) -> Iterator[Form]:
        """Yield functions of two shapes: of places along an axis and across it."""
        if len(self.places) != 3 or self.apart:
            return
        for axis in self.places:
            a, b = (q for q in self.places if q != axis)
            about = [self.shape(sympy.sqrt(a**2 + b**2)), self.shape(axis)]
            label = f"the distance of ({a}, {b}) and {axis}"
            yield self.form(label, self.plain, about, **_JOINT)
            across = [self.shape(a), self.shape(b)]
            yield self.form(f"{a} and {b}", self.plain, across, **_JOINT)

    def beside_angles(self, momenta: Iterable[int]) -> Iterator[Form]:
        """Yield functions of one momentum, times waves of the angles."""
        for i in momenta if self.angles else ():
            waves = [
                (f(n * self.symbols[a]),)
                for a in self.angles
                for n in (1, 2)
                for f in (sympy.cos, sympy.sin)
            ]
            factors = ((), *waves)
            of = self.shape(self.symbols[i])
            yield self.form(self.names[i], waves, [of], factors=factors, degree=6)

    def of_one_place(self) -> Iterator[Form]:
        """Yield functions of one place, times products of momenta."""
        p = [self.symbols[i] for i in self.momenta]
        kinetic = (*((q,) for q in p), *itertools.combinations_with_replacement(p, 2))
        factors = ((), *kinetic)
        for i in self.positions:
            of = self.shape(self.symbols[i])
            # A coordinate that is always positive may be one of a curved system, as a radius.
            if self.angles or of.clear or len(self.names) == 2:
                yield self.form(self.names[i], kinetic, [of], factors=factors, degree=6)
            if any(self.zeros[i : i + 1]):
                of = self.shape(self.symbols[i] - sympy.Rational(self.zeros[i]))
                if of.clear:
                    name = f"{self.names[i]} from its zero"
                    yield self.form(name, kinetic, [of], factors=factors, degree=6)
