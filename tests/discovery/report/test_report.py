"""The report: readable text, plain values that survive JSON, one row a quantity."""

import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import sympy

from discovery import ConservedQuantityFinder, DiscoveryReport, datasets


def report_of(name, **options):
    runs = datasets.load(name, 40, 100, noise=0.01, seed=0)
    finder = ConservedQuantityFinder(roles=runs.roles, random_state=0, **options)
    rows = pd.DataFrame(runs.rows, columns=runs.names)
    return finder.fit(rows, groups=runs.groups, times=runs.row_times).report_


@pytest.fixture(scope="module")
def kepler():
    return report_of("kepler")


@pytest.fixture(scope="module")
def control():
    return report_of("van_der_pol")


def test_text(kepler):
    text = str(kepler)
    lines = text.splitlines()
    assert lines[0].startswith("40 runs × 100 samples, coordinates x, y, u, v")
    assert "conserved quantities: 3" in text
    # One line a law: formula, flatness, interval, verdict with the drift that is excluded.
    number = r"\d+\.\d\d"
    words = r"conserved within noise; drift above \d+(\.\d+)? % excluded"
    row = re.compile(rf"{number}\s+\[{number}, {number}\]\s+{words}$")
    table = [line for line in lines if row.search(line)]
    assert len(table) == 3
    for quantity in kepler.quantities:
        assert quantity.formula in text
    for what in ("resolution:", "noise (standard deviation): x 0.0", "searched: polynomial(2)"):
        assert what in text
    assert max(map(len, table)) <= 120


@pytest.mark.parametrize("flatness", [0.7, 345.6, 7.89e7])
def test_columns_are_aligned(kepler, flatness):
    """Also where one flatness is huge, as that of a nearly conserved quantity in clean data."""
    first, *others = kepler.quantities
    odd = replace(first, flatness=flatness, flatness_interval=(flatness / 2, flatness * 2))
    lines = str(replace(kepler, quantities=[odd, *others])).splitlines()
    header = next(line for line in lines if "flatness" in line)
    rows = [line for line in lines if line.endswith("excluded")]
    assert len(rows) == 3
    assert {line.index("[") for line in rows} == {header.index("[")}
    assert {line.rindex("conserved") for line in rows} == {header.index("verdict")}


def test_text_without_laws(control):
    text = str(control)
    assert "conserved quantities: none" in text
    assert "flatness" not in text
    assert "(confidence 1.00)" not in text
    assert "would have been seen" in text
    known = str(replace(control, resolution=0.004))
    assert "resolution: a drift of 0.4 % of a function's spread would have been seen" in known


def test_words_of_a_verdict(kepler):
    law = replace(kepler.quantities[0], drift_interval=(0.0, 0.029))
    assert law.statement == "conserved within noise; drift above 2.9 % excluded"
    clean = replace(law, flatness=5e-14, flatness_interval=(1e-14, 8e-14), drift_interval=(0, 0))
    assert clean.statement == "conserved within rounding; drift above 1e-09 excluded"
    row = next(
        line for line in str(replace(kepler, quantities=[clean])).splitlines() if "≤" in line
    )
    assert "≤ 0.01" in row and "e-14" not in row and "[" not in row
    page = replace(kepler, quantities=[clean]).to_html()
    assert clean.statement in page and "e-14" not in page.partition("<svg")[0]
    still = replace(law, verdict="approximate", drift_rate=0.0, drift=1e-9)
    words = "nearly conserved: no motion is seen, up to 2.9 % is not excluded"
    assert still.statement == words
    slow = replace(still, drift=0.004, drift_interval=(0.001, 0.006), drift_rate=1e-3)
    assert slow.statement == "nearly conserved: drifts by 0.4 %"
    assert replace(slow, drift_rate=0.0).statement == "nearly conserved: moves to and fro by 0.4 %"
    assert replace(law, verdict="undecided").statement == "undecided"


def test_a_formula_too_long_for_the_table_has_a_line_of_its_own(kepler):
    long = sympy.sympify("+".join(f"{k}*x**{k}" for k in range(2, 14)))
    odd = replace(kepler, quantities=[replace(kepler.quantities[0], expression=long)])
    lines = str(odd).splitlines()
    written = odd.quantities[0].formula
    assert f"    {written}" in lines
    assert lines[lines.index(f"    {written}") + 1].endswith("excluded")


def test_identities_and_symmetries_are_named(kepler):
    part = replace(kepler, identities=kepler.quantities[:1], symmetries=["algebra so(3)"])
    assert f"{kepler.quantities[0].expression} = constant" in str(part)
    assert "symmetries: algebra so(3)" in str(part)


def test_other_forms_are_told(kepler):
    first, *others = kepler.quantities
    forms = (sympy.sympify("sinh(x)*v"), sympy.sympify("x*tanh(v)"))
    several = replace(kepler, quantities=[replace(first, alternatives=forms), *others])
    assert "the simplest of 3 forms that fit as well" in str(several)
    assert "forms that fit" not in str(kepler)
    assert several.to_dict()["quantities"][0]["alternatives"] == ["v*sinh(x)", "x*tanh(v)"]
    page = several.to_html()
    assert "the simplest of 3 forms" in page and "sinh" in page


def test_counts(kepler, control):
    assert (kepler.n_conserved, kepler.verdict) == (3, "laws")
    assert (control.n_conserved, control.verdict) == (0, "none")
    approximate = replace(kepler.quantities[0], verdict="approximate")
    assert replace(kepler, quantities=[*kepler.quantities, approximate]).n_conserved == 3


@pytest.mark.parametrize("name", ["kepler", "control"])
def test_json_round_trip(name, request):
    report = request.getfixturevalue(name)
    values = report.to_dict()
    # Strict JSON: no NaN, no numpy, no SymPy; and nothing changes on the way.
    assert json.loads(json.dumps(values, allow_nan=False)) == values
    assert values["n_conserved"] == report.n_conserved
    assert values["verdict"] == report.verdict
    assert values["names"] == list(report.names)
    assert len(values["quantities"]) == len(report.quantities)


def test_formulas_survive_json(kepler):
    """The text of a formula is SymPy's: read back, it has the same values."""
    states = np.random.default_rng(0).uniform(0.5, 1.5, (10, 4))
    symbols = sympy.symbols(kepler.names)
    for quantity, written in zip(kepler.quantities, kepler.to_dict()["quantities"], strict=True):
        again = sympy.lambdify(symbols, sympy.sympify(written["expression"]))
        np.testing.assert_allclose(again(*states.T), quantity(states), rtol=1e-5)
        assert written["latex"] == quantity.to_latex()


def test_frame(kepler, control):
    frame = kepler.to_frame()
    assert len(frame) == 3
    assert list(frame.verdict) == ["exact"] * 3
    assert list(frame.expression) == [str(q.expression) for q in kepler.quantities]
    assert np.all(frame.flatness_low <= frame.flatness)
    assert np.all(frame.flatness <= frame.flatness_high)
    assert np.all(frame.drift <= frame.drift_high)
    empty = control.to_frame()
    assert len(empty) == 0 and list(empty.columns) == list(frame.columns)


def test_evidence_is_consistent(kepler):
    assert 0 < kepler.confidence <= 1
    assert kepler.resolution == max(q.drift_interval[1] for q in kepler.quantities)
    for quantity in kepler.quantities:
        low, high = quantity.flatness_interval
        assert 0 < low <= quantity.flatness <= high < 1.5
        assert quantity.signal > 1


def test_noise_is_reported_by_coordinate(kepler):
    runs = datasets.load("kepler", 40, 100, seed=0)
    assert tuple(kepler.noise) == runs.names
    # The estimate from differences, a few percent low by its construction.
    np.testing.assert_allclose(list(kepler.noise.values()), 0.01 * runs.rows.std(axis=0), rtol=0.15)


def test_a_quantity_is_a_function(kepler):
    energy = kepler.quantities[1]
    runs = datasets.load("kepler", 5, 30, seed=3)
    values = energy(runs.states)
    assert values.shape == (5, 30)
    np.testing.assert_allclose(energy(runs.states[2, 4]), values[2, 4], rtol=1e-12)
    by_hand = sympy.lambdify(sympy.symbols(runs.names), str(energy.expression))
    np.testing.assert_allclose(values, by_hand(*np.moveaxis(runs.states, -1, 0)), rtol=1e-5)


@pytest.mark.parametrize("states", [np.ones(3), np.ones((4, 2)), 1.0])
def test_a_quantity_of_other_states(kepler, states):
    with pytest.raises(ValueError, match=r"expected 4 coordinates \(x, y, u, v\)"):
        kepler.quantities[0](states)


def test_report_is_exported():
    import discovery

    assert discovery.DiscoveryReport is DiscoveryReport
