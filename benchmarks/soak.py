"""Memory of many calls in one process, and training that is killed at random.

    python benchmarks/soak.py --calls 200
    python benchmarks/soak.py --calls 200 --no-model      # the finder alone
    python benchmarks/soak.py --kills 10                  # with Adam and with NaturalGradient

Each call has runs of its own: an oscillator, 16 runs × 60 samples at 1 % noise. The slope is a
straight line through the resident memory after the first quarter of the calls, in which libraries
are loaded and caches filled.

With --kills `fit` under `keras.callbacks.BackupAndRestore` is killed (SIGKILL) at random and
started again in a new process; the weights at the end are compared with those of a process that
was left alone. The script fails where they differ by more than rounding.
"""

import argparse
import gc
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

# Weights that differ by less are the same.
ROUNDING = 1e-6


def resident():
    """Resident memory of this process, MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 1e6


def slope(values):
    """Return the slope and its standard error, per call."""
    x = np.arange(len(values), dtype=float)
    (rate, _), covariance = np.polyfit(x, values, 1, cov=True)
    return rate, np.sqrt(covariance[0, 0])


def training(weights, options, optimizer, backup=None):
    """Start a process that trains; it prints a line at the end of each epoch."""
    script = Path(__file__).with_name("soak_training.py")
    command = [sys.executable, script, weights, "--optimizer", optimizer]
    command += ["--epochs", str(options.epochs)]
    command += ["--backup", backup] if backup else []
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def left_alone(weights, options, optimizer):
    """Train without a break; give the seconds from the first epoch's end to the last one's."""
    ends = []
    with training(weights, options, optimizer) as process:
        ends.extend(time.perf_counter() for _ in process.stdout)
    if process.returncode:
        raise SystemExit(f"training ended with {process.returncode}")
    return ends[-1] - ends[0]


def killed(weights, options, optimizer, backup, epoch_seconds):
    """Train under a backup, killed while or after each of some random epochs; give how often."""
    draw = random.Random(options.seed)
    at = sorted(draw.sample(range(options.epochs - 1), options.kills))
    count = 0
    while True:
        with training(weights, options, optimizer, backup) as process:
            for line in process.stdout:
                if count < len(at) and int(line) >= at[count]:
                    time.sleep(draw.uniform(0, 2 * epoch_seconds))
                    process.kill()
                    break
            else:
                process.wait()
                if process.returncode:
                    raise SystemExit(f"training ended with {process.returncode}")
                return count
        count += 1


def compare_killed(options):
    """Print what training that is killed ends with, beside training that is not."""
    print(f"{'optimizer':>10} {'epochs':>7} {'seconds':>8} {'kills':>6} {'difference':>11}")
    worst = 0.0
    for optimizer in options.optimizer:
        with tempfile.TemporaryDirectory() as folder:
            paths = [str(Path(folder, name)) for name in ("whole.npz", "pieces.npz", "backup")]
            seconds = left_alone(paths[0], options, optimizer)
            kills = killed(paths[1], options, optimizer, paths[2], seconds / options.epochs)
            with np.load(paths[0]) as whole, np.load(paths[1]) as pieces:
                apart = [np.abs(whole[name] - pieces[name]).max() for name in whole.files]
        worst = max(worst, *apart)
        row = f"{optimizer:>10} {options.epochs:>7} {seconds:>8.1f} {kills:>6} {max(apart):>11.1e}"
        print(row, flush=True)
    if not worst <= ROUNDING:
        raise SystemExit(f"The weights differ by {worst:.1e}.")


def main():
    """Print the memory and its slope, or what became of killed training."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--no-model", action="store_true", help="ConservedQuantityFinder alone")
    parser.add_argument("--kills", type=int, help="kill a training so many times instead")
    parser.add_argument("--epochs", type=int, default=300, help="of that training")
    parser.add_argument(
        "--optimizer", nargs="+", choices=["adam", "natural"], default=["adam", "natural"]
    )
    parser.add_argument("--seed", type=int, default=0, help="of the moments of killing")
    options = parser.parse_args()
    if options.kills is not None:
        compare_killed(options)
    else:
        many_calls(options)


def many_calls(options):
    """Print the memory after calls, and its slope."""
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
