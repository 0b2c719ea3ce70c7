"""Motion of tops, spins and bodies in fluids: ẋ = Π(x) ∇E with brackets linear in x.

    so(3), each triple x of columns:   x' = x × ∂E/∂x
    e(3), of two triples:              M' = M × ∂E/∂M + g × ∂E/∂g,   g' = g × ∂E/∂M

A function whose flow is the measured motion, at some unit of time, is the energy; one that moves
nothing, whatever the energy is, is a Casimir function.

Source: J. E. Marsden and T. S. Ratiu, Introduction to Mechanics and Symmetry (1999), ch. 10 and 14.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from discovery.criteria import SYMMETRIES
from discovery.noether.motion import Candidate, MeasuredMotion

Flow = Callable[[np.ndarray, np.ndarray], np.ndarray]


def lie_poisson_names(laws: Sequence[Candidate], motion: MeasuredMotion) -> list[str | None]:
    """Name energy and Casimir functions where coordinates are triples that turn.

    Parameters
    ----------
    laws : sequence of Candidate
    motion : MeasuredMotion
        Of columns that do not pair.

    Returns
    -------
    list of str or None
        None for other laws, and for all where no bracket gives the motion, or more than one does.
    """
    nothing: list[str | None] = [None] * len(laws)
    columns = [i for i, role in enumerate(motion.roles) if role != "parameter"]
    if len(columns) % 3 or not columns or not motion.windows:
        return nothing
    states = motion.states[:, columns]
    change = motion.change(states)
    slopes = [law.gradient(motion.states)[:, columns] for law in laws]
    if not all(np.isfinite(slope).all() for slope in slopes):
        return nothing
    found = []
    for bracket in _brackets(len(columns) // 3):
        flows = [bracket(states, slope) for slope in slopes]
        still = [_is_still(f, s, states) for f, s in zip(flows, slopes, strict=True)]
        moving = [k for k, rests in enumerate(still) if not rests and not laws[k].decays]
        movers = [k for k in moving if _is_motion(flows[k], change, motion, columns)]
        if len(movers) == 1:
            found.append((movers[0], still))
    if len(found) != 1:
        return nothing
    energy, still = found[0]
    names: list[str | None] = ["Casimir function" if rests else None for rests in still]
    names[energy] = "energy"
    return names


def _brackets(triples: int) -> list[Flow]:
    """Return the flows of functions, by their gradients (n, 3 triples), in each bracket."""
    out = [_of_triples]
    if triples == 2:
        out += [_of_e3, _of_e3_mirrored]
    return out


def _of_triples(x: np.ndarray, slope: np.ndarray) -> np.ndarray:
    shape = (len(x), -1, 3)
    return np.cross(x.reshape(shape), slope.reshape(shape)).reshape(x.shape)


def _of_e3(x: np.ndarray, slope: np.ndarray) -> np.ndarray:
    (m, g), (by_m, by_g) = np.hsplit(x, 2), np.hsplit(slope, 2)
    return np.hstack([np.cross(m, by_m) + np.cross(g, by_g), np.cross(g, by_m)])


def _of_e3_mirrored(x: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """Return the flow where the triple that is like a position comes first."""
    return np.roll(_of_e3(np.roll(x, 3, axis=1), np.roll(slope, 3, axis=1)), 3, axis=1)


def _is_still(flow: np.ndarray, slope: np.ndarray, x: np.ndarray) -> bool:
    """Tell whether a function moves nothing, but for rounding of its coefficients."""
    size = np.linalg.norm(slope, axis=1) * np.linalg.norm(x, axis=1)
    moved = np.sqrt(np.mean(np.sum(flow**2, axis=1)))
    return bool(moved <= SYMMETRIES.equal_coefficients * np.sqrt(np.mean(size**2)))


def _is_motion(
    flow: np.ndarray, change: np.ndarray, motion: MeasuredMotion, columns: Sequence[int]
) -> bool:
    """Tell whether a multiple of a flow is the measured motion."""
    size = motion.states[:, columns].std(axis=0)
    own, change = (motion.integral(flow) / size).ravel(), (change / size).ravel()
    square = own @ own
    if not square > 0:
        return False
    rest = change - (own @ change) / square * own
    noise = motion.noise[list(columns)] / size
    both_ends = 2 * np.sum(noise**2) * len(change) / len(size)
    most = SYMMETRIES.flow_noise * both_ends + SYMMETRIES.flow_rest * (change @ change)
    return bool(rest @ rest <= most)
