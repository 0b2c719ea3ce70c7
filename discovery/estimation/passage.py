"""Passage: the way of a sample's runs to orbits, which all others of a source go too.

What was seen on the sample holds for all: roles and units of angles, the frame, the noise, how
samples follow each other. What concerns a run by itself is done anew: values that an instrument
held and gross errors are left out, velocities are formed, and the path is smoothed by local
polynomials.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from discovery.data.flaws.reading import in_radians, without_held
from discovery.data.frame import Frame, with_rows
from discovery.data.parameters import Parts
from discovery.data.row_limit import long_enough
from discovery.data.trajectories import Trajectories
from discovery.estimation.along import with_noise
from discovery.estimation.iterates.sampling import Sampling, without_order
from discovery.estimation.noise.memory import thinned
from discovery.estimation.orbits import Orbits
from discovery.estimation.positions import Missing, with_formed_velocities
from discovery.estimation.preparation import Levels, prepare, without_gross_errors


@dataclass(frozen=True)
class Reading:
    """How stored columns become those that are analysed.

    Attributes
    ----------
    roles : tuple of str or None
        Of the stored columns, as they were seen.
    turns : tuple of Fraction or None, or empty
        The turn of what is turned into radians.
    missing : Missing or None
        Velocities that are formed.
    noise : array or None
        Of the columns that they are formed from.
    unrolled : callable or None
        From rows and offsets to places that do not jump at the walls of a box.
    every : int
        One in so many samples is analysed: those between err as their neighbours do.
    """

    roles: tuple[str | None, ...] | None
    turns: tuple[Fraction | None, ...] = ()
    missing: Missing | None = None
    noise: np.ndarray | None = None
    unrolled: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None
    every: int = 1

    def read(self, runs: Trajectories) -> Trajectories:
        """Return the runs with the columns that are analysed.

        Parameters
        ----------
        runs : Trajectories
            As they are stored.
        """
        runs = long_enough(runs)
        if self.unrolled is not None:
            runs = with_rows(runs, self.unrolled(runs.rows, runs.offsets), runs.row_times)
        runs = without_held(runs)
        runs.roles = self.roles
        runs = long_enough(thinned(runs, self.every))
        if self.missing is None:
            return runs
        runs = in_radians(runs, self.turns) if any(self.turns) else runs
        return with_formed_velocities(runs, self.missing, self.noise)


@dataclass(frozen=True)
class Passage:
    """From stored runs to orbits.

    Attributes
    ----------
    reading : Reading
    frame : Frame
    parts : Parts
    sampling : Sampling
    noise : (d,) array
        Of the coordinates, in the frame.
    clock_noise : array
        Variances of the columns that tell the time.
    scale : array
        Standard deviation of each column on the sample.
    levels : Levels or None
        By which gross errors are told; None where samples are on no path, or states are formed.
    """

    reading: Reading
    frame: Frame
    parts: Parts
    sampling: Sampling
    noise: np.ndarray
    clock_noise: np.ndarray
    scale: np.ndarray
    levels: Levels | None

    @classmethod
    def of(
        cls,
        reading: Reading,
        frame: Frame,
        parts: Parts,
        sampling: Sampling,
        sound: Trajectories,
        orbits: Orbits,
    ) -> Passage:
        """Return the way that a sample has gone.

        Parameters
        ----------
        reading : Reading
        frame : Frame
        parts : Parts
        sampling : Sampling
        sound : Trajectories
            The sample without gross errors, in a frame of the same units.
        orbits : Orbits
            What became of it, all columns.
        """
        noise = orbits.mean_noise[list(parts.coordinates)]
        clock = orbits.measured.variances[0, list(parts.clock)]
        on_a_path = sampling not in (Sampling.MAP, Sampling.CLOUD)
        levels = Levels.of(sound) if on_a_path and sound.formed is None else None
        return cls(reading, frame, parts, sampling, noise, clock, orbits.scale, levels)

    def orbits(self, runs: Trajectories) -> tuple[Orbits, np.ndarray]:
        """Return the orbits of runs, and the ids of those that are left.

        Parameters
        ----------
        runs : Trajectories
            As they are stored.
        """
        framed = self.frame.runs(self.reading.read(runs))
        if self.sampling == Sampling.CLOUD:
            framed = without_order(framed)
        levels = self.levels
        sound = framed if levels is None else without_gross_errors(framed, levels)
        columns = list(self.parts.coordinates)
        moving = sound if self.parts.all_coordinates else sound.of_columns(columns)
        known = prepare(moving, self.noise, self.sampling)
        orbits = known.among(sound.rows, columns, self.parts.parameters)
        if self.parts.clock:
            orbits = with_noise(orbits, self.parts.clock, self.clock_noise)
        return replace(orbits, scale=self.scale), sound.run_ids
