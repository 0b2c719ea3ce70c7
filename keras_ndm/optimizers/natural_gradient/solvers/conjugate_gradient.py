"""A step from an approximate inverse: minimize the quadratic model that the batch itself gives.

The model is L − ⟨∇L, d⟩ + ½ |J̃ d|² + ½ λ |d|²: the curvature is that of the batch's own Fisher
matrix. The Kronecker factors give the direction, and never the length.
"""

from collections.abc import Callable, Sequence

from keras import ops

from keras_ndm.backend import Tensor
from keras_ndm.backend.training import computed_once
from keras_ndm.optimizers.natural_gradient.fisher.jacobian import Jacobian

__all__ = ["ITERATIONS", "best_combination", "dot", "refined"]

# Few: each costs less than a gradient, and the first ones give most of what the factors leave. The
# exact minimum on one batch would fit that batch.
ITERATIONS = 6


def best_combination(
    jacobian: Jacobian,
    gradient: list,
    direction: list,
    previous: list,
    strength: Tensor,
) -> tuple:
    """Minimum over the span of a direction and the last step: d and J̃ d.

    Parameters
    ----------
    jacobian : Jacobian
    gradient : list of tensors
    direction, previous : lists of tensors
        The two directions.
    strength : scalar
        λ.
    """
    pair = (direction, previous)
    pushed = [jacobian.apply(d) for d in pair]

    def entry(i, j):
        return ops.sum(pushed[i] * pushed[j]) + strength * dot(pair[i], pair[j])

    first, cross, second = entry(0, 0), entry(0, 1), entry(1, 1)
    right, other = dot(gradient, direction), dot(gradient, previous)
    determinant = first * second - cross * cross
    # Without a last step, or with one along the direction, only the direction is used.
    usable = determinant > 1e-4 * first * second
    safe = ops.where(usable, determinant, 1.0)
    s = ops.where(usable, (second * right - cross * other) / safe, right / first)
    t = ops.where(usable, (first * other - cross * right) / safe, 0.0)
    best = [s * d + t * p for d, p in zip(direction, previous, strict=True)]
    return best, s * pushed[0] + t * pushed[1]


def refined(
    jacobian: Jacobian,
    gradient: list,
    start: list,
    pushed: Tensor,
    strength: Tensor,
    precondition: Callable,
) -> tuple:
    """Conjugate gradients towards the minimum, preconditioned by the factors: d and J̃ d.

    Parameters
    ----------
    jacobian : Jacobian
    gradient : list of tensors
    start, pushed : list of tensors, tensor (r, N)
        d to start from, and J̃ d.
    strength : scalar
        λ.
    precondition : callable
        Gradient → direction: the damped inverse of the factors.
    """
    direction = start
    back = jacobian.transpose(pushed)
    residual = [g - f - strength * d for g, f, d in zip(gradient, back, start, strict=True)]
    search = conjugate = precondition(residual)
    size = dot(residual, conjugate)
    for _ in range(ITERATIONS):
        along = jacobian.apply(search)
        turned = [f + strength * s for f, s in zip(jacobian.transpose(along), search, strict=True)]
        # Where nothing is left to improve, 0/0 must not make the step NaN.
        length = _ratio(size, dot(search, turned))
        direction = [d + length * s for d, s in zip(direction, search, strict=True)]
        pushed = pushed + length * along
        residual = [r - length * t for r, t in zip(residual, turned, strict=True)]
        conjugate = precondition(residual)
        last, size = size, dot(residual, conjugate)
        turn = _ratio(size, last)
        search = computed_once([c + turn * s for c, s in zip(conjugate, search, strict=True)])
    return direction, pushed


def _ratio(above, below):
    return ops.where(below > 0, above / ops.where(below > 0, below, 1.0), 0.0)


def dot(left: Sequence[Tensor], right: Sequence[Tensor]) -> Tensor:
    """Scalar product of two lists of tensors of the same shapes."""
    return sum(ops.sum(a * b) for a, b in zip(left, right, strict=True))
