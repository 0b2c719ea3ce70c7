"""Whether the layers' structure accounts for the whole Jacobian: checked once.

A weight that is used outside its layer's `call`, a layer that folds the batch into another
axis or one that mixes samples would make the structured Jacobian wrong in silence. So on
a few random samples and near the present values J̃ᵀ 1 from the blocks is compared with
reverse mode through the whole model. What disagrees is treated through the whole model
instead, sample by sample; what then still disagrees is named in a warning.
"""

import warnings

import keras
import numpy as np
from keras import ops

from keras_ndm.backend.training import eagerly, vjp
from keras_ndm.optimizers.natural_gradient.fisher.jacobian import linearize
from keras_ndm.optimizers.natural_gradient.fisher.layer_taps import Taps
from keras_ndm.optimizers.natural_gradient.objective import Nested, Objective, wide

__all__ = ["checked_taps", "examined_taps", "snapshot"]

_SAMPLES, _OPEN_AXIS, _TOLERANCE = 3, 4, 1e-2
# Numbers of 8 bits, summed by two routes through a few layers.
_HALF_TOLERANCE = 0.1


def snapshot(model: keras.Model) -> dict:
    """Values of all variables of a model, by id: JAX hides them while a step is being traced."""
    variables = model.variables + model.metrics_variables
    return eagerly(lambda: {id(v): ops.convert_to_numpy(v.value) for v in variables})


def checked_taps(model: keras.Model, x: Nested, known: dict) -> Taps:
    """Taps of a model whose blocks agree with reverse mode.

    Parameters
    ----------
    model : keras.Model
    x : nested tensors
        A batch of inputs; only shapes and types are used.
    known : dict
        A `snapshot` of the model.

    Returns
    -------
    Taps

    Warns
    -----
    UserWarning
        Where the Fisher matrix will be an approximation, saying which and why. Gradient and line
        search are exact in any case.
    """
    taps, wrong, coupled = examined_taps(model, x, known)
    reasons = []
    if wrong:
        names = ", ".join(v.path for v in wrong)
        reasons.append(f"the rows of {names} could not be confirmed")
    if coupled:
        reasons.append("its samples influence each other, which the rows ignore")
    if any(kind == "batch_norm" for kind in taps.kinds.values()):
        reasons.append("the moments of BatchNormalization are held fixed in it")
    if reasons:
        warnings.warn(
            f"NaturalGradient approximates the Fisher matrix of {model.name!r}: "
            f"{'; '.join(reasons)}. The gradient and the line search are exact.",
            stacklevel=2,
        )
    taps.approximate = bool(reasons)
    return taps


def examined_taps(model: keras.Model, x: Nested, known: dict) -> tuple:
    """Taps of a model, and what speaks against them.

    Parameters
    ----------
    model, x, known
        As in `checked_taps`.

    Returns
    -------
    taps : Taps
    wrong : list of variables
        Those whose rows are not confirmed.
    coupled : bool
        Whether samples influence each other.
    """
    taps = Taps(model)
    wrong, coupled = eagerly(lambda: _findings(model, x, known, taps))
    return taps, wrong, coupled


def _findings(model, x, known, taps):
    """Variables whose rows stay unconfirmed, and whether samples are coupled; drops from `taps`."""
    random = np.random.default_rng(0)
    held = [
        (v, ops.convert_to_tensor(known[id(v)])) for v in model.variables + model.metrics_variables
    ]
    # While JAX's `fit` runs, the variables themselves hold nothing.
    with keras.StatelessScope(state_mapping=held):
        objective = Objective(model, keras.tree.map_structure(lambda t: _sample(t, random), x))
    values = [_moved(known[id(v)], random) for v in objective.variables]
    wrong = _disagreeing(objective, taps, values, random)
    if wrong:
        taps.drop(wrong)
        wrong = _disagreeing(objective, taps, values, random)
    return wrong, not wrong and _coupled(objective, taps, values, random)


def _sample(tensor, random):
    shape = (_SAMPLES, *[_OPEN_AXIS if n is None else n for n in tensor.shape[1:]])
    dtype = keras.backend.standardize_dtype(tensor.dtype)
    if "float" in dtype:
        return ops.convert_to_tensor(random.normal(size=shape), dtype=dtype)
    return ops.zeros(shape, dtype=dtype)


def _moved(value, random):
    """The value and some noise, since at zero kernels (a common start) nothing would be seen."""
    fan_in = np.prod(value.shape[:-1]) if value.ndim > 1 else 4.0
    noise = random.normal(size=value.shape) / np.sqrt(max(fan_in, 1.0))
    return ops.convert_to_tensor((value + 0.5 * noise).astype(value.dtype))


def _seeds(objective, values, random, samples=slice(None)):
    with objective.scope(values):
        outputs = keras.tree.flatten(objective.fisher_outputs())
    seeds = []
    for leaf in outputs:
        seed = np.zeros((1, *leaf.shape))
        seed[:, samples] = random.normal(size=seed[:, samples].shape)
        seeds.append(ops.convert_to_tensor(seed, dtype=wide(leaf).dtype))
    return seeds


def _disagreeing(objective, taps, values, random):
    """Variables whose part of J̃ᵀ 1 is not what reverse mode through the whole model gives."""
    seeds = _seeds(objective, values, random)

    def outputs(at):
        with objective.scope(at), taps.record():
            return keras.tree.flatten(objective.fisher_outputs())

    leaves, pullback, _ = vjp(outputs, values)
    half = any(wide(leaf).dtype != leaf.dtype for leaf in leaves)
    tolerance = _HALF_TOLERANCE if half else _TOLERANCE
    expected = pullback([ops.cast(s[0], leaf.dtype) for s, leaf in zip(seeds, leaves, strict=True)])
    try:
        jacobian = linearize(objective, taps, values, seeds)
        found = jacobian.transpose(ops.ones((1, _SAMPLES), dtype=seeds[0].dtype))
        found = [ops.convert_to_numpy(f) for f in found]
    except Exception:
        # A layer was called inside a transformation (a Jacobian, a loop), where taps cannot reach.
        return list(objective.variables)
    whole = np.sqrt(sum(float(ops.sum(ops.square(e))) for e in expected))
    wrong = []
    for v, a, b in zip(objective.variables, found, expected, strict=True):
        b = ops.convert_to_numpy(b)
        error = np.linalg.norm(a - b)
        if not error <= tolerance * np.linalg.norm(b) + 1e-6 * whole:
            wrong.append(v)
    return wrong


def _coupled(objective, taps, values, random):
    """Whether a seed on the first sample reaches the rows of the others."""
    seeds = _seeds(objective, values, random, samples=slice(0, 1))
    jacobian = linearize(objective, taps, values, seeds)
    first = np.zeros((1, _SAMPLES))
    first[:, 0] = 1.0

    def size(c):
        c = ops.convert_to_tensor(c, dtype=seeds[0].dtype)
        return sum(float(ops.sum(ops.abs(part))) for part in jacobian.transpose(c))

    return size(1.0 - first) > _TOLERANCE * size(first)
