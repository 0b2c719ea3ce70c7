"""A library that was not tried: its name, so that a report can say so."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Omitted:
    """What is known of a library with too many terms.

    Attributes
    ----------
    name : str
    n_terms : int
    reason : str
        Why, where it is not the number of terms.
    """

    name: str
    n_terms: int
    reason: str = ""

    def __len__(self) -> int:
        return self.n_terms
