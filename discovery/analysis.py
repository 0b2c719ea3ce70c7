"""The analysis of states in a frame: runs -> orbits -> stages -> findings -> report.

`laws_of` goes through the steps; those before and after, which fields share, are in `pipeline`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from discovery.criteria import FORMULAS, LAWS, LIBRARIES, LawCriteria
from discovery.data.coordinates import MOMENTA, infer_roles
from discovery.data.frame import Frame, with_rows
from discovery.data.parameters import Parts
from discovery.data.scan.scanned import Scan
from discovery.data.trajectories import Trajectories
from discovery.estimation.along import jittered
from discovery.estimation.iterates.sampling import Sampling
from discovery.estimation.model_rows import rates
from discovery.estimation.orbits import Orbits
from discovery.estimation.origin import natural_origin, origin_aside
from discovery.estimation.passage import Passage, Reading
from discovery.estimation.split import WINDOWS, Split
from discovery.formulas.simple_numbers import Numbers
from discovery.laws.completed import with_completed
from discovery.laws.decaying.search import Among, Moving, with_decaying
from discovery.laws.decaying.timed import timed
from discovery.laws.free.centres import centre_stages
from discovery.laws.free.mechanical import mechanical_stages
from discovery.laws.free.one_shape import one_shape_stages
from discovery.laws.free.quadratic import quadratic_stages
from discovery.laws.free.stages import free_stages
from discovery.laws.free.unchanged import unchanged_stages
from discovery.laws.general import general_stages
from discovery.laws.judging.allowed_noise import allowed_noise
from discovery.laws.judging.conclusion import Conclusion, conclude
from discovery.laws.judging.joined import as_law, joined
from discovery.laws.judging.law import Findings, Law
from discovery.laws.judging.unlike import unlike_runs
from discovery.laws.judging.verdict import Verdict
from discovery.laws.off_by_run import Off, off_by_run, off_in_words
from discovery.laws.search import analyse
from discovery.laws.stages import Stage, stages_among, stages_of
from discovery.laws.whole.judged import OnAll, judged_on_all
from discovery.laws.whole.seen import Whole
from discovery.libraries.choice import LibraryLike, resolve
from discovery.libraries.escalation import Given, linear
from discovery.libraries.families import tilted
from discovery.libraries.library import Library
from discovery.libraries.many_bodies.bodies import Bodies
from discovery.libraries.many_bodies.told import Told
from discovery.libraries.monomials import symbols_of
from discovery.noether.energy_among import energy_among
from discovery.noether.energy_left_out import with_energy_left_out
from discovery.noether.motion import Candidate, MeasuredMotion
from discovery.noether.naming import names_of
from discovery.noether.quadratic_span import mode_energies, parted
from discovery.preparations import Preparation
from discovery.report.assembly import report_on
from discovery.report.description import described
from discovery.report.report import DiscoveryReport
from discovery.statements import drift_rate, of_all, with_symmetries

if TYPE_CHECKING:
    import distributed

# A natural origin is known no better than this, in spreads.
_ORIGIN_KNOWN = 1e-4
# Rows that are judged at a time.
PIECE = 100_000
# Formulas that are no laws, but nearly so, which tell of runs unlike the others.
FEW_NEARLY = 5


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


@dataclass(frozen=True)
class Asked:
    """What the user asks for.

    Attributes
    ----------
    library : str or list of Library
    noise : (columns,) array or None
        Standard deviations where they are known, in the frame.
    numbers : Numbers
        What coefficients are rounded to.
    criteria : LawCriteria
    told : Told, optional
        Which bodies the columns are of.
    rest : Rest, optional
        What the runs are a sample of.
    noise_lasts : bool
        Whether the noise is correlated over many samples, and looks like motion.
    others : bool
        Whether the runs are what is left without those that are unlike the others, or without
        what a column is off by in each.
    """

    library: LibraryLike
    noise: np.ndarray | None
    numbers: Numbers
    criteria: LawCriteria
    told: Told | None = None
    rest: Rest | None = None
    noise_lasts: bool = False
    others: bool = False

    @property
    def again(self) -> Asked:
        """The same of runs that are changed after a first look."""
        return replace(self, others=True)

    @property
    def in_box(self) -> bool:
        """Whether the coordinates are places in a periodic box, of which few functions are."""
        return self.told is not None and self.told.in_box


@dataclass(frozen=True)
class Rest:
    """Stored runs, and how they are read.

    Attributes
    ----------
    source : Source
    reading : Reading
    """

    source: Source
    reading: Reading

    def judge(
        self,
        findings: Findings,
        split: Split,
        found_on: np.ndarray,
        passage: Passage,
        numbers: Numbers,
        rng: np.random.Generator,
    ) -> OnAll | None:
        """Judge what was found on all runs.

        Parameters
        ----------
        findings : Findings
            Of the sample.
        split : Split
        found_on : array
            Ids of the runs that formulas were found on.
        passage : Passage
            The way of stored runs into the frame.
        numbers : Numbers
            What coefficients are rounded to.
        rng : numpy.random.Generator

        Returns
        -------
        OnAll or None
            None where nothing was found.
        """
        pieces = self.source.scan.pieces(PIECE)
        whole = Whole(pieces, passage, found_on, self.source.client)
        return judged_on_all(findings, split.held, whole, rng, numbers)


@dataclass(frozen=True)
class _Seen:
    """Runs as orbits, and which of them find and which judge.

    Attributes
    ----------
    parts : Parts
        Which columns are what.
    sound, moving : Trajectories
        All columns, and the coordinates among them.
    orbits, known : Orbits
        The same; those of all columns are in windows where runs are few.
    frame : Frame
        Of all columns.
    fit, held : arrays of int
        Runs.
    split : Split or None
        None where windows are too short.
    windows : int
        Of each run where runs are few, else 0.
    own : bool
        Whether the library is the user's own: of all columns.
    """

    parts: Parts
    sound: Trajectories
    moving: Trajectories
    orbits: Orbits
    known: Orbits
    frame: Frame
    fit: np.ndarray
    held: np.ndarray
    split: Split | None
    windows: int
    own: bool

    @property
    def few(self) -> bool:
        """Whether runs are too few for a verdict."""
        return self.windows > 0

    @property
    def of(self) -> Trajectories:
        """What the library is of."""
        return self.sound if self.own else self.moving

    @property
    def seen(self) -> Orbits:
        """Their orbits."""
        return self.orbits if self.own else self.known

    @property
    def on_a_path(self) -> bool:
        """Whether samples lie on a path."""
        return self.seen.on_a_path

    @property
    def path(self) -> np.ndarray:
        """Smoothed states, (n, columns)."""
        return self.seen.smoothed.states

    @cached_property
    def speeds(self) -> np.ndarray | None:
        """Their rates, (n, columns), along paths."""
        return rates(self.of, self.path) if self.on_a_path else None

    @cached_property
    def roles(self) -> list[str | None]:
        """Roles of these columns, as given or inferred."""
        return infer_roles(self.of.names, self.of.roles, self.path, self.speeds)


class Analysed(NamedTuple):
    """What came out, and how to go on from there.

    Attributes
    ----------
    report : DiscoveryReport
    frame : Frame
        Of the report: about the origin that the motion shows.
    motion : MeasuredMotion
        How the runs move.
    said : list of str
        What all runs say, where these are a sample; or which are unlike the others, where the
        report is on these.
    """

    report: DiscoveryReport
    frame: Frame
    motion: MeasuredMotion
    said: list[str]


# Analyses other runs, or what else is asked of them, in the same way.
Again: TypeAlias = Callable[[Trajectories, Asked], Analysed]


def laws_of(
    sound: Trajectories,
    parts: Parts,
    frame: Frame,
    preparation: Preparation,
    asked: Asked,
    rng: np.random.Generator,
) -> Analysed:
    """Analyse runs without gross errors in a frame.

    Parameters
    ----------
    sound : Trajectories
        In the frame.
    parts : Parts
        Which columns are what.
    frame : Frame
    preparation : Preparation
    asked : Asked
    rng : numpy.random.Generator
        Draws the split and the resamples.
    """
    some = _as_orbits(sound, parts, frame, preparation, asked, rng)
    found = _libraries(some, asked)
    findings = _searched(some, found, preparation, asked, rng)

    def again(runs: Trajectories, asked: Asked) -> Analysed:
        return laws_of(runs, parts, frame, preparation, asked, rng)

    other = _with_noise_of_laws(some, findings, asked, again)
    if other is not None:
        return other
    motion = MeasuredMotion.of(some.orbits, some.moving, sound, list(parts.coordinates))
    findings = _with_energies(some, findings, motion, asked, rng)
    other = _without_unlike(some, findings, asked, again)
    if other is not None:
        return other
    on_all = _on_all(some, findings, preparation, asked, rng)
    findings = findings if on_all is None else on_all.findings
    conclusion = conclude(findings, some.known, some.moving.roles)
    if _may_decay(some, found, findings, conclusion):
        findings = _with_decaying(some, found, findings, asked, rng)
        conclusion = conclude(findings, some.known, some.moving.roles)
    if conclusion.verdict == "none":
        conclusion = _unless_off(some, found, asked, again) or conclusion
    report = _reported(some, findings, conclusion, preparation, asked)
    said = []
    if asked.rest is not None:
        said = of_all(on_all, asked.rest.source.scan, some.frame, asked.numbers)
    return Analysed(report, some.frame, motion, said)


def _searched(
    some: _Seen,
    found: Sequence[Given],
    preparation: Preparation,
    asked: Asked,
    rng: np.random.Generator,
) -> Findings:
    """Return what the search finds; of few runs what is constant along them."""
    stages = _stages(some, found, preparation, asked, rng)
    findings = Findings()
    if some.split is not None:
        findings = analyse(stages, some.split, rng, asked.numbers, asked.criteria)
    if some.few:
        findings = findings.along_runs(some.sound.n_runs, len(some.parts.coordinates))
    return findings


def _with_noise_of_laws(
    some: _Seen, findings: Findings, asked: Asked, again: Again
) -> Analysed | None:
    """Analyse anew with the noise that exact laws allow, which may be less than what was seen.

    None where they allow as much, or where fewer laws are found then.
    """
    if asked.noise is not None or asked.rest is not None or some.few or some.split is None:
        return None
    exact = [law for law in findings.laws if law.verdict == Verdict.EXACT]
    noise = allowed_noise(exact, some.orbits)
    if noise is None:
        return None
    other = again(some.sound, replace(asked, noise=noise))
    return other if other.report.n_conserved >= len(exact) else None


def _with_energies(
    some: _Seen,
    findings: Findings,
    motion: MeasuredMotion,
    asked: Asked,
    rng: np.random.Generator,
) -> Findings:
    """Return laws as mechanics has them, where all columns are coordinates along paths."""
    if some.split is None or some.few or not (some.parts.all_coordinates and some.on_a_path):
        return findings
    findings = with_energy_left_out(findings, motion, some.split, asked.criteria)
    findings = _with_energy(findings, motion, some.split, rng, asked)
    return _in_better_forms(findings, motion, some.split, rng, asked)


def _without_unlike(some: _Seen, findings: Findings, asked: Asked, again: Again) -> Analysed | None:
    """Analyse the runs without those that are unlike the others; None where nothing holds then."""
    if not _alone(some, asked):
        return None
    alike = _alike(some, findings, asked.criteria)
    if alike.all():
        return None
    other = again(some.sound[alike], asked.again)
    if not other.report.n_conserved:
        return None
    ids = ", ".join(map(str, some.sound.run_ids[~alike]))
    said = f"runs {ids} move otherwise: the report is on the {alike.sum()} others"
    return other._replace(said=[*other.said, said])


def _on_all(
    some: _Seen,
    findings: Findings,
    preparation: Preparation,
    asked: Asked,
    rng: np.random.Generator,
) -> OnAll | None:
    """Judge what was found on all runs, where these are a sample."""
    if asked.rest is None or some.few:
        return None
    way = asked.rest.reading, some.frame, some.parts, preparation.sampling
    passage = Passage.of(*way, some.sound, some.orbits)
    found_on = some.sound.run_ids[some.fit]
    return asked.rest.judge(findings, some.split, found_on, passage, asked.numbers, rng)


def _unless_off(
    some: _Seen, found: Sequence[Given], asked: Asked, again: Again
) -> Conclusion | None:
    """Return "undecided" where laws hold without what a column is off by in each run."""
    off = _off(some, found) if _alone(some, asked) else []
    if not off:
        return None
    other = again(_without_errors(some, off[0]), asked.again)
    if not other.report.n_conserved:
        return None
    formulas = [str(law.expression) for law in other.report.quantities]
    return Conclusion("undecided", off_in_words(off, some.of.names, formulas))


def _alone(some: _Seen, asked: Asked) -> bool:
    """Tell whether all runs are here, enough for a verdict, and as they were measured."""
    return asked.rest is None and not asked.others and not some.few and some.split is not None


def _off(some: _Seen, found: Sequence[Given]) -> list[Off]:
    """Return columns that may be off by another number in each run."""
    orbits = some.seen
    if some.own or not orbits.on_a_path or some.of.dim > LIBRARIES.wide:
        return []
    some_of_them = [
        given
        for given in found
        if isinstance(given, Library) and orbits.clear(given.positive).all()
    ]
    return off_by_run(some_of_them, orbits, range(some.of.dim))


def _without_errors(some: _Seen, off: Off) -> Trajectories:
    """Return the runs, all columns, without what one coordinate is off by in each."""
    rows = some.sound.rows.copy()
    values = some.seen.measured.states[:, off.column]
    rows[:, some.parts.coordinates[off.column]] += off.added(values, some.sound.offsets)
    changed = with_rows(some.sound, rows, some.sound.row_times)
    changed.units, changed.in_degrees = some.sound.units, some.sound.in_degrees
    return changed


def _alike(some: _Seen, findings: Findings, criteria: LawCriteria) -> np.ndarray:
    """Tell which runs are like the others, (runs,) of bool."""
    # What has no closed form is known amid the data, and runs that leave them are as good.
    exact = [
        law for law in findings.laws if law.verdict == Verdict.EXACT and not law.library.learned
    ]
    nearly = sorted(findings.refused, key=lambda law: law.evidence.drift)[:FEW_NEARLY]
    alike = np.ones(some.orbits.n_runs, dtype=bool)
    alike[unlike_runs(exact or nearly, some.split.all, criteria)] = False
    return alike


def _as_orbits(
    sound: Trajectories,
    parts: Parts,
    frame: Frame,
    preparation: Preparation,
    asked: Asked,
    rng: np.random.Generator,
) -> _Seen:
    """Part the runs, and make orbits of them."""
    coordinates = list(parts.coordinates)
    moving = sound if parts.all_coordinates else sound.of_columns(coordinates)
    levels = asked.noise if asked.noise is None else asked.noise[coordinates]
    few = sound.n_runs < LAWS.min_runs
    windows = -(-WINDOWS // sound.n_runs) if few else 0
    every = np.arange(sound.n_runs)
    fit, held = (every, every) if few else Split.choose(sound.n_runs, rng)
    known = preparation.within(frame.of_columns(coordinates)).orbits(moving, fit, levels, rng)
    known = replace(known, noise_lasts=asked.noise_lasts)
    if known.on_a_path:
        free = isinstance(asked.library, str) and not asked.in_box
        known, frame = _about_natural_origin(known, moving, frame, coordinates, free)
    orbits = known.among(sound.rows, coordinates, parts.parameters)
    if parts.clock:
        orbits = jittered(orbits, parts.clock, sound.row_times)
    if few:
        orbits = orbits.in_windows(windows)
    split = Split.in_time(orbits, rng) if few else Split.of(orbits, fit, held, rng)
    own = not isinstance(asked.library, str)
    return _Seen(parts, sound, moving, orbits, known, frame, fit, held, split, windows, own)


def _libraries(some: _Seen, asked: Asked) -> list[Given]:
    """Return the libraries that are asked for, from simple to rich."""
    of = some.of
    found = resolve(
        asked.library,
        of.names,
        of.roles,
        some.path,
        some.speeds,
        some.seen.noise,
        not some.on_a_path,
    )
    if asked.told is None or asked.library != "auto" or not some.on_a_path:
        return found
    unit = some.frame.of_columns(some.parts.coordinates).unit
    whose = asked.told.bodies(of.names, of.roles or (), unit, some.path, some.speeds)
    rest = [given for given in found if not isinstance(given, Bodies)]
    found = [linear(of.names), *([] if asked.in_box else rest)]
    found[1:1] = [] if whose is None else [whose]
    return found


def _of_wide(some: _Seen, found: Sequence[Given]) -> bool:
    """Tell whether sums over bodies alone are tried, of so many columns."""
    return some.of.dim > LIBRARIES.wide and any(isinstance(given, Bodies) for given in found)


def _stages(
    some: _Seen,
    found: Sequence[Given],
    preparation: Preparation,
    asked: Asked,
    rng: np.random.Generator,
) -> list[Stage]:
    """Return what the search tries; nothing where nothing tells a law from noise."""
    of, known, parts, numbers = some.of, some.known, some.parts, asked.numbers
    auto = isinstance(asked.library, str) and asked.library == "auto"
    stages = stages_of(found, numbers)
    if auto and not (some.few or asked.in_box or _of_wide(some, found)):
        on_paths = parts.all_coordinates and some.on_a_path
        if on_paths:
            stages += free_stages(of.names, some.roles, some.seen, numbers)
            stages += unchanged_stages(of.names, some.roles, some.seen, numbers)
            stages += centre_stages(of.names, some.roles, numbers)
            stages += quadratic_stages(of.names, some.roles)
            if _unwound(of, some.roles):
                stages += stages_of([tilted(of.names, some.roles)], numbers)
        general = general_stages(
            of.names,
            some.roles,
            numbers,
            times=of[some.fit].row_times if on_paths else None,
            given=any(of.roles or ()),
            iterates=not some.on_a_path,
        )
        if on_paths:
            general += one_shape_stages(of.names, some.roles, some.seen, numbers)
            general += mechanical_stages(of.names, some.roles, some.seen)
        stages += general
        if on_paths:
            stages = with_completed(stages, of.names, some.roles)
        stages += preparation.learned(some.moving, rng)
    stages = stages_among(stages, symbols_of(some.sound.names), parts)
    if parts.clock and auto:
        stages += timed(some.sound.names, parts, numbers)
    told = known.on_a_path or known.noise_known
    if not told or (some.sound.formed is not None and _hides_motion(known, some.moving)):
        return []  # whatever is found, nothing tells it from noise
    return stages


def _unwound(runs: Trajectories, roles: Sequence[str | None]) -> bool:
    """Tell whether there are angles beside rates, and their values count the turns."""
    angles = [i for i, role in enumerate(roles) if role == "angle"]
    if not angles or not any(role in MOMENTA for role in roles):
        return False
    inside = np.diff(np.repeat(np.arange(runs.n_runs), runs.lengths)) == 0
    steps = np.diff(runs.rows[:, angles], axis=0)[inside]
    return bool(np.abs(steps).max(initial=0.0) < np.pi)


def _may_decay(
    some: _Seen, found: Sequence[Given], findings: Findings, conclusion: Conclusion
) -> bool:
    """Tell whether what decays is looked for: with a clock it is a law."""
    own = not some.own or some.parts.all_coordinates
    judged = conclusion.verdict != "undecided" or (
        some.few and some.split is not None and not findings.laws
    )
    return bool(
        judged and some.on_a_path and own and not (some.parts.clock or _of_wide(some, found))
    )


def _with_decaying(
    some: _Seen,
    found: Sequence[Given],
    findings: Findings,
    asked: Asked,
    rng: np.random.Generator,
) -> Findings:
    """Add energies that friction takes, and functions that decay."""
    among = Among(some.orbits, some.sound.names, some.parts.coordinates)
    runs = Moving(
        some.seen,
        some.of.row_times,
        some.of.names,
        tuple(some.roles),
        some.fit,
        some.held,
        None if some.parts.all_coordinates else among,
        some.windows,
    )
    return with_decaying(findings, found, runs, rng, asked.numbers)


def _reported(
    some: _Seen,
    findings: Findings,
    conclusion: Conclusion,
    preparation: Preparation,
    asked: Asked,
) -> DiscoveryReport:
    """Say what was found, with the symmetries behind it."""
    cloud = preparation.sampling == Sampling.CLOUD
    drifting = [
        law for law in findings.laws if law.verdict == Verdict.APPROXIMATE and not law.decay
    ]
    report = report_on(
        findings,
        conclusion,
        names=some.sound.names,
        noise=dict(zip(some.moving.names, some.known.mean_noise.tolist(), strict=True)),
        title="",
        drift_rates={
            law.expression: 0.0 if cloud else drift_rate(law, some.orbits, some.sound.row_times)
            for law in drifting
        },
    )
    if not some.few:  # for which nothing is learned
        states = some.split.fit.smoothed.states, some.split.held.smoothed.states
        report = replace(report, quantities=[described(q, *states) for q in report.quantities])
    if some.of.dim > LIBRARIES.wide:
        searched = [*report.searched, f"no manifold is trained for {some.of.dim} columns"]
        report = replace(report, searched=searched)
    return with_symmetries(
        report, some.moving, some.orbits, asked.numbers, some.parts, by_kind=asked.in_box
    )


def _with_energy(
    findings: Findings,
    motion: MeasuredMotion,
    split: Split,
    rng: np.random.Generator,
    asked: Asked,
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


def _in_better_forms(
    findings: Findings,
    motion: MeasuredMotion,
    split: Split,
    rng: np.random.Generator,
    asked: Asked,
) -> Findings:
    """Return laws with sums of them instead: linear in the momenta, energies, those of modes."""
    if len(motion.names) > LIBRARIES.wide:
        return findings
    exact = [
        law for law in findings.laws if law.verdict == Verdict.EXACT and not law.library.learned
    ]
    forms = [Candidate(law.library, law.coefficients) for law in exact]
    how = {"numbers": asked.numbers, "criteria": asked.criteria}
    new = {
        id(exact[k]): joined(exact, weights, split, rng, **how)
        for k, weights in parted(forms, motion).items()
    }
    modes = mode_energies(forms, motion)
    error = max((_widest(exact[k]) for k in modes), default=0.0)
    of_modes = {
        id(exact[k]): as_law(*mode.terms(motion, error, asked.numbers), split, rng, **how)
        for k, mode in modes.items()
    }
    new |= {} if None in of_modes.values() else of_modes
    return replace(findings, laws=[new.get(id(law)) or law for law in findings.laws])


def _widest(law: Law) -> float:
    """Return half the width of the widest interval of a law's coefficients, over the largest."""
    size = np.abs(law.coefficients).max()
    errors = np.zeros(1) if law.errors is None else law.errors
    return FORMULAS.interval * float(errors.max() / size) + FORMULAS.least_width


def _hides_motion(orbits: Orbits, runs: Trajectories) -> bool:
    """Tell whether velocities that were formed hold more noise than motion, all of them.

    Or whether what is left beside them is noise: of a coordinate it is larger than its spread.
    """
    formed = [i for i, role in enumerate(runs.roles or ()) if role in MOMENTA]
    noise = orbits.mean_noise / orbits.scale
    return bool(np.all(noise[formed] > LAWS.formed_noise) or np.any(noise > LAWS.beside_formed))


def _pooled(values: np.ndarray, roles: Sequence[str | None], columns: Sequence[int]) -> np.ndarray:
    """Return the root mean square of values (d,) over the columns of each one's role, (d,)."""
    out = np.zeros(len(values))
    for role in {roles[i] for i in columns}:
        alike = [i for i in columns if roles[i] == role]
        out[alike] = np.sqrt(np.mean(values[alike] ** 2))
    return out


def _about_natural_origin(
    orbits: Orbits, runs: Trajectories, frame: Frame, columns: Sequence[int], free: bool
) -> tuple[Orbits, Frame]:
    """Return orbits and their frame about the origin that the motion shows.

    The frame is of more columns than the runs, whose coordinates are in `columns`. Of coordinates
    near the user's origin, places and velocities alone may have another one, and only if `free`.
    """
    part = frame.of_columns(columns)
    states = orbits.smoothed.states
    # One run has halves of its own.
    blocks = orbits if orbits.n_runs > 1 else orbits.in_windows(2)
    if not (part.far or free) or blocks.n_runs < 2:
        return orbits, frame
    speeds = rates(runs, states)
    seen = infer_roles(runs.names, runs.roles, states, speeds)
    # Roles that rates alone suggest move no origin: an amount stays one.
    told = infer_roles(runs.names, runs.roles, states)
    near = part.near(states, runs.names, told) if free else []
    half = np.repeat(np.arange(blocks.n_runs) % 2 == 0, np.diff(blocks.offsets))
    halves = [half | True, half, ~half]
    better, known = part, _ORIGIN_KNOWN * orbits.scale
    for groups, found_by in ((part.far, natural_origin), (near, origin_aside)):
        if groups:
            shift, one, other = (
                found_by(states[rows], speeds[rows], seen, groups) for rows in halves
            )
            moved = [i for group in groups for i in group if shift[i] or part.centre[i]]
            # As few digits as the two halves of the runs agree on; one column may by chance.
            apart = _pooled((one - other) / orbits.scale, seen, moved) * orbits.scale
            better = better.moved(shift, np.maximum(apart, known), moved)
    return orbits.moved((better.origin - part.origin) / part.unit), frame.among(better, columns)
