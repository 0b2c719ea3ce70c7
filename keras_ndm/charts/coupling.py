"""Coupling charts: one half of the coordinates is moved by maps that the other half chooses."""

from collections.abc import Callable, Sequence

import keras
from keras import ops

from keras_ndm import backend
from keras_ndm.backend import Tensor, tfp
from keras_ndm.charts.conditional import Conditional
from keras_ndm.charts.spline import RationalQuadraticSpline, shape_from
from keras_ndm.geometry import activations, jets
from keras_ndm.user_data import widths_of


class Coupling(Conditional):
    """Stack of coupling layers that alternate in which half they move.

    Parameters
    ----------
    depth : int
        Number of coupling layers; two reach every coordinate.
    hidden : sequence of int
        Widths of each conditioner network.
    activation : str or callable
        Activation of the conditioner; a smooth one keeps the chart smooth.
    identity : bool
        Start at the identity map (the conditioners' last layers start at zero).
    """

    def __init__(
        self,
        depth: int = 2,
        hidden: Sequence[int] = (64,),
        activation: str | Callable = "tanh",
        identity: bool = True,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if depth < 1:
            raise ValueError(f"`depth` is the number of coupling layers, ≥ 1; received {depth!r}.")
        self.depth = int(depth)
        self.hidden = widths_of(hidden)
        self.activation = activations.get(activation)
        self.identity = bool(identity)

    def parameters(self, moved: int) -> int:
        """Give the number of conditioner outputs needed to move `moved` coordinates."""
        raise NotImplementedError

    def moving(self, outputs: Tensor, moved: int) -> tfp.bijectors.Bijector:
        """Give the bijector of the moved half from the conditioner's outputs."""
        raise NotImplementedError

    def move(self, outputs: Tensor, x: Tensor) -> tuple:
        """Moved half (batch, m) and log of its derivatives' product (batch,), of x (batch, m)."""
        bijector = self.moving(outputs, x.shape[-1])
        return bijector.forward(x), bijector.forward_log_det_jacobian(x, event_ndims=1)

    def build(self, input_shape: tuple) -> None:
        """Make the conditioner networks."""
        d = int(input_shape[-1])
        if d < 2:
            raise ValueError(
                f"{type(self).__name__} splits the coordinates in two and needs d ≥ 2; received "
                f"shape {tuple(input_shape)}. For d = 1 use an elementwise chart."
            )
        # The first layer keeps the first d//2 coordinates, the next one keeps the last ones, and so
        # on. A negative count is TFP's way to say "the last".
        self.kept = [d // 2 if k % 2 == 0 else -(d - d // 2) for k in range(self.depth)]
        last = "zeros" if self.identity else "glorot_uniform"
        self.conditioners = []
        for k, kept in enumerate(self.kept):
            stack = [
                keras.layers.Dense(units, activation=self.activation, dtype=self.dtype_policy)
                for units in self.hidden
            ]
            outputs = self.parameters(d - abs(kept))
            stack.append(
                keras.layers.Dense(outputs, kernel_initializer=last, dtype=self.dtype_policy)
            )
            network = keras.Sequential(stack, name=f"conditioner_{k}")
            network.build((None, abs(kept) + self.context_width))
            self.conditioners.append(network)

    def _outputs(self, network, fixed, context):
        """What a conditioner makes of the half that is kept."""
        if self.context_width:
            fixed = ops.concatenate([fixed, context], axis=-1)
        return jets.network(jets.Jet(fixed), network.layers).value

    def bijector(self, context: Tensor | None = None) -> tfp.bijectors.Bijector:
        """TFP's RealNVP for each layer."""
        self.check_context(context)
        layers = []
        for kept, network in zip(self.kept, self.conditioners, strict=True):

            def moving(x, depth, network=network, **_):
                return self.moving(self._outputs(network, x, context), int(depth))

            layers.append(tfp.bijectors.RealNVP(num_masked=kept, bijector_fn=moving))
        return tfp.bijectors.Chain(layers[::-1])

    def forward_and_log_det(self, x: Tensor, context: Tensor | None = None) -> tuple:
        """As in `Chart`: each conditioner is evaluated once."""
        self.check_context(context)
        total = ops.zeros_like(x[:, 0])
        for kept, network in zip(self.kept, self.conditioners, strict=True):
            first, last = x[:, :kept], x[:, kept:]
            fixed, moved = (first, last) if kept > 0 else (last, first)
            moved, log_det = self.move(self._outputs(network, fixed, context), moved)
            total = total + log_det
            x = ops.concatenate([fixed, moved] if kept > 0 else [moved, fixed], axis=-1)
        return x, total

    def get_config(self) -> dict:
        """Arguments of the constructor."""
        activation = keras.saving.serialize_keras_object(self.activation)
        return {
            **super().get_config(),
            "depth": self.depth,
            "hidden": self.hidden,
            "activation": activation,
            "identity": self.identity,
        }

    @classmethod
    def from_config(cls, config: dict) -> "Coupling":
        """Rebuild the chart from `get_config()`."""
        activation = keras.saving.deserialize_keras_object(config["activation"])
        return cls(**{**config, "activation": activation})


@keras.saving.register_keras_serializable("keras_ndm")
class AffineCoupling(Coupling):
    """RealNVP: x₂ ↦ exp(s(x₁)) x₂ + t(x₁) (Dinh et al., 2017), `|s| < 3` by 3 tanh(s/3)."""

    def parameters(self, moved: int) -> int:
        """Give a log scale and a shift each."""
        return 2 * moved

    def moving(self, outputs: Tensor, moved: int) -> tfp.bijectors.Bijector:
        """Scale, then shift."""
        log_scale, shift = self._split(outputs, moved)
        tfb = tfp.bijectors
        return tfb.Chain([tfb.Shift(shift), tfb.Scale(ops.exp(log_scale))])

    def move(self, outputs: Tensor, x: Tensor) -> tuple:
        """As in `Coupling`."""
        log_scale, shift = self._split(outputs, x.shape[-1])
        return ops.exp(log_scale) * x + shift, ops.sum(log_scale, axis=-1)

    def _split(self, outputs, moved):
        return 3.0 * backend.tanh(outputs[..., :moved] / 3.0), outputs[..., moved:]


@keras.saving.register_keras_serializable("keras_ndm")
class SplineCoupling(Coupling):
    """Rational-quadratic splines on [−bound, bound] (Durkan et al., 2019), identity outside.

    Parameters
    ----------
    bins : int
        Number of bins of each spline.
    bound : float
        The splines act between −bound and bound: standardize first.
    """

    def __init__(self, bins: int = 8, bound: float = 5.0, **kwargs):
        super().__init__(**kwargs)
        if bins < 2 or not bound > 0:
            raise ValueError(
                f"Expected bins ≥ 2 and bound > 0; received bins={bins}, bound={bound}."
            )
        self.bins, self.bound = int(bins), float(bound)

    def parameters(self, moved: int) -> int:
        """Widths, heights and inner slopes."""
        return moved * (3 * self.bins - 1)

    def move(self, outputs: Tensor, x: Tensor) -> tuple:
        """As in `Coupling`."""
        y, log_slopes = self.moving(outputs, x.shape[-1]).forward_and_log_slope(x)
        return y, ops.sum(log_slopes, axis=-1)

    def moving(self, outputs: Tensor, moved: int) -> tfp.bijectors.Bijector:
        """Splines whose numbers the conditioner gives."""
        shape = ops.shape(outputs)[:-1]
        raw = ops.reshape(outputs, (*shape, moved, 3 * self.bins - 1))
        return RationalQuadraticSpline(*shape_from(raw, self.bins, self.bound), self.bound)

    def get_config(self) -> dict:
        """Arguments of the constructor."""
        return {**super().get_config(), "bins": self.bins, "bound": self.bound}
