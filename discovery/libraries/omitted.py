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
    """

    name: str
    n_terms: int

    def __len__(self) -> int:
        return self.n_terms
