"""Memory of many calls of `discover` in one process, and its slope.

    python benchmarks/soak.py --calls 200
    python benchmarks/soak.py --calls 200 --no-model      # the finder alone

Each call has runs of its own: an oscillator, 16 runs × 60 samples at 1 % noise. The slope is a
straight line through the resident memory after the first quarter of the calls, in which libraries
are loaded and caches filled.
"""

import argparse
import gc
import time
from pathlib import Path

import numpy as np


def resident():
    """Resident memory of this process, MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 1e6


def slope(values):
    """Return the slope and its standard error, per call."""
    x = np.arange(len(values), dtype=float)
    (rate, _), covariance = np.polyfit(x, values, 1, cov=True)
    return rate, np.sqrt(covariance[0, 0])


def main():
    """Print the memory, and the slope."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--no-model", action="store_true", help="ConservedQuantityFinder alone")
    options = parser.parse_args()
    from discovery import ConservedQuantityFinder, datasets, discover

    memory, start = [], time.perf_counter()
    print(f"{'call':>5} {'MB':>8} {'laws':>5} {'seconds':>8}", flush=True)
    for call in range(options.calls):
        runs = datasets.load("harmonic_oscillator", 16, 60, noise=0.01, seed=call)
        if options.no_model:
            report = ConservedQuantityFinder(random_state=call).fit(runs).report_
        else:
            report = discover(runs, random_state=call, verbose=False)
        found = report.n_conserved
        del report
        gc.collect()
        memory.append(resident())
        if call % max(1, options.calls // 20) == 0 or call == options.calls - 1:
            seconds = time.perf_counter() - start
            print(f"{call + 1:>5} {memory[-1]:>8.1f} {found:>5} {seconds:>8.1f}", flush=True)
    settled = memory[options.calls // 4 :]
    if len(settled) > 3:
        rate, error = slope(settled)
        print(f"slope: {rate:.3f} ± {error:.3f} MB a call over the last {len(settled)} calls")


if __name__ == "__main__":
    main()
