"""Runs as points: what is conserved along each, in standard errors, for scikit-learn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from discovery.data.states import States
from discovery.data.trajectories import Trajectories
from discovery.levels.choice import exact_laws
from discovery.levels.conserved import Conserved, Laws
from discovery.levels.distance import LawDistance, whitening
from discovery.levels.pieces import Mean, mean_of, piece, pieces, unsteadiness


class Known(Protocol):
    """A report, as far as distances go.

    Attributes
    ----------
    quantities : list of Conserved
    noise : mapping from name to number
    names : tuple of str
    runs : Trajectories or None
    """

    quantities: list[Conserved]
    noise: Mapping[str, float]
    names: tuple[str, ...]
    runs: Trajectories | None


class Means:
    """Means of a report's exact laws over pieces of runs, with all their errors.

    Parameters
    ----------
    report : Known
    runs : Trajectories
        Runs that tell what the laws move by themselves.

    Raises
    ------
    ValueError
        For a report without laws.
    """

    def __init__(self, report: Known, runs: Trajectories) -> None:
        self.laws, self.names = Laws(exact_laws(report.quantities)), report.names
        self.unit = np.array([q.spread for q in self.laws.quantities])
        # What has no noise of its own, as a parameter, is known.
        self._noise = np.array([report.noise.get(name, 0.0) for name in report.names])
        self._unsteady = unsteadiness(self.laws, runs, self._noise)

    def of(self, states: np.ndarray) -> Mean:
        """Return the means over the states (n, d) of a piece, and their covariance."""
        mean = mean_of(self.laws, states, self._noise)
        return Mean(mean.values, mean.covariance + self._unsteady)

    def distance(self, a: States, b: States) -> LawDistance:
        """Return how far two pieces are apart.

        Parameters
        ----------
        a, b : (n, d) arrays, tables, or Trajectories of one run
        """
        one, other = (self.of(piece(run, self.names)) for run in (a, b))
        return LawDistance.of(one, other, self.unit)


class LawEmbedding(TransformerMixin, BaseEstimator):
    """Each run a point, such that distances are standard errors apart in what is conserved.

    A point has one coordinate a law: its mean over the run, minus what the laws before it tell of
    its error, over the standard error of a difference of two runs like those of `fit`. NumPy takes
    a fitted one as the points of these runs.

    Parameters
    ----------
    report : DiscoveryReport
        With exact laws; and runs, if `runs` are not given.
    runs : Trajectories, optional
        Runs that tell what the laws move by themselves; the report's by default.

    Attributes
    ----------
    embedding_ : (runs, rank) array
        The points of the runs of `fit`.
    rank_ : int
        Number of laws. Runs on one level set are one point but for noise, wherever they are on it.
    whitening_ : (rank, rank) array
        W: points are W C̄.

    Examples
    --------
    ``KNeighborsClassifier`` and ``KMeans`` after it in a pipeline work as they are:
    ``make_pipeline(report.embed(), KMeans(3))``.
    """

    def __init__(self, report: Known, runs: Trajectories | None = None) -> None:
        self.report = report
        self.runs = runs

    def fit(self, X: States | Sequence[States], y: None = None) -> LawEmbedding:
        """Learn how well runs like these tell the laws.

        Parameters
        ----------
        X : Trajectories, list of (n, d) arrays, or (runs, steps, d) array
            A run each.
        y : ignored

        Raises
        ------
        ValueError
            For a report without laws, or without runs where none are given; for anything but runs.
        """
        runs = self.report.runs if self.runs is None else self.runs
        if runs is None:
            raise ValueError(
                "the report keeps no runs, as it was read from a file. Give runs=, Trajectories "
                f"of {', '.join(self.report.names)}."
            )
        self._means = Means(self.report, runs)
        found = self._of(X)
        # The difference of two runs has the errors of both.
        typical = 2 * np.mean([mean.covariance for mean in found], axis=0)
        self.whitening_ = whitening(typical, self._means.unit)
        self.rank_ = len(self.whitening_)
        self.embedding_ = self._points(found)
        return self

    def transform(self, X: States | Sequence[States]) -> np.ndarray:
        """Return the point of each run.

        Parameters
        ----------
        X : Trajectories, list of (n, d) arrays, or (runs, steps, d) array

        Returns
        -------
        (runs, rank) array
        """
        check_is_fitted(self)
        return self._points(self._of(X))

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> np.ndarray:
        """Return the laws: their names, or formulas where they have none or share one."""
        check_is_fitted(self)
        quantities = self._means.laws.quantities
        names = [q.name for q in quantities]
        return np.array(
            [q.name if q.name and names.count(q.name) == 1 else q.formula for q in quantities],
            dtype=object,
        )

    def __array__(self, dtype: np.dtype | None = None, copy: bool | None = None) -> np.ndarray:
        check_is_fitted(self)
        return np.array(self.embedding_, dtype=dtype, copy=copy)

    def _of(self, X: States | Sequence[States]) -> list[Mean]:
        found = [self._means.of(states) for states in pieces(X, self._means.names)]
        if not found:
            raise ValueError("received no runs. Expected one at least.")
        return found

    def _points(self, found: Sequence[Mean]) -> np.ndarray:
        return np.array([mean.values for mean in found]) @ self.whitening_.T
