"""Runs as orbits about the origin that the motion shows: those that find, and those that judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from discovery.analysis.asked import Asked
from discovery.criteria import LAWS
from discovery.data.coordinates import MOMENTA, infer_roles
from discovery.data.frame import Frame
from discovery.data.parameters import Parts
from discovery.data.trajectories import Trajectories
from discovery.estimation.along import jittered
from discovery.estimation.model_rows import rates
from discovery.estimation.orbits import Orbits
from discovery.estimation.origin import natural_origin, origin_aside
from discovery.estimation.split import WINDOWS, Split
from discovery.preparations import Preparation

# A natural origin is known no better than this, in spreads.
_ORIGIN_KNOWN = 1e-4


@dataclass(frozen=True)
class Seen:
    """Runs as orbits, and which of them find and which judge.

    Attributes
    ----------
    parts : Parts
        Which columns are what.
    sound, moving : Trajectories
        All columns, and the coordinates among them.
    orbits, known : Orbits
        The same; those of all columns are in windows where runs are few.
    frame : Frame
        Of all columns.
    fit, held : arrays of int
        Runs.
    split : Split or None
        None where windows are too short.
    windows : int
        Of each run where runs are few, else 0.
    own : bool
        Whether the library is the user's own: of all columns.
    """

    parts: Parts
    sound: Trajectories
    moving: Trajectories
    orbits: Orbits
    known: Orbits
    frame: Frame
    fit: np.ndarray
    held: np.ndarray
    split: Split | None
    windows: int
    own: bool

    @property
    def few(self) -> bool:
        """Whether runs are too few for a verdict."""
        return self.windows > 0

    @property
    def of(self) -> Trajectories:
        """What the library is of."""
        return self.sound if self.own else self.moving

    @property
    def seen(self) -> Orbits:
        """Their orbits."""
        return self.orbits if self.own else self.known

    @property
    def on_a_path(self) -> bool:
        """Whether samples lie on a path."""
        return self.seen.on_a_path

    @property
    def path(self) -> np.ndarray:
        """Smoothed states, (n, columns)."""
        return self.seen.smoothed.states

    @cached_property
    def speeds(self) -> np.ndarray | None:
        """Their rates, (n, columns), along paths."""
        return rates(self.of, self.path) if self.on_a_path else None

    @cached_property
    def roles(self) -> list[str | None]:
        """Roles of these columns, as given or inferred."""
        return infer_roles(self.of.names, self.of.roles, self.path, self.speeds)


def as_orbits(
    sound: Trajectories,
    parts: Parts,
    frame: Frame,
    preparation: Preparation,
    asked: Asked,
    rng: np.random.Generator,
) -> Seen:
    """Part the runs, and make orbits of them.

    Parameters
    ----------
    sound : Trajectories
        In the frame.
    parts : Parts
        Which columns are what.
    frame : Frame
    preparation : Preparation
    asked : Asked
    rng : numpy.random.Generator
    """
    coordinates = list(parts.coordinates)
    moving = sound if parts.all_coordinates else sound.of_columns(coordinates)
    levels = asked.noise if asked.noise is None else asked.noise[coordinates]
    few = sound.n_runs < LAWS.min_runs
    windows = -(-WINDOWS // sound.n_runs) if few else 0
    every = np.arange(sound.n_runs)
    fit, held = (every, every) if few else Split.choose(sound.n_runs, rng)
    known = preparation.within(frame.of_columns(coordinates)).orbits(moving, fit, levels, rng)
    known = replace(known, noise_lasts=asked.noise_lasts)
    if known.on_a_path:
        free = isinstance(asked.library, str) and not asked.in_box
        known, frame = _about_natural_origin(known, moving, frame, coordinates, free)
    orbits = known.among(sound.rows, coordinates, parts.parameters)
    if parts.clock:
        orbits = jittered(orbits, parts.clock, sound.row_times)
    if few:
        orbits = orbits.in_windows(windows)
    split = Split.in_time(orbits, rng) if few else Split.of(orbits, fit, held, rng)
    own = not isinstance(asked.library, str)
    return Seen(parts, sound, moving, orbits, known, frame, fit, held, split, windows, own)


def _about_natural_origin(
    orbits: Orbits, runs: Trajectories, frame: Frame, columns: Sequence[int], free: bool
) -> tuple[Orbits, Frame]:
    """Return orbits and their frame about the origin that the motion shows.

    The frame is of more columns than the runs, whose coordinates are in `columns`. Of coordinates
    near the user's origin, places and velocities alone may have another one, and only if `free`.
    """
    part = frame.of_columns(columns)
    states = orbits.smoothed.states
    # One run has halves of its own.
    blocks = orbits if orbits.n_runs > 1 else orbits.in_windows(2)
    if not (part.far or free) or blocks.n_runs < 2:
        return orbits, frame
    speeds = rates(runs, states)
    seen = infer_roles(runs.names, runs.roles, states, speeds)
    # Roles that rates alone suggest move no origin: an amount stays one.
    told = infer_roles(runs.names, runs.roles, states)
    near = part.near(states, runs.names, told) if free else []
    half = np.repeat(np.arange(blocks.n_runs) % 2 == 0, np.diff(blocks.offsets))
    halves = [half | True, half, ~half]
    better, known = part, _ORIGIN_KNOWN * orbits.scale
    for groups, found_by in ((part.far, natural_origin), (near, origin_aside)):
        if groups:
            shift, one, other = (
                found_by(states[rows], speeds[rows], seen, groups) for rows in halves
            )
            moved = [i for group in groups for i in group if shift[i] or part.centre[i]]
            # As few digits as the two halves of the runs agree on; one column may by chance.
            apart = _pooled((one - other) / orbits.scale, seen, moved) * orbits.scale
            better = better.moved(shift, np.maximum(apart, known), moved)
    return orbits.moved((better.origin - part.origin) / part.unit), frame.among(better, columns)


def _pooled(values: np.ndarray, roles: Sequence[str | None], columns: Sequence[int]) -> np.ndarray:
    """Return the root mean square of values (d,) over the columns of each one's role, (d,)."""
    out = np.zeros(len(values))
    for role in {roles[i] for i in columns}:
        alike = [i for i in columns if roles[i] == role]
        out[alike] = np.sqrt(np.mean(values[alike] ** 2))
    return out


def hides_motion(orbits: Orbits, runs: Trajectories) -> bool:
    """Tell whether velocities that were formed hold more noise than motion, all of them.

    Or whether what is left beside them is noise: of a coordinate it is larger than its spread.

    Parameters
    ----------
    orbits : Orbits
    runs : Trajectories
    """
    formed = [i for i, role in enumerate(runs.roles or ()) if role in MOMENTA]
    noise = orbits.mean_noise / orbits.scale
    return bool(np.all(noise[formed] > LAWS.formed_noise) or np.any(noise > LAWS.beside_formed))
