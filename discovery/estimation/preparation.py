"""Preparation: from runs to orbits, with the noise and the path that the analysis needs."""

from __future__ import annotations

import numpy as np

from discovery.data.trajectories import Trajectories
from discovery.estimation.gross_errors import sound_rows
from discovery.estimation.kalman_smoother import claimed_risk, risk, smooth_through
from discovery.estimation.local_polynomials import smooth
from discovery.estimation.model_rows import continuous_rows, is_regular, model_inputs, row_intervals
from discovery.estimation.noise_level import noise_scale
from discovery.estimation.orbits import Orbits
from discovery.estimation.path import Path, raw_path

# An angle's spread, however often it turns.
_RADIAN = 1.0


def without_gross_errors(runs: Trajectories) -> Trajectories:
    """Leave out samples that no smooth path could pass through; see `discovery.outliers`.

    An angle that is wrong by a turn is right, and unwrapping needs angles that are right: their
    cosines and sines are looked at first. Angles themselves are smoother, and looked at then.
    """
    angles = [i for i, role in enumerate(runs.roles or ()) if role == "angle"]
    turns = runs.rows[:, angles]
    seen = np.hstack([np.delete(runs.rows, angles, axis=1), np.cos(turns), np.sin(turns)])
    kept = _sound(runs, seen, seen.std(axis=0))
    if not angles:
        return kept
    wrong = 1 - len(kept.rows) / len(runs.rows)
    return _sound(kept, continuous_rows(kept)[:, angles], np.full(len(angles), _RADIAN), wrong)


def _sound(
    runs: Trajectories, rows: np.ndarray, spread: np.ndarray, wrong: float = 0.0
) -> Trajectories:
    """Return runs without the samples that stand out in `rows`, of which `wrong` did before."""
    noise = noise_scale(rows, runs.row_times, runs.offsets)
    keep = sound_rows(rows, runs.row_times, runs.offsets, noise, spread, wrong)
    if keep.all():
        return runs
    kept = Trajectories.from_rows(
        runs.rows[keep], runs.groups[keep], runs.row_times[keep], names=runs.names, roles=runs.roles
    )
    kept.name = runs.name
    return kept


def prepare(runs: Trajectories, noise: np.ndarray | None = None) -> Orbits:
    """Make orbits without a model: noise from the runs' smoothness, paths by local polynomials.

    Parameters
    ----------
    runs : Trajectories
    noise : (d,) array, optional
        Standard deviation of each coordinate's noise where it is known.
    """
    rows = continuous_rows(runs)
    if noise is None:
        noise = noise_scale(rows, runs.row_times, runs.offsets)
    path = smooth(rows, runs.row_times, runs.offsets, noise)
    return Orbits(raw_path(rows, noise), path, runs.offsets, rows.std(axis=0))


def prepare_with(runs: Trajectories, manifold: object, noise: np.ndarray | None = None) -> Orbits:
    """Make orbits in a trained manifold's metric, smoothed through its flow where that helps.

    The metric's inverse is the noise in each place. A model that misfits takes its misfit for
    noise, and differences take fast motion for noise: both are upper bounds, and the smaller
    holds, coordinate by coordinate.

    Parameters
    ----------
    runs : Trajectories
    manifold : Manifold
        What `keras_ndm.manifold_of` returns: ``noise_covariance(x)`` and, where the model
        predicts the next state, ``step(x, dt)``.
    noise : (d,) array, optional
        Known standard deviations; they replace the estimate from differences.
    """
    rows = continuous_rows(runs)
    scale = noise_scale(rows, runs.row_times, runs.offsets) if noise is None else noise
    plain = Orbits(
        raw_path(rows, scale),
        smooth(rows, runs.row_times, runs.offsets, scale),
        runs.offsets,
        rows.std(axis=0),
    )
    inputs = model_inputs(runs, plain.smoothed.states)
    covariance = manifold.noise_covariance(inputs)
    typical = np.sqrt(np.median(np.einsum("nii->ni", covariance), axis=0))
    shrink = scale / typical if noise is not None else np.minimum(scale / typical, 1.0)
    # What is left out was misfit, and so are that share of the correlations.
    noise_share = np.minimum(shrink, 1.0)
    kept = np.outer(noise_share, noise_share)
    np.fill_diagonal(kept, 1.0)
    measured = Path(rows, covariance * np.outer(shrink, shrink) * kept)
    share = plain.smoothed.covariance[:, 0, 0] / scale[0] ** 2
    paths = [Path(plain.smoothed.states, measured.covariance * share[:, None, None])]
    # A model without steps of time knows the flow over the regular one alone.
    if manifold.step is not None and (manifold.timed or is_regular(runs)):
        winding = plain.smoothed.states - inputs

        def step(states: np.ndarray, intervals: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
            ahead, jacobian = manifold.step(states - winding, intervals)
            return ahead + winding, jacobian

        intervals = row_intervals(runs) if manifold.timed else None
        paths.append(smooth_through(step, measured, paths[0], intervals, runs.offsets))
    risks = [risk(path, measured) for path in paths]
    best = int(np.argmin(risks))
    path = _calibrated(paths[best], measured, risks[best])
    return Orbits(measured, path, runs.offsets, plain.scale)


def _calibrated(path: Path, measured: Path, found: float) -> Path:
    """Widen the posterior where the residuals say that it is too sure of itself."""
    claimed = claimed_risk(path, measured)
    return Path(path.states, path.covariance * max(1.0, found / max(claimed, 1e-12)))
