"""Work on pieces, here or on the workers of a Dask cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias, TypeVar

if TYPE_CHECKING:
    import distributed

T, Answer = TypeVar("T"), TypeVar("Answer")
# What users may pass as ``client=``.
ClientLike: TypeAlias = "distributed.Client | str | None"

# A task whose worker is lost is done again, so many times.
_TRIALS = 5


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


def mapped(
    function: Callable[[T], Answer], items: Sequence[T], client: distributed.Client | None = None
) -> Iterator[Answer]:
    """Yield what a function makes of each item, in their order.

    Parameters
    ----------
    function : callable
        Its answer depends on the item alone, so that it may be asked again where a worker is lost.
    items : sequence
    client : distributed.Client, optional
        Whose workers do it; this process by default.
    """
    if client is None:
        yield from map(function, items)
        return
    import dask

    with dask.config.set({"distributed.scheduler.allowed-failures": _TRIALS}):
        futures = client.map(function, items, pure=False, retries=_TRIALS)
    try:
        for place, future in enumerate(futures):
            yield future.result()
            futures[place] = None  # its answer need not be kept there
    finally:
        client.cancel([future for future in futures if future is not None])
