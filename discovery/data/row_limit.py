"""Row limit: how many rows are analysed, so that memory does not grow with the data.

Evidence grows with the number of runs far more than with that of samples, and two hundred thousand
rows carry more of it than any verdict needs. Of larger sets whole runs are drawn; where runs are
few and long, a stretch of each.
"""

from __future__ import annotations

from numbers import Integral

import numpy as np

from discovery.criteria import DATA
from discovery.data.scan.scanned import Scan
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
    chosen, longest = _chosen(runs.n_runs, n_rows, max_rows, rng)
    return _stretches(runs, chosen, longest, rng)


def drawn_from(scan: Scan[Trajectories], max_rows: int, rng: np.random.Generator) -> Trajectories:
    """Return runs of at most `max_rows` rows in all, drawn from all files alike.

    Parameters
    ----------
    scan : Scan
    max_rows : int
    rng : numpy Generator

    Returns
    -------
    Trajectories
        All runs where they are no more.
    """
    if scan.n_rows <= max_rows:
        (piece,) = scan.pieces(max_rows)
        return piece.read()
    chosen, longest = _chosen(scan.n_runs, int(scan.lengths.sum()), max_rows, rng)
    # Long runs are cut before the next ones are read.
    parts = []
    for piece in scan.pieces(max_rows, chosen):
        runs = long_enough(piece.read())
        parts.append(_stretches(runs, np.arange(runs.n_runs), longest, rng))
    first = parts[0]
    runs = Trajectories(
        states=[rows for part in parts for rows in np.split(part.rows, part.offsets[1:-1])],
        times=[times for part in parts for times in np.split(part.row_times, part.offsets[1:-1])],
        names=first.names,
        roles=first.roles,
        run_ids=np.concatenate([part.run_ids for part in parts]),
    )
    runs.in_degrees, runs.units, runs.remarks = first.in_degrees, first.units, first.remarks
    return runs


def long_enough(runs: Trajectories) -> Trajectories:
    """Return the runs that are long enough to be analysed: some lose samples without a value."""
    long = runs.lengths >= DATA.fewest_samples
    return runs if long.all() else runs[long]


def _chosen(
    n_runs: int, n_rows: int, max_rows: int, rng: np.random.Generator
) -> tuple[np.ndarray, int]:
    """Draw runs, and return how many rows of each are kept."""
    n_kept = int(np.clip(n_runs * max_rows // n_rows, min(KEEP_RUNS, n_runs), None))
    return np.sort(rng.choice(n_runs, n_kept, replace=False)), max_rows // n_kept


def _stretches(
    runs: Trajectories, chosen: np.ndarray, longest: int, rng: np.random.Generator
) -> Trajectories:
    """Return some of the runs, and of the longer ones a stretch."""
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
