"""Runs unlike the others: in a few of many something moves that is constant in the rest.

Somebody touched the pendulum, a clamp came loose: the law holds, but not in these runs. With P_k
the power of mode k of a formula along one run (see `judging.drift`), and no motion in it,

    F = mean of P_k over the lowest modes / mean of P_k over the upper half

is a ratio of mean squares of the run's own noise, and has the distribution F(k, n). Each run is
compared with it; the smallest of many probabilities counts as often as there are runs and formulas.
Only what does not move in the others tells: a formula that is no law moves in all. And what is
wrong with a run shows in all laws of some coordinate: where others of the same coordinates hold,
the one that does not is no law.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import sympy
from scipy import stats

from discovery.criteria import LAWS, LawCriteria
from discovery.estimation.orbits import Orbits
from discovery.laws.judging.drift import DriftTest, even_weights, modes, values_of
from discovery.laws.judging.law import Law

# Share of the modes that are slow, and how many there are at least; how many fast ones.
_SLOW, _FEWEST_SLOW, _FEWEST_FAST = 1 / 32, 3, 8


def unlike_runs(
    laws: Sequence[Law],
    orbits: Orbits,
    criteria: LawCriteria = LAWS,
    exact: Sequence[Law] = (),
) -> np.ndarray:
    """Return which runs move in what does not move in the others, (k,) of int; often none.

    Parameters
    ----------
    laws : sequence of Law
        The first that tells decides.
    orbits : Orbits
        All runs.
    criteria : LawCriteria
    exact : sequence of Law
        What else is a law in all runs.
    """
    none = np.empty(0, dtype=int)
    for law, unlike in _few(laws, orbits, criteria):
        others = [other for other in exact if other is not law]
        if not _wrong(law, others, orbits, criteria)[unlike].all():
            continue
        alike = np.setdiff1d(np.arange(orbits.n_runs), unlike)
        h, _ = values_of(law.library, law.coefficients, *_path(orbits))
        means = np.add.reduceat(h, orbits.offsets[:-1]) / np.diff(orbits.offsets)
        # Of one run among few no rank is rarer.
        rare = max(criteria.unlike_larger, 2 / orbits.n_runs)
        if stats.mannwhitneyu(means[unlike], means[alike]).pvalue <= rare:
            continue
        rest = orbits.take(alike)
        motion = DriftTest(law.library, law.coefficients, rest, criteria).motion(law.coefficients)
        if not motion.without_noise and motion.chance(criteria) >= criteria.detected_motion:
            return unlike
    return none


def refuted_by_few(
    laws: Sequence[Law], orbits: Orbits, criteria: LawCriteria = LAWS
) -> list[tuple[Law, np.ndarray, float]]:
    """Return laws that move in a few runs with which nothing is wrong: others hold in them.

    With each the runs, (k,) of int, and how probably its noise would move it as much in one of
    them, at most.

    Parameters
    ----------
    laws : sequence of Law
        All that hold as far as all runs together tell.
    orbits : Orbits
        All runs.
    criteria : LawCriteria
    """
    refuted = []
    for law, unlike in _few(laws, orbits, criteria):
        others = [other for other in laws if other is not law]
        if not _wrong(law, others, orbits, criteria)[unlike].all():
            chance = chances(law, orbits)[unlike].max() * len(laws) * orbits.n_runs
            refuted.append((law, unlike, float(chance)))
    return refuted


def _few(
    laws: Sequence[Law], orbits: Orbits, criteria: LawCriteria
) -> Iterator[tuple[Law, np.ndarray]]:
    """Yield laws that move in a few of the runs, and these (k,)."""
    if not orbits.on_a_path or orbits.of_run is not None:
        return
    some = [law for law in laws if orbits.clear(law.library.positive).all()]
    for law in some:
        chance = chances(law, orbits) * len(some) * orbits.n_runs
        unlike = np.flatnonzero(chance < criteria.unlike)
        if 0 < len(unlike) <= criteria.unlike_share * orbits.n_runs:
            yield law, unlike


def _wrong(law: Law, others: Sequence[Law], orbits: Orbits, criteria: LawCriteria) -> np.ndarray:
    """Tell in which runs all other laws of one of a law's coordinates move, (runs,) of bool."""
    move = [chances(other, orbits) * orbits.n_runs < criteria.unlike for other in others]
    used = [_used(other) for other in others]
    every = np.ones(orbits.n_runs, dtype=bool)
    of_each = [
        np.all([every, *(m for m, own in zip(move, used, strict=True) if symbol in own)], axis=0)
        for symbol in _used(law)
    ]
    return np.any(of_each, axis=0)


def _used(law: Law) -> set[sympy.Symbol]:
    written = zip(law.library.expressions(), law.coefficients, strict=True)
    return set().union(*(term.free_symbols for term, c in written if c))


def _path(orbits: Orbits) -> tuple[np.ndarray, np.ndarray]:
    return orbits.smoothed.states, orbits.smoothed.errors


def chances(law: Law, orbits: Orbits) -> np.ndarray:
    """Return how probably its own noise would move a formula as much in each run, (runs,).

    Parameters
    ----------
    law : Law
    orbits : Orbits
    """
    terms, smooth, measured = law.library, orbits.smoothed, orbits.measured
    values, _ = values_of(terms, law.coefficients, measured.states, measured.errors)
    _, noise = values_of(terms, law.coefficients, smooth.states, smooth.errors)
    power = modes(values, even_weights(noise, orbits.offsets), orbits.offsets) ** 2
    out = np.ones(orbits.n_runs)
    for r, (a, b) in enumerate(zip(orbits.offsets[:-1], orbits.offsets[1:], strict=True)):
        slow = max(_FEWEST_SLOW, round(_SLOW * (b - a)))
        low, top = power[a + 1 : a + 1 + slow], power[a + (b - a) // 2 + 1 : b]
        if len(top) >= _FEWEST_FAST and top.any():
            out[r] = stats.f.sf(low.mean() / top.mean(), slow, len(top))
    return out
