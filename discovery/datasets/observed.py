"""Measured data sets: tables that come with the package, as they were published."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from discovery.data.trajectories import Trajectories

_FOLDER = Path(__file__).parent / "measurements"


@dataclass(frozen=True)
class Measured:
    """A data set that was measured or computed from measurements, not simulated here.

    Parameters
    ----------
    name : str
        Of the data set, and of its file.
    doc : str
        What was measured, in which units, and what is known to hold for it.
    source : str
        Where the numbers come from.
    names, roles : tuple of d str
    units : tuple of d str
        Of the coordinates.
    time : str
        The column of times, with its unit.
    """

    name: str
    doc: str
    source: str
    names: tuple[str, ...]
    roles: tuple[str, ...]
    units: tuple[str, ...]
    time: str

    def __str__(self) -> str:
        columns = ", ".join(f"{n} ({u})" for n, u in zip(self.names, self.units, strict=True))
        return (
            f"{self.name}: {self.doc}\n"
            f"  columns    {columns}; time in {self.time}\n"
            f"  source     {self.source}"
        )

    @property
    def dim(self) -> int:
        """Number of coordinates, d."""
        return len(self.names)

    @property
    def count(self) -> None:
        """Number of laws: nobody knows it of what is measured."""
        return None

    def load(self) -> Trajectories:
        """Return the runs, with their name; they have no ``truth``."""
        runs = Trajectories.from_file(_FOLDER / f"{self.name}.csv", roles=self.roles)
        runs.name = self.name
        return runs


planets = Measured(
    name="planets",
    doc="Nine planets about the Sun, a run each, from Mercury (0) to Pluto (8): heliocentric "
    "places and velocities in equatorial axes, 200 samples at equal steps over three periods, or "
    "over the ephemeris' 150 years from 1900 to 2050 where these are shorter. The planets pull "
    "each other and the Sun, so the Kepler problem's laws hold nearly, to .5 % in each run at "
    "worst: the angular momentum's three components and the energy, u**2 + v**2 + w**2 - 2 GM/r "
    "with GM = 39.48.",
    source="JPL planetary ephemeris DE421: W. M. Folkner, J. G. Williams, D. H. Boggs, "
    "IPN Progress Report 42-178 (2009)",
    names=("x", "y", "z", "u", "v", "w"),
    roles=("position",) * 3 + ("velocity",) * 3,
    units=("AU",) * 3 + ("AU/yr",) * 3,
    time="Julian years since Julian day 0",
)

hare_and_lynx = Measured(
    name="hare_and_lynx",
    doc="Pelts of snowshoe hares and of Canadian lynx that the Hudson's Bay Company bought in each "
    "year from 1900 to 1920: one run of two cycles. Pelts tell of populations through trapping and "
    "trade. Lotka and Volterra's equations have a law, "
    "a*hare - b*log(hare) + c*lynx - d*log(lynx); "
    "one run of 21 samples cannot confirm it.",
    source="D. A. MacLulich, University of Toronto Studies, Biological Series 43 (1937), and "
    "C. Elton and M. Nicholson, J. Animal Ecology 11, 215 (1942); the numbers as in P. Howard, "
    "Modeling Basics, Texas A&M University (2009)",
    names=("hare", "lynx"),
    roles=("amount", "amount"),
    units=("thousand pelts",) * 2,
    time="years",
)

MEASURED = {record.name: record for record in (planets, hare_and_lynx)}
