"""What a metric head is: the last step from a network's outputs to a tensor field."""

import numpy as np

from keras_ndm.geometry.jets import Jet


class MetricHead:
    """Turns network outputs into P(z), symmetric positive semidefinite.

    `MetricLayer` adds the multiple of the identity that gives the floor and the bound on the condition
    number. A head of your own subclasses this and is passed as `MetricLayer(kind=MyHead())`; register it
    with `keras.saving.register_keras_serializable` for saving.
    """

    def size(self, dimension: int) -> int:
        """Give the number of network outputs that the head needs in `dimension` dimensions."""
        raise NotImplementedError(f"{type(self).__name__} must implement `size(dimension)`.")

    def tensor(self, outputs: Jet, dimension: int) -> Jet:
        """Give P from the outputs.

        Write it with the methods of `keras_ndm.geometry.jets.Jet` (`linear`, `apply`, `times`): then the
        exact derivatives that curvature needs come along.

        Parameters
        ----------
        outputs : Jet, value (batch, size)

        Returns
        -------
        Jet, value (batch, dimension, dimension)
        """
        raise NotImplementedError(f"{type(self).__name__} must implement `tensor(outputs, d)`.")

    def initial_outputs(self, precision: np.ndarray) -> np.ndarray:
        """Outputs (size,) at which P is close to diag(precision); zeros when the head cannot say."""
        return np.zeros(self.size(len(precision)))

    def get_config(self) -> dict:
        """Arguments of the constructor."""
        return {}

    @classmethod
    def from_config(cls, config: dict) -> "MetricHead":
        """Rebuild the head from `get_config()`."""
        return cls(**config)
