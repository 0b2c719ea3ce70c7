"""Runs that are copies of others: to what is counted over runs they add nothing."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

from discovery.data.flaws.missing import counted

if TYPE_CHECKING:
    from discovery.data.trajectories import Trajectories


def without_copies(runs: Trajectories) -> Trajectories:
    """Return each of the runs once; two are the same if all their samples are.

    Whatever their times: a clock does not move a system.

    Parameters
    ----------
    runs : Trajectories
    """
    first: dict[bytes, int] = {}
    for k, (a, b) in enumerate(zip(runs.offsets[:-1], runs.offsets[1:], strict=True)):
        # A zero has two signs. Digests, for the runs themselves may fill the memory.
        first.setdefault(blake2b((runs.rows[a:b] + 0.0).tobytes()).digest(), k)
    copies = runs.n_runs - len(first)
    if not copies:
        return runs
    some = runs[sorted(first.values())]
    of_others = "a copy of another" if copies == 1 else "copies of others"
    some.remarks = (*runs.remarks, f"{counted(copies, 'run')}, {of_others}, left out")
    return some
