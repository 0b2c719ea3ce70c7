"""Models that are their own loss."""

from collections.abc import Callable

import keras


class OwnLoss(keras.Model):
    """A model compiled without a loss, since `compute_loss` gives it.

    Attributes
    ----------
    own_loss, instead : str
        What it is trained by, and what to do for another loss.
    """

    own_loss, instead = "loss", ""

    def compile(
        self,
        optimizer: str | dict | keras.optimizers.Optimizer = "adam",
        loss: str | Callable | None = None,
        **kwargs,
    ) -> None:
        """As `keras.Model.compile`, without a loss: that of `compute_loss` counts.

        Parameters
        ----------
        optimizer : str, dict or Optimizer
        loss : None
            Must not be given.
        **kwargs
            As in Keras.

        Raises
        ------
        ValueError
            When a loss is given.
        """
        if loss is not None:
            raise ValueError(
                f"{type(self).__name__} is trained by its own {self.own_loss} and takes no "
                f"`loss`; received {loss!r}. {self.instead}".rstrip()
            )
        super().compile(optimizer=optimizer, **kwargs)

    def compile_from_config(self, config: dict) -> None:
        """Compile a loaded model as it was, which Keras leaves to classes like this."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        if self.built and self.optimizer is not None:
            self.optimizer.build(self.trainable_variables)
