"""Decay: how fast a quantity is lost, and to what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import sympy
from scipy import stats

from discovery.criteria import LAWS


@dataclass(frozen=True)
class Decay:
    """What makes a quantity h decay.

    Attributes
    ----------
    rate : float
        γ, per unit of time. Where ḣ = −γ (h − level), that. Where friction takes h = K + V, what it
        takes over twice the kinetic energy K, on the average of the states: the force is γ times
        the momentum, and an oscillator's energy decays as e^{−γt}. Of K what a conserved momentum
        keeps is left out.
    error : float
        Its standard error.
    frequency : float
        Of the motion, in radians per unit of time; nan where it does not turn round.
    losses : tuple of sympy.Expr
        What ḣ is a sum of, but for factors; empty where ḣ = −γ (h − level).
    factors : tuple of float
        Theirs: ḣ = −Σ factor × loss.
    level : float
        What h comes to in the end, where there are no losses.
    uneven : float
        What of the losses one rate does not explain, as a share of them (root mean square over the
        states): zero where h decays as a whole.
    """

    rate: float
    error: float
    frequency: float = float("nan")
    losses: tuple[sympy.Expr, ...] = ()
    factors: tuple[float, ...] = ()
    level: float = 0.0
    uneven: float = 0.0

    @property
    def as_a_whole(self) -> bool:
        """Whether all of it decays at one rate, rather than at one on the average of these runs."""
        return self.uneven <= LAWS.one_rate

    @property
    def quality_factor(self) -> float:
        """2π times the quantity over what it loses in a period, where this is little: ω/γ."""
        return self.frequency / self.rate

    @property
    def is_certain(self) -> bool:
        """Whether it is no chance that the rate is above zero."""
        return bool(stats.norm.sf(self.rate / max(self.error, 1e-300)) <= LAWS.friction_level)

    @property
    def loss_time(self) -> float:
        """The time in which all but 1/e is lost, 1/γ."""
        return 1.0 / self.rate


def frequency(states: np.ndarray, times: np.ndarray, offsets: np.ndarray) -> float:
    """Return the mean angular frequency of coordinates that turn round, by their sign changes.

    Parameters
    ----------
    states : (n, d) array
        Of a smooth path: velocities, or coordinates about their mean.
    times : (n,) array
    offsets : (runs + 1,) array of int

    Returns
    -------
    float
        That of the coordinate that varies most, or nan where it changes its sign less than twice a
        run on the average.
    """
    leading = states[:, int(np.argmax(states.std(axis=0)))]
    inside = np.ones(len(times) - 1, dtype=bool)
    inside[offsets[1:-1] - 1] = False
    changes = np.sum((np.diff(np.sign(leading)) != 0) & inside)
    duration = float(np.sum(np.diff(times)[inside]))
    return float(np.pi * changes / duration) if changes >= 2 * (len(offsets) - 1) else float("nan")
