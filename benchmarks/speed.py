"""CPU seconds of `discover` and of ConservedQuantityFinder, and where they go.

    python benchmarks/speed.py                                   # ten data sets
    python benchmarks/speed.py --systems kepler lorenz --no-model
    python benchmarks/speed.py --checkouts ../before .           # two states of the code

Each data set is analysed in a process of its own on one core, from the start of the interpreter to
the report; only the data are made before. A thread looks at the stack and books the time of the
processor since its last look to the part of the analysis that runs: nothing of the code is changed.
Several checkouts take turns, and ratios are those of the first to the last.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import numpy as np

SYSTEMS = (
    "harmonic_oscillator",
    "pendulum",
    "kepler",
    "henon_heiles",
    "lotka_volterra",
    "rigid_body",
    "double_pendulum",
    "damped_pendulum",
    "van_der_pol",
    "lorenz",
)
# Part -> what its modules' paths hold. The innermost frame that fits is the part.
PARTS = {
    "import": ("<frozen importlib",),
    "training": ("discovery/estimation/manifold",),
    "learning": ("discovery/laws/learned/training",),
    "preparing": ("discovery/estimation", "discovery/data", "discovery/preparations"),
    "judging": ("discovery/laws/judging", "discovery/laws/decaying"),
    "motion": ("discovery/noether", "discovery/algebra", "discovery/dynamics"),
    "report": ("discovery/report",),
    "search": ("discovery/laws", "discovery/libraries", "discovery/pde", "discovery/pipeline"),
}
# Seconds between two looks at the stack.
TICK = 0.005
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), "1"
)


class Sampler:
    """Seconds of the processor, by part of the analysis.

    A thread looks at the main thread's stack. Where it waits, no time of the processor passes.
    """

    def __init__(self):
        self.seconds, self.last, self.running = Counter(), 0.0, True
        self.main = threading.get_ident()
        threading.Thread(target=self._sample, daemon=True).start()

    def _sample(self):
        while self.running:
            time.sleep(TICK)
            self._tick()

    def _tick(self):
        now, frame = time.process_time(), sys._current_frames()[self.main]
        self.seconds[self._part(frame)] += now - self.last
        self.last = now

    @staticmethod
    def _part(frame):
        while frame is not None:
            file = frame.f_code.co_filename
            for part, places in PARTS.items():
                if any(place in file for place in places):
                    return part
            frame = frame.f_back
        return "other"

    def stop(self):
        """Return the seconds."""
        self.running = False
        self._tick()
        return dict(self.seconds)


def one(file, model):
    """Print what the analysis of one file of runs took, and what it found."""
    sampler = Sampler()
    from discovery import Trajectories

    data = np.load(file)
    names, roles = data["names"].tolist(), [role or None for role in data["roles"].tolist()]
    spacing = tuple(data["spacing"].tolist()) or None
    spacing = spacing[0] if spacing is not None and len(spacing) == 1 else spacing
    if model:
        from discovery import discover
    else:
        from discovery import ConservedQuantityFinder
    parts = data["rows"], data["groups"], data["times"], names, roles, spacing
    runs = Trajectories.from_rows(*parts)
    if model:
        report = discover(runs, random_state=0, verbose=False)
    else:
        report = ConservedQuantityFinder(random_state=0).fit(runs).report_
    seconds = sampler.stop()
    print(json.dumps({"laws": report.n_conserved, "total": time.process_time(), **seconds}))


def store(name, options, file):
    """Simulate one data set and write it."""
    from discovery import datasets

    runs = datasets.load(name, options.runs, options.samples, options.noise, options.seed)
    np.savez(
        file,
        rows=runs.rows,
        groups=runs.groups,
        times=runs.row_times,
        names=np.array(runs.names),
        roles=np.array([role or "" for role in runs.roles or [""] * runs.dim]),
        spacing=np.atleast_1d([] if runs.grid_spacing is None else runs.grid_spacing),
    )


def measured(checkout, file, model):
    """Return what a process of one checkout took."""
    env = {**os.environ, **ONE_THREAD, "PYTHONPATH": str(Path(checkout).resolve())}
    command = [sys.executable, __file__, "--one", str(file), *([] if model else ["--no-model"])]
    out = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=env
    )
    return json.loads(out.stdout.splitlines()[-1])


def row(name, checkout, laws, seconds):
    """Print one row of the table."""
    cells = " ".join(f"{value:>9.2f}" for value in seconds)
    print(f"{name:<24} {checkout:<8} {laws:>4} {cells}", flush=True)


def table(options):
    """Print the seconds of all data sets on all checkouts."""
    parts = [*PARTS, "other"]
    doors = "ConservedQuantityFinder" if options.no_model else "discover"
    print(f"{doors}, {options.runs} runs x {options.samples} samples, noise {options.noise}")
    heads = " ".join(f"{part:>9}" for part in ("total", *parts))
    print(f"{'system':<24} {'checkout':<8} {'laws':>4} {heads}", flush=True)
    numbers = [f"#{k}" for k in range(1, len(options.checkouts) + 1)]
    all_of = {number: [] for number in numbers}
    for name in options.systems:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "runs.npz"
            store(name, options, file)
            for number, checkout in zip(numbers, options.checkouts, strict=True):
                found = measured(checkout, file, not options.no_model)
                all_of[number].append([found.get(part, 0.0) for part in ("total", *parts)])
                row(name, number, found["laws"], all_of[number][-1])
    for number in numbers:
        row("median", number, "", np.median(all_of[number], axis=0))
    if len(numbers) > 1:
        first, last = (np.array(all_of[number])[:, 0] for number in (numbers[0], numbers[-1]))
        ratios = first / last
        print(f"ratio of totals: median {np.median(ratios):.2f}, least {ratios.min():.2f}")


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--systems", nargs="+", default=SYSTEMS, help="names, or all")
    parser.add_argument("--checkouts", nargs="+", default=["."], help="folders with the code")
    parser.add_argument("--no-model", action="store_true", help="ConservedQuantityFinder alone")
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--samples", type=int, default=200)
    parser.add_argument("--noise", type=float, default=0.01, help="fraction of the spread")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        one(options.one, not options.no_model)
        return
    if options.systems == ["all"]:
        from discovery import datasets

        options.systems = datasets.names()
    table(options)


if __name__ == "__main__":
    main()
