"""Maps of the plane that keep a function: one step is an iterate, no piece of a path."""

from __future__ import annotations

import numpy as np

from discovery.datasets.initial_states import in_box
from discovery.datasets.system import System, register

_LYNESS = 1.37
# The invariant x² y² + b (x + y) x y + c (x² + y²) + d x y + e (x + y), as McMillan has it.
_B, _C, _D, _E = 0.31, 1.0, -0.87, 0.23


def _qrt_step(x: np.ndarray, y: np.ndarray) -> tuple:
    """Return the next iterate: the other root of the invariant, quadratic in x, at the same y."""
    return y, -x - (_B * y**2 + _D * y + _E) / (y**2 + _B * y + _C)


lyness_map = System(
    name="lyness_map",
    doc="Lyness' map, a = 1.37, from points between 0.4 and 3. Its invariant is rational.",
    equations="x' = y, y' = (y + 1.37)/x",
    source="R. C. Lyness, Math. Gaz. 29, 231 (1945)",
    names=("x", "y"),
    roles=("other", "other"),
    flow=lambda x, y: (y, (y + _LYNESS) / x),
    sample=lambda rng, n: in_box(rng, n, (0.4, 3.0), (0.4, 3.0)),
    dt=1.0,
    laws={"I": lambda x, y: (x + 1) * (y + 1) * (x + y + _LYNESS) / (x * y)},
    count=1,
    is_map=True,
)

qrt_map = System(
    name="qrt_map",
    doc="A symmetric map of Quispel, Roberts and Thompson (McMillan's), which keeps a biquadratic "
    "polynomial.",
    equations="x' = y, y' = -x - (0.31*y**2 - 0.87*y + 0.23)/(y**2 + 0.31*y + 1)",
    source="G. R. W. Quispel, J. A. G. Roberts and C. J. Thompson, Physica D 34, 183 (1989)",
    names=("x", "y"),
    roles=("other", "other"),
    flow=_qrt_step,
    sample=lambda rng, n: in_box(rng, n, (-1.5, 1.5), (-1.5, 1.5)),
    dt=1.0,
    laws={
        "I": lambda x, y: (
            x**2 * y**2 + _B * (x + y) * x * y + _C * (x**2 + y**2) + _D * x * y + _E * (x + y)
        )
    },
    count=1,
    is_map=True,
)

register(lyness_map, qrt_map)
