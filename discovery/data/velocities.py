"""Velocities from positions: states (q, q̇) whose errors are known and hardly depend on each other.

A velocity that is formed from noisy positions shares their noise, with that of the position at the
same time and with its neighbours along the run. An analysis that takes errors of different samples
for independent would see motion in them. So two estimates are made of each state, both from local
fits (`local_fits`), which say how position and velocity err together:

- the *state*, from a window that shares no sample with the window of another state: each run is
  parted into such windows, and has as many states as it has windows;
- the *path* at the same time, from the window of least error, however wide: it knows the state
  best, and its errors are correlated along the run.

Where there is no noise but rounding, errors are what the polynomials miss, and every sample has its
state, from the window that misses least, but for those near the ends of runs.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from discovery.criteria import NOISE
from discovery.data.coordinates import MOMENTA, POSITIONS, bare_name, role_of_name
from discovery.data.local_fits import FEWEST, LocalFit, local_fits

# Noise of a column, over that of the noisiest, below which it counts as so much: what polynomials
# miss of exact columns would make windows too narrow for the others.
_LEAST_NOISE = 0.1
# Rounding, in spreads: what is left of the noise where there is none.
_ROUNDING = 1e-12
# Rows that are fitted at a time, in whole runs.
_ROWS = 20_000


@dataclass(frozen=True)
class Formed:
    """What is known of states with formed velocities.

    Attributes
    ----------
    covariance : (n, D, D) array
        Of the errors of the states, independent of each other.
    path : (n, D) array
        The same states with less noise.
    path_covariance : (n, D, D) array
        Of the path's errors, which depend on each other along a run.
    """

    covariance: np.ndarray
    path: np.ndarray
    path_covariance: np.ndarray

    def among(self, rows: np.ndarray | slice, columns: Sequence[int]) -> Formed:
        """Return what is known of some rows and columns."""
        columns = list(columns)
        forms = (form[rows][:, columns][:, :, columns] for form in self._covariances)
        covariance, path_covariance = forms
        return Formed(covariance, self.path[rows][:, columns], path_covariance)

    def amid(self, states: np.ndarray, columns: Sequence[int]) -> Formed:
        """Return what is known of states (n, D) of which these are some columns.

        The others have no errors.
        """
        path = states.copy()
        path[:, columns] = self.path
        covariances = []
        for form in self._covariances:
            whole = np.zeros((len(states), states.shape[1], states.shape[1]))
            whole[:, np.array(columns)[:, None], columns] = form
            covariances.append(whole)
        return Formed(covariances[0], path, covariances[1])

    def inside(self, origin: np.ndarray, unit: np.ndarray) -> Formed:
        """Return the same about another origin (D,) and in other units (D,)."""
        covariance, path_covariance = (form / np.outer(unit, unit) for form in self._covariances)
        return Formed(covariance, (self.path - origin) / unit, path_covariance)

    @property
    def _covariances(self) -> tuple[np.ndarray, np.ndarray]:
        return self.covariance, self.path_covariance


def position_columns(
    names: Sequence[str], roles: Sequence[str | None] | None, moving: Sequence[int]
) -> list[int]:
    """Return the columns that velocities are formed of.

    Parameters
    ----------
    names : sequence of d str
    roles : sequence of d str or None, or None
        Positions and angles have velocities; where no roles are known, all columns do.
    moving : sequence of int
        The columns that change along runs.

    Raises
    ------
    ValueError
        Where there are fields, velocities already, or no positions.
    """
    told = {roles[i] for i in moving} if roles is not None else {None}
    if not told - {None, "parameter", "time"}:
        return [i for i in moving if roles is None or roles[i] is None]
    there = [names[i] for i, role in enumerate(roles) if role in MOMENTA]
    if there:
        raise ValueError(
            f"there are velocities or momenta already: {', '.join(there)}. Leave them out with "
            "of_columns to have others formed from the positions."
        )
    found = [i for i in moving if roles[i] in POSITIONS]
    if not found:
        raise ValueError(
            f"none of the coordinates {', '.join(names)} has the role position or angle. Expected "
            "one at least, or no roles at all."
        )
    return found


def position_roles(names: Sequence[str], positions: Sequence[int]) -> list[str | None]:
    """Return roles where none were given: angles by their names, other positions, None elsewhere.

    Parameters
    ----------
    names : sequence of d str
    positions : sequence of int
        The columns that velocities are formed of.
    """
    kinds = ["angle" if role_of_name(name) == "angle" else "position" for name in names]
    return [kind if i in positions else None for i, kind in enumerate(kinds)]


def velocity_names(names: Sequence[str], taken: Sequence[str]) -> list[str]:
    """Return names of velocities: vx for x and ``x (cm)``, theta1dot for theta1.

    Parameters
    ----------
    names : sequence of str
        Of the positions.
    taken : sequence of str
        Names that others bear.
    """
    out: list[str] = []
    for name in names:
        bare = bare_name(name)
        new = f"v{bare}" if re.fullmatch(r"[xyz]_?\d*", bare) else f"{bare}dot"
        while new in {*taken, *out}:
            new += "_"
        out.append(new)
    return out


def unwrapped(rows: np.ndarray, offsets: np.ndarray, angles: Sequence[int]) -> np.ndarray:
    """Return rows whose angles have no jumps by whole turns along each run.

    Parameters
    ----------
    rows : (n, d) array
    offsets : (runs + 1,) array of int
        Run r is ``rows[offsets[r]:offsets[r + 1]]``.
    angles : sequence of int
        The columns that are angles.
    """
    rows = rows.copy()
    for column in angles:
        for a, b in itertools.pairwise(offsets):
            rows[a:b, column] = np.unwrap(rows[a:b, column])
    return rows


@dataclass(frozen=True)
class States:
    """States of all runs.

    Attributes
    ----------
    rows : (n,) array of int
        The samples that have states, in order.
    states : (n, 2 d) array
        Positions, then velocities.
    offsets : (runs + 1,) array of int
        Of the runs among `rows`; a run may have none.
    formed : Formed
    """

    rows: np.ndarray
    states: np.ndarray
    offsets: np.ndarray
    formed: Formed


def form(
    positions: np.ndarray, times: np.ndarray, offsets: np.ndarray, noise: np.ndarray
) -> States:
    """Form velocities.

    Parameters
    ----------
    positions : (n, d) array
        The runs, one after the other; angles without jumps.
    times : (n,) array
        Increasing within each run.
    offsets : (runs + 1,) array of int
        Run r is ``positions[offsets[r]:offsets[r + 1]]``.
    noise : (d,) array
        Standard deviation of each column's noise.

    Raises
    ------
    ValueError
        For runs that are too short.
    """
    if np.diff(offsets).max() < FEWEST:
        raise ValueError(
            f"the longest run has {np.diff(offsets).max()} samples. Expected at least {FEWEST}, to "
            "form velocities from positions: measure longer runs, or give velocities."
        )
    spread = np.maximum(positions.std(axis=0), 1e-300)
    exact = bool(np.all(noise <= 1.001 * NOISE.resolution * spread))
    # What is below the resolution is not known to be noise, and would hide what polynomials miss.
    share = np.full(len(noise), _ROUNDING) if exact else noise / spread
    level = spread * np.maximum(share, _LEAST_NOISE * share.max())
    middle = positions.mean(axis=0)
    values = (positions - middle) / level
    states = max(NOISE.states_of_a_run, NOISE.states_of_all / (len(offsets) - 1))
    widest = max(NOISE.widest_state, np.diff(offsets).max() / states)
    parts = []
    for begin, end in _stretches(offsets):
        inside = offsets[begin : end + 1]
        rows = slice(inside[0], inside[-1])
        fits = list(local_fits(values[rows], times[rows], inside - inside[0], exact))
        if fits:
            found = _fitted(fits, inside - inside[0], 0.0 if exact else widest)
            parts.append((found[0] + inside[0], *found[1:]))
    rows = np.concatenate([part[0] for part in parts])
    state, path = (_Choice.joined([part[i] for part in parts]) for i in (1, 2))
    if exact:
        resolution = (noise / level).max() ** 2
        state, path = (replace(c, variance=c.variance * resolution) for c in (state, path))
    covariance, path_covariance = state.covariance(level), path.covariance(level)
    measured, smooth = (_outside(c.states, level, middle) for c in (state, path))
    return States(
        rows,
        measured,
        np.searchsorted(rows, offsets),
        Formed(covariance, smooth, path_covariance),
    )


def _stretches(offsets: np.ndarray) -> list[tuple[int, int]]:
    """Return stretches of runs, from the first to beyond the last, with a limit on their rows."""
    _, firsts = np.unique(offsets[:-1] // _ROWS, return_index=True)
    return list(itertools.pairwise([*firsts, len(offsets) - 1]))


def _fitted(
    fits: Sequence[LocalFit], offsets: np.ndarray, widest: float
) -> tuple[np.ndarray, _Choice, _Choice]:
    """Return the rows that have states, the fits that are their states, and those of the path.

    With windows of no width the path is the state, at all rows in the middle of their windows.
    """
    # Runs too short for the narrowest window have none.
    long = np.flatnonzero(np.repeat(np.diff(offsets) >= FEWEST, np.diff(offsets)))
    path = _Choice.of(fits, long, offsets[-1])
    if not widest:
        # Near the ends of a run two degrees more do not tell what is missed.
        inner = path.among(path.centred)
        return long[path.centred], inner, inner
    rows, chosen = _parted(fits, offsets, widest)
    return rows, _Choice.at(fits, rows, chosen), path.among(np.searchsorted(long, rows))


@dataclass(frozen=True)
class _Choice:
    """One fit at each of n rows, as in `LocalFit`."""

    states: np.ndarray
    variance: np.ndarray
    missed: np.ndarray
    doubt: np.ndarray
    centred: np.ndarray

    @classmethod
    def of(cls, fits: Sequence[LocalFit], rows: np.ndarray, n_rows: int) -> _Choice:
        """Take at each row the fit of least error of the velocity.

        What is missed is known as well as `LocalFit.doubt` says: that much may be missed unseen.
        """
        least, chosen = np.full(n_rows, np.inf), np.zeros(n_rows, dtype=int)
        for i, fit in enumerate(fits):
            bias = fit.missed.mean(axis=2) + fit.doubt
            error = fit.variance[:, 1, 1] + NOISE.path_bias * bias[:, 1]
            better = error < least[fit.rows]
            least[fit.rows[better]], chosen[fit.rows[better]] = error[better], i
        found = cls.at(fits, rows, chosen[rows])
        return replace(found, missed=found.missed + found.doubt[..., None])

    @classmethod
    def at(cls, fits: Sequence[LocalFit], rows: np.ndarray, chosen: np.ndarray) -> _Choice:
        """Take the chosen fits at the given rows."""
        n, d = len(rows), fits[0].states.shape[2]
        states, variance = np.zeros((n, 2, d)), np.zeros((n, 2, 2))
        out = cls(states, variance, np.zeros_like(states), np.zeros((n, 2)), np.zeros(n, bool))
        for i, fit in enumerate(fits):
            here = np.flatnonzero(chosen == i)
            place = np.searchsorted(fit.rows, rows[here])
            out.states[here] = fit.states[place]
            out.variance[here] = fit.variance[place]
            out.missed[here] = fit.missed[place]
            out.doubt[here] = fit.doubt[place]
            out.centred[here] = fit.centred[place]
        return out

    @classmethod
    def joined(cls, parts: Sequence[_Choice]) -> _Choice:
        """Return the rows of all parts, one after the other."""
        return cls(
            *(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(cls))
        )

    def among(self, rows: np.ndarray) -> _Choice:
        return _Choice(*(getattr(self, f.name)[rows] for f in fields(self)))

    def covariance(self, level: np.ndarray) -> np.ndarray:
        """Return the covariance (n, 2 d, 2 d) of positions, then velocities."""
        d = len(level)
        out = np.zeros((len(self.states), 2, d, 2, d))
        for i, size in enumerate(level):
            own = out[:, :, i, :, i]
            own += self.variance
            own[:, [0, 1], [0, 1]] += self.missed[:, :, i]
            own *= size**2
        return out.reshape(-1, 2 * d, 2 * d)


def _outside(states: np.ndarray, level: np.ndarray, middle: np.ndarray) -> np.ndarray:
    """Return states (n, 2, d) in units of the noise as positions, then velocities, (n, 2 d)."""
    states = states * level
    states[:, 0] += middle
    return states.reshape(len(states), -1)


def _parted(
    fits: Sequence[LocalFit], offsets: np.ndarray, widest: float
) -> tuple[np.ndarray, np.ndarray]:
    """Part each run into windows that share no sample.

    Each window is the one of least error of the velocity among those that begin where the one
    before it ends. What polynomials miss, of the position as well, does not average out along a run
    as noise does, so it counts more.

    Returns
    -------
    rows : (n,) array of int
        The samples in the middle of the windows.
    chosen : (n,) array of int
        Which fit each is of.
    """
    error = np.full((len(fits), offsets[-1]), np.inf)
    for own, fit in zip(error, fits, strict=True):
        if 2 * fit.half + 1 <= widest:
            variance = np.einsum("kii->ki", fit.variance)
            excess = 1 + NOISE.state_bias * (fit.missed.mean(axis=2) + fit.doubt) / variance
            size = variance[:, 1] * excess.prod(axis=1)
            own[fit.rows[fit.centred]] = size[fit.centred]
    half, every = np.array([fit.half for fit in fits]), np.arange(len(fits))
    rows, chosen = [], []
    for begin, end in itertools.pairwise(offsets):
        while True:
            middle = np.minimum(begin + half, end - 1)
            sizes = np.where(begin + 2 * half < end, error[every, middle], np.inf)
            best = int(np.argmin(sizes))
            if not np.isfinite(sizes[best]):
                break
            rows.append(begin + half[best])
            chosen.append(best)
            begin += 2 * half[best] + 1
    return np.array(rows, dtype=int), np.array(chosen, dtype=int)
