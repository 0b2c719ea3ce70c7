"""The energy among functions of laws: laws of one degree may hold it only together.

On a bowl, or wherever variables separate, two laws quadratic in the velocities are found, of which
neither moves the coordinates as they move, and one of their sums does. What is left of Lagrange's
or Hamilton's equations over windows (`discovery.noether.flow`) is linear in the function, so that
its weights follow from one eigenproblem.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from discovery.criteria import SYMMETRIES
from discovery.formulas.pencil import solve
from discovery.noether.flow import flow_of, left_over, most_left
from discovery.noether.motion import Candidate, MeasuredMotion


@dataclass(frozen=True)
class _Sum:
    """Σ b_k h_k, as far as flows ask for it."""

    laws: Sequence[Candidate]
    weights: np.ndarray
    decays: bool = False

    def gradient(self, states: np.ndarray) -> np.ndarray:
        """Return the gradients (n, D) at states (n, D)."""
        return sum(b * law.gradient(states) for b, law in zip(self.weights, self.laws, strict=True))


def energy_among(laws: Sequence[Candidate], motion: MeasuredMotion) -> np.ndarray | None:
    """Return the weights of laws whose sum is the energy, where they are told apart.

    Parameters
    ----------
    laws : sequence of k Candidate
    motion : MeasuredMotion
        Of the same coordinates, with velocities.

    Returns
    -------
    (k,) array or None
        None for fewer than two laws, where no sum moves the coordinates as they were measured to
        move, and where more than one does: energies of motions that do not touch.
    """
    w = np.array(motion.momenta)
    if not motion.windows or not motion.pairs or "momentum" in {motion.roles[i] for i in w}:
        return None
    kinetic = [k for k, law in enumerate(laws) if not _is_linear(law, motion.points(), w)]
    parts = [left_over(laws[k], motion) for k in kinetic]
    if len(parts) < 2 or any(part is None or not np.isfinite(part).all() for part in parts):
        return None
    moved, rest = np.moveaxis(np.array(parts), 0, -1)
    size = np.sqrt(np.mean(moved**2, axis=(0, 2), keepdims=True))
    if not size.all():
        return None  # none of them holds that coordinate
    moved, rest = (part.reshape(-1, len(kinetic)) for part in (moved / size, rest / size))
    found = solve(rest.T @ rest, moved.T @ moved).vectors
    moves = [np.sum((rest @ b) ** 2) <= most_left(motion, moved @ b) for b in found.T[:2]]
    if moves != [True, False]:
        return None
    share = np.abs(found[:, 0]) * np.linalg.norm(moved, axis=0)
    weights = np.zeros(len(laws))
    weights[kinetic] = np.where(share > SYMMETRIES.no_part * share.max(), found[:, 0], 0.0)
    flow = flow_of(_Sum(laws, weights), motion)
    return weights if flow is not None and len(flow.pairs) == len(motion.pairs) else None


def _is_linear(law: Candidate, points: np.ndarray, w: np.ndarray) -> bool:
    """Tell whether a function is of first degree in the columns `w`."""
    faster = points.copy()
    faster[:, w] *= 2
    return bool(np.allclose(law.gradient(points)[:, w], law.gradient(faster)[:, w]))
