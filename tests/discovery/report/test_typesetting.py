"""Names from a user's file are typeset as text: none becomes markup or a command."""

from dataclasses import replace
from html.parser import HTMLParser

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import sympy
from matplotlib.mathtext import MathTextParser

from discovery import ConservedQuantityFinder
from discovery.displays import InvariantDisplay
from discovery.report.arrangement import arranged
from discovery.report.typesetting import label, latex, mathml, measured

matplotlib.use("Agg")

ODD = [
    "<script>document.title='ran'</script>",
    "<img src=x onerror=alert(1)>",
    "</mi></math><b>x",
    "&lt;b&gt;",
    "&copy;",
    "a & b",
    'say "x"',
    "it's",
    "x<y_2",
    r"$x$ # {y} \input{z}",
    r"\input{/etc/passwd}",
    "50 %",
    "a_b c^d~",
    "position x",
    "}{",
]
PLAIN = ["x", "x_1", "theta", "qdot2", "λ", "été", "p_phi"]


class Page(HTMLParser):
    """The tags, attributes and text of a piece of HTML."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.words = set(), {}, ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes.update(attributes)

    def handle_data(self, data):
        self.words += data


@pytest.mark.parametrize("name", ODD)
def test_a_name_is_no_markup(name):
    page = Page(mathml(sympy.Symbol(name) ** 2 + sympy.cos(sympy.Symbol("y"))))
    assert page.tags == {"math", "msup", "msubsup", "mi", "mn", "mo", "mrow"} & page.tags
    assert not page.attributes.keys() - {"displaystyle", "mathvariant"}


@pytest.mark.parametrize("name", [n for n in ODD if "_" not in n and "^" not in n])
def test_a_name_reads_as_it_was_written(name):
    assert name in Page(mathml(sympy.Symbol(name))).words


@pytest.mark.parametrize("name", ODD)
def test_a_function_is_no_markup(name):
    page = Page(mathml(sympy.Function(name)(sympy.Symbol("x"))))
    assert not page.tags & {"script", "img", "b"}


@pytest.mark.parametrize("name", ODD)
def test_a_name_is_no_command(name):
    """Every special character of LaTeX is escaped, and braces pair."""
    text = latex(sympy.Symbol(name) ** 2)
    body = text.removesuffix("^{2}").removeprefix(r"\text{").removesuffix("}")
    for allowed in (r"\textbackslash{}", r"\textasciitilde{}", r"\textasciicircum{}"):
        body = body.replace(allowed, "")
    for c in "{}$&#_%":
        body = body.replace(f"\\{c}", "")
    assert not set("\\{}$&#_%^~") & set(body)


@pytest.mark.parametrize("name", PLAIN)
def test_plain_names_are_printed_as_sympy_prints_them(name):
    x = sympy.Symbol(name)
    as_word = {x: rf"\mathrm{{{name}}}"} if name == "été" else {}
    assert latex(x**2 + sympy.sin(x)) == sympy.latex(x**2 + sympy.sin(x), symbol_names=as_word)
    assert sympy.mathml(x, printer="presentation") in mathml(x)


@pytest.mark.parametrize(
    ("name", "typeset"),
    [
        ("vertical", r"\mathrm{vertical}"),
        ("imag", r"\mathrm{imag}"),
        ("wp", r"\mathrm{wp}"),
        ("that_2", r"\mathrm{that}_{2}"),
        ("E1_cal", r"E_{1 \mathrm{cal}}"),
        ("omega_theta", r"\omega_{\theta}"),
        ("VY_km_s", r"\mathrm{VY}_{\mathrm{km\_s}}"),
        ("x_i_j", "x_{i j}"),
        ("xddot", r"\ddot{x}"),
        ("thetadot", r"\dot{\theta}"),
    ],
)
def test_a_word_is_no_symbol(name, typeset):
    assert latex(2 * sympy.Symbol(name)) == f"2 {typeset}"
    MathTextParser("agg").parse(label(sympy.Symbol(name) ** 2 / 2))


@pytest.mark.parametrize("name", ODD)
def test_a_label_can_be_drawn(name):
    MathTextParser("agg").parse(label(sympy.Symbol(name) ** 2 / 2))


def test_a_report_of_odd_columns():
    t = np.linspace(0, 12, 80)
    rows = np.vstack([np.c_[a * np.cos(t + a), -a * np.sin(t + a)] for a in np.linspace(1, 2, 20)])
    frame = pd.DataFrame(rows, columns=[ODD[0], ODD[9]])
    finder = ConservedQuantityFinder(random_state=0).fit(frame, groups=np.repeat(range(20), 80))
    report = finder.report_
    page = Page(report.to_html())
    assert report.n_conserved == 1 and "math" in page.tags
    assert not page.tags & {"script", "img", "b"}
    assert "ran" in page.words  # as text
    display = InvariantDisplay(
        times=[t], values=[t], run_ids=[0], spread=1.0, expression=report.quantities[0].expression
    )
    display.plot().figure_.canvas.draw()
    plt.close("all")
    assert replace(report.quantities[0]).to_latex().count(r"\text{") == 2
    (written,) = report.to_frame()["expression"]
    assert (
        f"'{ODD[0]}'**2" in written and written == report.to_dict()["quantities"][0]["expression"]
    )


def test_measured_factors_are_one_number():
    """A length told apart, as in exp(−k (r − r0)), leaves a factor of its own."""
    r = sympy.Symbol("r")
    factors = sympy.Float(3.92441, 6), sympy.Float(135.9231972343), sympy.exp(-r)
    apart = sympy.Mul(*factors, evaluate=False)
    written = sympy.sstr(arranged(apart, ["r"]), order="none", full_prec=False)
    assert written == "533.418*exp(-r)"


@pytest.mark.parametrize(
    ("value", "error", "typeset"),
    [
        (2.4536, 0.00076, r"(2.45360 \pm 0.00076)"),
        (72221.7, 95.0, r"(72222 \pm 95)"),
        (6.12437e-6, 3.4e-9, r"(6.1244 \pm 0.0034) \times 10^{-6}"),
        (1.25e9, 3e6, r"(1.2500 \pm 0.0030) \times 10^{9}"),
        (2.0, np.inf, r"(2.0 \pm \infty)"),
    ],
)
def test_a_number_with_its_error(value, error, typeset):
    assert measured(value, error) == typeset
    MathTextParser("agg").parse(f"${typeset}$")


def test_a_power_of_ten_is_no_letter():
    text = latex(sympy.Float(6.12437e-6, 6) * sympy.Symbol("W"))
    assert text == r"6.12437 \times 10^{-6} W"
