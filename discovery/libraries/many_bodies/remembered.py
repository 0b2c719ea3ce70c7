"""What sums over many pairs are at states, kept while a search asks for the same again.

Each formula is judged before and after its numbers are rounded, on the same runs, and all of one
library hold the same sums. A sum over thousands of pairs takes far longer to evaluate than to keep.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

import numpy as np

# Parts times states from which on a sum is kept, and how many are.
_LARGE, _MOST = 2**20, 12


class Jet(NamedTuple):
    """Value (n,), gradient (d, n) and curvature (n,) of a sum, as far as they were asked for."""

    value: np.ndarray
    slope: np.ndarray | None = None
    bend: np.ndarray | None = None


class _Kept(NamedTuple):
    # Held, so that no other array takes their place in memory.
    held: tuple[object, np.ndarray, np.ndarray | None]
    jet: Jet


_KEPT: ContextVar[OrderedDict[tuple, _Kept] | None] = ContextVar("kept", default=None)


@contextmanager
def remembering() -> Iterator[None]:
    """Keep what sums are at states until the context is left; the states must stay as they are."""
    token = _KEPT.set(OrderedDict())
    try:
        yield
    finally:
        _KEPT.reset(token)


def recalled(
    term: object, states: np.ndarray, covariance: np.ndarray | None, order: int
) -> Jet | None:
    """Return what is kept of a sum at these states, up to an order at least; None for nothing.

    Parameters
    ----------
    term : Sum
    states : (n, d) array
    covariance : (n, d, d) or (n, d) array or None
        Needed for order 2.
    order : {0, 1, 2}
    """
    kept = _KEPT.get()
    found = None if kept is None else kept.get(_key(term, states))
    if found is None:
        return None
    jet, known = found.jet, found.held[2]
    if order > 0 and jet.slope is None:
        return None
    if order > 1 and (known is None or _place(known) != _place(covariance)):
        return None
    kept.move_to_end(_key(term, states))
    return jet


def keep(
    term: object, states: np.ndarray, covariance: np.ndarray | None, parts: int, jet: Jet
) -> None:
    """Keep a sum at states, if it is large and anything is kept.

    Parameters
    ----------
    term : Sum
    states : (n, d) array
    covariance : (n, d, d) or (n, d) array or None
        What the curvature is against.
    parts : int
        Parts of the sum.
    jet : Jet
    """
    kept = _KEPT.get()
    if kept is None or parts * len(states) < _LARGE:
        return
    copied = Jet(*(None if part is None else part.copy() for part in jet))
    held = (term, states, None if jet.bend is None else covariance)
    kept[_key(term, states)] = _Kept(held, copied)
    if len(kept) > _MOST:
        kept.popitem(last=False)


def _key(term: object, states: np.ndarray) -> tuple:
    return id(term), *_place(states)


def _place(array: np.ndarray) -> tuple:
    return array.ctypes.data, array.shape, array.strides
