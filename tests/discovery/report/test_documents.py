"""Reports in other documents: no name of a column becomes markup of Markdown or LaTeX."""

import re
from dataclasses import replace

import pytest
import sympy
from matplotlib.mathtext import MathTextParser

from discovery import ConservedQuantityFinder, datasets

ODD = [
    "a|b",
    "<img src=x onerror=alert(1)>",
    "`x`",
    "x_1*y_2",
    "$x$",
    "50 % & more",
    "\\input{x}",
    "[a](b)",
]


@pytest.fixture(scope="module")
def kepler():
    runs = datasets.load("kepler", 30, 60, noise=0.005, seed=0)
    return ConservedQuantityFinder(random_state=0).fit(runs).report_


def of(report, name):
    """Return the report with one law, of a column with a name."""
    law = replace(report.quantities[0], expression=sympy.Symbol(name) ** 2, symmetry=None)
    return replace(report, quantities=[law], title=f"runs of {name}")


def cells(markdown):
    """Return the cells of a table's rows; a bar with a backslash is text."""
    rows = [line for line in markdown.splitlines() if line.startswith("|")]
    return [re.split(r"(?<!\\)\|", row)[1:-1] for row in rows]


def test_markdown(kepler, tmp_path):
    text = kepler.to_markdown(tmp_path / "report.md")
    assert (tmp_path / "report.md").read_text(encoding="utf-8") == text
    assert "**Conserved quantities: 3" in text
    head, _, *rows = cells(text)
    assert [len(row) for row in rows] == [len(head)] * 3
    for row, law in zip(rows, kepler.quantities, strict=True):
        assert law.name in row[1] and law.symmetry in row[3].replace("\\", "")
        formula = re.search(r"\$(.*)\$", row[1])[1]
        assert r"\pm" in formula
        MathTextParser("path").parse(f"${formula}$".replace(r"\,", " "))


@pytest.mark.parametrize("name", ODD)
def test_a_name_is_no_markdown(kepler, name):
    text = of(kepler, name).to_markdown()
    head, _, row = cells(text)
    assert len(row) == len(head)
    formula = row[1]
    # As code between fences that the name has not.
    fence = re.search(r"(`+) '", formula)[1]
    assert formula.rstrip().endswith(f"'**2 {fence}") and fence not in name
    title = text.splitlines()[0]
    assert not re.search(r"(?<!\\)[<`*_$\[]", title)


def test_latex(kepler, tmp_path):
    text = kepler.to_latex(tmp_path / "report.tex")
    assert (tmp_path / "report.tex").read_text(encoding="utf-8") == text
    assert text.count(r"\begin{") == text.count(r"\end{") == 2
    rows = [line for line in text.splitlines() if re.match(r"\d+ & ", line)]
    assert len(rows) == 3
    for row in rows:
        assert row.endswith(r"\\") and len(re.findall(r"(?<!\\)&", row)) == 2
        assert r"\pm" in row and r"\% excluded" in row
    assert "×" not in text and r"$\times$" in text


@pytest.mark.parametrize("name", ODD)
def test_a_name_is_no_latex(kepler, name):
    text = of(kepler, name).to_latex()
    assert len(re.findall(r"(?<!\\)&", text)) == 4  # two in the head, two in the row
    assert r"\input" not in text
    assert len(re.findall(r"(?<!\\)\$", text)) % 2 == 0
    assert len(re.findall(r"(?<!\\)\{", text)) == len(re.findall(r"(?<!\\)\}", text))
    assert not re.search(r"(?<!\\)[%#]", text)


def test_nothing_found(kepler):
    none = replace(kepler, quantities=[], verdict="none", reason="nothing is conserved.")
    assert "none (confidence" in none.to_markdown() and "|" not in none.to_markdown()
    assert "tabular" not in none.to_latex()
    undecided = replace(none, verdict="undecided", reason="too short; measure longer runs.")
    for text in (undecided.to_markdown(), undecided.to_latex()):
        assert "Undecided: too short; measure longer runs" in text
    alike = replace(none, identities=[kepler.quantities[0]])
    assert "= constant" in alike.to_markdown() and "All runs obey" in alike.to_latex()


def test_a_notebook_shows_the_formula(kepler):
    law = kepler.quantities[0]
    assert law._repr_latex_() == rf"$\displaystyle {law.to_latex()}$"


@pytest.mark.parametrize(("left", "words"), [(0.02, "98.0% of whose variance"), (1.2, "no short")])
def test_a_description_is_not_told_as_the_law(kepler, left, words):
    """A law without a closed form, as text, in tables and on the page."""
    law = replace(kepler.quantities[0], approximation_error=left)
    report = replace(kepler, quantities=[law])
    texts = str(report), report.to_markdown(), report.to_latex(), report.to_html()
    for text in texts:
        assert "a network, " in text and words in text.replace("\\", "")
    assert ("$" in report.to_markdown().split("a network")[1].split("|")[0]) == (left < 0.5)
