"""Row limit: how many rows are analysed, so that memory does not grow with the data.

Evidence grows with the number of runs far more than with that of samples, and two hundred thousand
rows carry more of it than any verdict needs. Of larger sets whole runs are drawn; where runs are
few and long, a stretch of each.
"""

from __future__ import annotations

from numbers import Integral

import numpy as np

from discovery.data.trajectories import Trajectories

MAX_ROWS = 200_000
# Runs are cut before fewer than this many are kept.
KEEP_RUNS = 200
# Fewer rows than this are too few to cut down to.
LEAST_ROWS = 1000


def checked_rows(max_rows: int) -> int:
    """Check a largest number of rows.

    Raises
    ------
    ValueError
        For what is no whole number of at least `LEAST_ROWS`.
    """
    if isinstance(max_rows, Integral) and not isinstance(max_rows, bool) and max_rows >= LEAST_ROWS:
        return int(max_rows)
    raise ValueError(
        f"max_rows: received {max_rows!r}; expected a whole number of at least {LEAST_ROWS}."
    )


def drawn(runs: Trajectories, max_rows: int, rng: np.random.Generator) -> Trajectories:
    """Return runs of at most `max_rows` rows in all; the same ones where they are no more.

    Nothing but the rows that are kept is copied.

    Parameters
    ----------
    runs : Trajectories
    max_rows : int
    rng : numpy Generator

    Returns
    -------
    Trajectories
    """
    n_rows = len(runs.rows)
    if n_rows <= max_rows:
        return runs
    n_kept = int(np.clip(runs.n_runs * max_rows // n_rows, min(KEEP_RUNS, runs.n_runs), None))
    chosen = np.sort(rng.choice(runs.n_runs, n_kept, replace=False))
    longest = max_rows // n_kept
    spans = []
    for r in chosen:
        begin, end = runs.offsets[r], runs.offsets[r + 1]
        if end - begin > longest:
            begin += int(rng.integers(end - begin - longest + 1))
            end = begin + longest
        spans.append((begin, end))
    part = Trajectories(
        states=[runs.rows[a:b] for a, b in spans],
        times=[runs.row_times[a:b] for a, b in spans],
        names=runs.names,
        roles=runs.roles,
        run_ids=runs.run_ids[chosen],
        grid_spacing=runs.grid_spacing,
    )
    part.name = runs.name
    if runs.formed is not None:
        rows = np.concatenate([np.arange(a, b) for a, b in spans])
        part.formed = runs.formed.among(rows, range(runs.dim))
    return part
