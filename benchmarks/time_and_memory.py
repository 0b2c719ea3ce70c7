"""Seconds and memory of ConservedQuantityFinder against the number of rows.

    python benchmarks/time_and_memory.py            # 1e4 to 1e7 rows
    python benchmarks/time_and_memory.py --rows 1e4 1e5

Two oscillators of frequencies 1 and √2 with noise, runs of 200 samples. Each size runs in a process
of its own; "data" is the memory of that process once the data are made, "peak" its largest.
"""

import argparse
import resource
import subprocess
import sys
import time

import numpy as np

STEPS = 200


def oscillators(n_rows):
    """Rows (n, 4) with the run of each."""
    rng = np.random.default_rng(0)
    n_runs = max(8, n_rows // STEPS)
    t = 0.15 * np.arange(STEPS)
    states = np.empty((n_runs, STEPS, 4))
    for k, omega in enumerate((1.0, np.sqrt(2))):
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


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", nargs="+", type=float, default=[1e4, 1e5, 1e6, 1e7])
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        one(options.one)
        return
    print(f"{'rows':>9} {'laws':>5} {'seconds':>8} {'data MB':>8} {'peak MB':>8}", flush=True)
    for n_rows in options.rows:
        command = [sys.executable, __file__, "--one", str(int(n_rows))]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
