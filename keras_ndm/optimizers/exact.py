"""The damped natural gradient, exactly, in the space of samples.

(F + λ) d = ∇L + λ μ d₋ with F = J̃ᵀ J̃ of rank R ≤ N·r. With ∇L = J̃ᵀ z + ρ (ρ: `add_loss` terms and
regularizers, zero without them) and e = μ d₋ + ρ/λ,

    d = J̃ᵀ c + e,    (K + λ) c = z − J̃ e,    K = J̃ J̃ᵀ,

one Cholesky factorization of an R × R matrix. The term in d₋ is the momentum of SPRING: the part
of the last step that this batch says nothing about is kept. Goldshlager, Abrahamsen and Lin (2024),
J. Comput. Phys. 516, 113351, equation 3.6.
"""

from collections.abc import Callable
from dataclasses import dataclass

import keras
from keras import ops

from keras_ndm.optimizers.jacobian import Jacobian

__all__ = ["Direction", "dot", "exact_solver", "least_damping"]


@dataclass
class Direction:
    """A direction d and the quadratic model of the loss along it, L(θ − s d) ≈ L − s a + ½ s² b.

    Attributes
    ----------
    values : list of tensors
        d, one tensor a variable.
    slope : scalar
        a = ⟨∇L, d⟩.
    curvature : scalar
        b = dᵀ F d.
    """

    values: list
    slope: object
    curvature: object

    def decrease(self, s):  # noqa: ANN001, ANN201
        """What the quadratic model promises for a step s."""
        return s * self.slope - 0.5 * s * s * self.curvature


def dot(left: list, right: list):  # noqa: ANN201
    """Inner product of two lists of tensors."""
    return sum(ops.sum(a * b) for a, b in zip(left, right, strict=True))


def least_damping(rows, dtype: str) -> float:  # noqa: ANN001
    """Smallest damping, in units of the mean eigenvalue of K, at which its Cholesky factor exists.

    Rounding moves the eigenvalues by about ε times the largest, which is at most R times the mean.
    """
    epsilon = 1.2e-7 if dtype == "float32" else 2.3e-16
    return 2.0 * epsilon * ops.cast(rows, dtype)


def exact_solver(
    jacobian: Jacobian,
    z,  # noqa: ANN001
    rest: list | None,
    previous: list,
    momentum: float,
) -> Callable:
    """Solver of the damped natural gradient, for any damping; K is computed once.

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
    momentum : float
        μ.

    Returns
    -------
    callable, damping -> Direction
        The damping is λ in units of the mean eigenvalue of K. The direction is not finite where the
        factorization failed; the caller rejects such a step.
    """
    kernel = jacobian.gram()
    rows = ops.shape(kernel)[0]
    dtype = keras.backend.standardize_dtype(kernel.dtype)
    mean = ops.trace(kernel) / ops.cast(rows, dtype)
    z = ops.cast(z, dtype)

    def solve(damping):
        import os

        C = float(os.environ.get("C", "0"))
        if C:
            damping = ops.maximum(C * ops.mean(z * z), least_damping(rows, dtype) * mean)
        else:
            damping = ops.maximum(ops.cast(damping, dtype), least_damping(rows, dtype)) * mean
        offset = [momentum * p for p in previous]
        if rest is not None:
            offset = [e + g / damping for e, g in zip(offset, rest, strict=True)]
        moved = jacobian.apply(offset)
        factor = ops.cholesky(kernel + damping * ops.eye(rows, dtype=dtype))
        half = ops.solve_triangular(factor, ops.reshape(z - moved, (-1, 1)), lower=True)
        c = ops.solve_triangular(ops.transpose(factor), half, lower=False)
        pushed = ops.reshape(ops.matmul(kernel, c), ops.shape(z)) + moved
        c = ops.reshape(c, ops.shape(z))
        values = [d + e for d, e in zip(jacobian.transpose(c), offset, strict=True)]
        slope = ops.sum(z * pushed)
        if rest is not None:
            slope = slope + dot(rest, values)
        return Direction(values, slope, ops.sum(pushed * pushed))

    return solve
