"""Momenta along a surface that places are tied to, as on a rod or a sphere.

What holds places on φ(q) = constant is a force λ∇φ of unknown strength. It does nothing along the
surface: with the projection P(q) onto what is orthogonal to all ∇φ,

    Δ(P p) = ∫ (Ṗ p + P F) dt

where Δp = ∫ (F + λ∇φ) dt.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from discovery.noether.motion import Candidate, MeasuredMotion

# A difference quotient's step, in spreads, and what is zero but for rounding.
_STEP, _ROUNDING = 1e-4, 1e-6


def tangent(
    motion: MeasuredMotion, q: np.ndarray, speeds: np.ndarray
) -> tuple[np.ndarray, np.ndarray] | None:
    """Return P and its rate at the states, (n, k, k) each; None where nothing ties the places.

    Parameters
    ----------
    motion : MeasuredMotion
    q : (k,) array of int
        Columns of the places.
    speeds : (n, k) array
        Their rates.
    """
    ties = [tie for tie in motion.tied if _is_of(tie, motion, q)]
    if not ties:
        return None
    step = _STEP / max(float((speeds.std(axis=0) / motion.states[:, q].std(axis=0)).max()), 1e-300)
    ahead, behind = motion.states.copy(), motion.states.copy()
    ahead[:, q] += step * speeds
    behind[:, q] -= step * speeds
    rate = (_projection(ties, ahead, q) - _projection(ties, behind, q)) / (2 * step)
    return _projection(ties, motion.states, q), rate


def _is_of(tie: Candidate, motion: MeasuredMotion, q: np.ndarray) -> bool:
    """Tell whether a function is of places alone."""
    slopes = tie.gradient(motion.states)
    if tie.library.learned or not np.isfinite(slopes).all():
        return False
    size = np.abs(slopes).mean(axis=0) * motion.states.std(axis=0)
    others = np.delete(size, q)
    return bool(size[q].any() and np.all(others <= _ROUNDING * size.max()))


def _projection(ties: Sequence[Candidate], states: np.ndarray, q: np.ndarray) -> np.ndarray:
    across = np.stack([tie.gradient(states)[:, q] for tie in ties], axis=2)
    return np.eye(len(q)) - across @ np.linalg.pinv(across, rcond=_ROUNDING)
