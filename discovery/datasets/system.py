"""Systems: what data sets are generated from, one declarative record each, in one table."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np


@dataclass(frozen=True)
class System:
    """A dynamical system with known conserved quantities.

    Parameters
    ----------
    name : str
    doc : str
        What it is and how initial states are drawn.
    equations : str
        The equations of motion, for reading.
    source : str
        Where the system was published.
    names, roles : tuple of d str
    flow : callable
        Time derivatives as a function of the columns: ``flow(x, y) -> (dx, dy)``.
    sample : callable
        ``sample(rng, n) -> (n, d)`` initial states.
    dt : float
        Time between samples.
    laws : dict from name to a function of the columns
        Conserved quantities; they may depend on each other.
    count : int
        How many conserved quantities are functionally independent (not counting time-dependent
        ones).
    accept : callable, optional
        ``accept(states (n, steps, d)) -> (n,) bool``: runs to keep, the others are drawn again.
    grid_spacing : float, optional
        For fields: the distance between grid points. The columns then are one array (..., d).
    is_map : bool
        Whether ``flow`` gives the next state in place of time derivatives; `dt` is 1 then.
    """

    name: str
    doc: str
    equations: str
    source: str
    names: tuple[str, ...]
    roles: tuple[str, ...]
    flow: Callable[..., tuple]
    sample: Callable[[np.random.Generator, int], np.ndarray]
    dt: float
    laws: dict[str, Callable[..., np.ndarray]]
    count: int
    accept: Callable[[np.ndarray], np.ndarray] | None = None
    grid_spacing: float | None = None
    is_map: bool = False

    def __str__(self) -> str:
        laws = ", ".join(self.laws) or "none"
        return (
            f"{self.name}: {self.doc}\n"
            f"  equations  {self.equations}\n"
            f"  laws       {laws} ({self.count} independent)\n"
            f"  source     {self.source}"
        )

    @property
    def dim(self) -> int:
        """Number of coordinates, d."""
        return len(self.names)

    @property
    def truth(self) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
        """The laws as functions of states (..., d) -> (...)."""
        return {law: Law(self.name, law) for law in self.laws}

    def rhs(self, states: np.ndarray) -> np.ndarray:
        """Time derivative of states, or of a map the next ones, (..., d) -> (..., d)."""
        if self.grid_spacing is not None:
            return self.flow(states)
        return np.stack(np.broadcast_arrays(*self.flow(*self.columns(states))), axis=-1)

    def columns(self, states: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return the arguments of ``flow`` and the laws: one (...) a coordinate, or the field."""
        states = np.asarray(states, dtype=np.float64)
        return (states,) if self.grid_spacing is not None else tuple(np.moveaxis(states, -1, 0))


SYSTEMS: dict[str, System] = {}


def register(*systems: System) -> None:
    """Make systems known to ``datasets.load``, ``names`` and ``info``, under their names.

    Raises
    ------
    ValueError
        For a name that another system bears.
    """
    for system in systems:
        if system.name in SYSTEMS:
            raise ValueError(f"there is a system {system.name!r} already. Choose another name.")
        SYSTEMS[system.name] = system


Maker = Callable[[str, np.random.Generator], System]
KINDS: dict[str, Maker] = {}


def kind(make: Maker) -> Maker:
    """Make a kind of random systems known to ``datasets.random``, under the name of its maker.

    Parameters
    ----------
    make : callable
        ``make(name, rng) -> System``, a new one for every state of the generator.

    Returns
    -------
    callable
        The maker itself: this is a decorator.
    """
    KINDS[make.__name__] = make
    return make


def find(name: str) -> System | None:
    """Return the system of a name, registered or ``"kind/seed"``; None for an unknown name."""
    name = str(name)
    family, _, seed = name.partition("/")
    if family in KINDS and seed.isdecimal():
        return _drawn(family, int(seed))
    return SYSTEMS.get(name)


@lru_cache(maxsize=256)
def _drawn(family: str, seed: int) -> System:
    rng = np.random.default_rng([zlib.crc32(family.encode()), seed])
    return KINDS[family](f"{family}/{seed}", rng)


@dataclass(frozen=True)
class Law:
    """A conserved quantity of a system; by name, so that it can be pickled."""

    system: str
    law: str

    def __call__(self, states: np.ndarray) -> np.ndarray:
        """Evaluate on states, (..., d) -> (...)."""
        system = find(self.system)
        if system is None:
            raise ValueError(
                f"the system {self.system!r} of this law is not registered here. Import the module "
                "that registers it."
            )
        return system.laws[self.law](*system.columns(states))
