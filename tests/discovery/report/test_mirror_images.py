"""Many identities of fields are one fact, and are told as one."""

from dataclasses import replace

import pytest
import sympy

from discovery import ConservedQuantityFinder, datasets
from discovery.report.mirror_images import by_cause

x, y = sympy.symbols("x y")
u, v = (sympy.Function(name)(x, y) for name in "uv")
ALONG_X = [u.diff(x) * v.diff(y) / u, (u - 1) * v.diff(x), u * v * v.diff(x)]
ALONG_Y = [u * v.diff(y), v * u.diff(y, y, y)]
ALONE = [u + v, u.diff(x) ** 2 + 2 * v.diff(x) ** 2, u.diff(x) + u * u.diff(x, x)]


@pytest.fixture(scope="module")
def found():
    return ConservedQuantityFinder(random_state=0).fit(datasets.load("kepler", 30, 60)).report_


@pytest.fixture
def identities(found):
    def some(densities):
        law = replace(found.quantities[0], verdict="identity", noise=1.0)
        return [replace(law, expression=sympy.Integral(density, x, y)) for density in densities]

    return some


def test_what_is_odd_along_an_axis_is_told_once(identities, found):
    told = by_cause(identities([*ALONG_X, *ALONG_Y, *ALONE]))
    assert [law.expression.function for law, _ in told] == [ALONG_X[1], ALONG_Y[0], *ALONE]
    assert [remark[:9] for _, remark in told] == ["so do 2 m", "so does 1", "", "", ""]
    report = replace(found, identities=identities([*ALONG_X, *ALONG_Y, *ALONE]))
    for text in (str(report), report.to_markdown(), report.to_latex(), report.to_html()):
        assert "along x" in text and text.count("derivatives") == 2


def test_what_is_odd_along_both_says_nothing_of_either(identities):
    both = identities([u.diff(x) * v.diff(y), u.diff(y) * v.diff(x)])
    assert by_cause(both) == [(law, "") for law in both]


def test_one_alone_and_what_is_no_integral_stay_as_they_are(found, identities):
    some = [*identities(ALONG_X[1:2]), found.quantities[0]]
    assert by_cause(some) == [(law, "") for law in some]
