"""The Fisher matrix of a model on data, layer by layer: what is known once a task is learned.

For a Dense layer the block of the Fisher matrix is A ⊗ G, as in `solvers.kronecker`; any other
variable has the diagonal of its own block. F at the outputs is raised by a floor, F + φ: a
confident softmax has F → 0, and its weights would count as free.
"""

import math
from dataclasses import dataclass

import keras
import numpy as np
from keras import ops

from keras_ndm.backend import Tensor, compiled
from keras_ndm.keras_internals import has_loss
from keras_ndm.optimizers.natural_gradient.fisher.jacobian import linearize
from keras_ndm.optimizers.natural_gradient.fisher.layer_blocks import RowsBlock
from keras_ndm.optimizers.natural_gradient.fisher.output_fisher import (
    floor_of,
    output_fisher,
    probe,
)
from keras_ndm.optimizers.natural_gradient.fisher.tap_check import examined_taps, snapshot
from keras_ndm.optimizers.natural_gradient.objective import Nested, Objective
from keras_ndm.optimizers.natural_gradient.solvers.kronecker import factors_of

__all__ = ["Factors", "Fisher"]

# Columns of L_n up to which all of them are used, else that many random combinations of them.
_MOST_COLUMNS = 32
_PROBES = 8
# Numbers held at once, and samples.
_MOST_HELD, _MOST_ROWS = 2e7, 128


@dataclass(frozen=True)
class Factors:
    """The Fisher matrix of one layer, or of one variable.

    Attributes
    ----------
    variables : tuple of variables
        Kernel and bias of a Dense layer, or one variable.
    arrays : tuple of arrays
        A (w, w) and G (u, u) of a Dense layer; else the diagonal, of the variable's shape.
    """

    variables: tuple
    arrays: tuple


class Fisher:
    """Fisher matrix of a model on data: the mean over samples, with the floor φ at the outputs.

    Parameters
    ----------
    model : keras.Model
        Compiled and built; the outputs are those of inference.
    x : nested arrays
        Inputs, of which shapes and types are used.
    floor : float

    Raises
    ------
    ValueError
        Where the Fisher matrix would not be that of the model, with the reason.
    """

    def __init__(self, model: keras.Model, x: Nested, floor: float):
        self._model, self._taps, self._floor = model, _confirmed_taps(model, x), floor
        self._owners = []
        # As a graph without XLA on TensorFlow: layers with loops pass.
        variables = model.variables + model.metrics_variables
        self._program = compiled(self._arrays, variables, xla=False)

    def __call__(self, x: Nested, y: Nested) -> list[Factors]:
        """Factors of the trained layers.

        Parameters
        ----------
        x, y : nested arrays (N, ...)

        Raises
        ------
        ValueError
            When they are not finite.
        """
        count = len(keras.tree.flatten(x)[0])
        turns = math.ceil(count / _rows(self._model, self._taps))
        rows, total = count // turns, None
        for turn in range(turns):
            # Equal shares: fewer samples than there are turns are left out.
            part = slice(turn * rows, (turn + 1) * rows)
            share = keras.tree.map_structure(lambda a, p=part: ops.convert_to_tensor(a[p]), (x, y))
            found = [ops.convert_to_numpy(a).astype("float64") for a in self._program(*share)]
            total = found if total is None else [t + f for t, f in zip(total, found, strict=True)]
        if not all(np.isfinite(a).all() for a in total):
            raise ValueError(
                f"The Fisher matrix of {self._model.name!r} on these data is not finite. Look for "
                "NaN or infinity in the data and in the weights."
            )
        remaining = (a / turns for a in total)
        return [
            Factors(variables, tuple(next(remaining) for _ in range(size)))
            for variables, size in self._owners
        ]

    def _arrays(self, x, y):
        objective = Objective(self._model, x, y, training=False)
        blocks = _linearized(objective, self._taps, self._floor).blocks
        self._owners = [owner for block in blocks for owner in _owners(block)]
        return [part for block in blocks for part in _arrays(block)]


def _confirmed_taps(model, x):
    """Taps of a model all of whose rows are confirmed."""
    head = keras.tree.map_structure(lambda a: ops.convert_to_tensor(a[:1]), x)
    taps, wrong, coupled = examined_taps(model, head, snapshot(model))
    if wrong:
        names = ", ".join(v.path for v in wrong)
        raise ValueError(
            f"ContinualPrior cannot tell what the weights {names} of {model.name!r} mean for its "
            "outputs, sample by sample: they act inside a loop or a transformation, or across the "
            "batch. Freeze them (`trainable = False`) before the first task."
        )
    if coupled:
        raise ValueError(
            f"The samples of a batch influence each other in {model.name!r} (a layer mixes rows), "
            "so there is no Fisher matrix a sample, of which ContinualPrior is made."
        )
    return taps


def _linearized(objective, taps, floor):
    values = objective.values
    with objective.scope(values):
        y_pred = objective.predict()
    seeds, _ = output_fisher(objective, values, y_pred)
    if floor > 0 and has_loss(objective.model):
        lifted = floor_of(objective, y_pred, floor)
        seeds = [ops.concatenate(pair, axis=0) for pair in zip(seeds, lifted, strict=True)]
    shape = ops.shape(seeds[0])[:2]
    if shape[0] > _MOST_COLUMNS:
        seeds = [ops.concatenate(s, axis=0) for s in zip(*_probes(seeds, shape), strict=True)]
    return linearize(objective, taps, values, seeds)


def _probes(seeds, shape):
    """Random combinations, the mean of whose outer products is the Fisher matrix."""
    random = np.random.default_rng(0)
    for _ in range(_PROBES):
        signs = random.choice([-1.0, 1.0], (int(shape[0]), int(shape[1]))) / math.sqrt(_PROBES)
        yield probe(seeds, ops.convert_to_tensor(signs, dtype=seeds[0].dtype))


def _owners(block):
    """Variables, and how many arrays they have, in the order of `_arrays`."""
    if isinstance(block, RowsBlock):
        return [((v,), 1) for v in block.variables]
    return [(tuple(block.variables), 2)]


def _arrays(block) -> list[Tensor]:
    if isinstance(block, RowsBlock):
        return [ops.sum(ops.square(rows), axis=(0, 1)) for rows in block.rows()]
    return list(factors_of(block))


def _rows(model, taps):
    """Samples at a time."""
    dense = {
        id(v)
        for key, layer in taps.layers.items()
        if taps.kinds[key] == "dense"
        for v in layer.trainable_variables
    }
    held = sum(math.prod(v.shape) for v in model.trainable_variables if id(v) not in dense)
    return int(max(1, min(_MOST_ROWS, _MOST_HELD // (_MOST_COLUMNS * max(held, 1)))))
