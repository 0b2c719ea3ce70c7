"""ConservedQuantityFinder: the engine as a scikit-learn transformer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from discovery.data.coordinates import Roles, default_names
from discovery.data.readiness import check_for_analysis
from discovery.data.row_limit import MAX_ROWS
from discovery.data.trajectories import Trajectories
from discovery.libraries.choice import LibraryLike
from discovery.pipeline import NoiseLevel, WithoutModel, analyse_runs
from discovery.report.report import DiscoveryReport

# Rows of one unnamed run are cut into this many pieces, so that there is something to compare.
_PIECES = 8


class ConservedQuantityFinder(TransformerMixin, BaseEstimator):
    """Find functions of the state that stay constant along each trajectory.

    No model is needed: the noise is estimated from the trajectories' own smoothness.

    Parameters
    ----------
    library : str, list or Library, default="auto"
        Candidate functions: a name of ``discovery.libraries.NAMES``, SymPy expressions or their
        text, a `Library`, or ``"auto"``, which goes from simple to rich.
    noise : float or array-like of shape (d,), optional
        Standard deviation of the measurement noise where it is known, in the units of `X`.
    roles : list of str, optional
        What each column is (``discovery.trajectories.ROLES``); chooses functions for ``"auto"``.
    grid_spacing : float, optional
        For roles ``"field"``: the distance between grid points. Default: 1.
    constants : mapping from name to positive number, optional
        Physical constants that coefficients may be simple multiples of, ``{"g": 9.81}``.
    max_rows : int, default=200000
        Of larger data sets so many rows are analysed: runs drawn at random, or stretches of them.
        Fields have a limit of their own, 100000 states.
    random_state : int, RandomState or None, default=None
        Splits the runs and draws the bootstrap samples.

    Attributes
    ----------
    quantities_ : list of Quantity
        Exact laws first, then nearly conserved ones; all functionally independent.
    n_conserved_ : int
        Number of exact laws, and of columns of `transform`.
    report_ : DiscoveryReport
    n_features_in_, feature_names_in_
        As usual.

    Notes
    -----
    Rows must be in time order within each run. One run alone cannot tell a law from a number:
    without `groups` the rows count as one run and the report is ``"undecided"``.

    Examples
    --------
    >>> import numpy as np
    >>> from discovery import ConservedQuantityFinder
    >>> t = np.linspace(0, 12, 80)
    >>> runs = [np.c_[a * np.cos(t + a), -a * np.sin(t + a)] for a in np.linspace(1, 2, 20)]
    >>> finder = ConservedQuantityFinder(random_state=0)
    >>> finder.fit(np.vstack(runs), groups=np.repeat(np.arange(20), 80)).n_conserved_
    1
    >>> print(finder.quantities_[0].expression)
    x0**2 + x1**2
    """

    def __init__(
        self,
        library: LibraryLike = "auto",
        *,
        noise: NoiseLevel = None,
        roles: Roles | None = None,
        grid_spacing: float | None = None,
        constants: Mapping[str, float] | None = None,
        max_rows: int = MAX_ROWS,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.library = library
        self.noise = noise
        self.roles = roles
        self.grid_spacing = grid_spacing
        self.constants = constants
        self.max_rows = max_rows
        self.random_state = random_state

    def fit(
        self,
        X: np.ndarray,
        y: None = None,
        *,
        groups: np.ndarray | None = None,
        times: np.ndarray | None = None,
    ) -> ConservedQuantityFinder:
        """Find what is conserved.

        Parameters
        ----------
        X : (n, d) array-like
            States, rows of a run in time order.
        y : ignored
        groups : (n,) array-like
            The run that each row belongs to.
        times : (n,) array-like, optional
            Increasing within each run; equally spaced by default.

        Raises
        ------
        ValueError
            For NaN or infinity, one run, runs too short to analyse, constant columns, repeated
            times, unknown library or roles, bad constants or `max_rows`.
        """
        X = validate_data(self, X, dtype=np.float64, ensure_min_samples=2)
        runs = self._runs(X, groups, times)
        rng = np.random.default_rng(check_random_state(self.random_state).randint(2**31))
        report = analyse_runs(
            runs,
            WithoutModel(),
            library=self.library,
            noise=self.noise,
            constants=self.constants,
            max_rows=self.max_rows,
            rng=rng,
        )
        self.report_ = report if groups is not None else _of_one_run(report)
        self.quantities_ = self.report_.quantities
        self.n_conserved_ = self.report_.n_conserved
        return self

    def _runs(
        self, X: np.ndarray, groups: np.ndarray | None, times: np.ndarray | None
    ) -> Trajectories:
        names = getattr(self, "feature_names_in_", None)
        # Columns of an array are counted from 0, as everywhere in scikit-learn.
        names = default_names(X.shape[1], first=0) if names is None else [str(n) for n in names]
        if groups is not None:
            runs = Trajectories.from_rows(X, groups, times, names, self.roles, self.grid_spacing)
            check_for_analysis(runs)
            return runs
        pieces = np.minimum(np.arange(len(X)) * _PIECES // len(X), _PIECES - 1)
        return Trajectories.from_rows(X, pieces, times, names, self.roles, self.grid_spacing)

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Evaluate the exact laws.

        Parameters
        ----------
        X : (n, d) array-like

        Returns
        -------
        (n, n_conserved_) array
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        exact = self.quantities_[: self.n_conserved_]
        return np.column_stack([q(X) for q in exact]) if exact else np.empty((len(X), 0))

    def score(
        self,
        X: np.ndarray,
        y: None = None,
        *,
        groups: np.ndarray | None = None,
    ) -> float:
        """Return the smallest share of a law's variance that lies between runs, at most 1.

        One for values that stay exactly constant along each run; zero when no law was found.

        Parameters
        ----------
        X : (n, d) array-like
        y : ignored
        groups : (n,) array-like
            The run that each row belongs to; all rows are one run by default.
        """
        values = self.transform(X)
        if not values.shape[1]:
            return 0.0
        groups = np.zeros(len(values), dtype=int) if groups is None else np.asarray(groups)
        _, run = np.unique(groups, return_inverse=True)
        count = np.bincount(run)
        shares = []
        for column in values.T:
            mean = np.bincount(run, column) / count
            within = np.mean((column - mean[run]) ** 2)
            shares.append(1.0 - within / max(float(np.var(column)), 1e-300))
        return float(min(shares))

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> np.ndarray:
        """Return the laws' formulas, the names of `transform`'s columns."""
        check_is_fitted(self)
        exact = self.quantities_[: self.n_conserved_]
        return np.array([str(q.expression) for q in exact], dtype=object)


def _of_one_run(report: DiscoveryReport) -> DiscoveryReport:
    """Return the report without its verdicts: pieces of one run do not confirm each other."""
    return replace(
        report,
        verdict="undecided",
        reason="the rows are taken as one run, and one run cannot tell a law from a number; pass "
        "groups=, the run of each row.",
        confidence=0.0,
        quantities=[replace(q, verdict="undecided") for q in report.quantities],
    )
