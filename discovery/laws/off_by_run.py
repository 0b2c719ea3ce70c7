"""Off by run: a column that is wrong by another number in each run, which hides the laws.

A zero that drifts from day to day, a range that is switched: along a run nothing tells, and no one
formula is constant along all. With b_r the error of run r, and w = 1 for an offset of column j and
w = x_j for a gain,

    h(x) = cᵀ Φ(x)        moves by        b_r ∂h/∂x_j w,

one number times a known function. The function that moves least and the errors are asked in turn,

    W c = μ D c,        δb_r = − <h, ∂h/∂x_j w>_r / <∂h/∂x_j w, ∂h/∂x_j w>_r ,

each without its mean over the run (Gauss and Newton's step). What all runs obey as they are needs
no errors, and is set aside. Where some other function then moves no more than noise moves it, the
runs without these errors are analysed anew; what holds there is no law of the data as they are, but
tells that their verdict is not "none".
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from discovery.criteria import LAWS, LawCriteria
from discovery.estimation.orbits import Orbits
from discovery.formulas.pencil import Pencil
from discovery.laws.finding.operators import moved_by, operators, shared, spectrum
from discovery.libraries.functions import Functions

# Samples that are looked at, most functions of a library, libraries, and steps.
_ROWS, _MOST, _LIBRARIES, _STEPS = 3000, 40, 8, 30
# Steps end where one lowers the flatness by less than this share: they have converged.
_SLOW = 0.01
_KINDS = ("offset", "gain")


@dataclass(frozen=True)
class Off:
    """A column that is off by another number in each run.

    Attributes
    ----------
    column : int
    kind : {"offset", "gain"}
    errors : (runs,) array
        What is added to the column for it to be right; of a gain as a share of its values.
    flatness : float
        Motion of the flattest function over that of noise, with these errors taken out.
    before : float
        The same of the columns as they are.
    """

    column: int
    kind: str
    errors: np.ndarray
    flatness: float
    before: float = np.inf

    def added(self, values: np.ndarray, offsets: np.ndarray) -> np.ndarray:
        """Return what is added to the column, (n,).

        Parameters
        ----------
        values : (n,) array
            Of the column.
        offsets : (runs + 1,) array of int
        """
        errors = np.repeat(self.errors, np.diff(offsets))
        return errors * values if self.kind == "gain" else errors


def off_by_run(
    libraries: Sequence[Functions],
    orbits: Orbits,
    columns: Sequence[int],
    criteria: LawCriteria = LAWS,
) -> list[Off]:
    """Return columns whose errors by run explain that nothing is conserved, the best first.

    Of the simplest library in which one of them does.

    Parameters
    ----------
    libraries : sequence of Functions
        What may be conserved, from simple to rich.
    orbits : Orbits
        Along paths.
    columns : sequence of int
        That may be off.
    criteria : LawCriteria
    """
    some = orbits.thinned(_ROWS)
    small = [library for library in libraries if 1 < len(library) <= _MOST]
    for library in small[:_LIBRARIES]:
        basis = _not_obeyed(library, some, criteria)
        if not basis.shape[1]:
            continue
        tried = itertools.product(columns, _KINDS)
        found = [_fitted(library, some, basis, *one, criteria) for one in tried]
        # What is nearly flat as it is moves by what the library lacks, and not by these errors.
        ceiling = criteria.flatness_ceiling
        fair = [off for off in found if off and off.flatness <= ceiling < off.before / 2]
        if fair:
            return sorted(fair, key=lambda off: off.flatness)
    return []


def _not_obeyed(library: Functions, orbits: Orbits, criteria: LawCriteria) -> np.ndarray:
    """Return a basis (m, k) of the functions but for those that all runs obey as they are."""
    path, scale = orbits.smoothed, orbits.scale
    ops = operators(library, path, orbits.offsets, scale, of_run=orbits.of_run)
    if not ops.is_finite:
        return np.eye(len(library))
    flat = spectrum(ops)
    still = flat.vectors[:, flat.values <= 2 * criteria.flatness_ceiling]
    obeyed = shared(ops, still, criteria.no_signal)
    if not obeyed.shape[1]:
        return np.eye(len(library))
    return linalg.null_space((ops.dirichlet @ obeyed).T)


def _fitted(
    library: Functions,
    orbits: Orbits,
    basis: np.ndarray,
    column: int,
    kind: str,
    criteria: LawCriteria,
) -> Off | None:
    """Return the errors of one column that let a function (a combination of `basis`) move least."""
    path, starts = orbits.smoothed, orbits.offsets[:-1]
    lengths = np.diff(orbits.offsets)
    off, gain = Off(column, kind, np.zeros(len(lengths)), np.inf), kind == "gain"
    most = criteria.off_by_run * (0.5 if gain else float(orbits.scale[column]))
    for step in range(_STEPS):
        states = path.states.copy()
        states[:, column] += off.added(states[:, column], orbits.offsets)
        with np.errstate(all="ignore"):
            phi, slopes, _ = library.jets(states)
            sizes = np.sum(phi**2, axis=1) + np.sum(slopes**2, axis=(0, 2))
        if not np.isfinite(sizes).all():
            return None
        along = slopes[column] * (states[:, column] if gain else 1.0)

        def centred(values: np.ndarray) -> np.ndarray:
            means = np.add.reduceat(values, starts, axis=-1) / lengths
            return values - np.repeat(means, lengths, axis=-1)

        phi, along = centred(phi), centred(along)
        noise = moved_by(slopes, path.half)
        rounding = 1e-9 * np.diag(phi @ phi.T)
        pencil = Pencil(phi @ phi.T, noise + np.diag(rounding)).onto(basis)
        flatness, c = pencil.smallest(np.arange(basis.shape[1]))
        if step and flatness > (1 - _SLOW) * off.flatness:
            break
        c = basis @ c
        size = np.maximum(np.add.reduceat((c @ along) ** 2, starts), 1e-300)
        change = -np.add.reduceat((c @ phi) * (c @ along), starts) / size
        # An error that all runs share is another origin, or another unit.
        errors = np.clip(off.errors + change - np.median(change), -most, most)
        before = off.before if step else float(flatness)
        off = Off(column, kind, errors, float(flatness), before)
    return off


def off_in_words(off: Sequence[Off], names: Sequence[str], formulas: Sequence[str]) -> str:
    """Return what a reader is told of columns that may be off.

    Parameters
    ----------
    off : sequence of Off
        The first is taken out.
    names : sequence of str
        Of the columns.
    formulas : sequence of str
        What is conserved then.
    """
    of = list(dict.fromkeys(f"an {o.kind}" if o.kind == "offset" else "a gain" for o in off))
    some = list(dict.fromkeys(names[o.column] for o in off))
    return (
        f"no formula holds in all runs as they were measured; were {' or '.join(some)} to have "
        f"{' or '.join(of)} of its own in each run, {'; '.join(formulas)} would be conserved. "
        "Calibrate it for each run, or add what differs between runs as a column."
    )
