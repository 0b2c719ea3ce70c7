"""Stages of libraries: closed, with unknown lengths, of some columns, or left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sympy

from discovery.data.parameters import Parts
from discovery.estimation.half_lines import Column
from discovery.estimation.orbits import Orbits
from discovery.formulas.simple_numbers import NUMBERS, Numbers
from discovery.laws.finding.scale_search import tuned
from discovery.laws.judging.law import Findings
from discovery.laws.many_bodies import stages_of_bodies
from discovery.laws.stage import Stage
from discovery.libraries.embedded import Embedded, with_clock, with_parameters
from discovery.libraries.functions import Functions
from discovery.libraries.library import Library
from discovery.libraries.many_bodies.bodies import Bodies
from discovery.libraries.monomials import MAX_TERMS
from discovery.libraries.omitted import Omitted
from discovery.libraries.unknown_scale import Scaled


@dataclass(frozen=True)
class Closed(Stage):
    """A library of closed forms, as it is."""

    library: Functions

    @property
    def name(self) -> str:
        """The library's."""
        return self.library.name

    @property
    def positive(self) -> tuple[Column, ...]:
        """The library's."""
        return self.library.positive

    def __len__(self) -> int:
        return len(self.library)

    def libraries(self, fit: Orbits, found: Findings) -> list[Functions]:
        """Return the library."""
        return [self.library]


@dataclass(frozen=True)
class TooLarge(Stage):
    """A library with more functions than the evidence of usual data can carry: not tried."""

    library: Omitted
    positive = ()

    @property
    def name(self) -> str:
        """The library's."""
        return self.library.name

    @property
    def skipped(self) -> str:
        """Its size, or another reason."""
        if self.library.reason:
            return self.library.reason
        return f"{len(self)} terms, and at most {MAX_TERMS} are tried"

    def __len__(self) -> int:
        return len(self.library)

    def libraries(self, fit: Orbits, found: Findings) -> list[Functions]:
        """Return nothing."""
        return []


@dataclass(frozen=True)
class OfUnknownScale(Stage):
    """A library with a length or wave number that the fit runs tell.

    Attributes
    ----------
    scaled : Scaled
    numbers : Numbers
        What the scale is rounded to.
    """

    scaled: Scaled
    numbers: Numbers = NUMBERS

    @property
    def name(self) -> str:
        """The library's."""
        return self.scaled.name

    def __len__(self) -> int:
        return len(self.scaled)

    def libraries(self, fit: Orbits, found: Findings) -> list[Library] | None:
        """Return the library at each scale at which a function is flat; None beside an energy."""
        known = [law for law in found.laws if law.sure]
        if fit.of_run is not None:
            known = found.identities
        if any(self.scaled.has_energy(law.expression) for law in known):
            return None
        return tuned(self.scaled, fit, self.numbers)


@dataclass(frozen=True)
class Learned(Stage):
    """Features that a network learns from the fit runs, where no closed form was found.

    Attributes
    ----------
    train : callable Orbits -> Functions
    """

    train: Callable[[Orbits], Functions]
    name: str = "learned features"

    def __len__(self) -> int:
        return 0

    def libraries(self, fit: Orbits, found: Findings) -> list[Functions] | None:
        """Return the features; None beside any law."""
        return None if found.laws else [self.train(fit)]


@dataclass(frozen=True)
class Among(Stage):
    """A stage of coordinates that are some of the data's columns.

    Attributes
    ----------
    stage : Stage
    symbols : tuple of sympy.Symbol
        All columns.
    coordinates : tuple of int
        The columns that the stage is for.
    """

    stage: Stage
    symbols: tuple[sympy.Symbol, ...]
    coordinates: tuple[int, ...]

    @property
    def name(self) -> str:
        """The stage's."""
        return self.stage.name

    @property
    def skipped(self) -> str:
        """Why the stage is not tried."""
        return self.stage.skipped

    def __len__(self) -> int:
        return len(self.stage)

    def libraries(self, fit: Orbits, found: Findings) -> list[Functions] | None:
        """Return what the stage gives on its coordinates, as functions of all columns."""
        inner = self.stage.libraries(fit.of_columns(self.coordinates), found)
        if inner is None:
            return None
        return [Embedded(library, self.symbols, self.coordinates) for library in inner]


def stages_among(
    stages: Sequence[Stage], symbols: Sequence[sympy.Symbol], parts: Parts
) -> list[Stage]:
    """Return stages for all columns of the data, with parameters in what is closed.

    Parameters
    ----------
    stages : sequence of Stage
        Of the coordinates, or of all columns.
    symbols : sequence of sympy.Symbol
        All columns.
    parts : Parts
        Which columns are what.

    Raises
    ------
    ValueError
        Where all functions are of parameters alone.
    """
    if parts.all_coordinates:
        return list(stages)
    symbols, coordinates = tuple(symbols), (*parts.coordinates, *parts.clock)
    clock = next((symbols[i] for i in parts.clock), None)
    parameters = [symbols[i] for i in parts.parameters]
    out: list[Stage] = []
    for stage in stages:
        if stage.of_all:
            out.append(stage)
            continue
        if not isinstance(stage, Closed):
            out.append(Among(stage, symbols, parts.coordinates))
            continue
        library = stage.library
        both = [library]
        if library.dim == len(parts.coordinates):
            both.append(with_parameters(library, parameters))
            timed = None if clock is None else with_clock(library, clock)
            both.append(timed)
            both.append(None if timed is None else with_parameters(timed, parameters))
        embedded = (Embedded(some, symbols, coordinates) for some in both if some is not None)
        closed = (Closed(some.without_constants()) for some in embedded)
        out += [stage for stage in closed if len(stage)]
    if not out:
        raise ValueError(
            "library: its functions depend on parameters alone, which are constant in each run. "
            "Give functions of the coordinates."
        )
    return out


def stages_of(
    libraries: Sequence[Functions | Scaled | Omitted | Bodies], numbers: Numbers = NUMBERS
) -> list[Stage]:
    """Return the stages that try libraries in the given order.

    Parameters
    ----------
    libraries : sequence of Functions, Scaled, Omitted or Bodies
        From simple to rich, as `libraries.resolve` returns them.
    numbers : Numbers
        What unknown scales are rounded to.
    """
    out: list[Stage] = []
    for library in libraries:
        if isinstance(library, Bodies):
            out += stages_of_bodies(library, numbers)
        elif isinstance(library, Omitted):
            out.append(TooLarge(library))
        elif isinstance(library, Scaled):
            out.append(OfUnknownScale(library, numbers))
        else:
            out.append(Closed(library))
    return out
