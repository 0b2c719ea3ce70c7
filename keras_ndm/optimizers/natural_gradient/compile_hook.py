"""How an optimizer gets hold of the model: it watches `compile`.

Keras hands an optimizer gradients and variables, never the model or the batch, and no
hook of Keras 3 gives it more. Importing `NaturalGradient` therefore puts a notice on
`keras.Model.compile`: after a model was compiled with an optimizer that has a method
`attach`, that method is called with the model. For any other optimizer `compile` does what
it always did.
"""

import functools
import inspect

import keras

from keras_ndm.backend.training import compiler_factors, make_train_step

__all__ = ["take_over", "watch_compile"]


def watch_compile() -> None:
    """Let `keras.Model.compile` tell the optimizer which model it was given; once a process.

    ``jit_compile="auto"``, Keras' default, then means no XLA where XLA is slow at what these
    optimizers do most.
    """
    owner = next(c for c in keras.Model.__mro__ if "compile" in vars(c))
    original = owner.compile
    if hasattr(original, "_tells_the_optimizer"):
        return

    @functools.wraps(original)
    def compile(self, *args, **kwargs):
        given = inspect.signature(original).bind(self, *args, **kwargs).arguments
        ours = hasattr(given.get("optimizer"), "attach")
        if ours and "jit_compile" not in given and not compiler_factors():
            kwargs["jit_compile"] = False
        original(self, *args, **kwargs)
        _release(self)
        if hasattr(self.optimizer, "attach"):
            self.optimizer.attach(self)

    compile._tells_the_optimizer = True
    owner.compile = compile


def take_over(model: keras.Model, step) -> None:
    """Make `step(x, y, sample_weight) -> logs` the training step of `model`.

    Raises
    ------
    ValueError
        Where the model's class has a training step of its own.
    """
    if type(model).train_step is not keras.Model.train_step:
        raise ValueError(
            f"{type(model).__name__} overrides `train_step`, and NaturalGradient replaces the "
            f"training step: it needs the samples of a batch, which `apply_gradients` does not "
            f"give it. Override `compute_loss` instead, or use another optimizer."
        )
    train_step = make_train_step(model, step)
    train_step._of_natural_gradient = True
    # Through __dict__: an attribute of a built layer would be tracked as state.
    model.__dict__["train_step"] = train_step
    model.train_function = None


def _release(model):
    if hasattr(model.__dict__.get("train_step"), "_of_natural_gradient"):
        del model.__dict__["train_step"]
