"""The noise of iterates: read from how well the next state follows from the state.

Iterates x_{t+1} = F(x_t) lie on no path, and their noise cannot be read from differences. But F is
a function: where it is fitted, what is left of the next state is the noise of both,

    r = x_{t+1} − F(x_t) = e_{t+1} − J e_t,     E[r rᵀ] = (1 + h)(Σ + J Σ Jᵀ),

J = ∂F/∂x at x_t, Σ = diag(σ²) the covariance of the noise e, and h the leverage: what samples of
other runs leave open of F. These are linear equations in σ², solved by least squares, weighted by
the products' variance. Products beyond four standard deviations do not count: a map that is cut (an
angle taken modulo a turn) is predicted wrongly near its cuts. What F misses of the map adds to the
noise, which is an upper bound.

Where nothing follows from the state (rows in any order, noise alone), r has the variance of the
states themselves, and there is no map.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from discovery.criteria import NOISE
from discovery.data.trajectories import Trajectories
from discovery.estimation.iterates.regression import Polynomial, Prediction, ways
from discovery.estimation.model_rows import equal_steps, model_inputs

# Parts of the runs, each predicted from the others.
_FOLDS = 4
# Steps that are fitted at most, those that choose the fit, and those that tell the noise.
_FITTED, _CHOOSING, _TELLING = 20_000, 1_200, 4_000
# Median of the square of a standard normal variable, and a variable's variance within `_TAIL`.
_MEDIAN, _TAIL, _WITHIN = 0.4549364231195724, 16.0, 0.9988
# Iterations of the weights; what the equations are drawn to equal shares by, where they leave
# open which coordinate is the noisy one.
_ITERATIONS, _EQUAL = 15, 1e-3


@dataclass(frozen=True)
class OneStep:
    """What one step of a map tells.

    Attributes
    ----------
    noise : (d,) array
        Standard deviation of each coordinate's noise.
    unexplained : (d,) array
        Share of each coordinate's variance within runs that the step before leaves open; about 1
        where it tells nothing, and about 2 for a coordinate that is constant but for its noise.
    """

    noise: np.ndarray
    unexplained: np.ndarray

    @property
    def is_map(self) -> bool:
        """Whether the next state follows from the state, in one coordinate at least."""
        return bool(self.unexplained.min() <= NOISE.unexplained)


def one_step(runs: Trajectories) -> OneStep | None:
    """Fit one step of the map that runs are iterates of.

    Parameters
    ----------
    runs : Trajectories
        Angles are taken on the circle.

    Returns
    -------
    OneStep or None
        None where steps of time are unequal, or too few to fit anything.
    """
    steps = _Steps.of(runs)
    if steps is None:
        return None
    fits = list(ways(min(_FITTED, steps.fewest_fitted), runs.dim))
    if not fits:
        return None
    rng = np.random.default_rng(0)
    least = NOISE.resolution**2
    some = steps.folds(_CHOOSING, rng)

    def error(fit: Polynomial) -> float:
        rest, _ = steps.predicted(fit, some)
        return float(np.sum(np.log(np.maximum(np.median(rest**2, axis=0), least))))

    rest, step = steps.predicted(min(fits, key=error), steps.folds(_TELLING, rng))
    rest /= np.sqrt(1 + step.leverage)[:, None]
    noise = np.sqrt(_variances(rest, step.slopes))
    left = np.median(rest**2, axis=0) / _MEDIAN
    return OneStep(
        np.maximum(noise, NOISE.resolution) * steps.scale, left * steps.scale**2 / steps.within
    )


@dataclass(frozen=True)
class _Steps:
    """Pairs of a state and the next, in units of each coordinate's spread.

    Attributes
    ----------
    now, move : (n, d) arrays
        States, and how far the next ones are from them; angles by the shorter way.
    run : (n,) array of int
    scale, within : (d,) arrays
        Spread of each coordinate, and its variance within runs.
    turn : (d,) array
        A whole turn of angles in units of the spread; infinite for others.
    """

    now: np.ndarray
    move: np.ndarray
    run: np.ndarray
    scale: np.ndarray
    within: np.ndarray
    turn: np.ndarray

    @classmethod
    def of(cls, runs: Trajectories) -> _Steps | None:
        rows, groups = model_inputs(runs, runs.rows), runs.groups
        pairs = np.flatnonzero(equal_steps(runs))
        if 2 * len(pairs) < len(rows) - runs.n_runs or len(pairs) < 2 * runs.n_runs:
            return None
        means = np.add.reduceat(rows, runs.offsets[:-1]) / runs.lengths[:, None]
        within = np.mean((rows - means[groups]) ** 2, axis=0)
        scale = rows.std(axis=0)
        angle = np.array([role == "angle" for role in runs.roles or (None,) * runs.dim])
        turn = np.where(angle, 2 * np.pi / scale, np.inf)
        now, move = rows[pairs] / scale, (rows[pairs + 1] - rows[pairs]) / scale
        return cls(now, _shortest(move, turn), groups[pairs], scale, within, turn)

    @property
    def fewest_fitted(self) -> int:
        """Steps that a fold leaves to fit, at least."""
        return len(self.now) - int(np.bincount(self.run % _FOLDS, minlength=_FOLDS).max())

    def folds(self, size: int, rng: np.random.Generator) -> list[tuple[np.ndarray, np.ndarray]]:
        """Draw steps to fit and steps of other runs to predict, for each part of the runs."""
        out = []
        for fold in range(_FOLDS):
            held = self.run % _FOLDS == fold
            fitted, asked = (rng.permutation(np.flatnonzero(rows)) for rows in (~held, held))
            out.append((fitted[:_FITTED], asked[: size // _FOLDS]))
        return out

    def predicted(
        self, fit: Polynomial, folds: list[tuple[np.ndarray, np.ndarray]]
    ) -> tuple[np.ndarray, Prediction]:
        """Return what a fit leaves of the next states (n, d), and what it predicts of them."""
        rest, parts = [], []
        for fitted, asked in folds:
            if not len(asked):
                continue
            part = fit.predict(self.now[fitted], self.move[fitted], self.now[asked])
            rest.append(_shortest(self.move[asked] - part.values, self.turn))
            parts.append(part)
        slopes = np.concatenate([part.slopes for part in parts]) + np.eye(len(self.scale))
        whole = Prediction(
            np.concatenate([part.values for part in parts]),
            slopes,
            np.concatenate([part.leverage for part in parts]),
        )
        return np.concatenate(rest), whole


def _shortest(move: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """Return differences (n, d) without whole turns."""
    finite = np.where(np.isfinite(turn), turn, 1.0)
    return np.where(np.isfinite(turn), move - finite * np.round(move / finite), move)


def _variances(rest: np.ndarray, slopes: np.ndarray) -> np.ndarray:
    """Return the variance of each coordinate's noise, (d,), in squared units of its spread.

    Parameters
    ----------
    rest : (n, d) array
        r, divided by √(1 + h).
    slopes : (n, d, d) array
        J.
    """
    d = rest.shape[1]
    least, unit = (0.01 * NOISE.resolution) ** 2, np.eye(d)
    typical = np.median(rest**2, axis=0) / _MEDIAN
    own = np.median(1 + np.sum(slopes**2, axis=2), axis=0)
    found = np.full(d, max(float(np.median(typical / own)), least))
    for _ in range(_ITERATIONS):
        covariance = np.einsum("nij,j,nkj->nik", slopes, found, slopes) + np.diag(found)
        stated = np.einsum("nii->ni", covariance)
        inside = rest**2 <= _TAIL * stated
        normal, target = np.zeros((d, d)), np.zeros(d)
        for i, k in itertools.combinations_with_replacement(range(d), 2):
            some = inside[:, i] & inside[:, k]
            design = slopes[some, i] * slopes[some, k] + unit[i] * (i == k)
            product = rest[some, i] * rest[some, k] / _WITHIN
            weight = 1 / (stated[some, i] * stated[some, k] + covariance[some, i, k] ** 2)
            normal += (design * weight[:, None]).T @ design
            target += (design * weight[:, None]).T @ product
        size = float(found.max())
        ridge = _EQUAL * np.diag(normal)
        half = np.linalg.cholesky(normal + np.diag(ridge))
        target = (target + ridge * found.mean()) / size
        found = np.maximum(nnls(half.T, np.linalg.solve(half, target))[0] * size, least)
    # What is less than its own error is not known to be less.
    return np.maximum(found, np.sqrt(np.diag(np.linalg.inv(normal + np.diag(ridge)))))
