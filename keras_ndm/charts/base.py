"""What a chart is: a Keras layer that makes a TFP bijector from its weights."""

import keras
import numpy as np
from keras import ops

from keras_ndm import backend
from keras_ndm.backend import Tensor, tfp
from keras_ndm.precision import full_precision


def fresh(x: Tensor) -> Tensor:
    """Copy a tensor: TFP looks results up by identity, and those have no gradient."""
    return x + ops.zeros((), x.dtype)


class Chart(keras.layers.Layer):
    """An invertible change of coordinates z = φ(x) on (batch, d) arrays.

    A chart of your own subclasses this, makes its weights in `build(input_shape)` and returns a TFP
    bijector on vectors from `bijector()`; everything else has a default. Register it with
    `keras.saving.register_keras_serializable` for saving, and pass an instance to
    `CoordinateLayer`.

    The bijector is made anew at every call: TFP bijectors remember earlier results, which would
    keep old weights alive.

    Attributes
    ----------
    whole_space : bool
        Whether the chart maps all of R^d onto all of R^d, in whatever units: then `FlowDensity` and
        `Atlas` give it scaled coordinates.
    """

    whole_space = False

    def __init__(self, **kwargs):
        kwargs["dtype"] = full_precision(kwargs.get("dtype"))
        super().__init__(**kwargs)

    def bijector(self) -> tfp.bijectors.Bijector:
        """TFP bijector with the current weights, acting on vectors (event_ndims = 1)."""
        raise NotImplementedError(f"{type(self).__name__} must implement `bijector()`.")

    def call(self, x: Tensor) -> Tensor:
        """Coordinates z (batch, d) of the points x (batch, d)."""
        return self.bijector().forward(fresh(x))

    def inverse(self, z: Tensor) -> Tensor:
        """Points x (batch, d) with coordinates z (batch, d)."""
        return self.bijector().inverse(fresh(z))

    def log_det_jacobian(self, x: Tensor) -> Tensor:
        """Log of `|det ∂z/∂x|` at x, (batch,)."""
        log_det = self.bijector().forward_log_det_jacobian(fresh(x), event_ndims=1)
        return log_det + ops.zeros_like(x[:, 0])  # some bijectors give one number for the batch

    def condition(self, width: int) -> bool:
        """Let the chart's networks see `width` numbers of context a row; call it before `build`.

        Returns
        -------
        bool
            Whether there are such networks; by default none.
        """
        del width
        return False

    def forward_and_log_det(self, x: Tensor, context: Tensor | None = None) -> tuple:
        """Coordinates z (batch, d) and log of `|det ∂z/∂x|` (batch,) in one pass.

        Parameters
        ----------
        x : tensor (batch, d)
        context : tensor (batch, c), optional
            For the networks that `condition` told of it.
        """
        del context
        bijector, x = self.bijector(), fresh(x)
        z = bijector.forward(x)
        # The same bijector and tensor again: TFP has kept what it computed.
        log_det = bijector.forward_log_det_jacobian(x, event_ndims=1)
        return z, log_det + ops.zeros_like(x[:, 0])

    def inverse_given(self, z: Tensor, context: Tensor | None = None) -> Tensor:
        """Points x (batch, d) with coordinates z (batch, d), given a context (batch, c)."""
        del context
        return self.inverse(z)

    def jacobian(self, x: Tensor) -> Tensor:
        """Jacobian ``[b, i, j]`` = ∂z_i/∂x_j at x, (batch, d, d)."""
        return backend.jacobian(self.call, x)

    def solve_jacobian(self, x: Tensor, matrix: Tensor) -> Tensor:
        """J(x)⁻¹ matrix, for matrices (batch, d, k)."""
        return ops.solve(self.jacobian(x), matrix)

    def adapt(self, data: np.ndarray) -> None:
        """Set what the chart takes from data (batch, d); by default nothing."""

    def get_config(self) -> dict:
        """Arguments of the constructor; extend it with those of your own."""
        return super().get_config()

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """Give the shape of the input."""
        return tuple(input_shape)
