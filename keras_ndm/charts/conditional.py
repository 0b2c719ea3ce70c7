"""Charts whose networks can see a context beside the coordinates."""

from keras_ndm.backend import Tensor, tfp
from keras_ndm.charts.base import Chart, fresh


class Conditional(Chart):
    """A chart of the whole space with networks that a context (batch, c) can reach.

    Attributes
    ----------
    context_width : int
        The number c of columns, 0 without a context; set by `condition`.
    """

    whole_space = True
    context_width = 0

    def condition(self, width: int) -> bool:
        """Let the networks see `width` numbers of context a row; call it before `build`.

        Raises
        ------
        ValueError
            When the networks were built for another width.
        """
        if self.built and width != self.context_width:
            raise ValueError(
                f"{type(self).__name__} was built for {self.context_width} columns of context; "
                f"received {width}. Make a new chart."
            )
        self.context_width = int(width)
        return True

    def check_context(self, context: Tensor | None) -> None:
        """Raise where a context is missing or not expected.

        Raises
        ------
        ValueError
        """
        width = 0 if context is None else context.shape[-1]
        if width != self.context_width:
            raise ValueError(
                f"{type(self).__name__} takes {self.context_width} columns of context; received "
                f"{width}."
            )

    def bijector(self, context: Tensor | None = None) -> tfp.bijectors.Bijector:
        """TFP bijector with the current weights, given a context (batch, c)."""
        raise NotImplementedError(f"{type(self).__name__} must implement `bijector(context)`.")

    def inverse_given(self, z: Tensor, context: Tensor | None = None) -> Tensor:
        """Points x (batch, d) with coordinates z (batch, d), given a context (batch, c)."""
        return self.bijector(context).inverse(fresh(z))
