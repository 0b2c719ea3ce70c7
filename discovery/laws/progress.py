"""Progress on stderr: of a search, where it is asked for, and of what takes long unasked."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from tqdm import tqdm

# Seconds after which what still runs says so.
PATIENCE = 3.0
T = TypeVar("T")
_SHOWN: ContextVar[bool] = ContextVar("progress_is_shown", default=False)


@contextlib.contextmanager
def shown(show: bool) -> Iterator[None]:
    """Show, or do not show, the progress of the searches within."""
    before = _SHOWN.set(show)
    try:
        yield
    finally:
        _SHOWN.reset(before)


def over(stages: Sequence[T]) -> Iterator[T]:
    """Yield stages that have names, with a bar that says which is being tried."""
    from tqdm.auto import tqdm

    with tqdm(
        total=len(stages), desc="searching", unit="library", leave=False, disable=not _SHOWN.get()
    ) as bar:
        for stage in stages:
            bar.set_postfix_str(stage.name)
            yield stage
            bar.update()


@contextlib.contextmanager
def counted(total: int) -> Iterator[Callable[[], object]]:
    """Give a function to call for each piece of the data that is done; a bar says how many are."""
    from tqdm.auto import tqdm

    with tqdm(
        total=total, desc="judging", unit="piece", leave=False, disable=not _SHOWN.get()
    ) as bar:
        yield bar.update


def late(what: str, total: float) -> tqdm:
    """Return a bar that is seen only where it is not full after a few seconds.

    Parameters
    ----------
    what : str
        What takes so long.
    total : float
    """
    from tqdm import tqdm  # plain text: a notebook's bar is there from the start

    form = "{desc}: {percentage:.0f}%|{bar}| {elapsed}, {remaining} left"
    return tqdm(total=total, desc=what, leave=False, delay=PATIENCE, bar_format=form)
