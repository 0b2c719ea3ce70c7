"""Libraries of candidate functions.

``library=`` takes a name of :data:`NAMES`, a list of SymPy expressions or strings in the
coordinates' names, a :class:`Library`, a list of libraries (tried in turn), or ``"auto"``.
`register` adds a name.
"""

from discovery.data.coordinates import infer_roles
from discovery.libraries.choice import NAMES, Columns, custom, register, resolve
from discovery.libraries.families import (
    exponential,
    logarithmic,
    mechanics,
    polynomial,
    radial,
    trigonometric,
)
from discovery.libraries.library import Library

__all__ = [
    "NAMES",
    "Columns",
    "Library",
    "custom",
    "exponential",
    "infer_roles",
    "logarithmic",
    "mechanics",
    "polynomial",
    "radial",
    "register",
    "resolve",
    "trigonometric",
]
