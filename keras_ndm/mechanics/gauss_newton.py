r"""Regularized least squares for small models, with the posterior of their weights.

Levenberg–Marquardt steps minimize ½ β ‖r(θ)‖² + ½ Σ_k α_k ‖θ_k‖², r the residuals on all of the
data, θ_k the weights of one variable. The variance 1/β of the noise and the prior variances 1/α_k
follow from the data by MacKay's evidence: with H = β JᵀJ + diag(α) and γ_k = |θ_k| − α_k tr_k H⁻¹,
the number of weights that the data determine,

    α_k = γ_k / ‖θ_k‖²,        β = (N − Σ γ_k) / ‖r‖².

So noise is not fitted, and no regularization is set by hand. H⁻¹ is the covariance of the weights'
posterior in Laplace's approximation.

Source: D. MacKay, Neural Computation 4 (1992) 448; Foresee & Hagan, ICNN (1997) 1930; damping after
H. B. Nielsen, report IMM-REP-1999-05.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import keras
import numpy as np
from keras import ops
from scipy import linalg

from keras_ndm import backend
from keras_ndm.backend import Tensor
from keras_ndm.backend.training import per_sample_vjp
from keras_ndm.mechanics import flat_weights

# Rows whose Jacobian is computed at a time.
_CHUNK = 512
# Steps after which α and β are updated: far from a minimum H says nothing of the noise.
_SETTLED = 5
# The search ends after so many steps in a row (_IDLE) that each lower the objective by less than
# this share of it (_GAIN).
_GAIN, _IDLE = 1e-3, 4
# For the posterior of weights that other training has reached: rows of data used at most, and
# updates of α and β.
_MOST, _WEIGHED = 8192, 8
# A weak gamma prior of α: it decides where a variable has few weights, or all are near zero.
_PRIOR_COUNT, _PRIOR_SIZE = 1.0, 1e-2


@dataclass(frozen=True)
class Posterior:
    """Gaussian posterior of the weights of a fitted model.

    Attributes
    ----------
    mean : (P,) array
        The weights reached, in one row.
    factor : (P, P) array
        Lower Cholesky factor of H.
    determined : float
        Σ γ_k, how many weights the data determine.
    noise : float
        Standard deviation of the residuals.
    lag : (P,) array or float
        The Newton step that is left to the minimum of the objective; 0 where it is reached.
    """

    mean: np.ndarray
    factor: np.ndarray
    determined: float
    noise: float
    lag: np.ndarray | float = 0.0

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """Return weights (P,), drawn from the posterior."""
        z = rng.standard_normal(len(self.mean))
        spread = linalg.solve_triangular(self.factor, z, lower=True, trans="T")
        return self.mean + spread + rng.standard_normal() * self.lag


class Residuals:
    """Residuals of a model and their Jacobian in all its weights.

    Parameters
    ----------
    model : keras.Model
        Built, with ``residuals(x, y)`` (batch, k), in units in which they count alike.
    x : tuple of (N, …) arrays
    y : (N, k) array
    """

    def __init__(self, model: keras.Model, x: tuple, y: np.ndarray):
        self._model, self._data = model, [*x, y]
        self._rest = backend.compiled(self._values, model.non_trainable_variables)
        self._both = backend.compiled(self._with_jacobian, model.non_trainable_variables)

    def values(self, theta: np.ndarray) -> np.ndarray:
        """Return r (N·k,) at weights (P,)."""
        weights = _tensor(theta)
        return np.concatenate(
            [_numpy(self._rest(weights, *rows))[:size].ravel() for rows, size in self._chunks()]
        )

    def normal_equations(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return JᵀJ (P, P) and Jᵀr (P,) at weights (P,), summed in double precision."""
        weights, p = _tensor(theta), len(theta)
        square, slope = np.zeros((p, p)), np.zeros(p)
        for rows, size in self._chunks():
            rest, jacobian = self._both(weights, *rows)
            rest = _numpy(rest)[:size]
            jacobian = _numpy(jacobian)[:, :size].reshape(-1, p)
            square += linalg.blas.dsyrk(1.0, jacobian.T, lower=1)
            slope += jacobian.T @ rest.T.ravel()
        return square + np.tril(square, -1).T, slope

    def _chunks(self) -> Iterator[tuple[list, int]]:
        n = len(self._data[-1])
        for start in range(0, n, _CHUNK):
            rows = [a[start : start + _CHUNK] for a in self._data]
            size = len(rows[0])
            if n > _CHUNK > size:  # one shape, one compilation
                rows = [np.concatenate([a, np.repeat(a[-1:], _CHUNK - size, 0)]) for a in rows]
            yield [_tensor(a) for a in rows], size

    def _at(self, values, inputs):
        pairs = list(zip(self._model.trainable_variables, values, strict=True))
        with keras.StatelessScope(state_mapping=pairs):
            return self._model.residuals(tuple(inputs[:-1]), inputs[-1])

    def _values(self, theta, *inputs):
        return self._at(flat_weights.split(theta, self._model), inputs)

    def _with_jacobian(self, theta, *inputs):
        values = flat_weights.split(theta, self._model)
        rest = self._at(values, inputs)
        k = rest.shape[-1]
        units = ops.ones_like(rest)[None] * ops.eye(k, dtype=rest.dtype)[:, None, :]
        rows = per_sample_vjp(
            lambda weights, sample: [self._at(weights, sample)], values, list(inputs), [units]
        )
        flat = [ops.reshape(r, (k, inputs[-1].shape[0], -1)) for r in rows]
        return rest, ops.concatenate(flat, axis=-1)


def fit(model: keras.Model, x: tuple, y: np.ndarray, iterations: int) -> tuple[Posterior, float]:
    """Fit the weights in place.

    Parameters
    ----------
    model, x, y
        As for `Residuals`.
    iterations : int
        Steps at most.

    Returns
    -------
    Posterior
    float
        Half the mean over rows of the sum of squares of the residuals.
    """
    search = _Search(Residuals(model, x, y), flat_weights.read(model), model)
    idle = 0
    for step in range(iterations):
        gain = search.step()
        idle = idle + 1 if gain < _GAIN else 0
        if gain == 0.0 or idle >= _IDLE:
            break
        if step >= _SETTLED:
            search.weigh()
    search.weigh()
    flat_weights.write(model, search.theta)
    return search.posterior(), 0.5 * float(np.sum(search.rest**2)) / len(y)


def posterior_at(model: keras.Model, x: tuple, y: np.ndarray) -> Posterior:
    """Return the posterior of weights that other training has reached; they are left as they are.

    Training that stopped early has not reached the minimum of the objective: the step that is left
    counts as a further error.

    Parameters
    ----------
    model, x, y
        As for `Residuals`.
    """
    stride = -(-len(y) // _MOST)
    some = [np.asarray(a, dtype="float32")[::stride] for a in (*x, y)]
    search = _Search(Residuals(model, tuple(some[:-1]), some[-1]), flat_weights.read(model), model)
    # As if all rows were like those taken.
    search.square, search.slope = stride * search.square, stride * search.slope
    search.rest = np.tile(search.rest, stride)
    for _ in range(_WEIGHED):
        search.weigh()
    return search.posterior(with_lag=True)


class _Search:
    """State of the damped steps."""

    def __init__(self, problem: Residuals, theta: np.ndarray, model: keras.Model):
        self.problem, self.theta = problem, theta
        sizes = [int(np.prod(v.shape)) for v in model.trainable_variables]
        self.groups = np.repeat(np.arange(len(sizes)), sizes)
        self.rest = problem.values(theta)
        self.alpha = np.full(len(sizes), 1e-2)
        self.beta = len(self.rest) / max(np.sum(self.rest**2), 1e-30)
        self.square, self.slope = problem.normal_equations(theta)
        self.damping, self.factor = 1e-2 * np.mean(np.diag(self.square)), 2.0
        self.determined = 0.0

    def objective(self, theta: np.ndarray, rest: np.ndarray) -> float:
        """Return ‖r‖² + Σ α ‖θ‖² / β."""
        return float(np.sum(rest**2) + np.sum(self.alpha[self.groups] * theta**2) / self.beta)

    def step(self) -> float:
        """Take one step that lowers the objective; return by what share, 0 where there is none."""
        if not np.any(self.rest):  # nothing moves, and nothing is predicted to
            return 0.0
        ridge = self.alpha[self.groups] / self.beta
        slope = self.slope + ridge * self.theta
        before = self.objective(self.theta, self.rest)
        for _ in range(12):
            matrix = self.square + np.diag(ridge + self.damping)
            move = -linalg.solve(matrix, slope, assume_a="pos")
            theta = self.theta + move
            rest = self.problem.values(theta)
            after = self.objective(theta, rest)
            promised = float(move @ (self.damping * move - slope))
            if np.isfinite(after) and after < before and promised > 0:
                share = (before - after) / promised
                self.damping *= max(1 / 3, 1 - (2 * share - 1) ** 3)
                self.factor = 2.0
                self.theta, self.rest = theta, rest
                self.square, self.slope = self.problem.normal_equations(theta)
                return (before - after) / before
            self.damping *= self.factor
            self.factor *= 2.0
        return 0.0

    def weigh(self) -> None:
        """Update α and β by the equations of the evidence."""
        inverse = linalg.lapack.dpotri(self._hessian_factor(), lower=1)[0]
        kept = self.alpha[self.groups] * np.diag(inverse)
        counts = np.bincount(self.groups)
        gamma = counts - np.bincount(self.groups, kept)
        sizes = np.bincount(self.groups, self.theta**2)
        self.alpha = (gamma + _PRIOR_COUNT) / (sizes + _PRIOR_SIZE * counts)
        self.determined = float(np.sum(gamma))
        left = max(len(self.rest) - self.determined, 1.0)
        self.beta = left / max(np.sum(self.rest**2), 1e-30)

    def _hessian_factor(self) -> np.ndarray:
        matrix = self.beta * self.square + np.diag(self.alpha[self.groups])
        # Rounding of single-precision Jacobians: eigenvalues below it are not known.
        floor = 1e-13 * np.trace(matrix)
        return linalg.cholesky(matrix + floor * np.eye(len(matrix)), lower=True)

    def posterior(self, with_lag: bool = False) -> Posterior:
        """Return the weights with their covariance, and with the step that is left to them."""
        factor, lag = self._hessian_factor(), 0.0
        if with_lag:
            slope = self.beta * self.slope + self.alpha[self.groups] * self.theta
            lag = -linalg.cho_solve((factor, True), slope)
        return Posterior(self.theta, factor, self.determined, float(self.beta**-0.5), lag)


def _tensor(array: np.ndarray) -> Tensor:
    return ops.convert_to_tensor(np.asarray(array, dtype="float32"))


def _numpy(tensor: Tensor) -> np.ndarray:
    return np.asarray(ops.convert_to_numpy(tensor), dtype="float64")
