"""A learned Lagrangian at points, as numpy arrays."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class LagrangianTerms:
    """A learned Lagrangian at N points, as numpy arrays in the coordinates of the data.

    Attributes
    ----------
    metric : (N, d, d) array, g_ij
    partials : (N, d, d, d) array, ``partials[n, k, i, j]`` = ∂_k g_ij
    potential : (N,) array, V, or None
    force : (N, d) array, ∂_k V, or None
    energy_scale : float
        Typical kinetic energy of the data, or the spread of V where that is larger.
    misfit : float
        Share of the accelerations' mean square that training left unexplained; 1 before training.
    bend : float
        The same over the square of (typical speed)²/(spread of the coordinates): what a metric that
        changes altogether over the data would cause.
    """

    metric: np.ndarray
    partials: np.ndarray
    potential: np.ndarray | None
    force: np.ndarray | None
    energy_scale: float
    misfit: float
    bend: float

    def beyond(
        self, ahead: "LagrangianTerms", behind: "LagrangianTerms", factor: float
    ) -> "LagrangianTerms":
        """Return these terms plus a multiple of the difference of two others.

        Parameters
        ----------
        ahead, behind : LagrangianTerms
            At the same points.
        factor : float
        """

        def moved(name):
            own = getattr(self, name)
            if own is None:
                return None
            return own + factor * (getattr(ahead, name) - getattr(behind, name))

        parts = [moved(name) for name in ("metric", "partials", "potential", "force")]
        return LagrangianTerms(*parts, self.energy_scale, self.misfit, self.bend)
