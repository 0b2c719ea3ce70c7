"""Smooth activations with their first and second derivatives in closed form."""

import math
from collections.abc import Callable

import keras
from keras import ops

from keras_ndm import backend
from keras_ndm.backend import Tensor


def _linear(x):
    return x, ops.ones_like(x), ops.zeros_like(x)


def _tanh(x):
    t = backend.tanh(x)
    slope = 1.0 - t * t
    return t, slope, -2.0 * t * slope


def _sigmoid(x):
    s = ops.sigmoid(x)
    slope = s * (1.0 - s)
    return s, slope, slope * (1.0 - 2.0 * s)


def _softplus(x):
    s = ops.sigmoid(x)
    return ops.softplus(x), s, s * (1.0 - s)


def _silu(x):
    s = ops.sigmoid(x)
    slope = s * (1.0 - s)
    return x * s, s + x * slope, 2.0 * slope + x * slope * (1.0 - 2.0 * s)


def _gelu(x):
    density = ops.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)
    share = 0.5 * (1.0 + ops.erf(x / math.sqrt(2.0)))
    return x * share, share + x * density, (2.0 - x * x) * density


def _exponential(x):
    e = ops.exp(x)
    return e, e, e


def _sin(x):
    s = backend.sin(x)
    return s, backend.cos(x), -s


_SMOOTH = {
    "linear": _linear,
    "tanh": _tanh,
    "sigmoid": _sigmoid,
    "softplus": _softplus,
    "silu": _silu,
    "gelu": _gelu,
    "exponential": _exponential,
    "sin": _sin,
}
_SAME = {"swish": "silu", "exp": "exponential", "sine": "sin"}


def names() -> list[str]:
    """List the activations whose second derivative is known and continuous."""
    return sorted(_SMOOTH)


def name_of(activation: str | Callable | None) -> str:
    """Name an activation given in any form that Keras accepts (``None`` is "linear")."""
    if activation is None:
        return "linear"
    name = activation if isinstance(activation, str) else getattr(activation, "__name__", "?")
    return _SAME.get(name, name)


def is_smooth(activation: str | Callable | None) -> bool:
    """Whether second derivatives of `activation` are known."""
    return name_of(activation) in _SMOOTH


def derivatives(activation: str | Callable | None) -> Callable:
    """Return the function x ↦ (a(x), a′(x), a″(x)) of an activation.

    Raises
    ------
    ValueError
        When the activation is not smooth (relu) or its derivatives are not known.
    """
    name = name_of(activation)
    if name not in _SMOOTH:
        raise ValueError(
            f"Curvature needs the second derivative of every activation, and {name!r} has none "
            "that is known and continuous (that of relu vanishes wherever it exists, so a relu "
            f"metric would look flat). Use one of {', '.join(names())}."
        )
    return _SMOOTH[name]


@keras.saving.register_keras_serializable("keras_ndm")
def sin(x: Tensor) -> Tensor:
    """Sine as an activation: Keras has none by that name."""
    return backend.sin(x)


def get(activation: str | Callable | None) -> Callable:
    """Resolve an activation as `keras.activations.get` does, with "sin" added."""
    return sin if name_of(activation) == "sin" else keras.activations.get(activation)
