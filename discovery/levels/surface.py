"""A level set {C = c} in the region of the data, in coordinates of one size.

States are seen in their own spreads, y = x/s, and laws in theirs, so that steps and errors are pure
numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from discovery.levels.conserved import Laws
from discovery.levels.region import Region

# Newton's method: its error in spreads of the laws, and its steps at most.
_ERROR = 1e-11
_STEPS, _STEPS_FROM_AFAR = 10, 60
# Steps of the last polish, beyond which rounding is all that is left.
_POLISH = 4
# What a step of Newton's method must leave of the miss at most.
_LESS = 0.7


@dataclass(frozen=True)
class Surface:
    """States x of d coordinates with C(x) = c, of which m may change.

    Attributes
    ----------
    laws : Laws
        C, k of them.
    targets : (k,) array
        c.
    sizes : (k,) array
        Units of the laws.
    template : (d,) array
        The values of coordinates that do not change.
    columns : (m,) array of int
        Those that do.
    scale : (m,) array
        s, their units.
    region : Region or None
        Of points y that are taken; None for all.
    log_mass : callable or None
        log of what a volume of states counts, of states (n, d); see `discovery.levels.measure`.
    """

    laws: Laws
    targets: np.ndarray
    sizes: np.ndarray
    template: np.ndarray
    columns: np.ndarray
    scale: np.ndarray
    region: Region | None = None
    log_mass: Callable[[np.ndarray], np.ndarray] | None = None

    def states(self, y: np.ndarray) -> np.ndarray:
        """Return states x (n, d) of points y (n, m)."""
        x = np.tile(self.template, (len(y), 1))
        x[:, self.columns] = y * self.scale
        return x

    def points(self, states: np.ndarray) -> np.ndarray:
        """Return y (n, m) of states x (n, d)."""
        return states[:, self.columns] / self.scale

    def jets(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return (C − c) in units of the laws, (n, k), and G, its derivatives by y, (n, k, m)."""
        values, slopes = self.laws.jets(self.states(y))
        size = self.scale / self.sizes[:, None]
        return (values - self.targets) / self.sizes, slopes[:, :, self.columns] * size

    def log_density(self, y: np.ndarray, half_log_det: np.ndarray) -> np.ndarray:
        """Return log f, (n,), with ½ log det GGᵀ there.

        Parameters
        ----------
        y : (n, m) array
        half_log_det : (n,) array
        """
        return (
            -half_log_det if self.log_mass is None else self.log_mass(self.states(y)) - half_log_det
        )

    def inside(self, y: np.ndarray) -> np.ndarray:
        """Tell which points (n, m) lie in the region, (n,) bool."""
        return np.isfinite(y).all(axis=1) if self.region is None else self.region.holds(y)

    def back(self, y: np.ndarray, normals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return points y + normalsᵀ a on the level set by Newton's method, and where it was found.

        Parameters
        ----------
        y : (n, m) array
        normals : (n, k, m) array
            G at the points that they left.

        Returns
        -------
        points : (n, m) array
        found : (n,) array of bool
        """
        y, found = y.copy(), np.zeros(len(y), dtype=bool)
        left, before = np.arange(len(y)), np.full(len(y), np.inf)
        for _ in range(_STEPS):
            miss, slopes = self.jets(y[left])
            size = np.abs(miss).max(axis=1)
            found[left[size <= _ERROR]] = True
            # What does not come nearer is given up.
            on = (size > _ERROR) & (size < before)
            left, before = left[on], size[on] * _LESS
            if not len(left):
                break
            across = slopes[on] @ normals[left].swapaxes(1, 2)
            y[left] -= np.einsum("nk,nkm->nm", _solved(across, miss[on]), normals[left])
        return y, found

    def nearest(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return points on the level set from points that may be far, by damped Gauss–Newton steps.

        Parameters
        ----------
        y : (n, m) array

        Returns
        -------
        points : (n, m) array
        found : (n,) array of bool
            Where it was found, and lies in the region.
        """
        y = y.copy()
        miss, slopes = self.jets(y)
        size = np.linalg.norm(miss, axis=1)
        size[~np.isfinite(size)] = np.inf
        for _ in range(_STEPS_FROM_AFAR):
            on = np.flatnonzero((size > _ERROR) & np.isfinite(size))
            if not len(on):
                break
            step = _least(slopes[on], miss[on])
            share = np.ones(len(on))
            for _ in range(6):
                trial = y[on] - share[:, None] * step
                new, steep = self.jets(trial)
                length = np.linalg.norm(new, axis=1)
                worse = ~(length < size[on])
                if not worse.any():
                    break
                share[worse] /= 4
            better = ~worse
            size[on[worse]] = np.where(size[on[worse]] <= _ERROR, size[on[worse]], np.inf)
            y[on[better]], miss[on[better]] = trial[better], new[better]
            slopes[on[better]] = steep[better]
            size[on[better]] = length[better]
        return y, (size <= _ERROR) & self.inside(y)

    def polished(self, states: np.ndarray) -> np.ndarray:
        """Return states on the level set as exactly as the laws can be evaluated.

        Parameters
        ----------
        states : (n, d) array
            Next to it.
        """
        best = states.copy()
        least = np.abs(self.laws.values(best) - self.targets).max(axis=1)
        moved = best
        for _ in range(_POLISH):
            miss = (self.laws.values(moved) - self.targets) / self.sizes
            step = _least(self.jets(self.points(moved))[1], miss)
            moved = moved.copy()
            moved[:, self.columns] -= step * self.scale
            error = np.abs(self.laws.values(moved) - self.targets).max(axis=1)
            better = error < least
            best[better], least[better] = moved[better], error[better]
        return best


def along(normals: np.ndarray, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the parts of vectors along the level set, and ½ log det GGᵀ.

    Parameters
    ----------
    normals : (n, k, m) array
        G.
    vectors : (n, m) array

    Returns
    -------
    tangent : (n, m) array
        Not finite where the laws depend on each other.
    half_log_det : (n,) array
    """
    square = normals @ normals.swapaxes(1, 2)
    sign, log_det = np.linalg.slogdet(square)
    step = _solved(square, np.einsum("nkm,nm->nk", normals, vectors))
    tangent = vectors - np.einsum("nk,nkm->nm", step, normals)
    return tangent, np.where(sign > 0, log_det / 2, np.nan)


def _solved(matrices: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return solutions (n, k) of (n, k, k); not finite where there is none."""
    try:
        return np.linalg.solve(matrices, values[:, :, None])[:, :, 0]
    except np.linalg.LinAlgError:  # one of them is singular
        sound = np.linalg.slogdet(matrices)[0] != 0
        out = np.full(values.shape, np.nan)
        out[sound] = np.linalg.solve(matrices[sound], values[sound, :, None])[:, :, 0]
        return out


def _least(slopes: np.ndarray, miss: np.ndarray) -> np.ndarray:
    """Return the shortest steps (n, m) that slopes (n, k, m) say to take off a miss (n, k)."""
    sound = np.isfinite(slopes).all(axis=(1, 2)) & np.isfinite(miss).all(axis=1)
    slopes = np.where(sound[:, None, None], slopes, 0.0)
    inverse = np.linalg.pinv(slopes, rcond=1e-10)
    return np.einsum("nmk,nk->nm", inverse, np.where(sound[:, None], miss, 0.0))
