"""The Lagrangian manifold: a mechanical system whose kinetic metric is learned."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import keras
import numpy as np
from keras import ops

from keras_ndm.geometry import activations
from keras_ndm.models import flat_weights, gauss_newton, mechanical_data
from keras_ndm.models.batches import Rows
from keras_ndm.models.lagrangian_terms import TermNetworks
from keras_ndm.models.polish import polish
from keras_ndm.models.symplectic import gauss_legendre

_PARTS = ("potential", "one_form", "friction")
# Accelerations below this share of (speed)²/size are those of a free particle in flat space.
_NOTHING = 1e-6
# Weights up to which `polish` solves for all of them at once.
_DENSE = 3000
# Step in weights, as a share of a draw, for derivatives with respect to them.
_SMALL = 0.01


@dataclass(frozen=True)
class LagrangianTerms:
    """A learned Lagrangian at N points, as numpy arrays in the coordinates of the data.

    Attributes
    ----------
    metric : (N, d, d) array, g_ij
    partials : (N, d, d, d) array, ``partials[n, k, i, j]`` = ∂_k g_ij
    potential : (N,) array, V, or None
    force : (N, d) array, ∂_k V, or None
    energy_scale : float
        Typical kinetic energy of the data, or the spread of V where that is larger.
    misfit : float
        Share of the accelerations' mean square that training left unexplained; 1 before training.
    bend : float
        The same over the square of (typical speed)²/(spread of the coordinates): what a metric that
        changes altogether over the data would cause.
    """

    metric: np.ndarray
    partials: np.ndarray
    potential: np.ndarray | None
    force: np.ndarray | None
    energy_scale: float
    misfit: float
    bend: float

    def beyond(
        self, ahead: "LagrangianTerms", behind: "LagrangianTerms", factor: float
    ) -> "LagrangianTerms":
        """Return these terms plus a multiple of the difference of two others."""

        def moved(name):
            own = getattr(self, name)
            if own is None:
                return None
            return own + factor * (getattr(ahead, name) - getattr(behind, name))

        parts = [moved(name) for name in ("metric", "partials", "potential", "force")]
        return LagrangianTerms(*parts, self.energy_scale, self.misfit, self.bend)


def _typical(values: np.ndarray, natural: float) -> np.ndarray:
    """Root mean square of each column, none below a tenth of the largest.

    A coordinate that is hardly pushed must not count for more than the others. Where all are
    rounding against what is `natural`, that takes their place.
    """
    sizes = np.sqrt(np.mean(np.square(values), axis=0))
    if sizes.max() <= _NOTHING * natural:
        return np.full_like(sizes, natural or 1.0)
    return np.maximum(sizes, 0.1 * sizes.max())


@keras.saving.register_keras_serializable("keras_ndm")
class LagrangianManifold(keras.Model):
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
    >>> model.fit(*from_positions(q, times), …)         # `keras_ndm.models.mechanical_data`

    Raises
    ------
    ValueError
        On arguments or data that do not fit, with what was received and what was expected.
    """

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
        super().__init__(**kwargs)
        activations.derivatives(activation)
        if substeps < 1:
            raise ValueError(f"`substeps` must be at least 1; received {substeps!r}.")
        self.angles = tuple(int(i) for i in angles)
        self.hidden = tuple(int(width) for width in hidden)
        self.activation = activations.get(activation)
        self.parts = tuple(
            part
            for part, wanted in zip(_PARTS, (potential, magnetic, dissipation), strict=True)
            if wanted
        )
        self.substeps = int(substeps)
        self.posterior = None
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
        straight = np.array([i not in self.angles for i in range(d)])
        spread = np.where(straight, q.std(axis=0), 1.0)
        spread = np.where(spread > 0, spread, 1.0)
        self.shift.assign(np.where(straight, q.mean(axis=0), 0.0))
        self.spread.assign(spread)
        moved = None if dt is None else y - np.concatenate([q, v], axis=1)
        rates = y if dt is None else moved[:, d:] / dt
        speed = float(np.sqrt(np.mean(np.square(v / spread), axis=0)).max())
        pulls = _typical(rates / spread, speed**2)
        self.speed.assign(speed or 1.0)
        self.pull.assign(pulls.max())
        self.acceleration_scale.assign(pulls * spread)
        if dt is not None:
            step = float(np.mean(dt))
            halves = (
                _typical(moved[:, :d] / spread, speed * step),
                _typical(moved[:, d:] / spread, speed**2 * step),
            )
            self.increment_scale.assign(np.concatenate([h * spread for h in halves]))
        self.velocity_moment.assign(v.T @ v / len(v))
        self.adapted.assign(1.0)

    def compile(self, optimizer: object = "adam", loss: object = None, **kwargs) -> None:
        """As `keras.Model.compile`; the loss is that of `compute_loss`."""
        if loss is not None:
            raise ValueError(
                "LagrangianManifold is trained on the residuals of its own motion and takes no "
                f"`loss`; received {loss!r}."
            )
        super().compile(optimizer=optimizer, **kwargs)

    def fit(self, x: object = None, y: object = None, **kwargs) -> keras.callbacks.History:
        """As `keras.Model.fit`, with x and y as in `adapt`; adapts a model that was not adapted."""
        if not self.built or not float(ops.convert_to_numpy(self.adapted)):
            if y is None:
                raise ValueError("Call model.adapt(x, y) with arrays before fitting on a data set.")
            self.adapt(x, y)
        if y is not None:
            *x, y = (a for a in self._checked(x, y) if a is not None)
            x = tuple(x)
        history = super().fit(x, y, **kwargs)
        self.posterior = None
        losses = history.history.get("loss")
        if losses:  # none after zero epochs
            columns = self.dimension if y is None else y.shape[1]
            self.misfit.assign(2.0 * losses[-1] / columns)
        return history

    def polish(self, x: tuple, y: np.ndarray, iterations: int = 500) -> float:
        """Minimize the loss on all of the data, after `fit` or instead of it.

        By Levenberg–Marquardt steps where there are few weights, which also tell how sure each is
        and do not fit noise (`gauss_newton`); else by L-BFGS. For small networks this reaches in
        seconds what stochastic steps need minutes for.

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
        if len(flat_weights.read(self)) <= _DENSE:
            self.posterior, loss = gauss_newton.fit(self, x, y, iterations)
        else:
            loss = polish(self, x, y, iterations)
        self.misfit.assign(2.0 * loss / y.shape[1])
        return loss

    def _checked(self, x, y):
        q, v, dt, y = mechanical_data.checked(x, y)
        if dt is not None:
            for i in self.angles:  # an angle may have been wrapped to (−π, π]
                y[:, i] = q[:, i] + np.angle(np.exp(1j * (y[:, i] - q[:, i])))
        return q, v, dt, y

    def call(self, x: tuple) -> object:
        """Accelerations (batch, d) at (q, v), or next states (batch, 2d) at (q, v, dt)."""
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
        x: object = None,
        y: object = None,
        y_pred: object = None,
        sample_weight: object = None,
        training: bool = True,
    ) -> object:
        """Half the sum of squares of the residuals, each over the spread of its coordinate."""
        del y_pred, training
        if y is None:
            raise ValueError("The targets y are missing: accelerations, or the states that follow.")
        loss = 0.5 * ops.sum(ops.square(self.residuals(x, y)), axis=-1)
        if sample_weight is not None:
            loss = loss * ops.reshape(ops.cast(sample_weight, loss.dtype), (-1,))
        return ops.mean(loss)

    def residuals(self, x: tuple, y: object) -> object:
        """Prediction minus target over the spread of its coordinate, (batch, k)."""
        mean = self.call(x)
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

    def _terms(self, t):
        return self.terms(t, self._units())

    def _gauged(self, t):
        """Terms with their scale and the zero of V fixed."""
        return self._terms(t).scaled(*self.terms.gauge(self._units()))

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

    def acceleration(self, q: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Accelerations (N, d) at positions and velocities (N, d), as numpy arrays."""
        return self._at("_acceleration", q, v)

    def _acceleration(self, q, v):
        return self.call((q, v))

    def mass_matrix(self, q: np.ndarray) -> np.ndarray:
        """Kinetic metric g (N, d, d) at positions (N, d)."""
        return self.lagrangian_terms(q).metric

    def potential(self, q: np.ndarray) -> np.ndarray:
        """Potential energy V (N,) at positions (N, d); zeros where the model has none."""
        values = self.lagrangian_terms(q).potential
        return np.zeros(len(q)) if values is None else values

    def momentum(self, q: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Canonical momenta p = g v + A, (N, d)."""
        return self._at("_momentum", q, v) / self._numpy("spread")

    def _momentum(self, q, v):
        q, v = self._cast((q, v))
        t, w = self._scaled(q, v)
        return self._gauged(t).momentum(w)

    def energy(self, q: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Energy ½ vᵀ g v + V, (N,)."""
        return self._at("_energy", q, v)

    def _energy(self, q, v):
        q, v = self._cast((q, v))
        t, w = self._scaled(q, v)
        return self._gauged(t).energy(w)

    def lagrangian_terms(self, q: np.ndarray) -> LagrangianTerms:
        """Metric, potential and their derivatives at positions (N, d): see `LagrangianTerms`."""
        s = self._numpy("spread")
        parts = self._at("_plain_terms", q)
        g, dg = (np.asarray(a) for a in parts[:2])
        g = g / (s[:, None] * s)
        dg = dg / (s[:, None, None] * s[:, None] * s)
        kinetic = 0.5 * float(np.sum(g.mean(axis=0) * self._numpy("velocity_moment")))
        misfit = float(self._numpy("misfit"))
        bend = misfit * float(self._numpy("pull") / self._numpy("speed") ** 2) ** 2
        if "potential" not in self.parts:
            return LagrangianTerms(g, dg, None, None, kinetic, misfit, bend)
        energy = max(kinetic, float(parts[2].std()))
        return LagrangianTerms(g, dg, parts[2], parts[3] / s, energy, misfit, bend)

    def drawn_terms(self, q: np.ndarray, count: int, seed: int = 0) -> list[LagrangianTerms]:
        """Terms at positions (N, d) of other weights that fit the data of `polish` as well.

        Drawn from the weights' posterior (see `gauss_newton`), to first order in the weights:
        those that the data leave open do not matter then (Immer et al., AISTATS 2021). None where
        the model has more weights than `polish` solves for at once, or was trained on since.
        """
        reached = flat_weights.read(self)
        belief = self.posterior
        if belief is None or not np.allclose(reached, belief.mean, rtol=1e-5, atol=1e-6):
            return []
        rng, found = np.random.default_rng(seed), []
        middle = self.lagrangian_terms(q)
        try:
            for _ in range(count):
                change = _SMALL * (belief.draw(rng) - belief.mean)
                flat_weights.write(self, reached + change)
                ahead = self.lagrangian_terms(q)
                flat_weights.write(self, reached - change)
                found.append(middle.beyond(ahead, self.lagrangian_terms(q), 0.5 / _SMALL))
        finally:
            flat_weights.write(self, reached)
        return found

    def _plain_terms(self, q):
        (q,) = self._cast((q,))
        t, _ = self._scaled(q, q)
        terms = self._gauged(t)
        parts = (terms.metric.value, terms.metric.first)
        if terms.potential is not None:
            parts += (terms.potential.value, terms.potential.first)
        return parts

    def rollout(self, q: np.ndarray, v: np.ndarray, times: np.ndarray) -> np.ndarray:
        """Integrate the learned motion by a symplectic method.

        Parameters
        ----------
        q, v : (runs, d) arrays
            Where the runs start, at times[0].
        times : (steps,) array, increasing
            One step of the two-stage Gauss–Legendre method (order 4, implicit, symplectic) leads
            from each to the next, so steps should be short against the motion.

        Returns
        -------
        (runs, steps, 2d) array
            Positions, then velocities.

        Raises
        ------
        ValueError
            When shapes do not fit or a step is too long for its equations to be solved.
        """
        q, v = mechanical_data.checked_state(q, v, dimension=self._ready())
        times = np.asarray(times, dtype=float)
        if times.ndim != 1 or len(times) < 2 or np.any(np.diff(times) <= 0):
            raise ValueError("`times` must be an increasing array of at least two instants.")
        spread, shift = self._numpy("spread"), self._numpy("shift")
        t = (q - shift) / spread
        p = self._at("_momentum", q, v)
        path = [np.concatenate([q, v], axis=1)]
        field = partial(self._at, "_flow")
        for position, momentum in gauss_legendre(field, t, p, times):
            velocity, _ = field(position, momentum)
            path.append(np.concatenate([position * spread + shift, velocity * spread], axis=1))
        return np.stack(path, axis=1)

    def _flow(self, t, p):
        t, p = self._cast((t, p))
        return self._gauged(t).hamiltonian_flow(p)

    def _ready(self):
        if not self.built:
            raise ValueError("The model has no weights yet: call fit(x, y) or adapt(x, y) first.")
        return self.dimension

    def _numpy(self, name):
        return np.asarray(ops.convert_to_numpy(getattr(self, name)), dtype=float)

    def _at(self, name, *arrays):
        arrays = mechanical_data.checked_state(*arrays, dimension=self._ready())
        if name not in self._compiled:
            self._compiled[name] = Rows(getattr(self, name), self.variables)
        return self._compiled[name](*arrays)

    def get_config(self) -> dict:
        """Arguments of the constructor."""
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
