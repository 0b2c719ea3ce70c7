"""The report as text for a terminal: what was found, how sure it is, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from discovery.report.errors import error_words
from discovery.report.mirror_images import by_cause
from discovery.report.quantity import Quantity
from discovery.report.summary import Summary
from discovery.report.words import (
    FLATTEST,
    WIDTH,
    confidence,
    filled,
    noise_levels,
    resolution,
    searched,
)

# What the words of the quantities shown mean; the first two that are needed are printed.
_LEGEND = {
    "exact": "conserved within noise: on runs not used to find it, only noise moves it along a "
    "run.",
    "rounding": "conserved within rounding: on runs not used to find it, it moves as little as the "
    "data can tell.",
    "decaying": "decays: conserved but for what is lost. loss time: 1/rate. quality factor: "
    "frequency/rate.",
    "approximate": "nearly conserved: no law; it moves by more than noise does, by far less than "
    "its spread.",
    "along_run": "constant along the run: no law yet; other runs may show that it was an accident "
    "of this one.",
    "undecided": "These formulas are candidates: the runs do not tell whether they are laws.",
    "numbers": "drift: motion beyond noise, in % of the spread; ±: standard error; a law has no "
    "scale of its own.",
    "nothing": "none: no formula that was tried keeps its value along a run but for noise; others "
    "may.",
}
_NEXT = {
    "laws": (
        "report.explain() (--explain) tells what decided; report.to_html() (--html) draws it; "
        "each of report.quantities is a function of states"
    ),
    "none": (
        "report.explain() (--explain) tells what was tried; library=[...] (--library) tries other "
        "formulas; more or more precise runs show smaller drifts"
    ),
    "undecided": "report.explain() (--explain) tells what this rests on",
}
# How a clause of a reason begins that says what to do.
_ADVICE = ("measure ", "pass ")


def as_text(summary: Summary) -> str:
    """Return the title, the count, a paragraph for each quantity, a legend, and what to do next."""
    reason, advice = _parted(summary.reason)
    parts = [filled(summary.title), _answer(summary, reason)]
    parts += ["\n".join(_laws(summary.quantities))] if summary.quantities else []
    if summary.identities:
        parts.append("\n".join(["obeyed by all runs alike, not counted:", *_alike(summary)]))
    if summary.symmetries:
        parts.append(filled("symmetries: " + "; ".join(summary.symmetries), indent=2))
    parts.append("\n".join(_how(summary)))
    steps = "; ".join([*advice, _NEXT[summary.verdict]])
    legend = _legend(summary)
    parts.append("\n".join([*legend, filled(f"next: {steps}.", indent=6)]))
    return "\n\n".join(parts)


def _alike(summary: Summary) -> Iterator[str]:
    for identity, remark in by_cause(summary.identities):
        yield f"  {identity.formula} = {identity.constant}{';' if remark else ''}"
        if remark:
            yield f"    {filled(remark, indent=4)}"


def _parted(reason: str) -> tuple[str, list[str]]:
    """Return a reason without its last clause, and that one, where it says what to do."""
    why, _, last = reason.removesuffix(".").rpartition("; ")
    return (why, [last]) if last.startswith(_ADVICE) and why else (reason.removesuffix("."), [])


def _answer(summary: Summary, reason: str) -> str:
    if summary.verdict == "undecided":
        return filled(f"undecided: {reason}", indent=2)
    count = summary.n_conserved or "none"
    sure = confidence(summary.verdict, summary.confidence)
    beside = reason.partition("; ")[2] if summary.n_conserved else reason
    why = f"\n  {filled(beside, indent=2)}" if beside else ""
    return f"conserved quantities: {count} (confidence {sure}){why}"


def _laws(quantities: Sequence[Quantity]) -> Iterator[str]:
    digits = len(str(len(quantities)))
    for number, quantity in enumerate(quantities, start=1):
        indent = 4 + digits
        name = f"{quantity.name}: " if quantity.name else ""
        first = f"  {number:>{digits}}  {name}"
        if len(first) + len(quantity.formula) <= WIDTH or not name:
            yield first + quantity.formula
        else:
            yield first.rstrip()
            yield f"{'':{indent}}{quantity.formula}"
        if remarks := "; ".join(_remarks(quantity)):
            yield f"{'':{indent}}{filled(remarks, indent=indent)}"


def _remarks(quantity: Quantity) -> Iterator[str]:
    if quantity.verdict == "undecided":
        return  # as the whole report is
    yield quantity.statement
    if quantity.drift_rate is not None or quantity.decay is not None:
        yield quantity.trend
    if errors := error_words(quantity):
        yield errors
    if quantity.symmetry:
        yield f"symmetry: {quantity.symmetry}"
    if quantity.forms:
        yield quantity.forms


def _how(summary: Summary) -> Iterator[str]:
    yield filled(f"resolution: {resolution(summary.verdict, summary.resolution)}", indent=2)
    yield filled(f"noise (standard deviation): {noise_levels(summary.noise)}", indent=2)
    yield filled(f"searched: {searched(summary.searched)}", indent=2)


def _legend(summary: Summary) -> list[str]:
    """Return what the words of its quantities mean, in at most two lines."""
    needed = {str(q.verdict) for q in summary.quantities}
    if needed & {"exact", "decaying", "approximate"}:
        needed |= {"numbers"}
    if not needed and summary.verdict == "none":
        needed |= {"nothing"}
    if all(q.flatness <= FLATTEST for q in summary.quantities if q.verdict == "exact"):
        needed = {"rounding" if key == "exact" else key for key in needed}
    return [line for key, line in _LEGEND.items() if key in needed][:2]
