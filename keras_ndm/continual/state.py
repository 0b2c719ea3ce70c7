"""What a model remembers of its past tasks, and what that adds to its loss.

A task that is learned leaves, for each layer, weights θ* and a Fisher matrix A ⊗ G (or a
diagonal d), and a few samples with the model's answers. The penalty of a Dense layer is, with Δ the
change of its kernel over that of its bias, ½ tr(Δᵀ A Δ G); that of other variables ½ Σ d Δ².
With one pair for all T tasks A and G are means over the tasks, θ* is that of the last, and the
penalty is taken T times. The answers to the stored samples add their divergence from what they
were (`natural_parameter`), and the floor's ½ φ |η − η*|²: what the penalty approximates, exactly,
on those samples.
"""

import keras
import numpy as np
from keras import ops

from keras_ndm.backend import Tensor, mean
from keras_ndm.continual.fisher import Factors
from keras_ndm.keras_internals import untrained
from keras_ndm.optimizers.natural_gradient.fisher.natural_parameter import divergence, natural
from keras_ndm.optimizers.natural_gradient.fisher.output_fisher import kind_of, losses_and_outputs
from keras_ndm.optimizers.natural_gradient.objective import Nested, read, wide

__all__ = ["PastTasks"]


class PastTasks(keras.metrics.Metric):
    """State of a `ContinualPrior` on a model, in the form in which Keras carries and saves it.

    A metric's variables travel through every training step on both backends, and are no weights of
    the model. It shows no value of its own; the callback logs `means()`.

    Parameters
    ----------
    settings : dict
        Arguments of the `ContinualPrior`.
    blocks : list of dicts
        For each layer or variable, "weights" (places in `model.weights`), "paths", "shapes" and
        "sizes", the shapes of its arrays.
    samples : dict or None
        Of the memory: "structure" of the inputs, their "shapes" and "dtypes", and the "answers"
        (shapes).
    tasks : int
        For how many there is room.
    name : str
    """

    def __init__(
        self,
        settings: dict,
        blocks: list,
        samples: dict | None = None,
        tasks: int = 0,
        name: str = "past_tasks",
    ):
        super().__init__(name=name, dtype="float32")
        # Through __dict__: Keras would put its own kinds of dictionaries and lists in their place.
        vars(self).update(settings=dict(settings), blocks=blocks, samples=samples)
        vars(self).update(_factors=[], _inputs=[], _answers=[])
        self.tasks = 0
        # Whether a training step has asked for the loss, and whether it shall be left alone.
        self.heard, self.muted = False, False
        self.rate = self._add(())  # λ while the callback trains, else 0
        self.seen, self.penalty_sum, self.memory_sum = self._add(()), self._add(()), self._add(())
        self.turn = self._add((), "int32")
        self.filled = self._add((), "int32")  # tasks whose arrays are in place
        for _ in range(tasks):
            self._make_room()

    def _add(self, shape, dtype="float32"):
        return self.add_variable(
            tuple(shape), "zeros", dtype, aggregation="only_first_replica", name="past"
        )

    def _make_room(self):
        """Variables for one more task."""
        if self.settings["pairs"] == "task" or not self._factors:
            self._factors.append(
                [
                    ([self._add(s) for s in b["shapes"]], [self._add(s) for s in b["sizes"]])
                    for b in self.blocks
                ]
            )
        if self.samples:
            rows, kept = self.settings["memory"], self.samples
            pairs = zip(kept["shapes"], kept["dtypes"], strict=True)
            self._inputs.append([self._add((rows, *s), d) for s, d in pairs])
            self._answers.append([self._add((rows, *s)) for s in kept["answers"]])
        self.tasks += 1

    def consolidate(self, factors: list[Factors], inputs: list, answers: list) -> bool:
        """Add a task that the model has just learned.

        Parameters
        ----------
        factors : list of Factors
            In the order of `blocks`.
        inputs, answers : lists of arrays (memory, ...)
            Stored samples and η* for each output.

        Returns
        -------
        bool
            Whether programs that use this state have to be compiled anew.
        """
        before = len(self.variables)
        self._make_room()
        share = 1.0 if self.settings["pairs"] == "task" else 1.0 / self.tasks
        for (anchors, arrays), new in zip(self._factors[-1], factors, strict=True):
            for anchor, variable in zip(anchors, new.variables, strict=True):
                anchor.assign(ops.cast(read(variable), "float32"))
            for kept, array in zip(arrays, new.arrays, strict=True):
                old = ops.convert_to_numpy(kept.value)
                kept.assign(old + share * (array - old))
        if self.samples:
            for kept, new in ((self._inputs[-1], inputs), (self._answers[-1], answers)):
                for variable, array in zip(kept, new, strict=True):
                    variable.assign(ops.cast(array, variable.dtype))
        self.filled.assign(self.tasks)
        return len(self.variables) > before

    def check(self, model: keras.Model) -> None:
        """See that the model has the weights that it had.

        Raises
        ------
        ValueError
            When it has not.
        """
        weights = model.weights
        for block in self.blocks:
            parts = (block["weights"], block["paths"], block["shapes"])
            for place, path, shape in zip(*parts, strict=True):
                now = weights[place] if place < len(weights) else None
                if now is None or list(now.shape) != list(shape):
                    here = "none" if now is None else f"{now.path} of shape {tuple(now.shape)}"
                    raise ValueError(
                        f"The architecture of {model.name!r} has changed since its first task: "
                        f"where the weight {path} of shape {tuple(shape)} was is now {here}. Past "
                        "tasks say nothing about other weights: forget them with "
                        "`prior.forget()`, or train the model as it was."
                    )

    def check_filled(self, model: keras.Model) -> None:
        """See that what is remembered has its numbers, which a clone has not.

        Raises
        ------
        ValueError
            When it has not.
        """
        if int(ops.convert_to_numpy(self.filled.value)) != self.tasks:
            raise ValueError(
                f"{model.name!r} holds the shape of {self.tasks} past tasks without their numbers, "
                "as a clone does. Save and load a model to copy it with its past, or call "
                "keras_ndm.ContinualPrior.of(model).forget()."
            )

    def penalty(self, model: keras.Model) -> Tensor:
        """½ Σ tr(Δᵀ A Δ G) over layers and tasks, without λ."""
        weights, total = model.weights, 0.0
        for task in self._factors:
            for block, (anchors, arrays) in zip(self.blocks, task, strict=True):
                changes = [
                    ops.cast(ops.convert_to_tensor(weights[i]), "float32")
                    - ops.convert_to_tensor(anchor)
                    for i, anchor in zip(block["weights"], anchors, strict=True)
                ]
                total = total + 0.5 * _square(changes, arrays)
        if self.settings["pairs"] == "one":
            total = total * ops.cast(ops.convert_to_tensor(self.filled), "float32")
        return total

    def divergence(self, model: keras.Model) -> Tensor:
        """Tell what has become of the answers to stored samples: a mean a task, summed over tasks.

        As many samples a step as a task has stored, of all tasks in turn.
        """
        rows = self.settings["memory"]
        place = ops.convert_to_tensor(self.turn) * rows + ops.arange(rows, dtype="int32")
        task, sample = place % self.tasks, (place // self.tasks) % rows
        chosen = task * rows + sample

        def taken(parts):
            columns = zip(*parts, strict=True)
            return [ops.take(ops.concatenate(column), chosen, axis=0) for column in columns]

        x = keras.tree.pack_sequence_as(self.samples["structure"], taken(self._inputs))
        y_pred = model(x, **untrained(model))
        outputs, answers, total = natural_outputs(model, y_pred), taken(self._answers), 0.0
        for known, (kind, weight, eta) in zip(answers, outputs, strict=True):
            part = divergence(kind, known, eta, self.settings["floor"])
            total = total + mean(part) * (1.0 if weight is None else weight)
        return total * float(self.tasks)

    def cost(self, model: keras.Model) -> Tensor:
        """Give what past tasks add to the loss, λ (penalty + divergence); counts both."""
        rate = ops.convert_to_tensor(self.rate)
        penalty = rate * self.penalty(model)
        memory = rate * self.divergence(model) if self.samples else ops.zeros_like(penalty)
        self.seen.assign_add(1.0)
        self.penalty_sum.assign_add(ops.stop_gradient(penalty))
        self.memory_sum.assign_add(ops.stop_gradient(memory))
        self.turn.assign_add(1)
        return penalty + memory

    def means(self) -> dict:
        """Means over the epoch's batches of what was added to the loss, by name of the log."""
        sums = (self.seen, self.penalty_sum, self.memory_sum)
        count, penalty, memory = (float(ops.convert_to_numpy(v.value)) for v in sums)
        count = max(count, 1.0)
        found = {"continual_penalty": penalty / count}
        if self.samples:
            found["continual_memory"] = memory / count
        return found

    def reset_state(self) -> None:
        """Start new means; what is remembered stays."""
        for variable in (self.seen, self.penalty_sum, self.memory_sum):
            variable.assign(ops.zeros((), "float32"))

    def update_state(self, *args: Tensor, **kwargs: Tensor) -> None:
        """Nothing: `cost` counts."""

    def result(self) -> dict:
        """Nothing that `evaluate` should print."""
        return {}

    def save_own_variables(self, store: dict) -> None:
        """Write all variables but λ in use."""
        for i, variable in enumerate(self.variables[1:]):
            store[str(i)] = ops.convert_to_numpy(variable.value)

    def load_own_variables(self, store: dict) -> None:
        """Read what `save_own_variables` wrote."""
        for i, variable in enumerate(self.variables[1:]):
            variable.assign(np.asarray(store[str(i)]))

    def get_config(self) -> dict:
        """Arguments of the constructor."""
        return {
            "settings": self.settings,
            "blocks": self.blocks,
            "samples": self.samples,
            "tasks": self.tasks,
            "name": self.name,
        }


def natural_outputs(model: keras.Model, y_pred: Nested) -> list:
    """(kind, weight, η) for each compiled loss of a model, at the outputs `y_pred`."""
    return [
        (kind_of(loss), weight, natural(loss, kind_of(loss), wide(output)))
        for _, loss, weight, output in losses_and_outputs(model, y_pred)
    ]


def _square(changes, arrays):
    """tr(Δᵀ A Δ G) of a kernel over a bias, or Σ d Δ²."""
    if len(arrays) == 1:
        return ops.sum(ops.convert_to_tensor(arrays[0]) * ops.square(changes[0]))
    a, g = (ops.convert_to_tensor(array) for array in arrays)
    delta = ops.concatenate([ops.reshape(c, (-1, g.shape[-1])) for c in changes])
    return ops.sum(delta * ops.matmul(ops.matmul(a, delta), g))
