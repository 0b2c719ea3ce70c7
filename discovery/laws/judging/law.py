"""Laws: formulas with their evidence and the verdict on each, and all that a search found."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from operator import attrgetter

import numpy as np
import sympy

from discovery.criteria import LAWS, LawCriteria
from discovery.estimation.orbits import Orbits
from discovery.laws.judging.decay import Decay
from discovery.laws.judging.evidence import RESAMPLES, Evidence
from discovery.laws.judging.verdict import DRIFT_EXCLUDED, MOVING, Check, Formula, Verdict, in_doubt
from discovery.libraries.domain import Domain
from discovery.libraries.embedded import Embedded
from discovery.libraries.functions import Functions
from discovery.libraries.library import Library


@dataclass(frozen=True)
class Law:
    """A formula with its evidence and the verdict.

    Attributes
    ----------
    library : Functions
        The formula's own s terms.
    coefficients : (s,) array
    expression : sympy.Expr
    evidence : Evidence
    verdict : Verdict
    cost : float
        What its terms cost: simple ones come first.
    covariance : (s, s) array or None
        Of the errors of the coefficients, where these were asked for; one term is as known.
    inside : float or None
        That of the least known number inside its terms, as a share of the number; None without any.
    by_chance : float
        How probably arbitrary coefficients would be as simple.
    error : float
        Standard error of the least known coefficient, over it, on the runs that it was fitted to.
    checks : tuple of Check
        Those that tell why the verdict is what it is; see `verdict.told`.
    exact_in : (draws,) array of bool
        On which resamples of the runs it passes every check of an exact law; see
        `verdict.exact_in`.
    criteria : LawCriteria
        The limits that it was judged by.
    length : float or None
        Symbols that it takes to write it, numbers and all; see `simplicity.length`.
    alternatives : tuple of Law
        Other forms of it that passed the same checks, the simplest first; see
        `judging.alternatives`.
    decay : Decay or None
        How fast it is lost, of a decaying one.
    candidate : int
        How many formulas these runs had judged with it.
    near : bool
        Whether it was judged beside laws that nearly tell it; see `judging.beside`.
    by_run : bool
        Whether runs have parameters, so that an identity may have another value in each.
    outwards : float or None
        How probably its numbers would change as much from inner runs to outer ones were it a law;
        see `judging.outwards`. None where that was not asked.
    domain : Domain or None
        Of a law in closed form, the states that the runs surround.
    """

    library: Functions
    coefficients: np.ndarray
    expression: sympy.Expr
    evidence: Evidence
    verdict: Verdict
    cost: float
    covariance: np.ndarray | None = None
    inside: float | None = None
    by_chance: float = 1.0
    error: float = 0.0
    checks: tuple[Check, ...] = ()
    exact_in: np.ndarray = field(default_factory=lambda: np.ones(RESAMPLES, dtype=bool), repr=False)
    criteria: LawCriteria = field(default=LAWS, repr=False)
    length: float | None = None
    alternatives: tuple[Law, ...] = field(default=(), repr=False)
    decay: Decay | None = None
    candidate: int = 1
    near: bool = False
    by_run: bool = False
    outwards: float | None = None
    domain: Domain | None = field(default=None, repr=False)

    @property
    def errors(self) -> np.ndarray | None:
        """Standard errors of the coefficients beside the term that contributes most, (s,)."""
        return None if self.covariance is None else np.sqrt(np.diag(self.covariance))

    @property
    def unfounded(self) -> bool:
        """Whether no number that data told is known, beside the term that contributes most."""
        if self.errors is None or self.numbers_by_data < self.criteria.doubt_numbers:
            return False
        beside = np.sort(self.errors / np.abs(self.coefficients))[1:]
        return bool(len(beside) and beside[0] > self.criteria.unknown_number)

    @cached_property
    def doubtful(self) -> bool:
        """Whether it may imitate a simpler law that a richer library holds.

        Of an identity there is no doubt: it has next to no spread, and its drift as a fraction of
        that says nothing.
        """
        if self.verdict == Verdict.IDENTITY:
            return False
        # Little of what others nearly tell is new, and few numbers imitate that.
        simple = self.by_chance <= self.criteria.simple_by_chance
        return (self.near and not simple) or in_doubt(self.evidence, self._formula, self.criteria)

    @property
    def modest(self) -> bool:
        """Whether it has too few free numbers, or too simple ones, to imitate a law."""
        return self._formula.is_modest(self.criteria)

    @property
    def free_numbers(self) -> int:
        """How many numbers are in it; see `verdict.Formula.free_numbers`."""
        return self._formula.free_numbers

    @property
    def _formula(self) -> Formula:
        return Formula(self.library, self.coefficients, self.by_chance, self.error)

    @property
    def may_imitate(self) -> bool:
        """Whether it has numbers enough to be an imitation, and none too simple for chance."""
        return self.numbers_by_data > self.criteria.doubt_numbers

    @property
    def numbers_by_data(self) -> int:
        """How many numbers of an exact formula the data told.

        None where these are too simple for chance, and of a sum of coordinates, which is no
        expansion.
        """
        terms = self.library
        closed = terms.functions if isinstance(terms, Embedded) else terms
        if self.verdict != Verdict.EXACT or not isinstance(closed, Library):
            return 0
        simple = self.by_chance <= self.criteria.simple_by_chance
        if simple or all(term.is_Symbol for term in terms.expressions()):
            return 0
        return Formula(terms, self.coefficients).free_numbers

    @property
    def complexity(self) -> float:
        """Its length, or what its terms cost where that was not measured."""
        return self.cost if self.length is None else self.length

    @property
    def price(self) -> float:
        """What it costs as an explanation: doubt counts as complexity."""
        return self.complexity * (self.criteria.doubt_factor if self.doubtful else 1.0)

    @property
    def unresolved(self) -> bool:
        """Whether all that keeps it from being exact is that too much drift is not excluded."""
        return [check.name for check in self.checks if not check.passed] == [DRIFT_EXCLUDED]

    @property
    def moves_alone(self) -> bool:
        """Whether all that keeps it from being exact is that motion is seen, in whatever way."""
        failed = {check.name for check in self.checks if not check.passed}
        return bool(failed) and failed <= MOVING

    @property
    def vague(self) -> bool:
        """Whether it is only nearly conserved, and of many numbers of which some are hardly known.

        Such a sum is what a library makes of a law that it does not hold.
        """
        many = len(self.library) + self.library.fitted > self.criteria.doubt_terms
        known = self.library.learned or self.error <= self.criteria.doubt_error
        return self.verdict == Verdict.APPROXIMATE and many and not known

    @property
    def least_new(self) -> float:
        """The share of its spread that must be new beside other laws, if it is in doubt.

        Clearly more than the drift that is not excluded. And of an exact law the drift of what is
        new is excluded as that of any law must be: beside 30 L all motion is small.
        """
        told, tested = self.evidence.beside or (self.evidence.drift_interval[1], None)
        needed = [
            (check.statistic if tested is None else tested) / check.limit
            for check in self.checks
            if check.name == DRIFT_EXCLUDED and self.verdict == Verdict.EXACT
        ]
        return max(self.criteria.unexplained_drift * told, *needed, 0.0)

    @property
    def sure(self) -> bool:
        """Whether it is exact beyond doubt."""
        return self.verdict == Verdict.EXACT and not self.doubtful

    @property
    def sine(self) -> float:
        """How far its gradient must leave the span of others' to be independent of them.

        A formula that imitates others may have a gradient of its own by as much as the drift that
        the data do not exclude.
        """
        least, most = self.criteria.sine, self.criteria.learned_sine
        if self.library.learned:
            return most
        open_sine = self.open_sine
        if self.near and self.evidence.beside:
            least = min(self.criteria.sine_of_rounding, least)
            open_sine = self._sine_of(self.evidence.beside[0])
        return float(np.clip(open_sine, least, most))

    @property
    def open_sine(self) -> float:
        """The sine by which its gradient may be off: that of drift that is not excluded.

        Rounding is never excluded.
        """
        return self._sine_of(max(self.evidence.drift_interval[1], self.criteria.rounding_drift))

    def _sine_of(self, drift: float) -> float:
        """Return the sine by which drift, as a share of the spread, turns its gradient."""
        return self.criteria.slope_error * drift * self.evidence.spread / self.evidence.slope

    def known_on(self, share: float) -> Law:
        """Return the law of functions that are known on a share of the samples."""
        return replace(self, evidence=replace(self.evidence, outermost=1.0 - share))

    def clear_on(self, share: float) -> Law:
        """Return the law whose bound is for a share of the samples: noise hides the others."""
        hidden = max(self.evidence.hidden, 1.0 - share)
        return replace(self, evidence=replace(self.evidence, hidden=hidden))

    def means(self, orbits: Orbits) -> np.ndarray:
        """Return the mean value on each orbit, (runs,); nan where it has none."""
        values = self.values(orbits.smoothed.states)
        sound = np.isfinite(values)
        starts = orbits.offsets[:-1]
        total = np.add.reduceat(np.where(sound, values, 0.0), starts)
        count = np.add.reduceat(sound, starts, dtype=int)
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)

    def values(self, points: np.ndarray) -> np.ndarray:
        """Return the values, (n,)."""
        return self.coefficients @ self.library.values(points)

    def gradient(self, points: np.ndarray, scale: np.ndarray) -> np.ndarray:
        """Return the gradient in standardized coordinates, (n, d)."""
        return gradient_of(self.library, self.coefficients, points, scale)


@dataclass(frozen=True)
class StageRecord:
    """What one library gave.

    Attributes
    ----------
    library : str
        Its name.
    n_terms : int
    spectrum : (m,) array
        μ of its functions on the fit runs, ascending; empty where none was solved for.
    n_laws : int
        Laws that were new.
    skipped : str
        Why it was not tried on these data; empty where it was.
    unfinished : bool
        Whether it was left before all of its candidates were judged, or not tried, for its size.
    """

    library: str
    n_terms: int
    spectrum: np.ndarray
    n_laws: int
    skipped: str = ""
    unfinished: bool = False


@dataclass(frozen=True)
class Findings:
    """What a search found.

    Attributes
    ----------
    laws : list of Law
        Independent, the exact ones first.
    identities : list of Law
        What all runs obey alike.
    stages : list of StageRecord
    rejected : (draws,) array of bool
        Whether, on each resample of held-out runs, no candidate that was not called exact passes
        as one more law.
    unresolved : Law or None
        Of the candidates that show no motion, while too much of it is not excluded, the one that
        is known best.
    n_judges : int
        Held-out runs.
    resolution : float
        The drift that would be excluded of a law as noisy as the noisiest coordinate, as a
        fraction of its spread; see `evidence.resolution`.
    one_curve : bool
        Whether all that was found is constant because the only run is one curve.
    left_out : list of Law
        Exact ones that are functions of the laws, or so nearly that the data do not tell.
    refused : list of Law
        Those that were judged and are none.
    """

    laws: list[Law] = field(default_factory=list)
    identities: list[Law] = field(default_factory=list)
    stages: list[StageRecord] = field(default_factory=list)
    rejected: np.ndarray = field(default_factory=lambda: np.ones(RESAMPLES, dtype=bool))
    unresolved: Law | None = None
    n_judges: int = 0
    resolution: float = float("nan")
    one_curve: bool = False
    left_out: list[Law] = field(default_factory=list)
    refused: list[Law] = field(default_factory=list)

    def along_runs(self, n_runs: int, dim: int) -> Findings:
        """Return what windows of few runs tell: their identities are constant along these runs.

        A curve in d dimensions has d − 1 independent functions that are constant along it, whatever
        the system. Where one run has as many, only the simplest is named.

        Parameters
        ----------
        n_runs : int
            Whole runs.
        dim : int
            Coordinates d.
        """
        found = sorted(self.identities, key=attrgetter("complexity"))
        one_curve = n_runs == 1 and dim > 2 and len(found) == dim - 1
        named = [replace(law, verdict=Verdict.ALONG_RUN) for law in found]
        named = named[:1] if one_curve else named
        rest = {"identities": [], "unresolved": None, "left_out": []}
        return replace(self, laws=named, one_curve=one_curve, **rest)


def gradient_of(
    library: Functions,
    coefficients: np.ndarray,
    points: np.ndarray,
    scale: np.ndarray,
) -> np.ndarray:
    """Return the gradient of a formula in standardized coordinates.

    Parameters
    ----------
    library : Functions
        Its s terms.
    coefficients : (s,) array
    points : (n, d) array
    scale : (d,) array
        Standard deviation of each coordinate.

    Returns
    -------
    (n, d) array
    """
    _, slopes, _ = library.jets(points, order=1)
    return np.einsum("j,ijn->ni", coefficients, slopes) * scale
