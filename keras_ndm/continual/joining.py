"""How a model's loss and its file come to hold the past tasks.

Keras has no hook by which a callback could add to the loss. `join` puts a `compute_loss` on the
model itself, which calls the class's own and adds the cost of the past; every training step that
asks for the loss gets it, on both backends, and `evaluate` does not. Likewise `get_compile_config`
on the model writes the shape of the past into the file: around the optimizer's entry, which every
compiled model has, and from which `load_model` makes the plain optimizer again.
"""

import functools

import keras

from keras_ndm.backend import Tensor
from keras_ndm.continual.state import PastTasks
from keras_ndm.keras_internals import loss_takes_training, own_metrics
from keras_ndm.optimizers.natural_gradient.compile_hook import AFTER, install
from keras_ndm.optimizers.natural_gradient.objective import Nested

__all__ = ["join", "leave", "past_of"]

_ATTRIBUTE = "past_tasks"


def past_of(model: keras.Model) -> PastTasks | None:
    """Past tasks of a model, if it has any."""
    return getattr(model, _ATTRIBUTE, None)


def join(model: keras.Model, past: PastTasks) -> None:
    """Make the past part of a model's loss and file; programs are compiled anew.

    Raises
    ------
    ValueError
        Where the model's class lists its metrics itself, without those that are added.
    """
    if past_of(model) is not past:
        # Under this name Keras finds it when it saves; Keras tracks nothing while it compiles.
        vars(model)[_ATTRIBUTE] = past
        own_metrics(model).append(past)
    if not any(metric is past for metric in model.metrics):
        raise ValueError(
            f"{type(model).__name__} overrides `metrics` and leaves out what is added to the "
            "model, so the past would not reach its training step. Return "
            "`super().metrics` and your own."
        )

    # The class's own, or what else stands on the model: a count of penalties.
    other = vars(model).get("compute_loss")
    other = getattr(other, "without_past", other)
    own = other or functools.partial(type(model).compute_loss, model)

    def compute_loss(
        x: Nested | None = None,
        y: Nested | None = None,
        y_pred: Nested | None = None,
        sample_weight: Nested | None = None,
        training: bool = True,
    ) -> Tensor:
        flag = {"training": training} if loss_takes_training(model) else {}
        loss = own(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, **flag)
        if not training or past.muted:
            return loss
        past.heard = True
        cost = past.cost(model)
        return loss + keras.ops.cast(cost, loss.dtype)

    vars(compute_loss).update({} if other is None else vars(other), without_past=other)
    # Through __dict__: an attribute of a built layer would be tracked as state.
    vars(model)["compute_loss"] = compute_loss
    vars(model)["get_compile_config"] = lambda: _with_past(model, past)
    model.train_function = None


def leave(model: keras.Model) -> None:
    """Take the past out of a model."""
    past = past_of(model)
    other = vars(model).pop("compute_loss").without_past
    if other is not None:
        vars(model)["compute_loss"] = other
    del vars(model)["get_compile_config"]
    own_metrics(model).remove(past)
    del vars(model)[_ATTRIBUTE]
    model.train_function = None


@keras.saving.register_keras_serializable("keras_ndm")
class WithPast:
    """In a model's file: an optimizer, and the shape of the past tasks.

    Parameters
    ----------
    optimizer : dict
        As the model's file has it.
    past : dict
        Arguments of `PastTasks`.
    """

    def __init__(self, optimizer: dict, past: dict):
        self.optimizer, self.past = optimizer, past

    def get_config(self) -> dict:
        """Arguments of the constructor."""
        return {"optimizer": self.optimizer, "past": self.past}

    @classmethod
    def from_config(cls, config: dict) -> keras.optimizers.Optimizer:
        """Make the optimizer; when a model is compiled with it, the past joins the model."""
        install()
        optimizer = keras.saving.deserialize_keras_object(config["optimizer"])
        past = config["past"]
        vars(optimizer)[AFTER] = lambda model: join(model, PastTasks(**past))
        return optimizer


def _with_past(model, past):
    config = type(model).get_compile_config(model)
    entry = WithPast(config["optimizer"], past.get_config())
    return {**config, "optimizer": keras.saving.serialize_keras_object(entry)}
