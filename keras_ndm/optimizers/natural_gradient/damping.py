"""How strongly a step is damped: λ = C · mean(z²) · √min(1, mean(z²) / mean(z₀²)).

z is the residual in units in which the Fisher matrix at the outputs is the identity, so
mean(z²) is what the model does not explain yet, on a batch that took no part in the last
step; z₀ is that of the first batch.  The first factor is what Bayesian linear regression
would add to the kernel for noise of that size and weights of prior precision C. Where data
can be fitted exactly the damping falls faster than the loss, which gives fast convergence
at the end, yet slowly enough that one batch is not fitted at the cost of the others (the whole
ratio instead of its root left six times the loss after as many exact steps on a 5-d
regression); where they are noisy it stops at the noise and keeps the model from fitting
it. Damping by a power of the residual is due to Yamashita and Fukushima (2001), Computing
Suppl. 15, 239, and Fan and Yuan (2005), Computing 74, 23.

C is corrected by the ratio of actual to predicted decrease, as Levenberg and Marquardt do: where a
step is too long for the quadratic model C grows, and afterwards it returns to its first value.
"""

from keras import ops

from keras_ndm.backend import Tensor

__all__ = ["adapted", "strength_of"]

_RAISE, _RETURN, _MOST = 4.0, 0.5, 1e4

# Far below the 1/4 of textbooks: early steps keep little of what the quadratic model promises, and
# damping them until they keep it was seen to cost more steps than it saves.
_POOR = 0.02


def strength_of(coefficient: Tensor, misfit: Tensor, first_misfit: Tensor) -> Tensor:
    """λ of a step.

    Parameters
    ----------
    coefficient, misfit, first_misfit : scalars
        C, mean(z²) and mean(z₀²).
    """
    share = misfit / ops.where(first_misfit > 0, first_misfit, 1.0)
    return coefficient * misfit * ops.sqrt(ops.minimum(share, 1.0))


def adapted(coefficient: Tensor, start: float, actual: Tensor, predicted: Tensor) -> Tensor:
    """C for the next step.

    Parameters
    ----------
    coefficient : scalar
        C of this step.
    start : float
        The value to which it returns.
    actual, predicted : scalars
        Decrease of the loss, zero where no step was taken, and what the quadratic model had
        promised for the full step.
    """
    poor = ops.logical_not(actual > _POOR * predicted)
    raised = ops.minimum(coefficient * _RAISE, start * _MOST)
    returned = ops.maximum(coefficient * _RETURN, start)
    return ops.where(poor, raised, returned)
