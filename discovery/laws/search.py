"""The search: from orbits and libraries to laws and identities.

Data flow one way: operators → spectrum → sparse candidates → held-out evidence → independence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import count
from operator import attrgetter

import numpy as np
import sympy
from scipy import stats
from threadpoolctl import threadpool_limits

from discovery.criteria import FORMULAS, LAWS, LawCriteria
from discovery.estimation.split import Split
from discovery.formulas.simple_numbers import NUMBERS, Numbers
from discovery.laws import progress
from discovery.laws.finding.candidates import Candidate
from discovery.laws.finding.operators import Operators, operators
from discovery.laws.judging.alternatives import with_alternatives
from discovery.laws.judging.amounts import in_amounts
from discovery.laws.judging.basis import in_simple_basis
from discovery.laws.judging.coupled import coupled
from discovery.laws.judging.evidence import RESAMPLES, resolution
from discovery.laws.judging.independence import (
    independent,
    new_beside,
    on_surface,
    span_of,
    untold,
)
from discovery.laws.judging.judge import Judge
from discovery.laws.judging.law import Findings, Law, StageRecord, gradient_of
from discovery.laws.judging.outwards import told_by_all
from discovery.laws.judging.readmitted import readmitted
from discovery.laws.judging.selection import select, unexplained, unexplained_values
from discovery.laws.judging.verdict import Verdict
from discovery.laws.rivals import Rivals
from discovery.laws.stage import Stage
from discovery.laws.trials import Trials, Unusable, Wanted
from discovery.libraries.fitted import Fitted
from discovery.libraries.functions import Functions
from discovery.libraries.library import Library
from discovery.libraries.many_bodies.remembered import remembering
from discovery.libraries.numeric import Numeric

# Functions of a library that few runs are worth trying with: their windows are no sample of
# orbits, so that large libraries take time and tell nothing. Fewer where a simpler one told.
MOST_FOR_WINDOWS, MOST_BESIDE = 70, 40
# Drift that is not excluded of what may be one more law, as a share of its spread: of more, little
# is known but that it is noisy.
WORTH_TELLING = 0.5
# Sets of laws beside which candidates were looked at, of which answers are kept.
MOST_ANSWERS = 4
# Why a search ends before its richer libraries.
_HIDDEN = "noise hides how most functions move"
_IN_VAIN = "many formulas were judged in vain"


# Thousands of small products and eigenproblems: threads only get into each other's way.
@threadpool_limits.wrap(limits=1, user_api="blas")
def analyse(
    stages: Sequence[Stage],
    split: Split,
    rng: np.random.Generator,
    numbers: Numbers = NUMBERS,
    criteria: LawCriteria = LAWS,
    wanted: Wanted | None = None,
    rivals: Rivals | None = None,
) -> Findings:
    """Search the stages in turn for functions that are conserved along the orbits.

    Parameters
    ----------
    stages : sequence of Stage
        From simple to rich. The search stops once no further law can exist: a flow in d
        dimensions has at most d − 1. See `stages.stages_of`.
    split : Split
        Runs that formulas are found on, and runs that judge them.
    rng : numpy.random.Generator
        Draws the resamples of runs.
    numbers : Numbers
        What coefficients are rounded to.
    criteria : LawCriteria
        The limits by which formulas are judged.
    wanted : Wanted, optional
        What alone is looked for.
    rivals : Rivals, optional
        Other forms of a law, on the runs that formulas are found on; see `laws.rivals`.
    """
    criteria = _of_noise(criteria, split)
    positive = list(dict.fromkeys(column for stage in stages for column in stage.positive))
    # What overflows, or has no value, is no law, and nothing to warn of.
    with remembering(), np.errstate(all="ignore"):
        search = Search(split.probing(positive), rng, numbers, criteria, wanted, rivals)
        return search.run(stages)


class Search:
    """One search: the runs, what was judged, and what was found.

    Parameters
    ----------
    split : Split
        Runs that formulas are found on, and runs that judge them.
    rng : numpy.random.Generator
        Draws the resamples of runs.
    numbers : Numbers
        What coefficients are rounded to.
    criteria : LawCriteria
        The limits by which formulas are judged.
    wanted, rivals : optional
        As for `analyse`.

    Attributes
    ----------
    pool : list of Law
        All that were not rejected, in the order in which they were found.
    chosen : Findings
        The independent laws among them, and the identities.
    records : list of StageRecord
        What each library gave.
    judged : set
        Which candidates were judged: formulas come up again in richer libraries.
    nearly : list of Law
        Not exact, and exact on some resample of the runs that judge.
    unresolved : list of Law
        Rejected, but not for any motion; see `Law.unresolved`.
    moving : list of Law
        Refused for nothing but their motion; see `Law.moves_alone`.
    whole : Law or None
        The law beside functions that nearly are one each; see `judging.coupled`.
    parts : list of Law
        Those functions.
    left : float
        The motion that the law leaves.
    open : Law or None
        The law that rivals are tried against: what is simpler may replace it.
    hidden : int
        Candidates that were refuted where most functions move by no more than noise.
    in_vain : float
        Formulas of all libraries so far that were judged and are neither laws nor identities; of
        many terms each counts as several, as it takes as long.
    """

    def __init__(
        self,
        split: Split,
        rng: np.random.Generator,
        numbers: Numbers = NUMBERS,
        criteria: LawCriteria = LAWS,
        wanted: Wanted | None = None,
        rivals: Rivals | None = None,
    ) -> None:
        self.wanted, self.rivals = wanted, rivals
        self.split, self.rng = split, np.random.default_rng(rng.integers(2**63))
        self.numbers, self.criteria = numbers, criteria
        self.pool: list[Law] = []
        self.chosen = Findings()
        self.records: list[StageRecord] = []
        self.judged: set[tuple[bool, str, frozenset]] = set()
        self.nearly: list[Law] = []
        self.refused: list[Law] = []
        self.unresolved: list[Law] = []
        self.moving: list[Law] = []
        self.whole: Law | None = None
        self.parts: list[Law] = []
        self.left = np.inf
        self.tries = count(1)
        self._asked: dict[tuple[int, ...], tuple] = {}
        self.open: Law | None = None
        self.hidden, self.in_vain = 0, 0.0
        self.number = count(1)

    def run(self, stages: Sequence[Stage]) -> Findings:
        """Try the stages in turn, until no further law can exist.

        Of runs too few for a verdict the first stage alone: more would only take time.
        """
        n_runs, fewest = self.split.all.n_runs, self.criteria.min_runs
        if n_runs < fewest:
            stages = stages[:1]
        for library in self._libraries(stages):
            if self._too_many(library):
                reason = "too many functions for few runs"
                self._skip(library.name, len(library), reason)
                continue
            self._try_if_usable(library)
            known = len(self.chosen.identities)
            # What is constant in windows alone is none of what is constant along a run.
            if not self._windows:
                known += sum(law.sure for law in self.chosen.laws)
            if known >= self.split.all.most_laws(library.dim):
                break
            if self.hidden >= self.criteria.most_hidden and not self.chosen.laws:
                self._skip("richer libraries", 0, _HIDDEN, unfinished=True)
                break
            if self.in_vain >= self.criteria.most_in_vain:
                self._skip("richer libraries", 0, _IN_VAIN, unfinished=True)
                break
        if n_runs < fewest:
            self._skip("richer libraries", 0, f"{n_runs} runs are too few")
        self._try_rivals()
        self._readmit()
        parts = self.chosen.identities, self.split.all, self._judged
        laws = in_amounts(self._in_simple_basis(), *parts)
        laws = with_alternatives(laws, self.pool, self.split)
        laws = [told_by_all(law, self._where_known(law.library).all, self.criteria) for law in laws]
        chosen = {law.expression for law in laws}
        left_out = [law for law in self.pool if law.verdict == Verdict.EXACT]
        laws = [law for law in laws if not law.unfounded]
        held = self.split.held
        return Findings(
            laws,
            self.chosen.identities,
            self.records,
            self._rejected(),
            self._unresolved(),
            held.n_runs,
            resolution(held, self.criteria),
            left_out=[law for law in left_out if law.expression not in chosen],
            refused=self.refused,
        )

    def says_less(self, terms: Functions) -> bool:
        """Tell whether terms are several of one column that hardly moves along runs.

        It is a law itself, or nearly. A sum of its functions is flat where most runs are, and says
        less: it moves by less over its spread than the column does.
        """
        symbols = {s for term in terms.expressions() for s in term.free_symbols}
        if len(terms) < 2 or len(symbols) != 1:
            return False
        return terms.symbols.index(symbols.pop()) in self._slow

    @cached_property
    def _slow(self) -> dict[int, float]:
        """Columns that move along runs by no more than what is nearly conserved; by how much.

        In units of their spread.
        """
        fit = self.split.fit
        states, errors = fit.smoothed.states, fit.smoothed.variances
        lengths = np.diff(fit.offsets)
        means = np.add.reduceat(states, fit.offsets[:-1]) / lengths[:, None]
        within = np.mean((states - np.repeat(means, lengths, axis=0)) ** 2 - errors, axis=0)
        motion = np.sqrt(np.maximum(within, 0.0)) / fit.scale
        slow = within <= self.criteria.small_drift**2 * np.var(states, axis=0)
        return {int(i): float(motion[i]) for i in np.flatnonzero(slow)}

    def depends(
        self, library: Functions, vectors: np.ndarray, found: Sequence[Law], length: float = 0.0
    ) -> bool:
        """Tell whether functions depend on laws that are known for sure.

        Parameters
        ----------
        library : Functions
        vectors : (m, k) array
            One function a column.
        found : sequence of Law
            Laws beside those that were chosen: the same library's.
        length : float
            Of such a function: it would not replace a law in doubt that is as simple.

        Returns
        -------
        bool
            Whether all of them do.
        """
        # What was left out of the laws has a gradient of its own, perhaps, and is none.
        known = *self.chosen.laws, *self.chosen.identities, *found
        sure = [law for law in known if self._is_settled(law, length)]
        probes, span = self._span_of(sure)
        _, slopes, _ = library.jets(probes, order=1)
        slopes = slopes * self.split.held.unit[:, None, None]
        obeyed = any(law.verdict == Verdict.IDENTITY for law in sure)
        sine = self.criteria.learned_sine if library.learned else self.criteria.sine
        for vector in vectors.T:
            own = np.einsum("j,ijn->ni", vector, slopes)
            if obeyed:
                # Squares of what vanishes have no gradient where it does.
                part = np.einsum("j,ijn->ni", abs(vector), abs(slopes))
                own *= np.linalg.norm(own) > self.criteria.no_slope * np.linalg.norm(part)
            if new_beside(span, [own], [sine], self.criteria):
                return False
        return True

    def untold(self, library: Functions, vectors: np.ndarray, found: Sequence[Law]) -> np.ndarray:
        """Return linear functions of coefficients that are zero on functions of sure laws, (u, k).

        Parameters
        ----------
        library : Functions
        vectors : (m, k) array
            One function a column.
        found : sequence of Law
            As for `depends`.
        """
        known = *self.chosen.laws, *self.chosen.identities, *found
        probes, span = self._span_of([law for law in known if self._is_settled(law, 0.0)])
        gradients = [gradient_of(library, c, probes, self.split.held.unit) for c in vectors.T]
        return untold(span, gradients, self.criteria)

    def beside(
        self, library: Functions, vector: np.ndarray, found: Sequence[Law]
    ) -> list[Law] | None:
        """Return the laws that nearly tell a function, and yet do not tell its values.

        Where orbits are alike the gradients of two laws are too: of nearly circular ones those of
        the energy and the angular momentum. Then the function has to be judged beside them.

        Parameters
        ----------
        library : Functions
        vector : (m,) array
        found : sequence of Law
            As for `depends`, of which the answer was yes.

        Returns
        -------
        list of Law or None
            None where they tell it.
        """
        known = *self.chosen.laws, *self.chosen.identities, *found
        sure = [law for law in known if self._is_settled(law, 0.0)]
        if library.learned or any(law.verdict != Verdict.EXACT for law in sure):
            return None
        terms = set(library.expressions())
        if any(law.library.learned or terms.issuperset(law.library.expressions()) for law in sure):
            return None
        probes, span = self._span_of(sure)
        gradient = gradient_of(library, vector, probes, self.split.held.unit)
        floor = min(self.criteria.sine_of_rounding, self.criteria.sine)
        if not new_beside(span, [gradient], [floor], self.criteria):
            return None
        orbits = self.split.all
        with np.errstate(all="ignore"):
            values = vector @ library.values(orbits.smoothed.states)
        means = np.add.reduceat(values, orbits.offsets[:-1]) / np.diff(orbits.offsets)
        means = np.array([means, *(law.means(orbits) for law in sure)])
        left = unexplained_values(means, orbits, self.criteria)
        return sure if left > self.criteria.worth_judging else None

    def _span_of(self, sure: list[Law]) -> tuple[np.ndarray, list[np.ndarray]]:
        """Return probes that obey the identities among laws, and the span of all gradients there.

        One candidate after the other asks for the same: the last answers are kept.
        """
        key = tuple(map(id, sure))
        if key not in self._asked:
            scale = self.split.held.unit
            identities = [law for law in sure if law.verdict == Verdict.IDENTITY]
            probes = on_surface(self.split.probes, scale, identities)
            gradients = [law.gradient(probes, scale) for law in sure]
            # The laws are held, so that no other takes the place of one in memory.
            self._asked[key] = sure, probes, span_of(gradients, self.criteria)
            if len(self._asked) > MOST_ANSWERS:
                del self._asked[next(iter(self._asked))]
        return self._asked[key][1:]

    @property
    def _windows(self) -> bool:
        """Whether the orbits are windows of few runs."""
        return self.split.all.of_run is not None

    def _too_many(self, library: Functions) -> bool:
        most = MOST_BESIDE if self.chosen.identities else MOST_FOR_WINDOWS
        return self._windows and len(library) > most

    def _libraries(self, stages: Sequence[Stage]) -> Iterator[Functions]:
        """Yield what the stages try; note those whose functions the runs do not admit."""
        for stage in progress.over(stages):
            if stage.skipped:
                self._skip(stage.name, len(stage), stage.skipped, unfinished=True)
                continue
            empty = True
            try:
                libraries = stage.libraries(self.split.fit, self.chosen)
                if libraries is None:
                    continue
                for library in libraries:
                    empty = False
                    yield library
            except (np.linalg.LinAlgError, FloatingPointError) as error:
                self._skip(stage.name, len(stage), _reason(error))
                continue
            if empty:
                self.records.append(StageRecord(stage.name, len(stage), np.empty(0), 0))

    def _skip(self, name: str, n_terms: int, reason: str, unfinished: bool = False) -> None:
        """Note a library that is not tried on these data: none ends a search."""
        self.records.append(StageRecord(name, n_terms, np.empty(0), 0, reason, unfinished))

    def _try_rivals(self) -> None:
        """Try other forms of laws that may be imitations, until there is no such law."""
        asked = set()
        while self.rivals is not None and not self._windows:
            some = [law for law in self.chosen.laws if law.may_imitate]
            law = next((law for law in some if law.expression not in asked), None)
            if law is None:
                break
            asked.add(law.expression)
            self.open = law
            try:
                others = [other for other in self.chosen.laws if other is not law]
                for library in self.rivals(law, self.split.fit, self.numbers, others):
                    self._try_if_usable(library)
                    if all(other is not law for other in self.chosen.laws):
                        break
            except (np.linalg.LinAlgError, FloatingPointError) as error:
                self._skip("other forms", 0, _reason(error))
        self.open = None

    def _readmit(self) -> None:
        """Put short forms in place of long ones that say the same, where the odds are for them.

        There are no more laws then than before.
        """
        for law in self.chosen.laws:
            if law.verdict != Verdict.EXACT:
                continue
            slopes = self._slopes_of([law])
            for other in readmitted(law, self.refused, self.criteria):
                sines = {"sines": [other.sine], "criteria": self.criteria}
                if independent(self._slopes_of([other]), slopes, **sines):
                    continue
                pool = [*self.pool, other]
                chosen = self._selected(pool)
                if len(chosen.laws) == len(self.chosen.laws):
                    self.pool, self.chosen = pool, chosen
                    break

    def _try_if_usable(self, library: Functions) -> None:
        """Judge the candidates of a library, or note why the runs do not admit it."""
        try:
            self._try(library)
        except (Unusable, np.linalg.LinAlgError, FloatingPointError) as error:
            self._skip(library.name, len(library), _reason(error))

    def _try(self, library: Functions) -> None:
        """Judge the candidates of one library and choose among all laws anew."""
        clear = self._where_known(library)
        if min(clear.fit.n_runs, clear.held.n_runs) < 2:
            raise Unusable("too few runs are where its functions are known")
        known = [law for law in self.chosen.laws if law.sure and not law.library.learned]
        limits = self.numbers, self.criteria
        judge = Judge(library, clear, self.rng, *limits, self.number, known)
        trials = Trials(self, judge)
        laws = trials.run()
        if library.learned:
            laws = [law.known_on(self._share(library, clear)) for law in laws]
        if isinstance(library, Fitted) and library.clear is not None:
            laws = [law.clear_on(self._share(library, clear)) for law in laws]
        if not self.whole:
            laws += trials.sides(laws)
            self.moving += [law for law in laws if law.moves_alone]
        laws += self._coupled(judge, trials.ops)
        passed = [law for law in laws if law.verdict != Verdict.REJECTED and not law.vague]
        self.pool = [law for law in (*self.pool, *passed) if not self._of_parts(law)]
        others = [law for law in laws if law.verdict in (Verdict.REJECTED, Verdict.APPROXIMATE)]
        self.refused += others
        self.nearly += [law for law in others if law.exact_in.any()]
        self.unresolved += [
            law for law in others if law.verdict == Verdict.REJECTED and law.unresolved
        ]
        before = len(self.chosen.laws)
        if passed:
            self.chosen = self._selected(self.pool)
            moving = self._of_slow_columns(self.chosen.laws)
            if moving:
                self.pool = [law for law in self.pool if all(law is not m for m in moving)]
                self.chosen = self._selected(self.pool)
        new = len(self.chosen.laws) - before
        self.in_vain += trials.in_vain
        if trials.unfinished and trials.hidden:
            self.hidden += trials.refuted.total()
        record = StageRecord(library.name, len(library), trials.flat.values, new)
        self.records.append(replace(record, unfinished=trials.unfinished))

    def _coupled(self, judge: Judge, ops: Operators) -> list[Law]:
        """Return the law beside functions that move by no more than what couples them, if any.

        Each of these hardly moves; so with the laws they are no more than a flow leaves room for.
        Of two libraries' the one that leaves less motion is the law, and the simpler one where
        noise hides the difference.
        """
        terms = set(judge.library.expressions())
        parts = self.parts if self.whole else self._own_parts(terms)
        known = len(self.chosen.identities) + sum(law.sure for law in self.chosen.laws)
        most = self.split.all.most_laws(judge.library.dim)
        if not self.whole and len(parts) + known > most:
            return []
        if len(parts) < 2 or not all(terms.issuperset(p.library.expressions()) for p in parts):
            return []
        # These sum to that of one interval, however many libraries there are.
        k = next(self.tries)
        level = 2 * float(stats.norm.sf(FORMULAS.interval)) / (k * (k + 1))
        candidate = coupled(judge.library, parts, judge.split.fit, level, self.criteria)
        if candidate is None:
            return []
        if self.whole:
            simpler = candidate.cost + len(candidate.support) < self.whole.cost
            hidden = FORMULAS.interval**2 if simpler else -(FORMULAS.interval**2)
            if candidate.flatness - self.left > hidden:
                return []
        # The smoothed path may have had the same terms judged, with other coefficients.
        key = True, "coupled", frozenset(judge.library.restrict(candidate.support).expressions())
        if key in self.judged:
            return []
        self.judged.add(key)
        law = judge.law(ops, judge.as_it_is(candidate))
        if law.verdict == Verdict.EXACT and law.evidence.moving >= self.criteria.suspected_motion:
            self.whole, self.parts, self.left = law, parts, candidate.flatness
        return [law]

    def _own_parts(self, terms: set[sympy.Expr]) -> list[Law]:
        """Return the first functions found that move, each of few coordinates of its own.

        None of them is a function of laws that are sure, nor of one that is in doubt: what imitates
        a law that is found already is no part of another.
        """
        exact = [law for law in self.chosen.laws if law.verdict == Verdict.EXACT]
        known = [[law for law in exact if law.sure], *([law] for law in exact if not law.sure)]
        slopes = [self._slopes_of(laws) for laws in known]
        parts: list[Law] = []
        for law in sorted(self.moving, key=lambda law: len(law.expression.free_symbols)):
            own = law.expression.free_symbols
            taken = any(own & other.expression.free_symbols for other in parts)
            if taken or not terms.issuperset(law.library.expressions()):
                continue
            limits = {"sines": [law.sine], "criteria": self.criteria}
            if all(independent(self._slopes_of([law]), some, **limits) for some in slopes):
                parts.append(law)
        return parts

    def _of_parts(self, law: Law) -> bool:
        """Tell whether a law other than their sum is a function of two that couple.

        Of two functions of which neither is a law one function at most is. Other forms of the sum
        that are no simpler stay, and what is beyond doubt a form of one of the two.
        """
        if not self.whole or law is self.whole or len(self.parts) > 2:
            return False
        if law.verdict != Verdict.EXACT:
            return False
        own, whole, *parts = self._slopes_of([law, self.whole, *self.parts])

        def is_of(*others: np.ndarray) -> bool:
            return not independent([own], others, sines=[law.sine], criteria=self.criteria)

        if is_of(whole) and law.price >= self.whole.price:
            return False
        return is_of(*parts) and not (law.sure and any(is_of(part) for part in parts))

    def _slopes_of(self, laws: Sequence[Law]) -> list[np.ndarray]:
        """Return gradients at the probes."""
        return [law.gradient(self.split.probes, self.split.held.unit) for law in laws]

    def _where_known(self, library: Functions) -> Split:
        """Return the rows in which functions are defined, and known."""
        split = self.split.where(library.positive)
        if isinstance(library, Fitted) and library.clear is not None:
            split = split.keeping(library.clear)
        if not isinstance(library, Numeric):
            return split
        if library.domain is not None:
            split = split.inside(library.domain.holds)
        return split.blurred(library.blur) if library.blur else split

    def _share(self, library: Functions, known: Split) -> float:
        """Return the share of the rows with values of a library that it is known on."""
        every = self.split.where(library.positive).all
        return len(known.all.measured.states) / len(every.measured.states)

    def _of_slow_columns(self, laws: Sequence[Law]) -> list[Law]:
        """Return functions of other laws and of a column that is none, though it hardly moves.

        Were they conserved, so would be the column; their noise hides how little they move. What is
        seen to move by less than the column would move it has terms against that, and stays.
        """
        scale, probes = self.split.held.unit, self.split.probes
        exact, out = [law for law in laws if law.verdict == Verdict.EXACT], []
        alone = [law.expression for law in exact]
        for law in sorted(exact, key=attrgetter("price"), reverse=True):
            symbols = law.library.symbols
            slow = [i for i in self._slow if symbols[i] not in alone]
            others = [other for other in exact if other is not law]
            if not slow or not others or len(law.expression.free_symbols) < 2:
                continue
            gradients = [other.gradient(probes, scale) for other in (law, *others)]
            for i in slow:
                moved = np.sqrt(np.mean(gradients[0][:, i] ** 2)) * self._slow[i]
                if moved > law.evidence.drift_excluded * law.evidence.spread:
                    continue
                column = np.zeros_like(probes)
                column[:, i] = 1.0
                beside, limits = [*gradients[1:], column], {"criteria": self.criteria}
                if not independent(gradients[:1], beside, [law.sine], **limits):
                    exact = others
                    out.append(law)
                    break
        return out

    def _in_simple_basis(self) -> list[Law]:
        chosen, split = self.chosen, self.split
        probes = on_surface(split.probes, split.held.unit, chosen.identities)
        parts = chosen.laws, self.pool, chosen.identities, probes, split.held.unit
        return in_simple_basis(*parts, self.criteria)

    def _judged(self, library: Library, coefficients: np.ndarray) -> Law:
        """Return a formula with the verdict on it, whatever that is."""
        fit = self.split.fit
        judge = Judge(library, self.split, self.rng, self.numbers, self.criteria, self.number)
        ops = operators(library, fit.smoothed, fit.offsets, fit.scale, of_run=fit.of_run)
        flatness = float(ops.pencil.ratio(coefficients))
        cost = float(library.costs().sum())
        formula = Candidate(tuple(range(len(library))), coefficients, flatness, cost)
        return judge.law(ops, judge.as_it_is(formula))

    def _selected(self, pool: Sequence[Law]) -> Findings:
        split = self.split
        return select(pool, split.probes, split.held.unit, split.all, criteria=self.criteria)

    def _unresolved(self) -> Law | None:
        """Return what shows no motion though much is not excluded, and would be one more law."""
        exact = [law for law in self.chosen.laws if law.verdict == Verdict.EXACT]
        most = self.split.all.most_laws(len(self.split.all.scale)) - len(self.chosen.identities)
        # Beside laws only what says something: any function of mere noise shows no motion.
        some = [
            law
            for law in self.unresolved
            if not exact or law.evidence.drift_excluded < WORTH_TELLING
        ]
        for law in sorted(some, key=lambda law: law.evidence.drift_excluded):
            vector = law.coefficients[:, None]
            if len(exact) < most and not self.depends(law.library, vector, exact, np.inf):
                return law
        return None

    def _rejected(self) -> np.ndarray:
        """Return on which resamples none of those not called exact would be one more law, (draws,).

        What is a function of the laws that were found would not be, even if it passed.
        """
        found = [law for law in self.chosen.laws if law.verdict == Verdict.EXACT]
        out = np.ones(RESAMPLES, dtype=bool)
        for law in self.nearly:
            if (law.exact_in & out).any():
                exact = replace(law, verdict=Verdict.EXACT, checks=())
                if self._of_parts(exact):
                    continue
                pool = [*found, *self.chosen.identities, exact]
                if len(self._selected(pool).laws) > len(found):
                    out &= ~law.exact_in
        for law in self.pool:
            if law.near and law.verdict == Verdict.EXACT and self._may_be_more(law, found):
                out &= ~law.exact_in
        return out

    def _may_be_more(self, law: Law, found: list[Law]) -> bool:
        """Tell whether the laws leave more of one that they nearly tell than noise explains.

        It was left out as known too badly. Of what gradients show to be a function of the laws, as
        log r² φ' is, they leave nothing, whatever a polynomial in their values leaves.
        """
        if any(law is own for own in found) or len(found) >= self.split.all.most_laws(
            law.library.dim
        ):
            return False
        slopes = self._slopes_of(found)
        if not independent(self._slopes_of([law]), slopes, [law.sine], self.criteria):
            return False
        drift = law.evidence.beside[0] if law.evidence.beside else law.evidence.drift_interval[1]
        return unexplained(law, found, self.split.all) > drift

    def _is_settled(self, law: Law, length: float) -> bool:
        """Tell whether nothing of the given length would replace a law, or it is an identity."""
        exact = law.verdict == Verdict.EXACT and law.price <= length
        sure = law.sure and law is not self.open
        return sure or law.verdict == Verdict.IDENTITY or exact


def _of_noise(criteria: LawCriteria, split: Split) -> LawCriteria:
    """Return the limits for these data's noise: of little noise little of a gradient is new."""
    # A column that is the same everywhere has neither noise nor a spread.
    share = float(np.max(split.all.noise / np.maximum(split.all.scale, 1e-300)))
    least = min(criteria.sine_of_rounding, criteria.sine)
    return replace(
        criteria, sine=float(np.clip(criteria.slope_error * share, least, criteria.sine))
    )


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, Unusable) else f"its matrices are singular ({error})"
