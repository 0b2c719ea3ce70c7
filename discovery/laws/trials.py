"""Trials: the candidates of one library, from its flat directions to judged laws."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import Protocol

import numpy as np

from discovery.criteria import FORMULAS, LawCriteria
from discovery.estimation.split import Split
from discovery.formulas import simplicity
from discovery.formulas.pencil import Spectrum
from discovery.formulas.sparse_vectors import sparse_beyond
from discovery.laws.finding import candidates
from discovery.laws.finding.candidates import Candidate
from discovery.laws.finding.operators import (
    Once,
    Operators,
    noise_weights,
    operators,
    shared,
    spectrum,
)
from discovery.laws.judging.beside import operators_beside
from discovery.laws.judging.coupled import sides
from discovery.laws.judging.following import long_runs
from discovery.laws.judging.judge import Judge, Refined, forms
from discovery.laws.judging.law import Law
from discovery.laws.judging.numbers_inside import with_moved_numbers
from discovery.laws.judging.verdict import Verdict
from discovery.libraries.embedded import Embedded
from discovery.libraries.functions import Functions

# Rows of which a formula takes the whole work (`LawCriteria.most_work`); of fewer it takes less.
ROWS_OF_WORK = 4000
# Work that takes as long as what a formula takes whatever its terms.
WORK_OF_ONE = 80
# Steps towards the best numbers inside the terms of a formula.
STEPS_OF_NUMBERS = 3


class Wanted(Protocol):
    """What alone is looked for."""

    def __call__(self, terms: Functions, coefficients: np.ndarray) -> bool:
        """Tell whether terms with these coefficients may be it: else they are not judged."""

    def parts(self, library: Functions) -> tuple[list[int], list[int]] | None:
        """Return the terms of two parts that it couples, if it does."""


class Searching(Protocol):
    """What the candidates of one library are judged beside: see `laws.search.Search`."""

    split: Split
    criteria: LawCriteria
    judged: set[tuple[bool, str, frozenset]]
    wanted: Wanted | None
    depends: Callable[..., bool]
    beside: Callable[..., list[Law] | None]
    says_less: Callable[[Functions], bool]
    untold: Callable[..., np.ndarray]


class Unusable(Exception):
    """Why a library has nothing to say of these data."""


class Trials:
    """The candidates of one library, judged in turn, the simplest first.

    What depends on an exact law found before is not looked at again, unless it is simpler than one
    in doubt. Work in vain ends them: the squares of the numbers of terms, added, as many as the
    matrices have entries that a formula is refined and rounded with.
    """

    def __init__(self, search: Searching, judge: Judge) -> None:
        self.search, self.judge, self.library = search, judge, judge.library
        self.ops, self.flat = _flat_directions(judge)
        self.found: list[Law] = []
        self.refuted: Counter[int] = Counter()
        self.drifting: Counter[int] = Counter()
        self.in_vain = 0.0
        self.work = 0.0
        self.unfinished = False
        self._near: Sequence[Law] = ()
        self._alike: Operators | None = None

    @property
    def hidden(self) -> bool:
        """Whether most of the library's functions move by no more than noise."""
        return 2 * _flat(self.flat, self.search.criteria).shape[1] > len(self.flat.values)

    def run(self) -> list[Law]:
        """Return all that was judged, rejected or not."""
        known = partial(self.search.depends, self.library)
        self._try(view for view in self._views() if not known(view[1], self.found))
        if any(law.verdict == Verdict.EXACT for law in self.found) and not self.unfinished:
            self._try(self._untold())
        if self._near:
            # The noise that known laws show hides which functions are flat beside them.
            self.refuted.clear()
            self.drifting.clear()
            self.work = 0.0
            self._try([self._view_beside()])
        return self.found

    def _try(self, views: Iterable[tuple[Operators, np.ndarray, float, float]]) -> None:
        """Judge the candidates of views in turn."""
        limits = self.search.criteria
        for view, vectors, slack, flat in views:
            found = candidates.candidates(view, vectors, self.library.costs(), slack, flat)
            for candidate in found:
                counts, size = (self.refuted, self.drifting), len(candidate.support)
                enough = any(count.total() >= limits.most_refuted for count in counts)
                if enough or self.work >= limits.most_work:
                    self.unfinished = True
                    return
                if all(count[size] < limits.most_alike for count in counts):
                    self._consider(view, self._divided(view, candidate))
                else:
                    self.unfinished = True

    def sides(self, laws: Sequence[Law]) -> list[Law]:
        """Judge the sides of sums that move, unless they are refuted at sight or were judged."""
        out: list[Law] = []
        if long_runs(self.judge.split.fit) is None:
            return out
        for law in laws:
            for side in self._sides_of(law):
                key = self._key(self.ops, self.library.restrict(side.support))
                if key not in self.search.judged:
                    out.append(self.judge.law(self.ops, self.judge.as_it_is(side)))
                    self.search.judged.add(key)
        return out

    def _sides_of(self, law: Law) -> list[Candidate]:
        """Return the sides of a sum that moves, two at a time, of which none is hopeless."""
        out: list[Candidate] = []
        if law.moves_alone:
            for pair in sides(self.library, law.library.expressions(), self.ops):
                if not any(self.judge.hopeless(side, self._held) for side in pair):
                    out += pair
        return out

    def _views(self) -> Iterator[tuple[Operators, np.ndarray, float, float]]:
        """Yield operators, directions to look in, and how flat a formula must stay and be.

        For identities first, since laws count on the manifold that they leave; then for laws, then
        for what is nearly conserved.
        """
        ops, vectors, criteria = self.ops, self.flat.vectors, self.search.criteria
        within = np.einsum("jk,ij,ik->k", vectors, ops.within, vectors)
        between = np.einsum("jk,ij,ik->k", vectors, ops.between, vectors)
        # Directions are mixtures: formulas in them may be flatter than they.
        still = self.flat.values <= 2 * criteria.flatness_ceiling
        slow = ~still & (within <= criteria.small_drift**2 * between)
        # What differs from run to run is no identity: there it counts as motion.
        self._alike = alike = replace(ops, within=ops.within + ops.between)
        if not self._uncoupled(int(still.sum())):
            alone = shared(ops, vectors[:, still], criteria.no_signal)
            yield alike, alone, FORMULAS.flatness_slack, criteria.flatness_ceiling
            yield ops, vectors[:, still], FORMULAS.flatness_slack, criteria.flatness_ceiling
        yield ops, vectors[:, slow], criteria.slow_slack, 0.0

    def _untold(self) -> Iterator[tuple[Operators, np.ndarray, float, float]]:
        """Yield what `_views` yields, of flat directions that the laws found so far do not tell.

        Among many products of laws a further one may be the sparse vector of no term. Integrals of
        fields have no products, and what a gas keeps has no end.
        """
        if self.judge.split.all.are_functions:
            return
        limit = self.search.criteria.flatness_ceiling
        still = self.flat.vectors[:, self.flat.values <= 2 * limit]
        if still.shape[1] < 2:
            return
        size = np.sqrt(np.diag(self.ops.unit_dirichlet))[:, None]
        basis, _ = np.linalg.qr(still * size)
        size[size == 0] = 1.0
        for target in self.search.untold(self.library, basis / size, self.found):
            sparse = sparse_beyond(basis, target, self.library.costs())
            yield self.ops, sparse[:, None] / size, FORMULAS.flatness_slack, limit

    def _view_beside(self) -> tuple[Operators, np.ndarray, float, float]:
        """Return what `_views` yields, beside laws that nearly tell some candidate."""
        ops = operators_beside(self.library, forms(self._near), self.judge.split.fit)
        flat = _flat(spectrum(ops), self.search.criteria)
        return ops, flat, FORMULAS.flatness_slack, self.search.criteria.flatness_ceiling

    def _uncoupled(self, n_flat: int) -> bool:
        """Tell whether nothing flat couples the two parts that what is wanted couples.

        Sums of what noise alone moves are moved by noise alone. So one that couples the parts makes
        for a flat direction beyond those of each alone: what all runs obey in the first part, for
        what tells runs apart there may be wanted with a little of the second, and all in the
        second.
        """
        wanted, criteria = self.search.wanted, self.search.criteria
        both = wanted.parts(self.library) if wanted else None
        if both is None or not n_flat:
            return False
        parts = [self.ops.restrict(np.array(part)) for part in both]
        first, second = (_flat(spectrum(part), criteria) for part in parts)
        alike = shared(parts[0], first, criteria.no_signal)
        return alike.shape[1] + second.shape[1] >= n_flat

    def _divided(self, view: Operators, candidate: Candidate) -> Candidate:
        """Return a candidate without the parameters that all of its terms have: m h says h."""
        if not isinstance(self.library, Embedded):
            return candidate
        support = self.library.divided(candidate.support)
        mu, c = view.pencil.smallest(np.array(support))
        flat = self.search.criteria.flatness_ceiling
        limit = max(flat, candidate.flatness * FORMULAS.rounding_slack)
        if support == candidate.support or mu > limit:
            return candidate
        return Candidate(support, c, mu, float(self.library.costs()[list(support)].sum()))

    def _consider(self, view: Operators, candidate: Candidate) -> None:
        """Judge a candidate, unless it is refuted at sight, known, or was judged before."""
        wanted = self.search.wanted
        if wanted and not wanted(self.library.restrict(candidate.support), candidate.coefficients):
            return
        if self.judge.hopeless(candidate, self._held):
            next(self.judge.number)
            return
        terms, judged = self.library.restrict(candidate.support), self.search.judged
        key = self._key(view, terms)
        measured = self.judge.split.all.measured.states
        if key in judged or not np.isfinite(terms.values(measured)).all():
            return
        if self.search.says_less(terms):
            return
        judge = self._judge_of(view, candidate)
        if judge is None:
            return
        refined = judge.refined(view, candidate)
        left = self.library.restrict(refined.candidate.support)
        final = self._key(view, left)
        in_vain = final in judged or self.search.says_less(left)
        if not in_vain:
            law = self._with_missing(judge, view, refined)
            self.found.append(law if view is self._alike else self._with_better_numbers(law))
            in_vain = self.found[-1].verdict not in (Verdict.EXACT, Verdict.IDENTITY)
            size, verdict = len(candidate.support), self.found[-1].verdict
            self.refuted[size] += verdict == Verdict.REJECTED
            self.drifting[size] += verdict == Verdict.APPROXIMATE
        share = min(1.0, len(measured) / ROWS_OF_WORK)
        work = in_vain * share * len(candidate.support) ** 2
        self.work += work
        self.in_vain += in_vain + work / WORK_OF_ONE
        judged |= {key, final}

    def _judge_of(self, view: Operators, candidate: Candidate) -> Judge | None:
        """Return the judge of a candidate; None where laws that are known for sure tell it."""
        terms = self.library.restrict(candidate.support)
        least = simplicity.length(terms.expressions())
        if not self.search.depends(terms, candidate.coefficients[:, None], self.found, least):
            return self.judge
        known = self.search.beside(terms, candidate.coefficients, self.found)
        if not known or view is self._alike:
            return None
        self._near = known
        return replace(self.judge, beside=known)

    def _with_missing(self, judge: Judge, view: Operators, refined: Refined) -> Law:
        """Return the law with the terms that it lacks, if it is exact with them.

        Motion that follows the states shows in a law where its power alone does not. What couples
        a part to others, or two sides, is not asked here: see `judging.coupled`.
        """
        law = judge.law(view, refined)
        own, trial, longer = judge.coordinates(refined.candidate), law, refined
        if self._sides_of(law):
            return law
        while trial.moves_alone:
            longer = judge.lengthened(view, longer)
            if longer is None or judge.coordinates(longer.candidate) != own:
                return law
            trial = judge.law(view, longer)
        return trial if trial.verdict == Verdict.EXACT else law

    def _with_better_numbers(self, law: Law) -> Law:
        """Return the law with better numbers inside its terms, if it is exact with them."""
        trial, judge, fit = law, self.judge, self.judge.split.fit
        if law.library.learned or law.library.fitted > law.criteria.most_inside:
            return law
        for _ in range(STEPS_OF_NUMBERS):
            terms = with_moved_numbers(trial, fit, judge.numbers, judge.criteria)
            if terms is None:
                break
            if set(terms.positive) != set(law.library.positive):
                # A limit moved, and with it the rows that are known.
                judge = replace(judge, split=self.search.split.where(terms.positive))
                fit = judge.split.fit
            ops = operators(terms, fit.smoothed, fit.offsets, fit.scale, of_run=fit.of_run)
            if not ops.is_finite:
                break  # a logarithm's argument is not positive everywhere with these
            flatness = float(ops.pencil.ratio(trial.coefficients))
            support = tuple(range(len(terms)))
            start = Candidate(support, trial.coefficients, flatness, float(terms.costs().sum()))
            again = replace(judge, library=terms)
            trial = again.law(ops, again.refined(ops, start))
        return trial if trial.verdict == Verdict.EXACT else law

    @cached_property
    def _held(self) -> Operators:
        """The operators on the held-out runs."""
        held = self.judge.split.held
        leading = _leading(self.flat, self.search.criteria)
        weights = noise_weights(self.library, held.smoothed, leading)
        parts = held.smoothed, held.offsets, held.scale, weights
        return operators(self.library, *parts, of_run=held.of_run)

    def _key(self, view: Operators, terms: Functions) -> tuple[bool, str, frozenset]:
        """Return what makes two candidates one: their terms, as an identity or as a law.

        Functions without a closed form are called f1, f2, … in every library.
        """
        where = self.library.name if terms.learned else ""
        return view is not self._alike, where, frozenset(terms.expressions())


@np.errstate(all="ignore")  # what overflows is skipped
def _flat_directions(judge: Judge) -> tuple[Operators, Spectrum]:
    """Return the operators on the fit runs and their spectrum, weighted where noise is uneven."""
    library, fit = Once(judge.library), judge.split.fit
    ops = operators(library, fit.smoothed, fit.offsets, fit.scale, of_run=fit.of_run)
    if not ops.is_finite:
        raise Unusable("its functions overflow or have no value on these data")
    if not np.diag(ops.unit_dirichlet).any():
        raise Unusable("its functions do not vary on these data")
    flat = spectrum(ops)
    weights = noise_weights(library, fit.smoothed, _leading(flat, judge.criteria))
    if weights is not None:
        parts = fit.smoothed, fit.offsets, fit.scale, weights
        ops = operators(library, *parts, of_run=fit.of_run)
        # A function that is zero to rounding at nearly all states has no direction and no weights.
        if not (ops.is_finite and np.diag(ops.unit_dirichlet).any()):
            raise Unusable("its functions do not vary where noise lets them be seen")
        flat = spectrum(ops)
    return ops, flat


def _flat(found: Spectrum, criteria: LawCriteria) -> np.ndarray:
    """Return the flat directions, (m, k); they are mixtures, and formulas may be flatter."""
    return found.vectors[:, found.values <= 2 * criteria.flatness_ceiling]


def _leading(found: Spectrum, criteria: LawCriteria) -> np.ndarray:
    """Return the flat directions, one at least, (m, k)."""
    return found.vectors[:, : max(1, _flat(found, criteria).shape[1])]
