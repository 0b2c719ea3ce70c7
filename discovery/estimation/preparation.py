"""Preparation: from runs to orbits, with the noise and the path that the analysis needs.

Two ways with one signature, ``(runs, …, noise) -> Orbits``: `prepare` by the runs' own smoothness,
`prepare_with` in the metric and through the flow of a trained manifold.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from discovery.criteria import NOISE
from discovery.data.noise_level import noise_scale, rounding_noise
from discovery.data.trajectories import Trajectories
from discovery.estimation.gross_errors import least_noise, may_be_gross, sound_rows
from discovery.estimation.iterates.one_step import one_step
from discovery.estimation.iterates.sampling import Sampling, seen_sampling
from discovery.estimation.kalman_smoother import smooth_through
from discovery.estimation.local_polynomials import smooth
from discovery.estimation.manifold import Manifold
from discovery.estimation.model_rows import continuous_rows, is_regular, model_inputs, row_intervals
from discovery.estimation.noise.by_run import noise_by_run
from discovery.estimation.noise.sizes import noise_by_value
from discovery.estimation.orbits import Orbits
from discovery.estimation.path import Path, estimated_error, raw_path, stated_error

# The size of an angle, of which a gross error is a share, however often it turns.
_RADIAN = 1.0


@dataclass(frozen=True)
class Levels:
    """Noise and size of columns, by which gross errors are told in other runs of the same source.

    Attributes
    ----------
    noise, spread : (k,) arrays
        Of coordinates, and of cosines and sines of angles.
    turning : (a,) array
        Noise of angles.
    """

    noise: np.ndarray
    spread: np.ndarray
    turning: np.ndarray

    @classmethod
    def of(cls, sound: Trajectories) -> Levels:
        """Return those of runs without gross errors."""
        angles, seen = _angles_apart(sound)
        turning = continuous_rows(sound)[:, angles]
        noise = (_noise(sound, rows) if rows.shape[1] else np.empty(0) for rows in (seen, turning))
        first, second = noise
        return cls(first, seen.std(axis=0), second)


def without_gross_errors(runs: Trajectories, levels: Levels | None = None) -> Trajectories:
    """Leave out samples that no smooth path could pass through; see `estimation.gross_errors`.

    An angle that is wrong by a whole turn is right, and unwrapping needs angles that are right. So
    cosines and sines of angles are looked at first, and then the unwrapped angles, which are
    smoother.

    Parameters
    ----------
    runs : Trajectories
    levels : Levels, optional
        What is known of other runs: samples that do not stand out by it are passed over.
    """
    angles, seen = _angles_apart(runs)
    if levels is None:
        kept = _sound(runs, seen, seen.std(axis=0))
    else:
        kept = _sound(runs, seen, levels.spread, levels.noise)
    if not angles:
        return kept
    turning = None if levels is None else levels.turning
    return _sound(kept, continuous_rows(kept)[:, angles], np.full(len(angles), _RADIAN), turning)


def _angles_apart(runs: Trajectories) -> tuple[list[int], np.ndarray]:
    """Return the columns of angles, and all others beside cosines and sines of these."""
    angles = [i for i, role in enumerate(runs.roles or ()) if role == "angle"]
    turns = runs.rows[:, angles]
    return angles, np.hstack([np.delete(runs.rows, angles, axis=1), np.cos(turns), np.sin(turns)])


def _noise(runs: Trajectories, rows: np.ndarray) -> np.ndarray:
    return np.maximum(noise_scale(rows, runs.row_times, runs.offsets), rounding_noise(rows))


def _sound(
    runs: Trajectories, rows: np.ndarray, spread: np.ndarray, known: np.ndarray | None = None
) -> Trajectories:
    """Return runs without the samples that stand out in `rows`."""
    noise = _noise(runs, rows) if known is None else known
    some = may_be_gross(rows, runs.offsets, least_noise(noise, spread))
    keep = sound_rows(rows, runs.row_times, runs.offsets, noise, spread, some)
    if keep.all():
        return runs
    kept = Trajectories.from_rows(
        runs.rows[keep], runs.groups[keep], runs.row_times[keep], names=runs.names, roles=runs.roles
    )
    kept.name, kept.run_ids = runs.name, runs.run_ids[kept.run_ids]
    return kept


def prepare(
    runs: Trajectories, noise: np.ndarray | None = None, sampling: Sampling = Sampling.AUTO
) -> Orbits:
    """Make orbits without a model: noise from the runs' smoothness, paths by local polynomials.

    Samples that do not follow each other on a path stay as they were measured; their noise is what
    one step of a map leaves. Where there is no map either, what differences say of the noise is an
    upper bound.

    Parameters
    ----------
    runs : Trajectories
    noise : (d,) array, optional
        Standard deviation of each coordinate's noise where it is known.
    sampling : Sampling
        How samples follow each other.
    """
    if runs.formed is not None:
        return _as_formed(runs)
    if sampling == Sampling.AUTO:
        sampling = seen_sampling(runs)
    on_a_path, known = sampling == Sampling.FLOW, noise is not None
    rows = continuous_rows(runs) if on_a_path else runs.rows
    if noise is None and sampling == Sampling.MAP:
        step = one_step(runs)
        if step is not None and step.is_map:
            noise, known = step.noise, True
    if noise is None:
        noise = noise_scale(rows, runs.row_times, runs.offsets)
        noise = np.maximum(noise, rounding_noise(runs.rows))
    measured = raw_path(rows, noise)
    if not on_a_path:
        return Orbits(measured, measured, runs.offsets, rows.std(axis=0), on_a_path, known)
    path = smooth(rows, runs.row_times, runs.offsets, noise)
    if not known:
        told = _of_each_value(runs, rows, path, noise)
        if np.any(told != noise):
            measured = Path(rows, told**2)
            path = smooth(rows, runs.row_times, runs.offsets, told)
    return Orbits(measured, path, runs.offsets, rows.std(axis=0), on_a_path, known)


def _of_each_value(
    runs: Trajectories, rows: np.ndarray, path: Path, noise: np.ndarray
) -> np.ndarray:
    """Return the noise of each value, (n, d): by its size, and by its run."""
    told = noise_by_value(rows, runs.row_times, runs.offsets, path.states, noise)
    seen = np.flatnonzero(noise > 1.001 * NOISE.resolution * rows.std(axis=0))
    columns = (rows[:, [j]] for j in seen), (told[:, [j]] for j in seen)
    by_run = [
        noise_by_run(one, runs.row_times, runs.offsets, level, len(seen))
        for one, level in zip(*columns, strict=True)
    ]
    if len(seen) and not any(found is None for found in by_run):
        told[:, seen] *= np.repeat(np.reshape(by_run, (len(seen), -1)), runs.lengths, axis=1).T
    return told


def _as_formed(runs: Trajectories) -> Orbits:
    """Make orbits of states whose velocities were formed, with the covariance of their errors."""
    formed = runs.formed
    measured = Path(runs.rows, formed.covariance)
    path = Path(formed.path, formed.path_covariance)
    return Orbits(measured, path, runs.offsets, runs.rows.std(axis=0), noise_known=True)


def prepare_with(
    runs: Trajectories,
    manifold: Manifold,
    noise: np.ndarray | None = None,
    sampling: Sampling = Sampling.AUTO,
) -> Orbits:
    """Make orbits with a trained manifold: noise from its metric, paths through its flow.

    Paths are those of local polynomials where these have the smaller estimated error. The posterior
    covariance is widened where the residuals show more error than it states.

    Parameters
    ----------
    runs : Trajectories
    manifold : Manifold
        What `keras_ndm.manifold_of` returns.
    noise : (d,) array, optional
        Standard deviation of each coordinate's noise where it is known: the typical size of the
        noise, which the metric then only distributes over the places.
    sampling : Sampling
        How samples follow each other.
    """
    plain = prepare(runs, noise, sampling)
    inputs = model_inputs(runs, plain.smoothed.states)
    covariance = manifold.noise_covariance(inputs)
    measured = Path(
        plain.measured.states, _of_noise_alone(covariance, plain.noise, noise is not None)
    )
    share = plain.smoothed.variances[:, 0] / plain.noise[0] ** 2
    paths = [Path(plain.smoothed.states, measured.covariance * share[:, None, None])]
    if not plain.on_a_path:
        return replace(plain, measured=measured, smoothed=paths[0])
    # A model without steps of time knows the flow over the regular step alone.
    if manifold.step is not None and (manifold.timed or is_regular(runs)):
        winding = plain.smoothed.states - inputs

        def step(states: np.ndarray, intervals: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
            ahead, jacobian = manifold.step(states - winding, intervals)
            return ahead + winding, jacobian

        intervals = row_intervals(runs) if manifold.timed else None
        paths.append(smooth_through(step, measured, paths[0], intervals, runs.offsets))
    errors = [estimated_error(path, measured) for path in paths]
    best = int(np.argmin(errors))
    path = _calibrated(paths[best], measured, errors[best])
    return Orbits(measured, path, runs.offsets, plain.scale, noise_known=True)


def _of_noise_alone(covariance: np.ndarray, level: np.ndarray, known: bool) -> np.ndarray:
    """Take the misfit of a model out of its noise covariance (n, d, d).

    A model that misfits takes its misfit for noise, and differences take fast motion for noise:
    both are upper bounds of the typical size, and the smaller is right, coordinate by coordinate.
    A `level` (d,) that is `known` is right in any case. Correlations of a misfit tell nothing of
    those of the noise: they shrink by the share of the model's standard deviation that is noise.
    """
    typical = np.sqrt(np.median(np.einsum("nii->ni", covariance), axis=0))
    shrink = level / typical if known else np.minimum(level / typical, 1.0)
    noise_share = np.minimum(shrink, 1.0)
    correlated = np.outer(noise_share, noise_share)
    np.fill_diagonal(correlated, 1.0)
    return covariance * np.outer(shrink, shrink) * correlated


def _calibrated(path: Path, measured: Path, error: float) -> Path:
    """Widen the posterior where the estimated error exceeds the one that it states."""
    stated = stated_error(path, measured)
    return Path(path.states, path.covariance * max(1.0, error / max(stated, 1e-12)))
