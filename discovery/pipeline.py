"""The road from runs to a report: `analyse_runs`, and `discover`, which trains a manifold for it.

flaws -> frame -> draw -> leave gross errors out -> split -> prepare -> libraries -> laws ->
symmetries -> report in the user's units
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from numbers import Real
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from discovery.analysis.asked import Asked, Rest, Source
from discovery.analysis.steps import laws_of
from discovery.criteria import LAWS, LawCriteria
from discovery.data.coordinates import are_fields
from discovery.data.flaws.copies import without_copies
from discovery.data.frame import Frame
from discovery.data.noise_level import NoiseLevel, known_noise
from discovery.data.parameters import Parts, parted, remarks
from discovery.data.readiness import check_for_analysis
from discovery.data.row_limit import MAX_ROWS, checked_rows, drawn, drawn_from
from discovery.data.scan.scanned import Scan
from discovery.data.scan.workers import ClientLike, as_client
from discovery.data.states import Runs, as_runs
from discovery.data.trajectories import Trajectories
from discovery.estimation.iterates.sampling import (
    Sampling,
    seen_sampling,
    told_sampling,
    without_order,
)
from discovery.estimation.noise.memory import taken_apart
from discovery.estimation.positions import (
    Missing,
    ShortRunsError,
    along_lines,
    driven,
    missing_velocities,
    remark,
    with_formed_velocities,
)
from discovery.estimation.preparation import without_gross_errors
from discovery.formulas.simple_numbers import Numbers
from discovery.laws.judging.conclusion import conclude
from discovery.libraries.choice import LibraryLike, checked
from discovery.libraries.families import polynomial
from discovery.libraries.framed import in_frame
from discovery.libraries.many_bodies.told import BoxLike, told_bodies
from discovery.noether.motion import MeasuredMotion
from discovery.pde.analysis import analyse_fields
from discovery.preparations import Preparation, WithManifold, WithoutModel
from discovery.received import Received
from discovery.report.assembly import report_on
from discovery.report.framing import outside
from discovery.report.pictures.sample import Sample
from discovery.report.report import DiscoveryReport
from discovery.report.textbook import fields_in_textbook_form, in_textbook_form

if TYPE_CHECKING:
    import keras

# Columns of which quadratic functions are few.
_FEW = 12
# Samples that lie on no path, and what a reader is told of them.
_OFF_PATHS = (Sampling.MAP, Sampling.CLOUD)
_TAKEN_AS = {
    Sampling.MAP: "samples far apart: taken as iterates of a map",
    Sampling.CLOUD: "groups of unordered samples",
}
Given = TypeVar("Given")
# A column that varies by less than one over this of its noise shows nothing of itself.
_NOTHING = 1e6


def discover(  # noqa: PLR0913 (the public interface)
    trajectories: Runs | Scan[Trajectories],
    model: keras.Model | None = None,
    *,
    library: LibraryLike = "auto",
    noise: NoiseLevel = None,
    constants: Mapping[str, float] | None = None,
    max_rows: int = MAX_ROWS,
    kind: str | None = None,
    ordered: bool = True,
    max_drift: float | None = None,
    degrees: str | Sequence[str] = (),
    missing: str = "raise",
    bodies: int | None = None,
    box: BoxLike = None,
    client: ClientLike = None,
    random_state: int | None = None,
    verbose: bool = True,
) -> DiscoveryReport:
    """Find what is conserved in runs of one system.

    A neural differential manifold is trained to predict the next state; its metric is the
    precision of the measurement noise in each place. None is trained where it would add nothing:
    small noise that is the same everywhere (see `estimation.uniform_noise`). Runs are smoothed
    through its flow, and functions that move along an orbit only as noise moves them are reported,
    judged on runs that took no part in finding them or in training. Where no closed form in reach
    is conserved (``library="auto"``), features are learned that tell the orbits apart.

    Parameters
    ----------
    trajectories : Trajectories, pandas.DataFrame, path or Scan
        A table is read as by `Trajectories.from_frame`, a file as by `Trajectories.from_file`. Of
        what `Trajectories.scan` returns `max_rows` rows are searched, and what is found is judged
        on all.
    model : keras.Model, optional
        A fitted model with a metric (a `NeuralDifferentialManifold`, or any functional model with
        a `MetricLayer`), to be used instead of the default one.
    library : str, list or Library, default="auto"
        Candidate functions, as for `ConservedQuantityFinder`.
    noise : float, (d,) array-like, or mapping from name to float, optional
        Standard deviation of the measurement noise where it is known; 0 where there is none.
    constants : mapping from name to positive number, optional
        Physical constants, ``{"g": 9.81}``: coefficients that are simple multiples of their powers
        are written with them.
    max_rows : int, default=200000
        Of larger data sets so many rows are analysed: runs drawn at random, or stretches of them.
        Fields have a limit of their own, 100000 states.
    kind : {"auto", "flow", "map"}, optional
        What the samples of a run are: of a path in time, or iterates of a map (or so far apart that
        they may as well be). By default they tell.
    ordered : bool, default=True
        False for groups of samples in no order, which share their constants. They do not tell their
        noise: `noise` is needed.
    max_drift : float, optional
        What is called nearly conserved drifts by less than this share of its spread: 0.02 by
        default.
    degrees : str or sequence of str, optional
        Columns that are angles, or rates of angles, in degrees. Formulas stay in degrees:
        ``cos(pi*theta/180)``.
    missing : {"raise", "drop"}
        As for `Trajectories`, where a data frame or a path is given.
    bodies : int, optional
        How many bodies the columns of places and velocities are of: laws are then sums over bodies
        and over pairs. Of sixteen columns and more, names and roles tell.
    box : float or sequence of float, optional
        The length of a periodic box in which the bodies are, or one for each axis. Places may be
        inside it or unrolled; forces are those of the nearest image.
    client : distributed.Client or str, optional
        Of a Dask cluster, or the address of its scheduler: its workers judge the rows of scanned
        files, which they must reach by the same paths.
    random_state : int, optional
        Seed of the split, the training and the resamples.
    verbose : bool, default=True
        Show a progress bar (on stderr) while training.

    Returns
    -------
    DiscoveryReport

    Raises
    ------
    ValueError
        For runs too short to analyse, fields on fewer runs than needed for a split, constant
        coordinates, an unknown library, a model of other dimension or without a metric, constants
        that are no positive numbers or bear a coordinate's name, a bad `max_rows`, `kind`,
        `bodies` or `box`, unordered samples without `noise`; for a `client` that is none, or
        where Dask is not installed (also an ImportError).
    """
    sampling = told_sampling(kind, ordered, noise is not None)
    rng = np.random.default_rng(random_state)
    trajectories, whole = sample_of(trajectories, max_rows, rng, client)
    trajectories = as_runs(trajectories, missing)
    check_for_analysis(trajectories)
    fields = are_fields(trajectories.roles)
    if fields and model is not None:
        raise ValueError(
            "a model was given, and the coordinates are fields, for which none is used. Leave it "
            "out, or give the coordinates other roles."
        )
    return analyse_runs(
        trajectories,
        WithoutModel(sampling) if fields else WithManifold(model, verbose, sampling=sampling),
        library=library,
        noise=noise,
        constants=constants,
        max_rows=max_rows,
        max_drift=max_drift,
        degrees=degrees,
        bodies=bodies,
        box=box,
        whole=whole,
        rng=rng,
    )


def sample_of(
    runs: Given, max_rows: int, rng: np.random.Generator, client: ClientLike = None
) -> tuple[Given | Trajectories, Source | None]:
    """Return what is searched of runs, and where the others are if they do not fit.

    Parameters
    ----------
    runs : Scan, or anything else, which is returned as it is
    max_rows : int
    rng : numpy.random.Generator
        Draws the runs.
    client : distributed.Client or str, optional

    Raises
    ------
    ValueError
        For a bad `max_rows`, `client`, or stored runs; for stored fields larger than memory.
    """
    client = as_client(client)
    if not isinstance(runs, Scan):
        return runs, None
    sample = drawn_from(runs, checked_rows(max_rows), rng)
    if len(sample.rows) >= runs.n_rows:
        return sample, None
    if are_fields(sample.roles):
        raise ValueError(
            f"{runs.path} has {runs.n_rows} rows of fields, which are not analysed in part. "
            "Expected other roles; or read some of the files with Trajectories.from_file."
        )
    searched = f"searched on {len(sample.rows)} rows of {sample.n_runs} runs"
    return sample, Source(runs, client, searched)


def analyse_runs(  # noqa: PLR0913 (what the doors pass on)
    runs: Trajectories,
    preparation: Preparation,
    *,
    library: LibraryLike = "auto",
    noise: NoiseLevel = None,
    constants: Mapping[str, float] | None = None,
    max_rows: int = MAX_ROWS,
    max_drift: float | None = None,
    degrees: str | Sequence[str] = (),
    bodies: int | None = None,
    box: BoxLike = None,
    whole: Source | None = None,
    rng: np.random.Generator,
) -> DiscoveryReport:
    """Go the whole road; `discover`, the finder and the command line differ in how they prepare.

    Parameters
    ----------
    runs : Trajectories
    preparation : Preparation
        Not used for fields: neighbouring points tell their noise, and waves filter it.
    library, noise, constants, max_rows, max_drift, degrees, bodies, box
        As for `discover`.
    whole : Source, optional
        What the runs are a sample of.
    rng : numpy.random.Generator
        Draws rows, the split and the resamples.

    Raises
    ------
    ValueError
        As `discover`.
    """
    most, levels = checked_rows(max_rows), known_noise(noise, runs.names)
    if levels is not None:
        _check_noise(levels, runs)
    criteria = _criteria(max_drift)
    fields = are_fields(runs.roles)
    along_paths = preparation.sampling not in _OFF_PATHS
    if fields and not along_paths:
        raise ValueError(
            "the coordinates are fields, which are analysed along paths in time. Leave kind= and "
            "ordered= out, or give the coordinates other roles."
        )
    runs = without_copies(runs)
    told = told_bodies(bodies, box, runs.names, runs.roles)
    received = Received.read(runs, told, degrees, levels)
    if along_paths and not fields:
        free = isinstance(library, str) and told is None and whole is None
        received = received.without_noise_alone() if free else received
        if preparation.forms_velocities:
            received = _complete(received, free, whole is not None, most, rng)
    numbers = Numbers.of(constants, received.runs.names)
    own = not isinstance(library, str)
    if not fields:
        library = checked(library, received.runs.names)
    # Functions of the user's own are of the user's coordinates: these keep their origin and sign.
    kept = own or (told is not None and told.in_box)
    parts = parted(received.runs)
    frame = Frame.of(received.runs, () if kept else parts.coordinates, received.turns)
    framed = frame.runs(received.runs)
    noise = received.noise_in(frame, framed)
    if fields:
        report = _of_fields(received, framed, frame, library, noise, numbers, rng)
        sound = framed
    else:
        library = [in_frame(each, frame) for each in library] if own else library
        asked = Asked(library, noise, numbers, criteria, told)
        if preparation.sampling == Sampling.CLOUD:
            framed = without_order(framed)
        some = drawn(framed, most, rng)
        report, sound = _of_states(received, some, frame, preparation, asked, whole, rng)
    sample = Sample.of(report.quantities, report.noise, sound, frame, received.units)
    return replace(report, shown=sample, runs=frame.runs_outside(sound))


def _of_states(
    received: Received,
    some: Trajectories,
    frame: Frame,
    preparation: Preparation,
    asked: Asked,
    whole: Source | None,
    rng: np.random.Generator,
) -> tuple[DiscoveryReport, Trajectories]:
    """Return the report on states, in the user's coordinates, and the runs that it is on.

    Parameters
    ----------
    received : Received
    some : Trajectories
        The rows that are analysed, in the frame.
    frame : Frame
    preparation : Preparation
    asked : Asked
    whole : Source, optional
        What the runs are a sample of.
    rng : numpy.random.Generator
    """
    parts, apart, reading = parted(received.runs), received.apart, received.reading
    sound, sampling = _sampled(some, parts, preparation.sampling)
    dropped = len(some.rows) - len(sound.rows)
    if sampling not in _OFF_PATHS and sound.formed is None:
        apart = taken_apart(sound, parts.coordinates)
        sound, reading = apart.runs, replace(reading, every=apart.every_kept)
    rest = None if whole is None else Rest(whole, reading)
    asked = replace(asked, rest=rest, noise_lasts=apart.lasting)
    found = laws_of(sound, parts, frame, preparation.sampled(sampling), asked, rng)
    notes = [_TAKEN_AS[sampling]] if sampling in _TAKEN_AS else []
    if preparation.sampling == Sampling.MAP:
        notes = ["taken as iterates of a map, as told"]
    notes += apart.remarks + remarks(received.runs, parts)
    if received.runs.formed is not None:
        notes.append(remark(received.given, received.runs, reading.missing))
    title = "; ".join([_title(received.runs, some, dropped, parts, whole), *found.said, *notes])
    report = _with_remarks(replace(found.report, title=title), received)
    report = outside(report, found.frame, asked.numbers)
    return in_textbook_form(report, found.motion.outside(found.frame), asked.numbers), sound


def _complete(
    received: Received, free: bool, in_part: bool, most: int, rng: np.random.Generator
) -> Received:
    """Return columns with velocities where these are no state without.

    Parameters
    ----------
    received : Received
    free : bool
        Whether the search is: columns that keep laws as they are may then be complete.
    in_part : bool
        Whether the runs are a sample of stored ones.
    most : int
        Rows.
    rng : numpy.random.Generator
    """
    plain = received.in_radians
    missing = missing_velocities(plain)
    if missing is None:
        return received
    if free and along_lines(plain) and _complete_as_they_are(plain, missing, "auto", rng):
        return received
    few = polynomial(plain.names, 2 if plain.dim <= _FEW else 1)
    if free and driven(plain) and _complete_as_they_are(plain, missing, few, rng):
        return received
    try:
        return received.with_velocities(missing, in_part, drawn(plain, most, rng))
    except ShortRunsError:
        # Only who tells that columns are places must be told that their velocities are missing.
        if plain.roles is not None:
            raise
        return received


def _complete_as_they_are(
    runs: Trajectories, missing: Missing, library: LibraryLike, rng: np.random.Generator
) -> bool:
    """Tell whether columns keep functions, and as many as quadratic ones with velocities beside.

    Of many columns linear ones.
    """
    whole = WithoutModel(forms_velocities=False)
    own = analyse_runs(runs, whole, library=library, rng=deepcopy(rng)).n_conserved
    if not own:
        return False
    formed = with_formed_velocities(runs, missing, None)
    few = polynomial(formed.names, 2 if formed.dim <= _FEW else 1)
    return own >= analyse_runs(formed, whole, library=few, rng=deepcopy(rng)).n_conserved


def _check_noise(levels: np.ndarray, runs: Trajectories) -> None:
    """Refuse noise beside which the values are nothing: it is in another unit."""
    spread = np.ptp(runs.rows, axis=0)
    for name, level, size in zip(runs.names, levels, spread, strict=True):
        if level > _NOTHING * size:
            raise ValueError(
                f"noise: received {level:.3g} for {name!r}, whose values differ by {size:.3g} at "
                "most. Expected its standard deviation, in the unit of the column."
            )


def _sampled(runs: Trajectories, parts: Parts, sampling: Sampling) -> tuple[Trajectories, Sampling]:
    """Return runs without gross errors, and how their samples follow each other.

    Off a path nothing tells a gross error; formed velocities have none, and a path.
    """
    if sampling in _OFF_PATHS:
        return runs, sampling
    if runs.formed is not None:
        return runs, Sampling.FLOW
    sound = without_gross_errors(runs)
    if sampling == Sampling.AUTO:
        moving = sound if parts.all_coordinates else sound.of_columns(parts.coordinates)
        sampling = seen_sampling(moving)
    return (runs if sampling in _OFF_PATHS else sound), sampling


def _criteria(max_drift: float | None) -> LawCriteria:
    """Return the limits, with the user's own of what is called nearly conserved.

    Raises
    ------
    ValueError
        For one that is no share.
    """
    if max_drift is None:
        return LAWS
    if isinstance(max_drift, bool) or not isinstance(max_drift, Real) or not 0 < max_drift < 1:
        raise ValueError(
            f"max_drift is {max_drift!r}. Expected a share of a quantity's spread between 0 and "
            "1: what drifts by less is called nearly conserved."
        )
    return replace(LAWS, small_drift=float(max_drift))


def _of_fields(
    received: Received,
    framed: Trajectories,
    frame: Frame,
    library: LibraryLike,
    noise: np.ndarray | None,
    numbers: Numbers,
    rng: np.random.Generator,
) -> DiscoveryReport:
    """Return the report on fields, in the user's units."""
    found = analyse_fields(framed, library, noise, numbers, rng)
    report = report_on(
        found.findings,
        conclude(found.findings, found.sampled),
        names=framed.names,
        noise=found.noise,
        title="; ".join([framed.summary(), *found.remarks]),
        drift_rates=found.drift_rates,
    )
    searched = [*report.searched, "no manifold is trained for fields"]
    report = _with_remarks(replace(report, searched=searched), received)
    motion = MeasuredMotion.of_fields(found.states, found.times, framed.names)
    report = outside(report, frame, numbers)
    return fields_in_textbook_form(report, found.grid, motion.outside(frame), numbers)


def _with_remarks(report: DiscoveryReport, received: Received) -> DiscoveryReport:
    """Tell what was done to the columns; where one was left out, "none" is not sure."""
    report = replace(report, title="; ".join([report.title, *received.runs.remarks]))
    if not received.idle or report.verdict != "none":
        return report
    reason = (
        f"{', '.join(received.idle)} shows noise alone, which may hide what else is conserved; "
        "measure more precisely, or leave it out."
    )
    return replace(report, verdict="undecided", reason=reason)


def _title(
    runs: Trajectories,
    some: Trajectories,
    dropped: int,
    parts: Parts,
    whole: Source | None = None,
) -> str:
    """Return what the runs are, how many rows of them were drawn and left out as gross errors."""
    coordinates = runs.of_columns(parts.coordinates)
    if whole is None:
        title = coordinates.summary()
    else:
        title = coordinates.summary_of(whole.scan.lengths)
        title += f"; {whole.searched}"
    if len(some.rows) < len(runs.rows):
        title += f"; {len(some.rows)} of {len(runs.rows)} rows analysed"
    errors = "gross error" if dropped == 1 else "gross errors"
    return f"{title}; {dropped} {errors} left out" if dropped else title
