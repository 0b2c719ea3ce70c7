"""A finding: one conserved quantity with its formula and its evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import sympy

from discovery.criteria import FORMULAS
from discovery.data.frame import Frame
from discovery.data.states import States, coordinates
from discovery.formulas.charts import outside, parted
from discovery.formulas.plain import plain
from discovery.formulas.scale import errors_beside, scale_term
from discovery.formulas.simple_numbers import NUMBERS, Numbers
from discovery.formulas.trees import to_tree
from discovery.laws.judging.decay import Decay
from discovery.laws.judging.law import Law
from discovery.laws.judging.verdict import (
    FLATNESS_AT_LEAST,
    MOTION,
    SINGLE_RUNS,
    Check,
    Verdict,
)
from discovery.libraries.domain import Domain
from discovery.libraries.embedded import Embedded
from discovery.libraries.framed import Framed
from discovery.libraries.functions import Functions
from discovery.libraries.numeric import Numeric
from discovery.report.arrangement import arranged
from discovery.report.typesetting import latex, measured, spelled
from discovery.report.words import FLATTEST, percent

# What a formula is whose numbers are not known.
APPROXIMATION = "an approximation of a law, whose form the data do not tell"
# Rows whose gradients are taken at a time.
_ROWS = 128
# Factors that are written as exact numbers; others as powers of ten.
_SHORT = (1e-4, 1e4)
# Noise over spread of what is the same in all runs.
_BY_NOISE = 0.5
# What a description leaves of a law where it is none: half of its variance.
_NO_DESCRIPTION = 0.5
# Noise that is none, as a share of the spread: the resolution of the data.
_NO_NOISE = 1e-4
# Errors of smaller shares of a coefficient are rounding, and are not printed.
_LEAST_ERROR = 1e-7


# Arrays have no one answer to ==: a law equals itself.
@dataclass(frozen=True, eq=False, repr=False)
class Quantity:
    """A function of the state that does not change along a trajectory.

    Attributes
    ----------
    expression : sympy.Expr
        The formula, in the coordinates' names. Of a law without a closed form its best description
        in few terms, which is not what it evaluates: see `approximation_error`.
    verdict : Verdict
        A string: ``"exact"`` (what it moves is noise, on runs that took no part in finding it),
        ``"approximate"`` (nearly conserved: it drifts, by far less than its spread),
        ``"decaying"`` (it would be conserved without friction, see `decay`),
        ``"identity"`` (all runs obey it alike: no law), ``"along_run"`` (constant along the few
        runs there are, which are no evidence of a law) or ``"undecided"`` (the data set as a whole
        does not carry a verdict).
    flatness : float
        Motion along measured orbits over what noise explains: 1, but for chance, for a law.
    flatness_interval : (float, float)
        95 % interval by a jackknife over held-out runs.
    drift : float
        Systematic motion along an orbit, noise set aside, as a fraction of the spread.
    drift_interval : (float, float)
    signal : float
        Variance between orbits over variance within.
    symmetry : str or None
        The symmetry behind it, where one is known.
    name : str or None
        What physicists call it, such as ``"energy"``; None where that is not certain.
    momenta : tuple of str
        The coordinates that are velocities or momenta: where they stand in its formula.
    approximation_error : float or None
        For a law without a closed form, a network or a sum of many terms: the share of its
        variance that `expression`, its best description in few terms, leaves unexplained. None
        for laws in closed form.
    drift_rate : float or None
        For a nearly conserved quantity: its trend along a run, in units of its spread over all
        samples and of time; zero where it only moves to and fro. None for the others.
    inside_error : float or None
        Standard error of the least known number inside the terms of its formula, as 1.7 in
        exp(-r/1.7), as a share of that number; None where there is none.
    hidden : float or None
        Share of the samples at which noise moves it by more than its spread: the bound on its
        drift is for the others. None where it is for all.
    outermost : float or None
        Share of the samples that lie outside where a sum of many terms is known: the bound on its
        drift is for the others. None for laws in closed form.
    clean : bool
        Whether the samples show no noise that could hide motion.
    decay : Decay or None
        Of a decaying quantity, its rate and its standard error: `rate`, `rate_error`,
        `quality_factor`, `loss_time` and `loss` read it. Flatness and drift are then those of its
        balance: of h + ∫ loss dt, or of e^(γt) h.
    spread : float
        Standard deviation over all samples, noise set aside.
    noise : float
        Standard deviation of one value by noise, as a fraction of the spread.
    checks : tuple of Check
        What the verdict rests on: each statistic with its limit. Those not passed are why it is
        not exact.
    alternatives : tuple of sympy.Expr
        Other formulas that are the same function but for their errors, the simplest first: the
        data do not tell which of all these is the law.
    doubtful : bool
        Whether it is a law that another formula may be as good for, though none was found: it has
        numbers enough to imitate a law within the drift that is not excluded, or hardly known ones.
    variation : float or None
        Of what is constant along few runs: a bound on its motion along a run, over that of its
        terms. None for the others.
    by_run : bool
        Of an identity, whether runs have parameters, which its value may depend on.
    outwards : float or None
        How probably the numbers of a true law would change as much from the runs amid the data to
        the outer ones, as those of an expansion do. None where that was not asked.
    """

    expression: sympy.Expr
    verdict: Verdict
    flatness: float
    flatness_interval: tuple[float, float]
    drift: float
    drift_interval: tuple[float, float]
    signal: float
    symmetry: str | None = None
    approximation_error: float | None = None
    drift_rate: float | None = None
    inside_error: float | None = None
    hidden: float | None = None
    outermost: float | None = None
    clean: bool = False
    decay: Decay | None = None
    spread: float = float("nan")
    noise: float = float("nan")
    checks: tuple[Check, ...] = field(default=(), repr=False)
    alternatives: tuple[sympy.Expr, ...] = field(default=(), repr=False)
    doubtful: bool = False
    variation: float | None = None
    by_run: bool = False
    outwards: float | None = None
    name: str | None = None
    momenta: tuple[str, ...] = field(default=(), repr=False)
    _covariance: np.ndarray | None = field(default=None, repr=False)
    _library: Functions = field(default=None, repr=False)
    _coefficients: np.ndarray = field(default=None, repr=False)
    _domain: Domain | None = field(default=None, repr=False)

    def __repr__(self) -> str:
        return (
            f"Quantity({self.name}: {self.formula})" if self.name else f"Quantity({self.formula})"
        )

    def __str__(self) -> str:
        named = f"{self.name}: {self.formula}" if self.name else self.formula
        return f"{named} ({self.verdict})"

    @classmethod
    def from_law(cls, law: Law, verdict: str | None = None) -> Quantity:
        """Make the public record of what the engine found."""
        evidence = law.evidence
        return cls(
            expression=law.expression,
            verdict=Verdict(verdict or law.verdict),
            flatness=evidence.flatness,
            flatness_interval=evidence.flatness_interval,
            drift=evidence.drift,
            drift_interval=evidence.drift_interval,
            signal=evidence.signal,
            decay=law.decay,
            spread=evidence.spread,
            noise=evidence.noise,
            checks=law.checks,
            alternatives=tuple(other.expression for other in law.alternatives),
            doubtful=law.verdict == Verdict.EXACT and not (law.sure or law.library.learned),
            variation=evidence.along if law.verdict == Verdict.ALONG_RUN else None,
            by_run=law.by_run,
            outwards=law.outwards,
            inside_error=law.inside,
            hidden=evidence.hidden or None,
            outermost=evidence.outermost or None,
            clean=evidence.clean,
            _covariance=law.covariance,
            _library=law.library,
            _coefficients=law.coefficients,
            _domain=law.domain,
        )

    def outside(self, frame: Frame, numbers: Numbers) -> Quantity:
        """Return the same law of framed coordinates in the user's, as formula and as function.

        The first term keeps its coefficient.

        Parameters
        ----------
        frame : Frame
        numbers : Numbers
            What counts as simple in a formula.
        """
        library = Framed(self._library, frame)
        first = library.factors[int(np.flatnonzero(self._coefficients)[0])]
        factors = [factor / first for factor in library.factors]
        scale = np.array([float(factor) for factor in factors])
        names = tuple(s.name for s in library.symbols)
        if library.learned:
            expression = _outside(self.expression, names, frame, digits=3)
        else:
            errors = np.array(list(self.best_known_errors.values()))
            digits = _digits(self._coefficients, errors)
            parts = zip(self._coefficients, factors, digits, library.expressions(), strict=True)
            expression = sympy.Add(
                *(_times(_number(float(c), f, numbers, k), term) for c, f, k, term in parts)
            )
        decay = self.decay and _decay_outside(self.decay, names, frame, float(first))
        if decay is not None and not decay.losses:
            # What is written outside may differ by a constant, as 2 (x + 3) from 2 x.
            place = np.ones((1, len(names)))
            inside = self._coefficients @ self._library.values(place)
            apart = self._coefficients * scale @ library.values(frame.outside(place))
            apart -= inside / float(first)
            decay = replace(decay, level=decay.level / float(first) + float(apart[0]))
        return replace(
            self,
            expression=expression,
            alternatives=tuple(_outside(other, names, frame) for other in self.alternatives),
            spread=self.spread / abs(float(first)),
            drift_rate=None if self.drift_rate is None else self.drift_rate / frame.time_unit,
            decay=decay,
            _covariance=_scaled(self._covariance, np.outer(scale, scale)),
            _library=library,
            _coefficients=self._coefficients * scale,
            _domain=self.domain and library.domain(self.domain),
        )

    def times(self, factor: sympy.Expr, numbers: Numbers) -> Quantity:
        """Return the same law times a number.

        Parameters
        ----------
        factor : sympy.Expr
        numbers : Numbers
            What counts as simple in a formula.
        """
        size = float(factor)
        whole = self.expression
        plain_sum = not isinstance(whole, sympy.Integral)
        density = whole if plain_sum else whole.function
        parts = (term.as_coeff_Mul() for term in sympy.Add.make_args(density))
        terms = [_times(_product(number, factor, numbers), rest) for number, rest in parts]
        density = sympy.Add(*terms)
        decay = self.decay
        if decay is not None:
            factors = tuple(size * f for f in decay.factors)
            decay = replace(decay, factors=factors, level=size * decay.level)
        return replace(
            self,
            expression=density if plain_sum else whole.func(density, *whole.limits),
            spread=self.spread * abs(size),
            decay=decay,
            _covariance=_scaled(self._covariance, size**2),
            _coefficients=self._coefficients * size,
        )

    def for_users(self) -> Quantity:
        """Return the same law, its formulas in symbols without assumptions."""
        decay = self.decay
        if decay is not None:
            decay = replace(decay, losses=tuple(map(plain, decay.losses)))
        alternatives = tuple(map(plain, self.alternatives))
        return replace(
            self, expression=plain(self.expression), alternatives=alternatives, decay=decay
        )

    def __call__(self, states: States) -> np.ndarray:
        """Evaluate the formula.

        Parameters
        ----------
        states : (..., d) array, Trajectories or pandas.DataFrame
            Of runs and tables the coordinates are taken by their names.

        Returns
        -------
        (...) array
            One value a row for runs and tables.

        Raises
        ------
        ValueError
            When the last axis is not d, or a coordinate is missing.
        """
        names = [s.name for s in self._library.symbols]
        states = coordinates(states, names)
        d = len(names)
        flat = self._coefficients @ self._library.values(states.reshape(-1, d))
        return flat.reshape(states.shape[:-1])

    def known_at(self, states: States) -> np.ndarray:
        """Tell at which states its values are those of the law.

        A sum of many terms is known amid the data that told it, and so is a formula that may be an
        expansion (`amid_data`): there its bound holds, and further out its values say nothing. Any
        other is known everywhere.

        Parameters
        ----------
        states : (..., d) array, Trajectories or pandas.DataFrame
            As where it is evaluated.

        Returns
        -------
        (...) array of bool

        Raises
        ------
        ValueError
            When the last axis is not d, or a coordinate is missing.
        """
        states = coordinates(states, [s.name for s in self._library.symbols])
        if not self.amid_data:
            return np.ones(states.shape[:-1], dtype=bool)
        known = self._library.known if self._expanded else self.domain.holds
        return known(states.reshape(-1, states.shape[-1])).reshape(states.shape[:-1])

    def gradient(self, states: np.ndarray) -> np.ndarray:
        """Return the derivatives ``[n, i] = ∂h/∂x_i``.

        Parameters
        ----------
        states : (n, d) array

        Returns
        -------
        (n, d) array
        """
        terms = np.flatnonzero(self._coefficients)
        library, coefficients = self._library.restrict(terms.tolist()), self._coefficients[terms]
        gradient = np.empty(states.shape)
        # The slopes of all terms are many numbers.
        for begin in range(0, len(states), _ROWS):
            part = slice(begin, begin + _ROWS)
            _, slopes, _ = library.jets(states[part])
            gradient[part] = np.einsum("j,ijn->ni", coefficients, slopes)
        return gradient

    @property
    def library(self) -> Functions:
        """The terms that it is made of."""
        return self._library

    def plain_form(self) -> dict[str, list]:
        """Return the formula as nested lists, with its coordinates' names, for other programs.

        ``{"names": ["x", "u"], "tree": ["Add", …]}``; see `discovery.formulas.trees`. Its
        coefficients are those of the values, not rounded for a reader.

        Raises
        ------
        ValueError
            For a law without a closed form: a network, or a sum of many terms.
        """
        if self.library.learned:
            raise ValueError(
                f"{self.source} has no closed form to pass on. Expected a law whose formula is its "
                "values; those of this one are law(states), and law.expression describes them."
            )
        terms = (term * number for term, number in self.coefficients.items() if number)
        names = [symbol.name for symbol in self.library.symbols]
        return {"names": names, "tree": to_tree(sympy.Add(*terms))}

    @property
    def written(self) -> sympy.Expr:
        """The expression with its terms and factors in the order of books, for printers.

        These are to be told ``order="none"``; see `discovery.report.arrangement`.
        """
        names = tuple(s.name for s in self._library.symbols)
        return arranged(self.expression, names, self.momenta)

    @property
    def formula(self) -> str:
        """The expression as books order it; for a learned law with what it explains.

        A name that is no plain word stands in quotation marks: ``'a-b'**2``.
        """
        text = spelled(self.written, order="none")
        return f"{self.instead} {text}".strip() if self.has_formula else self.instead

    @property
    def has_formula(self) -> bool:
        """Whether `expression` is the law, or describes more than half of its variance."""
        return self.approximation_error is None or self.approximation_error <= _NO_DESCRIPTION

    @property
    def instead(self) -> str:
        """What a law without a closed form is, in words before its description; else empty."""
        if self.approximation_error is None:
            return ""
        if not self.has_formula:
            return f"{self.source}, which no short formula describes"
        return f"{self.source}, {1 - self.approximation_error:.1%} of whose variance is that of"

    @property
    def source(self) -> str:
        """What gives the values of a law without a closed form."""
        return "a sum of many terms" if self._expanded else "a network"

    @property
    def _expanded(self) -> bool:
        """Whether it is a law as numbers, by an expansion."""
        library = self._library
        inside = library.inner if isinstance(library, Framed) else library
        inside = inside.functions if isinstance(inside, Embedded) else inside
        return isinstance(inside, Numeric)

    @property
    def amid_data(self) -> bool:
        """Whether its bound is for states that the data surround; see `known_at`.

        That of an expansion is, and of a formula that may be one: where other forms fit as well,
        or may, or the data do not tell the form.
        """
        in_question = bool(self.alternatives) or self.doubtful or not self.form_known
        return self._expanded or (self.domain is not None and in_question)

    @property
    def domain(self) -> Domain | None:
        """The states around those that told a formula; None where that is not known.

        As of a law whose terms were changed since: an energy without its losses.
        """
        own = self._domain
        return own if own is not None and own.library is self._library else None

    @property
    def forms(self) -> str:
        """How many forms fit, in words; empty where it is one beyond doubt."""
        if self.alternatives:
            return f"the simplest of {1 + len(self.alternatives)} forms that fit as well"
        return "other forms may fit as well" if self.doubtful else ""

    @property
    def rate(self) -> float | None:
        """The rate γ of a decaying quantity, per unit of time; None for the others.

        Of what does not decay as a whole, the average over these runs.
        """
        return None if self.decay is None else self.decay.rate

    @property
    def rate_error(self) -> float | None:
        """The standard error of the rate."""
        return None if self.decay is None else self.decay.error

    @property
    def loss_time(self) -> float | None:
        """The time 1/γ in which a decaying quantity loses all but 1/e."""
        return None if self.decay is None else self.decay.loss_time

    @property
    def quality_factor(self) -> float | None:
        """Radians of the motion in the loss time, ω/γ; None where it does not oscillate.

        And where it does not decay as a whole: there is no one rate.
        """
        decay = self.decay
        if decay is None or not decay.as_a_whole or not np.isfinite(decay.frequency):
            return None
        return self.decay.quality_factor

    @property
    def loss(self) -> sympy.Expr | None:
        """What a decaying quantity loses in a unit of time, as a formula; None for the others."""
        if self.decay is None:
            return None
        if not self.decay.losses:
            rate, level = _short(self.decay.rate), self.decay.level
            if not level:
                return rate * self.expression
            return sympy.Mul(rate, self.expression - _short(level), evaluate=False)
        pairs = zip(self.decay.factors, self.decay.losses, strict=True)
        return sympy.Add(*(_short(factor) * loss for factor, loss in pairs))

    @property
    def lifetime(self) -> float:
        """Time after which its trend has moved a nearly conserved quantity by its whole spread."""
        if self.decay is not None:
            return self.decay.loss_time
        return 1.0 / self.drift_rate if self.drift_rate else float("inf")

    @property
    def statement(self) -> str:
        """The verdict in words, with the number that it rests on."""
        if self.verdict == Verdict.EXACT:
            known = "conserved within noise"
            if self.flatness <= FLATTEST:
                known = "conserved within rounding"
            elif self.clean and self.noise < _NO_NOISE:
                known = "moves a little in data without noise, by an integrator's error or since "
                known += "it is an approximation"
            bound = percent(self.drift_interval[1])
            # Expansions are good where the data that told them are, and nowhere else.
            where = "amid the data, " * self.amid_data
            if self.outermost:
                where += f"but for {percent(self.outermost)} of the samples, the outermost, "
            if self.hidden:
                where += f"but for {percent(self.hidden)} of the samples, which noise hides, "
            form = "" if self.form_known or self._expanded else f"{APPROXIMATION}; "
            return f"{form}{known}; {where}drift above {bound} excluded"
        if self.decay is not None:
            what = "decays" if self.verdict == Verdict.DECAYING else "nearly decays"
            where = "" if self.decay.as_a_whole else " on the average of these runs"
            return f"{what}: rate {self.decay.rate:.3g} ± {self.decay.error:.1g}{where}"
        if self.verdict == Verdict.APPROXIMATE:
            return f"nearly conserved: {self._motion}"
        if self.verdict == Verdict.ALONG_RUN:
            return f"constant along the run to {percent(self.variation)} of its terms' motion"
        return str(self.verdict)

    @property
    def _motion(self) -> str:
        """How what is nearly conserved moves, in words."""
        bound = percent(self.drift_interval[1])
        failed = {check.name for check in self.checks if not check.passed}
        runs = [name for name in failed if name.startswith(SINGLE_RUNS)]
        if runs:
            ids = runs[0].removeprefix(SINGLE_RUNS)
            return f"it moves in single runs{ids}, by {bound} at most over all runs"
        if self.drift_interval[0]:
            return f"{'drifts' if self.drift_rate else 'moves to and fro'} by {percent(self.drift)}"
        if failed & {FLATNESS_AT_LEAST, MOTION}:
            return f"it moves, by {bound} at most"
        return f"no motion is seen, up to {bound} is not excluded"

    @property
    def constant(self) -> str:
        """What an identity is equal to, in words."""
        # Beside parameters its value may differ between runs: by more than noise does it.
        differs = self.by_run and self.noise < _BY_NOISE
        return "constant in each run, by its parameters" if differs else "constant"

    @property
    def trend(self) -> str:
        """The trend of a nearly conserved or decaying quantity, in words."""
        before, loss, after = self.trend_parts
        return before if loss is None else f"{before} {spelled(loss)} {after}"

    @property
    def trend_parts(self) -> tuple[str, sympy.Expr | None, str]:
        """The trend as words, a formula for what is lost, and words, for printers."""
        if self.decay is not None:
            quality = self.quality_factor
            cycles = "" if quality is None else f"; quality factor {quality:.3g}"
            level = f"comes to {self.decay.level:.4g}: " if self.decay.level else ""
            time = f": loss time {self.loss_time:.3g}" if self.decay.as_a_whole else ""
            return f"{level}loses", self.loss, f"in a unit of time{time}{cycles}"
        if not self.drift_rate:
            return "no trend along the runs", None, ""
        drifts = f"drifts by {self.drift_rate:.1e} of its spread in a unit of time: "
        return f"{drifts}lost after about {self.lifetime:.2g}", None, ""

    @property
    def coefficients(self) -> dict[sympy.Expr, float]:
        """The coefficient of each term, as it is used (that is, rounded)."""
        terms = map(plain, self.library.expressions())
        return dict(zip(terms, self._coefficients.tolist(), strict=True))

    @property
    def standard_errors(self) -> dict[sympy.Expr, float]:
        """The standard error of each term's coefficient, two of which are a 95 % interval.

        How far the printed coefficient lies from what all runs would say, by rounding too, is
        part of it.
        A law has no scale of its own: errors are those beside the term that is printed with 1 or
        ½, or else with the simplest number, which has error zero. nan where no error is known.
        """
        if self._covariance is None or not self._coefficients.any():
            return dict.fromkeys(self.coefficients, float("nan"))
        return self.errors_beside(scale_term(self._printed, self._covariance))

    def errors_beside(self, known: int) -> dict[sympy.Expr, float]:
        """Return the standard errors of the coefficients with that of one term taken as known.

        Parameters
        ----------
        known : int
            The place of the term among the coefficients.
        """
        if self._covariance is None:
            return dict.fromkeys(self.coefficients, float("nan"))
        errors = errors_beside(self._coefficients, self._covariance, known)
        return dict(zip(self.coefficients, errors.tolist(), strict=True))

    @property
    def covariance(self) -> np.ndarray | None:
        """The covariance of the coefficients' errors, in a scale of its own; None where unknown.

        That in which the term that contributes most is known; see `errors_beside`.
        """
        return self._covariance

    @property
    def best_known_errors(self) -> dict[sympy.Expr, float]:
        """Standard errors beside the term that contributes most, whatever the printed scale."""
        s = len(self._coefficients)
        errors = (
            np.full(s, np.nan) if self._covariance is None else np.diag(self._covariance) ** 0.5
        )
        return dict(zip(self.coefficients, errors.tolist(), strict=True))

    @property
    def _printed(self) -> np.ndarray:
        """The numbers before the terms as they are written: log r has ½ log r².

        Exactly so, as ½: the coefficient may be off by as much as a printed digit.
        """
        parts = (term.as_coeff_Mul() for term in sympy.Add.make_args(plain(self.expression)))
        written = {term: float(number) for number, term in parts}
        own = [of_squares(term).as_coeff_Mul() for term in self.coefficients]
        pairs = zip(own, self._coefficients, strict=True)
        return np.array([written.get(term, float(number) * c) for (number, term), c in pairs])

    @property
    def form_known(self) -> bool:
        """Whether the data tell its form: each of its numbers to less than itself, and all alike.

        A formula of numbers that may as well be zero, or twice as large, is one of many that take
        the same values on these data: an approximation of a law. One whose numbers change from the
        runs amid the data to the outer ones is an approximation too (`outwards`). False for those
        without a closed form.
        """
        if self.approximation_error is not None or self.changes_outwards:
            return False
        errors = self.best_known_errors
        shares = [errors[term] / abs(c) for term, c in self.coefficients.items() if c]
        shares.append(self.inside_error or 0.0)
        return not max(np.nan_to_num(shares)) >= FORMULAS.known_form

    @property
    def changes_outwards(self) -> bool:
        """Whether the outer runs ask for other numbers than those amid the data."""
        return self.outwards is not None and self.outwards < FORMULAS.outer_form

    def coefficient_units(self, units: Mapping[str, str]) -> dict[sympy.Expr, sympy.Expr]:
        """Return what unit each coefficient has beside the first term's, as the terms must add up.

        Parameters
        ----------
        units : mapping from coordinate to unit
            ``{"x": "m", "u": "m/s"}``; see `discovery.report.units.coefficient_units`.
        """
        if self.library.learned:
            # A network takes standardized coordinates: its features are pure numbers.
            return dict.fromkeys(self.coefficients, sympy.Integer(1))
        from discovery.report.units import coefficient_units

        return coefficient_units(list(self.coefficients), units)

    def _repr_latex_(self) -> str:
        """Return what a notebook shows: the formula."""
        return rf"$\displaystyle {self.to_latex()}$"

    def to_latex(self, errors: bool = False) -> str:
        """Return the formula in LaTeX, with the standard errors of its coefficients if asked."""
        if not errors:
            return latex(self.written, order="none")
        parts, told_errors = [], self.standard_errors
        for term, value in self.coefficients.items():
            told = told_errors[term] > _LEAST_ERROR * abs(value)
            number = measured(abs(value), told_errors[term]) if told else latex(_exact(abs(value)))
            factor = "" if number == "1" else rf"{number}\, "
            sign = "-" if value < 0 else "+" if parts else ""
            parts.append(f"{sign} {factor}{latex(term)}".strip())
        return " ".join(parts)

    def to_dict(self) -> dict[str, object]:
        """Return plain values, ready for JSON."""
        return {
            "name": self.name,
            "expression": spelled(self.expression),
            "alternatives": [spelled(form) for form in self.alternatives],
            "latex": self.to_latex(),
            "verdict": str(self.verdict),
            "flatness": self.flatness,
            "flatness_interval": list(self.flatness_interval),
            "drift": self.drift,
            "drift_interval": list(self.drift_interval),
            "signal": self.signal,
            "drift_rate": self.drift_rate,
            "inside_error": self.inside_error,
            "hidden": self.hidden,
            "outermost": self.outermost,
            "clean": self.clean,
            "variation": self.variation,
            "rate": self.rate,
            "rate_error": self.rate_error,
            "quality_factor": self.quality_factor,
            "loss_time": self.loss_time,
            "loss": None if self.loss is None else spelled(self.loss),
            "symmetry": self.symmetry,
            "approximation_error": self.approximation_error,
            "form_known": self.form_known,
            "doubtful": self.doubtful,
            "outwards": self.outwards,
            "amid_data": self.amid_data,
            "checks": [check.to_dict() for check in self.checks],
            "coefficients": {spelled(t): c for t, c in self.coefficients.items()},
            "standard_errors": {
                spelled(t): e if np.isfinite(e) else None for t, e in self.standard_errors.items()
            },
        }


def _outside(
    expression: sympy.Expr, names: tuple[str, ...], frame: Frame, digits: int = 6
) -> sympy.Expr:
    """Return a formula in the user's coordinates, the units in the numbers before its terms.

    Constants, which a law is known but for, are left out.
    """
    terms = []
    for term in sympy.Add.make_args(expression):
        number, rest = term.as_coeff_Mul()
        factor, written, _ = parted(outside(rest, names, frame))
        if number.is_Rational and _SHORT[0] <= abs(float(factor)) <= _SHORT[1]:
            number *= factor
        elif factor != 1:
            number = sympy.Float(float(number) * float(factor), digits)
        terms.append(_times(number, written))
    return sympy.Add(*terms)


def of_squares(expression: sympy.Expr) -> sympy.Expr:
    """Return a formula with ½ log(x² + y²) for the logarithm of the root.

    Parameters
    ----------
    expression : sympy.Expr
    """
    roots = {
        log: log.args[0].exp * sympy.log(log.args[0].base)
        for log in expression.atoms(sympy.log)
        if log.args[0].is_Pow and log.args[0].exp == sympy.S.Half and log.args[0].base.is_Add
    }
    return expression.xreplace(roots)


def _exact(value: float) -> sympy.Expr:
    """Return a number that has no error as books print it, of six digits at most."""
    return NUMBERS.symbolic(value)


def _scaled(covariance: np.ndarray | None, factors: np.ndarray | float) -> np.ndarray | None:
    return None if covariance is None else covariance * factors


def _short(value: float) -> sympy.Float:
    """Return a measured number in as many digits as a reader wants."""
    return sympy.Float(f"{value:.4g}", 4)


def _decay_outside(decay: Decay, names: tuple[str, ...], frame: Frame, first: float) -> Decay:
    """Return a decay in the user's units, of a law whose first term was divided by `first`."""
    return replace(
        decay,
        rate=decay.rate / frame.time_unit,
        error=decay.error / frame.time_unit,
        frequency=decay.frequency / frame.time_unit,
        losses=tuple(outside(loss, names, frame) for loss in decay.losses),
        factors=tuple(factor / first / frame.time_unit for factor in decay.factors),
    )


def _times(number: sympy.Expr, term: sympy.Expr) -> sympy.Expr:
    """Return a product. Unevaluated, or SymPy would multiply 2 (x − 1000) out."""
    return sympy.Mul(number, term, evaluate=not number.is_Number or number == 1)


def _product(number: sympy.Expr, factor: sympy.Expr, numbers: Numbers) -> sympy.Expr:
    """Return a number times a factor, exact where it is simple."""
    product = number * factor
    if not product.has(sympy.Float):
        return product
    # In all digits: SymPy keeps those of the first of two numbers.
    return numbers.symbolic(float(number) * float(factor))


def _number(value: float, factor: sympy.Expr, numbers: Numbers, digits: int = 6) -> sympy.Expr:
    """Return a coefficient times an exact factor, exact itself where it is simple and short.

    With π in the factor, as of degrees, what is simple in radians is not so for the user.
    """
    number = numbers.symbolic(value)
    size = abs(float(factor))
    if factor.has(sympy.pi) and number.is_number:
        return sympy.Float(value * float(factor), digits)
    if number.is_Float or not _SHORT[0] <= size <= _SHORT[1]:
        return sympy.Float(value * float(factor), 6) if number.is_number else number * float(factor)
    return number * factor


def _digits(coefficients: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """Return how many digits coefficients (m,) are known to, and one beyond, six at most."""
    with np.errstate(all="ignore"):
        known = np.ceil(-np.log10(np.abs(errors / coefficients))) + 2
    return np.clip(np.nan_to_num(known, nan=6, posinf=6, neginf=2), 2, 6).astype(int)
