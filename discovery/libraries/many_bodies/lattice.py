"""Sums over the sites and bonds of a lattice on a line: the same whatever the number of sites."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import sympy

from discovery.libraries.many_bodies.bodies import Bodies
from discovery.libraries.many_bodies.families import Family, ScaledSums
from discovery.libraries.many_bodies.sums import Forms, Sum, Sums
from discovery.libraries.unknown_scale import SCALE

#: What becomes of the two ends: joined, free, or held by a bond to a wall at zero.
ENDS = ("ring", "free ends", "fixed ends")
_X = sympy.Symbol("a0", real=True)
_P, _Q = sympy.Symbol("a1", real=True), sympy.Symbol("a2", real=True)
#: Potentials of a bond of unknown scale; the second is of the other sign.
BONDS = {
    "exponential bonds": sympy.exp(-SCALE * _X),
    "exponential bonds, mirrored": sympy.exp(SCALE * _X),
    "cosine bonds": sympy.cos(SCALE * _X),
}


@dataclass(frozen=True)
class Lattice:
    """Sites on a line with bonds between neighbours, in the order of the columns.

    Attributes
    ----------
    family : Family
        Of bodies along one axis.
    ends : str
        One of `ENDS`.
    """

    family: Family
    ends: str

    @property
    def bodies(self) -> Bodies:
        """The sites."""
        return self.family.bodies

    def polynomial(self) -> Sums:
        """Return powers up to four of positions and of the bonds' lengths."""
        sums = [self._moving(1, 0.5), self.family.kinetic()]
        sums += [self._sites(_X**n / n, f"sites {n}", n) for n in (1, 2, 3, 4)]
        sums += [self._bonds(_X**n / n, f"bonds {n}", n + 0.5) for n in (2, 3, 4)]
        return self._library(sums, "powers")

    def waves(self) -> ScaledSums:
        """Return harmonic bonds with a cosine of each position, of unknown wave number."""
        sums = [
            self.family.kinetic(),
            self._bonds(_X**2 / 2, "bonds 2", 2.5),
            self._sites(sympy.cos(SCALE * _X), "sites cos", 2.0),
        ]
        return self._scaled(sums, "cosines", oscillating=True)

    def bonded(self, name: str) -> ScaledSums:
        """Return bonds with a potential of unknown scale.

        Parameters
        ----------
        name : str
            Of `BONDS`.
        """
        potential = BONDS[name]
        own = [self._moving(1, 0.5), self.family.kinetic()]
        sums = [*own, self._bonds(potential, "bonds", 2.5)]
        richer = None
        if potential.has(sympy.exp):
            # What Toda's lattice keeps beside its energy.
            both = (_P + _Q) * potential
            richer = [self._moving(3, 3.0), self._bonds(both, "bonds moving", 4.0, moving=True)]
        oscillating = potential.has(sympy.cos)
        return self._scaled(sums, name, oscillating=oscillating, richer=richer)

    def _library(self, sums: Sequence[Sum], name: str) -> Sums:
        return Sums(self.family.symbols, sums, f"{self.ends}: {name}")

    def _scaled(
        self,
        sums: Sequence[Sum],
        name: str,
        *,
        oscillating: bool,
        richer: Sequence[Sum] | None = None,
    ) -> ScaledSums:
        symbols, label = (*self.family.symbols, SCALE), f"{self.ends}: {name}"
        return ScaledSums(
            Sums(symbols, sums, label),
            self.bodies.positions[0],
            wave_number=True,
            oscillating=oscillating,
            richer=None if richer is None else Sums(symbols, richer, label),
        )

    def _moving(self, power: int, cost: float) -> Sum:
        """Return Σ pⁿ/n, or Σ m vⁿ/n."""
        momenta = self.bodies.momenta[0]
        weights = np.ones(len(momenta)) if self.bodies.of_momenta else self.family.masses
        return Sum(_X**power / power, (_X,), (Forms.of(momenta),), weights, f"p{power}", cost)

    def _sites(self, potential: sympy.Expr, kind: str, cost: float) -> Sum:
        return self._sum(potential, [Forms.of(self.bodies.positions[0])], kind, cost)

    def _bonds(self, potential: sympy.Expr, kind: str, cost: float, moving: bool = False) -> Sum:
        q, p = self.bodies.positions[0], self.bodies.momenta[0]
        n = len(q)
        pairs = [(i, i + 1) for i in range(n - 1)]
        if self.ends == "ring":
            pairs.append((n - 1, 0))
        first, second = zip(*pairs, strict=True)
        gaps = Forms.differences([q[i] for i in first], [q[i] for i in second])
        if self.ends == "fixed ends":
            walls = np.array([[q[0], q[0]], [q[-1], q[-1]]])
            index = np.vstack([gaps.index, walls])
            gaps = Forms(index, np.vstack([gaps.factor, [[1.0, 0.0], [-1.0, 0.0]]]))
        forms = [gaps]
        if moving:
            forms += [Forms.of([p[i] for i in first]), Forms.of([p[i] for i in second])]
        return self._sum(potential, forms, kind, cost)

    def _sum(self, potential: sympy.Expr, forms: Sequence[Forms], kind: str, cost: float) -> Sum:
        arguments = (_X, _P, _Q)[: len(forms)]
        parts = len(forms[0].index)
        if potential.has(SCALE):
            arguments = (*arguments, SCALE)
            forms = [*forms, Forms.of([len(self.bodies.names)] * parts)]
        return Sum(potential, arguments, tuple(forms), np.ones(parts), kind, cost)
