"""`ContinualPrior`: learn one task after the other without forgetting."""

import keras
import numpy as np
from keras import ops

from keras_ndm.continual.fisher import Factors, Fisher
from keras_ndm.continual.joining import join, leave, past_of
from keras_ndm.continual.state import PastTasks, natural_outputs
from keras_ndm.continual.task_data import arrays_of, targets_of
from keras_ndm.keras_internals import compiled_loss, has_loss
from keras_ndm.optimizers.natural_gradient import NaturalGradient
from keras_ndm.optimizers.natural_gradient.compile_hook import install
from keras_ndm.optimizers.natural_gradient.objective import Nested
from keras_ndm.user_data import Data

__all__ = ["ContinualPrior"]

_PAIRS = ("one", "task")


class ContinualPrior(keras.callbacks.Callback):
    """Hold a model near what it has learned, where that matters for its answers.

    The loss of each new task gets the penalty ½ λ Σ tr(Δᵀ A Δ G), a sum over layers: Δ is the
    change of a layer's weights since the tasks that were learned, A ⊗ G the Kronecker factors of
    their Fisher matrix, with F + φ in place of F at the outputs. It is Laplace's approximation of
    the posterior after those tasks, taken as the prior of the next (Ritter, Botev and Barber 2018,
    NeurIPS 31); the floor φ is what protects confident answers, whose Fisher matrix vanishes.

    ::

        prior = keras_ndm.ContinualPrior()
        for x, y in tasks:
            model.fit(x, y, callbacks=[prior])
            prior.consolidate(x, y)

    Parameters
    ----------
    strength : float
        λ. At 1 every past task counts as if it had as many samples as the present one. More holds
        more and learns less.
    floor : float
        φ, in the units of the Fisher matrix of the labels' natural parameter (logits). Losses of
        constant Fisher matrix, as squared errors, need none.
    pairs : {"one", "task"}
        Whether the tasks share one averaged pair of factors, about the last weights, or each keeps
        its own pair and weights: memory and time then grow with the tasks.
    memory : int
        Samples stored of each task, with the model's answers. In each step as many of them, of all
        tasks in turn, add the divergence of the answers from what they were, and φ.

    Attributes
    ----------
    tasks : int
        How many were consolidated.

    Raises
    ------
    ValueError
        On arguments out of range.

    Notes
    -----
    What is remembered belongs to the model: `model.save` writes it, `ContinualPrior.of(model)`
    gives it back after `load_model`. It acts in a `fit` with the callback, and only there. The logs
    hold "continual_penalty" and, with a memory, "continual_memory": the epoch's means of what was
    added to "loss". "val_loss" has neither.

    The optimizer is any but `NaturalGradient`, whose steps do not know the penalty's curvature.

    Dense layers have Kronecker factors, other layers that `NaturalGradient` treats the diagonal of
    the Fisher matrix. The moving statistics of BatchNormalization are no weights, and are not held.
    """

    def __init__(
        self, strength: float = 1.0, floor: float = 0.1, pairs: str = "one", memory: int = 0
    ):
        super().__init__()
        for name, value in (("strength", strength), ("floor", floor), ("memory", memory)):
            if not (np.isscalar(value) and np.isfinite(value) and value >= 0):
                raise ValueError(
                    f"`{name}` must be a finite number, not below 0; received {value!r}."
                )
        if memory != int(memory):
            raise ValueError(f"`memory` is a number of samples; received {memory!r}.")
        if pairs not in _PAIRS:
            raise ValueError(f"`pairs` must be one of {_PAIRS}; received {pairs!r}.")
        # Files from `load_model` are told of the past when a model is compiled.
        install()
        self.strength, self.floor = float(strength), float(floor)
        self.pairs, self.memory = pairs, int(memory)
        self._past = self._means = None
        self._fisher = self._fisher_for = None

    @classmethod
    def of(cls, model: keras.Model) -> "ContinualPrior":
        """Give the prior of a model that was loaded, with all that it remembers.

        Parameters
        ----------
        model : keras.Model

        Raises
        ------
        ValueError
            When the model has none.
        """
        if not isinstance(model, keras.Model):
            raise ValueError(f"Expected a Keras model; received {type(model).__name__}.")
        past = past_of(model)
        if past is None:
            raise ValueError(
                f"{model.name!r} has no ContinualPrior: nothing was consolidated before it was "
                "saved, or it was loaded with compile=False."
            )
        prior = cls(**past.settings)
        prior.set_model(model)
        return prior

    @property
    def tasks(self) -> int:
        """How many tasks were consolidated."""
        return 0 if self._past is None else self._past.tasks

    def get_config(self) -> dict:
        """Arguments of the constructor."""
        return {
            "strength": self.strength,
            "floor": self.floor,
            "pairs": self.pairs,
            "memory": self.memory,
        }

    def set_model(self, model: keras.Model) -> None:
        """Join a model: `fit` calls this before it makes its training step.

        Raises
        ------
        ValueError
            When the prior belongs to another model, or the model to another prior, or the model is
            not what it was, or is trained by `NaturalGradient`.
        """
        if isinstance(getattr(model, "optimizer", None), NaturalGradient):
            raise ValueError(
                "NaturalGradient does not know the curvature of ContinualPrior's penalty: it was "
                "seen to stop where the new task is learned and the old ones are not held. "
                "Compile the model with another optimizer, such as Adam."
            )
        past = past_of(model)
        if self._past is not None and past is not self._past:
            raise ValueError(
                f"This ContinualPrior has consolidated {self.tasks} tasks of the model "
                f"{self.model.name!r}, and holds none of {model.name!r}. Make a new one, or use "
                "ContinualPrior.of(model) for a model that was loaded."
            )
        super().set_model(model)
        if past is None:
            return
        if self._past is None:
            self._adopt(past)
        past.check(model)

    def _adopt(self, past):
        mine = {**self.get_config(), "strength": None}
        if mine != {**past.settings, "strength": None}:
            raise ValueError(
                f"{self.model.name!r} holds past tasks of a ContinualPrior with {past.settings}, "
                f"and this one has {self.get_config()}. Use ContinualPrior.of(model), or forget "
                "them: ContinualPrior.of(model).forget()."
            )
        self._past = past

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Switch the penalty on.

        Raises
        ------
        ValueError
            When the model holds past tasks of which it has no numbers.
        """
        del logs
        if self._past is not None:
            self._past.check_filled(self.model)
            self._past.settings["strength"] = self.strength
        self._switch(self.strength)

    def on_train_end(self, logs: dict | None = None) -> None:
        """Switch the penalty off."""
        del logs
        self._switch(0.0)

    def _switch(self, rate):
        if self._past is not None:
            self._past.rate.assign(rate)

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """See that the training step has asked for the loss."""
        del batch, logs
        if self._past is not None and not self._past.heard:
            raise ValueError(
                f"The training step of {type(self.model).__name__} does not call "
                "`self.compute_loss`, through which ContinualPrior joins the loss, so nothing "
                "would be held. Call it there: loss = self.compute_loss(x, y, y_pred)."
            )

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Log what was added to the loss."""
        del epoch
        if logs is None:
            return
        empty = {"continual_penalty": 0.0, **({"continual_memory": 0.0} if self.memory else {})}
        if self._past is not None:
            empty = self._means or self._past.means()
        logs.update(empty)

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Forget the last epoch's means."""
        del epoch, logs
        self._means = None

    def on_test_begin(self, logs: dict | None = None) -> None:
        """Keep the epoch's means: a validation resets what is counted."""
        del logs
        if self._past is not None:
            self._means = self._past.means()

    def penalty(self) -> float:
        """λ times the penalty at the model's present weights; 0 right after the first task."""
        if self._past is None:
            return 0.0
        return self.strength * float(ops.convert_to_numpy(self._past.penalty(self.model)))

    def forget(self) -> None:
        """Take all past tasks out of the model."""
        if self._past is not None:
            leave(self.model)
            self._past = None

    def consolidate(self, x: Data, y: Nested | None = None) -> None:
        """Remember the task that the model has just learned.

        Parameters
        ----------
        x : arrays (N, ...), or data set of batches (x, y)
            Inputs of the task, in the structure that `fit` takes.
        y : arrays (N, ...), optional
            Targets. Without them those that the model predicts take their place, which makes no
            difference for the losses whose Fisher matrix is known (`output_fisher`).

        Raises
        ------
        ValueError
            Before the first `fit`; when the model has changed since the last task; when it has
            weights whose Fisher matrix is not known; with fewer samples than `memory`.
        """
        model = self._ready()
        x, y = arrays_of(x, y)
        count = len(keras.tree.flatten(x)[0])
        if count < max(self.memory, 1):
            raise ValueError(
                f"The memory keeps {self.memory} samples of a task; received {count}."
                if count
                else "Received no samples to consolidate."
            )
        if past_of(model) is not None:
            past_of(model).muted = True
        try:
            y = targets_of(model, x, y)
            factors = self._fisher_of(model, x)(x, y)
        finally:
            if past_of(model) is not None:
                past_of(model).muted = False
        inputs, answers = self._chosen(x, count)
        if self._past is None:
            self._past = self._begun(factors, x, inputs, answers)
        self._check_same(factors)
        if self._past.consolidate(factors, inputs, answers):
            join(model, self._past)

    def _ready(self):
        model = self.model
        if model is None or not model.built or not model.compiled:
            raise ValueError(
                "consolidate() comes after a task: first model.fit(x, y, callbacks=[prior]), then "
                "prior.consolidate(x, y)."
            )
        if self._past is not None:
            self._past.check(model)
        if self.memory and not has_loss(model):
            raise ValueError(
                f"`memory` needs a loss at the outputs of {model.name!r}, which was compiled "
                "without `loss`. Use memory=0."
            )
        return model

    def _fisher_of(self, model, x):
        """The Fisher matrix as a program; made once for the same model, loss and weights."""
        key = (id(compiled_loss(model)), *map(id, model.trainable_variables))
        if self._fisher_for != key:
            self._fisher, self._fisher_for = Fisher(model, x, self.floor), key
        return self._fisher

    def _chosen(self, x, count):
        """Samples for the memory, and the answers to them."""
        if not self.memory:
            return [], []
        rows = np.random.default_rng(self.tasks).choice(count, self.memory, replace=False)
        kept = keras.tree.map_structure(lambda a: np.asarray(a)[rows], x)
        y_pred = keras.tree.map_structure(
            ops.convert_to_tensor, self.model.predict(kept, verbose=0)
        )
        answers = [ops.convert_to_numpy(eta) for _, _, eta in natural_outputs(self.model, y_pred)]
        return keras.tree.flatten(kept), answers

    def _begun(self, factors: list[Factors], x, inputs, answers):
        places = {id(v): i for i, v in enumerate(self.model.weights)}
        blocks = [
            {
                "weights": [places[id(v)] for v in f.variables],
                "paths": [v.path for v in f.variables],
                "shapes": [list(v.shape) for v in f.variables],
                "sizes": [list(a.shape) for a in f.arrays],
            }
            for f in factors
        ]
        samples = None
        if self.memory:
            order = keras.tree.pack_sequence_as(x, list(range(len(inputs))))
            samples = {
                "structure": order,
                "shapes": [list(a.shape[1:]) for a in inputs],
                "dtypes": [keras.backend.standardize_dtype(a.dtype) for a in inputs],
                "answers": [list(a.shape[1:]) for a in answers],
            }
        return PastTasks(self.get_config(), blocks, samples)

    def _check_same(self, factors):
        # By their places: paths are others once a model was loaded.
        weights = self.model.weights
        places = {id(v): i for i, v in enumerate(weights)}
        known = [place for block in self._past.blocks for place in block["weights"]]
        found = [places[id(v)] for f in factors for v in f.variables]
        if known != found:
            then, now = ([weights[i].path for i in order] for order in (known, found))
            raise ValueError(
                f"The trained weights are not those of the first task: then {then}, now {now}. "
                "Freeze or free layers before the first task, or start over with forget()."
            )
