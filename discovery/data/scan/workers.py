"""Work on pieces, here or on the workers of a Dask cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias, TypeVar

if TYPE_CHECKING:
    import distributed

T, Answer = TypeVar("T"), TypeVar("Answer")
# What users may pass as ``client=``.
ClientLike: TypeAlias = "distributed.Client | str | None"

# A task whose worker is lost is done again, so many times.
_TRIALS = 5
# Answers that are joined at a time.
_TOGETHER = 8


class MissingDaskError(ImportError, ValueError):
    """A client was asked for, and Dask is not installed."""


def as_client(client: ClientLike) -> distributed.Client | None:
    """Return a client of a cluster, None where none is asked for.

    Parameters
    ----------
    client : distributed.Client, or str, optional
        A client, or the address of a scheduler: ``"tcp://10.0.0.1:8786"``.

    Raises
    ------
    MissingDaskError
        Where Dask is not installed; an ImportError and a ValueError.
    ValueError
        For anything else, and where no scheduler answers.
    """
    if client is None:
        return None
    try:
        import distributed
    except ImportError as error:
        raise MissingDaskError(
            "client= needs Dask. Install it (pip install 'keras-ndm[dask]'), or leave client= out: "
            "all is then done in this process, with the same result."
        ) from error
    if isinstance(client, distributed.Client):
        return client
    if not isinstance(client, str):
        raise ValueError(
            f"client: received {type(client).__name__}; expected a distributed.Client, or the "
            "address of a scheduler such as 'tcp://10.0.0.1:8786'."
        )
    try:
        asyncio.run(_greet(client))
    except (OSError, ValueError, TypeError, MemoryError) as error:
        raise ValueError(
            f"client: no scheduler answers at {client!r} ({error}). Expected the address that "
            "dask scheduler prints, such as 'tcp://10.0.0.1:8786'."
        ) from error
    return distributed.Client(client, set_as_default=False)


async def _greet(address: str) -> None:
    """Connect with a scheduler and leave again.

    A client that found none would keep the process from ending for a minute.
    """
    from distributed.comm import connect
    from distributed.security import Security

    comm = await connect(address, **Security().get_connection_args("client"))
    await comm.close()


def reduced(
    function: Callable[[T], Answer],
    joined: Callable[[Sequence[Answer]], Answer],
    items: Sequence[T],
    client: distributed.Client | None = None,
    done: Callable[[], object] = bool,
) -> Answer:
    """Return what a function makes of items, its answers joined in their order, a few at a time.

    The tree is the same with a client and without, and so are the numbers.

    Parameters
    ----------
    function : callable
        Its answer depends on the item alone, so that it may be asked again where a worker is lost.
    joined : callable
        From a few answers to one.
    items : sequence
        One at least.
    client : distributed.Client, optional
        Whose workers do it; this process by default.
    done : callable
        Called for each item that is done in this process.
    """
    if client is not None:
        return _there(function, joined, items, client)

    def told(item: T) -> Answer:
        answer = function(item)
        done()
        return answer

    answers, n = map(told, items), len(items)
    while n > 1:
        few = partial(_next_of, answers, _TOGETHER)
        answers, n = map(joined, iter(few, [])), -(-n // _TOGETHER)
    return next(answers)


def _next_of(values: Iterator[T], most: int) -> list[T]:
    """Return the next few values of an iterator; none where it has ended."""
    return list(islice(values, most))


def _there(
    function: Callable[[T], Answer],
    joined: Callable[[Sequence[Answer]], Answer],
    items: Sequence[T],
    client: distributed.Client,
) -> Answer:
    """Return what `reduced` does, made by the workers of a client."""
    import dask
    from dask import bag

    tree = bag.from_sequence(items, npartitions=len(items)).reduction(
        lambda part: function(*part), lambda parts: joined(list(parts)), split_every=_TOGETHER
    )
    with dask.config.set({"distributed.scheduler.allowed-failures": _TRIALS}):
        future = client.compute(tree, retries=_TRIALS)
    try:
        return future.result()
    finally:
        future.cancel()
