"""Reordering of the coordinates."""

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from keras_ndm.backend import Tensor, tfp
from keras_ndm.charts.base import Chart


@keras.saving.register_keras_serializable("keras_ndm")
class Permute(Chart):
    """z_i = x_{order[i]}.

    Parameters
    ----------
    order : sequence of int, optional
        A permutation of 0 … d − 1; default the reversal. Put one between coupling or autoregressive
        charts, so that each coordinate gets its turn.
    """

    whole_space = True

    def __init__(self, order: Sequence[int] | None = None, **kwargs):
        super().__init__(**kwargs)
        self.order = None if order is None else tuple(int(i) for i in order)
        if self.order is not None and sorted(self.order) != list(range(len(self.order))):
            raise ValueError(f"`order` must be a permutation of 0, 1, 2, …; received {self.order}.")

    def build(self, input_shape: tuple) -> None:
        """Check the order."""
        d = int(input_shape[-1])
        order = self.order if self.order is not None else tuple(reversed(range(d)))
        if sorted(order) != list(range(d)):
            raise ValueError(
                f"`order` must be a permutation of 0 … {d - 1}; received {self.order}."
            )
        self._order = order

    def bijector(self) -> tfp.bijectors.Bijector:
        """TFP's permutation."""
        return tfp.bijectors.Permute(np.asarray(self._order, "int32"))

    def jacobian(self, x: Tensor) -> Tensor:
        """Permutation matrix at every point."""
        rows = np.eye(len(self._order))[list(self._order)]
        return ops.zeros_like(x)[:, :, None] + ops.convert_to_tensor(rows, dtype=x.dtype)

    def solve_jacobian(self, x: Tensor, matrix: Tensor) -> Tensor:
        """Undo the permutation of the rows."""
        back = ops.convert_to_tensor(np.argsort(self._order), "int32")
        return ops.take(matrix, back, axis=1)

    def get_config(self) -> dict:
        """Arguments of the constructor."""
        return {**super().get_config(), "order": self.order}
