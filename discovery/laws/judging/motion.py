"""Motion along runs, as numbers of each run and sums over all of them.

Runs may come some at a time: what is said of each set is joined, and is then what would be said of
all at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from scipy import stats

from discovery.criteria import LawCriteria


@dataclass(frozen=True)
class Motion:
    """What one formula of s terms moves along measured runs, before noise is set aside.

    Powers are those of cosine modes of weighted samples; see `judging.drift`.

    Attributes
    ----------
    lengths : (runs,) array of int
    power : (runs,) array
        Of all modes but the mean.
    fastest : (runs,) array
        What it would be if all modes were as the fastest ones are.
    level : (runs,) array
        Mean weight of the samples.
    bands, even : (runs, bands) arrays
        A_b with the noise that the floor does not take out; `even` of samples that count alike.
    trend : (runs,) array
        The lowest mode, with its sign, over the root of the samples: a rise or a fall.
    bias : (runs,) array
        What of it was taken out, to second order, as the noise's bias.
    share : (runs, bands) array or 0
        Share of the modes that each band holds; zero where a floor takes the noise out.
    total : (runs,) array
        Variance of the values.
    noise, even_noise : float
        Variance by noise of a sample, weighted and not.
    slope : float
        Root mean square of the gradient in standardized coordinates.
    terms : (s,) array
        Means of the terms over all samples.
    covariance : (s, s) array
        Theirs over all samples.
    coefficients : (s,) array
    floor : bool
        Whether the fastest modes tell the noise.
    blur : float
        How well states are known, for expansions, as a share of their spread.
    """

    lengths: np.ndarray
    power: np.ndarray
    fastest: np.ndarray
    level: np.ndarray
    bands: np.ndarray
    even: np.ndarray
    trend: np.ndarray
    bias: np.ndarray
    share: np.ndarray | float
    total: np.ndarray
    noise: float
    even_noise: float
    slope: float
    terms: np.ndarray
    covariance: np.ndarray
    coefficients: np.ndarray
    floor: bool
    blur: float

    @classmethod
    def joined(cls, parts: Sequence[Motion]) -> Motion:
        """Return the motion on the runs of all parts, whose weights are then of mean one.

        Parameters
        ----------
        parts : sequence of Motion
            Of one formula, weighted alike.
        """
        rows = np.array([part.lengths.sum() for part in parts])
        weight = np.array([part.lengths @ part.level for part in parts])
        unit, shares = weight.sum() / rows.sum(), rows / rows.sum()
        every = {
            field.name: np.concatenate([getattr(part, field.name) for part in parts])
            for field in fields(cls)
            if isinstance(getattr(parts[0], field.name), np.ndarray)
            and field.name not in ("terms", "covariance", "coefficients")
        }
        every |= {name: every[name] / unit for name in ("power", "fastest", "level", "bands")}
        every |= {name: every[name] / np.sqrt(unit) for name in ("trend", "bias")}
        means = np.array([part.terms for part in parts])
        middle = shares @ means
        away = (means - middle) * np.sqrt(rows)[:, None]
        inside = sum((n - 1) * part.covariance for n, part in zip(rows, parts, strict=True))
        return cls(
            **({"share": 0.0} | every),
            noise=float(weight @ [part.noise for part in parts] / weight.sum()),
            even_noise=float(shares @ [part.even_noise for part in parts]),
            slope=float(np.sqrt(shares @ [part.slope**2 for part in parts])),
            terms=middle,
            covariance=(inside + away.T @ away) / (rows.sum() - 1),
            coefficients=parts[0].coefficients,
            floor=parts[0].floor,
            blur=parts[0].blur,
        )

    def explained(self) -> tuple[np.ndarray, bool]:
        """Return what noise explains of the power, (runs,), and whether the fastest modes tell it.

        What the metric says of the noise counts where the fastest modes say less: clean data have
        a resolution, not a noise. Off a smooth path fast modes are motion like any others.
        """
        stated = max(self.noise, 0.0) * (self.lengths - 1)
        seen = bool(self.fastest.sum() > stated.sum() / 2)
        return (self.fastest if self.floor and seen else stated), seen

    @property
    def without_noise(self) -> bool:
        """Whether the fastest modes show less than the noise that the metric states."""
        return self.floor and not self.explained()[1]

    def systematic(self) -> np.ndarray:
        """Return the systematic variance of each run, (runs,): noisy stretches count less."""
        return self._without_stated(self.bands, self.noise).sum(axis=1) / self.level

    def unweighted(self) -> np.ndarray:
        """Return the systematic variance of each run, (runs,), all samples counting alike."""
        return self._without_stated(self.even, self.even_noise).sum(axis=1)

    def _without_stated(self, bands: np.ndarray, noise: float) -> np.ndarray:
        # Without a floor no mode is noise alone: what noise has in each band is known.
        return bands - self.share * noise

    def unsure(self, criteria: LawCriteria) -> float:
        """Return the variance that may be no motion: of unseen noise, and of expansions."""
        stated = 0.0 if self.floor else criteria.stated_noise * self.even_noise
        return stated + self._erring

    @property
    def _erring(self) -> float:
        """Variance that the error of an expansion makes along runs, at any frequency."""
        return (self.blur * self.slope) ** 2 if self.blur else 0.0

    def excess(self, criteria: LawCriteria) -> tuple[np.ndarray, np.ndarray]:
        """Return each run's motion beyond what is tolerated, and its error; see `excess_of`."""
        bands = self._without_stated(self.bands, self.noise)
        tolerated = criteria.tolerated_motion * self.noise + self._erring
        tolerated = tolerated + criteria.stated_noise * self.noise * self.share
        # Clean data have a resolution, within which integrators drift, and expansions an error.
        clean = not self.explained()[1]
        least = np.sqrt(max(self.noise, 0.0) + self._erring) if clean else 0.0
        return excess_of(bands - tolerated, self.trend, max(abs(self.bias.mean()), least))

    def chance(self, criteria: LawCriteria) -> float:
        """Return how probably a true law would show as much motion, in bands or as a trend."""
        return chance_of_any(*self.excess(criteria))

    @property
    def alone(self) -> float:
        """Standard deviation of the terms, each on its own, added in squares."""
        return float(np.sqrt(max(self.coefficients**2 @ np.diag(self.covariance), 1e-300)))

    @property
    def cancelled(self) -> float:
        """The value's standard deviation over that of its terms, each on its own."""
        together = max(float(self.coefficients @ self.covariance @ self.coefficients), 0.0)
        return float(np.sqrt(together)) / self.alone


def excess_of(
    bands: np.ndarray, trend: np.ndarray, tolerated: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return each run's motion in each band and as a trend, and the errors of their means.

    A rise or a fall that all runs share adds up over them, where squares have to stand out of the
    noise's own: a loss by friction of a percent is seen in what no band shows.

    Parameters
    ----------
    bands : (runs, bands) array
        Systematic variances beyond what is tolerated.
    trend : (runs,) array
        See `Motion`.
    tolerated : float
        Size of a mean trend that is none: of the noise's bias that was taken out, say.

    Returns
    -------
    excess : (runs, bands + 2) array
        The last two for a rise and for a fall.
    error : (bands + 2,) array
        Standard error of its mean over runs.
    """
    slow = np.stack([trend, -trend], axis=1) - tolerated
    excess = np.concatenate([bands, slow], axis=1)
    return excess, excess.std(axis=0, ddof=1) / np.sqrt(len(excess))


def chance_of_any(excess: np.ndarray, error: np.ndarray) -> float:
    """Return how probably a true law would show as much motion, in any band or as a trend.

    By a one-sided t test over runs of each, and Bonferroni's inequality.

    Parameters
    ----------
    excess : (runs, k) array
    error : (k,) array
        Standard error of its mean over runs.
    """
    return float(chance_of_motion(excess.mean(axis=0), error, len(excess)))


def chance_of_motion(excess: np.ndarray, error: np.ndarray, n_runs: int) -> np.ndarray:
    """Return how probably noise alone would show as much motion in the worst of the bands.

    Parameters
    ----------
    excess : (..., k) array
        Mean motion over runs, beyond what is tolerated.
    error : (k,) array
        Its standard error.
    n_runs : int

    Returns
    -------
    (...) array
    """
    with np.errstate(over="ignore"):  # short runs have no modes in the lowest band
        worst = np.max(excess / np.maximum(error, 1e-300), axis=-1)
    return np.minimum(len(error) * stats.t.sf(worst, n_runs - 1), 1.0)
