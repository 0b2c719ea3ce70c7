"""ConservedQuantityFinder: the engine as a scikit-learn transformer."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from discovery.data.coordinates import Roles, default_names
from discovery.data.flaws.missing import checked_missing
from discovery.data.noise_level import NoiseLevel
from discovery.data.readiness import check_for_analysis
from discovery.data.row_limit import MAX_ROWS
from discovery.data.scan.scanned import Scan
from discovery.data.scan.workers import ClientLike
from discovery.data.states import States, coordinates, run_and_time
from discovery.data.tables import (
    as_frame_of_numbers,
    as_table,
    check_run_ids,
    frame_times,
    in_degrees,
    is_frame,
    units_of,
)
from discovery.data.trajectories import Trajectories
from discovery.data.velocities import Formed
from discovery.estimation.iterates.sampling import told_sampling
from discovery.formulas.decimals import in_decimals
from discovery.laws.judging.information import information
from discovery.libraries.choice import LibraryLike
from discovery.libraries.many_bodies.told import BoxLike
from discovery.pipeline import analyse_runs, sample_of
from discovery.preparations import WithoutModel

if TYPE_CHECKING:
    import pandas as pd


class ConservedQuantityFinder(TransformerMixin, BaseEstimator):
    """Find functions of the state that stay constant along each trajectory.

    No model is needed: the noise is estimated from the trajectories' own smoothness.

    Parameters
    ----------
    library : str, list or Library, default="auto"
        Candidate functions: a name of ``discovery.libraries.NAMES``, SymPy expressions or their
        text, a `Library`, or ``"auto"``, which goes from simple to rich. Of fields also
        ``"fields with second derivatives"``.
    noise : float, (d,) array-like, or mapping from name to float, optional
        Standard deviation of the measurement noise where it is known, in the units of `X`; 0 where
        there is none.
    roles : list of str, optional
        What each column is (``discovery.trajectories.ROLES``); chooses functions for ``"auto"``.
    grid_spacing : float or sequence of float, optional
        For roles ``"field"``: the distance between grid points, or one for each axis, (hy, hx).
        Default: 1.
    constants : mapping from name to positive number, optional
        Physical constants that coefficients may be simple multiples of, ``{"g": 9.81}``.
    max_rows : int, default=200000
        Of larger data sets so many rows are analysed: runs drawn at random, or stretches of them.
        Fields have a limit of their own, 100000 states.
    kind : {"auto", "flow", "map"}, optional
        What the samples of a run are: of a path in time, or iterates of a map (or so far apart that
        they may as well be). By default they tell.
    ordered : bool, default=True
        False for groups of samples in no order, which share their constants. They do not tell their
        noise: `noise` is needed.
    max_drift : float, optional
        What is called nearly conserved drifts by less than this share of its spread: 0.02 by
        default.
    degrees : str or sequence of str, optional
        Columns (``"x0"`` in an array) that are angles, or rates of angles, in degrees. Formulas
        stay in degrees: ``cos(pi*x0/180)``.
    missing : {"raise", "drop"}, default="raise"
        What is done with samples without a finite value, or with the time of the sample before:
        refused, or left out. Samples that a masked array masks are always left out.
    bodies : int, optional
        How many bodies the columns of places and velocities are of: laws are then sums over bodies
        and over pairs. Of sixteen columns and more, names and roles tell.
    box : float or sequence of float, optional
        The length of a periodic box in which the bodies are, or one for each axis. Places may be
        inside it or unrolled; forces are those of the nearest image.
    client : distributed.Client or str, optional
        Of a Dask cluster, or the address of its scheduler: its workers judge the rows of scanned
        files, which they must reach by the same paths.
    random_state : int, RandomState or None, default=None
        Splits the runs and draws the resamples.

    Attributes
    ----------
    quantities_ : list of Quantity
        Exact laws first, then what decays, then nearly conserved ones; all functionally
        independent.
    n_conserved_ : int
        Number of exact laws, and of columns of `transform`.
    report_ : DiscoveryReport
    n_features_in_, feature_names_in_
        As usual.

    Notes
    -----
    Rows must be in time order within each run, unless ``ordered=False``. Fewer than eight runs
    cannot tell a law from chance: the report is ``"undecided"`` and says what is constant along
    them (verdict ``"along_run"``); these are no columns of `transform`.

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
    x0**2/2 + x1**2/2
    """

    def __init__(  # noqa: PLR0913 (the public interface)
        self,
        library: LibraryLike = "auto",
        *,
        noise: NoiseLevel = None,
        roles: Roles | None = None,
        grid_spacing: float | Sequence[float] | None = None,
        constants: Mapping[str, float] | None = None,
        max_rows: int = MAX_ROWS,
        kind: str | None = None,
        ordered: bool = True,
        max_drift: float | None = None,
        degrees: str | Sequence[str] = (),
        missing: str = "raise",
        bodies: int | None = None,
        box: BoxLike = None,
        client: ClientLike = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.library = library
        self.noise = noise
        self.roles = roles
        self.grid_spacing = grid_spacing
        self.constants = constants
        self.max_rows = max_rows
        self.kind = kind
        self.ordered = ordered
        self.max_drift = max_drift
        self.degrees = degrees
        self.missing = missing
        self.bodies = bodies
        self.box = box
        self.client = client
        self.random_state = random_state

    def fit(
        self,
        X: States,
        y: None = None,
        *,
        groups: np.ndarray | None = None,
        times: np.ndarray | None = None,
    ) -> ConservedQuantityFinder:
        """Find what is conserved.

        Parameters
        ----------
        X : (n, d) array-like, Trajectories, pandas.DataFrame or Scan
            States, rows of a run in time order. Trajectories bring their groups, times, names and
            roles; so does a table with a column ``run`` its groups, and with a column ``t`` its
            times. Of what `Trajectories.scan` returns `max_rows` rows are searched, and what is
            found is judged on all.
        y : ignored
        groups : (n,) array-like
            The run that each row belongs to. Without it a run ends where `times` go back.
        times : (n,) array-like, optional
            Increasing within each run; equally spaced by default.

        Raises
        ------
        ValueError
            For NaN or infinity (unless ``missing="drop"``), runs too short to analyse, constant
            columns, repeated times, unknown library or roles, bad constants, `max_rows` or `kind`,
            unordered samples without `noise`.

        Warns
        -----
        UserWarning
            Without groups, where time does not start anew: the rows count as one run, of which no
            law is known. `report_` has what is constant along it.
        """
        sampling = told_sampling(self.kind, self.ordered, self.noise is not None)
        rng = np.random.default_rng(check_random_state(self.random_state).randint(2**31))
        X, whole = sample_of(X, self.max_rows, rng, self.client)
        given = _Given.of(X, groups, times)
        if not self.ordered:
            given = replace(given, times=None)
        checked_missing(self.missing)
        # Runs tell where a value is not finite, and what to do.
        X = validate_data(
            self, given.rows, dtype=np.float64, ensure_min_samples=2, ensure_all_finite=False
        )
        X = X if given.mask is None else np.ma.array(X, mask=given.mask)
        report = analyse_runs(
            self._runs(X, given),
            WithoutModel(sampling),
            library=self.library,
            noise=self.noise,
            constants=self.constants,
            max_rows=self.max_rows,
            max_drift=self.max_drift,
            degrees=self.degrees,
            bodies=self.bodies,
            box=self.box,
            whole=whole,
            rng=rng,
        )
        self.report_ = report
        self.quantities_ = self.report_.quantities
        self.n_conserved_ = self.report_.n_conserved
        return self

    def _runs(self, X: np.ndarray, given: _Given) -> Trajectories:
        names = getattr(self, "feature_names_in_", None)
        names = default_names(X.shape[1]) if names is None else [str(n) for n in names]
        roles = given.roles if self.roles is None else self.roles
        spacing = given.grid_spacing if self.grid_spacing is None else self.grid_spacing
        runs = Trajectories.from_rows(
            X, given.groups, given.times, names, roles, spacing, missing=self.missing
        )
        runs.formed, runs.remarks = given.formed, (*given.remarks, *runs.remarks)
        runs.in_degrees, runs.units = given.in_degrees, given.units
        check_for_analysis(runs)
        if given.groups is None and runs.n_runs == 1:
            _warn_of_one_run("the report is undecided and transform returns no column")
        return runs

    def transform(self, X: States) -> np.ndarray:
        """Evaluate the exact laws.

        Parameters
        ----------
        X : (n, d) array-like, Trajectories or pandas.DataFrame

        Returns
        -------
        (n, n_conserved_) array
        """
        check_is_fitted(self)
        if self.n_conserved_ and len(self.report_.names) > self.n_features_in_:
            return self._of_states(X)
        given = _Given.of(X)
        rows = given.rows
        if isinstance(X, Trajectories):
            known = list(getattr(self, "feature_names_in_", ()))
            rows = rows[known] if set(known) == set(X.names) else rows if known else X.rows
        finite = self.missing == "raise"
        X = validate_data(self, rows, dtype=np.float64, reset=False, ensure_all_finite=finite)
        values = self._evaluated(X)
        if given.mask is not None:
            values[given.mask.any(axis=1)] = np.nan
        return values

    def _of_states(self, X: States) -> np.ndarray:
        """Evaluate the laws where `fit` formed velocities: on states that have them."""
        names = self.report_.names
        if isinstance(X, Trajectories) and not set(names) <= set(X.names):
            raise ValueError(
                f"the laws are of {', '.join(names)}, and velocities were formed in fit. Expected "
                "states that have them: pass runs.with_velocities(), whose rows are states."
            )
        return self._evaluated(coordinates(X, names))

    def _evaluated(self, states: np.ndarray) -> np.ndarray:
        exact = self.quantities_[: self.n_conserved_]
        return np.column_stack([q(states) for q in exact]) if exact else np.empty((len(states), 0))

    def score(
        self,
        X: States,
        y: None = None,
        *,
        groups: np.ndarray | None = None,
    ) -> float:
        """Return how much the exact laws tell of the run that a sample is on, in nats.

        The mean over the samples of the log-likelihood ratio of two models: the laws are constant
        on each run, but for the noise and the drift that their reports allow; or they have one
        distribution on all runs (see `discovery.laws.judging.information`). For laws that hold this
        is ½ log det(1 + W⁻¹B), with the covariances of their values within and between runs. So
        each law that holds adds to it, the more the better it tells runs apart, and a law that
        moves on these runs takes away. Laws that are functions of others are no laws of the finder,
        and add nothing.

        Zero where there is no law; negative where what was found does not hold here; no upper end:
        3 for one law that tells e³ values apart.

        Parameters
        ----------
        X : (n, d) array-like, Trajectories or pandas.DataFrame
        y : ignored
        groups : (n,) array-like
            The run that each row belongs to.

        Raises
        ------
        ValueError
            When no run has two rows.

        Warns
        -----
        UserWarning
            Without groups: one run tells nothing of laws, and the score is zero.
        """
        given = _Given.of(X, groups)
        values = np.asarray(self.transform(X))
        if given.groups is None:
            _warn_of_one_run("the score is zero")
            return 0.0
        if not values.shape[1]:
            return 0.0
        sound = np.isfinite(values).all(axis=1)
        _, run = np.unique(np.asarray(given.groups)[sound], return_inverse=True)
        if len(run) - len(np.unique(run)) < 1:
            raise ValueError(
                "no run has two rows at which the laws have values. Expected groups= with the run "
                "of each row, and several rows a run."
            )
        exact = self.quantities_[: self.n_conserved_]
        error = [q.spread * np.hypot(q.noise, q.drift_interval[1]) for q in exact]
        return information(values[sound], run, np.array(error))

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> np.ndarray:
        """Return the laws' formulas, the names of `transform`'s columns."""
        check_is_fitted(self)
        exact = self.quantities_[: self.n_conserved_]
        return np.array([str(in_decimals(q.expression)) for q in exact], dtype=object)


@dataclass(frozen=True)
class _Given:
    """What the user gave: rows, and what goes with them where it is known."""

    rows: ArrayLike | pd.DataFrame
    groups: np.ndarray | None = None
    times: np.ndarray | None = None
    roles: Roles | None = None
    grid_spacing: float | tuple[float, ...] | None = None
    formed: Formed | None = None
    remarks: tuple[str, ...] = ()
    in_degrees: tuple[str, ...] = ()
    units: dict[str, str] = field(default_factory=dict)
    mask: np.ndarray | None = None

    @classmethod
    def of(
        cls, X: States, groups: np.ndarray | None = None, times: np.ndarray | None = None
    ) -> _Given:
        if isinstance(X, Scan):
            raise ValueError(
                f"{X!r} is scanned, and larger than memory may be. Expected states in memory: take "
                "runs as they are read, scan.pieces(100_000)[0].read()."
            )
        if isinstance(X, Trajectories):
            import pandas as pd

            return cls(
                pd.DataFrame(X.rows, columns=list(X.names)),
                X.groups if groups is None else groups,
                X.row_times if times is None else times,
                X.roles,
                X.grid_spacing,
                X.formed,
                X.remarks,
                X.in_degrees,
                X.units,
            )
        if is_frame(X):
            return cls._of_table(X, groups, times)
        if type(X) is dict:  # sparse matrices are dicts too
            raise ValueError(
                f"X is of type {type(X).__name__}. Expected (n, d) rows, or a table: "
                "pandas.DataFrame(X) makes one of a dict of columns."
            )
        if np.ma.isMaskedArray(X):
            # Whatever stands behind a mask.
            return cls(X.filled(0), groups, times, mask=np.ma.getmaskarray(X))
        return cls(X, groups, times)

    @classmethod
    def _of_table(
        cls, frame: pd.DataFrame, groups: np.ndarray | None, times: np.ndarray | None
    ) -> _Given:
        run = time = None
        if groups is None:
            frame = as_table(frame)
            run, time = run_and_time(frame)
        if run is not None:
            check_run_ids(frame, run)
            groups = frame[run].to_numpy()
        if times is None and time is not None:
            times = frame_times(frame, time)
        titles = list(frame.columns)
        degrees, units = in_degrees(frame, titles), units_of(frame, time, titles)
        frame = frame.drop(columns=[column for column in (run, time) if column is not None])
        return cls(as_frame_of_numbers(frame), groups, times, in_degrees=degrees, units=units)


def _warn_of_one_run(what: str) -> None:
    warnings.warn(
        f"without groups the rows count as one run, which cannot tell a law from a number: {what}. "
        "Pass groups=, the run of each row.",
        UserWarning,
        stacklevel=3,
    )
