"""The Fisher matrix of a loss at the outputs of a model.

A loss that is a negative log likelihood, L = Σ_n s_n ℓ(f_n, y_n), has at the outputs f_n of each
sample the Fisher matrix F_n = s_n E_y[∇²_f ℓ], the expectation over the labels that the model
itself predicts. Here it is given as F_n = L_n L_nᵀ: the columns of L_n seed reverse mode, and z
with L_n z_n = ∂L/∂f_n makes the gradient J̃ᵀ z.

| loss | model of the labels | F_n / s_n |
|---|---|---|
| mean squared error over m outputs | Gaussian, fixed variance | 2/m · identity |
| (sparse) categorical cross-entropy, logits | categorical | diag p − p pᵀ, p = softmax f |
| the same, probabilities f; Kullback–Leibler | categorical | diag 1/f |
| binary cross-entropy over m outputs, logits | Bernoulli | p (1 − p) / m, p = sigmoid f |
| the same, probabilities f | Bernoulli | 1 / (m f (1 − f)) |
| Poisson over m outputs | Poisson, mean f | 1 / (m f) |
| a loss with a method ``output_fisher(y_true, y_pred)`` | its own | what it returns, (N, M, M) |
| none: a model with ``moments(x)`` | Gaussian with learned metric | see `gaussian_fisher` |
| none: ``add_loss`` in layers without weights | none known | as below, at their inputs |
| none: a ``compute_loss`` of the model's own | none known | as below |
| any other | none known | Σ_b |∂²ℓ/∂f_a∂f_b|, or 1/m where it is not convex; warns |

s_n holds sample weights, the loss weight and the reduction. Amari (1998), Neural Computation 10,
251; Martens (2020), JMLR 21(146), sections 6 and 9.
"""

import math
import warnings
from collections.abc import Iterator

import keras
import numpy as np
from keras import losses, ops

from keras_ndm.backend import Tensor
from keras_ndm.backend.training import cholesky, vjp
from keras_ndm.keras_internals import (
    labels_in_place,
    losses_of,
    options_of,
    outputs_in_place,
)
from keras_ndm.optimizers.natural_gradient.fisher.gaussian_fisher import gaussian_seeds
from keras_ndm.optimizers.natural_gradient.fisher.natural_parameter import slope
from keras_ndm.optimizers.natural_gradient.objective import Nested, Objective, wide

__all__ = [
    "compiled_losses",
    "floor_of",
    "kind_of",
    "losses_and_outputs",
    "output_fisher",
    "probe",
    "seeds_of",
    "warn_of_unknown",
]

# Outputs up to which every column of a loss's Hessian is computed.
_MOST_COLUMNS = 32

# Curvature that counts as none, as a share of 1/m: rounding of second derivatives.
_LINEAR = 1e-5

_KNOWN = {
    losses.mean_squared_error: "squared",
    losses.categorical_crossentropy: "categorical",
    losses.sparse_categorical_crossentropy: "categorical",
    losses.binary_crossentropy: "binary",
    losses.kl_divergence: "categorical",
    losses.poisson: "poisson",
}


class _Weighted(losses.Loss):
    """Reduces its second argument as Keras reduces the values of a loss."""

    def call(self, y_true, y_pred):
        return y_pred


def _scales(loss, weight, y_true, y_pred, sample_weight):
    """s: derivative of the reduced loss with respect to the value of each sample, (N, ...)."""
    values = ops.cast(loss.call(y_true, ops.cast(y_pred, loss.dtype)), loss.dtype)
    values = ops.stop_gradient(values)
    reduce = _Weighted("weighted", reduction=loss.reduction, dtype=loss.dtype)
    _, pullback, _ = vjp(
        lambda v: [ops.sum(reduce(ops.zeros_like(v[0]), v[0], sample_weight))], [values]
    )
    (scales,) = pullback([ops.ones((), dtype=values.dtype)])
    return scales if weight is None else scales * weight


def kind_of(loss: losses.Loss) -> str:
    """What is known of a loss: "squared", "categorical", "binary", "poisson", "own", "unknown"."""
    if hasattr(loss, "output_fisher"):
        return "own"
    options = options_of(loss)
    if options.get("axis", -1) != -1:
        return "unknown"
    return _KNOWN.get(getattr(loss, "fn", None), "unknown")


def _diagonal(kind, loss, y_true, f, scales):
    """Diagonal of F_n, of the shape of f; None where F_n is no diagonal matrix."""
    from_logits = options_of(loss).get("from_logits", False)
    tiny = keras.config.epsilon()
    s = scales if len(scales.shape) == len(f.shape) else scales[..., None]
    m = 1 if len(scales.shape) == len(f.shape) else f.shape[-1]
    if kind == "squared":
        return ops.ones_like(f) * (2.0 / m) * s
    if kind == "categorical":
        return None if from_logits else s / ops.maximum(f, tiny)
    if kind == "binary":
        p = ops.sigmoid(f) if from_logits else ops.clip(f, tiny, 1.0 - tiny)
        return s / m * (p * (1.0 - p) if from_logits else 1.0 / (p * (1.0 - p)))
    if kind == "poisson":
        return s / m / ops.maximum(f, tiny)

    def slope(g):
        value, pullback, _ = vjp(lambda h: [loss.call(y_true, h[0])], g)
        return pullback([ops.ones_like(value[0])])

    return s * _curvature(slope, f, m)


def _curvature(slope, f, m):
    """Give D, D_a = Σ_b |∂²ℓ/∂f_a∂f_b| where ∂²ℓ/∂f_a² > 0, else 1/m: a bound, by sample.

    With many outputs one random combination of the columns takes the place of the sum, which is the
    same for losses that act output by output. 1/m too where there is no positive curvature:
    a smaller number would have the gradient there count as a large misfit.
    """
    size = math.prod(f.shape[1:])
    columns = np.eye(size)
    if size > _MOST_COLUMNS:
        columns = np.random.default_rng(0).choice([-1.0, 1.0], (1, size))
    directions = ops.reshape(ops.convert_to_tensor(columns, f.dtype), (-1, 1, *f.shape[1:]))
    _, _, pullbacks = vjp(slope, [f])
    (hessian,) = pullbacks([directions * ops.ones_like(f)[None]])
    bound, diagonal = ops.sum(ops.abs(hessian), axis=0), ops.sum(hessian * directions, axis=0)
    return ops.where(diagonal > _LINEAR / m, bound, 1.0 / m)


def seeds_of(
    loss: losses.Loss,
    weight: float | None,
    y_true: Tensor,
    y_pred: Tensor,
    sample_weight: Tensor | None,
    gradient: Tensor,
) -> tuple:
    """Columns of L_n and coordinates z of the gradient for one output and its loss.

    Parameters
    ----------
    loss : keras.losses.Loss
    weight : float or None
        The loss weight of `compile`.
    y_true, y_pred : tensors
        Labels and outputs (N, *output), of which M numbers a sample.
    sample_weight : tensor or None
    gradient : tensor like y_pred
        ∂L/∂y_pred.

    Returns
    -------
    seeds : tensor (M, N, *output)
    z : tensor (M, N)
        Σ_a seeds[a, n] z[a, n] = gradient[n].
    """
    kind = kind_of(loss)
    y_true, scales = _labels_and_scales(loss, weight, y_true, y_pred, sample_weight)
    size = math.prod(y_pred.shape[1:])
    if kind == "own":
        return _from_matrix(loss.output_fisher(y_true, y_pred), scales, gradient, size)
    diagonal = _diagonal(kind, loss, y_true, y_pred, scales)
    if diagonal is None:
        return _softmax(y_pred, scales, gradient, size)
    return _by_root(ops.sqrt(diagonal), gradient)


def _by_root(root, gradient):
    """Seeds and z where F_n is diagonal, of the roots of its entries."""
    size = math.prod(root.shape[1:])
    eye = ops.reshape(ops.eye(size, dtype=root.dtype), (size, 1, *root.shape[1:]))
    z = ops.where(root > 0, gradient / ops.where(root > 0, root, 1.0), 0.0)
    return eye * root[None], ops.transpose(ops.reshape(z, (-1, size)))


def _labels_and_scales(loss, weight, y_true, y_pred, sample_weight):
    y_true = ops.convert_to_tensor(y_true)
    if kind_of(loss) != "categorical":
        y_true = ops.cast(y_true, y_pred.dtype)
    scales = _scales(loss, weight, y_true, y_pred, sample_weight)
    if kind_of(loss) != "own" and not _of_outputs(scales.shape, y_pred.shape):
        raise ValueError(
            f"Outputs of shape {tuple(y_pred.shape)} are compared with labels of shape "
            f"{tuple(y_true.shape)}, which gives losses of shape {tuple(scales.shape)}: "
            "NaturalGradient asks which outputs each of them is of. Expected labels that have the "
            "outputs' shape, or indices of classes; reshape the outputs or the labels."
        )
    return y_true, ops.cast(scales, y_pred.dtype)


def _of_outputs(losses_shape, outputs_shape):
    """Whether losses stand one for each output, or one for each row of the last axis."""
    short = len(losses_shape) - len(outputs_shape)
    pairs = zip(losses_shape, outputs_shape, strict=False)
    return short in (-1, 0) and all(None in pair or pair[0] == pair[1] for pair in pairs)


def floor_of(objective: Objective, y_pred: Nested, floor: float) -> list:
    """Seeds of a Fisher matrix that is `floor` everywhere, at the outputs' natural parameters.

    With s_n as for `output_fisher`, over m outputs where the loss is a mean over them, the matrix
    is floor · s_n / m · identity in the natural parameter (`natural_parameter`), whatever the
    outputs: that of a softmax vanishes where it is confident.

    Parameters
    ----------
    objective : Objective
        Of a model whose compiled loss has been called.
    y_pred : nested tensors
    floor : float

    Returns
    -------
    list of tensors (r, N, *output)
        As the seeds of `output_fisher`; r counts all outputs that have a loss.
    """
    leaves = keras.tree.flatten(y_pred)
    columns = []
    for loss, weight, y_true, leaf, sample_weight in compiled_losses(objective, y_pred):
        f = wide(leaf)
        _, scales = _labels_and_scales(loss, weight, y_true, f, sample_weight)
        each = len(scales.shape) == len(f.shape)
        s = scales if each else scales[..., None]
        m = f.shape[-1] if kind_of(loss) != "categorical" and not each else 1
        root = ops.sqrt(floor * s / m) * slope(loss, kind_of(loss), f)
        size = math.prod(f.shape[1:])
        eye = ops.reshape(ops.eye(size, dtype=f.dtype), (size, 1, *f.shape[1:]))
        columns.append((next(i for i, x in enumerate(leaves) if x is leaf), eye * root[None]))
    return _side_by_side(leaves, columns)


def _softmax(f, scales, gradient, size):
    """L = (diag √p − p √pᵀ) √s on the last axis, since (diag √p − p √pᵀ)(…)ᵀ = diag p − p pᵀ."""
    classes = f.shape[-1]
    p = ops.reshape(ops.softmax(f), (-1, size // classes, classes))
    root = ops.sqrt(ops.maximum(p, keras.config.epsilon() ** 2))
    s = ops.sqrt(ops.reshape(scales, (-1, size // classes)))[..., None]
    factor = (
        ops.eye(classes, dtype=p.dtype) * root[..., None, :] - p[..., None] * root[..., None, :]
    )
    factor = factor * s[..., None]
    positions = ops.eye(size // classes, dtype=p.dtype)
    seeds = ops.einsum("tu,nuka->tanuk", positions, factor)
    c = ops.reshape(gradient, ops.shape(p))
    z = ops.where(s > 0, c / ops.where(s > 0, s, 1.0) / root, 0.0)
    shape = (size, -1, *f.shape[1:])
    return ops.reshape(seeds, shape), ops.transpose(ops.reshape(z, (-1, size)))


def _from_matrix(fisher, scales, gradient, size):
    """L: the Cholesky factor of the loss's own matrix, times √s."""
    factor = cholesky(ops.reshape(fisher, (-1, size, size)))
    s = ops.sqrt(ops.reshape(scales, (-1, 1)))
    c = ops.reshape(gradient, (-1, size, 1))
    z = ops.solve_triangular(factor, c, lower=True)[..., 0]
    z = ops.where(s > 0, z / ops.where(s > 0, s, 1.0), 0.0)
    seeds = ops.transpose(factor * s[..., None], (2, 0, 1))
    shape = (size, -1, *gradient.shape[1:])
    return ops.reshape(seeds, shape), ops.transpose(z)


def output_fisher(objective: Objective, values: list, y_pred: Nested) -> tuple:
    """Seeds and z of all outputs of a model.

    Parameters
    ----------
    objective : Objective
    values : list of tensors
        Trainable values.
    y_pred : nested tensors
        The outputs on the batch.

    Returns
    -------
    seeds : list of tensors (r, N, *output)
        One for each leaf of y_pred; r counts the columns of all outputs.
    z : tensor (r, N)
    """
    if objective.gaussian:
        with objective.scope(values):
            mean, covariance = objective.fisher_outputs()
        return gaussian_seeds(mean, covariance, objective.y, objective.sample_weight)
    if objective.added:
        return _added_fisher(objective, values)
    leaves = keras.tree.flatten(y_pred)
    gradients = objective.output_gradient(values, y_pred)
    columns, z = [], []
    for loss, weight, y_true, leaf, sample_weight in compiled_losses(objective, y_pred):
        place = next(i for i, x in enumerate(leaves) if x is leaf)
        gradient = wide(gradients[place])
        seeds, part = seeds_of(loss, weight, y_true, wide(leaf), sample_weight, gradient)
        columns.append((place, seeds))
        z.append(part)
    return _side_by_side(leaves, columns), ops.concatenate(z, axis=0)


def _side_by_side(leaves, columns):
    """Seeds for each leaf, zero in the columns that belong to another."""
    blocks = []
    for i, leaf in enumerate(leaves):
        parts = [
            seeds
            if place == i
            else ops.zeros((seeds.shape[0], *ops.shape(leaf)), dtype=wide(leaf).dtype)
            for place, seeds in columns
        ]
        blocks.append(ops.concatenate(parts, axis=0))
    return blocks


def _added_fisher(objective, values):
    """Seeds and z of losses that are added or the model's own, by the curvature at their inputs."""
    with objective.scope(values):
        calls = objective.added_losses()
    leaves, columns, z = [], [], []
    for call in calls:
        inputs = call.inputs
        for i, leaf in enumerate(inputs):

            def slope(g, call=call, inputs=inputs, i=i):
                def loss(h):
                    with objective.scope(values):
                        return [call.loss([*inputs[:i], h[0], *inputs[i + 1 :]])]

                _, pullback, _ = vjp(loss, g)
                return pullback([ops.ones((), dtype=g[0].dtype)])

            # Per sample of a mean: a sample's number of the batch times the batch's own.
            samples = ops.cast(ops.shape(leaf)[0], leaf.dtype)
            each = lambda g, slope=slope, n=samples: [n * part for part in slope(g)]  # noqa: E731
            diagonal = _curvature(each, leaf, math.prod(leaf.shape[1:])) / samples
            seeds, part = _by_root(ops.sqrt(wide(diagonal)), wide(slope([leaf])[0]))
            columns.append((len(leaves), seeds))
            leaves.append(leaf)
            z.append(part)
    return _side_by_side(leaves, columns), ops.concatenate(z, axis=0)


def losses_and_outputs(model: keras.Model, y_pred: Nested) -> Iterator[tuple]:
    """Give (path, loss, weight, output) for each compiled loss.

    Parameters
    ----------
    model : keras.Model
        Whose compiled loss has been called.
    y_pred : nested tensors
    """
    outputs = outputs_in_place(model, y_pred)
    for path, loss, weight, _ in losses_of(model):
        yield path, loss, weight, _at(path, outputs)


def compiled_losses(objective: Objective, y_pred: Nested) -> Iterator[tuple]:
    """Give (loss, weight, y_true, y_pred, sample_weight) for each compiled loss.

    Parameters
    ----------
    objective : Objective
        Of a model whose compiled loss has been called.
    y_pred : nested tensors
    """
    weights = objective.sample_weight
    labels = labels_in_place(objective.model, objective.y)
    for path, loss, weight, output in losses_and_outputs(objective.model, y_pred):
        own = _at(path, weights) if keras.tree.is_nested(weights) else weights
        yield loss, weight, _at(path, labels), output, own


def _at(path, tree):
    for key in path:
        tree = tree[key]
    return tree


def warn_of_unknown(model: keras.Model) -> None:
    """Warn, once a loss, where the Fisher matrix at the outputs is not known."""
    for _, loss, _, name in losses_of(model):
        if kind_of(loss) == "unknown":
            warnings.warn(
                f"NaturalGradient knows no Fisher matrix for the loss {name!r}: it uses the "
                "sizes of the loss's second derivatives instead, a bound from above of its "
                "curvature (generalized Gauss-Newton), which is exact for convex losses that act "
                "output by output. Give the "
                "loss a method `output_fisher(y_true, y_pred)` returning (batch, m, m) to say "
                "otherwise.",
                stacklevel=2,
            )


def probe(seeds: list, signs: Tensor) -> list:
    """One random combination of all columns, Σ_a ξ_an L_n[:, a] with ξ = ±1.

    Its outer product is an unbiased estimate of F_n, since E[ξ ξᵀ] = 1.

    Parameters
    ----------
    seeds : list of tensors (r, N, *output)
    signs : tensor (r, N)
        Independent, ±1 with probability ½ each.

    Returns
    -------
    list of tensors (1, N, *output)
    """
    mixed = []
    for s in seeds:
        shape = (*ops.shape(s)[:2], *[1] * (len(s.shape) - 2))
        mixed.append(ops.sum(s * ops.reshape(signs, shape), axis=0, keepdims=True))
    return mixed
