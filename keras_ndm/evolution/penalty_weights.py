"""How the weight λ of a penalty is chosen: fixed, scheduled, budgeted, or balanced."""

from typing import TypeAlias

import keras
from keras import ops
from keras.optimizers.schedules import LearningRateSchedule as Schedule

from keras_ndm.backend import Tensor


class PenaltyWeight:
    """A rule for λ that may change while training goes on; `EvolutionLayer` keeps λ in a weight."""

    def initial(self) -> float:
        """Give λ at the start."""
        raise NotImplementedError

    def update(self, weight: Tensor, value: Tensor, norms: tuple | None) -> Tensor:
        """Next λ from the present one, the penalty's value and, for balancing, gradient norms.

        Parameters
        ----------
        weight : scalar
            λ of this step.
        value : scalar
            The penalty, without λ.
        norms : tuple of two scalars or None
            Norms of the gradients of the task and of the penalty; only `Balance` is given them.
        """
        raise NotImplementedError

    def get_config(self) -> dict:
        """Arguments of the constructor."""
        return {key.lstrip("_"): value for key, value in vars(self).items()}

    @classmethod
    def from_config(cls, config: dict) -> "PenaltyWeight":
        """Rebuild the rule from `get_config()`."""
        return cls(**config)


@keras.saving.register_keras_serializable("keras_ndm")
class Budget(PenaltyWeight):
    """Keep a penalty at or below a target: λ rises while it is above, and falls while it is below.

    Dual ascent on log λ for the constraint E[penalty] ≤ target,

        log λ ← log λ + rate · clip(penalty / target − 1, −1, 1),

    so that λ finds the price of the constraint; where the constraint costs nothing λ decays.

    Parameters
    ----------
    target : float
        For instance the squared curvature 1/ℓ⁴ of a sphere of radius about ℓ in the data's units.
    rate : float
        Change of log λ a step, at most.
    start : float
        λ at the start.
    """

    def __init__(self, target: float, rate: float = 0.02, start: float = 1e-3):
        if not (target > 0 and rate > 0 and start > 0):
            raise ValueError(
                f"Expected positive target, rate and start; received {target}, {rate}, {start}."
            )
        self.target, self.rate, self.start = float(target), float(rate), float(start)

    def initial(self) -> float:
        """Give λ at the start."""
        return self.start

    def update(self, weight: Tensor, value: Tensor, norms: tuple | None = None) -> Tensor:
        """One step of dual ascent.

        Parameters
        ----------
        weight, value, norms
            As in `PenaltyWeight.update`.
        """
        del norms
        excess = ops.clip(value / self.target - 1.0, -1.0, 1.0)
        return ops.clip(weight * ops.exp(self.rate * excess), 1e-12, 1e12)


@keras.saving.register_keras_serializable("keras_ndm")
class Balance(PenaltyWeight):
    """Keep the penalty's gradient at a fixed share of the task's.

    Both norms are taken at the last kernel of the metric's network, which task and penalty share
    (Chen et al., 2018, GradNorm): λ = share ‖∇ task‖ / ‖∇ penalty‖, averaged over about 1/rate
    steps.

    Parameters
    ----------
    share : float
        Norm of the penalty's gradient as a share of the task's.
    rate : float
        Weight of the newest step in the average.
    """

    def __init__(self, share: float = 0.1, rate: float = 0.05):
        if not (share > 0 and 0 < rate <= 1):
            raise ValueError(f"Expected share > 0 and 0 < rate ≤ 1; received {share}, {rate}.")
        self.share, self.rate = float(share), float(rate)

    def initial(self) -> float:
        """Give λ at the start, before any gradient was seen: none."""
        return 0.0

    def update(self, weight: Tensor, value: Tensor, norms: tuple | None = None) -> Tensor:
        """Move towards the balance; nothing happens before both gradients were seen.

        Parameters
        ----------
        weight, value, norms
            As in `PenaltyWeight.update`.
        """
        del value
        task, penalty = norms
        aim = self.share * task / ops.maximum(penalty, 1e-20)
        seen = ops.logical_and(task > 0, penalty > 0)
        # The first aim is taken whole: an average with zero would start far too low.
        moved = ops.where(weight > 0, (1.0 - self.rate) * weight + self.rate * aim, aim)
        return ops.where(seen, moved, weight)


class Fixed(PenaltyWeight):
    """A constant λ."""

    def __init__(self, value: float):
        self.value = float(value)

    def initial(self) -> float:
        """Give λ."""
        return self.value

    def update(self, weight: Tensor, value: Tensor, norms: tuple | None = None) -> Tensor:
        """λ itself.

        Parameters
        ----------
        weight, value, norms
            As in `PenaltyWeight.update`.
        """
        return weight


# What users may give for a weight λ.
Weight: TypeAlias = float | Schedule | PenaltyWeight


def get(weight: Weight, name: str) -> PenaltyWeight | Schedule:
    """Rule from a number, a Keras schedule or a rule.

    Raises
    ------
    ValueError
        When it is none of these, or a negative number.
    """
    if isinstance(weight, PenaltyWeight | Schedule):
        return weight
    if isinstance(weight, int | float) and weight >= 0:
        return Fixed(weight)
    raise ValueError(
        f"`{name}` must be a number ≥ 0, a keras schedule, or keras_ndm.evolution.Budget(target) "
        f"or Balance(share); received {weight!r}."
    )
