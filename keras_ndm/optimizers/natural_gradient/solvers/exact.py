"""The damped natural gradient, exactly, in the space of samples.

(F + λ) d = ∇L + λ μ d₋ with F = J̃ᵀ J̃ of rank R ≤ r·N. With ∇L = J̃ᵀ z + ρ (ρ: `add_loss` terms and
regularizers, zero without them) and e = μ d₋ + ρ/λ,

    d = J̃ᵀ c + e,    (K + λ) c = z − J̃ e,    K = J̃ J̃ᵀ,

one Cholesky factorization of an R × R matrix. The term in d₋ is the momentum of SPRING: what the
last step did in directions that this batch says nothing about is kept. Goldshlager, Abrahamsen and
Lin (2024), J. Comput. Phys. 516, 113351.
"""

import keras
from keras import ops

from keras_ndm.backend import Tensor
from keras_ndm.optimizers.natural_gradient.fisher.jacobian import Jacobian
from keras_ndm.optimizers.natural_gradient.fisher.sample_kernel import Kernel

__all__ = ["least_damping", "solve_exact"]


def least_damping(kernel: Kernel) -> Tensor:
    """Smallest λ at which the Cholesky factor of K + λ exists in this arithmetic.

    Rounding moves the eigenvalues of K by about ε times the largest, which is at most the trace.
    """
    trace = kernel.trace_bound()
    epsilon = 1.2e-7 if keras.backend.standardize_dtype(trace.dtype) == "float32" else 2.3e-16
    return 2.0 * epsilon * trace


def solve_exact(
    jacobian: Jacobian,
    z: Tensor,
    rest: list | None,
    previous: list,
    strength: Tensor,
    momentum: float,
) -> tuple:
    """Direction d of the damped natural gradient, and J̃ d.

    Parameters
    ----------
    jacobian : Jacobian
        J̃.
    z : tensor (r, N)
        Coordinates of the loss gradient, J̃ᵀ z.
    rest : list of tensors or None
        ρ, the gradient of what is not in z.
    previous : list of tensors
        d₋, the last step.
    strength : scalar
        λ; raised to `least_damping` where it is smaller.
    momentum : float
        μ.

    Returns
    -------
    list of tensors
        d; not finite where the factorization failed, which the line search rejects.
    tensor (r, N)
        J̃ d = z − λ c.
    """
    kernel = jacobian.kernel()
    strength = ops.maximum(ops.cast(strength, z.dtype), least_damping(kernel))
    offset = [momentum * p for p in previous]
    if rest is not None:
        offset = [e + g / ops.cast(strength, g.dtype) for e, g in zip(offset, rest, strict=True)]
    c = kernel.solve(z - jacobian.apply(offset), strength)
    direction = [d + e for d, e in zip(jacobian.transpose(c), offset, strict=True)]
    return direction, z - strength * c
