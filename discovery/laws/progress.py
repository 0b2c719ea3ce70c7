"""Progress of a search, on stderr, where it is asked for."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from contextvars import ContextVar
from typing import TypeVar

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


def counted(pieces: Iterable[T], total: int) -> Iterator[T]:
    """Yield what is made of pieces of the data, with a bar of how many there are."""
    from tqdm.auto import tqdm

    yield from tqdm(
        pieces, total=total, desc="judging", unit="piece", leave=False, disable=not _SHOWN.get()
    )
