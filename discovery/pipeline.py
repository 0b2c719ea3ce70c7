"""discover: runs in, trained manifold, report of conserved quantities out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from discovery.data.readiness import check_for_analysis
from discovery.data.row_limit import MAX_ROWS, checked_rows, drawn
from discovery.data.trajectories import Trajectories
from discovery.estimation.manifold import _manifold, train_manifold
from discovery.estimation.model_rows import (
    rates,
)
from discovery.estimation.noise_level import known_noise
from discovery.estimation.orbits import Orbits
from discovery.estimation.preparation import prepare_with, without_gross_errors
from discovery.estimation.split import PROBES, Split
from discovery.formulas.simple_numbers import Numbers
from discovery.laws.judging.conclusion import conclude
from discovery.laws.judging.trend import secular_rate
from discovery.laws.learned.training import train_features
from discovery.laws.search import analyse
from discovery.laws.stages import Learned, Stage, stages_of
from discovery.libraries.choice import resolve
from discovery.noether.pairing import pair
from discovery.pde.analysis import analyse_fields, are_fields
from discovery.report.assembly import report_on, title_of
from discovery.report.description import described
from discovery.report.quantity import Quantity
from discovery.report.report import DiscoveryReport


def discover(
    trajectories: Trajectories,
    model: object = None,
    *,
    library: object = "auto",
    noise: object = None,
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
    trajectories : Trajectories
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
    if not isinstance(trajectories, Trajectories):
        raise ValueError(
            f"expected Trajectories, received {type(trajectories).__name__}. Make them with "
            "Trajectories(states=...), Trajectories.from_frame or Trajectories.from_file."
        )
    check_for_analysis(trajectories)
    rng = np.random.default_rng(random_state)
    names, roles = trajectories.names, trajectories.roles
    most = checked_rows(max_rows)
    Numbers.of(constants, names)  # like a bad library, refused before training
    if are_fields(roles):
        return _discover_fields(trajectories, model, library, noise, rng, constants)
    resolve(library, names, roles, trajectories.rows)
    levels = known_noise(noise, trajectories.dim)
    some = drawn(trajectories, most, rng)
    sound = without_gross_errors(some)
    fit_runs, held_runs = Split.choose(sound.n_runs, rng)
    if model is None:
        model = train_manifold(sound[fit_runs], seed=int(rng.integers(2**31)), verbose=verbose)
    orbits = prepare_with(sound, _manifold(model, trajectories), levels)
    path = orbits.smoothed.states
    found = resolve(library, names, roles, path, rates(sound, path), orbits.noise)
    stages = stages_of(found, Numbers.of(constants, names))
    if isinstance(library, str) and library == "auto":
        stages.append(Learned(lambda fit: train_features(fit, names, roles, rng, verbose=verbose)))
    return analyse_orbits(
        orbits,
        stages,
        Split.of(orbits, fit_runs, held_runs, rng),
        rng,
        names=names,
        roles=roles,
        title=title_of(trajectories, some, sound),
        times=sound.row_times,
        constants=constants,
    )


def _discover_fields(
    trajectories: Trajectories,
    model: object,
    library: object,
    noise: object,
    rng: np.random.Generator,
    constants: Mapping[str, float] | None,
) -> DiscoveryReport:
    """Fields need no manifold: neighbouring points tell the noise, and waves filter it."""
    if model is not None:
        raise ValueError(
            "a model was given, and the coordinates are fields, for which none is used. Leave it "
            "out, or give the coordinates other roles."
        )
    levels = known_noise(noise, trajectories.dim)
    return analyse_fields(trajectories, library, levels, rng, constants)


def analyse_orbits(
    orbits: Orbits,
    stages: Sequence[Stage],
    split: Split,
    rng: np.random.Generator,
    *,
    names: Sequence[str],
    roles: Sequence[str | None] | None,
    title: str,
    times: np.ndarray,
    constants: Mapping[str, float] | None = None,
) -> DiscoveryReport:
    """Run the engine on orbits and report.

    Parameters
    ----------
    orbits : Orbits
    stages : sequence of Stage
        From simple to rich; see `laws.search.analyse`.
    split : Split
        Runs that formulas are found on, and runs that judge them.
    rng : numpy.random.Generator
    names, roles : sequences of length d
        Of the coordinates.
    title : str
    times : (n,) array
        Of the rows.
    constants : mapping from name to number, optional
        What coefficients may be multiples of.
    """
    numbers = Numbers.of(constants, names)
    findings = analyse(stages, split, rng, numbers)
    report = report_on(
        findings, conclude(findings, orbits, roles), orbits, names=names, title=title
    )
    quantities = [
        _with_rate(
            described(q, split.fit.smoothed.states, split.held.smoothed.states), orbits, times
        )
        for q in report.quantities
    ]
    constrained = bool(findings.identities)
    quantities, algebra = _with_symmetries(quantities, names, roles, orbits, numbers, constrained)
    return replace(report, quantities=quantities, symmetries=algebra)


def _with_rate(quantity: Quantity, orbits: Orbits, times: np.ndarray) -> Quantity:
    """Say of a nearly conserved quantity how fast it drifts."""
    if quantity.verdict != "approximate":
        return quantity
    law = quantity.library, np.array(list(quantity.coefficients.values()))
    clear = orbits.clear(quantity.library.positive)
    some = orbits.where(clear)
    rate = secular_rate(*law, some.measured, times[clear], some.offsets, quantity.spread)
    return replace(quantity, drift_rate=rate)


def _with_symmetries(
    quantities: list[Quantity],
    names: Sequence[str],
    roles: Sequence[str | None] | None,
    orbits: Orbits,
    numbers: Numbers,
    constrained: bool,
) -> tuple[list[Quantity], list[str]]:
    """Pair laws with the symmetries behind them, where roles say that the data are mechanical."""
    exact = [q for q in quantities if q.verdict == "exact" and q.approximation_error is None]
    if not exact or roles is None:
        return quantities, []
    some = orbits.smoothed.states[:: max(1, len(orbits.smoothed.states) // PROBES)]
    pairing = pair([numbers.numeric(q.expression) for q in exact], names, roles, some)
    named = [replace(q, symmetry=s) for q, s in zip(exact, pairing.symmetries, strict=True)]
    algebra = [f"algebra {pairing.algebra}"] if pairing.algebra not in (None, "unknown") else []
    # A constraint breaks symmetries that the energy's formula has.
    flags = [] if constrained else pairing.flags
    notes = algebra + [f"to check: {flag}" for flag in flags]
    return named + [q for q in quantities if not any(q is e for e in exact)], notes
