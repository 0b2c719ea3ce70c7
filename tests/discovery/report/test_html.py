"""The report as a page: whole, self-contained, well formed, and safe with odd names."""

import html
from dataclasses import fields, replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
import sympy

from discovery import ConservedQuantityFinder, datasets
from discovery.report.html import fragment, page, spectrum_svg
from discovery.report.summary import Summary
from discovery.report.typesetting import mathml

VOID = {"meta", "link", "br"}


class Reader(HTMLParser):
    """Collects tags, attributes and text, and checks that every tag is closed in order."""

    def __init__(self, page):
        super().__init__()
        self.open, self.tags, self.attributes, self.words = [], [], [], []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def kepler():
    runs = datasets.load("kepler", 40, 100, noise=0.01, seed=0)
    rows = pd.DataFrame(runs.rows, columns=runs.names)
    finder = ConservedQuantityFinder(roles=runs.roles, random_state=0)
    return finder.fit(rows, groups=runs.groups, times=runs.row_times).report_


def test_a_page_says_what_the_report_says(kepler):
    shown = Reader(kepler.to_html())
    # In the table and above its picture; a portrait, three laws, the spectrum.
    assert shown.tags.count("math") == 2 * 3 and shown.tags.count("svg") == 1 + 3 + 1
    assert "3 conserved quantities" in shown.text
    for quantity in kepler.quantities:
        assert quantity.formula in shown.text
        assert quantity.symmetry in shown.text
        # In the table and above its picture.
        assert quantity.name and shown.text.count(quantity.name) >= 2
        assert f"[{quantity.flatness_interval[0]:.2f}, {quantity.flatness_interval[1]:.2f}]" in (
            shown.text
        )
    for words in ("algebra so(3)", *kepler.searched, "noise", "How to read this", kepler.title):
        assert words in shown.text
    circles = sum(len(values) for values in kepler.spectrum.values())
    assert shown.tags.count("circle") == circles


def test_a_page_needs_nothing_from_outside(kepler):
    shown = Reader(kepler.to_html())
    assert not {"script", "link", "img", "iframe"} & set(shown.tags)
    assert not [name for name, _ in shown.attributes if name in ("src", "href") or name[:2] == "on"]
    assert "://" not in kepler.to_html() and "url(" not in kepler.to_html()
    assert "color-scheme: light dark" in kepler.to_html()


def test_written_where_asked(kepler, tmp_path):
    path = tmp_path / "page.html"
    assert kepler.to_html(path) == path.read_text(encoding="utf-8") == kepler.to_html()


def test_a_notebook_shows_the_same(kepler):
    piece = kepler._repr_html_()
    assert piece.startswith("<div class='ndm'>")
    # The legend waits folded up.
    assert piece.replace("'guide'>", "'guide' open>") in kepler.to_html()


def test_plain_values_are_enough_for_a_page(kepler):
    plain = Summary(**{f.name: getattr(kepler, f.name) for f in fields(Summary)})
    assert page(plain) == kepler.to_html() and fragment(plain) == kepler._repr_html_()


VERDICTS = {
    "none": ("No conserved quantities", "No function"),
    "undecided": ("Undecided", "Measure longer runs"),
}


@pytest.mark.parametrize("verdict", VERDICTS)
def test_other_verdicts(kepler, verdict):
    heading, reason = VERDICTS[verdict]
    empty = replace(
        kepler,
        quantities=[],
        verdict=verdict,
        reason=reason.lower(),
        resolution=float("nan"),
        spectrum={},
    )
    shown = Reader(empty.to_html())
    assert heading in shown.text and reason in shown.text
    assert not {"math", "table"} & set(shown.tags) and "nan" not in shown.text
    # The runs are shown, without a law to colour them by; a report need not keep any.
    assert shown.tags.count("svg") == 1 and "coloured" not in shown.text
    assert "svg" not in Reader(replace(empty, shown=None).to_html()).tags


def test_names_are_escaped(kepler):
    law = replace(kepler.quantities[0], symmetry="rotation in (<i>, y)")
    odd = replace(
        kepler,
        quantities=[law],
        title="<b>runs & more</b>",
        searched=["<script>"],
        noise={"<x>": 0.1},
        symmetries=["algebra <u>"],
        spectrum={"<em>": np.array([1.0])},
    )
    shown = Reader(odd.to_html())
    assert html.escape(odd.title) in odd.to_html()
    assert not {"script", "b", "x", "i", "u", "em"} & set(shown.tags)
    for words in (odd.title, "<script>", "<x> 0.1", law.symmetry, "algebra <u>", "<em>"):
        assert words in shown.text


def test_formulas():
    x, theta = sympy.symbols("x_1 theta")
    u = sympy.Function("u")(sympy.Symbol("x"))
    power = "<msubsup><mi>x</mi><mi>1</mi><mn>2</mn></msubsup>"
    assert power in mathml(x**2 - sympy.cos(theta))
    assert "\N{MINUS SIGN}" in mathml(x**2 - sympy.cos(theta))
    field = mathml(sympy.Integral(u.diff("x") ** 2 - u**3, sympy.Symbol("x")))
    assert "<msubsup><mi>u</mi><mi>x</mi><mn>2</mn></msubsup>" in field
    assert "<msup><mi>u</mi><mn>3</mn></msup>" in field and "&dd;" not in field


def test_spectrum_places():
    """Larger is further right; what is off the scale stands at its ends."""
    picture = Reader(spectrum_svg({"one": np.array([1e-9, 0.9, 40.0, 1e9])}))
    places = [float(value) for name, value in picture.attributes if name == "cx"]
    assert places == sorted(places) and len(set(places)) == 4
    assert "one" in picture.text


def test_pictures_have_names_and_words(kepler):
    """Each picture says what it shows, and each axis what it is."""
    shown = Reader(kepler.to_html())
    words = [value for name, value in shown.attributes if name == "aria-label"]
    assert len(words) == shown.tags.count("svg") and all(words)
    assert shown.tags.count("figcaption") == 1 + len(kepler.quantities)
    assert "angular momentum" in words[0] and "6 runs in x and y" in words[0]
    for axis in ("x", "y", "time", "energy"):
        assert f">{axis}</text>" in kepler.to_html()


def test_a_page_is_small(kepler):
    assert len(kepler.to_html()) < 100_000
