"""Measured motion: smoothed runs, which of their columns pair, and integrals over short windows.

A rate is not measured. What is: how values change over a window, beside the integral of what is
said to change them.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy.integrate import cumulative_simpson

from discovery.data.coordinates import infer_roles
from discovery.data.frame import Frame
from discovery.data.trajectories import Trajectories
from discovery.estimation.model_rows import rates
from discovery.estimation.orbits import Orbits
from discovery.libraries.functions import Functions
from discovery.noether.phase_space import canonical_pairs

# Windows of a run, and samples of one at least: so Simpson's rule knows its integrals.
_WINDOWS, _FEWEST = 8, 6
# States at which a function's form is tested.
_POINTS = 200


class Candidate(NamedTuple):
    """A function of the state that is conserved, or decays.

    Attributes
    ----------
    library : Functions
        Its s terms.
    coefficients : (s,) array
    decays : bool
        Whether friction takes it.
    """

    library: Functions
    coefficients: np.ndarray
    decays: bool = False

    def values(self, states: np.ndarray) -> np.ndarray:
        """Return the values (n,) at states (n, D)."""
        return self.coefficients @ self.library.values(states)

    def gradient(self, states: np.ndarray) -> np.ndarray:
        """Return the gradients (n, D) at states (n, D)."""
        return np.einsum("j,ijn->ni", self.coefficients, self.library.jets(states, order=1)[1])


@dataclass(frozen=True)
class MeasuredMotion:
    """Smoothed runs, and which of their columns pair.

    Attributes
    ----------
    states : (n, D) array
        In the user's units; angles without jumps.
    times : (n,) array
    offsets : (runs + 1,) array of int
    names : tuple of D str
    roles : tuple of D str or None
        As told by the user or inferred.
    told : bool
        Whether the user told them.
    noise : (D,) array
        Standard deviation of what measuring adds.
    pairs : tuple of (int, int)
        Columns of a position and of its velocity or momentum; empty where none are known.
    tied : tuple of Candidate
        What all runs obey alike.
    """

    states: np.ndarray
    times: np.ndarray
    offsets: np.ndarray
    names: tuple[str, ...]
    roles: tuple[str | None, ...]
    told: bool
    noise: np.ndarray
    pairs: tuple[tuple[int, int], ...] = ()
    tied: tuple[Candidate, ...] = ()

    @classmethod
    def of(
        cls, orbits: Orbits, moving: Trajectories, whole: Trajectories, columns: Sequence[int]
    ) -> MeasuredMotion:
        """Pair the coordinates of smoothed runs, by their roles, or by how they move.

        Parameters
        ----------
        orbits : Orbits
            Of all columns.
        moving : Trajectories
            The coordinates alone.
        whole : Trajectories
            All columns.
        columns : sequence of int
            Where the coordinates are among these.
        """
        states = orbits.smoothed.states
        own = states[:, list(columns)]
        speeds = rates(moving, own) if orbits.on_a_path else None
        known = infer_roles(moving.names, moving.roles, own, speeds)
        roles: list[str | None] = ["parameter"] * len(whole.names)
        for column, role in zip(columns, known, strict=True):
            roles[column] = role
        # What is of no kind, such as a temperature beside an oscillator, pairs with nothing.
        of_a_kind = [i for i, role in enumerate(known) if role not in (None, "other")]
        try:
            some = canonical_pairs(
                [moving.names[i] for i in of_a_kind], [known[i] for i in of_a_kind]
            )
        except ValueError:  # roles that do not pair
            some = []
        pairs = [(of_a_kind[q], of_a_kind[p]) for q, p in some] if orbits.on_a_path else []
        return cls(
            states=states,
            times=whole.row_times,
            offsets=orbits.offsets,
            names=tuple(whole.names),
            roles=tuple(roles),
            told=any(moving.roles or ()),
            noise=orbits.mean_noise,
            pairs=tuple((columns[q], columns[p]) for q, p in pairs),
        )

    @classmethod
    def of_fields(cls, orbits: Orbits, times: np.ndarray, names: Sequence[str]) -> MeasuredMotion:
        """Return the motion of fields, whose columns do not pair.

        Parameters
        ----------
        orbits : Orbits
            Of the values on the grid.
        times : (n,) array
        names : sequence of d str
        """
        return cls(
            states=orbits.smoothed.states,
            times=times,
            offsets=orbits.offsets,
            names=tuple(names),
            roles=("field",) * len(names),
            told=True,
            noise=orbits.mean_noise,
        )

    def outside(self, frame: Frame) -> MeasuredMotion:
        """Return the same in the user's units.

        Parameters
        ----------
        frame : Frame
            That it is in.
        """
        states, times = frame.outside(self.states), self.times * frame.time_unit
        return replace(self, states=states, times=times, noise=self.noise * abs(frame.unit))

    @property
    def positions(self) -> list[int]:
        """Columns of the positions and angles that pair."""
        return [q for q, _ in self.pairs]

    @property
    def momenta(self) -> list[int]:
        """Columns of their velocities or momenta."""
        return [w for _, w in self.pairs]

    def points(self) -> np.ndarray:
        """Return states (n, D) all over the box that the data fill, for testing a form."""
        low, high = np.quantile(self.states, [0.05, 0.95], axis=0)
        unit = np.random.default_rng(0).uniform(size=(_POINTS, len(low)))
        return low + (high - low) * unit

    @cached_property
    def windows(self) -> list[np.ndarray]:
        """The rows where windows of a run begin or end, of each run that is long enough."""
        rows = [
            np.arange(a, b, max(_FEWEST, (b - a) // _WINDOWS))
            for a, b in itertools.pairwise(self.offsets)
        ]
        return [edges for edges in rows if len(edges) > 1]

    def change(self, values: np.ndarray) -> np.ndarray:
        """Return how values (n, k) change over each window, (windows, k)."""
        return np.concatenate([np.diff(values[edges], axis=0) for edges in self.windows])

    def integral(self, values: np.ndarray, every: int = 1) -> np.ndarray:
        """Return the integrals of values (n, k) over each window, (windows, k).

        Parameters
        ----------
        values : (n, k) array
        every : int
            Of so many samples one is used, beside those at the ends of windows.
        """
        alike = defaultdict(list)
        for number, edges in enumerate(self.windows):
            alike[tuple(edges - edges[0])].append(number)
        out = [np.empty(0)] * len(self.windows)
        for edges, numbers in alike.items():
            rows = np.union1d(np.arange(0, edges[-1] + 1, every), edges)
            at = np.add.outer([self.windows[number][0] for number in numbers], rows)
            y = values[at]
            x = np.broadcast_to(self.times[at][..., None], y.shape)
            whole = cumulative_simpson(y, x=x, axis=1, initial=0.0)
            parts = np.diff(whole[:, np.searchsorted(rows, edges)], axis=1)
            for number, part in zip(numbers, parts, strict=True):
                out[number] = part
        return np.concatenate(out)
