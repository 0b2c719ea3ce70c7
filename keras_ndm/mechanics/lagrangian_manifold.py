"""The Lagrangian manifold: a mechanical system whose kinetic metric is learned."""

from collections.abc import Callable, Sequence

import keras
import numpy as np
from keras import ops

from keras_ndm.backend import Tensor
from keras_ndm.geometry import activations
from keras_ndm.mechanics import data, flat_weights, gauss_newton
from keras_ndm.mechanics.polish import polish
from keras_ndm.mechanics.readout import DENSE, Mechanics
from keras_ndm.mechanics.term_networks import TermNetworks, Terms
from keras_ndm.own_loss import OwnLoss
from keras_ndm.precision import full_precision, refuse_quantized
from keras_ndm.user_data import check_shapes, is_number, widths_of

_PARTS = ("potential", "one_form", "friction")


@keras.saving.register_keras_serializable("keras_ndm")
class LagrangianManifold(Mechanics, OwnLoss):
    r"""Learn the Lagrangian ½ q̇ᵀ g(q) q̇ − V(q) of a mechanical system.

    The metric is the mass matrix. Angles enter by cosine and sine. The motion does not fix the
    scale of L: mass matrix, energies and momenta are given in the one with det g = 1 (in
    coordinates over their spread) and V = 0 at the mean of the data, for angles at 0. L is also
    free in what else leaves accelerations alone: any constant metric is as good as another for free
    motion.

    Parameters
    ----------
    angles : sequence of int
        Columns of q that are angles.
    hidden : sequence of int
        Widths of the hidden layers of each network.
    activation : str or callable
        A smooth one.
    potential, magnetic, dissipation : bool
        Whether there is V(q), a one-form A(q) with forces (∂_i A_j − ∂_j A_i) q̇^j, and friction
        −D(q) q̇ with D positive semidefinite.
    substeps : int
        Runge–Kutta steps from one state to the next when states are the targets.

    Examples
    --------
    >>> model = LagrangianManifold(angles=(0, 1))
    >>> model.compile(keras.optimizers.Adam(3e-3), jit_compile=True)
    >>> model.fit((q, v), a, epochs=100, batch_size=256)                 # accelerations known
    >>> model.polish((q, v), a)                                          # the last digits
    >>> model.fit((q, v, dt), np.hstack([q_next, v_next]), …)            # states only
    >>> model.fit(*from_positions(q, times), …)         # `keras_ndm.mechanics`

    Raises
    ------
    ValueError
        On arguments or data that do not fit, with what was received and what was expected.
    """

    own_loss = "motion's residuals"

    def __init__(
        self,
        angles: Sequence[int] = (),
        hidden: Sequence[int] = (32, 32),
        activation: str | Callable = "tanh",
        potential: bool = True,
        magnetic: bool = False,
        dissipation: bool = False,
        substeps: int = 1,
        **kwargs,
    ):
        # Second derivatives have no use for half precision.
        super().__init__(dtype=full_precision(kwargs.pop("dtype", None)), **kwargs)
        activations.derivatives(activation)
        if not (is_number(substeps, whole=True) and substeps >= 1):
            raise ValueError(f"`substeps` must be at least 1; received {substeps!r}.")
        self.angles = tuple(int(i) for i in angles)
        self.hidden = widths_of(hidden)
        self.activation = activations.get(activation)
        self.parts = tuple(
            part
            for part, wanted in zip(_PARTS, (potential, magnetic, dissipation), strict=True)
            if wanted
        )
        self.substeps = int(substeps)
        self.posterior = None
        self._seen = None
        self._compiled = {}

    def build(self, input_shape: tuple) -> None:
        """Make the networks for [(batch, d), (batch, d)] or with steps (batch, 1) besides."""
        self.dimension = d = int(input_shape[0][-1])
        outside = [i for i in self.angles if not 0 <= i < d]
        if outside:
            raise ValueError(f"`angles` holds columns {outside}; q has columns 0 to {d - 1}.")
        self.terms = TermNetworks(
            d, self.angles, self.hidden, self.activation, self.parts, dtype=self.dtype_policy
        )
        # Only where all layers are built is a saved optimizer restored.
        self.terms.build((None, d))
        shapes = {
            "shift": (d,),
            "spread": (d,),
            "speed": (),
            "pull": (),
            "misfit": (),
            "acceleration_scale": (d,),
            "increment_scale": (2 * d,),
            "velocity_moment": (d, d),
        }
        for name, shape in shapes.items():
            weight = self.add_weight(shape=shape, initializer="ones", trainable=False, name=name)
            setattr(self, name, weight)
        self.adapted = self.add_weight(
            shape=(), initializer="zeros", trainable=False, name="adapted"
        )

    def row_shapes(self, parts: int) -> tuple:
        """Shapes of q and v, of dt where there are three, and of the targets."""
        d = self.dimension
        return ([(d,), (d,)], (d,)) if parts < 3 else ([(d,), (d,), (1,)], (2 * d,))

    def adapt(self, x: tuple, y: np.ndarray) -> None:
        """Take the scales of the coordinates, velocities and residuals from the data.

        Parameters
        ----------
        x : tuple of arrays
            (q, v) with q, v (N, d), or (q, v, dt) with dt (N, 1).
        y : array
            Accelerations (N, d) for (q, v); next states (N, 2d), q then v, for (q, v, dt).
        """
        q, v, dt, y = self._checked(x, y)
        d = q.shape[1]
        if not self.built:
            self.build([(None, d), (None, d)])
            self.built = True
        if d != self.dimension:
            raise ValueError(f"The model was built for {self.dimension} coordinates; received {d}.")
        for name, value in data.scales(q, v, dt, y, self.angles).items():
            getattr(self, name).assign(value)
        self.adapted.assign(1.0)

    def fit(
        self, x: tuple | None = None, y: np.ndarray | None = None, **kwargs
    ) -> keras.callbacks.History:
        """As `keras.Model.fit`, with x and y as in `adapt`; adapts a model that was not adapted.

        Parameters
        ----------
        x, y
            As in `adapt`, or a data set as x.
        **kwargs
            As in Keras.
        """
        if not self.built or not float(ops.convert_to_numpy(self.adapted)):
            if y is None:
                raise ValueError("Call model.adapt(x, y) with arrays before fitting on a data set.")
            self.adapt(x, y)
        if y is not None:
            *x, y = (a for a in self._checked(x, y) if a is not None)
            x = tuple(x)
        history = super().fit(x, y, **kwargs)
        self.posterior, self._seen = None, None if y is None else (x, y)
        losses = history.history.get("loss")
        if losses:  # none after zero epochs
            columns = self.dimension if y is None else y.shape[1]
            self.misfit.assign(2.0 * losses[-1] / columns)
        return history

    def polish(self, x: tuple, y: np.ndarray, iterations: int = 500) -> float:
        """Minimize the loss on all of the data, after `fit` or instead of it.

        By Levenberg–Marquardt steps where there are few weights, which are regularized and also
        give the weights' posterior (`gauss_newton`); else by L-BFGS. For small networks this
        reaches in seconds what stochastic steps need minutes for.

        Parameters
        ----------
        x, y
            As for `fit`, but arrays.
        iterations : int
            Steps at most.

        Returns
        -------
        float
            The loss reached.
        """
        if not self.built or not float(ops.convert_to_numpy(self.adapted)):
            self.adapt(x, y)
        parts = [a.astype("float32") for a in self._checked(x, y) if a is not None]
        x, y = tuple(parts[:-1]), parts[-1]
        if len(flat_weights.read(self)) <= DENSE:
            self.posterior, loss = gauss_newton.fit(self, x, y, iterations)
        else:
            loss = polish(self, x, y, iterations)
        self.misfit.assign(2.0 * loss / y.shape[1])
        return loss

    def _checked(self, x, y):
        q, v, dt, y = data.checked(x, y)
        if dt is not None:
            for i in self.angles:  # an angle may have been wrapped to (−π, π]
                y[:, i] = q[:, i] + np.angle(np.exp(1j * (y[:, i] - q[:, i])))
        return q, v, dt, y

    def call(self, x: tuple) -> Tensor:
        """Accelerations (batch, d) at (q, v), or next states (batch, 2d) at (q, v, dt)."""
        parts = len(x) if isinstance(x, list | tuple) else 1
        check_shapes(x, self.row_shapes(parts)[0], "inputs")
        q, v, *dt = self._cast(x)
        t, w = self._scaled(q, v)
        if not dt:
            return self._terms(t).acceleration(w) * ops.convert_to_tensor(self.spread)
        t, w = self._advance(t, w, dt[0])
        spread, shift = (ops.convert_to_tensor(a) for a in (self.spread, self.shift))
        return ops.concatenate([t * spread + shift, w * spread], axis=-1)

    def moments(self, x: tuple) -> tuple:
        """Prediction (batch, k), and the covariance that residuals are measured by.

        A constant one: the spread of what is predicted. `NaturalGradient` takes its Fisher matrix
        from here.
        """
        mean = self.call(x)
        scale = self.acceleration_scale if len(x) == 2 else self.increment_scale
        scale = ops.cast(ops.convert_to_tensor(scale), mean.dtype)
        eye = ops.eye(mean.shape[-1], dtype=mean.dtype)
        return mean, ops.zeros_like(mean)[:, :, None] + eye * ops.square(scale)

    def compute_loss(
        self,
        x: tuple | None = None,
        y: Tensor | None = None,
        y_pred: Tensor | None = None,
        sample_weight: Tensor | None = None,
        training: bool = True,
    ) -> Tensor:
        """Half the sum of squares of the residuals, each over the spread of its coordinate.

        Parameters
        ----------
        x : tuple of tensors
            (q, v) or (q, v, dt).
        y : tensor (batch, k)
            Accelerations, or next states.
        y_pred
            Not used.
        sample_weight : tensor (batch,), optional
        training
            Not used.
        """
        del y_pred, training
        if y is None:
            raise ValueError("The targets y are missing: accelerations, or the states that follow.")
        loss = 0.5 * ops.sum(ops.square(self.residuals(x, y)), axis=-1)
        if sample_weight is not None:
            loss = loss * ops.reshape(ops.cast(sample_weight, loss.dtype), (-1,))
        return ops.mean(loss)

    def residuals(self, x: tuple, y: Tensor) -> Tensor:
        """Prediction minus target over the spread of its coordinate, (batch, k)."""
        mean = self.call(x)
        check_shapes(y, [tuple(mean.shape[1:])], "targets")
        scale = self.acceleration_scale if len(x) == 2 else self.increment_scale
        return (mean - ops.cast(y, mean.dtype)) / ops.convert_to_tensor(scale)

    def _cast(self, x):
        return [ops.cast(part, self.compute_dtype) for part in x]

    def _scaled(self, q, v):
        spread = ops.convert_to_tensor(self.spread)
        return (q - ops.convert_to_tensor(self.shift)) / spread, v / spread

    def _units(self):
        speed, pull = (ops.convert_to_tensor(a) for a in (self.speed, self.pull))
        return {"potential": pull, "one_form": pull / speed, "friction": pull / speed}

    def _terms(self, t: Tensor, order: int = 1) -> Terms:
        return self.terms(t, self._units(), order=order)

    def _gauged(self, t, order=1):
        """Terms with their scale and the zero of V fixed."""
        return self._terms(t, order).scaled(*self.terms.gauge(self._units()))

    def _advance(self, t, w, dt):
        """Classical Runge–Kutta steps of (t, w) by dt (batch, 1)."""
        h = dt / self.substeps
        for _ in range(self.substeps):
            k1 = self._terms(t).acceleration(w)
            w2 = w + 0.5 * h * k1
            k2 = self._terms(t + 0.5 * h * w).acceleration(w2)
            w3 = w + 0.5 * h * k2
            k3 = self._terms(t + 0.5 * h * w2).acceleration(w3)
            w4 = w + h * k3
            k4 = self._terms(t + h * w3).acceleration(w4)
            t = t + h / 6.0 * (w + 2.0 * w2 + 2.0 * w3 + w4)
            w = w + h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
        return t, w

    def get_config(self) -> dict:
        """Arguments of the constructor."""
        refuse_quantized(self)
        return {
            **super().get_config(),
            "angles": self.angles,
            "hidden": self.hidden,
            "activation": keras.saving.serialize_keras_object(self.activation),
            "potential": "potential" in self.parts,
            "magnetic": "one_form" in self.parts,
            "dissipation": "friction" in self.parts,
            "substeps": self.substeps,
        }

    @classmethod
    def from_config(cls, config: dict) -> "LagrangianManifold":
        """Rebuild the model from `get_config()`."""
        activation = keras.saving.deserialize_keras_object(config["activation"])
        return cls(**{**config, "activation": activation})
