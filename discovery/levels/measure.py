"""Which states count as equally many: Liouville's measure, dq dp.

It is what a flow keeps. In positions and velocities q̇ it is det M(q) dq dq̇, with the mass matrix
M = ∂²H/∂q̇∂q̇ of the energy H; a mass matrix that is the same everywhere changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import sympy

from discovery.data.coordinates import infer_roles
from discovery.data.trajectories import Trajectories
from discovery.formulas.compiling import compile_formulas
from discovery.formulas.plain import plain
from discovery.levels.conserved import Conserved, written

_VELOCITIES = ("velocity", "angular_velocity")


def log_masses(
    quantities: Sequence[Conserved], runs: Trajectories
) -> Callable[[np.ndarray], np.ndarray] | None:
    """Return log det M as a function of states (n, d); None where it is constant or unknown.

    Parameters
    ----------
    quantities : sequence of Conserved
        Of which one may have the name energy.
    runs : Trajectories
        Whose roles tell velocities from momenta.
    """
    energies = [q for q in quantities if q.name == "energy" and not q.library.learned]
    roles = infer_roles(runs.names, runs.roles, runs.rows)
    # By its name alone, what is called p is a momentum.
    named = runs.roles is None or not any(runs.roles)
    of = [
        sympy.Symbol(name)
        for name, role in zip(runs.names, roles, strict=True)
        if role in _VELOCITIES and not (named and name.startswith("p"))
    ]
    if not energies or not of:
        return None
    masses = sympy.hessian(written(energies[0]), of)
    if not masses.free_symbols:
        return None
    symbols = [plain(symbol) for symbol in energies[0].library.symbols]
    entries = compile_formulas(symbols, list(masses))

    def log_mass(states: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            parts = [np.broadcast_to(part, len(states)) for part in entries(*states.T)]
        matrices = np.stack(parts, axis=1).reshape(len(states), len(of), len(of))
        return np.linalg.slogdet(matrices.astype(float))[1]

    return log_mass
