"""Further laws that are quadratic in the momenta, beside a known energy.

    h = K_ij(q) p_i p_j + U(q),     ∇U = 2 K ∇V

where K is a Killing tensor: in flat space a polynomial of degree two in q. So the functions in U
are those of the potential V, times powers of positions up to two: of two fixed centres, of an atom
in a uniform field, of what separates in parabolic or elliptic coordinates.

Source: J. Bertrand (1857), G. Darboux (1901); E. T. Whittaker, *Analytical Dynamics*, §152.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy

from discovery.data.coordinates import MOMENTA
from discovery.estimation.orbits import Orbits
from discovery.laws.judging.law import Findings, Law
from discovery.laws.judging.verdict import Verdict
from discovery.laws.stage import Stage
from discovery.libraries.fitted import Fitted
from discovery.libraries.library import Library
from discovery.libraries.monomials import MAX_TERMS, monomials, scatter, symbols_of

# Degree of Killing tensors of flat space, and of monomials beside functions of the potential.
_TENSOR, _BESIDE = 2, 2


@dataclass(frozen=True)
class BesideEnergy(Stage):
    """Laws quadratic in the momenta, where the energy is known in a closed form.

    Attributes
    ----------
    symbols : tuple of d sympy.Symbol
    positions, momenta : tuple of int
        Columns; as many of each.
    name : str
        What reports call it.
    """

    symbols: tuple[sympy.Symbol, ...]
    positions: tuple[int, ...]
    momenta: tuple[int, ...]
    name: str = "quadratic in the momenta beside the energy"

    def __len__(self) -> int:
        return len(self._moving)

    def libraries(self, fit: Orbits, found: Findings) -> list[Library] | None:
        """Return the library of the energy's potential; None without one that is no polynomial."""
        laws = [law for law in found.laws if law.verdict == Verdict.EXACT]
        energy = next((law for law in laws if self._is_energy(law)), None)
        if energy is None:
            return None
        functions = self._functions(energy)
        if not functions:
            return None
        library = self._library(functions, energy.library.fitted)
        return [library] if len(library) <= MAX_TERMS else []

    @property
    def _moving(self) -> list[tuple[int, ...]]:
        d, n = len(self.symbols), len(self.positions)
        squares = [scatter(d, self.momenta, e) for e in monomials(n, 2) if sum(e) == 2]
        places = [(0,) * d, *(scatter(d, self.positions, e) for e in monomials(n, _TENSOR))]
        return [tuple(map(sum, zip(e, f, strict=True))) for e in squares for f in places]

    def _is_energy(self, law: Law) -> bool:
        """Tell whether a law is kinetic energy of constant masses and a potential."""
        p = [self.symbols[i] for i in self.momenta]
        second = [law.expression.diff(q, 2) for q in p]
        return isinstance(law.library, Library) and all(s.is_number and s != 0 for s in second)

    def _functions(self, energy: Law) -> list[sympy.Expr]:
        """Return the terms of the potential that are no monomials."""
        p = [self.symbols[i] for i in self.momenta]
        terms = (term for term in energy.library.expressions() if not term.has(*p))
        q = [self.symbols[i] for i in self.positions]
        return [term for term in terms if not term.is_polynomial(*q)]

    def _library(self, functions: Sequence[sympy.Expr], fitted: int) -> Library:
        n, d, k = len(self.positions), len(self.symbols), len(functions)
        none = (0,) * k
        beside = [(0,) * d, *(scatter(d, self.positions, e) for e in monomials(n, _BESIDE))]
        exponents = [(*e, *none) for e in self._moving]
        exponents += [(*scatter(d, self.positions, e), *none) for e in monomials(n, 2 * _BESIDE)]
        for j in range(k):
            one = tuple(int(i == j) for i in range(k))
            exponents += [(*e, *one) for e in beside]
        atoms = [*self.symbols, *functions]
        return Fitted(self.symbols, atoms, exponents, self.name, fitted)


def quadratic_stages(names: Sequence[str], roles: Sequence[str | None]) -> list[Stage]:
    """Return the stage for two or three positions with as many velocities or momenta.

    Parameters
    ----------
    names, roles : sequences of length d
    """
    positions = [i for i, role in enumerate(roles) if role == "position"]
    momenta = [i for i, role in enumerate(roles) if role in MOMENTA]
    n = len(positions)
    if n not in (2, 3) or len(momenta) != n or len(names) != 2 * n:
        return []
    return [BesideEnergy(symbols_of(names), tuple(positions), tuple(momenta))]
