"""The report as a page: one file, no scripts, nothing from the network, for light and dark.

The page is written in `report.html.j2`: formulas are MathML, pictures are SVG drawn in the text's
own colour and in colours that show on any ground, so the same piece of HTML fits a page of its own
and a notebook.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
import sympy
from jinja2 import Environment, PackageLoader, StrictUndefined
from jinja2.environment import TemplateModule
from markupsafe import Markup

from discovery.criteria import LAWS
from discovery.report import typesetting, words
from discovery.report.mirror_images import by_cause
from discovery.report.pictures.charts import Chart, law_chart, portrait_chart, profiles_chart
from discovery.report.pictures.laws import InvariantDisplay
from discovery.report.pictures.portrait import PortraitDisplay, ProfilesDisplay
from discovery.report.quantity import Quantity
from discovery.report.summary import Summary

# The axis of flatness in the picture of the spectrum; what lies beyond stands at its ends.
_TICKS = (words.FLATTEST, *(10.0**power for power in range(-1, 5)))
# What the page says as the text does.
_WORDS = ("confidence", "flatness", "interval", "resolution")


def page(summary: Summary) -> str:
    """Return the report as a page of its own."""
    return str(_macros("report").page(summary, *_charts(summary)))


def fragment(summary: Summary) -> str:
    """Return the report as a piece of HTML, for a notebook or for a page around it."""
    return str(_macros("report").fragment(summary, *_charts(summary)))


def spectrum_svg(spectrum: Mapping[str, np.ndarray]) -> str:
    """Draw one line of points a library over a logarithmic axis of flatness."""
    return str(_macros("pictures").spectrum(spectrum))


def _charts(summary: Summary) -> tuple[Chart | None, list[tuple[Quantity, Chart]]]:
    """Return the portrait of the runs that a report keeps, and the laws with their pictures."""
    plane, profiles = PortraitDisplay.of(summary), ProfilesDisplay.of(summary)
    portrait = plane and portrait_chart(plane)
    # The first laws have pictures, so that they keep their numbers.
    displays = InvariantDisplay.all_of(summary)
    laws = [
        (quantity, law_chart(display, number))
        for number, (quantity, display) in enumerate(
            zip(summary.quantities, displays, strict=False), start=1
        )
    ]
    return portrait or (profiles and profiles_chart(profiles)), laws


def _macros(name: str) -> TemplateModule:
    template = _environment().get_template(f"{name}.html.j2")
    return template.make_module({"flat": LAWS.flatness_ceiling, "ticks": _TICKS})


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("discovery.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "by_cause": by_cause,
        "clip": _clip,
        "mathml": _mathml,
        "noise_levels": words.noise_levels,
        "place": _place,
        "unbroken": _unbroken,
        "upper_first": lambda text: text[:1].upper() + text[1:],
    }
    environment.globals |= {name: getattr(words, name) for name in _WORDS}
    return environment


def _mathml(expression: sympy.Expr, order: str | None = None) -> Markup:
    """Return a formula as markup: its names are escaped already."""
    return Markup(typesetting.mathml(expression, order))


def _place(flatness: float, start: float, end: float) -> float:
    """Return where a flatness stands on an axis from `start` to `end`."""
    low, high = np.log10(_TICKS[0]), np.log10(_TICKS[-1])
    share = (np.log10(np.clip(flatness, _TICKS[0], _TICKS[-1])) - low) / (high - low)
    return round(start + float(share) * (end - start), 1)


def _clip(text: str, most: int = 40) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _unbroken(text: str) -> str:
    """Return text that does not part a number from its percent sign."""
    return text.replace(" %", "\N{NO-BREAK SPACE}%")
