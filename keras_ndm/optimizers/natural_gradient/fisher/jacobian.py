"""The Jacobian of a model's outputs, seeded and structured: what the Fisher matrix is made of.

With F_n = L_n L_nᵀ the Fisher matrix of the loss at the outputs of sample n (see `output_fisher`),
the rows J̃ = L_nᵀ ∂f_n/∂θ give the Fisher matrix of the model as F = J̃ᵀ J̃ and the kernel of the
sample space as K = J̃ J̃ᵀ.
"""

import math

import keras
from keras import ops

from keras_ndm.backend import Tensor
from keras_ndm.backend.training import computed_once, per_sample_vjp, vjp
from keras_ndm.keras_internals import kernel_variable, layers_inside
from keras_ndm.optimizers.natural_gradient.fisher.layer_blocks import DenseBlock, Part, RowsBlock
from keras_ndm.optimizers.natural_gradient.fisher.layer_taps import Taps
from keras_ndm.optimizers.natural_gradient.fisher.sample_kernel import Kernel
from keras_ndm.optimizers.natural_gradient.objective import Objective, wide

__all__ = ["Jacobian", "linearize", "parts_of"]


class Jacobian:
    """J̃, by blocks; directions and gradients are lists in the order of `variables`."""

    def __init__(self, variables: list, blocks: list):
        self.variables = variables
        self.blocks = blocks
        place = {id(v): i for i, v in enumerate(variables)}
        self._places = [[place[id(v)] for v in block.variables] for block in blocks]

    def kernel(self) -> Kernel:
        """K = J̃ J̃ᵀ."""
        return Kernel(self.blocks)

    def apply(self, direction: list) -> Tensor:
        """J̃ d, (r, N)."""
        parts = zip(self.blocks, self._places, strict=True)
        return sum(block.apply([direction[i] for i in places]) for block, places in parts)

    def transpose(self, c: Tensor) -> list:
        """J̃ᵀ c, one tensor a variable; zero for a variable that no row depends on."""
        parts = [ops.zeros(v.shape, dtype=c.dtype) for v in self.variables]
        for block, places in zip(self.blocks, self._places, strict=True):
            for i, part in zip(places, block.transpose(c), strict=True):
                parts[i] = parts[i] + part
        return parts


def linearize(objective: Objective, taps: Taps, values: list, seeds: list) -> Jacobian:
    """Rows of the model's outputs at `values`, seeded.

    Parameters
    ----------
    objective : Objective
    taps : Taps
        Which layers have structure.
    values : list of tensors
        Trainable values, in the order of `objective.variables`.
    seeds : list of tensors (r, N, *output)
        One for each leaf of the outputs.

    Returns
    -------
    Jacobian
    """
    calls = _calls(objective, taps, values)
    zeros = [[ops.zeros_like(p) for p in call.points] for call in calls]

    def outputs(shifts):
        with objective.scope(values), taps.record(shifts) as recorded:
            y_pred = keras.tree.flatten(objective.fisher_outputs())
        return y_pred, [(c.args, c.kwargs, c.normalized) for c in recorded]

    # Flat lists only: TensorFlow's tape wants no nesting.
    sizes = [len(z) for z in zeros]
    flat = [z for group in zeros for z in group]
    (y_pred, seen), _, pullbacks = vjp(lambda f: outputs(_group(f, sizes)), flat, has_aux=True)
    cotangents = [ops.cast(s, _dtype(out)) for s, out in zip(seeds, y_pred, strict=True)]
    deltas = _group(pullbacks(cotangents), sizes)
    return Jacobian(
        objective.variables, _blocks(objective, taps, values, calls, seen, deltas, seeds)
    )


def parts_of(objective: Objective, taps: Taps, values: list) -> list[Part]:
    """Sizes of what `linearize` will hold, from the shapes of one pass.

    Parameters
    ----------
    objective, taps, values
        As in `linearize`.
    """
    trained = {id(v) for v in objective.variables}

    def trained_of(variables):
        return sum(math.prod(v.shape) for v in variables if id(v) in trained)

    positions = {}
    calls = _calls(objective, taps, values)
    layers = {id(call.layer): call.layer for call in calls}
    for call in calls:
        if call.kind in ("dense", "jet"):
            places = sum(math.prod(a.shape[1:-1]) for a in call.args)
            positions[id(call.layer)] = positions.get(id(call.layer), 0) + places
    parts = []
    for key, layer in layers.items():
        if key in positions:
            kernel = kernel_variable(layer)
            width, units = kernel.shape
            width *= id(kernel) in trained
            parts.append(Part(max(width, 1) * units, positions[key], width, units))
        else:
            parts.append(Part(trained_of(layer.trainable_variables)))
    return [*parts, Part(trained_of(taps.loose))] if taps.loose else parts


def _dtype(x):
    return keras.backend.standardize_dtype(x.dtype)


def _group(flat, sizes):
    flat = list(flat)
    return [[flat.pop(0) for _ in range(size)] for size in sizes]


def _calls(objective, taps, values):
    """The calls of one pass, for their number and shapes; compilers drop the rest."""
    with objective.scope(values), taps.record() as calls:
        objective.fisher_outputs()
    return calls


def _blocks(objective, taps, values, calls, seen, deltas, seeds):
    trained = {id(v) for v in objective.variables}
    by_layer = {}
    for call, (args, kwargs, normalized), delta in zip(calls, seen, deltas, strict=True):
        call.args, call.kwargs, call.normalized = args, kwargs, normalized
        by_layer.setdefault(id(call.layer), []).append((call, delta))
    blocks = []
    for group in by_layer.values():
        layer, kind = group[0][0].layer, group[0][0].kind
        if kind in ("dense", "jet"):
            blocks.append(_dense_block(layer, group, trained))
            continue
        rows = None
        for call, delta in group:
            part = (
                _affine_rows(call, delta[0], trained)
                if kind == "batch_norm" and call.normalized is not None
                else _whole_rows(objective, values, call, delta, trained)
            )
            rows = part if rows is None else [a + b for a, b in zip(rows, part, strict=True)]
        variables = [v for v in layer.trainable_variables if id(v) in trained]
        blocks.append(RowsBlock(variables, rows))
    if taps.loose:
        blocks.append(_loose_block(objective, taps, values, seeds))
    return blocks


def _dense_block(layer, group, trained):
    """Every place between batch and features is a position: (N, ..., d) -> T tensors (N, d)."""
    inputs, deltas, biased = [], [], []
    for call, parts in group:
        for order, (a, delta) in enumerate(zip(call.args, parts, strict=True)):
            a, delta = wide(a), wide(delta)
            steps = 1
            for n in a.shape[1:-1]:
                steps *= n
            a = ops.reshape(a, (-1, steps, a.shape[-1]))
            delta = ops.reshape(delta, (delta.shape[0], -1, steps, delta.shape[-1]))
            inputs += [a[:, t] for t in range(steps)]
            deltas += [delta[:, :, t] for t in range(steps)]
            # Derivatives, which a jet carries behind its value, pass a layer without its bias.
            biased += [order == 0] * steps
    kernel = kernel_variable(layer)
    kernel = kernel if id(kernel) in trained else None
    bias = layer.bias if layer.bias is not None and id(layer.bias) in trained else None
    inputs, deltas = computed_once([ops.stack(inputs), ops.stack(deltas)])
    return DenseBlock(kernel, bias, inputs, deltas, tuple(biased))


def _affine_rows(call, delta, trained):
    """Rows of γ and β in γ x̂ + β: sums over every axis but the batch and the channels."""
    layer, rank, delta = call.layer, len(delta.shape), wide(delta)
    axes = [a for a in range(2, rank) if a != layer.axis % (rank - 1) + 1]
    rows = []
    if layer.scale and id(layer.gamma) in trained:
        rows.append(ops.sum(delta * wide(call.normalized)[None], axis=axes))
    if layer.center and id(layer.beta) in trained:
        rows.append(ops.sum(delta, axis=axes))
    return rows


def _whole_rows(objective, values, call, delta, trained):
    """Rows of all trained variables of a layer, from its own reverse mode, sample by sample."""
    layer = call.layer
    variables = [v for v in layer.trainable_variables if id(v) in trained]
    at = {id(v): value for v, value in zip(objective.variables, values, strict=True)}
    leaves = keras.tree.flatten((call.args, call.kwargs))
    batched = [i for i, leaf in enumerate(leaves) if ops.is_tensor(leaf) and len(leaf.shape) > 0]

    def outputs(weights, inputs):
        filled = list(leaves)
        for i, x in zip(batched, inputs, strict=True):
            filled[i] = x
        args, kwargs = keras.tree.pack_sequence_as((call.args, call.kwargs), filled)
        own = {id(v): w for v, w in zip(variables, weights, strict=True)}
        with objective.scope([own.get(id(v), at[id(v)]) for v in objective.variables]):
            return keras.tree.flatten(layer.call(*args, **kwargs))

    weights = [at[id(v)] for v in variables]
    # Loops are not vectorizable: TensorFlow would say so in hundreds of lines, and loop.
    loops = any(isinstance(part, keras.layers.RNN) for part in layers_inside(layer))
    inputs = [leaves[i] for i in batched]
    rows = per_sample_vjp(outputs, weights, inputs, delta, whole_model=loops)
    return [wide(row) for row in rows]


def _loose_block(objective, taps, values, seeds):
    """Rows of the variables that no tapped layer owns, through the whole model."""
    trained = {id(v) for v in objective.variables}
    variables = [v for v in taps.loose if id(v) in trained]
    at = {id(v): value for v, value in zip(objective.variables, values, strict=True)}
    leaves = keras.tree.flatten(objective.x)

    def outputs(weights, inputs):
        own = {id(v): w for v, w in zip(variables, weights, strict=True)}
        with objective.scope([own.get(id(v), at[id(v)]) for v in objective.variables]):
            return keras.tree.flatten(
                objective.fisher_outputs(keras.tree.pack_sequence_as(objective.x, inputs))
            )

    weights = [at[id(v)] for v in variables]
    rows = per_sample_vjp(outputs, weights, leaves, seeds, whole_model=True)
    return RowsBlock(variables, [wide(row) for row in rows])
