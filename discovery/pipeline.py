"""The road from runs to a report: `analyse_runs`, and `discover`, which trains a manifold for it.

flaws -> frame -> draw -> leave gross errors out -> split -> prepare -> libraries -> laws ->
symmetries -> report in the user's units
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Real
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import sympy

from discovery.criteria import LAWS, LIBRARIES, NOISE, LawCriteria
from discovery.data.coordinates import MOMENTA, are_fields, infer_roles
from discovery.data.flaws.reading import in_radians, radians_in, read
from discovery.data.frame import Frame, with_rows
from discovery.data.noise_level import known_noise
from discovery.data.parameters import Parts, parted, remarks
from discovery.data.readiness import check_for_analysis
from discovery.data.row_limit import MAX_ROWS, checked_rows, drawn, drawn_from
from discovery.data.scan.scanned import Scan
from discovery.data.scan.workers import ClientLike, as_client
from discovery.data.states import Runs, as_runs
from discovery.data.trajectories import Trajectories
from discovery.estimation.along import jittered
from discovery.estimation.iterates.sampling import (
    Sampling,
    seen_sampling,
    told_sampling,
    without_order,
)
from discovery.estimation.model_rows import rates
from discovery.estimation.orbits import Orbits
from discovery.estimation.origin import natural_origin
from discovery.estimation.passage import Passage, Reading
from discovery.estimation.positions import (
    missing_velocities,
    remark,
    seen_noise,
    with_formed_velocities,
)
from discovery.estimation.preparation import without_gross_errors
from discovery.estimation.split import PROBES, WINDOWS, Split
from discovery.formulas.simple_numbers import Numbers
from discovery.laws.completed import with_completed
from discovery.laws.decaying.search import Among, Moving, with_decaying
from discovery.laws.decaying.timed import timed
from discovery.laws.free.centres import centre_stages
from discovery.laws.free.mechanical import mechanical_stages
from discovery.laws.free.quadratic import quadratic_stages
from discovery.laws.free.stages import free_stages
from discovery.laws.general import general_stages
from discovery.laws.judging.conclusion import conclude
from discovery.laws.judging.joined import joined
from discovery.laws.judging.law import Findings, Law
from discovery.laws.judging.trend import secular_rate
from discovery.laws.judging.whole import OnAll, Whole, judged_on_all
from discovery.laws.search import analyse
from discovery.laws.stages import stages_among, stages_of
from discovery.libraries.choice import LibraryLike, checked, resolve
from discovery.libraries.escalation import linear
from discovery.libraries.framed import in_frame
from discovery.libraries.many_bodies.bodies import FEWEST_COLUMNS, Bodies
from discovery.libraries.many_bodies.sums import symmetry_of
from discovery.libraries.many_bodies.told import BoxLike, Told, told_bodies
from discovery.libraries.monomials import symbols_of
from discovery.noether.energy_among import energy_among
from discovery.noether.energy_left_out import with_energy_left_out
from discovery.noether.motion import Candidate, MeasuredMotion
from discovery.noether.naming import names_of
from discovery.noether.pairing import pair
from discovery.pde.analysis import analyse_fields
from discovery.preparations import Preparation, WithManifold, WithoutModel
from discovery.report.assembly import report_on
from discovery.report.description import described
from discovery.report.framing import outside
from discovery.report.pictures.sample import Sample
from discovery.report.quantity import Quantity
from discovery.report.report import DiscoveryReport
from discovery.report.textbook import fields_in_textbook_form, in_textbook_form

if TYPE_CHECKING:
    import distributed
    import keras

# A natural origin is known no better than this, in spreads.
_ORIGIN_KNOWN = 1e-4
# Samples that lie on no path, and what a reader is told of them.
_OFF_PATHS = (Sampling.MAP, Sampling.CLOUD)
_TAKEN_AS = {
    Sampling.MAP: "samples far apart: taken as iterates of a map",
    Sampling.CLOUD: "groups of unordered samples",
}
# Rows that are judged at a time.
PIECE = 100_000
# What users may pass as ``noise=``.
NoiseLevel = float | Sequence[float] | np.ndarray | None
Given = TypeVar("Given")


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
    precision of the measurement noise in each place. Runs are smoothed through its flow, and
    functions that move along an orbit only as noise moves them are reported, judged on runs that
    took no part in finding them or in training. Where no closed form in reach is conserved
    (``library="auto"``), features are learned that tell the orbits apart.

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
    noise : float or array-like of shape (d,), optional
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


@dataclass(frozen=True)
class Source:
    """Stored runs of which a sample is searched.

    Attributes
    ----------
    scan : Scan
    client : distributed.Client or None
        Whose workers judge on all of them.
    searched : str
        What the sample is, in words.
    """

    scan: Scan[Trajectories]
    client: distributed.Client | None
    searched: str


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
    most, levels = checked_rows(max_rows), known_noise(noise, runs.dim)
    criteria = _criteria(max_drift)
    fields = are_fields(runs.roles)
    if fields and preparation.sampling in _OFF_PATHS:
        raise ValueError(
            "the coordinates are fields, which are analysed along paths in time. Leave kind= and "
            "ordered= out, or give the coordinates other roles."
        )
    unsaid = isinstance(degrees, Sequence) and not degrees
    units = runs.units
    told = told_bodies(bodies, box, runs.names, runs.roles)
    if told is not None and told.in_box:
        runs = with_rows(runs, told.unrolled(runs.rows, runs.offsets), runs.row_times)
    runs, turns = read(runs, runs.in_degrees if unsaid else degrees)
    given = runs
    in_box = told is not None and told.in_box
    reading = Reading(runs.roles, unrolled=told.unrolled if in_box else None)
    complete = fields or preparation.sampling in _OFF_PATHS or not preparation.forms_velocities
    # Whether angles follow a path is seen in radians.
    plain = in_radians(runs, turns) if any(turns) else runs
    missing = None if complete else missing_velocities(plain)
    if missing is not None:
        levels = None if levels is None else levels * radians_in(turns)
        # What turns is in radians from here on.
        turned = {name for name, turn in zip(runs.names, turns, strict=True) if turn}
        units = {name: unit for name, unit in units.items() if name not in turned}
        turned_by, turns = turns, ()
        if whole is not None and levels is None:
            levels = seen_noise(plain)
        reading = Reading(runs.roles, turned_by, missing, levels, reading.unrolled)
        runs = with_formed_velocities(drawn(plain, most, rng), missing, levels)
    if runs.formed is not None:
        levels = None
    numbers = Numbers.of(constants, runs.names)
    chosen = library if fields else checked(library, runs.names)
    parts = parted(runs)
    # Functions of the user's own are of the user's coordinates: these keep their origin and sign.
    kept = not isinstance(chosen, str) or (told is not None and told.in_box)
    frame = Frame.of(runs, () if kept else parts.coordinates, turns)
    framed = frame.runs(runs)
    if levels is not None:
        levels = np.maximum(levels / abs(frame.unit), NOISE.resolution * framed.rows.std(axis=0))
    if fields:
        report, motion = _fields(framed, library, levels, numbers, rng), None
        sound, inside = framed, frame
    else:
        if not isinstance(chosen, str):
            chosen = [in_frame(given, frame) for given in chosen]
        if preparation.sampling == Sampling.CLOUD:
            framed = without_order(framed)
        some = drawn(framed, most, rng)
        said = preparation.sampling
        sound, sampling = _sampled(some, parts, said)
        source = None if whole is None else _Rest(whole, reading)
        asked = _Asked(chosen, levels, numbers, criteria, told, source)
        preparation = preparation.sampled(sampling)
        inside = frame
        report, frame, motion, said_of_all = _laws(sound, parts, frame, preparation, asked, rng)
        notes = [_TAKEN_AS[sampling]] if sampling in _TAKEN_AS else []
        if said == Sampling.MAP:
            notes = ["taken as iterates of a map, as told"]
        notes += remarks(runs, parts)
        if runs.formed is not None:
            notes.append(remark(given, runs, missing))
        title = "; ".join([_title(runs, some, sound, parts, whole), *said_of_all, *notes])
        report = replace(report, title=title)
    report = replace(report, title="; ".join([report.title, *runs.remarks]))
    report = outside(report, frame, numbers)
    if motion is None:
        report = fields_in_textbook_form(report)
    else:
        report = in_textbook_form(report, motion.outside(frame), numbers)
    sample = Sample.of(report.quantities, report.noise, sound, inside, units)
    return replace(report, shown=sample, runs=inside.runs_outside(sound))


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
        columns = parts.coordinates
        sampling = seen_sampling(sound if parts.all_coordinates else sound.of_columns(columns))
    return (runs if sampling in _OFF_PATHS else sound), sampling


@dataclass(frozen=True)
class _Asked:
    """What the user asks for: a library, the noise of all columns if known, numbers and so on.

    And what the runs are a sample of.
    """

    library: LibraryLike
    noise: np.ndarray | None
    numbers: Numbers
    criteria: LawCriteria
    told: Told | None = None
    rest: _Rest | None = None

    @property
    def in_box(self) -> bool:
        """Whether the coordinates are places in a periodic box, of which few functions are."""
        return self.told is not None and self.told.in_box


@dataclass(frozen=True)
class _Rest:
    """Stored runs, and how they are read."""

    source: Source
    reading: Reading

    def judge(
        self,
        findings: Findings,
        split: Split,
        found_on: np.ndarray,
        passage: Passage,
        rng: np.random.Generator,
    ) -> OnAll | None:
        """Judge what was found on all runs."""
        pieces = self.source.scan.pieces(PIECE)
        return judged_on_all(
            findings, split.held, Whole(pieces, passage, found_on, self.source.client), rng
        )


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


def _laws(
    sound: Trajectories,
    parts: Parts,
    frame: Frame,
    preparation: Preparation,
    asked: _Asked,
    rng: np.random.Generator,
) -> tuple[DiscoveryReport, Frame, MeasuredMotion, list[str]]:
    """Return the report on runs without gross errors in a frame, that frame, and how they move.

    And what all runs say, where these are a sample.
    """
    library, numbers = asked.library, asked.numbers
    coordinates = list(parts.coordinates)
    moving = sound if parts.all_coordinates else sound.of_columns(coordinates)
    levels = asked.noise if asked.noise is None else asked.noise[coordinates]
    few = sound.n_runs < LAWS.min_runs
    windows = -(-WINDOWS // sound.n_runs) if few else 0
    every = np.arange(sound.n_runs)
    fit, held = (every, every) if few else Split.choose(sound.n_runs, rng)
    known = preparation.within(frame.of_columns(coordinates)).orbits(moving, fit, levels, rng)
    if known.on_a_path:
        known, frame = _about_natural_origin(known, moving, frame, coordinates)
    orbits = known.among(sound.rows, coordinates, parts.parameters)
    if parts.clock:
        orbits = jittered(orbits, parts.clock, sound.row_times)
    if few:
        orbits = orbits.in_windows(windows)
    split = Split.in_time(orbits, rng) if few else Split.of(orbits, fit, held, rng)
    # A user's own library is of all columns.
    of, seen = (moving, known) if isinstance(library, str) else (sound, orbits)
    path = seen.smoothed.states
    iterates = not seen.on_a_path
    speeds = None if iterates else rates(of, path)
    found = resolve(library, of.names, of.roles, path, speeds, seen.noise, iterates)
    if asked.told is not None and library == "auto" and not iterates:
        unit = frame.of_columns(coordinates).unit
        whose = asked.told.bodies(of.names, of.roles or (), unit, path, speeds)
        rest = [given for given in found if not isinstance(given, Bodies)]
        found = [linear(of.names), *([] if asked.in_box else rest)]
        found[1:1] = [] if whose is None else [whose]
    wide = of.dim > LIBRARIES.wide and any(isinstance(given, Bodies) for given in found)
    stages = stages_of(found, numbers)
    if isinstance(library, str) and library == "auto" and not (few or asked.in_box or wide):
        seen_roles = infer_roles(of.names, of.roles, path, speeds)
        if parts.all_coordinates and not iterates:
            stages += free_stages(of.names, seen_roles, seen, numbers)
            stages += centre_stages(of.names, seen_roles, numbers)
            stages += quadratic_stages(of.names, seen_roles)
        on_paths = parts.all_coordinates and not iterates
        general = general_stages(
            of.names,
            seen_roles,
            numbers,
            times=of[fit].row_times if on_paths else None,
            given=any(of.roles or ()),
        )
        if parts.all_coordinates and not iterates:
            general += mechanical_stages(of.names, seen_roles, seen)
        stages += general
        if parts.all_coordinates and not iterates:
            stages = with_completed(stages, of.names, seen_roles)
        stages += preparation.learned(moving, rng)
    stages = stages_among(stages, symbols_of(sound.names), parts)
    if parts.clock and library == "auto":
        stages += timed(sound.names, parts, numbers)
    told = known.on_a_path or known.noise_known
    if not told or (sound.formed is not None and _hides_motion(known, moving)):
        stages = []  # whatever is found, nothing tells it from noise
    findings = Findings()
    if split is not None:
        findings = analyse(stages, split, rng, numbers, asked.criteria)
    if few:
        findings = findings.along_runs(sound.n_runs, len(coordinates))
    motion = MeasuredMotion.of(orbits, moving, sound, coordinates)
    if split is not None and not few and parts.all_coordinates and seen.on_a_path:
        findings = with_energy_left_out(findings, motion, split, asked.criteria)
        findings = _with_energy(findings, motion, split, rng, asked)
    on_all = None
    if asked.rest is not None and not few:
        way = asked.rest.reading, frame, parts, preparation.sampling
        passage = Passage.of(*way, sound, orbits)
        found_on = sound.run_ids[fit]
        on_all = asked.rest.judge(findings, split, found_on, passage, rng)
        findings = findings if on_all is None else on_all.findings
    conclusion = conclude(findings, known, moving.roles)
    # With a clock what decays at a rate is a law.
    own = isinstance(library, str) or parts.all_coordinates
    judged = conclusion.verdict != "undecided" or (few and split is not None and not findings.laws)
    if judged and seen.on_a_path and own and not (parts.clock or wide):
        roles = tuple(infer_roles(of.names, of.roles, path, speeds))
        among = Among(orbits, sound.names, parts.coordinates)
        among = None if parts.all_coordinates else among
        runs = Moving(seen, of.row_times, of.names, roles, fit, held, among, windows)
        findings = with_decaying(findings, found, runs, rng, numbers)
        conclusion = conclude(findings, known, moving.roles)
    drifting = [law for law in findings.laws if law.verdict == "approximate" and not law.decay]
    report = report_on(
        findings,
        conclusion,
        names=sound.names,
        noise=dict(zip(moving.names, known.mean_noise.tolist(), strict=True)),
        title="",
        drift_rates={
            law.expression: 0.0
            if preparation.sampling == Sampling.CLOUD
            else _drift_rate(law, orbits, sound.row_times)
            for law in drifting
        },
    )
    if not few:  # for which nothing is learned
        states = split.fit.smoothed.states, split.held.smoothed.states
        report = replace(report, quantities=[described(q, *states) for q in report.quantities])
    if of.dim > LIBRARIES.wide:
        searched = [*report.searched, f"no manifold is trained for {of.dim} columns"]
        report = replace(report, searched=searched)
    report = _with_symmetries(report, moving, orbits, numbers, parts, by_kind=asked.in_box)
    said = [] if asked.rest is None else _of_all(on_all, asked.rest.source.scan, frame, numbers)
    return report, frame, motion, said


def _of_all(
    on_all: OnAll | None, scan: Scan[Trajectories], frame: Frame, numbers: Numbers
) -> list[str]:
    """Say what was judged on all runs, and which laws of the sample were lost."""
    if scan.n_runs < LAWS.min_runs:
        return [f"judged there too: {LAWS.min_runs} runs are needed to judge on all"]
    if on_all is None:
        return ["nothing was found there that could be judged on all"]
    left_out = scan.n_rows - on_all.n_rows
    said = [f"judged on all {scan.n_rows} rows of {scan.n_runs} runs"]
    said += [f"of which {left_out} are left out or joined to states"] if left_out else []
    for law in on_all.lost:
        lost = Quantity.from_law(law).outside(frame, numbers).for_users()
        said.append(f"{lost.formula} holds on the sample and not on all")
    return said


def _with_energy(
    findings: Findings,
    motion: MeasuredMotion,
    split: Split,
    rng: np.random.Generator,
    asked: _Asked,
) -> Findings:
    """Return laws with the energy instead of the longest that it is a sum of."""
    exact = [law for law in findings.laws if law.sure and not law.library.learned]
    if len(exact) < 2 or len(motion.names) > LIBRARIES.wide:
        return findings
    laws = [Candidate(law.library, law.coefficients) for law in exact]
    weights = None if "energy" in names_of(laws, motion) else energy_among(laws, motion)
    if weights is None:
        return findings
    energy = joined(exact, weights, split, rng, numbers=asked.numbers, criteria=asked.criteria)
    if energy is None:
        return findings
    if names_of([Candidate(energy.library, energy.coefficients)], motion) != ["energy"]:
        return findings
    parts = [law for law, weight in zip(exact, weights, strict=True) if weight]
    longest = max(parts, key=lambda law: law.complexity)
    return replace(findings, laws=[energy if law is longest else law for law in findings.laws])


def _hides_motion(orbits: Orbits, runs: Trajectories) -> bool:
    """Tell whether velocities that were formed hold more noise than motion, all of them."""
    formed = [i for i, role in enumerate(runs.roles or ()) if role in MOMENTA]
    noise = orbits.mean_noise[formed] / orbits.scale[formed]
    return bool(np.all(noise > LAWS.formed_noise))


def _about_natural_origin(
    orbits: Orbits, runs: Trajectories, frame: Frame, columns: Sequence[int]
) -> tuple[Orbits, Frame]:
    """Return orbits and their frame about the origin that the motion of far coordinates shows.

    The frame is of more columns than the runs, whose coordinates are in `columns`.
    """
    part = frame.of_columns(columns)
    # One run has halves of its own.
    blocks = orbits if orbits.n_runs > 1 else orbits.in_windows(2)
    if not part.far or blocks.n_runs < 2:
        return orbits, frame
    states = orbits.smoothed.states
    speeds = rates(runs, states)
    seen = infer_roles(runs.names, runs.roles, states, speeds)
    half = np.repeat(np.arange(blocks.n_runs) % 2 == 0, np.diff(blocks.offsets))
    shift, one, other = (
        natural_origin(states[rows], speeds[rows], seen, part.far)
        for rows in (half | True, half, ~half)
    )
    # As few digits as the two halves of the runs agree on.
    better = part.moved(shift, np.maximum(np.abs(one - other), _ORIGIN_KNOWN * orbits.scale))
    return orbits.moved((better.origin - part.origin) / part.unit), frame.among(better, columns)


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


def _title(
    runs: Trajectories,
    some: Trajectories,
    sound: Trajectories,
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
    report: DiscoveryReport,
    runs: Trajectories,
    orbits: Orbits,
    numbers: Numbers,
    parts: Parts,
    by_kind: bool,
) -> DiscoveryReport:
    """Pair laws with the symmetries behind them, where roles say that the data are mechanical.

    With the symmetries of the runs' typical system, where parameters differ from run to run.
    """
    exact = [q for q in report.quantities if q.verdict == "exact" and q.approximation_error is None]
    if not exact or runs.roles is None:
        return report
    if by_kind or runs.dim >= FEWEST_COLUMNS:
        # Brackets of so many coordinates take minutes: sums tell their symmetry by their kind.
        named = [replace(q, symmetry=symmetry_of(q.library)) for q in exact]
        others = [q for q in report.quantities if not any(q is e for e in exact)]
        return replace(report, quantities=named + others)
    clock = [sympy.Symbol(report.names[i], real=True) for i in parts.clock]
    exact = [q for q in exact if not q.expression.has(*clock)] if clock else exact
    some = orbits.smoothed.states[:: max(1, len(orbits.smoothed.states) // PROBES)]
    typical = {
        sympy.Symbol(report.names[i], real=True): float(np.median(some[:, i]))
        for i in parts.parameters
    }
    formulas = [numbers.numeric(q.expression).subs(typical) for q in exact]
    pairing = pair(formulas, runs.names, runs.roles, some[:, list(parts.coordinates)])
    named: list[Quantity] = [
        replace(q, symmetry=s) for q, s in zip(exact, pairing.symmetries, strict=True)
    ]
    others = [q for q in report.quantities if not any(q is e for e in exact)]
    notes = [f"algebra {pairing.algebra}"] if pairing.algebra not in (None, "unknown") else []
    # A constraint breaks symmetries that the energy's formula has.
    if not report.identities:
        notes += [f"to check: {flag}" for flag in pairing.flags]
    return replace(report, quantities=named + others, symmetries=notes)
