"""A user's own candidate beside the laws of a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from discovery.criteria import LAWS
from discovery.levels.judged import Judged
from discovery.report.quantity import Quantity
from discovery.report.words import percent


@dataclass(frozen=True)
class Comparison:
    """What the runs say of a candidate, and what it is beside the laws found.

    Attributes
    ----------
    name : str
        The user's.
    quantity : Quantity
        The candidate with its evidence: `verdict`, `drift`, `flatness`, `checks` and all else. The
        verdict ``"rejected"`` is no verdict of a law: the candidate is not conserved.
    relation : str
        ``"same"`` (a multiple of a law plus a number, but for errors), ``"function"`` (of laws),
        ``"independent"`` (of all laws found), ``"identity"`` where all runs have one value, or
        ``"none"`` where it is not conserved. Laws are compared where the report's identities hold.
    of : tuple of Quantity
        The laws that it is a function of.
    nearest : Quantity or None
        The law whose values are most like its own.
    difference : float
        What no multiple of that one explains, as a share of the candidate's spread.
    """

    name: str
    quantity: Quantity
    relation: str
    of: tuple[Quantity, ...]
    nearest: Quantity | None
    difference: float

    @classmethod
    def of_judged(cls, name: str, found: Judged, quantities: Sequence[Quantity]) -> Comparison:
        """Put a judgement into words.

        Parameters
        ----------
        name : str
        found : Judged
        quantities : sequence of Quantity
            The report's.
        """
        quantity = Quantity.from_law(found.law).for_users()
        nearest = None if found.nearest is None else quantities[found.nearest]
        of = tuple(quantities[i] for i in found.within)
        relation = "function" if of else "independent"
        if quantity.verdict in ("rejected", "identity"):
            relation, of = ("none" if quantity.verdict == "rejected" else "identity"), ()
        elif len(of) == 1:
            errors = quantity.drift_interval[1] + of[0].drift_interval[1]
            same = found.difference <= max(errors, LAWS.rounding_drift)
            relation = "same" if same else relation
        return cls(name, quantity, relation, of, nearest, found.difference)

    @property
    def verdict(self) -> str:
        """The candidate's verdict."""
        return str(self.quantity.verdict)

    @property
    def flatness(self) -> float:
        """Its motion along measured runs over what noise explains."""
        return self.quantity.flatness

    @property
    def drift(self) -> float:
        """Its motion beyond noise, as a share of its spread."""
        return self.quantity.drift

    def __repr__(self) -> str:
        of = ", ".join(law.name or law.formula for law in self.of)
        beside = f"{self.relation} of {of}" if self.relation == "function" else self.relation
        beside = f"same as {of}" if self.relation == "same" else beside
        beside = "no law" if self.relation == "identity" else beside
        return f"Comparison({self.name}: {self.quantity.formula}; {self.verdict}; {beside})"

    def __str__(self) -> str:
        q, names = self.quantity, ", ".join(law.name or law.formula for law in self.of)
        if q.verdict == "rejected":
            failed = ", ".join(check.name for check in q.checks if not check.passed)
            first = f"not conserved: it moves by {percent(q.drift)} of its spread (by {failed})"
        elif q.verdict == "identity":
            first = "one value in all runs: an identity, no law"
        else:
            first = q.statement
        beside = {
            "same": f"the same as {names}",
            "function": f"a function of {names}",
            "independent": "a law that the report does not have"
            if q.verdict == "exact"
            else "independent of the laws found",
            "identity": "",
            "none": "",
        }[self.relation]
        if self.relation == "none" and self.nearest is not None and q.verdict == "rejected":
            law = self.nearest.name or self.nearest.formula
            beside = f"most like {law}, which leaves {percent(self.difference)} of its spread"
        return f"{self.name}: {q.formula}\n  " + "; ".join(filter(None, [first, beside]))
