"""The Fisher matrix of a Gaussian likelihood with a learned metric.

For residuals distributed as N(m(θ), C(θ)) the Fisher matrix is, with C = L Lᵀ,

    F = ∂mᵀ C⁻¹ ∂m + ½ tr(C⁻¹ ∂C C⁻¹ ∂C) = |L⁻¹ ∂m|² + ½ |L⁻¹ ∂C L⁻ᵀ|²,

so the rows of the Jacobian are L⁻¹ ∂m, and of M = L⁻¹ ∂C L⁻ᵀ the diagonal over √2 and the part
above it. C⁻¹ is the metric at the model's outputs. Kay (1993), Fundamentals of Statistical Signal
Processing, eq. 3.31.
"""

import math

from keras import ops

from keras_ndm.backend import Tensor
from keras_ndm.backend.training import cholesky

__all__ = ["gaussian_seeds"]


def gaussian_seeds(
    mean: Tensor, covariance: Tensor, y: Tensor, sample_weight: Tensor | None
) -> tuple:
    """Columns of L_n and coordinates z of the gradient, for the mean negative log likelihood.

    Parameters
    ----------
    mean : tensor (N, d)
    covariance : tensor (N, d, d)
        C, of the residual y − mean.
    y : tensor (N, d)
    sample_weight : tensor (N,) or None

    Returns
    -------
    seeds : list of two tensors, (r, N, d) for the mean and (r, N, d, d) for the covariance
        r = d + d (d + 1) / 2.
    z : tensor (r, N)
        With w = L⁻¹ (y − mean): −w_a for the mean, (1 − w_a²)/√2 and −w_a w_b for the covariance,
        times √s.
    """
    dtype, d = mean.dtype, mean.shape[-1]
    eye = ops.zeros_like(covariance) + ops.eye(d, dtype=dtype)
    inverse = ops.solve_triangular(cholesky(covariance), eye, lower=True)
    white = ops.squeeze(ops.matmul(inverse, (ops.cast(y, dtype) - mean)[..., None]), -1)
    weight = ops.ones_like(white[:, 0]) / ops.cast(ops.shape(mean)[0], dtype)
    if sample_weight is not None:
        weight = weight * ops.reshape(ops.cast(sample_weight, dtype), (-1,))
    root = ops.sqrt(weight)
    along_mean = [inverse[:, a] * root[:, None] for a in range(d)]
    z = [-white[:, a] * root for a in range(d)]
    along_covariance = []
    for a in range(d):
        for b in range(a, d):
            outer = inverse[:, a, :, None] * inverse[:, b, None, :]
            outer = 0.5 * (outer + ops.transpose(outer, (0, 2, 1)))
            scale = 1.0 / math.sqrt(2.0) if a == b else 1.0
            along_covariance.append(scale * outer * root[:, None, None])
            z.append(scale * (float(a == b) - white[:, a] * white[:, b]) * root)
    pairs = len(along_covariance)
    means = ops.stack([*along_mean, *[ops.zeros_like(along_mean[0])] * pairs])
    covariances = ops.stack([*[ops.zeros_like(along_covariance[0])] * d, *along_covariance])
    return [means, covariances], ops.stack(z)
