"""Libraries for motion with friction: energies, even in the velocities, and what friction takes.

Without friction motion can be reversed: an energy is the same for x, v and x, −v. What friction
takes in a unit of time is never negative, and the same for v and −v.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import sympy

from discovery.data.coordinates import MOMENTA, group_bodies
from discovery.estimation.errors import full, of_columns
from discovery.estimation.path import Path
from discovery.libraries.library import Library
from discovery.libraries.monomials import symbols_of

# Velocities all products of which are tried: of more, the squares alone.
_PRODUCTS = 4


@dataclass(frozen=True)
class Loss:
    """What one kind of friction takes in a unit of time, but for a factor.

    Attributes
    ----------
    symbol : sympy.Symbol
        Of its integral over time.
    expression : sympy.Expr
        In the velocities.
    columns : tuple of int
        The velocities that the speed is of, or two that are multiplied.
    power : int
        Of the speed: 2 where friction is proportional to it (linear drag), 3 where it is to its
        square (air), 1 where it does not depend on it (dry friction), 0 for a product.
    """

    symbol: sympy.Symbol
    expression: sympy.Expr
    columns: tuple[int, ...]
    power: int

    def values(self, states: np.ndarray, covariance: np.ndarray | None = None) -> np.ndarray:
        """Return its values, (n,), without what the states' error adds on the average.

        Parameters
        ----------
        states : (n, d) array
        covariance : (n, d, d) array, optional
            Of their error.
        """
        columns = list(self.columns)
        v = states[:, columns]
        if self.power:
            speed = np.linalg.norm(v, axis=1)
            values = speed**self.power
        else:
            values = v[:, 0] * v[:, 1]
        if covariance is None or self.power == 1:
            return values
        error = full(of_columns(covariance, columns))
        if self.power == 3:
            along = np.einsum("ni,nij,nj->n", v, error, v) / np.maximum(speed, 1e-300)
            return values - 1.5 * (speed * np.einsum("nii->n", error) + along)
        return values - (np.einsum("nii->n", error) if self.power else error[:, 0, 1])

    def unseen(self, measured: Path, smooth: Path) -> np.ndarray:
        """Return its values at measured states less those on a smooth path, (n,), on the average.

        A smooth path is a little too flat, and what is taken of it too little.

        Parameters
        ----------
        measured, smooth : Path
        """
        if self.power != 1:
            return self.values(measured.states, measured.errors) - self.values(smooth.states)
        # The noise of a speed near zero is no speed: to first order.
        v, rest = (
            p[:, list(self.columns)] for p in (smooth.states, measured.states - smooth.states)
        )
        return np.sum(v * rest, axis=1) / np.maximum(np.linalg.norm(v, axis=1), 1e-300)


def losses(names: Sequence[str], roles: Sequence[str | None]) -> list[list[Loss]]:
    """Return the kinds of friction to try in turn, each list with those before it.

    Of bodies alike in all directions: linear, of air, dry. Then of each velocity on its own, and
    then with products of two velocities, as in a joint between two rods.

    Parameters
    ----------
    names, roles : sequences of length d
    """
    symbols = symbols_of(names)
    momenta = [i for i, role in enumerate(roles) if role in MOMENTA]
    turning = [[i] for i in momenta if roles[i] == "angular_velocity"]
    others = [i for i in momenta if [i] not in turning]
    bodies = group_bodies([names[i] for i in others], others) + turning
    alone = [[i] for body in bodies if len(body) > 1 for i in body]
    out: list[Loss] = []

    def add(columns: Sequence[int], power: int, expression: sympy.Expr) -> None:
        out.append(Loss(sympy.Dummy(f"W{len(out)}", real=True), expression, tuple(columns), power))

    def of(bodies: Sequence[Sequence[int]]) -> None:
        for body in bodies:
            squares = sum(symbols[i] ** 2 for i in body)
            speed = sympy.sqrt(squares) if len(body) > 1 else sympy.Abs(symbols[body[0]])
            add(body, 2, squares)
            add(body, 3, speed**3)
            add(body, 1, speed)

    of(bodies)
    tiers = [list(out)]
    if alone:
        # The square of a speed is the sum of these.
        joint = [loss for loss in out if loss.power != 2 or len(loss.columns) == 1]
        of(alone)
        tiers.append([*joint, *out[len(tiers[0]) :]])
    if 1 < len(momenta) <= _PRODUCTS:
        before = len(out)
        for i, j in itertools.combinations(momenta, 2):
            symbol = sympy.Dummy(f"W{len(out)}", real=True)
            out.append(Loss(symbol, symbols[i] * symbols[j], (i, j), 0))
        tiers.append([*tiers[-1], *out[before:]])
    return tiers


def even_terms(library: Library, roles: Sequence[str | None]) -> Library | None:
    """Return the terms that are even in the velocities; None where none of them has one.

    Parameters
    ----------
    library : Library
    roles : sequence of length d
    """
    return _of_parity(library, roles, 1)


def odd_terms(library: Library, roles: Sequence[str | None]) -> Library | None:
    """Return the terms that are odd in the velocities; None where there are none.

    Parameters
    ----------
    library : Library
    roles : sequence of length d
    """
    return _of_parity(library, roles, -1)


def _of_parity(library: Library, roles: Sequence[str | None], sign: int) -> Library | None:
    momenta = [s for s, role in zip(library.symbols, roles, strict=True) if role in MOMENTA]
    reverse = {s: -s for s in momenta}
    terms = library.expressions()
    kept = [j for j, term in enumerate(terms) if term.xreplace(reverse) == sign * term]
    moving = any(terms[j].has(*momenta) for j in kept)
    return library.restrict(kept) if kept and moving else None


def with_losses(library: Library, every: Sequence[Loss], tried: Sequence[Loss]) -> Library:
    """Return the terms of a library with losses beside them.

    Parameters
    ----------
    library : Library
        Of d coordinates.
    every, tried : sequences of Loss
        All that orbits have columns of, and those to be among the terms.

    Returns
    -------
    Library
        Of the d coordinates and all losses' symbols.
    """
    k, n_atoms = len(tried), len(library.atoms)
    beside = [tuple(int(i == j) for i in range(k)) for j in range(k)]
    return Library(
        [*library.symbols, *(loss.symbol for loss in every)],
        [*library.atoms, *(loss.symbol for loss in tried)],
        [*((*e, *(0,) * k) for e in library.exponents), *((0,) * n_atoms + e for e in beside)],
        f"{library.name} with losses",
    )


def growing(library: Library, rate: sympy.Expr | float, clock: sympy.Symbol) -> Library:
    """Return a library with each of its terms times e^{γt}, and e^{γt} itself.

    Parameters
    ----------
    library : Library
        Of d coordinates.
    rate : sympy.Expr or float
        γ.
    clock : sympy.Symbol
        t, a coordinate of its own: the last one.
    """
    growth = sympy.exp(rate * clock)
    return Library(
        [*library.symbols, clock],
        [*library.atoms, growth],
        [*((*e, 1) for e in library.exponents), (0,) * len(library.atoms) + (1,)],
        f"{library.name} × exp({float(rate):.4g} t)",
    )
