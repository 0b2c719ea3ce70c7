"""What flaws of an instrument do to verdicts, and how runs unlike the others are told.

    python benchmarks/flawed_measurements.py                       # one flaw at a time
    python benchmarks/flawed_measurements.py --flaws gain offset --seeds 5
    python benchmarks/flawed_measurements.py --unlike              # one run that is not the others'

Random systems are drawn anew for every seed (`datasets.random`). With a flaw: counts that are
right, too few (fewer laws, `undecided` and `none` apart) and too many, laws and how many of their
bounds hold on the clean runs, and CPU seconds a fit. With ``--unlike``: how often the bad run is
named and no other, and how often good ones are.
"""

from __future__ import annotations

import argparse
import itertools
import time
import warnings
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
from scipy.interpolate import CubicSpline
from trials import CLEAN, motion
from unseen_systems import print_header, print_row

from discovery import ConservedQuantityFinder, Trajectories, datasets
from discovery.estimation.preparation import prepare
from discovery.laws.judging.unlike import unlike_runs

KINDS = (
    *("one_dof", "central", "predators", "quadratic", "coupled_masses"),
    *("pendulum", "kepler", "rigid_body", "dissipative"),
)
Runs = list[np.ndarray]
Flaw = Callable[[np.random.Generator, np.ndarray, np.ndarray, float], tuple[Runs, Runs]]
FLAWS: dict[str, Flaw] = {}


def _white(rng: np.random.Generator, states: np.ndarray, noise: float) -> np.ndarray:
    return noise * states.std(axis=(0, 1)) * rng.standard_normal(states.shape)


def _of(change: Callable[..., np.ndarray]) -> Flaw:
    """Return a flaw that changes no times, and number of samples."""

    def flaw(rng, states, times, noise):
        return list(change(rng, states, noise)), [times] * len(states)

    return flaw


def _memory(rng: np.random.Generator, shape: tuple[int, ...], share: float) -> np.ndarray:
    """Return autoregressive noise of variance one."""
    pushes = rng.standard_normal(shape)
    out = pushes.copy()
    for t in range(1, shape[1]):
        out[:, t] = share * out[:, t - 1] + np.sqrt(1 - share**2) * pushes[:, t]
    return out


def _one(states: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return values (n, steps, 1) for the first column, and 0 for all others."""
    return np.concatenate([values, np.zeros((*states.shape[:2], states.shape[2] - 1))], axis=2)


def _each(rng: np.random.Generator, states: np.ndarray, size: float) -> np.ndarray:
    """Return one number for each run, as a column of all samples."""
    drawn = size * rng.standard_normal((len(states), 1, 1))
    return np.repeat(drawn, states.shape[1], axis=1)


def _plain(rng, states, noise):
    return states + _white(rng, states, noise)


def _of_own_spread(rng, states, noise):
    return states + noise * states.std(axis=1, keepdims=True) * rng.standard_normal(states.shape)


def _by_run(rng, states, noise):
    factor = 3.0 ** rng.uniform(-1, 1, (len(states), 1, 1))
    return states + factor * _white(rng, states, noise)


def _of_value(rng, states, noise):
    return states * (1 + 2 * noise * rng.standard_normal(states.shape))


def _student(rng, states, noise):
    size = noise * states.std(axis=(0, 1)) / np.sqrt(3.0)
    return states + size * rng.standard_t(3, states.shape)


def _bits(rng, states, noise):
    low, high = states.min(axis=(0, 1)), states.max(axis=(0, 1))
    step = (high - low) / 255
    noisy = states + 0.2 * step * rng.standard_normal(states.shape)
    return low + step * np.round((noisy - low) / step)


def _clipped(rng, states, noise):
    out = states + _white(rng, states, noise)
    out[..., 0] = np.minimum(out[..., 0], np.quantile(states[..., 0], 0.95))
    return out


def _stale(rng, states, noise):
    out = states + _white(rng, states, noise)
    out[:, 1::2, 0] = out[:, : states.shape[1] // 2 * 2 : 2, 0]
    return out


def _remembered(rng, states, noise):
    return states + noise * states.std(axis=(0, 1)) * _memory(rng, states.shape, 0.7)


def _remembered_once(rng, states, noise):
    own = _memory(rng, (*states.shape[:2], 1), 0.7) - rng.standard_normal((*states.shape[:2], 1))
    return states + _white(rng, states, noise) + noise * states[..., 0].std() * _one(states, own)


def _offset(rng, states, noise):
    off = _each(rng, states, 0.05) * states[..., 0].std()
    return states + _white(rng, states, noise) + _one(states, off)


def _gain(rng, states, noise):
    gain = _each(rng, states, 0.05) * states[..., :1]
    return states + _white(rng, states, noise) + _one(states, gain)


FLAWS |= {
    "none": _of(_plain),
    "of the run's spread": _of(_of_own_spread),
    "by run": _of(_by_run),
    "of the value": _of(_of_value),
    "Student": _of(_student),
    "8 bits": _of(_bits),
    "clipped": _of(_clipped),
    "stale": _of(_stale),
    "memory": _of(_remembered),
    "memory in one column": _of(_remembered_once),
    "offset": _of(_offset),
    "gain": _of(_gain),
}


def _dropped(rng, states, times, noise):
    noisy = states + _white(rng, states, noise)
    kept = [np.sort(rng.choice(len(times), int(0.8 * len(times)), False)) for _ in noisy]
    return [run[some] for run, some in zip(noisy, kept, strict=True)], [times[k] for k in kept]


def _jitter(rng, states, times, noise):
    step, path = times[1] - times[0], CubicSpline(times, states, axis=1)
    late = [times + 0.05 * step * rng.standard_normal(len(times)) for _ in states]
    seen = np.array([path(at)[r] for r, at in enumerate(late)])
    return list(seen + _white(rng, states, noise)), [times] * len(states)


def _trigger(rng, states, times, noise):
    noisy = states + _white(rng, states, noise)
    delay = rng.uniform(0, 1, len(states)) * (times[1] - times[0])
    return list(noisy), [times + one for one in delay]


def _late_column(rng, states, times, noise):
    step, path = times[1] - times[0], CubicSpline(times, states[..., 0], axis=1)
    delays = rng.uniform(0, 0.5, len(states)) * step
    out = states.copy()
    out[..., 0] = [path(times - delay)[r] for r, delay in enumerate(delays)]
    return list(out + _white(rng, states, noise)), [times] * len(states)


FLAWS |= {
    "dropped": _dropped,
    "jitter": _jitter,
    "trigger": _trigger,
    "late column": _late_column,
}

# What makes one run unlike the others.
BAD: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "parameter 1 %": lambda run: _scaled(run, 1.01),
    "parameter 3 %": lambda run: _scaled(run, 1.03),
    "parameter 10 %": lambda run: _scaled(run, 1.1),
    "another mass, 1.5": lambda run: _scaled(run, 1.5),
    "offset 10 %": lambda run: run + 0.1 * run.std(axis=0) * (np.arange(run.shape[1]) == 0),
    "two columns swapped": lambda run: run[:, [1, 0, *range(2, run.shape[1])]],
}


def _scaled(run: np.ndarray, factor: float) -> np.ndarray:
    """Return a run of the same system with one unit changed, as other parameters would."""
    return run * np.where(np.arange(run.shape[1]) == run.shape[1] - 1, factor, 1.0)


def fitted(clean: Trajectories, states: Runs, times: Runs, seed: int):
    """Return the report on these states, and CPU seconds."""
    runs = Trajectories(states, times=times, names=clean.names, roles=clean.roles)
    begin = time.process_time()
    report = ConservedQuantityFinder(random_state=seed).fit(runs).report_
    return report, time.process_time() - begin


def flaws(options: argparse.Namespace) -> None:
    """Print a row for each flaw."""
    print(
        "| flaw | systems | right | fewer | undecided | none | too many | laws | bounds | CPU s |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name in options.flaws or FLAWS:
        told = dict.fromkeys(("right", "fewer", "undecided", "none", "many", "laws", "hold"), 0)
        seconds = 0.0
        seeds = range(options.first, options.first + options.seeds)
        trials = list(itertools.product(options.kinds or KINDS, seeds))
        for kind, seed in trials:
            label = f"{kind}/{seed}" if kind in datasets.random_kinds() else kind
            clean = datasets.load(label, options.runs, options.steps, 0.0, seed)
            rng = np.random.default_rng((seed, 17))
            states = np.array(clean.states)
            seen, times = FLAWS[name](rng, states, clean.times[0], options.noise)
            report, cpu = fitted(clean, seen, times, seed)
            true, seconds = datasets.info(label).count, seconds + cpu
            exact = [q for q in report.quantities if q.verdict == "exact"]
            fewer = "fewer" if exact else str(report.verdict)
            found = "right" if len(exact) == true else "many" if len(exact) > true else fewer
            held = [motion(q, clean) <= max(q.drift_interval[1], CLEAN) for q in exact]
            told[found] += 1
            told["laws"] += len(held)
            told["hold"] += sum(held)
            if options.wrong and (found != "right" or not all(held)):
                said = "; ".join(report.title.split("; ")[1:])
                print(
                    f"  {name}, {label}: {len(exact)} of {true}, {report.verdict} "
                    f"{report.confidence:.2f}, held {held}, {cpu:.0f} s, {said}",
                    flush=True,
                )
        print_row(name, len(trials), *told.values(), f"{seconds / len(trials):.1f}")


def unlike(options: argparse.Namespace) -> None:
    """Print how often good and bad runs are named, beside the laws of clean runs."""
    print_header("bad run", "noise", "runs", "draws", "it alone named", "good ones named")
    kinds = options.kinds or [k for k in datasets.random_kinds() if k not in FIELDS]
    draws = itertools.product(kinds, range(options.first, options.first + options.seeds))
    systems = [_lawful(kind, seed, options) for kind, seed in draws]
    systems = [system for system in systems if system is not None]
    for name, noise, n in itertools.product(["none", *BAD], options.levels, options.sizes):
        rng = np.random.default_rng(options.first)
        alone = wrong = tries = 0
        for (clean, laws), _ in itertools.product(systems, range(options.repeats)):
            states = np.array(clean.states)[rng.permutation(clean.n_runs)[:n]]
            bad = {int(rng.integers(n))} if name != "none" else set()
            for r in bad:
                states[r] = BAD[name](states[r])
            noisy = list(states + _white(rng, states, noise))
            runs = Trajectories(noisy, clean.times[0], clean.names, clean.roles)
            named = set(unlike_runs(laws, prepare(runs)).tolist())
            tries += 1
            alone += bool(named) and named == bad
            wrong += bool(named - bad)
        found = alone if name != "none" else "—"
        print_row(name, f"{100 * noise:g} %", n, tries, found, wrong)


def _lawful(
    kind: str, seed: int, options: argparse.Namespace
) -> tuple[Trajectories, list[SimpleNamespace]] | None:
    """Return clean runs of a random system and its laws, None where none is found."""
    clean = datasets.load(f"{kind}/{seed}", max(options.sizes), options.steps, 0.0, seed)
    report, _ = fitted(clean, clean.states, list(clean.times), seed)
    exact = [q for q in report.quantities if q.verdict == "exact"]
    laws = [SimpleNamespace(library=q.library, coefficients=q._coefficients) for q in exact]
    return (clean, laws) if laws else None


FIELDS = ("wave", "korteweg", "exchange")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kinds", nargs="+")
    parser.add_argument("--flaws", nargs="+", choices=list(FLAWS))
    parser.add_argument("--unlike", action="store_true")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--first", type=int, default=500, metavar="SEED")
    parser.add_argument("--repeats", type=int, default=5, help="draws of noise, of --unlike")
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--steps", type=int, default=80)
    parser.add_argument("--noise", type=float, default=0.01)
    parser.add_argument("--levels", nargs="+", type=float, default=(0.0, 0.01, 0.05))
    parser.add_argument("--sizes", nargs="+", type=int, default=(10, 40))
    parser.add_argument("--wrong", action="store_true", help="print what is not right")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    (unlike if options.unlike else flaws)(options)


if __name__ == "__main__":
    main()
