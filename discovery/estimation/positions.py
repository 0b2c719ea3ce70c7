"""Positions only: whether runs lack their velocities, and the runs with velocities formed.

That velocities are missing is told by roles (positions alone), by columns that are differences of
others (`data.differences`), or by the motion itself: where states are complete, states that are
near each other move alike, and where velocities are missing, they need not. Where chance drives
positions, velocities complete nothing (`driven`).

Source: false nearest neighbours, Kennel, Brown and Abarbanel (Phys. Rev. A 45, 1992).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import stats
from scipy.spatial import KDTree

from discovery.criteria import DATA, FORMULAS, NOISE
from discovery.data.coordinates import MOMENTA, POSITIONS, infer_roles, role_of_name
from discovery.data.differences import differenced
from discovery.data.local_fits import FEWEST
from discovery.data.noise_level import noise_scale
from discovery.data.parameters import parted
from discovery.data.trajectories import Trajectories
from discovery.estimation.iterates.sampling import Sampling, seen_sampling
from discovery.estimation.local_polynomials import smooth
from discovery.estimation.model_rows import continuous_rows, rates
from discovery.estimation.preparation import without_gross_errors
from discovery.estimation.smoothness import have_a_path

# States whose neighbours are looked at.
_STATES = 1000
# Neighbours of a state's own run are its own past and future.
_NEAREST = 100
# Nearest states that foretell an acceleration, and quantiles to which extremes are drawn in.
_ALIKE, _CENTRAL = 5, (0.05, 0.95)


@dataclass(frozen=True)
class Missing:
    """What velocities are missing.

    Attributes
    ----------
    kept : tuple of int
        The columns that are measured.
    computed : tuple of int
        Those that are differences of others.
    """

    kept: tuple[int, ...]
    computed: tuple[int, ...] = ()


def missing_velocities(runs: Trajectories) -> Missing | None:
    """Return what velocities are missing in runs; None where none are.

    Parameters
    ----------
    runs : Trajectories
        Of coordinates and parameters.
    """
    coordinates = parted(runs).coordinates
    moving = runs.of_columns(coordinates)
    long = int(np.sum(runs.lengths >= FEWEST)) >= min(DATA.fewest_runs, runs.n_runs)
    if runs.formed is not None or not long or not have_a_path(moving):
        return None
    roles = moving.roles or ()
    if not roles or any(role in MOMENTA for role in roles):
        computed = tuple(coordinates[v] for v in _computed(moving))
        if computed and seen_sampling(moving) != Sampling.MAP:
            return Missing(tuple(i for i in range(runs.dim) if i not in computed), computed)
    told = all(role in POSITIONS for role in roles) if roles else None
    if not _futures_alike(runs, moving) if told else told is None and _futures_differ(runs, moving):
        return Missing(tuple(range(runs.dim)))
    return None


def driven(runs: Trajectories) -> bool:
    """Tell whether accelerations are no function of positions and velocities: chance drives them.

    Those of half of the runs are foretold by the nearest states of the other half. What walks at
    random is not made complete by velocities.

    Parameters
    ----------
    runs : Trajectories
        Of coordinates and parameters.
    """
    from sklearn.neighbors import KNeighborsRegressor

    moving = runs.of_columns(parted(runs).coordinates)
    path, speeds = _motion(moving)
    pushes = _without_extremes(rates(moving, speeds))
    states = stats.zscore(_without_extremes(np.hstack([_on_circles(path, moving), speeds])), axis=0)
    first = np.searchsorted(runs.offsets, np.arange(len(states)), side="right") % 2 == 0
    if first.all() or not first.any():
        return False
    rest = np.empty_like(pushes)
    for own in (first, ~first):
        known = KNeighborsRegressor(min(_ALIKE, int(own.sum()))).fit(states[own], pushes[own])
        rest[~own] = pushes[~own] - known.predict(states[~own])
    spread = np.maximum(pushes.var(axis=0), 1e-300)
    return bool(np.mean(rest.var(axis=0) / spread) > 1 - NOISE.foreseen)


def along_lines(runs: Trajectories) -> bool:
    """Tell whether runs that come near each other go the same way there, or back, however fast.

    What a hand moves, a gas or an image on a bench, keeps what it keeps at any speed: its columns
    may be all of its state, though near states move differently.

    Parameters
    ----------
    runs : Trajectories
        Of coordinates and parameters.
    """
    pairs = _near_pairs(runs, runs.of_columns(parted(runs).coordinates))
    close = pairs.distance <= NOISE.near_state
    if pairs.dim < 2 or close.sum() < NOISE.fewest_differences:
        return False
    speeds, noises = zip(pairs.own, pairs.other, strict=True)
    sizes = [np.sum(speed[close] ** 2, axis=1) for speed in speeds]
    noise = [np.sum(some[close] ** 2, axis=1) for some in noises]
    across = sizes[0] * sizes[1] - np.sum(np.prod(speeds, axis=0)[close], axis=1) ** 2
    # Of noise all but what goes along counts.
    share = 1 - 1 / pairs.dim
    across = across - share * (sizes[0] * noise[1] + sizes[1] * noise[0])
    return bool(across.sum() <= NOISE.across_lines * share * np.sum(sizes[0] * sizes[1]))


def _without_extremes(values: np.ndarray) -> np.ndarray:
    """Return values (n, d) of which the outermost are drawn in, as those of close encounters."""
    return np.clip(values, *np.quantile(values, _CENTRAL, axis=0))


class ShortRunsError(ValueError):
    """Runs that are too short for velocities to be formed."""


def with_formed_velocities(
    runs: Trajectories, missing: Missing, noise: np.ndarray | None
) -> Trajectories:
    """Return runs without their gross errors and with the velocities that are missing.

    Parameters
    ----------
    runs : Trajectories
    missing : Missing
    noise : (d,) array or None
        Standard deviation of the columns' noise where it is known.

    Raises
    ------
    ShortRunsError
        For runs that are all too short.
    """
    kept = list(missing.kept)
    sound = without_gross_errors(runs.of_columns(kept))
    formed = sound.with_velocities(None if noise is None else noise[kept])
    long = formed.lengths >= DATA.fewest_samples
    if not long.any():
        raise ShortRunsError(
            f"velocities of {formed.lengths.max()} states a run can be formed from the positions. "
            f"Expected at least {DATA.fewest_samples}: measure longer runs, or give velocities."
        )
    return formed if long.all() else formed[long]


def seen_noise(runs: Trajectories) -> np.ndarray:
    """Return the noise of columns of places, (d,), as `with_formed_velocities` sees it.

    Parameters
    ----------
    runs : Trajectories
    """
    sound = without_gross_errors(runs)
    return noise_scale(continuous_rows(sound), sound.row_times, sound.offsets)


def remark(given: Trajectories, completed: Trajectories, missing: Missing | None) -> str:
    """Say that velocities were formed, of what, and with what errors.

    Parameters
    ----------
    given, completed : Trajectories
        Without and with velocities.
    missing : Missing or None
    """
    columns = [i for i, role in enumerate(completed.roles) if role in MOMENTA]
    text = f"velocities {', '.join(completed.names[i] for i in columns)} were formed from positions"
    if missing is not None and missing.computed:
        names = ", ".join(given.names[i] for i in missing.computed)
        text += f" ({names}: differences of these, with no noise of their own, left out)"
    steps = np.diff(given.row_times)
    if np.all(given.row_times == np.round(given.row_times)) and np.all(steps[steps > 0] == 1):
        text += " over the sampling step"
    per_run = len(completed.rows) / completed.n_runs
    fewer = len(completed.rows) < len(given.rows)
    return f"{text}, {per_run:.0f} states a run" + " with independent errors" * fewer


def _computed(runs: Trajectories) -> dict[int, int]:
    """Return the columns that are differences of others, if these are all velocities there are."""
    rows = continuous_rows(runs)
    noise = noise_scale(rows, runs.row_times, runs.offsets)
    found = differenced(rows, runs.row_times, runs.offsets, noise)
    roles = runs.roles or (None,) * runs.dim
    others = [i for i, role in enumerate(roles) if role in MOMENTA and i not in found]
    odd = [v for v in found if roles[v] not in (None, *MOMENTA)]
    return {} if others or odd else found


def _futures_alike(runs: Trajectories, moving: Trajectories) -> bool:
    """Tell whether positions are all of the state: near states of different runs move alike.

    So it is with point vortices, and with what a stream carries. The fifth of the states that have
    the nearest neighbours counts, however far these are; and the more alike they move, the nearer
    they are: planets on like orbits move nearly alike, and no more so where they are nearer.
    """
    distance, apart, run = _neighbours(runs, moving)
    order = np.argsort(distance)[: np.isfinite(distance).sum()]
    fifth = len(order) // 5
    if fifth < NOISE.fewest_differences:
        return False
    near, far = order[:fifth], apart[order[-fifth:]].mean()
    mean, error = _mean(apart[near], run[near])
    surely = mean + FORMULAS.interval * error <= NOISE.same_future
    return bool(surely and mean <= NOISE.nearer_alike * far)


def _futures_differ(runs: Trajectories, moving: Trajectories) -> bool:
    """Tell whether states that are near each other move in different ways.

    Only where no column is known to be a velocity; parameters count as part of a state. That all
    values are positive does not matter: so are heights, and places in a picture.
    """
    path, speeds = _motion(moving)
    seen = infer_roles(moving.names, None, path, speeds)
    # A velocity beside what is no place, as of a rocket beside its mass.
    if any(role in MOMENTA for role in (*seen, *map(role_of_name, moving.names))):
        return False
    distance, apart, run = _neighbours(runs, moving)
    close = distance <= NOISE.near_state
    if close.sum() < NOISE.fewest_differences:
        return False
    # Where noise hides how states move, nothing is known of it.
    mean, error = _mean(apart[close], run[close])
    return bool(mean > NOISE.different_future and mean > FORMULAS.interval * error)


def _mean(values: np.ndarray, run: np.ndarray) -> tuple[float, float]:
    """Return the mean of values (n,), and its standard error, from sums over runs (n,)."""
    of_run = np.bincount(run, weights=values)
    return float(values.mean()), float(np.sqrt(np.sum((of_run - of_run.mean()) ** 2)) / len(values))


def _motion(moving: Trajectories) -> tuple[np.ndarray, np.ndarray]:
    """Return smooth paths, angles without jumps, and rates along them."""
    rows = continuous_rows(moving)
    noise = noise_scale(rows, moving.row_times, moving.offsets)
    path = smooth(rows, moving.row_times, moving.offsets, noise).states
    return path, rates(moving, path)


def _on_circles(path: np.ndarray, moving: Trajectories) -> np.ndarray:
    """Return a path with the cosine and the sine of each angle in its place: turns are none."""
    angles = [i for i, role in enumerate(moving.roles or ()) if role == "angle"]
    round_ = path[:, angles]
    return np.hstack([np.delete(path, angles, axis=1), np.cos(round_), np.sin(round_)])


class _Moving(NamedTuple):
    """Velocities at states and what noise adds to them, (n, d), in their spreads."""

    speed: np.ndarray
    noise: np.ndarray


@dataclass(frozen=True)
class _Pairs:
    """States and the nearest ones of other runs.

    Attributes
    ----------
    distance : (n,) array
        Squares, over those of any two states; infinite where no such state is near.
    own, other : _Moving
    run : (n,) array
        Of the states.
    signal : float
        The share of the velocities' variance that is no noise.
    """

    distance: np.ndarray
    own: _Moving
    other: _Moving
    run: np.ndarray
    signal: float

    @property
    def dim(self) -> int:
        """How many columns move."""
        return self.own.speed.shape[1]


def _neighbours(
    runs: Trajectories, moving: Trajectories
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return how far states are from the nearest of another run, and how differently both move.

    Squares, over those of any two states, and the runs of the states; distances are infinite where
    no such state is near. What noise adds to velocities is taken off, and few extreme ones do not
    decide.
    """
    pairs = _near_pairs(runs, moving)
    own, other = pairs.own, pairs.other
    apart = (own.speed - other.speed) ** 2 - own.noise**2 - other.noise**2
    return pairs.distance, apart.mean(axis=1) / (2 * pairs.signal), pairs.run


def _near_pairs(runs: Trajectories, moving: Trajectories) -> _Pairs:
    """Return states, and of each the nearest one of another run, with their velocities."""
    path, speeds = _motion(moving)
    noise = _noise_of(speeds, path, moving)
    speeds = _without_extremes(speeds)
    parameters = list(parted(runs).parameters)
    states = np.hstack([_on_circles(path, moving), runs.rows[:, parameters]])
    states = states / np.maximum(states.std(axis=0), 1e-300)
    spread = np.maximum(speeds.std(axis=0), 1e-300)
    speeds, noise = speeds / spread, noise / spread
    some = np.arange(len(states))[:: max(1, len(states) // _STATES)]
    distance, near = KDTree(states).query(states[some], k=min(_NEAREST, len(states)))
    distance[runs.groups[near] == runs.groups[some][:, None]] = np.inf
    at = np.arange(len(some))
    near = near[at, np.argmin(distance, axis=1)]
    signal = max(1.0 - float(np.mean(noise**2)), NOISE.resolution)
    nearest = np.min(distance, axis=1) ** 2 / (2 * states.shape[1])
    own, other = (_Moving(speeds[rows], noise[rows]) for rows in (some, near))
    return _Pairs(nearest, own, other, runs.groups[some], signal)


def _noise_of(speeds: np.ndarray, path: np.ndarray, moving: Trajectories) -> np.ndarray:
    """Return what as much noise as there is does to velocities (n, d) that follow a path (n, d)."""
    rows, rng = continuous_rows(moving), np.random.default_rng(0)
    noise = noise_scale(rows, moving.row_times, moving.offsets)
    drawn = path + noise * rng.standard_normal(rows.shape)
    again = smooth(drawn, moving.row_times, moving.offsets, noise).states
    return rates(moving, again) - speeds
