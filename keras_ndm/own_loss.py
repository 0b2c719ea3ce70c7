"""Models that are their own loss."""

from collections.abc import Callable

import keras

from keras_ndm.keras_internals import build_optimizer
from keras_ndm.user_data import Data, check_shapes, count_rows, first_batch, is_arrays


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
            When a loss, or weights of losses, are given.
        """
        if loss is not None:
            raise ValueError(
                f"{type(self).__name__} is trained by its own {self.own_loss} and takes no "
                f"`loss`; received {loss!r}. {self.instead}".rstrip()
            )
        if kwargs.get("loss_weights") is not None:
            raise ValueError(
                f"{type(self).__name__} has one loss, its own {self.own_loss}, and takes no "
                f"`loss_weights`; received {kwargs['loss_weights']!r}. Rows are weighted by fit's "
                "`sample_weight`."
            )
        super().compile(optimizer=optimizer, **kwargs)

    def row_shapes(self, parts: int) -> tuple:
        """Shapes of a row of each input, a list, and of the targets or None.

        Parameters
        ----------
        parts : int
            How many inputs are given.
        """
        raise NotImplementedError

    def check(self, x: Data, y: object = None, sample_weight: object = None) -> Data:
        """See that data have the shapes that the model was built for; see `check_shapes`.

        Of a data set that only reading would tell about, the forward pass says it.

        Parameters
        ----------
        x, y, sample_weight
            As in `fit`.

        Returns
        -------
        data
            x; of a generator, one that has the batch again that was read.

        Raises
        ------
        ValueError
            When they have not, or there are none.
        """
        if not self.built:
            return x
        data = x
        if is_arrays(x):
            parts = x if isinstance(x, list | tuple) else [x]
            count_rows(*parts, y, sample_weight)
        else:
            (x, y, sample_weight), data = first_batch(x)
        if x is None:
            return data
        inputs, targets = self.row_shapes(len(x) if isinstance(x, list | tuple) else 1)
        check_shapes(x, inputs, "inputs")
        if y is not None and targets is not None:
            check_shapes(y, [targets], "targets")
        if sample_weight is not None and len(sample_weight.shape) != 1:
            check_shapes(sample_weight, [(1,)], "sample weights")
        return data

    def fit(self, x: Data | None = None, y: object = None, **kwargs) -> keras.callbacks.History:
        """As `keras.Model.fit`.

        Parameters
        ----------
        x, y
            Data of the shapes that the model was built for.
        **kwargs
            As in Keras.
        """
        x = self.check(x, y, kwargs.get("sample_weight"))
        held_out = kwargs.get("validation_data")
        if isinstance(held_out, list | tuple):
            self.check(*held_out)
        elif held_out is not None:
            kwargs["validation_data"] = self.check(held_out)
        build_optimizer(self)
        return super().fit(x, y, **kwargs)

    def evaluate(
        self, x: Data | None = None, y: object = None, *args, **kwargs
    ) -> float | list | dict:
        """As `keras.Model.evaluate`.

        Parameters
        ----------
        x, y
            Data of the shapes that the model was built for.
        *args, **kwargs
            As in Keras.
        """
        x = self.check(x, y, kwargs.get("sample_weight"))
        return super().evaluate(x, y, *args, **kwargs)

    def predict(self, x: Data, *args, **kwargs) -> object:
        """As `keras.Model.predict`.

        Parameters
        ----------
        x
            Data of the shapes that the model was built for.
        *args, **kwargs
            As in Keras.
        """
        x = self.check(x)
        return super().predict(x, *args, **kwargs)

    def compile_from_config(self, config: dict) -> None:
        """Compile a loaded model as it was, which Keras leaves to classes like this."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        build_optimizer(self)
