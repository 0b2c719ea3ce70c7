"""How an optimizer gets hold of the model: a hook at the end of `compile`.

Keras hands an optimizer gradients and variables, never the model or the batch, and no hook of
Keras 3 gives it more. The last thing that `keras.Model.compile` does is to keep its arguments in
the attribute `_compile_config`. `install` makes this attribute a property of `keras.Model`: the
arguments are kept where they always were, and where the optimizer has a method `attach`, it is
called with the model. Where it has, just made from a file, an attribute `AFTER`, that is called,
once. For any other optimizer nothing changes.

`compile` itself is not replaced. It could not be replaced in time: for
``model.compile(NaturalGradient())`` Python looks `compile` up before it makes the optimizer, which
installs the hook. So `uninstall` has nothing to put back: it takes the property away.
"""

from collections.abc import Callable

import keras

from keras_ndm.backend.training import make_train_step
from keras_ndm.keras_internals import COMPILE_CONFIG

__all__ = ["AFTER", "install", "installed", "take_over", "uninstall"]

AFTER = "_keras_ndm_after_compile"

# What a model may override to train in its own way; the second is what Keras differentiates on JAX.
_OF_A_STEP = ("train_step", "compute_loss_and_updates")


class _CompileConfig:
    """The attribute as a property that tells the optimizer of each new value."""

    def __get__(self, model, owner=None):
        if model is None:
            return self
        try:
            return vars(model)[COMPILE_CONFIG]
        except KeyError:
            raise AttributeError(f"{type(model).__name__} has not been compiled.") from None

    def __set__(self, model, config):
        vars(model)[COMPILE_CONFIG] = config
        _release(model)
        told = vars(model.optimizer).pop(AFTER, None) if model.optimizer is not None else None
        if told is not None:
            told(model)
        if hasattr(getattr(model.optimizer, "inner_optimizer", None), "attach"):
            # Under "mixed_float16" Keras wraps an optimizer that scales the loss around it, against
            # small gradients. This one divides them by their own size.
            model.optimizer = model.optimizer.inner_optimizer
        if hasattr(model.optimizer, "attach"):
            model.optimizer.attach(model)

    def __delete__(self, model):
        vars(model).pop(COMPILE_CONFIG, None)


def install() -> None:
    """Let `keras.Model.compile` tell the optimizer which model it was given; done once."""
    if not installed():
        setattr(keras.Model, COMPILE_CONFIG, _CompileConfig())


def installed() -> bool:
    """Whether the hook is in place."""
    return isinstance(vars(keras.Model).get(COMPILE_CONFIG), _CompileConfig)


def uninstall() -> None:
    """Leave `keras.Model` as Keras made it, until the next `NaturalGradient` is made.

    Models that were compiled with a `NaturalGradient` keep its training step.
    """
    if installed():
        delattr(keras.Model, COMPILE_CONFIG)


def take_over(model: keras.Model, step: Callable) -> None:
    """Make `step(x, y, sample_weight) -> logs` the training step of `model`.

    Raises
    ------
    ValueError
        Where the model's class has a training step of its own.
    """
    for name in _OF_A_STEP:
        if getattr(type(model), name, None) is not getattr(keras.Model, name, None):
            raise ValueError(
                f"{type(model).__name__} overrides `{name}`, and NaturalGradient takes its place: "
                "curvature, damping and line search need the loss as a function of the weights, "
                "and a training step gives the optimizer gradients alone. Move the loss to "
                "`compute_loss(self, x, y, y_pred, sample_weight, training)`, what is logged to "
                "`compute_metrics`, and changes of the batch to the data set; or compile with "
                "`loss=`, or let layers without weights add the loss by `add_loss`. A step that "
                "trains two networks in turn has no such loss: use another optimizer."
            )
    train_step = make_train_step(model, step)
    train_step._of_natural_gradient = True
    # Through __dict__: an attribute of a built layer would be tracked as state.
    model.__dict__["train_step"] = train_step
    model.train_function = None


def _release(model):
    if hasattr(model.__dict__.get("train_step"), "_of_natural_gradient"):
        del model.__dict__["train_step"]
