"""Stages: what a search tries in turn, whatever it takes to get the candidate functions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from discovery.estimation.half_lines import Column
from discovery.estimation.orbits import Orbits
from discovery.laws.judging.law import Findings, Law
from discovery.libraries.functions import Functions


class Stage(Protocol):
    """What gives a search candidate functions.

    A class that names it as its base need not define `positive`.

    Attributes
    ----------
    name : str
        What reports call it.
    positive : tuple of int or HalfLine
        Columns of coordinates in whose positive values alone its functions are defined, or half
        lines, as far as that is known before.
    skipped : str
        Why it is not tried; empty where it is.
    of_all : bool
        Whether its functions are of all columns, parameters too.
    """

    name: str
    positive: tuple[Column, ...] = ()
    skipped: str = ""
    of_all: bool = False

    def __len__(self) -> int:
        """Return the number of functions; zero if it is not known before."""

    def libraries(self, fit: Orbits, found: Findings) -> Iterable[Functions] | None:
        """Return functions to try, in turn.

        Parameters
        ----------
        fit : Orbits
            The runs that formulas are found on.
        found : Findings
            The laws and identities so far.

        Returns
        -------
        iterable of Functions, or None
            Empty where these runs admit none; None where what was found makes them needless.
        """

    def imitated_by(self, law: Law, fit: Orbits, beside: Findings) -> Iterable[Functions]:
        """Return functions that a law of another stage may be an expansion of.

        Parameters
        ----------
        law : Law
        fit : Orbits
            The runs that formulas are found on.
        beside : Findings
            The other laws.
        """
        return ()
