"""Which sums are tried: over bodies, over pairs at a distance, in units of an unknown length."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import sympy

from discovery.libraries.many_bodies.bodies import Bodies
from discovery.libraries.many_bodies.radial import Radial
from discovery.libraries.many_bodies.sums import Forms, Sum, Sums
from discovery.libraries.monomials import symbols_of
from discovery.libraries.unknown_scale import SCALE

_HALF = sympy.S.Half
_R2 = sympy.Symbol("R2", positive=True)
_R = sympy.sqrt(_R2)
#: Potentials of the distance, by what reports call them; R2 is its square.
POTENTIALS: dict[str, tuple[sympy.Expr, ...]] = {
    "r^2": (_R2,),
    "1/r": (1 / _R,),
    "log r": (sympy.log(_R2) / 2,),
    "1/r^2": (1 / _R2,),
    "r^-6, r^-12": (_R2**-6, _R2**-3),
    "1/r^3": (_R2 ** -sympy.Rational(3, 2),),
    "r^4": (_R2, _R2**2),
}
#: Those with a length k, or its inverse.
SCALED: dict[str, tuple[sympy.Expr, bool]] = {
    "softened": ((_R2 + SCALE**2) ** -_HALF, False),
    "soft logarithm": (sympy.log(_R2 + SCALE**2) / 2, False),
    "screened": (sympy.exp(-SCALE * _R) / _R, True),
    "Gaussian": (sympy.exp(-(SCALE**2) * _R2), True),
    "exponential of the distance": (sympy.exp(-SCALE * _R), True),
}

#: Those of both that have fallen off where the next image of a body comes close.
SHORT = ("r^-6, r^-12", "1/r^3")
SHORT_SCALED = ("screened", "Gaussian", "exponential of the distance")


@dataclass(frozen=True)
class ScaledSums:
    """Sums with an unknown scale, as `laws.finding.scale_search` takes them.

    Attributes
    ----------
    library : Sums
        Of the d coordinates and, last, `SCALE`.
    columns : tuple of int
        Coordinates whose unit the scale has, or whose inverse.
    wave_number : bool
        Whether it is the inverse.
    oscillating : bool
        Whether the functions have many periods in the data where the wave number is large.
    richer : Sums or None
        Sums of the same scale that may hold further laws.
    """

    library: Sums
    columns: tuple[int, ...]
    wave_number: bool
    oscillating: bool = False
    richer: Sums | None = None

    @property
    def name(self) -> str:
        """What reports call it."""
        return self.library.name

    def __len__(self) -> int:
        return len(self.library)

    @property
    def plain(self) -> np.ndarray:
        """Which sums are without the scale, (m,) bool."""
        return np.array([SCALE not in term.arguments for term in self.library.sums])

    def at(self, value: float | sympy.Expr, label: str) -> list[Sums]:
        """Return the sums of the coordinates at one value of the scale.

        Parameters
        ----------
        value : float or sympy.Expr
        label : str
            What their name says of it.
        """
        return [
            Sums(
                inner.symbols[:-1],
                [term.put({SCALE: value}) for term in inner.sums],
                f"{inner.name} ({label})",
            )
            for inner in (self.library, self.richer)
            if inner is not None
        ]


@dataclass(frozen=True)
class Family:
    """Sums over bodies of known masses.

    Attributes
    ----------
    bodies : Bodies
    masses : (N,) array
        One each where momenta are given: their sum needs none.
    box : tuple of D float, or empty
        Lengths of a periodic box.
    """

    bodies: Bodies
    masses: np.ndarray
    box: tuple[float, ...] = ()

    @property
    def symbols(self) -> tuple[sympy.Symbol, ...]:
        """All columns."""
        return symbols_of(self.bodies.names)

    def motion(self) -> Sums:
        """Return momenta, angular momenta and energies without pair potentials."""
        sums = [self._total(axis) for axis in self.bodies.momenta]
        if not self.box:
            turns = list(itertools.combinations(range(self.bodies.axes), 2))
            sums += [self._turning(a, b) for a, b in turns]
            sums += [self._turning_of_centre(a, b) for a, b in turns]
        return Sums(self.symbols, [*sums, *self.mechanical()], "sums over bodies")

    def mechanical(self) -> list[Sum]:
        """Return the kinetic energy, and linear and quadratic potentials of place."""
        out = [self.kinetic()]
        if not self.box:
            x = _arguments(1)
            unequal = np.ptp(self.masses) > 0
            for weights in (
                (self.masses, np.ones(self.bodies.number)) if unequal else (self.masses,)
            ):
                for axis in self.bodies.positions:
                    out.append(Sum(x[0] ** 2 / 2, x, (Forms.of(axis),), weights, "square", 2.0))
            for axis in self.bodies.positions:
                out.append(Sum(x[0], x, (Forms.of(axis),), self.masses, "place", 1.5))
        return out

    def kinetic(self) -> Sum:
        """Return Σ m v²/2, or Σ p²/2m."""
        p = _arguments(self.bodies.axes)
        forms = tuple(Forms.of(axis) for axis in self.bodies.momenta)
        weights = 1 / self.masses if self.bodies.of_momenta else self.masses
        return Sum(sum(u**2 for u in p) / 2, p, forms, weights, "kinetic", 1.0)

    def kinetic_each(self) -> list[Sum]:
        """Return the kinetic energy of each body for unit mass."""
        p = _arguments(self.bodies.axes)
        out = []
        for i in range(self.bodies.number):
            forms = tuple(Forms.of([axis[i]]) for axis in self.bodies.momenta)
            out.append(Sum(sum(u**2 for u in p) / 2, p, forms, np.ones(1), "kinetic", 1.0))
        return out

    def pairs(self, potential: sympy.Expr, weights: np.ndarray, kind: str) -> Sum:
        """Return Σ w_ij φ(r_ij).

        Parameters
        ----------
        potential : sympy.Expr
            φ of the squared distance, maybe with `SCALE`.
        weights : (pairs,) array
        kind : str
        """
        return _over(self._gaps, potential, weights, kind, self._scale)

    def pairs_each(self, potential: sympy.Expr, kind: str) -> list[Sum]:
        """Return φ(r_ij) of each pair."""
        return [
            _over(self._between([pair]), potential, np.ones(1), kind, self._scale)
            for pair in self.bodies.pairs
        ]

    def tied(self, potentials: Sequence[sympy.Expr], name: str) -> Sums:
        """Return the energies of pairs of one kind: their weights are masses, or all alike."""
        products = np.array([self.masses[i] * self.masses[j] for i, j in self.bodies.pairs])
        sums = self.mechanical()
        for k, potential in enumerate(potentials):
            sums.append(self.pairs(potential, products, f"pairs {k}"))
            if np.ptp(self.masses):
                sums.append(self.pairs(potential, np.ones(len(products)), f"pairs {k}"))
        return Sums(self._symbols_for(potentials), sums, f"pairs of bodies: {name}")

    def free(self, potentials: Sequence[sympy.Expr], name: str) -> Sums:
        """Return the same with a mass for every body and a coupling for every pair."""
        sums = self.kinetic_each()
        for k, potential in enumerate(potentials):
            sums += self.pairs_each(potential, f"pairs {k}")
        return Sums(self._symbols_for(potentials), sums, f"free pairs of bodies: {name}")

    def coupled(self, potentials: Sequence[sympy.Expr], name: str) -> Sums:
        """Return the energies of bodies of known masses with a coupling for every pair."""
        sums = [self.kinetic()]
        for k, potential in enumerate(potentials):
            sums += self.pairs_each(potential, f"pairs {k}")
        return Sums(self._symbols_for(potentials), sums, f"pairs of bodies: {name}")

    def scaled(self, name: str, make: Callable[[Sequence[sympy.Expr], str], Sums]) -> ScaledSums:
        """Return sums of a potential of unknown scale.

        Parameters
        ----------
        name : str
            Of `SCALED`.
        make : callable
            `tied`, `free` or `coupled`.
        """
        potential, wave_number = SCALED[name]
        columns = tuple(itertools.chain(*self.bodies.positions))
        return ScaledSums(make([potential], name), columns, wave_number)

    def _symbols_for(self, potentials: Sequence[sympy.Expr]) -> tuple[sympy.Symbol, ...]:
        scaled = any(potential.has(SCALE) for potential in potentials)
        return (*self.symbols, SCALE) if scaled else self.symbols

    @cached_property
    def _gaps(self) -> tuple[Forms, ...]:
        """The differences of all pairs along each axis, shared by all sums over them."""
        return self._between(self.bodies.pairs)

    def _between(self, pairs: Sequence[tuple[int, int]]) -> tuple[Forms, ...]:
        lengths = self.box or (None,) * self.bodies.axes
        return tuple(
            Forms.differences([axis[i] for i, _ in pairs], [axis[j] for _, j in pairs], length)
            for axis, length in zip(self.bodies.positions, lengths, strict=True)
        )

    @property
    def _scale(self) -> int:
        """Column of the scale, behind those of the coordinates."""
        return len(self.bodies.names)

    @property
    def _momentum_weights(self) -> np.ndarray:
        return np.ones(self.bodies.number) if self.bodies.of_momenta else self.masses

    def _total(self, axis: Sequence[int]) -> Sum:
        x = _arguments(1)
        return Sum(x[0], x, (Forms.of(axis),), self._momentum_weights, "momentum", 0.5)

    def _turning(self, a: int, b: int) -> Sum:
        """Return Σ m (x v − y u)."""
        x, y, u, v = arguments = _arguments(4)
        q, p = self.bodies.positions, self.bodies.momenta
        forms = tuple(Forms.of(axis) for axis in (q[a], q[b], p[a], p[b]))
        return Sum(x * v - y * u, arguments, forms, self._momentum_weights, "turning", 1.5)

    def _turning_of_centre(self, a: int, b: int) -> Sum:
        """Return X P_y − Y P_x, with X = Σ m x: the angular momentum of the centre of mass."""
        x, y, u, v = arguments = _arguments(4)
        q, p = self.bodies.positions, self.bodies.momenta
        places = [Forms.total(axis, self.masses) for axis in (q[a], q[b])]
        momenta = [Forms.total(axis, self._momentum_weights) for axis in (p[a], p[b])]
        forms = (*places, *momenta)
        return Sum(x * v - y * u, arguments, forms, np.ones(1), "turning of the centre", 3.0)


def _arguments(number: int) -> tuple[sympy.Symbol, ...]:
    return tuple(sympy.Symbol(f"a{i}", real=True) for i in range(number))


def _over(
    gaps: tuple[Forms, ...], potential: sympy.Expr, weights: np.ndarray, kind: str, scale: int
) -> Sum:
    """Return the sum over pairs with the given differences."""
    if not potential.has(SCALE):
        return Radial(potential, (_R2,), gaps, weights, kind, 2.0)
    arguments = _arguments(len(gaps))
    kernel = potential.xreplace({_R2: sum(gap**2 for gap in arguments)})
    forms = (*gaps, Forms.of([scale] * len(weights)))
    return Sum(kernel, (*arguments, SCALE), forms, weights, kind, 2.0)
