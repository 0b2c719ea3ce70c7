"""`NaturalGradient`, a Keras optimizer with the Fisher matrix of the metric at the outputs."""

import logging
import warnings
import weakref

import keras
from keras import ops

from keras_ndm.backend import Tensor
from keras_ndm.backend.training import check_devices
from keras_ndm.keras_internals import has_value, layers_inside, track
from keras_ndm.optimizers.natural_gradient.compile_hook import install, take_over
from keras_ndm.optimizers.natural_gradient.fisher.layer_taps import Taps
from keras_ndm.optimizers.natural_gradient.fisher.output_fisher import warn_of_unknown
from keras_ndm.optimizers.natural_gradient.fisher.tap_check import checked_taps, snapshot
from keras_ndm.optimizers.natural_gradient.objective import trained
from keras_ndm.optimizers.natural_gradient.solvers.choice import choose
from keras_ndm.optimizers.natural_gradient.solvers.kronecker import KroneckerFactors
from keras_ndm.optimizers.natural_gradient.step import natural_step, unchanged
from keras_ndm.user_data import is_number

__all__ = ["NaturalGradient"]

_SOLVERS = ("auto", "exact", "kronecker")
_LOG = logging.getLogger("keras_ndm")


@keras.saving.register_keras_serializable("keras_ndm")
class NaturalGradient(keras.optimizers.Optimizer):
    """Natural gradient descent: θ ← θ − η s (F + λ)⁻¹ ∇L.

    F = Σ_n J_nᵀ F_n J_n is the Fisher matrix of the model on the batch, J_n =
    ∂f_n/∂θ, and F_n the Fisher matrix of the loss at the outputs of sample n: the
    metric there. For `NeuralDifferentialManifold` and `ManifoldModel` it is that of their
    Gaussian likelihood, which contains the learned metric g as E[J_θᵀ g J_θ]; for squared
    error it is the identity, for cross-entropy that of the softmax; `output_fisher` has
    the table.  ``"exact"`` solves with all of F in the space of samples, ``"kronecker"``
    with Kronecker factors of it and a few conjugate gradients; where there are more than
    four outputs, output derivatives come from one unbiased random probe. The step s is the
    best of a few on the batch, the damping λ follows the loss (`natural_gradient.damping`), and
    `momentum` is that of SPRING.

    Parameters
    ----------
    learning_rate : float or schedule
        η, the longest step. 1 suits most problems; lower it, or let it decay, for small
        noisy batches.
    damping : float
        C, the prior precision of the weights in λ = C · mean(z²) · √min(1, mean(z²)/mean(z₀²)).
    adaptive_damping : bool
        Whether C grows where the quadratic model fails (Levenberg-Marquardt).
    momentum : float
        Share of the last step that is kept where the batch has nothing to say, in [0, 1).
    solver : {"auto", "exact", "kronecker"}
        "auto" estimates what a step of each takes, from the layers' sizes and the first batch
        (`natural_gradient.solvers.choice`), and takes "exact" where that needs at most 1 GiB and
        six times the multiplications of "kronecker"; the choice and its reason are in
        `chosen_solver` and `reason`, and logged under the name "keras_ndm".
    name : str
    **kwargs
        Those of `keras.optimizers.Optimizer`. Clipping acts on the natural gradient; `weight_decay`
        is decoupled; `gradient_accumulation_steps` is refused.

    Attributes
    ----------
    chosen_solver, reason : str
        What "auto" took, and why; known after the first step.
    rejected_batches : int
        Batches whose loss was not finite: they changed no weight.

    Raises
    ------
    ValueError
        On arguments out of range; for a model with a training step of its own, without a loss,
        or on several `tf.distribute` replicas.

    Notes
    -----
    An optimizer of Keras sees gradients, never the samples they come from. The first one of this
    class that is made therefore installs a hook by which `model.compile` tells an optimizer its
    model (`natural_gradient.compile_hook`, which can also take it out again). The optimizer then
    replaces the model's training step by its own, on TensorFlow and JAX, compiled or not; nothing
    else of `fit` changes. `apply_gradients` from a loop of your own raises an error.

    Dense layers are treated by structure, all others by one gradient a sample of their
    own weights. Both are exact for models whose samples do not influence each other,
    which is checked once against reverse mode through the whole model. `add_loss` terms
    and regularizers enter the gradient and the line search, not F.

    Several devices: on JAX under `keras.distribution.DataParallel` the step is that of the
    whole batch, of which each device holds a part. Keras has no distribution of its own on
    TensorFlow, and a `tf.distribute` strategy with several replicas is refused, since each
    would see its own samples only.

    float64 on JAX: Keras computes tanh, sin, cos and means there in float32 whatever their
    argument, its losses included. Give layers `keras_ndm.backend.tanh` as their activation
    where those digits matter.

    Examples
    --------
    >>> model.compile(optimizer=keras_ndm.NaturalGradient(), loss="mse")
    >>> model.fit(x, y, batch_size=1024, epochs=100)
    """

    # Of variables that were trained before: what is kept of them is not used any more.
    _retired = frozenset()

    def __init__(
        self,
        learning_rate: float | keras.optimizers.schedules.LearningRateSchedule = 1.0,
        damping: float = 0.1,
        adaptive_damping: bool = True,
        momentum: float = 0.9,
        solver: str = "auto",
        name: str = "natural_gradient",
        **kwargs,
    ):
        if solver not in _SOLVERS:
            raise ValueError(f"`solver` must be one of {_SOLVERS}; received {solver!r}.")
        if not (is_number(damping) and damping > 0):
            raise ValueError(f"`damping` must be above 0; received {damping!r}.")
        if not (is_number(momentum) and 0 <= momentum < 1):
            raise ValueError(f"`momentum` must be in [0, 1); received {momentum!r}.")
        if kwargs.get("gradient_accumulation_steps"):
            raise ValueError(
                "The natural gradient of a sum of batches is no sum of natural gradients, so "
                "`gradient_accumulation_steps` is refused. Use larger batches with "
                "solver='kronecker'."
            )
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        install()
        # Variables that stay when the set of trained ones changes: the count and the rate.
        self._lasting = frozenset(id(v) for v in self.variables)
        self.damping = float(damping)
        self.adaptive_damping = bool(adaptive_damping)
        self.momentum = float(momentum)
        self.solver = solver
        self.chosen_solver = None if solver == "auto" else solver
        self.reason = None if solver == "auto" else "as asked."
        self.taps = None
        self._model = None
        self._stepping = False
        self._warned = False
        self._known = None
        self._reported = 0

    def attach(self, model: keras.Model) -> None:
        """Take over the training step of `model`; `model.compile` calls this.

        Raises
        ------
        ValueError
            When the optimizer belongs to another model, or the model has a training step
            of its own.
        """
        if self.built and self._owner() is not model:
            raise ValueError(
                "This NaturalGradient was already used with another model; make a new one for each."
            )
        # A weak reference: Keras saves what an optimizer refers to along with it.
        self._model = weakref.ref(model)
        if self.built and {id(v) for v in model.trainable_variables} != self._built_for:
            self._start_over()
        self.taps = None
        self._known = snapshot(model) if model.built else None
        take_over(model, self._train_step)

    def _start_over(self):
        """Forget what belongs to variables that were trained before: some were (un)frozen."""
        self._retired |= {id(v) for v in self.variables} - self._lasting
        self.built, self._reported = False, 0
        if self.solver == "auto":
            self.chosen_solver = self.reason = None

    @property
    def variables(self) -> list:
        """Variables in use."""
        return [v for v in super().variables if id(v) not in self._retired]

    def build(self, variables: list) -> None:
        """Make the last step, damping, counters and Kronecker factors."""
        if self.built:
            return
        model = self._owner()
        if model is None:
            raise ValueError(
                "NaturalGradient works through `model.compile(optimizer=...)`, which tells it "
                "the model; compile the model before building the optimizer."
            )
        self._built_for = frozenset(id(v) for v in variables)
        variables = trained(variables)
        super().build(variables)
        self._known = snapshot(model)
        self.last_step = self.add_optimizer_variables(variables, "last_step")
        start = keras.initializers.Constant(self.damping)
        self.coefficient = self.add_variable((), start, name="coefficient")
        self.first_misfit = self.add_variable((), "zeros", name="first_misfit")
        self.rejected = self.add_variable((), "zeros", "int32", name="rejected")
        self.signs = keras.random.SeedGenerator(0)
        track(self, self.signs.state)
        if self.solver != "exact":
            self.factors = KroneckerFactors(self, Taps(model), variables)

    def update_step(
        self, gradient: Tensor, variable: keras.Variable, learning_rate: Tensor | float
    ) -> None:
        """θ ← θ − η d.

        Parameters
        ----------
        gradient : tensor
            d, the natural gradient times the fraction of the line search.
        variable : keras.Variable
            θ.
        learning_rate : scalar
            η.
        """
        rate = ops.cast(learning_rate, variable.dtype)
        self.assign_sub(variable, rate * ops.cast(gradient, variable.dtype))

    def apply(self, grads: list, trainable_variables: list | None = None) -> None:
        """As in Keras, but only for the steps that this optimizer has found itself.

        Raises
        ------
        RuntimeError
            When it is called with gradients from elsewhere.
        """
        if not self._stepping:
            raise RuntimeError(
                "NaturalGradient cannot work from gradients alone: it needs the samples of the "
                "batch. Train with `model.compile(optimizer=NaturalGradient(...))` and "
                "`model.fit` or `train_on_batch`."
            )
        super().apply(grads, trainable_variables)

    def choose_solver(
        self, parts: list, columns: int, samples: int | None, number_size: int
    ) -> None:
        """Settle what "auto" means, from the first batch; later batches do not change it.

        Parameters
        ----------
        parts, columns, samples, number_size
            As in `solvers.choice.choose`.
        """
        self.chosen_solver, self.reason = choose(parts, columns, samples, number_size)
        _LOG.info("NaturalGradient: solver %s", self.reason)

    @property
    def rejected_batches(self) -> int:
        """Batches so far whose loss was not finite, so that no step was taken."""
        # On JAX nothing can be read after an error within `fit`, which is on its way to the user.
        known = self.built and has_value(self.rejected)
        return int(ops.convert_to_numpy(self.rejected)) if known else 0

    def finalize_variable_values(self, var_list: list) -> None:
        """As in Keras, at the end of `fit`; reports rejected batches."""
        super().finalize_variable_values(var_list)
        if not self.built:  # nothing was trained
            return
        new = self.rejected_batches - self._reported
        self._reported += new
        if new:
            warnings.warn(
                f"NaturalGradient rejected {new} batches whose loss was not finite; they changed "
                f"no weight. Look for NaN or infinity in the data.",
                stacklevel=2,
            )

    def get_config(self) -> dict:
        """Arguments of the constructor."""
        return {
            **super().get_config(),
            "damping": self.damping,
            "adaptive_damping": self.adaptive_damping,
            "momentum": self.momentum,
            "solver": self.solver,
        }

    def _owner(self):
        return None if self._model is None else self._model()

    def _train_step(self, x, y, sample_weight):
        model = self._owner()
        if model.optimizer is not self:  # recompiled while the hook was out
            raise RuntimeError(
                f"{model.name!r} was compiled with another optimizer while the hook of "
                "NaturalGradient was not installed. Make an optimizer and compile the model again."
            )
        check_devices()
        if not all(layer.built for layer in layers_inside(model)):
            # TensorFlow's `fit` leaves it to the first step to build a subclassed model.
            model(keras.tree.map_structure(lambda t: keras.KerasTensor(t.shape, t.dtype), x))
        if not model.trainable_variables:
            return unchanged(model, x, y, sample_weight)
        if not self.built:
            self.build(model.trainable_variables)
        if self.taps is None:
            self.taps = checked_taps(model, x, self._known)
            self._known = None
        self._stepping = True
        try:
            logs = natural_step(self, model, x, y, sample_weight)
        finally:
            self._stepping = False
        if not self._warned:
            warn_of_unknown(model)
            self._warned = True
        return logs


# So `model.compile("natural_gradient")` finds it, as Keras' own by their names.
keras.saving.get_custom_objects()["natural_gradient"] = NaturalGradient
