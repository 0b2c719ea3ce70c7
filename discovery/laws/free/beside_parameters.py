"""Free functions whose strengths and lengths are parameters: k log r, q/√(r² + a²), e^(−x/L).

    h = Σ p_a plain_a + Σ p_j F_j(s),    p each parameter or 1,    s = q, q/p or q p

A parameter is constant in each run, and differs between runs. All F are expanded at once, as
without parameters; what describes one of them comes with each strength.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import sympy

from discovery.data.coordinates import MOMENTA
from discovery.data.parameters import Parts
from discovery.estimation.orbits import Orbits
from discovery.formulas.simple_numbers import NUMBERS, Numbers
from discovery.laws.free.stages import FreeFunctions
from discovery.laws.judging.law import Findings, Law
from discovery.laws.stage import Stage
from discovery.libraries.embedded import Embedded
from discovery.libraries.free_forms import Form, beside_parameters, free_forms
from discovery.libraries.monomials import symbols_of

# Parameters, at most: each is a strength of every term.
_MOST = 2


@dataclass(frozen=True)
class BesideParameters(Stage):
    """Closed forms of free functions with parameters in them.

    Attributes
    ----------
    stage : FreeFunctions
        Of all columns.
    coordinates : tuple of int
        Those that move.
    """

    stage: FreeFunctions
    coordinates: tuple[int, ...]
    of_all = True

    @property
    def name(self) -> str:
        """What the functions are of, and the parameters."""
        beside = ", ".join(map(str, self.stage.form.parameters))
        return f"{self.stage.name} with {beside}"

    def __len__(self) -> int:
        return len(self.stage)

    def libraries(self, fit: Orbits, found: Findings) -> Iterator[Embedded]:
        """Yield libraries of few terms; none where free functions are no flatter."""
        for library in self.stage.libraries(fit.with_still_parameters(), found):
            yield Embedded(library, library.symbols, self.coordinates).without_constants()

    def imitated_by(self, law: Law, fit: Orbits, beside: Findings) -> Iterator[Embedded]:
        """Yield the same where no law but the others is known.

        Parameters
        ----------
        law : Law
        fit : Orbits
            The runs that formulas are found on.
        beside : Findings
            The other laws.
        """
        return self.libraries(fit, beside)


def parameter_stages(
    names: Sequence[str],
    roles: Sequence[str | None],
    orbits: Orbits,
    parts: Parts,
    numbers: Numbers = NUMBERS,
) -> list[Stage]:
    """Return the stages for mechanical data with one or two parameters; none for others.

    Parameters
    ----------
    names : sequence of D str
        All columns'.
    roles : sequence of d str or None
        Those of the coordinates.
    orbits : Orbits
        All runs, of all columns: the ranges of the shapes are theirs.
    parts : Parts
        Which columns are what.
    numbers : Numbers
        What lengths are rounded to.
    """
    if parts.clock or not 1 <= len(parts.parameters) <= _MOST:
        return []
    columns = list(parts.coordinates)
    rows, noise = orbits.smoothed.states, orbits.noise
    symbols = symbols_of(names)
    parameters: list[sympy.Symbol] = [symbols[i] for i in parts.parameters]
    own = free_forms([names[i] for i in columns], roles, rows[:, columns], noise[columns])
    momenta = {symbols[i] for i, role in zip(columns, roles, strict=True) if role in MOMENTA}
    potentials = [_kinetic(form, momenta) for form in own if form.potential and not form.joint]
    forms = [
        form
        for potential in potentials
        for form in beside_parameters(potential, symbols, parameters, rows, noise)
    ]
    return [BesideParameters(FreeFunctions(form, numbers), parts.coordinates) for form in forms]


def _kinetic(form: Form, momenta: set[sympy.Symbol]) -> Form:
    """Return a form with squares of momenta alone: powers beside a function blur its length."""
    plain = tuple(term for term in form.plain if len(term) == 2 and momenta.issuperset(term))
    return replace(form, plain=plain)
