"""Routes from laws to motion: an energy, or as many laws as leave one direction to go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import sympy

from discovery.criteria import MOTION
from discovery.data.coordinates import infer_roles
from discovery.data.parameters import Parts, parted
from discovery.data.trajectories import Trajectories
from discovery.dynamics.accelerations import accelerations
from discovery.dynamics.bonds import Bound, slopes_of
from discovery.dynamics.canonical import Space, canonical
from discovery.dynamics.equations import Equations, Law, real_symbol
from discovery.dynamics.motion import Motion
from discovery.dynamics.nambu import nambu
from discovery.dynamics.shooting import Fit, followed, shoot
from discovery.dynamics.weak import Weak
from discovery.dynamics.windows import Measured, Windows
from discovery.estimation.iterates.sampling import Sampling, seen_sampling
from discovery.estimation.model_rows import rates
from discovery.noether.phase_space import canonical_pairs


def motion_of(
    laws: Sequence[Law],
    constraints: Sequence[Law],
    runs: Trajectories,
    noise: Mapping[str, float],
) -> Motion:
    """Return the motion that laws imply, where it is that of the runs.

    Parameters
    ----------
    laws : sequence of Law
        That hold exactly, or that friction takes.
    constraints : sequence of Law
        What all runs obey alike.
    runs : Trajectories
    noise : mapping from name to float
        Standard deviation of each coordinate's noise.

    Raises
    ------
    ValueError
        Where there is no law, the laws do not tell the motion, or it is not that of held-out runs.
    """
    if not laws and not constraints:
        raise ValueError(
            "the report has no law, exact or decaying, and without one nothing tells the motion. "
            "Expected an energy, or one law fewer than coordinates."
        )
    levels = np.array([noise.get(name, 0.0) for name in runs.names])
    measured = Measured.of(runs, levels, runs.rows.std(axis=0))
    windows, parts = measured.windows(), parted(runs)
    if len(windows) < 2:
        raise ValueError("the runs are too short to judge a motion. Expected 3 samples or more.")
    held = windows.held_out
    tried = []
    for route, equations, remark in _equations(laws, constraints, measured, parts):
        if equations is None:
            tried.append(remark)
            continue
        short, fit = followed(equations, windows[held])
        if fit.per_freedom > MOTION.misfit:
            # What is rounded, or comes from integrals along a noisy path, is fitted before it is
            # refused.
            equations, short, fit = _fitted(equations, windows, held)
        if fit.per_freedom <= MOTION.misfit:
            said = dict(zip(runs.names, measured.noise.tolist(), strict=True))
            return Motion(
                fit.per_freedom, (remark,) if remark else (), route, said, equations, runs
            )
        said = (
            f"{route}: χ² per degree of freedom is {fit.per_freedom:.3g} on held-out runs, above "
            f"{MOTION.misfit:g}"
        )
        if short.per_freedom <= MOTION.misfit:
            length = windows.times.shape[1]
            said += (
                f", along windows of {2 * length} samples, and {short.per_freedom:.3g} along "
                f"{length}: the laws are near to those of the runs, and not the same"
            )
        tried.append(said)
    if seen_sampling(runs.of_columns(parts.coordinates)) == Sampling.MAP:
        tried.insert(
            0, "the samples are no path in time, as iterates of a map are: those have no rates"
        )
    raise ValueError("the laws do not tell the motion. " + "; ".join(tried) + ".")


def _fitted(equations: Equations, windows: Windows, held: np.ndarray) -> tuple[Equations, Fit, Fit]:
    fitted = equations.with_values(shoot(equations, windows[~held]).values)
    return fitted, *followed(fitted, windows[held])


def _equations(
    laws: Sequence[Law], constraints: Sequence[Law], measured: Measured, parts: Parts
) -> Iterator[tuple[str, Equations | None, str]]:
    """Yield route, equations and what is not unique; without equations, why there are none."""
    runs, weak = measured.runs, Weak.of(measured)
    if not weak.edges:
        raise ValueError("the runs are too short. Expected 7 samples or more in a run.")
    symbols = tuple(map(real_symbol, runs.names))
    space, why = _space(measured, parts, symbols)
    if space is None:
        yield "canonical", None, why
    else:
        # What all runs obey alike moves them as well: rays in a lens have one energy.
        found = canonical(laws, space, weak) or (
            canonical(laws, space, weak, constraints) if constraints else None
        )
        if found is None:
            yield "canonical", None, "no sum of the laws is an energy whose flow is the motion"
        else:
            yield "canonical", *found
        lasting = [law for law in laws if not law.losses]
        for equations in accelerations(lasting, space, weak):
            yield "accelerations", equations, ""
        if space.with_velocities and constraints:
            yield from _with_bonds(laws, constraints, space, weak, measured.noise)
    lasting = [*[law for law in laws if not law.losses], *constraints]
    wanted = len(parts.coordinates) - 1
    if len(lasting) != wanted or parts.clock:
        yield (
            "Nambu",
            None,
            f"{len(lasting)} laws of {wanted + 1} coordinates leave more than one direction to go "
            f"(expected {wanted})",
        )
        return
    equations = nambu(lasting, symbols, parts.coordinates, weak)
    why = "no speed along the laws' common curves is a polynomial of few terms"
    yield "Nambu", equations, "" if equations else why


def _with_bonds(
    laws: Sequence[Law],
    constraints: Sequence[Law],
    space: Space,
    weak: Weak,
    noise: np.ndarray,
) -> Iterator[tuple[str, Equations | None, str]]:
    """Yield the motion on the surface that all runs share: nothing tells forces that leave it."""
    bonds, names = slopes_of(constraints, space.symbols, space.q, space.w, weak.path)
    found = canonical(laws, space._replace(bonds=bonds), weak) if names else None
    if found is not None:
        equations, remark = found
        kept = " and ".join(f"{name} is constant" for name in names)
        said = f"the motion off the surface of all runs, on which {kept}"
        surface = Bound.of(constraints, space.symbols, space.pairs, weak.path, noise)
        equations = replace(equations, onto=surface.onto)
        yield "canonical", equations, "; ".join(filter(None, (remark, said)))


def _space(
    measured: Measured, parts: Parts, symbols: tuple[sympy.Symbol, ...]
) -> tuple[Space | None, str]:
    """Return the pairs of coordinates; else None, and why there are none."""
    columns = list(parts.coordinates)
    moving = measured.runs.of_columns(columns)
    path = measured.path[:, columns]
    roles = infer_roles(moving.names, moving.roles, path, rates(moving, path))
    try:
        pairs = canonical_pairs(moving.names, roles)
    except ValueError as error:
        return None, str(error).rstrip(".")
    kinds = {roles[j] for _, j in pairs}
    pairs = [(columns[i], columns[j]) for i, j in pairs]
    return Space(symbols, pairs, "momentum" not in kinds, parts.clock), ""
