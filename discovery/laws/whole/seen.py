"""What pieces of a source say of formulas, and how what parts say becomes what all say.

A piece says what each of its runs says, as evidence wants it, and the sums that refit coefficients.
Pieces are joined in their order, some at a time, here or on the workers of a cluster.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain

import numpy as np
from threadpoolctl import threadpool_limits

from discovery.criteria import LawCriteria
from discovery.data.scan.pieces import Piece
from discovery.data.scan.workers import reduced
from discovery.data.trajectories import Trajectories
from discovery.estimation.orbits import Orbits
from discovery.estimation.passage import Passage
from discovery.laws import progress
from discovery.laws.judging.drift import Weighting, values_of
from discovery.laws.judging.evidence import Runs
from discovery.laws.judging.law import Law
from discovery.laws.judging.numbers_inside import with_changes
from discovery.laws.whole.refit import Sums, added, drawn
from discovery.libraries.functions import Functions
from discovery.libraries.numeric import Numeric


@dataclass(frozen=True)
class Statement:
    """A formula, and how samples are weighted to judge it.

    Attributes
    ----------
    terms : Functions
    coefficients : (s,) array
    criteria : LawCriteria
    like : Weighting
    by_chance : float
        How probably arbitrary coefficients would be as simple; see `simplicity.by_chance`.
    changes : Functions or None
        The terms, and how they change with each number inside, where these are to be refitted.
    """

    terms: Functions
    coefficients: np.ndarray
    criteria: LawCriteria
    like: Weighting
    by_chance: float = 1.0
    changes: Functions | None = None

    @classmethod
    def of(cls, law: Law, orbits: Orbits) -> Statement:
        """Return what a law says, with the weights that it has on orbits of the sample.

        Its coefficients may be refitted where it has a form.
        """
        one = cls.once(law, orbits)
        if law.library.learned:
            return one
        return replace(one, changes=with_changes(law.library, law.coefficients)[1])

    @classmethod
    def once(cls, law: Law, orbits: Orbits) -> Statement:
        """Return what a law says, whose coefficients stay."""
        some = where_known(orbits, law.library)
        smooth = some.smoothed
        _, noise = values_of(law.library, law.coefficients, smooth.states, smooth.errors)
        like = Weighting.of(noise, some.offsets)
        if law.evidence.hidden:
            like = replace(like, spread=law.evidence.spread**2)
        return cls(law.library, law.coefficients, law.criteria, like, law.by_chance)

    def on(self, orbits: Orbits) -> Runs | None:
        """Return what runs say of it; None where it has a value on none."""
        some = where_known(orbits, self.terms)
        if not some.n_runs:
            return None
        with np.errstate(all="ignore"):  # what has no value is no law
            criteria = self.criteria, self.like, self.by_chance
            return Runs.of(self.terms, self.coefficients, some, *criteria)

    def sums(self, orbits: Orbits, groups: np.ndarray) -> Sums | None:
        """Return what runs add to its coefficients; None where it has none, or a value nowhere.

        Parameters
        ----------
        orbits : Orbits
        groups : (runs,) array of int
        """
        if self.changes is None:
            return None
        rows = orbits.clear(self.terms.positive)
        known = np.add.reduceat(rows, orbits.offsets[:-1], dtype=int) > 0
        if not known.any():
            return None
        more = np.zeros(len(self.changes) - len(self.coefficients))
        formula = self.changes, np.append(self.coefficients, more)
        with np.errstate(all="ignore"):
            return Sums.of(*formula, orbits.where(rows), self.like, groups[known])


@dataclass(frozen=True)
class Seen:
    """What a piece says, or many of them.

    Attributes
    ----------
    held, fit : tuples, one a statement, of tuples of Runs
        Of runs that took no part in finding laws, and of those that did, in their order.
    refit, others : tuples of Sums or None, one a statement
        Of the runs that may refit coefficients, and of the others.
    n_rows, n_runs : int
        Left of the piece, without what is no sample.
    """

    held: tuple[tuple[Runs, ...], ...]
    fit: tuple[tuple[Runs, ...], ...]
    refit: tuple[Sums | None, ...]
    others: tuple[Sums | None, ...]
    n_rows: int
    n_runs: int

    @classmethod
    def joined(cls, parts: Sequence[Seen]) -> Seen:
        """Return what all parts say, in their order."""

        def each(name: str, join: Callable[[Sequence], object]) -> tuple:
            return tuple(map(join, zip(*(getattr(part, name) for part in parts), strict=True)))

        runs = (each(name, lambda of: tuple(chain(*of))) for name in ("held", "fit"))
        sums = (each(name, added) for name in ("refit", "others"))
        counts = (sum(getattr(part, name) for part in parts) for name in ("n_rows", "n_runs"))
        return cls(*runs, *sums, *counts)

    def runs(self, statement: int) -> tuple[tuple[Runs, ...], tuple[Runs, ...]]:
        """Return what runs say of a statement: those that judge it, and the others."""
        return self.held[statement], self.fit[statement]


@dataclass(frozen=True)
class Whole:
    """All runs of a source of which a sample was searched.

    Attributes
    ----------
    pieces : sequence of Piece
    passage : Passage
        How they become orbits.
    found_on : array
        Ids of the runs that laws were found on.
    client : distributed.Client or None
        Whose workers look at the pieces.
    """

    pieces: Sequence[Piece[Trajectories]]
    passage: Passage
    found_on: np.ndarray
    client: object | None = None

    def seen(self, statements: Sequence[Statement], refitted: bool = False) -> Seen:
        """Return what all pieces say of statements.

        Parameters
        ----------
        statements : sequence of Statement
        refitted : bool
            Whether runs that may refit took part in finding these.
        """
        look = partial(
            looked_at,
            passage=self.passage,
            found_on=self.found_on,
            statements=tuple(statements),
            refitted=refitted,
        )
        with progress.counted(len(self.pieces)) as done:
            return reduced(look, Seen.joined, self.pieces, self.client, done)


@threadpool_limits.wrap(limits=1, user_api="blas")
def looked_at(
    piece: Piece[Trajectories],
    passage: Passage,
    found_on: np.ndarray,
    statements: Sequence[Statement],
    refitted: bool = False,
) -> Seen:
    """Return what the runs of a piece say of statements.

    Parameters
    ----------
    piece : Piece
    passage : Passage
    found_on : array
        Ids of the runs that they were found on.
    statements : sequence of Statement
    refitted : bool
        Whether runs that may refit took part.
    """
    orbits, ids = passage.orbits(piece.read())
    groups, refit = drawn(ids)
    found = np.isin(ids, found_on)
    refit |= found
    used = refit if refitted else found

    def of(chosen: np.ndarray, look: Callable[..., object]) -> tuple:
        if not chosen.any():
            return (None,) * len(statements)
        part = orbits if chosen.all() else orbits.take(np.flatnonzero(chosen))
        return tuple(look(one, part, groups[chosen]) for one in statements)

    held, fit = (of(chosen, lambda one, part, _: one.on(part)) for chosen in (~used, used))
    held, fit = (tuple((one,) if one else () for one in told) for told in (held, fit))
    sums = (of(chosen, Statement.sums) for chosen in (refit, ~refit))
    return Seen(held, fit, *sums, len(orbits.measured.states), orbits.n_runs)


def where_known(orbits: Orbits, library: Functions) -> Orbits:
    """Return the rows in which functions are defined, and known.

    Parameters
    ----------
    orbits : Orbits
    library : Functions
    """
    some = orbits.where(orbits.clear(library.positive))
    if not isinstance(library, Numeric):
        return some
    if library.domain is not None:
        some = some.where(some.in_long_runs(library.domain.holds(some.smoothed.states)))
    return some.blurred(library.blur) if library.blur else some
