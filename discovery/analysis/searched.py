"""What is searched: the libraries, the stages, and what decays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from discovery.analysis.asked import Asked
from discovery.analysis.seen import Seen, hides_motion
from discovery.criteria import LIBRARIES
from discovery.data.coordinates import MOMENTA
from discovery.data.trajectories import Trajectories
from discovery.laws.completed import with_completed
from discovery.laws.decaying.moving import Among, Moving
from discovery.laws.decaying.search import with_decaying
from discovery.laws.decaying.timed import timed
from discovery.laws.even_growth import even_growth_stages
from discovery.laws.free.beside_parameters import parameter_stages
from discovery.laws.free.centres import centre_stages
from discovery.laws.free.mechanical import mechanical_stages
from discovery.laws.free.one_shape import one_shape_stages
from discovery.laws.free.quadratic import quadratic_stages
from discovery.laws.free.stages import free_stages
from discovery.laws.free.sums import sum_stages
from discovery.laws.free.unchanged import unchanged_stages
from discovery.laws.general import general_stages
from discovery.laws.judging.conclusion import Conclusion
from discovery.laws.judging.law import Findings
from discovery.laws.rivals import also_of
from discovery.laws.search import analyse
from discovery.laws.stage import Stage
from discovery.laws.stages import stages_among, stages_of
from discovery.libraries.choice import resolve
from discovery.libraries.escalation import Given, linear
from discovery.libraries.families import tilted
from discovery.libraries.many_bodies.bodies import Bodies
from discovery.libraries.monomials import symbols_of
from discovery.preparations import Preparation


def searched(
    some: Seen,
    found: Sequence[Given],
    preparation: Preparation,
    asked: Asked,
    rng: np.random.Generator,
) -> Findings:
    """Return what the search finds; of few runs what is constant along them.

    Parameters
    ----------
    some : Seen
    found : sequence of Given
        The libraries.
    preparation : Preparation
    asked : Asked
    rng : numpy.random.Generator
    """
    stages = _stages(some, found, preparation, asked, rng)
    findings = Findings()
    if some.split is not None:
        limits = {"numbers": asked.numbers, "criteria": asked.criteria}
        others = None
        if asked.library == "auto" and not some.few:
            others = also_of(stages)
        findings = analyse(stages, some.split, rng, rivals=others, **limits)
    if some.few:
        findings = findings.along_runs(some.sound.n_runs, len(some.parts.coordinates))
    return findings


def libraries(some: Seen, asked: Asked) -> list[Given]:
    """Return the libraries that are asked for, from simple to rich.

    Parameters
    ----------
    some : Seen
    asked : Asked
    """
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


def _of_wide(some: Seen, found: Sequence[Given]) -> bool:
    """Tell whether sums over bodies alone are tried, of so many columns.

    Parameters
    ----------
    some : Seen
    found : sequence of Given
        The libraries.
    """
    return some.of.dim > LIBRARIES.wide and any(isinstance(given, Bodies) for given in found)


def _stages(
    some: Seen,
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
        if some.on_a_path:
            # Each library is one times every parameter, too: formulas judged in vain end a search.
            own = parameter_stages(some.sound.names, some.roles, some.orbits, parts, numbers)
            stages[1:1] = own
        if on_paths:
            growth = even_growth_stages(of.names, some.roles, of[some.fit].row_times)
            stages += growth
            zeros = some.frame.of_columns(parts.coordinates).zeros
            stages += free_stages(of.names, some.roles, some.seen, numbers, zeros)
            stages += unchanged_stages(of.names, some.roles, some.seen, numbers)
            stages += centre_stages(of.names, some.roles, numbers)
            stages += quadratic_stages(of.names, some.roles)
            if _unwound(of, some.roles):
                stages += stages_of([tilted(of.names, some.roles)], numbers)
            stages += sum_stages(of.names, some.roles, some.seen, numbers)
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
            stages = with_completed(stages, of.names, some.roles) + growth
        stages += preparation.learned(some.moving, rng)
    stages = stages_among(stages, symbols_of(some.sound.names), parts)
    if parts.clock and auto:
        stages += timed(some.sound.names, parts, numbers)
    told = known.on_a_path or known.noise_known
    if not told or (some.sound.formed is not None and hides_motion(known, some.moving)):
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


def may_decay(
    some: Seen,
    found: Sequence[Given],
    findings: Findings,
    conclusion: Conclusion,
    asked: Asked,
) -> bool:
    """Tell whether what decays is looked for: with a clock it is a law.

    Parameters
    ----------
    some : Seen
    found : sequence of Given
        The libraries.
    findings : Findings
    conclusion : Conclusion
    asked : Asked
    """
    own = not some.own or some.parts.all_coordinates
    judged = conclusion.verdict != "undecided" or (
        some.few and some.split is not None and not findings.laws
    )
    # Of runs that were changed it is asked only whether anything is conserved.
    judged = judged and not (asked.others and not findings.laws)
    return bool(
        judged and some.on_a_path and own and not (some.parts.clock or _of_wide(some, found))
    )


def decaying(
    some: Seen,
    found: Sequence[Given],
    findings: Findings,
    asked: Asked,
    rng: np.random.Generator,
) -> Findings:
    """Add energies that friction takes, and functions that decay.

    Parameters
    ----------
    some : Seen
    found : sequence of Given
        The libraries.
    findings : Findings
    asked : Asked
    rng : numpy.random.Generator
    """
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
