"""The loss of one batch as a function of the trainable values."""

from collections.abc import Sequence
from inspect import signature
from typing import TypeAlias

import keras
from keras import ops

from keras_ndm.backend import Tensor
from keras_ndm.backend.training import vjp
from keras_ndm.keras_internals import has_loss
from keras_ndm.optimizers.natural_gradient.fisher.added_losses import AddedLoss, adding, computed

__all__ = ["Nested", "Objective", "read", "trained", "wide"]

# A tensor, or tensors in the structures in which Keras passes them.
Nested: TypeAlias = Tensor | dict | list | tuple


def read(variable: keras.Variable) -> Tensor:
    """Present value of a variable, as a tensor that later assignments leave alone."""
    return ops.copy(variable.value)


def trained(variables: list) -> list:
    """Those of the trainable variables that follow a gradient, and do not keep it instead."""
    return [v for v in variables if not v.overwrite_with_gradient]


def wide(tensor: Tensor) -> Tensor:
    """The tensor in float32 where it has fewer digits: sums of products need them."""
    half = keras.backend.standardize_dtype(tensor.dtype) in ("float16", "bfloat16")
    return ops.cast(tensor, "float32") if half else tensor


def _told(function, training):
    """Arguments that tell a function whether it is called for training, where it takes any."""
    return {"training": training} if "training" in signature(function).parameters else {}


class Objective:
    """Loss of a compiled model on one batch, with the trainable values as its argument.

    Everything the model's `fit` would count is counted: the compiled loss with its sample weights,
    `add_loss` terms and regularizers. Nothing is assigned: running statistics, random seeds and
    metrics keep the values they had at the start, so that every evaluation sees the same function.

    Parameters
    ----------
    model : keras.Model
        Compiled and built.
    x, y, sample_weight :
        The batch, as `fit` hands it to a training step.
    training : bool
        Whether the outputs are those of training or of inference.
    """

    def __init__(
        self,
        model: keras.Model,
        x: Nested,
        y: Nested | None = None,
        sample_weight: Nested | None = None,
        training: bool = True,
    ):
        self.model, self.training = model, training
        self.x, self.y, self.sample_weight = x, y, sample_weight
        self.variables = trained(model.trainable_variables)
        # Variables whose "gradient" is their new value, such as those of `evolution.Balance`.
        self.meters = [v for v in model.trainable_variables if v.overwrite_with_gradient]
        self.state = [
            v for v in model.non_trainable_variables + model.metrics_variables if v is not None
        ]
        self.state += self.meters
        self.state_values = [read(v) for v in self.state]
        # A likelihood model's Fisher matrix lives at its moments, not at what it predicts.
        self.gaussian = not has_loss(model) and hasattr(model, "moments")
        # Losses of `add_loss` or the model's own: the Fisher matrix lives at what they are given.
        self.added = not (has_loss(model) or self.gaussian)
        self._options = _told(model.call, training)
        self._moments_options = _told(model.moments, training) if self.gaussian else {}

    @property
    def values(self) -> list:
        """Present values of the trainable variables."""
        return [read(v) for v in self.variables]

    def scope(self, values: list, others: Sequence = ()) -> keras.StatelessScope:
        """Scope in which the model has the trainable `values`; losses are collected in it.

        Parameters
        ----------
        values : list of tensors
        others : sequence of (variable, tensor)
            What other variables have in it, instead of what they had at the start.
        """
        mapping = [*zip(self.variables, values, strict=True)]
        mapping += zip(self.state, self.state_values, strict=True)
        mapping += others
        return keras.StatelessScope(state_mapping=mapping, collect_losses=True)

    def predict(self, x: Nested | None = None) -> Nested:
        """Outputs of the model; call it inside `scope`."""
        x = self.x if x is None else x
        return self.model(x, **self._options)

    def fisher_outputs(self, x: Nested | None = None) -> Nested:
        """Where the Fisher matrix is taken: outputs, moments of a likelihood, inputs of losses."""
        if self.gaussian:
            return list(self.model.moments(self.x if x is None else x, **self._moments_options))
        if self.added:
            return [leaf for call in self.added_losses(x) for leaf in call.inputs]
        return self.predict(x)

    def added_losses(self, x: Nested | None = None) -> list[AddedLoss]:
        """Calls of layers without weights that add a loss, or the model's own `compute_loss`.

        Call it inside `scope`.

        Raises
        ------
        ValueError
            When there are none.
        """
        x = self.x if x is None else x
        if self._own:
            return [computed(self.model, self.compute_loss, self.predict(x))]
        with adding(self.model, keras.tree.flatten(x)) as found:
            self.predict(x)
        if not found:
            raise ValueError(
                f"{self.model.name!r} was compiled without a loss, and no layer without weights "
                "adds one: nothing says what its outputs mean, and NaturalGradient has no Fisher "
                "matrix. Pass `loss=` to `compile`, or call `add_loss` in a layer of its own that "
                "has no weights: its inputs are then what the loss is a function of."
            )
        return found

    def compute_loss(self, y_pred: Nested) -> Tensor:
        """Loss of the outputs `y_pred`; call it inside `scope`."""
        return self.model.compute_loss(
            x=self.x, y=self.y, y_pred=y_pred, sample_weight=self.sample_weight
        )

    def __call__(self, values: list):
        """Loss at `values`, a scalar."""
        with self.scope(values):
            return self.compute_loss(self.predict())

    def evaluate(self, values: list) -> tuple:
        """Loss, outputs, new state values, and whether terms beside the loss were added."""
        with self.scope(values) as scope:
            y_pred = self.predict()
            loss = self.compute_loss(y_pred)
            added = bool(self.model.losses) or self._unknown_loss
        return loss, y_pred, [scope.get_current_value(v) for v in self.state], added

    @property
    def _own(self) -> bool:
        return type(self.model).compute_loss is not keras.Model.compute_loss

    @property
    def _unknown_loss(self) -> bool:
        return (self._own and not self.gaussian) or self.added

    def gradient(self, values: list) -> list:
        """Gradient of the whole loss with respect to the trainable values."""
        loss, pullback, _ = vjp(lambda v: [self(v)], values)
        return pullback([ops.ones_like(loss[0])])

    def measured(self, values: list) -> list:
        """New values of the meters: what arrives at them as a gradient."""

        def loss(meters):
            mapping = list(zip(self.meters, meters, strict=True))
            with self.scope(values, mapping):
                return [self.compute_loss(self.predict())]

        value, pullback, _ = vjp(loss, [read(v) for v in self.meters])
        return pullback([ops.ones_like(value[0])])

    def output_gradient(self, values: list, y_pred: Nested) -> list:
        """∂L/∂y_pred, one tensor for each leaf of `y_pred`; `add_loss` terms do not enter."""
        leaves = keras.tree.flatten(y_pred)

        def loss(flat):
            # Copies: on the output of a softmax Keras leaves the logits, and would differentiate
            # those.
            flat = [ops.copy(f) for f in flat]
            with self.scope(values):
                return [self.compute_loss(keras.tree.pack_sequence_as(y_pred, flat))]

        value, pullback, _ = vjp(loss, leaves)
        return pullback([ops.ones_like(value[0])])
