"""The road from runs to a report: `analyse_runs`, and `discover`, which trains a manifold for it.

draw -> leave gross errors out -> split -> prepare -> libraries -> laws -> symmetries -> report
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from discovery.data.coordinates import are_fields
from discovery.data.readiness import check_for_analysis
from discovery.data.row_limit import MAX_ROWS, checked_rows, drawn
from discovery.data.states import Runs, as_runs
from discovery.data.trajectories import Trajectories
from discovery.estimation.manifold import checked_manifold, train_manifold
from discovery.estimation.model_rows import rates
from discovery.estimation.noise_level import known_noise
from discovery.estimation.orbits import Orbits
from discovery.estimation.preparation import prepare, prepare_with, without_gross_errors
from discovery.estimation.split import PROBES, Split
from discovery.formulas.simple_numbers import Numbers
from discovery.laws.judging.conclusion import conclude
from discovery.laws.judging.law import Law
from discovery.laws.judging.trend import secular_rate
from discovery.laws.learned.training import train_features
from discovery.laws.search import analyse
from discovery.laws.stages import Learned, Stage, stages_of
from discovery.libraries.choice import LibraryLike, checked, resolve
from discovery.libraries.functions import Functions
from discovery.noether.pairing import pair
from discovery.pde.analysis import analyse_fields
from discovery.report.assembly import report_on
from discovery.report.description import described
from discovery.report.quantity import Quantity
from discovery.report.report import DiscoveryReport

if TYPE_CHECKING:
    import keras

# What users may pass as ``noise=``.
NoiseLevel = float | Sequence[float] | np.ndarray | None


def discover(  # noqa: PLR0913 (the public interface)
    trajectories: Runs,
    model: keras.Model | None = None,
    *,
    library: LibraryLike = "auto",
    noise: NoiseLevel = None,
    constants: Mapping[str, float] | None = None,
    max_rows: int = MAX_ROWS,
    random_state: int | None = None,
    verbose: bool = True,
) -> DiscoveryReport:
    """Find what is conserved in runs of one system.

    A neural differential manifold is trained to predict the next state; its metric is the
    precision of the measurement noise in each place. Runs are smoothed through its flow, and
    functions that move along an orbit only as noise moves them are reported, judged on runs that
    took no part in finding them or in training. Where no closed form in reach is conserved
    (``library="auto"``), features are learned that tell the orbits apart.

    Parameters
    ----------
    trajectories : Trajectories, pandas.DataFrame or path
        A table is read as by `Trajectories.from_frame`, a file as by `Trajectories.from_file`.
    model : keras.Model, optional
        A fitted model with a metric (a `NeuralDifferentialManifold`, or any functional model with
        a `MetricLayer`), to be used instead of the default one.
    library : str, list or Library, default="auto"
        Candidate functions, as for `ConservedQuantityFinder`.
    noise : float or array-like of shape (d,), optional
        Standard deviation of the measurement noise where it is known.
    constants : mapping from name to positive number, optional
        Physical constants, ``{"g": 9.81}``: coefficients that are simple multiples of their powers
        are written with them.
    max_rows : int, default=200000
        Of larger data sets so many rows are analysed: runs drawn at random, or stretches of them.
        Fields have a limit of their own, 100000 states.
    random_state : int, optional
        Seed of the split, the training and the bootstrap.
    verbose : bool, default=True
        Show a progress bar (on stderr) while training.

    Returns
    -------
    DiscoveryReport

    Raises
    ------
    ValueError
        For one run or fewer than needed for a split, runs too short to analyse, constant
        coordinates, an unknown library, a model of other dimension or without a metric, constants
        that are no positive numbers or bear a coordinate's name, a bad `max_rows`.
    """
    trajectories = as_runs(trajectories)
    check_for_analysis(trajectories)
    fields = are_fields(trajectories.roles)
    if fields and model is not None:
        raise ValueError(
            "a model was given, and the coordinates are fields, for which none is used. Leave it "
            "out, or give the coordinates other roles."
        )
    return analyse_runs(
        trajectories,
        WithoutModel() if fields else WithManifold(model, verbose),
        library=library,
        noise=noise,
        constants=constants,
        max_rows=max_rows,
        rng=np.random.default_rng(random_state),
    )


class Preparation(Protocol):
    """How runs become orbits, and what may be learned from these where no closed form is found."""

    def orbits(
        self,
        runs: Trajectories,
        fit: np.ndarray,
        noise: np.ndarray | None,
        rng: np.random.Generator,
    ) -> Orbits:
        """Return the orbits of all runs; of them only those in `fit` may train anything.

        Parameters
        ----------
        runs : Trajectories
        fit : array of int
            Runs that formulas are found on.
        noise : (d,) array or None
            Known standard deviations of the coordinates' noise.
        rng : numpy.random.Generator
        """

    def learned(self, runs: Trajectories, rng: np.random.Generator) -> list[Stage]:
        """Return the stages to try where no closed form is conserved."""


@dataclass(frozen=True)
class WithoutModel:
    """The noise is read from the runs' smoothness, and paths are local polynomials."""

    def orbits(
        self,
        runs: Trajectories,
        fit: np.ndarray,
        noise: np.ndarray | None,
        rng: np.random.Generator,
    ) -> Orbits:
        """Return the orbits; nothing is trained.

        Parameters
        ----------
        runs : Trajectories
        fit : array of int
            Runs that formulas are found on; not used here.
        noise : (d,) array or None
            Known standard deviations of the coordinates' noise.
        rng : numpy.random.Generator
            Not used here.
        """
        return prepare(runs, noise)

    def learned(self, runs: Trajectories, rng: np.random.Generator) -> list[Stage]:
        """Return nothing: features are learned beside a manifold only."""
        return []


@dataclass(frozen=True)
class WithManifold:
    """The metric of a fitted model is the noise's, and its flow smooths the runs.

    Attributes
    ----------
    model : keras.Model or None
        None to train the default manifold.
    verbose : bool
        Show the progress of training.
    """

    model: keras.Model | None = None
    verbose: bool = True

    def orbits(
        self,
        runs: Trajectories,
        fit: np.ndarray,
        noise: np.ndarray | None,
        rng: np.random.Generator,
    ) -> Orbits:
        """Return the orbits in the manifold's metric.

        Parameters
        ----------
        runs : Trajectories
        fit : array of int
            Runs that formulas are found on, and the manifold is trained on.
        noise : (d,) array or None
            Known standard deviations of the coordinates' noise.
        rng : numpy.random.Generator
            Seeds the training.
        """
        model = self.model
        if model is None:
            seed = int(rng.integers(2**31))
            model = train_manifold(runs[fit], seed=seed, verbose=self.verbose)
        return prepare_with(runs, checked_manifold(model, runs), noise)

    def learned(self, runs: Trajectories, rng: np.random.Generator) -> list[Stage]:
        """Return features of a network, trained when they are asked for."""

        def train(fit: Orbits) -> Functions:
            return train_features(fit, runs.names, runs.roles, rng, verbose=self.verbose)

        return [Learned(train)]


def analyse_runs(
    runs: Trajectories,
    preparation: Preparation,
    *,
    library: LibraryLike = "auto",
    noise: NoiseLevel = None,
    constants: Mapping[str, float] | None = None,
    max_rows: int = MAX_ROWS,
    rng: np.random.Generator,
) -> DiscoveryReport:
    """Go the whole road; `discover`, the finder and the command line differ in how they prepare.

    Parameters
    ----------
    runs : Trajectories
    preparation : Preparation
        Not used for fields: neighbouring points tell their noise, and waves filter it.
    library, noise, constants, max_rows
        As for `discover`.
    rng : numpy.random.Generator
        Draws rows, the split and bootstrap samples.

    Raises
    ------
    ValueError
        As `discover`.
    """
    numbers = Numbers.of(constants, runs.names)
    most, levels = checked_rows(max_rows), known_noise(noise, runs.dim)
    if are_fields(runs.roles):
        return _fields(runs, library, levels, numbers, rng)
    checked(library, runs.names)
    some = drawn(runs, most, rng)
    sound = without_gross_errors(some)
    fit, held = Split.choose(sound.n_runs, rng)
    orbits = preparation.orbits(sound, fit, levels, rng)
    split = Split.of(orbits, fit, held, rng)
    path = orbits.smoothed.states
    found = resolve(library, runs.names, runs.roles, path, rates(sound, path), orbits.noise)
    stages = stages_of(found, numbers)
    if isinstance(library, str) and library == "auto":
        stages += preparation.learned(sound, rng)
    findings = analyse(stages, split, rng, numbers)
    moving = [law for law in findings.laws if law.verdict == "approximate"]
    report = report_on(
        findings,
        conclude(findings, orbits, runs.roles),
        names=runs.names,
        noise=dict(zip(runs.names, orbits.mean_noise.tolist(), strict=True)),
        title=_title(runs, some, sound),
        drift_rates={law.expression: _drift_rate(law, orbits, sound.row_times) for law in moving},
    )
    states = split.fit.smoothed.states, split.held.smoothed.states
    report = replace(report, quantities=[described(q, *states) for q in report.quantities])
    return _with_symmetries(report, runs, orbits, numbers)


def _fields(
    runs: Trajectories,
    library: LibraryLike,
    levels: np.ndarray | None,
    numbers: Numbers,
    rng: np.random.Generator,
) -> DiscoveryReport:
    found = analyse_fields(runs, library, levels, numbers, rng)
    report = report_on(
        found.findings,
        conclude(found.findings, found.sampled),
        names=runs.names,
        noise=found.noise,
        title="; ".join([runs.summary(), *found.remarks]),
        drift_rates=found.drift_rates,
    )
    return replace(report, searched=[*report.searched, "no manifold is trained for fields"])


def _title(runs: Trajectories, some: Trajectories, sound: Trajectories) -> str:
    """Return what the runs are, how many rows of them were drawn and left out as gross errors."""
    title = runs.summary()
    if len(some.rows) < len(runs.rows):
        title += f"; {len(some.rows)} of {len(runs.rows)} rows analysed"
    dropped = len(some.rows) - len(sound.rows)
    errors = "gross error" if dropped == 1 else "gross errors"
    return f"{title}; {dropped} {errors} left out" if dropped else title


def _drift_rate(law: Law, orbits: Orbits, times: np.ndarray) -> float:
    """Return how fast a nearly conserved quantity drifts, where its terms are defined."""
    clear = orbits.clear(law.library.positive)
    some = orbits.where(clear)
    return secular_rate(
        law.library,
        law.coefficients,
        some.measured,
        times[clear],
        some.offsets,
        law.evidence.spread,
    )


def _with_symmetries(
    report: DiscoveryReport, runs: Trajectories, orbits: Orbits, numbers: Numbers
) -> DiscoveryReport:
    """Pair laws with the symmetries behind them, where roles say that the data are mechanical."""
    exact = [q for q in report.quantities if q.verdict == "exact" and q.approximation_error is None]
    if not exact or runs.roles is None:
        return report
    some = orbits.smoothed.states[:: max(1, len(orbits.smoothed.states) // PROBES)]
    formulas = [numbers.numeric(q.expression) for q in exact]
    pairing = pair(formulas, runs.names, runs.roles, some)
    named: list[Quantity] = [
        replace(q, symmetry=s) for q, s in zip(exact, pairing.symmetries, strict=True)
    ]
    others = [q for q in report.quantities if not any(q is e for e in exact)]
    notes = [f"algebra {pairing.algebra}"] if pairing.algebra not in (None, "unknown") else []
    # A constraint breaks symmetries that the energy's formula has.
    if not report.identities:
        notes += [f"to check: {flag}" for flag in pairing.flags]
    return replace(report, quantities=named + others, symmetries=notes)
