"""Runs as they are received: units, angles, the noise that is known, velocities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from discovery.criteria import NOISE
from discovery.data.flaws.reading import in_radians, radians_in, read
from discovery.data.frame import Frame, with_rows
from discovery.data.trajectories import Trajectories
from discovery.estimation.noise.memory import Apart, taken_apart
from discovery.estimation.passage import Reading
from discovery.estimation.positions import Missing, seen_noise, with_formed_velocities
from discovery.estimation.smoothness import noise_alone
from discovery.libraries.many_bodies.told import Told


@dataclass(frozen=True)
class Received:
    """Runs, and what is known of their d columns.

    Attributes
    ----------
    runs : Trajectories
    given : Trajectories
        The same before velocities were formed.
    turns : tuple of d Fraction or None, or empty
        The turn of each column that is an angle in another unit than radians; empty where all
        angles are in radians.
    levels : (d,) array or None
        Standard deviations of the noise of the given columns, where they are known.
    units : mapping from name to unit
    reading : Reading
        How stored rows become these.
    apart : Apart
        How far samples were taken apart.
    idle : tuple of str
        Columns that were left out, since they show noise alone.
    """

    runs: Trajectories
    given: Trajectories
    turns: tuple[Fraction | None, ...]
    levels: np.ndarray | None
    units: Mapping[str, str]
    reading: Reading
    apart: Apart
    idle: tuple[str, ...] = ()

    @classmethod
    def read(
        cls,
        runs: Trajectories,
        told: Told | None,
        degrees: str | Sequence[str],
        levels: np.ndarray | None,
    ) -> Received:
        """Read runs as the user said, or as they look: the walls of a box, degrees.

        Parameters
        ----------
        runs : Trajectories
        told : Told, optional
            Which bodies the columns are of, and the box that they are in.
        degrees : str or sequence of str
            Columns in degrees; where none is named, those that the runs say.
        levels : (d,) array, optional
            Standard deviations of the noise.
        """
        units, unrolled = runs.units, None
        if told is not None and told.in_box:
            unrolled = told.unrolled
            runs = with_rows(runs, unrolled(runs.rows, runs.offsets), runs.row_times)
        unsaid = isinstance(degrees, Sequence) and not degrees
        runs, turns = read(runs, runs.in_degrees if unsaid else degrees)
        reading = Reading(runs.roles, unrolled=unrolled)
        return cls(runs, runs, turns, levels, units, reading, Apart(runs))

    @property
    def in_radians(self) -> Trajectories:
        """The runs with all angles in radians: whether these follow a path is seen there."""
        return in_radians(self.runs, self.turns) if any(self.turns) else self.runs

    def noise_in(self, frame: Frame, framed: Trajectories) -> np.ndarray | None:
        """Return the known noise in the units of a frame; None where velocities were formed.

        Parameters
        ----------
        frame : Frame
        framed : Trajectories
            The runs in it.

        Returns
        -------
        (d,) array or None
        """
        if self.levels is None or self.runs.formed is not None:
            return None
        return np.maximum(self.levels / abs(frame.unit), NOISE.resolution * framed.rows.std(axis=0))

    def without_noise_alone(self) -> Received:
        """Leave out columns that show noise alone, in runs and between them."""
        runs, levels = self.runs, self.levels
        idle = noise_alone(runs)
        if not idle:
            return self
        names = tuple(runs.names[i] for i in idle)
        kept = [i for i in range(runs.dim) if i not in idle]
        runs = runs.of_columns(kept)
        said = f"{', '.join(names)} left out: noise alone, in runs and between them"
        runs.remarks = (*runs.remarks, said)
        return replace(
            self,
            runs=runs,
            given=runs,
            turns=tuple(self.turns[i] for i in kept),
            levels=None if levels is None else levels[kept],
            reading=replace(self.reading, roles=runs.roles),
            apart=Apart(runs),
            idle=names,
        )

    def with_velocities(self, missing: Missing, in_part: bool, some: Trajectories) -> Received:
        """Return the columns with velocities beside the places, and all angles in radians.

        Parameters
        ----------
        missing : Missing
            Which velocities.
        in_part : bool
            Whether the runs are a sample of stored ones, which are smoothed with the noise of
            these.
        some : Trajectories
            The rows that are analysed, in radians.
        """
        levels = None if self.levels is None else self.levels * radians_in(self.turns)
        if in_part and levels is None:
            levels = seen_noise(self.in_radians)
        turned = {n for n, turn in zip(self.runs.names, self.turns, strict=True) if turn}
        apart = taken_apart(some, missing.kept)
        every = apart.every_kept
        stored = {"turns": self.turns, "missing": missing, "noise": levels, "every": every}
        return replace(
            self,
            runs=with_formed_velocities(apart.runs, missing, levels),
            turns=(),
            levels=levels,
            units={name: unit for name, unit in self.units.items() if name not in turned},
            reading=replace(self.reading, **stored),
            apart=apart,
        )
