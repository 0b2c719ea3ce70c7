"""The only code that knows TensorFlow from JAX.

Every backend module provides the same names, listed in `NAMES`:

- ``Tensor``: the class of this backend's tensors, for annotations;
- ``tfp``: the TensorFlow Probability module whose bijectors take this backend's tensors;
- ``jacobian(function, x)``: the Jacobian of a batched function, row by row;
- ``partials(function, x)``: value and first partial derivatives of such a function, for any output;
- ``compiled(function, variables, xla=True)``: `function` compiled, seeing the variables' current
  values; with `xla=False` so that gradients pass loops, and memory is freed, on every backend;
- ``readable(variable, beside)``: whether the variable has a value that may be read where the tensor
  `beside` is computed: JAX's programs see only what they are given;
- ``concrete(tensor)``: whether it has a value that can be looked at, not so while a program is
  being traced;
- ``iterated(function, state, count)``: states one after another, in one loop that can be compiled
  and differentiated;
- ``inverse_or_nan(matrix)``: what is not finite, instead of an error, where there is no inverse;
- ``traced_apart(function)``: the function in a program of its own: TensorFlow keeps for good in
  which program a custom gradient was called, and that need not be a model's;
- ``tanh``, ``sin``, ``cos``, ``mean``: in the precision of their argument (`keras.ops` computes
  them in float32 on JAX).
"""

NAMES = (
    "Tensor",
    "compiled",
    "concrete",
    "cos",
    "inverse_or_nan",
    "iterated",
    "jacobian",
    "mean",
    "partials",
    "readable",
    "sin",
    "tanh",
    "tfp",
    "traced_apart",
)

_INSTALL = (
    "keras_ndm needs Keras on TensorFlow or JAX with TensorFlow Probability: `pip install "
    "'keras-ndm[tensorflow]'`, or `pip install 'keras-ndm[jax]'` and KERAS_BACKEND=jax"
)


def _select():
    try:
        from keras import config
    except ImportError as error:  # Keras without the package of its backend does not import
        raise ImportError(f"{_INSTALL} (importing Keras failed: {error}).") from error
    name = config.backend()
    try:
        if name == "tensorflow":
            from keras_ndm.backend import tensorflow as module
        elif name == "jax":
            from keras_ndm.backend import jax as module
        else:
            raise ImportError(f"{_INSTALL} (the Keras backend here is {name!r}).")
    except ModuleNotFoundError as error:
        raise ImportError(f"{_INSTALL} (missing on the {name} backend: {error.name}).") from error
    return module


_module = _select()
Tensor, tfp = _module.Tensor, _module.tfp
compiled, jacobian, iterated = _module.compiled, _module.jacobian, _module.iterated
inverse_or_nan, traced_apart = _module.inverse_or_nan, _module.traced_apart
partials, readable, concrete = _module.partials, _module.readable, _module.concrete
sin, cos, tanh, mean = _module.sin, _module.cos, _module.tanh, _module.mean

__all__ = list(NAMES)
