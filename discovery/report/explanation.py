"""Every number of a report in a sentence: what it is, what it says here, and what decided."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Mapping, Sequence

from discovery.laws.judging.evidence import RESAMPLES
from discovery.laws.judging.verdict import Check
from discovery.report.quantity import APPROXIMATION, Quantity, of_squares
from discovery.report.summary import Summary
from discovery.report.typesetting import spelled
from discovery.report.words import (
    WIDTH,
    confidence,
    flatness,
    interval,
    noise_levels,
    percent,
    resolution,
    standard_error,
)

_VERDICTS = {
    "exact": "exact, a law. On runs that took no part in finding it, it moves as noise does.",
    "approximate": "approximate, no law. It moves by more than noise does, by far less than its "
    "spread.",
    "decaying": "decaying, no law. It would be conserved without friction. Flatness and drift are "
    "those of its balance: of the quantity plus what was lost of it.",
    "identity": "identity, no law. All runs obey it alike, so it tells no run from another, and "
    "is not counted.",
    "along_run": "constant along the run, no law yet. It was judged on stretches of the runs that "
    "took no part in finding it, and may be an accident of these runs.",
    "undecided": "undecided. The data set as a whole carries no verdict, see the reason above.",
}
# What the numbers of a quantity are; said once.
_MEANINGS = {
    "flatness": ": the variance of its motion along runs over what noise explains. 1 is a law but "
    "for chance; what moves is far above",
    "drift": ": its systematic motion along a run, noise set aside, as a share of its spread, the "
    "standard deviation over all runs",
    "signal": ": its variance between runs over that within them. Above 1 it tells runs apart",
    "noise": ": what measuring adds to one value, as a share of the spread",
    "scale": " A law has no scale of its own: one coefficient is taken as known.",
    "checks": " Here the flatness is that along smoothed paths.",
}
_SILENT = dict.fromkeys(_MEANINGS, "")
_ANSWERS = {
    "laws": "Count: {count} independent law{s}. A function of other laws is not counted again."
    "{most}",
    "none": "Count: none. {reason}",
    "undecided": "Undecided: {reason}",
}


def as_explanation(summary: Summary) -> str:
    """Return the answer, each quantity with its evidence and checks, and how they were searched.

    Parameters
    ----------
    summary : Summary
    """
    parts = [[_filled(summary.title)], list(_answer(summary))]
    numbers = [f"{k}. " for k, _ in enumerate(summary.quantities, start=1)]
    numbers += ["Identity: "] * len(summary.identities)
    found = [*summary.quantities, *summary.identities]
    for number, quantity in zip(numbers, found, strict=True):
        meanings = _MEANINGS if quantity is found[0] else _SILENT
        parts.append(list(_quantity(quantity, number, meanings)))
    parts.append(list(_data(summary)))
    parts.append(list(_search(summary)))
    return "\n\n".join("\n".join(lines) for lines in parts)


def _answer(summary: Summary) -> Iterator[str]:
    reason = summary.reason[:1].upper() + summary.reason[1:]
    count, dim, most = summary.n_conserved, len(summary.noise), ""
    # Noise of fields is told by field: of these there is no bound.
    if set(summary.noise) <= set(summary.names):
        most = f" Motion in {dim} coordinates has at most {dim - 1}."
    words = _ANSWERS[summary.verdict]
    yield _filled(words.format(count=count, s="" if count == 1 else "s", most=most, reason=reason))
    if summary.verdict != "undecided":
        sure = confidence(summary.verdict, summary.confidence)
        laws = "the same laws" if summary.verdict == "laws" else "no laws"
        yield _filled(
            f"Confidence {sure}: the runs that judged were drawn anew {RESAMPLES} times, and this "
            f"share of the draws gives {laws}. Of formulas that were not tried it says nothing."
        )
    for words in summary.symmetries:
        yield _filled(f"Symmetries, {words}.")


def _quantity(quantity: Quantity, number: str, meanings: Mapping[str, str]) -> Iterator[str]:
    name = f"{quantity.name}: " if quantity.name else ""
    yield f"{number}{name}{quantity.formula}"
    yield _point(f"Verdict: {_VERDICTS[quantity.verdict]}")
    for sentence in (*_evidence(quantity, meanings), *_formula(quantity, meanings)):
        yield _point(sentence)
    yield from _checks(quantity.checks, meanings)


def _evidence(quantity: Quantity, meanings: Mapping[str, str]) -> Iterator[str]:
    between = interval(*quantity.flatness_interval)
    between = f", 95 % interval {between}" if between else ""
    yield f"Flatness {flatness(quantity.flatness)}{between}{meanings['flatness']}."
    if quantity.verdict == "along_run":
        yield (
            f"Variation: along a run it moves by at most {percent(quantity.variation)} of what its "
            "terms move."
        )
    elif quantity.verdict != "identity":
        yield (
            f"Drift {percent(quantity.drift)}{meanings['drift']}. More than "
            f"{percent(quantity.drift_interval[1])} is excluded; the spread is "
            f"{quantity.spread:.3g}."
        )
        yield f"Signal {quantity.signal:.3g}{meanings['signal']}."
        if math.isfinite(quantity.noise):
            yield f"Noise {percent(quantity.noise)}{meanings['noise']}."
    if quantity.decay is not None:
        yield (
            f"Decay: rate {quantity.rate:.3g} ± {quantity.rate_error:.1g} per unit of time; it "
            f"{quantity.trend}."
        )
    elif quantity.drift_rate is not None:
        yield f"Trend: {quantity.trend}."


def _formula(quantity: Quantity, meanings: Mapping[str, str]) -> Iterator[str]:
    if quantity.approximation_error is not None:
        yield (
            f"The law is {quantity.source}. The formula is its best description in few terms, and "
            f"leaves {percent(quantity.approximation_error)} of its variance unexplained."
        )
    else:
        errors = quantity.standard_errors
        terms = (
            f"{spelled(of_squares(term))}: {value:.6g}{_error(errors[term])}"
            for term, value in quantity.coefficients.items()
        )
        yield (
            f"Coefficients, rounded as far as their standard errors allow: {'; '.join(terms)}."
            f"{meanings['scale']}"
        )
        if not quantity.form_known:
            why = "other terms would do as well"
            if quantity.changes_outwards:
                why = "its numbers change from the runs amid the data to the outer ones, which "
                why += f"those of a law do with probability {quantity.outwards:.1g}"
            yield f"This is {APPROXIMATION}: {why}."
    if quantity.alternatives:
        forms = "; ".join(spelled(of_squares(form)) for form in quantity.alternatives)
        yield f"Other formulas fit as well, and this is the simplest. The others: {forms}."
    elif quantity.doubtful:
        yield "A formula with so many numbers, or so badly known ones, may imitate another law."
    if quantity.symmetry:
        yield f"Symmetry, by Noether's theorem: {quantity.symmetry}."


def _error(error: float) -> str:
    if math.isnan(error):
        return ""
    return f" ± {standard_error(error)}" if error else " (known)"


def _checks(checks: Sequence[Check], meanings: Mapping[str, str]) -> Iterator[str]:
    failed = [check.name for check in checks if not check.passed]
    if not checks:
        return
    words = f"it is not exact, since these checks are not passed: {'; '.join(failed)}."
    if not failed:
        nearest = max(checks, key=_nearness)
        words = f"all checks are passed. Nearest to its limit: {nearest.name}."
    yield _point(f"What decided: {words}{meanings['checks']}")
    for check in checks:
        yield textwrap.indent(_point(str(check)), "  ")


def _nearness(check: Check) -> float:
    """Return how near to its limit a statistic is: 1 on it, 0 far away."""
    size, limit = abs(check.statistic), abs(check.limit)
    ratio = size / limit if check.bound == "at most" else limit / max(size, 1e-300)
    return ratio if math.isfinite(limit) and limit else 0.0


def _data(summary: Summary) -> Iterator[str]:
    words = resolution(summary.verdict, summary.resolution)
    yield _filled(f"Resolution: {words}. What moves less is not told from what is conserved.")
    yield _filled(
        "Noise, the standard deviation of what measuring adds, as the data show it: "
        f"{noise_levels(summary.noise)}."
    )


def _search(summary: Summary) -> Iterator[str]:
    yield "Searched, from simple to rich; flatness of the flattest independent combinations:"
    for stage in summary.searched or ["nothing"]:
        name = stage.rpartition(" (")[0] or stage
        lowest = [flatness(float(value)) for value in summary.spectrum.get(name, ())[:4]]
        told = f": {', '.join(lowest)}" if lowest else ""
        yield _point(f"{stage}{told}")


def _point(text: str) -> str:
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent="   ",
        subsequent_indent="     ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _filled(text: str) -> str:
    return textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)
