"""The report as a page: one file, no scripts, nothing from the network, for light and dark.

Formulas are MathML, the spectrum is SVG drawn in the text's own colour, so the same piece of HTML
fits a page of its own and a notebook.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import numpy as np

from discovery.criteria import LAWS
from discovery.report.typesetting import mathml

if TYPE_CHECKING:
    from discovery.report.quantity import Quantity
    from discovery.report.report import DiscoveryReport


_STYLE = """
.ndm { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; }
.ndm h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .25rem; font-weight: 650; }
.ndm h2 { font-size: 1rem; margin: 2rem 0 .5rem; font-weight: 650; }
.ndm p { margin: .25rem 0; max-width: 48rem; }
.ndm .quiet { opacity: .72; }
.ndm .wide { overflow-x: auto; }
.ndm table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
.ndm th { text-align: left; font-weight: 500; opacity: .72; font-size: .85rem; }
.ndm th, .ndm td { padding: .5rem .9rem .5rem 0; border-bottom: 1px solid #8885;
  vertical-align: top; background: none; }
.ndm .formula { overflow-x: auto; overflow-y: hidden;
  max-width: min(36rem, 70vw); padding: .2rem 0; }
.ndm .number { white-space: nowrap; }
.ndm math { font-size: 1.15em; font-family: "Cambria Math", "STIX Two Math", "Latin Modern Math",
  "DejaVu Math TeX Gyre", math, serif; }
.ndm code { font: .8rem ui-monospace, monospace; opacity: .72; overflow-wrap: anywhere; }
.ndm .badge { white-space: nowrap; }
.ndm .badge::before { content: ""; display: inline-block; width: .6em; height: .6em;
  border-radius: 50%; margin-right: .4em; background: #888; }
.ndm .exact::before { background: #1a9c5b; }
.ndm .approximate::before { background: #d08a00; }
.ndm .undecided::before { background: #888; }
.ndm dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.25rem; margin: 0; }
.ndm dt { opacity: .72; } .ndm dd { margin: 0; }
.ndm svg { display: block; width: 100%; max-width: 46rem; height: auto; }
.ndm svg text { fill: currentColor; font: 12px system-ui, sans-serif; }
.ndm details { margin-top: 2rem; } .ndm summary { cursor: pointer; font-weight: 650; }
@media (max-width: 40rem) {
  .ndm .text { display: none; }
  .ndm dl { display: block; } .ndm dd { margin-bottom: .5rem; }
}
"""

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ background: Canvas; color: CanvasText; margin: 2rem auto; padding: 0 1.25rem;
  max-width: 62rem; }}
</style>
</head>
<body>
{body}
</body>
</html>
"""

_GUIDE = (
    (
        "flatness",
        "how far a formula moves along an orbit, over what noise explains: about 1, or less, for a "
        "law; everything else is far above. In brackets its 95 % interval. Measured on runs that "
        "took no part in finding the formula.",
    ),
    (
        "drift",
        "systematic motion along an orbit, noise set aside, as a fraction of the formula's spread "
        "between orbits: an upper bound.",
    ),
    ("exact", "moves as noise does, and no more."),
    ("approximate", "drifts, but by far less than its spread: nearly conserved."),
    ("undecided", "these runs cannot tell; the reason says what to measure next."),
    (
        "confidence",
        "share of bootstrap samples of the held-out runs in which the count comes out the same.",
    ),
)


def page(report: DiscoveryReport) -> str:
    """Return the report as a page of its own."""
    return _PAGE.format(title=html.escape(report.title), body=fragment(report))


def fragment(report: DiscoveryReport) -> str:
    """Return the report as a piece of HTML, for a notebook or for a page around it."""
    parts = [
        f"<style>{_STYLE}</style>",
        f"<h1>{html.escape(_heading(report))}</h1>",
        f"<p>{html.escape(_reason(report))}</p>",
        f"<p class='quiet'>{html.escape(report.title)}</p>",
    ]
    if report.quantities:
        parts.append(_laws(report.quantities))
    if report.identities:
        parts.append("<h2>Obeyed by all runs alike, not counted</h2>")
        parts += [f"<p>{mathml(q.expression)} = constant</p>" for q in report.identities]
    if report.symmetries:
        parts.append(f"<h2>Symmetries</h2><p>{html.escape('; '.join(report.symmetries))}</p>")
    if report.spectrum:
        parts.append(
            "<h2>Spectrum</h2><p class='quiet'>The flatness of every direction of each library, on "
            "the runs it was found on: what is conserved stands left of the line.</p>"
            f"<div class='wide'>{spectrum_svg(report.spectrum)}</div>"
        )
    parts += ["<h2>Data and search</h2>", _list(_facts(report))]
    parts.append(f"<details><summary>How to read this</summary>{_list(_GUIDE)}</details>")
    return f"<div class='ndm'>{''.join(parts)}</div>"


def spectrum_svg(spectrum: dict[str, np.ndarray]) -> str:
    """Draw one line of points a library over a logarithmic axis of flatness."""
    left, width, row = 250, 760, 26
    least, most = 1e-2, 1e4
    low, high = np.log10(least), np.log10(most)

    def place(mu: float) -> float:
        share = (np.log10(np.clip(mu, least, most)) - low) / (high - low)
        return round(left + 10 + float(share) * (width - left - 60), 1)

    bottom = 8 + row * len(spectrum)
    line = place(LAWS.flatness_ceiling)
    out = [
        f"<svg viewBox='0 0 {width} {bottom + 38}' role='img' aria-label='spectrum of flatness'>",
        f"<line x1='{line}' x2='{line}' y1='0' y2='{bottom}' stroke='#d33' "
        "stroke-dasharray='4 3'/>",
        f"<line x1='{left}' x2='{width - 40}' y1='{bottom}' y2='{bottom}' stroke='#888'/>",
    ]
    for power in range(int(low), int(high) + 1):
        x = place(10.0**power)
        ends = {int(low): f"≤ {10.0**power:g}", int(high): "≥ 10000"}
        label = ends.get(power, f"{10.0**power:g}")
        out.append(f"<line x1='{x}' x2='{x}' y1='{bottom}' y2='{bottom + 4}' stroke='#888'/>")
        out.append(f"<text x='{x}' y='{bottom + 17}' text-anchor='middle'>{label}</text>")
    middle = (left + width - 40) / 2
    out.append(f"<text x='{middle}' y='{bottom + 34}' text-anchor='middle'>flatness μ</text>")
    for k, (library, values) in enumerate(spectrum.items()):
        y = 8 + row * k + row / 2
        out.append(f"<text x='0' y='{y + 4}'>{html.escape(_clip(library))}</text>")
        for mu in values:
            look = "fill='#1a9c5b'" if mu <= LAWS.flatness_ceiling else "fill='none' stroke='#888'"
            out.append(
                f"<circle cx='{place(mu)}' cy='{y}' r='4' {look}><title>{mu:.3g}</title></circle>"
            )
    return "".join([*out, "</svg>"])


def _heading(report: DiscoveryReport) -> str:
    if report.verdict == "undecided":
        return "Undecided"
    count = report.n_conserved
    return f"{count or 'No'} conserved quantit{'y' if count == 1 else 'ies'}"


def _reason(report: DiscoveryReport) -> str:
    if report.verdict == "undecided":
        return report.reason
    confidence = f"Confidence {report.confidence:.2f}."
    # The heading has said how many laws there are.
    return confidence if report.verdict == "laws" else f"{report.reason} {confidence}"


def _laws(quantities: list[Quantity]) -> str:
    rows = []
    for q in quantities:
        low, high = q.flatness_interval
        remarks = [f"↔ {q.symmetry}"] if q.symmetry else []
        if q.drift_rate is not None:
            remarks.append(q.fate)
        if q.approximation_error is not None:
            remarks.append("a network; the formula describes it")
        remarks = "".join(f"<div class='quiet'>{html.escape(r)}</div>" for r in remarks)
        rows.append(
            f"<tr><td><div class='formula'>{mathml(q.expression)}</div>{remarks}"
            f"<div class='text'><code>{html.escape(q.formula)}</code></div></td>"
            f"<td class='number'>{_short(q.flatness)} "
            f"<span class='quiet'>[{_short(low)}, {_short(high)}]</span></td>"
            f"<td class='number'>≤ {_percent(q.drift_interval[1])}</td>"
            f"<td><span class='badge {q.verdict}'>{q.verdict}</span></td></tr>"
        )
    return (
        "<h2>Laws</h2><div class='wide'><table><thead><tr><th>formula</th><th>flatness [95 %]</th>"
        f"<th>drift</th><th>verdict</th></tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _facts(report: DiscoveryReport) -> list[tuple[str, str]]:
    noise = ", ".join(f"{name} {value:.2g}" for name, value in report.noise.items())
    facts = [("noise (standard deviation)", noise)]
    if np.isfinite(report.resolution):
        facts.append(
            (
                "resolution",
                f"a drift of {_percent(report.resolution)} of a law's spread would have been seen",
            )
        )
    return [*facts, ("searched", "; ".join(report.searched))]


def _list(entries: list[tuple[str, str]] | tuple[tuple[str, str], ...]) -> str:
    items = [f"<dt>{html.escape(a)}</dt><dd>{html.escape(b)}</dd>" for a, b in entries]
    return f"<dl>{''.join(items)}</dl>"


def _short(value: float) -> str:
    return f"{value:.2f}" if value < 1000 else f"{value:.1e}"


def _percent(value: float) -> str:
    return f"{100 * value:.2g} %" if value >= 1e-5 else f"{value:.0e}"


def _clip(text: str, most: int = 40) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
