"""The plain values of a report, which the text, the page and the pictures show."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from discovery.data.trajectories import Trajectories
from discovery.report.pictures.sample import Sample
from discovery.report.quantity import Quantity


# Arrays have no one answer to ==: a report compares what it would save.
@dataclass(frozen=True, eq=False)
class Summary:
    """What was found, without ways to show it.

    Attributes
    ----------
    quantities : list of Quantity
        The exact laws first, simple before complex, then what decays, then the approximate ones;
        all independent.
    verdict : str
        ``"laws"``, ``"none"`` or ``"undecided"``.
    reason : str
        Why, and for ``"undecided"`` what to measure next.
    confidence : float
        Share of resamples of held-out runs on which the same laws pass the same checks; for
        ``"none"`` below 1, the less runs judged the more.
    identities : list of Quantity
        What all runs obey alike; never counted.
    spectrum : dict of str to array
        Flatness μ of each library's directions, ascending, on the runs they were found on.
    resolution : float
        The smallest drift, as a fraction of a law's spread, that would have been seen: in the
        laws, or where there is none in one as noisy as the noisiest coordinate.
    noise : dict of str to float
        Standard deviation of each coordinate's noise.
    names : tuple of str
        Coordinates.
    title : str
        The data set and its size.
    searched : list of str
        One line for each library tried.
    symmetries : list of str
        The symmetries behind the laws, where they are known.
    shown : Sample or None
        A few rows of a few runs, which the pictures show.
    runs : Trajectories or None
        The runs that were analysed, in the user's units, without gross errors and with the
        velocities that were formed. They are not saved with the report.
    """

    quantities: list[Quantity]
    verdict: str
    reason: str
    confidence: float
    identities: list[Quantity]
    spectrum: dict[str, np.ndarray]
    resolution: float
    noise: dict[str, float]
    names: tuple[str, ...]
    title: str
    searched: list[str]
    symmetries: list[str] = field(default_factory=list)
    shown: Sample | None = field(default=None, repr=False)
    runs: Trajectories | None = field(default=None, repr=False, compare=False)

    @property
    def n_conserved(self) -> int:
        """Number of exact laws."""
        return sum(q.verdict == "exact" for q in self.quantities)
