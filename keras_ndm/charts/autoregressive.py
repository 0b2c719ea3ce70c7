"""Masked autoregressive chart."""

import functools
import itertools
from collections.abc import Callable, Sequence
from types import SimpleNamespace

import keras
import numpy as np
from keras import ops

from keras_ndm import backend
from keras_ndm.backend import Tensor, tfp
from keras_ndm.charts.conditional import Conditional
from keras_ndm.geometry import activations, jets
from keras_ndm.user_data import widths_of


class _Autoregressive(tfp.bijectors.Bijector):
    """z_i = (x_i − m_i) exp(−s_i), m and s functions of the coordinates before i.

    TFP's `MaskedAutoregressiveFlow` goes the other way round: there the direction that a chart uses
    is the slow one.
    """

    def __init__(self, shift_and_log_scale: Callable, dtype: str):
        parameters = dict(locals())
        self._functions = shift_and_log_scale
        super().__init__(
            forward_min_event_ndims=1,
            dtype=ops.zeros((), dtype).dtype,
            name="autoregressive",
            parameters=parameters,
        )

    def _forward(self, x):
        shift, log_scale = self._functions(x)
        return (x - shift) * ops.exp(-log_scale)

    def _inverse(self, z):
        # After k rounds the first k coordinates are exact.
        x = ops.zeros_like(z)
        for _ in range(z.shape[-1]):
            shift, log_scale = self._functions(x)
            x = z * ops.exp(log_scale) + shift
        return x

    def _forward_log_det_jacobian(self, x):
        return -ops.sum(self._functions(x)[1], axis=-1)


@keras.saving.register_keras_serializable("keras_ndm")
class Autoregressive(Conditional):
    """z_i = (x_i − m_i(x_<i)) exp(−s_i(x_<i)), by one masked network (Germain et al., 2015;
    Papamakarios et al., 2017), `|s| < 3`.

    Forward takes one pass, the inverse d passes.

    Parameters
    ----------
    hidden : sequence of int
        Widths of the network's hidden layers.
    activation : str or callable
        A smooth one keeps the chart smooth.
    identity : bool
        Start at the identity map.
    """  # noqa: D205

    def __init__(
        self,
        hidden: Sequence[int] = (64,),
        activation: str | Callable = "tanh",
        identity: bool = True,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.hidden = widths_of(hidden)
        self.activation = activations.get(activation)
        self.identity = bool(identity)

    def build(self, input_shape: tuple) -> None:
        """Make kernels and the masks that hide later coordinates."""
        d = int(input_shape[-1])
        # Degree k: a unit that may see the coordinates 1 … k, of degree 0 the context alone; an
        # output i sees the coordinates before i.
        degrees, least = [np.arange(1, d + 1)], 0 if self.context_width else 1
        degrees += [least + np.arange(width) % max(1, d - least) for width in self.hidden]
        masks = [a[:, None] <= b[None, :] for a, b in itertools.pairwise(degrees)]
        masks.append(degrees[-1][:, None] < np.tile(degrees[0], 2)[None, :])
        self.masks = [mask.astype("float32") for mask in masks]
        self.kernels, self.biases = [], []
        for k, mask in enumerate(self.masks):
            last = self.identity and k == len(self.masks) - 1
            start = "zeros" if last else "glorot_uniform"
            add = self.add_weight
            self.kernels.append(add(shape=mask.shape, initializer=start, name=f"kernel_{k}"))
            self.biases.append(add(shape=mask.shape[1:], initializer="zeros", name=f"bias_{k}"))
        self.context_kernel = None
        if self.context_width:
            start = "zeros" if self.identity and not self.hidden else "glorot_uniform"
            shape = (self.context_width, self.masks[0].shape[1])
            self.context_kernel = add(shape=shape, initializer=start, name="context_kernel")

    def _functions(self, x, context=None):
        self.check_context(context)
        jet, last = jets.Jet(x), len(self.masks) - 1
        for k, (mask, kernel, bias) in enumerate(
            zip(self.masks, self.kernels, self.biases, strict=True)
        ):
            masked = ops.convert_to_tensor(kernel) * ops.convert_to_tensor(mask, self.compute_dtype)
            bias = ops.convert_to_tensor(bias)
            if k == 0 and self.context_width:
                bias = bias + ops.matmul(context, ops.convert_to_tensor(self.context_kernel))
            activation = None if k == last else self.activation
            layer = SimpleNamespace(kernel=masked, bias=bias, use_bias=True, activation=activation)
            jet = jets.dense(jet, layer)
        shift, log_scale = ops.split(jet.value, 2, axis=-1)
        return shift, 3.0 * backend.tanh(log_scale / 3.0)

    def bijector(self, context: Tensor | None = None) -> tfp.bijectors.Bijector:
        """Give the autoregressive map with the current weights."""
        functions = functools.partial(self._functions, context=context)
        return _Autoregressive(functions, self.compute_dtype)

    def forward_and_log_det(self, x: Tensor, context: Tensor | None = None) -> tuple:
        """As in `Chart`: the network is evaluated once."""
        shift, log_scale = self._functions(x, context)
        return (x - shift) * ops.exp(-log_scale), -ops.sum(log_scale, axis=-1)

    def get_config(self) -> dict:
        """Arguments of the constructor."""
        return {
            **super().get_config(),
            "hidden": self.hidden,
            "activation": keras.saving.serialize_keras_object(self.activation),
            "identity": self.identity,
        }

    @classmethod
    def from_config(cls, config: dict) -> "Autoregressive":
        """Rebuild the chart from `get_config()`."""
        activation = keras.saving.deserialize_keras_object(config["activation"])
        return cls(**{**config, "activation": activation})
