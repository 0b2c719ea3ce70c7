"""What friction slows down: the velocities less those of momenta that are conserved.

Of two carts with a damper between them friction slows the relative motion, and never the centre of
mass. Where laws p = A v are linear in the velocities, the motion with the least kinetic energy
½ vᵀM v that has these p is

    u = M⁻¹Aᵀ (A M⁻¹Aᵀ)⁻¹ p,

and the kinetic energies of u and of v − u add up to that of v. Of which energy a law is, p² added
or not, makes no difference to v − u.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

# Slopes in the velocities that differ by less between v and −v, as a share of them, are the same.
_LINEAR = 1e-9
# (n, d) states give the slopes of a function in its velocities, (n, m).
Slopes = Callable[[np.ndarray], np.ndarray]


def slowed(
    states: np.ndarray, momenta: Sequence[int], energy: Slopes, laws: Sequence[Slopes]
) -> np.ndarray:
    """Return states with the velocities v − u; the states themselves where no momentum is known.

    Parameters
    ----------
    states : (n, d) array
    momenta : sequence of m int
        Columns of velocities.
    energy : callable
        Slopes of the energy, of which M is told.
    laws : sequence of callables
        Slopes of what is conserved; those that depend on the velocities are left out.
    """
    columns, out = list(momenta), states.copy()
    linear = [slopes for law in laws if (slopes := _if_linear(states, columns, law)) is not None]
    if not linear:
        return out
    v, a = states[:, columns], np.stack(linear, axis=1)
    towards = np.linalg.pinv(_masses(states, columns, energy)) @ a.transpose(0, 2, 1)
    p = np.einsum("nkm,nm->nk", a, v)
    weights = np.einsum("nkl,nl->nk", np.linalg.pinv(a @ towards, rcond=1e-9), p)
    out[:, columns] = v - np.einsum("nmk,nk->nm", towards, weights)
    return out


def _if_linear(states: np.ndarray, columns: list[int], law: Slopes) -> np.ndarray | None:
    """Return a law's slopes in the velocities, (n, m), where these do not depend on velocities."""
    back = states.copy()
    back[:, columns] *= -0.5
    slopes = law(states)
    size = np.abs(slopes).max()
    alike = np.abs(slopes - law(back)).max() <= _LINEAR * size
    return slopes if alike and size else None


def _masses(states: np.ndarray, columns: list[int], energy: Slopes) -> np.ndarray:
    """Return M at each state, (n, m, m): of an energy ½ vᵀM v + V the slopes at unit velocities."""
    out = np.empty((len(states), len(columns), len(columns)))
    for k, column in enumerate(columns):
        unit = states.copy()
        unit[:, columns] = 0.0
        unit[:, column] = 1.0
        out[:, :, k] = energy(unit)
    return out
