"""The combination of terms that drifts least, and how well runs tell it.

Two quadratic forms of s terms decide: what they drift, summed over groups of runs, and what noise
moves them. Both are sums over runs, so that those of parts, added, are those of all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import stats

from discovery.criteria import LAWS, LawCriteria
from discovery.formulas.pencil import solve

# Share of each term's own noise that is added to it where terms may be dependent.
_RIDGE = 1e-12


@dataclass(frozen=True)
class LeastDrift:
    """What terms drift on groups of runs, and their noise.

    Attributes
    ----------
    drifts : (groups, s, s) array
        Of each group, the sum over its runs.
    runs : (groups,) array of int
        How many runs each group has: one at least.
    noise : (s, s) array
        Of a sample.
    """

    drifts: np.ndarray
    runs: np.ndarray
    noise: np.ndarray

    def restrict(self, columns: Sequence[int]) -> LeastDrift:
        """Return the forms of some of the terms."""
        some = np.ix_(columns, columns)
        return LeastDrift(self.drifts[:, *some], self.runs, self.noise[some])

    @cached_property
    def drift(self) -> np.ndarray:
        """Of a run, (s, s)."""
        return self.drifts.sum(axis=0) / self.runs.sum()

    def refined(self, near: np.ndarray | None = None) -> np.ndarray:
        """Return the coefficients that drift least, against the noise that they carry.

        Noise adds nothing to a band's excess, so these are free of the bias that noise and
        smoothing put into squares.

        Parameters
        ----------
        near : (s,) array, optional
            Of several functions that hardly drift the one that is most like this.
        """
        vectors = solve(self.drift, self.noise, _RIDGE).vectors
        return vectors[:, 0 if near is None else np.abs(near @ self.noise @ vectors).argmax()]

    def refitted(self, coefficients: np.ndarray, fixed: np.ndarray) -> np.ndarray:
        """Return coefficients of which some are fixed and the others drift least beside them.

        Others that are of one size stay so.

        Parameters
        ----------
        coefficients : (s,) array
        fixed : (s,) array of bool
            Some of them.
        """
        free = np.abs(coefficients) * ~fixed
        groups = [coefficients * (free == size) for size in np.unique(free[~fixed])]
        basis = np.column_stack([coefficients * fixed, *groups])
        drift, noise = (basis.T @ form @ basis for form in (self.drift, self.noise))
        found = solve(drift, noise, _RIDGE).vectors[:, 0]
        return basis @ (found / found[0]) if found[0] else coefficients

    def standard_errors(self, coefficients: np.ndarray, level: float = 0.05) -> np.ndarray:
        """Return the standard errors of the coefficients that drift least, (s,).

        By a jackknife over groups of runs: s² = (n − 1)/n Σ (c₋ᵣ − c̄)², c₋ᵣ without group r. With
        n groups, c is within t(n − 1) s of the truth; errors are given as s t(n − 1) / z, z the
        same quantile of the normal distribution, so that two of them are a 95 % interval whatever
        the number of groups. The term that contributes most sets the scale each time, and so has
        none.

        Parameters
        ----------
        coefficients : (s,) array
            The formula.
        level : float
            At which the intervals of t and of the normal distribution are to agree, two-sided.
        """
        return np.sqrt(np.diag(self.error_covariance(coefficients, level)))

    def main(self, coefficients: np.ndarray) -> int:
        """Return the term that contributes most, which sets the scale."""
        return int(np.argmax(np.abs(coefficients) * np.sqrt(np.diag(self.noise))))

    def error_covariance(self, coefficients: np.ndarray, level: float = 0.05) -> np.ndarray:
        """Return the covariance of the errors of coefficients, (s, s): see `standard_errors`."""
        n, main = len(self.drifts), self.main(coefficients)
        without = (self.drifts.sum(axis=0) - self.drifts) / self.runs.sum()
        vectors = solve(without, self.noise, _RIDGE).vectors
        # Where noise hides much, fewer runs may leave another combination the flattest.
        nearest = np.abs((coefficients @ self.noise) @ vectors).argmax(axis=1)
        found = vectors[np.arange(n), :, nearest]
        quantiles = stats.t.isf(level / 2, n - 1) / stats.norm.isf(level / 2)
        with np.errstate(all="ignore"):
            left = found * (coefficients[main] / found[:, main])[:, None]
            away = (left - left.mean(axis=0)) * quantiles
        away[:, main] = 0.0
        # Where the rest of the runs leaves out the main term, they tell no coefficient.
        return _told(away * np.sqrt((n - 1) / n))

    def square_errors(self, coefficients: np.ndarray) -> np.ndarray:
        """Return the mean squares and products of what coefficients are off by, (s, s).

        Of their errors, and of how far they lie from those that drift least, δ: the truth is δ ± s
        from them.

        Parameters
        ----------
        coefficients : (s,) array
            As they are printed; the term that contributes most is as known.
        """
        shift = self.shift(coefficients, self.main(coefficients))
        errors = self.error_covariance(coefficients)
        known = np.isfinite(shift) & np.isfinite(np.diag(errors))
        both = errors + np.outer(np.where(known, shift, 0.0), np.where(known, shift, 0.0))
        return np.where(np.outer(known, known), both, np.diag(np.where(known, 0.0, np.inf)))

    def shift(self, coefficients: np.ndarray, main: int) -> np.ndarray:
        """Return how far coefficients are from those that drift least, (s,).

        Parameters
        ----------
        coefficients : (s,) array
        main : int
            The term that sets the scale. Where all runs leave it out they tell no coefficient.
        """
        best = self.refined(near=coefficients)
        with np.errstate(all="ignore"):
            shifts = best * (coefficients[main] / best[main]) - coefficients
        return np.where(np.isfinite(shifts), shifts, np.inf)

    def motions(self, coefficients: np.ndarray, noise: float) -> np.ndarray:
        """Return what a formula of so much noise drifts on a run of each group, (groups,)."""
        c = coefficients * np.sqrt(noise / max(self.noise_of(coefficients), 1e-300))
        return np.einsum("i,gij,j->g", c, self.drifts, c) / self.runs

    def noise_of(self, coefficients: np.ndarray) -> float:
        """Return the variance that noise gives a value."""
        return float(coefficients @ self.noise @ coefficients)


def _told(away: np.ndarray) -> np.ndarray:
    """Return sums of products (s, s) of deviations (groups, s), infinite variances of no values."""
    told = np.isfinite(away).all(axis=0)
    some = np.where(told, away, 0.0)
    return some.T @ some + np.diag(np.where(told, 0.0, np.inf))


def stays(
    trial: np.ndarray,
    best: np.ndarray,
    runs: np.ndarray,
    least: float,
    ratios: int,
    criteria: LawCriteria = LAWS,
) -> bool:
    """Tell whether trial coefficients lie in the joint confidence region about fitted ones.

    What they move more is compared with how much that differs between runs. For coefficients that
    are z standard errors from the fitted ones the mean is z/2 of its own standard errors, and z² is
    χ² distributed with as many degrees of freedom as there are ratios that are not fitted.

    Parameters
    ----------
    trial, best : (groups,) arrays
        Systematic variance of a run in each group, of both at the same noise.
    runs : (groups,) array
        How many runs each group has.
    least : float
        Variance that is rounding, and none.
    ratios : int
        How many are not fitted.
    criteria : LawCriteria
    """
    share = runs / runs.sum()

    def mean(values: np.ndarray) -> tuple[float, float]:
        middle, n = float(share @ values), len(values)
        return middle, float(np.sqrt(n / (n - 1) * np.sum((share * (values - middle)) ** 2)))

    # With noise an estimate of some motion is zero or less in many cases.
    if sum(mean(trial)) <= least:
        return True
    more, error = mean(trial - best)
    # Simple numbers are refused where motion of a true law would be.
    most = np.sqrt(stats.chi2.isf(criteria.detected_motion, ratios)) / 2
    return bool(more <= most * error)
