"""Gaussian likelihood of a next-state model whose metric is the precision of the noise.

Observed states are true states plus noise of covariance N(x) = G(x)⁻¹, G the metric in the
coordinates of the states. The residual of a prediction F made from an observed state carries noise
at both ends,

    r = y − F(x),      C = N(F(x)) + J N(x) Jᵀ,      J = ∂F/∂x,

and −log p = ½ rᵀ C⁻¹ r + ½ log det C + ½ d log 2π. Leave out the second term of C and the metric
comes out about twice too wide.
"""

import contextlib
import math
from collections.abc import Sequence
from typing import TypeAlias

import keras
import numpy as np
from keras import ops

from keras_ndm.backend import Tensor
from keras_ndm.backend import mean as mean_of
from keras_ndm.backend.training import cholesky
from keras_ndm.models.checked_states import FitInput, refuse_not_finite
from keras_ndm.own_loss import OwnLoss
from keras_ndm.user_data import check_shapes

# States (batch, d), or states and what else the model takes, the step dt (batch, 1) for instance.
States: TypeAlias = Tensor | Sequence[Tensor]


def inverse_factor(factor: Tensor) -> Tensor:
    """L⁻ᵀ (batch, d, d) of a lower Cholesky factor L: a square root of (L Lᵀ)⁻¹."""
    eye = ops.zeros_like(factor) + ops.eye(factor.shape[-1], dtype=factor.dtype)
    return ops.swapaxes(ops.linalg.solve_triangular(factor, eye, lower=True), -1, -2)


def gram(root: Tensor) -> Tensor:
    """Multiply A Aᵀ for matrices A (batch, d, k)."""
    return ops.matmul(root, ops.swapaxes(root, -1, -2))


def negative_log_likelihood(residual: Tensor, covariance: Tensor) -> Tensor:
    """−log N(r; 0, C) of residuals (batch, d) with covariances (batch, d, d); (batch,).

    The covariance is scaled to unit diagonal first, so that coordinates in very different units do
    not cost precision in the Cholesky factor. NaN, and no error, where a covariance is not positive
    definite: one bad row must not stop a training that can leave its batch out.
    """
    scale = ops.sqrt(ops.diagonal(covariance, axis1=-2, axis2=-1))
    unit = covariance / (scale[:, :, None] * scale[:, None, :])
    factor = cholesky(unit)
    white = ops.linalg.solve_triangular(factor, (residual / scale)[:, :, None], lower=True)
    diagonal = ops.diagonal(factor, axis1=-2, axis2=-1)
    logs = ops.sum(ops.log(diagonal) + ops.log(scale), axis=-1)
    constant = 0.5 * residual.shape[-1] * math.log(2.0 * math.pi)
    return 0.5 * ops.sum(ops.square(white[:, :, 0]), axis=-1) + logs + constant


def without_still(covariance: Tensor, moving: Tensor) -> Tensor:
    """Leave columns that never move out of a covariance (batch, d, d): variance 1, no correlations.

    The noise of a constant could be learned to be 0, and the metric would then be degenerate.

    Parameters
    ----------
    covariance : tensor (batch, d, d)
    moving : tensor (d,)
        Above 0 for columns that move.
    """
    keep = ops.cast(moving > 0, covariance.dtype)
    rest = ops.eye(covariance.shape[-1], dtype=covariance.dtype) * (1.0 - keep)
    return covariance * keep[:, None] * keep + rest


class LikelihoodModel(OwnLoss):
    """A model with `moments(x)`, trained by its likelihood."""

    own_loss = "Gaussian likelihood"
    instead = "For a loss of your own, put CoordinateLayer and MetricLayer into a keras.Model."

    def moments(self, x: States, training: bool = False) -> tuple:
        """Mean (batch, d) of the targets and covariance (batch, d, d) of the residual."""
        raise NotImplementedError

    def evolutions(self) -> list:
        """Evolution layers whose penalties are logged."""
        return []

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """Give the shape of the states, (batch, d)."""
        several = isinstance(input_shape[0], list | tuple)
        return tuple(input_shape[0]) if several else tuple(input_shape)

    def fit(
        self, x: FitInput | None = None, y: np.ndarray | None = None, **kwargs
    ) -> keras.callbacks.History:
        """As `keras.Model.fit`; warns where a `Budget` is not kept at the end.

        Raises
        ------
        ValueError
            Where arrays hold values that are not finite.
        """
        refuse_not_finite(x, y)
        history = super().fit(x, y, **kwargs)
        for evolution in self.evolutions():
            evolution.warn_of_rising()
        return history

    def compute_loss(
        self,
        x: States | None = None,
        y: Tensor | None = None,
        y_pred: Tensor | None = None,
        sample_weight: Tensor | None = None,
        training: bool = True,
    ) -> Tensor:
        """Mean negative log likelihood of y (batch, d) given x, plus what layers added.

        Sample weights multiply the rows' terms, and the mean is over the rows, as for Keras'
        losses.

        Parameters
        ----------
        x : tensor (batch, d), or sequence of it and others
        y : tensor (batch, d)
            The states that follow.
        y_pred
            Not used.
        sample_weight : tensor (batch,), optional
        training : bool
        """
        del y_pred
        if y is None:
            raise ValueError(
                "The targets y are missing: fit(x, y) with y the state that follows x."
            )
        with contextlib.ExitStack() as stack:
            for evolution in self.evolutions():
                stack.enter_context(evolution.metered(training))
            mean, covariance = self.moments(x, training=training)
        check_shapes(y, [tuple(mean.shape[1:])], "targets")
        residual = ops.cast(y, mean.dtype) - mean
        loss = negative_log_likelihood(residual, covariance)
        if sample_weight is not None:
            loss = loss * ops.reshape(ops.cast(sample_weight, loss.dtype), (-1,))
        total = mean_of(loss)
        for extra in self.losses:
            total = total + ops.sum(ops.cast(extra, total.dtype))
        for evolution in self.evolutions():
            evolution.update_trackers()
        return total
