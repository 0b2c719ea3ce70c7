"""Seconds and memory of ConservedQuantityFinder against the number of rows.

    python benchmarks/time_and_memory.py            # 1e4 to 1e7 rows
    python benchmarks/time_and_memory.py --rows 1e4 1e5
    python benchmarks/time_and_memory.py --scan     # 1e5 to 1e7 rows that stay on disk
    python benchmarks/time_and_memory.py --scan --odd   # of an energy with an odd coefficient

Two oscillators of frequencies 1 and √2 with noise, runs of 200 samples. Each size runs in a process
of its own; "data" is the memory of that process once the data are made, "peak" its largest. With
--scan the data are Parquet files in a temporary folder, of which 20000 rows are searched and all
are judged; "bound" is the drift of the first law that is excluded, "±" the largest standard error
of a coefficient, and seconds are those of the processor. With --odd the first frequency squared is
1.137263, which is refitted on all rows.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

STEPS = 200
# Rows of a file.
FILE = 500_000
# Rows of files that are searched.
SEARCHED = 20_000


def oscillators(n_rows, seed=0, first=1.0):
    """Rows (n, 4) with the run of each."""
    rng = np.random.default_rng(seed)
    n_runs = max(8, n_rows // STEPS)
    t = 0.15 * np.arange(STEPS)
    states = np.empty((n_runs, STEPS, 4))
    for k, omega in enumerate((first, np.sqrt(2))):
        phase = omega * t + rng.uniform(0, 6.3, (n_runs, 1))
        amplitude = rng.uniform(0.5, 2, (n_runs, 1))
        states[:, :, k] = amplitude * np.cos(phase)
        states[:, :, 2 + k] = -omega * amplitude * np.sin(phase)
    for column in range(4):
        states[:, :, column] += 0.01 * rng.standard_normal((n_runs, STEPS))
    return states.reshape(-1, 4), np.repeat(np.arange(n_runs), STEPS)


def peak():
    """Largest memory of this process so far, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def one(n_rows):
    """Print the row of one size."""
    from discovery import ConservedQuantityFinder

    rows, groups = oscillators(n_rows)
    data, start = peak(), time.perf_counter()
    finder = ConservedQuantityFinder(random_state=0).fit(rows, groups=groups)
    seconds = time.perf_counter() - start
    print(f"{n_rows:>9} {finder.n_conserved_:>5} {seconds:>8.1f} {data:>8.0f} {peak():>8.0f}")


def store(folder, n_rows, first):
    """Write the rows as Parquet files, and return their size in MB."""
    import pandas as pd

    for number, begin in enumerate(range(0, n_rows, FILE)):
        rows, groups = oscillators(min(FILE, n_rows - begin), number, first)
        frame = pd.DataFrame(rows, columns=["x", "y", "u", "v"])
        frame.insert(0, "run", groups + begin // STEPS)
        frame.insert(1, "t", 0.15 * (np.arange(len(rows)) % STEPS))
        frame.to_parquet(folder / f"part{number}.parquet", index=False)
    return sum(file.stat().st_size for file in folder.iterdir()) / 1e6


def one_scan(folder):
    """Print the row of files."""
    from discovery import ConservedQuantityFinder, Trajectories

    data, start = peak(), time.process_time()
    scan = Trajectories.scan(folder)
    finder = ConservedQuantityFinder(max_rows=SEARCHED, random_state=0).fit(scan)
    seconds = time.process_time() - start
    found = finder.quantities_[: finder.n_conserved_]
    bound = found[0].drift_interval[1] if found else np.nan
    error = max((max(law.standard_errors.values()) for law in found), default=np.nan)
    print(
        f"{scan.n_rows:>9} {finder.n_conserved_:>5} {seconds:>8.1f} {data:>8.0f} {peak():>8.0f} "
        f"{100 * bound:>8.3f} {error:>9.2g}",
        flush=True,
    )


def scans(sizes, first):
    """Print the table of files."""
    head = f"{'rows':>9} {'laws':>5} {'CPU s':>8} {'start MB':>8} {'peak MB':>8}"
    print(f"{head} {'bound %':>8} {'±':>9} {'files MB':>8}", flush=True)
    for n_rows in sizes:
        with tempfile.TemporaryDirectory() as folder:
            size = store(Path(folder), n_rows, first)
            command = [sys.executable, __file__, "--one-scan", folder]
            row = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        print(f"{row.rstrip()} {size:>8.0f}", flush=True)


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", nargs="+", type=float, help="sizes")
    parser.add_argument("--scan", action="store_true", help="rows in files, larger than memory")
    parser.add_argument("--odd", action="store_true", help="with an odd coefficient")
    parser.add_argument("--one-scan", help=argparse.SUPPRESS)
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        one(options.one)
        return
    if options.one_scan:
        one_scan(options.one_scan)
        return
    first = np.sqrt(1.137263) if options.odd else 1.0
    if options.scan:
        scans([int(n_rows) for n_rows in options.rows or (1e5, 1e6, 1e7)], first)
        return
    print(f"{'rows':>9} {'laws':>5} {'seconds':>8} {'data MB':>8} {'peak MB':>8}", flush=True)
    for n_rows in options.rows or (1e4, 1e5, 1e6, 1e7):
        command = [sys.executable, __file__, "--one", str(int(n_rows))]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
