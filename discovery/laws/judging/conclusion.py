"""The conclusion for a data set: laws, none, or undecided, each with its reason."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from discovery.criteria import LAWS, LawCriteria
from discovery.estimation.orbits import Orbits
from discovery.laws.judging.law import Findings, Law, StageRecord
from discovery.laws.judging.verdict import Verdict

_NO_PATH = (
    "neighbouring samples lie on no path, and no sample follows from the one before (unordered "
    "samples, unequal steps of time, or columns that do not hold the whole state), so that noise "
    "cannot be told from motion; pass noise=, with ordered=False for unordered samples, or measure "
    "more densely."
)

_ONE_MOTION = (
    "all runs repeat one motion within the noise, and what is constant along one motion may be an "
    "accident of its start; measure runs from different initial states."
)

_NOISE_LASTS = (
    "the noise is correlated over many samples and looks like motion, or the motion itself is "
    "random; measure without filters, or take samples so far apart that they err independently."
)

# Libraries that are named before the others are counted.
_NAMED = 3
# Letters, and free numbers, of a formula that is named in a sentence.
_SHORT, _SIMPLE = 160, 5
# A share of the draws that needs no words.
_LIKELY = 0.5
# A jump is so many times as long as this share of a path's steps at most, and as those beside it.
# One in a million steps of noise alone is.
_JUMP, _MOST = 5, 0.75
# Columns of which none can be spared, nor are they of two bodies.
_FEW = 3


@dataclass(frozen=True)
class Conclusion:
    """Verdict for the data set.

    Attributes
    ----------
    verdict : str
        ``"laws"``, ``"none"`` or ``"undecided"``.
    reason : str
        One sentence; for ``"undecided"`` it says what to measure next.
    """

    verdict: str
    reason: str


def conclude(
    findings: Findings,
    orbits: Orbits,
    roles: Sequence[str | None] | None = None,
    criteria: LawCriteria = LAWS,
) -> Conclusion:
    """Weigh what was found against what the runs could have shown.

    Parameters
    ----------
    findings : Findings
    orbits : Orbits
        All runs.
    roles : sequence of length d, optional
        Of the coordinates: noise of an angle counts by the radian.
    criteria : LawCriteria
    """
    if orbits.n_runs < criteria.min_runs:
        return Conclusion("undecided", _of_few_runs(findings, orbits, criteria))
    share, turning, resting = _motion(orbits, criteria.rest)
    noise = _relative_noise(orbits, roles)
    if not orbits.on_a_path and not orbits.noise_known:
        return Conclusion("undecided", _NO_PATH)
    if not orbits.on_a_path and noise > criteria.relative_noise:
        return _too_noisy(noise)
    if _is_one_motion(orbits, criteria):
        return Conclusion("undecided", _ONE_MOTION)
    # Runs that come to rest are complete, however small their motion.
    open_arcs = turning < criteria.turning_runs
    short = share < criteria.short_arc or (open_arcs and share < criteria.short_open_arc)
    if short and resting < criteria.resting_runs:
        return Conclusion(
            "undecided",
            f"the runs are short arcs (motion along them is {share:.0%} of the variance between "
            "all samples), and on short arcs every flow has local laws; measure longer runs.",
        )
    exact = [law for law in findings.laws if law.verdict == Verdict.EXACT]
    if exact:
        said = [f"{len(exact)} independent conserved quantit{'ies' if len(exact) > 1 else 'y'}"]
        if findings.unresolved is not None:
            said.append(_not_excluded(findings.unresolved, "a further function"))
        return Conclusion("laws", "; ".join([*said, *_of_count(exact, findings.rejected)]) + ".")
    if noise > criteria.relative_noise:
        return _too_noisy(noise)
    if orbits.noise_lasts:
        return Conclusion("undecided", _NOISE_LASTS)
    if findings.unresolved is not None and not findings.laws:
        what = _not_excluded(findings.unresolved, "a function of the libraries")
        return Conclusion("undecided", f"{what}; measure more runs, or more precisely.")
    lost = sum(law.decay is not None for law in findings.laws)
    what = f"; {lost} of them decay{'s' if lost == 1 else ''}" if lost else ""
    left = _left(findings.stages, len(orbits.scale), roles)
    # What decays, nearly stays or ties columns to each other is told, which undecided data do not.
    # A library that was begun gave its best candidates.
    nothing = not findings.laws and not findings.identities
    unseen = any(stage.unfinished and stage.skipped for stage in findings.stages)
    return Conclusion(
        "undecided" if unseen and nothing else "none",
        f"no function {'that was tried' if left else 'of the libraries'} stays on an orbit as "
        f"noise alone would let it{what}{left}.",
    )


def _of_count(exact: Sequence[Law], rejected: np.ndarray) -> list[str]:
    """Return why laws that pass are no sure count: where most draws of the runs say otherwise."""
    held = np.mean(np.all([law.exact_in for law in exact], axis=0))
    alone = np.mean(rejected)
    these = "the law" if len(exact) == 1 else "the laws"
    if min(held, alone) >= _LIKELY:
        return []
    said = f"the confidence is in the count: when the runs that judged are drawn anew, {these} "
    said += f"{'passes' if len(exact) == 1 else 'pass'} in {held:.0%} of the draws"
    if alone < _LIKELY:
        said += f", and in {1 - alone:.0%} a formula that is not counted passes beside {these}"
        said += ": there may be one law more"
    return [said]


def _not_excluded(law: Law, what: str) -> str:
    drift = law.evidence.drift_excluded
    simple = not law.library.learned and law.free_numbers <= _SIMPLE
    formula = str(law.expression) if simple else ""
    named = f", {formula}," if 0 < len(formula) <= _SHORT else ""
    return (
        f"{what}{named} shows no motion but the noise's, and a drift of {drift:.0%} of its spread "
        "is not excluded"
    )


def _left(stages: Sequence[StageRecord], columns: int, roles: Sequence[str | None] | None) -> str:
    """Return which libraries were not searched, or not to the end, and what would help."""
    skipped = _listed([s.library for s in stages if s.unfinished and s.skipped])
    begun = _listed([s.library for s in stages if s.unfinished and not s.skipped])
    parts = [f"not searched: {skipped}"] if skipped else []
    parts += [f"not searched to the end: {begun}"] if begun else []
    if parts:
        many = columns > _FEW
        help_ = ["fewer columns"] * many + ["roles"] * (not any(roles or ())) + ["bodies="] * many
        listed = " or ".join(filter(None, [", ".join(help_), "a library= of fewer functions"]))
        parts.append(f"a law may be in them: give {listed}")
    return "".join(f"; {part}" for part in parts)


def _listed(names: Sequence[str]) -> str:
    """Return the first names, each once, and how many more there are."""
    once = list(dict.fromkeys(names))
    more = [f"{len(once) - _NAMED} more"] if len(once) > _NAMED else []
    return ", ".join([*once[:_NAMED], *more])


def _of_few_runs(findings: Findings, orbits: Orbits, criteria: LawCriteria) -> str:
    """Return what few runs tell: what is constant along them, and that this is no law yet."""
    n = orbits.n_runs
    many = "one run cannot tell a law from an accident of its start"
    if n > 1:
        many = f"{n} runs are too few to tell a law from chance"
    more = criteria.min_runs - n
    runs = f"{more} more run{'s' if more > 1 else ''} from other initial states"
    parts = [many, *_along(findings, orbits, criteria)]
    jumps = _jumps(orbits)
    if jumps:
        times = "once" if jumps == 1 else f"{jumps} times"
        where = "the path jumps" if n == 1 else "paths jump"
        parts.append(
            f"{where} {times}, as where one run ends and another begins: if so, tell which run "
            "each row is of (groups=, --run)"
        )
    return "; ".join([*parts, f"measure at least {runs}."])


def _jumps(orbits: Orbits) -> int:
    """Return how many steps are far longer than most of their path, and than those beside them."""
    states, count = orbits.measured.states / orbits.scale, 0
    for a, b in itertools.pairwise(orbits.offsets):
        steps = np.linalg.norm(np.diff(states[a:b], axis=0), axis=1)
        if len(steps) > 2:
            usual = np.quantile(steps, _MOST)
            others = np.maximum(usual, np.maximum(steps[:-2], steps[2:]))
            count += int(np.sum(steps[1:-1] > _JUMP * others))
    return count


def _along(findings: Findings, orbits: Orbits, criteria: LawCriteria) -> list[str]:
    """Return what is constant along few runs, by which windows, and what speaks against it."""
    run, their = ("the run", "its") if orbits.n_runs == 1 else ("each run", "their")
    if not orbits.on_a_path and not orbits.noise_known:
        return [_NO_PATH.removesuffix(".")]
    if not findings.n_judges:
        return ["the samples are too few to part them into windows"]
    decays = [law for law in findings.laws if law.decay]
    count = len(findings.laws) - len(decays)
    if not findings.laws:
        return [f"no function that was tried is constant along {run}"]
    judges = (
        f"found on {their} first samples and judged on {their} last {findings.n_judges} windows"
    )
    if decays:
        return [f"an energy decays along {run}, {judges}"]
    what = "1 function is" if count == 1 else f"{count} functions are"
    parts = [f"{what} constant along {run}, {judges}"]
    if not _motion(orbits, criteria.rest)[1]:
        parts.append(f"{run} never turns back, and on an open arc this is easy to come by")
    if findings.one_curve:
        parts.append("others are too, as along any curve: only the simplest is named")
    return parts


def _too_noisy(noise: float) -> Conclusion:
    return Conclusion(
        "undecided",
        f"noise is {noise:.0%} of a coordinate's spread (of a radian, for an angle) and hides what "
        "might be conserved; measure more precisely or more densely.",
    )


def _motion(orbits: Orbits, rest: float) -> tuple[float, float, float]:
    """Return motion's share of variance, and the shares of runs that turn round or come to rest.

    A run has come to rest where it moves less than `rest` of its whole way in the last tenth.
    """
    states, offsets = orbits.smoothed.states / orbits.scale, orbits.offsets
    lengths = np.diff(offsets)
    means = np.add.reduceat(states, offsets[:-1]) / lengths[:, None]
    within = ((states - np.repeat(means, lengths, axis=0)) ** 2).mean(axis=0)
    share = float(np.max(within / states.var(axis=0)))
    turned, rested = [], []
    for a, b in itertools.pairwise(offsets):
        # Direction over a few samples, so that noise does not turn a run round.
        stride = max(1, (b - a) // 20)
        move = np.diff(states[a:b:stride], axis=0)
        turned.append(len(move) > 0 and np.any(move @ move[0] < 0))
        tenth = max(1, (b - a) // 10)
        last, before = states[b - tenth : b].mean(axis=0), states[b - 2 * tenth : b - tenth]
        still = np.linalg.norm(last - before.mean(axis=0)) if len(before) else np.inf
        rested.append(still < rest * np.linalg.norm(last - states[a]))
    return share, float(np.mean(turned)), float(np.mean(rested))


def _is_one_motion(orbits: Orbits, criteria: LawCriteria) -> bool:
    """Tell whether runs differ at each time by no more than noise explains, in every coordinate."""
    lengths = np.diff(orbits.offsets)
    if len(lengths) < 2 or np.ptp(lengths) or not orbits.on_a_path:
        return False
    states = orbits.smoothed.states.reshape(len(lengths), lengths[0], -1)
    noise = orbits.smoothed.variances.mean(axis=0)
    apart = states.var(axis=0, ddof=1).mean(axis=0)
    return bool(np.all(apart <= criteria.flatness_ceiling * noise))


def _relative_noise(orbits: Orbits, roles: Sequence[str | None] | None) -> float:
    """Return the largest noise over its coordinate's spread, which for an angle is a radian."""
    spread = orbits.scale.copy()
    for i, role in enumerate(roles or ()):
        if role == "angle":
            spread[i] = min(spread[i], 1.0)
    return float(np.max(orbits.mean_noise / spread))
