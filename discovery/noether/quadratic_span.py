"""Better forms in the span of laws that are quadratic in the momenta.

    h = ½ wᵀ A w + b(q)·w + f(q),     A constant

Sums of laws are laws. Where A is a sum of those of laws without b, what remains is linear in the
momenta: the canonical momentum of a turning frame or a magnetic field, and no mixture of it with
energies. Where b is a sum of those of laws without A, what remains is an energy. Where n laws
½ wᵀ A w + ½ qᵀ B q of n degrees of freedom are diagonal in the same axes, as M is, the span holds
the energy of each mode, A = a aᵀ. Where two frequencies are equal these axes are none of the
system's.

Source: V. I. Arnold, *Mathematical Methods of Classical Mechanics* (1989), §23; R. A. Horn and
C. R. Johnson, *Matrix Analysis* (2013), theorem 4.5.17 (diagonal by one congruence).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import sympy

from discovery.criteria import SYMMETRIES
from discovery.formulas.simple_numbers import Numbers, in_digits
from discovery.libraries.library import Library
from discovery.libraries.monomials import symbols_of
from discovery.noether.motion import Candidate, MeasuredMotion

# What is zero but for rounding.
_ROUNDING = 1e-6


class _Quadratic(NamedTuple):
    """A, b at the motion's points, and B, where b is not there and f is quadratic."""

    a: np.ndarray
    linear: np.ndarray
    b: np.ndarray | None


def parted(laws: Sequence[Candidate], motion: MeasuredMotion) -> dict[int, np.ndarray]:
    """Return weights of sums with A alone, or with b alone, by the law that each may replace.

    Parameters
    ----------
    laws : sequence of k Candidate
    motion : MeasuredMotion
        Of the same coordinates.

    Returns
    -------
    dict from int to (k,) array
        In the order in which they replace laws, which later ones are sums of.
    """
    parts = {k: part for k, law in enumerate(laws) if (part := _quadratic(law, motion))}
    mixed = [k for k, part in parts.items() if part.a.any() and part.linear.any()]
    out = {}
    for what, other in (("a", "linear"), ("linear", "a")):
        pure = [k for k, part in parts.items() if not getattr(part, other).any()]
        for k in [k for k in mixed if pure and k not in out]:
            whole = getattr(parts[k], what)
            weights = _weights([getattr(parts[j], what) for j in pure], whole)
            if weights is not None:
                out[k] = np.zeros(len(laws))
                out[k][k], out[k][pure] = 1.0, -weights
    return out


class Mode(NamedTuple):
    """(a·w)² + k (d·q)²: energy of a mode, but for a factor, with a and d of n numbers each."""

    a: np.ndarray
    d: np.ndarray
    k: float

    def terms(
        self, motion: MeasuredMotion, error: float, numbers: Numbers
    ) -> tuple[Library, np.ndarray]:
        """Return the two squares and their coefficients.

        Parameters
        ----------
        motion : MeasuredMotion
            Whose coordinates they are of.
        error : float
            Half the width of the intervals of a and d, over their largest entries.
        numbers : Numbers
            What these are rounded to.
        """
        symbols = symbols_of(motion.names)
        squared = []
        for vector, columns in ((self.a, motion.momenta), (self.d, motion.positions)):
            # A square has no sign: its first coordinate has none either.
            lead = next((v for v in vector if abs(v) > error), 1.0)
            parts = zip(np.sign(lead) * vector, columns, strict=True)
            squared.append(
                sympy.Add(*(_number(float(v), error, numbers) * symbols[i] for v, i in parts))
            )
        library = Library(symbols, squared, [(2, 0), (0, 2)], "energies of modes")
        return library, np.array([1.0, self.k])


def _number(value: float, error: float, numbers: Numbers) -> sympy.Expr:
    """Return a number that is known to an error, simple where it may be."""
    if abs(value) <= error:
        return sympy.Integer(0)
    simple, price = numbers.simple(value, error / abs(value), error / abs(value))
    if np.isfinite(price):
        return numbers.symbolic(simple)
    return sympy.Float(in_digits(value, max(1, int(np.ceil(1 - np.log10(error))))))


def mode_energies(laws: Sequence[Candidate], motion: MeasuredMotion) -> dict[int, Mode]:
    """Return the energies of modes, by the laws that they replace together.

    Parameters
    ----------
    laws : sequence of k Candidate
    motion : MeasuredMotion
        Of the same coordinates.

    Returns
    -------
    dict from int to Mode
        Empty where they are not all in the span, where frequencies are equal, and where each law is
        of one mode already.
    """
    parts = [_quadratic(law, motion) for law in laws]
    pure = [k for k, part in enumerate(parts) if part is not None and part.b is not None]
    n = len(motion.pairs)
    if len(pure) != n or n < 2:
        return {}
    w = np.array(motion.momenta)
    speed, spread = (motion.states[:, list(i)].std(axis=0) for i in (w, motion.positions))
    a, b = np.array([parts[k].a for k in pure]), np.array([parts[k].b for k in pure])
    forms = a * np.outer(speed, speed)
    if all(_rank(one) == 1 for one in forms):
        return {}
    forms /= np.linalg.norm(forms, axis=(1, 2), keepdims=True)
    nearest = np.linalg.lstsq(forms.reshape(n, -1).T, np.eye(n).ravel(), rcond=None)[0]
    levels, axes = np.linalg.eigh(np.einsum("k,kij->ij", nearest, forms))
    if not levels[0] > _ROUNDING * levels[-1]:
        return {}
    root = axes / np.sqrt(levels) @ axes.T
    vectors = np.linalg.eigh(np.einsum("k,kij->ij", _generic(n), root @ forms @ root))[1]
    modes = np.linalg.solve(root, vectors) / speed[:, None]
    found = [_weights(list(a), np.outer(mode, mode)) for mode in modes.T]
    if any(weights is None for weights in found):
        return {}
    stiff = [np.einsum("k,kij->ij", c, b) for c in found]
    if any(_rank(one * np.outer(spread, spread)) != 1 for one in stiff):
        return {}
    ratios = np.array([np.trace(one) / (v @ v) for one, v in zip(stiff, modes.T, strict=True)])
    gaps = np.diff(np.sort(ratios))
    if gaps.min() <= SYMMETRIES.equal_coefficients * np.abs(ratios).max():
        return {}
    return {k: _mode(mode, one) for k, mode, one in zip(pure, modes.T, stiff, strict=True)}


def _mode(a: np.ndarray, b: np.ndarray) -> Mode:
    """Return a mode by a, A = a aᵀ, and B of rank one."""
    levels, axes = np.linalg.eigh(b)
    largest = int(np.argmax(np.abs(levels)))
    d = axes[:, largest]
    a_top, d_top = (v[np.argmax(np.abs(v))] for v in (a, d))
    # The first of entries of one size is positive, and the largest is one.
    return Mode(a / a_top, d / d_top, float(levels[largest] * d_top**2 / a_top**2))


def _generic(count: int) -> np.ndarray:
    """Return weights of which no two sums are equal, for certain."""
    return np.random.default_rng(0).normal(size=count)


def _quadratic(law: Candidate, motion: MeasuredMotion) -> _Quadratic | None:
    """Return the parts of a law that is of second degree in the momenta, with constant A."""
    if law.library.learned or not motion.pairs:
        return None
    points, q, w = motion.points(), np.array(motion.positions), np.array(motion.momenta)
    speed, spread = motion.states[:, w].std(axis=0), motion.states[:, q].std(axis=0)
    rest, other = points.copy(), points.copy()
    rest[:, w], other[:, w] = 0.0, points[::-1][:, w]
    at_rest, moving, again = (law.gradient(states) for states in (rest, points, other))
    if not all(np.isfinite(one).all() for one in (at_rest, moving, again)):
        return None
    size = np.sqrt(np.mean((moving[:, w] * speed) ** 2))
    a = np.linalg.lstsq(points[:, w], moving[:, w] - at_rest[:, w], rcond=None)[0].T
    fits = (
        np.abs((gradient - at_rest)[:, w] - states[:, w] @ a.T) * speed
        for gradient, states in ((moving, points), (again, other))
    )
    if not size or max(fit.max() for fit in fits) > 1e2 * _ROUNDING * size:
        return None
    a = (a + a.T) / 2
    by_size = np.abs(a) * np.outer(speed, speed)
    a = np.where(by_size > _ROUNDING * size, a, 0.0)
    linear = at_rest[:, w] * speed
    linear = np.where(np.abs(linear).max() > 1e2 * _ROUNDING * size, linear, 0.0)
    place = np.column_stack([np.ones(len(points)), points[:, q]])
    slopes = at_rest[:, q] * spread
    found = np.linalg.lstsq(place, slopes, rcond=None)[0]
    left = np.abs(slopes - place @ found).max()
    centred = np.abs(found[0]).max() <= 1e2 * _ROUNDING * np.abs(slopes).max()
    quadratic = not linear.any() and centred and left <= 1e2 * _ROUNDING * size
    return _Quadratic(a, linear, (found[1:] / spread) if quadratic else None)


def _weights(parts: Sequence[np.ndarray], whole: np.ndarray) -> np.ndarray | None:
    """Return the weights of matrices in a sum that is another; None where none is."""
    columns = np.stack([part.ravel() for part in parts], axis=1)
    weights = np.linalg.lstsq(columns, whole.ravel(), rcond=None)[0]
    left = columns @ weights - whole.ravel()
    close = np.linalg.norm(left) <= SYMMETRIES.equal_coefficients * np.linalg.norm(whole)
    return weights if close else None


def _rank(a: np.ndarray) -> int:
    levels = np.abs(np.linalg.eigvalsh(a))
    return int(np.sum(levels > SYMMETRIES.equal_coefficients * levels.max()))
