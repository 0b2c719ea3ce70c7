"""What the user asks for, and the stored runs of which the runs at hand are a sample."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from discovery.criteria import LawCriteria
from discovery.data.scan.scanned import Scan
from discovery.data.trajectories import Trajectories
from discovery.estimation.passage import Passage, Reading
from discovery.estimation.split import Split
from discovery.formulas.simple_numbers import Numbers
from discovery.laws.judging.law import Findings
from discovery.laws.whole.judged import OnAll, judged_on_all
from discovery.laws.whole.seen import Whole
from discovery.libraries.choice import LibraryLike
from discovery.libraries.many_bodies.told import Told

if TYPE_CHECKING:
    import distributed

# Rows that are judged at a time.
PIECE = 100_000


@dataclass(frozen=True)
class Source:
    """Stored runs of which a sample is searched.

    Attributes
    ----------
    scan : Scan
    client : distributed.Client or None
        Whose workers judge on all of them.
    searched : str
        What the sample is, in words.
    """

    scan: Scan[Trajectories]
    client: distributed.Client | None
    searched: str


@dataclass(frozen=True)
class Asked:
    """What the user asks for.

    Attributes
    ----------
    library : str or list of Library
    noise : (columns,) array or None
        Standard deviations where they are known, in the frame.
    numbers : Numbers
        What coefficients are rounded to.
    criteria : LawCriteria
    told : Told, optional
        Which bodies the columns are of.
    rest : Rest, optional
        What the runs are a sample of.
    noise_lasts : bool
        Whether the noise is correlated over many samples, and looks like motion.
    others : bool
        Whether the runs are what is left without those that are unlike the others, or without
        what a column is off by in each.
    """

    library: LibraryLike
    noise: np.ndarray | None
    numbers: Numbers
    criteria: LawCriteria
    told: Told | None = None
    rest: Rest | None = None
    noise_lasts: bool = False
    others: bool = False

    @property
    def again(self) -> Asked:
        """The same of runs that are changed after a first look."""
        return replace(self, others=True)

    @property
    def in_box(self) -> bool:
        """Whether the coordinates are places in a periodic box, of which few functions are."""
        return self.told is not None and self.told.in_box


@dataclass(frozen=True)
class Rest:
    """Stored runs, and how they are read.

    Attributes
    ----------
    source : Source
    reading : Reading
    """

    source: Source
    reading: Reading

    def judge(
        self,
        findings: Findings,
        split: Split,
        found_on: np.ndarray,
        passage: Passage,
        numbers: Numbers,
        rng: np.random.Generator,
    ) -> OnAll | None:
        """Judge what was found on all runs.

        Parameters
        ----------
        findings : Findings
            Of the sample.
        split : Split
        found_on : array
            Ids of the runs that formulas were found on.
        passage : Passage
            The way of stored runs into the frame.
        numbers : Numbers
            What coefficients are rounded to.
        rng : numpy.random.Generator

        Returns
        -------
        OnAll or None
            None where nothing was found.
        """
        pieces = self.source.scan.pieces(PIECE)
        whole = Whole(pieces, passage, found_on, self.source.client)
        return judged_on_all(findings, split.held, whole, rng, numbers)
