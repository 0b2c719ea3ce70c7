"""The natural parameter η of the labels that a loss assumes, as a function of the outputs f.

| labels | η | divergence of the labels at η from those at η*, in nats |
|---|---|---|
| Gaussian over m outputs | f | mean (η − η*)² (as Keras counts squared errors) |
| categorical, logits / probabilities | f / log f | Σ p* (log p* − log p), p = softmax η |
| Bernoulli over m outputs, logits / probabilities | f / logit f | mean of Kullback–Leibler |
| Poisson over m outputs, mean f | log f | mean of f − f* − f* (η − η*) |
| any other | f | mean ½ (η − η*)² |

In η the divergence is smooth and its second derivative at η* is the Fisher matrix there.
Amari (2016), Information Geometry and Its Applications, section 2.
"""

import keras
from keras import ops

from keras_ndm.backend import Tensor

__all__ = ["divergence", "natural", "slope"]


def _from_logits(loss):
    return getattr(loss, "_fn_kwargs", {}).get("from_logits", False)


def natural(loss: keras.losses.Loss, kind: str, f: Tensor) -> Tensor:
    """η of the outputs f, of the same shape.

    Parameters
    ----------
    loss : keras.losses.Loss
        Tells whether f are logits or probabilities.
    kind : str
        That of `output_fisher.kind_of`.
    f : tensor
    """
    tiny = keras.config.epsilon()
    if kind == "poisson" or (kind == "categorical" and not _from_logits(loss)):
        return ops.log(ops.maximum(f, tiny))
    if kind == "binary" and not _from_logits(loss):
        p = ops.clip(f, tiny, 1.0 - tiny)
        return ops.log(p) - ops.log(1.0 - p)
    return f


def slope(loss: keras.losses.Loss, kind: str, f: Tensor) -> Tensor:
    """∂η/∂f, output by output.

    Parameters
    ----------
    loss, kind, f
        As in `natural`.
    """
    tiny = keras.config.epsilon()
    if kind == "poisson" or (kind == "categorical" and not _from_logits(loss)):
        return 1.0 / ops.maximum(f, tiny)
    if kind == "binary" and not _from_logits(loss):
        p = ops.clip(f, tiny, 1.0 - tiny)
        return 1.0 / (p * (1.0 - p))
    return ops.ones_like(f)


def divergence(kind: str, known: Tensor, eta: Tensor, floor: float = 0.0) -> Tensor:
    """Divergence from the labels at `known`, η*, to those at `eta`, η: one number a sample.

    Parameters
    ----------
    kind : str
    known, eta : tensors (N, *output)
    floor : float
        φ of ½ φ |η − η*|², which is added: the sum over classes, the mean over other outputs.

    Returns
    -------
    tensor (N,)
        The mean over what stands between the batch and the last axis.
    """
    square = 0.5 * ops.square(eta - known)
    if kind == "categorical":
        logs = ops.log_softmax(known)
        each = ops.exp(logs) * (logs - ops.log_softmax(eta))
        each = ops.sum(each + floor * square, axis=-1, keepdims=True)
    elif kind == "binary":
        change = ops.softplus(eta) - ops.softplus(known)
        each = change - ops.sigmoid(known) * (eta - known) + floor * square
    elif kind == "poisson":
        each = ops.exp(eta) - ops.exp(known) * (1.0 + eta - known) + floor * square
    else:
        each = ((2.0 if kind == "squared" else 1.0) + floor) * square
    return ops.mean(ops.reshape(each, (ops.shape(each)[0], -1)), axis=1)
