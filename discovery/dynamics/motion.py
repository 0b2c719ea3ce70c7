"""Motion: equations that laws imply, fitted to runs, rolled out, and used for forecasts."""

from __future__ import annotations

import numbers
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import sympy
from numpy.typing import ArrayLike
from scipy import stats

from discovery.criteria import MOTION
from discovery.data.trajectories import Trajectories
from discovery.dynamics.asked import (
    far_from,
    marks_to,
    starts_of,
    states_of,
    times_of,
    window_of,
)
from discovery.dynamics.equations import Equations
from discovery.dynamics.flow import rollout, substeps, varied
from discovery.dynamics.shooting import Fit, lengthened, shoot, started
from discovery.dynamics.windows import Measured, Windows
from discovery.formulas.decimals import in_decimals

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from discovery.dynamics.picture import ForecastDisplay
    from keras_ndm import MotionLayer


# States at which a layer's error is measured.
_STATES = 200
# χ² from which on only its power of ten is of use.
_LARGE = 1e4
# A share of a number that is no error of a fit, but rounding.
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Forecast:
    """States ahead, and how well they are known.

    Attributes
    ----------
    states : (k, d) array
    covariance : (k, d, d) array
        Of their errors: of the start's, which the window tells, and of the fitted coefficients'.
    chi_square : float
        Of the window about its fit, per degree of freedom: about 1, or the window is no piece of
        this motion, or its noise is another.
    times : (k,) array
    names : tuple of d str
    chance : float
        How often noise leaves as much of a piece of this motion, were its variance half as large
        again as is known.
    """

    states: np.ndarray
    covariance: np.ndarray
    chi_square: float
    times: np.ndarray
    names: tuple[str, ...]
    chance: float

    def __str__(self) -> str:
        first, last = (
            ", ".join(f"{name} ± {e:.2g}" for name, e in zip(self.names, row, strict=True))
            for row in self.error[[0, -1]]
        )
        return (
            f"{len(self.times)} states of {', '.join(self.names)}\n"
            f"at {self.times[0]:.6g}: {first}\nat {self.times[-1]:.6g}: {last}\n"
            f"χ² per degree of freedom of the window: {_brief(self.chi_square)}"
            + ("" if self.fits else ": it is no piece of this motion, or its noise is another")
        )

    def __repr__(self) -> str:
        return (
            f"Forecast({len(self.times)} states of {', '.join(self.names)}, "
            f"t = {self.times[0]:.6g} to {self.times[-1]:.6g}, χ² {_brief(self.chi_square)})"
        )

    @property
    def fits(self) -> bool:
        """Whether noise explains what the window leaves: else the states ahead are of no use."""
        return self.chance > MOTION.window

    @property
    def error(self) -> np.ndarray:
        """Standard errors of the states, (k, d)."""
        return np.sqrt(np.einsum("kii->ki", self.covariance))


class Drawn:
    """What motions share: the picture of a forecast."""

    def plot_forecast(
        self, window: ArrayLike, times: ArrayLike, t: ArrayLike, ax: Sequence[Axes] | None = None
    ) -> ForecastDisplay:
        """Draw a forecast with its band of two standard errors, a panel for each coordinate.

        Parameters
        ----------
        window, times, t
            As for `forecast`.
        ax : sequence of d matplotlib Axes, optional
            A new figure by default.

        Returns
        -------
        discovery.displays.ForecastDisplay

        Raises
        ------
        ValueError
            As `forecast`.
        """
        from discovery.dynamics.picture import ForecastDisplay

        found = self.forecast(window, times, t)
        return ForecastDisplay.of(self._runs, (times, window), (t, found.states, found.error)).plot(
            ax
        )


@dataclass(frozen=True)
class Motion(Drawn):
    """Equations of motion that follow from laws; made by ``report.motion()``.

    Attributes
    ----------
    residual : float
        χ² per degree of freedom on windows of runs that took no part: about 1 where nothing but
        noise is left.
    uncertain : tuple of str
        What the data do not tell.
    route : str
        How the equations were found: ``"canonical"``, ``"accelerations"`` or ``"Nambu"``.
    noise : dict from name to float
        Standard deviation of the noise that χ² is counted in.
    """

    residual: float
    uncertain: tuple[str, ...]
    route: str
    noise: Mapping[str, float]
    _equations: Equations = field(repr=False)
    _runs: Trajectories = field(repr=False)
    _covariance: np.ndarray | None = field(default=None, repr=False)

    @property
    def equations(self) -> dict[str, sympy.Expr]:
        """The rate of each coordinate, a formula in the coordinates' names."""
        return self._equations.written

    @property
    def coefficients(self) -> dict[str, float]:
        """What a fit may change: the number of each term."""
        return dict(zip(self._equations.titles, self._equations.values.tolist(), strict=True))

    @property
    def standard_errors(self) -> dict[str, float]:
        """The standard errors of `coefficients`; nan where they are not fitted."""
        if self._covariance is None:
            return dict.fromkeys(self._equations.titles, float("nan"))
        errors = np.sqrt(np.maximum(np.diag(self._covariance), 0.0))
        return dict(zip(self._equations.titles, errors.tolist(), strict=True))

    def __repr__(self) -> str:
        return f"Motion({', '.join(self.names)}; {self.route} route; χ² {_brief(self.residual)})"

    def __str__(self) -> str:
        errors = self.standard_errors
        rates = self._equations.with_values(
            [float(_digits(a, errors[title])) for title, a in self.coefficients.items()]
        ).written
        lines = [f"d{name}/dt = {_short(rate)}" for name, rate in rates.items()]
        fitted = [
            f"{title}: {_digits(value, errors[title])} ± {errors[title]:.1g}"
            for title, value in self.coefficients.items()
            if errors[title] > _ROUNDING * abs(value)
        ]
        lines += [f"fitted: {'; '.join(fitted)}"] if fitted else []
        lines.append(f"χ² per degree of freedom on held-out runs: {_brief(self.residual)}")
        return "\n".join([*lines, *(f"not determined: {what}" for what in self.uncertain)])

    def rates(self, states: ArrayLike) -> np.ndarray:
        """Return the time derivatives at states (..., d), in the same shape.

        Parameters
        ----------
        states : (..., d) array

        Raises
        ------
        ValueError
            When the last axis is not d.
        """
        states = states_of(states, "states", self.names)
        flat = states.reshape(-1, states.shape[-1])
        return self._equations(flat).reshape(states.shape)

    def rollout(self, x0: ArrayLike, t: ArrayLike) -> np.ndarray:
        """Follow the motion from one state or from many.

        Symplectic where the energy is a sum of a function of the positions and of one of the
        velocities or momenta: then its error does not grow. Else by SciPy's ``DOP853``.

        Parameters
        ----------
        x0 : (d,) or (n, d) array
            States at the first time.
        t : (k,) array
            Increasing or decreasing.

        Returns
        -------
        (k, d) or (n, k, d) array
            nan from where the motion runs into a singularity.

        Raises
        ------
        ValueError
            For states of another size, and for times out of order.
        """
        x0, t = starts_of(x0, self.names), times_of(t, "t")
        steps = np.diff(t)
        if not (np.all(steps > 0) or np.all(steps < 0)):
            raise ValueError(
                "the times t are out of order. Expected increasing or decreasing ones."
            )
        found = rollout(self._equations, np.atleast_2d(x0), t)
        return found[0] if x0.ndim == 1 else found

    def refit(self, runs: Trajectories | None = None) -> Motion:
        """Fit all coefficients, with the starts of windows of 40 samples and then of longer ones.

        Multiple shooting by Gauss and Newton, with the variational equations. Neighbouring windows
        are joined, up to whole runs, while the motion follows them: what drifts slowly shows there.
        Numbers that the energy has equal stay equal, if the fit does not speak against it.

        Parameters
        ----------
        runs : Trajectories, optional
            With the coordinates that the motion has; by default those of the report.

        Returns
        -------
        Motion
            With standard errors. Its `residual` is that of held-out runs, from the fit to the
            others; its coefficients are those of the fit to all. `uncertain` says where too few
            runs were given to hold any out, and where χ² says that they do not move so.

        Raises
        ------
        ValueError
            For runs with other coordinates, or too short ones.
        """
        runs = self._runs if runs is None else checked(runs, self.names)
        found, windows, longer = lengthened(self._equations, self._windows(runs))
        equations, test = self._equations.with_values(found.values), windows.held_out
        others = equations.with_values(shoot(equations, windows[~test]).values)
        # Where too few windows are for any to be held out, it is that of the fit.
        held = shoot(others, windows[test], free=False) if test.any() else found
        values, covariance = found.values, found.covariance * max(1.0, found.per_freedom)
        if self._equations.ties is not None:
            values, covariance = self._equations.ties.kept(values, covariance, found.undetermined)
        fitted = ("the coefficients", "the motion along", "the motion of other runs")
        fitted += ("the motion of these runs",)
        uncertain = [what for what in self.uncertain if not what.startswith(fitted)]
        if not test.any():
            uncertain.append(
                f"the motion of other runs: {len(windows)} windows of about 40 samples are too few "
                "to hold any out, and χ² is that of the fit"
            )
        if held.per_freedom > MOTION.misfit:
            uncertain.append(
                f"the motion of these runs: χ² is {_brief(held.per_freedom)}, so that they move "
                "otherwise, or their noise is not that of the report"
            )
        if longer is not None:
            uncertain.append(
                f"the motion along more than {windows.times.shape[1]} samples: twice as many leave "
                f"χ² of {longer:.3g}, more than noise explains"
            )
        return replace(
            self,
            residual=held.per_freedom,
            uncertain=(*uncertain, *_undetermined(self._equations.titles, found.undetermined)),
            _equations=self._equations.with_values(values),
            _covariance=covariance,
            _runs=runs,
        )

    def forecast(self, window: ArrayLike, times: ArrayLike, t: ArrayLike) -> Forecast:
        """Say how a noisy piece of a run goes on.

        The state at its first time is fitted to the whole window, and followed.

        Parameters
        ----------
        window : (k, d) array
            Measured states, noisy as those of the report.
        times : (k,) array
        t : (m,) array
            When to forecast; not before the window begins.

        Returns
        -------
        Forecast

        Raises
        ------
        ValueError
            For states of another size or not finite, times out of order, windows that do not tell
            a state, and those that neither move as the runs do nor as the equations say.
        """
        piece, t = window_of(window, times, t, self._runs)
        fit = started(self._equations, self._windows(piece))
        found = self._ahead(fit, piece.row_times, t)
        if not found.fits:
            rates = (self._equations(rows) for rows in (piece.rows, self._runs.rows))
            if said := far_from(*rates, self.names):
                raise ValueError(
                    f"the window is no piece of this motion: χ² is {_brief(found.chi_square)}, and "
                    f"{said}. The equations are known where there were data: look at the units "
                    "and the order of the coordinates."
                )
        return found

    def layer(self, dt: float, **kwargs: str | bool) -> MotionLayer:
        """Return a Keras layer that moves states by dt.

        In as many fixed steps as keep its error, at nearly all states of the runs, below a
        millionth of a coordinate's spread; symplectic as `rollout` is. It is differentiable, and a
        `.keras` file holds the equations as plain data. Its numbers are those of now: `refit`
        first.

        Parameters
        ----------
        dt : float
            In the runs' unit of time; negative leads back.
        **kwargs
            For the layer, such as ``name=``.

        Returns
        -------
        keras_ndm.MotionLayer
            From states (batch, d) or (batch, samples, d), in the order of `names`.

        Raises
        ------
        ValueError
            For a dt that is no finite number, zero, or so long that it takes thousands of steps.
        """
        from keras_ndm import MotionLayer

        if not isinstance(dt, numbers.Real) or not np.isfinite(dt) or dt == 0:
            raise ValueError(f"dt is {dt!r}. Expected a finite number other than zero.")
        rows = self._runs.rows
        some = rows[:: max(1, len(rows) // _STATES)]
        spread = np.where(rows.std(axis=0) > 0, rows.std(axis=0), 1.0)
        names, halves = self.names, self._equations.halves
        return MotionLayer(
            self._equations.exact,
            dt=float(dt),
            substeps=substeps(self._equations, some, float(dt), spread),
            halves=None if halves is None else [[names[i] for i in half] for half in halves],
            **kwargs,
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The coordinates."""
        return tuple(s.name for s in self._equations.symbols)

    def _ahead(self, fit: Fit, times: np.ndarray, t: np.ndarray) -> Forecast:
        """Follow the start of one window, in steps as short as the window's."""
        grid, which = marks_to(times[0], t, float(np.median(np.diff(times))))
        path = varied(self._equations, fit.starts, grid[None], fit.steps)
        s, p = path.by_start[0, which], path.by_parameter[0, which]
        covariance = s @ fit.start_covariance[0] @ s.transpose(0, 2, 1)
        if self._covariance is not None:
            # With other numbers the window has another start, which makes up for some of them.
            p = p + s @ fit.start_by_number[0]
            covariance = covariance + p @ self._covariance @ p.transpose(0, 2, 1)
        chance = chance_of(fit.per_freedom, fit.freedom)
        return Forecast(path.states[0, which], covariance, fit.per_freedom, t, self.names, chance)

    def _windows(self, runs: Trajectories) -> Windows:
        noise = np.array([self.noise[name] for name in self.names])
        windows = Measured.of(runs, noise, self._runs.rows.std(axis=0)).windows()
        if len(windows) < 1:
            raise ValueError("the runs are too short. Expected 3 samples or more in a run.")
        return windows


def chance_of(per_freedom: float, freedom: int, allowed: float = 1.0) -> float:
    """Return how often noise leaves as much of a window.

    Parameters
    ----------
    per_freedom : float
        χ² over its degrees of freedom.
    freedom : int
    allowed : float
        What χ² may be beside it, as that of a model that is not exact.
    """
    square = per_freedom * freedom / (MOTION.misfit * max(allowed, 1.0))
    return float(stats.chi2.sf(square, freedom))


def _brief(square: float) -> str:
    return f"{square:.2f}" if square < _LARGE else f"{square:.1e}"


def _digits(value: float, error: float) -> str:
    """Return a number in the digits that its error tells, in all where it has none."""
    if not error > 0:
        return repr(float(value))
    return f"{value:.{int(np.clip(1 - np.floor(np.log10(error)), 0, 15))}f}"


def _short(formula: sympy.Expr) -> sympy.Expr:
    """Return a formula to be printed: six digits of each number, and none of a factor of one."""
    formula = in_decimals(formula)
    numbers = {a: sympy.Float(a, 6) for a in formula.atoms(sympy.Float)}
    ones = {a: sympy.Integer(short) for a, short in numbers.items() if abs(float(short)) == 1}
    return formula.xreplace(numbers | ones)


def checked(runs: Trajectories, names: Sequence[str]) -> Trajectories:
    """Return runs whose columns are the named coordinates, in their order.

    Raises
    ------
    ValueError
        For what are no runs, or lack a coordinate.
    """
    if not isinstance(runs, Trajectories):
        raise ValueError(f"runs is a {type(runs).__name__}; expected Trajectories.")
    lacking = [name for name in names if name not in runs.names]
    if lacking:
        raise ValueError(
            f"the runs lack the coordinates {', '.join(lacking)}; they have "
            f"{', '.join(runs.names)}. Velocities are formed by Trajectories.with_velocities()."
        )
    if tuple(names) == tuple(runs.names):
        return runs
    return runs.of_columns([runs.names.index(name) for name in names])


def _undetermined(titles: Sequence[str], directions: np.ndarray) -> list[str]:
    """Name the coefficients (m,) of which directions (m, u) change nothing."""
    if not directions.size:
        return []
    size = np.abs(directions).max(axis=1)
    named = ", ".join(titles[k] for k in np.flatnonzero(size > 1e-6 * size.max()))
    n = directions.shape[1]
    return [f"the coefficients of {named}: {n} combination{'s' * (n > 1)} of them change no motion"]
