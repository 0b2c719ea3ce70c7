"""Fits of many systems side by side: what was found, and how it moves on the clean runs."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial

import law_free
import numpy as np
import pandas as pd
from scipy import stats

from discovery import ConservedQuantityFinder, Trajectories, datasets, discover

NOISES = (0.0, 0.01, 0.05, 0.1)
# Clean runs obey their own laws to this share of the spread: the integrator's error.
CLEAN = 1e-9


@dataclass(frozen=True)
class Trial:
    """One fit: of which system, at what noise, with which seed."""

    system: str
    noise: float
    seed: int


@dataclass(frozen=True)
class Found:
    """One quantity: what it is, the bound printed on its motion, and its motion on clean runs."""

    verdict: str
    formula: str
    bound: float
    motion: float

    @property
    def holds(self) -> bool:
        """Whether it moves by no more than its bound, the integrator's error set aside."""
        return self.motion <= max(self.bound, CLEAN)


@dataclass(frozen=True)
class Outcome:
    """What one fit found; ``true`` is the number of laws there are."""

    trial: Trial
    true: int
    verdict: str
    confidence: float
    found: tuple[Found, ...]
    seconds: float  # of CPU

    def of(self, verdict: str) -> list[Found]:
        """Return the quantities with this verdict."""
        return [one for one in self.found if one.verdict == verdict]

    @property
    def exact(self) -> int:
        """Number of laws called exact."""
        return len(self.of("exact"))


def add_arguments(parser: argparse.ArgumentParser, seeds: int, runs: int, steps: int) -> None:
    """Add the options that all such benchmarks share, with these defaults."""
    parser.add_argument("--seeds", type=int, default=seeds)
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="first seed")
    parser.add_argument("--noise", nargs="+", type=float, default=NOISES, metavar="F")
    parser.add_argument("--systems", nargs="+", metavar="NAME", help="some of them")
    parser.add_argument("--no-model", action="store_true", help="ConservedQuantityFinder alone")
    parser.add_argument("--no-roles", action="store_true", help="tell no roles")
    parser.add_argument("--runs", type=int, default=runs)
    parser.add_argument("--steps", type=int, default=steps)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=np.inf, help="stop fitting after so long")


def run(
    trials: Iterable[Trial], options: argparse.Namespace, measure: Callable | None = None
) -> Iterator:
    """Yield outcomes in the order of the trials, from processes of one thread each.

    Until the time is up: those that are left are not fitted then. What is measured of each trial
    is an `Outcome`, where no function of a trial and the options tells otherwise.
    """
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"):
        os.environ.setdefault(name, "1")
    context = multiprocessing.get_context("spawn")
    end = time.monotonic() + 60 * options.minutes
    with ProcessPoolExecutor(options.processes, mp_context=context) as pool:
        for outcome in pool.map(partial(measure or _measure, options=options), trials):
            yield outcome
            if time.monotonic() > end:
                pool.shutdown(cancel_futures=True)
                return


def upper_limit(hits: int, tries: int, level: float = 0.95) -> float:
    """Return the upper limit of a rate (Clopper and Pearson 1934), one-sided."""
    return 1.0 if hits >= tries else float(stats.beta.ppf(level, hits + 1, tries - hits))


def lower_limit(hits: int, tries: int, level: float = 0.95) -> float:
    """Return the lower limit of a rate, one-sided."""
    return 1 - upper_limit(tries - hits, tries, level)


def _measure(trial: Trial, options: argparse.Namespace) -> Outcome:
    warnings.simplefilter("ignore")
    size = options.runs, options.steps
    runs, told = law_free.load(trial.system, trial.noise, trial.seed, *size)
    clean, _ = law_free.load(trial.system, 0.0, trial.seed, *size)
    formed = lru_cache(Trajectories.with_velocities)
    known = trial.system not in law_free.CONTROLS
    begin = time.process_time()
    report = find(runs, told, trial.seed, options)
    seconds = time.process_time() - begin
    return Outcome(
        trial=trial,
        true=datasets.info(trial.system).count if known else 0,
        verdict=str(report.verdict),
        confidence=report.confidence,
        found=tuple(
            Found(
                str(quantity.verdict),
                str(quantity.expression),
                float(quantity.drift_interval[1]),
                motion(quantity, clean if _has_all(clean, quantity) else formed(clean)),
            )
            for quantity in [*report.quantities, *report.identities]
        ),
        seconds=seconds,
    )


def _has_all(runs: Trajectories, quantity) -> bool:
    """Tell whether runs have the coordinates of a formula; else velocities were formed."""
    return {symbol.name for symbol in quantity.library.symbols} <= {*runs.names}


def motion(quantity, clean: Trajectories) -> float:
    """Return the rms motion of a quantity along clean runs, over its whole spread there."""
    with np.errstate(all="ignore"):
        values = [np.asarray(quantity(run), dtype=np.float64) for run in clean.states]
        along = np.average([run.var() for run in values], weights=[len(run) for run in values])
        moved = np.sqrt(along) / np.concatenate(values).std()
    return float(moved) if np.isfinite(moved) else np.inf


def find(runs: Trajectories, told: np.ndarray | None, seed: int, options: argparse.Namespace):
    """Run `discover`, or the finder alone."""
    roles = None if options.no_roles else runs.roles
    if not options.no_model:
        bare = Trajectories(
            runs.states,
            times=runs.row_times.reshape(runs.n_runs, -1),
            names=runs.names,
            roles=roles,
            grid_spacing=runs.grid_spacing,
        )
        return discover(bare, noise=told, random_state=seed, verbose=False)
    finder = ConservedQuantityFinder(
        roles=roles, noise=told, grid_spacing=runs.grid_spacing, random_state=seed
    )
    frame = pd.DataFrame(runs.rows, columns=runs.names)
    return finder.fit(frame, groups=runs.groups, times=runs.row_times).report_
