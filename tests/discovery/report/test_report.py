"""The report: readable text, plain values that survive JSON, one row a quantity."""

import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import sympy

from discovery import ConservedQuantityFinder, DiscoveryReport, datasets
from discovery.laws.judging.verdict import MOTION, Check
from discovery.report.words import filled


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
    """Title, count, a formula a law with what is said of it, a legend of two lines, what to do."""
    text = str(kepler)
    lines = text.splitlines()
    assert lines[0].startswith("40 runs × 100 samples, coordinates x, y, u, v")
    assert lines[2].startswith("conserved quantities: 3 (confidence ")
    words = re.compile(r"     conserved within noise; drift above \d+(\.\d+)? % excluded;")
    assert sum(bool(words.match(line)) for line in lines) == 3
    for number, quantity in enumerate(kepler.quantities, start=1):
        assert f"  {number}  {quantity.name}: {quantity.formula}" in lines
        assert f"symmetry: {quantity.symmetry}" in text
    assert [q.name for q in kepler.quantities][:2] == ["angular momentum", "energy"]
    assert re.search(r"coefficients of u\*\*2 ± 0\.\d+, v\*\*2 ± 0\.\d+;", text)
    for what in ("resolution:", "noise (standard deviation): x 0.0", "searched: polynomial(2)"):
        assert what in text
    end = next(i for i, line in enumerate(lines) if line.startswith("next:"))
    blank, *legend = lines[end - 3 : end]
    assert blank == "" and legend[0].startswith("conserved within noise:") and "±" in legend[1]
    assert max(map(len, lines)) <= 100


def test_numbers_that_nobody_knows_tell_no_form(kepler):
    """Said where the law stands, in its explanation and as an attribute."""
    law = kepler.quantities[1]
    assert law.form_known and law.to_dict()["form_known"]
    sizes = np.abs(list(law.coefficients.values()))
    unsure = replace(law, _covariance=np.diag(1.44 * sizes**2 * (sizes != sizes.max())))
    assert not unsure.form_known
    words = "an approximation of a law, whose form the data do not tell"
    report = replace(kepler, quantities=[unsure])
    assert words in " ".join(str(report).split()) and words in " ".join(report.explain().split())
    assert words not in " ".join((str(kepler) + kepler.explain()).split())
    # A number inside a term is one too.
    assert not replace(law, inside_error=1.5).form_known
    assert replace(law, inside_error=0.5).form_known


def test_numbers_that_change_outwards_tell_no_form(kepler, tmp_path):
    """Those of an expansion: chance alone would change a true law's as much in one of 200."""
    law = replace(kepler.quantities[1], outwards=0.005)
    assert law.changes_outwards and not law.form_known
    report = replace(kepler, quantities=[law])
    words = "its numbers change from the runs amid the data to the outer ones"
    said, before = (" ".join(one.explain().split()) for one in (report, kepler))
    assert words in said and words not in before
    assert "an approximation of a law" in law.statement
    assert replace(law, outwards=0.02).form_known
    report.save(tmp_path / "report.json")
    assert DiscoveryReport.load(tmp_path / "report.json").quantities[0].outwards == 0.005


def test_motion_in_data_without_noise_is_not_called_noise(kepler):
    law = replace(kepler.quantities[1], clean=True, flatness=0.5, noise=1e-6)
    words = "moves a little in data without noise, by an integrator's error or since it is an"
    assert law.statement.startswith(words)
    assert replace(law, flatness=0.001).statement.startswith("conserved within rounding; drift")
    assert replace(law, clean=False).statement.startswith("conserved within noise; drift")


def test_a_long_search_is_folded_into_one_line(kepler):
    stages = [f"polynomial({k}) ({k} terms: no new)" for k in range(2, 40)]
    long = replace(kepler, searched=[*stages, "waves (skipped: they overflow)", "no noise known"])
    line = next(line for line in str(long).splitlines() if line.startswith("searched:"))
    words = "searched: polynomial(2), polynomial(3), polynomial(4) and 35 more (779 functions);"
    assert line.startswith(words)
    assert "1 skipped; no noise known" in " ".join(str(long).split())
    twice = replace(kepler, searched=["waves (2 terms: no new)", "waves (3 terms: 1 new)"])
    assert "searched: waves (5 functions)" in str(twice)
    assert "searched: nothing" in str(replace(kepler, searched=[]))


def test_noise_of_many_coordinates(kepler):
    many = replace(kepler, noise={f"x{k}": 0.1 * k for k in range(1, 41)})
    assert "28 more from 1.3 to 4" in str(many) and "x13" not in str(many)


def test_names_that_are_no_words_are_quoted(kepler):
    odd = sympy.Symbol("a-b") ** 2 + sympy.Symbol("E")
    text = str(replace(kepler, quantities=[replace(kepler.quantities[0], expression=odd)]))
    assert "E + 'a-b'**2" in text
    count = replace(kepler.quantities[0], expression=sympy.Symbol("2x") ** 2)
    assert "'2x'**2" in str(replace(kepler, quantities=[count]))


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
    text = str(replace(kepler, quantities=[clean]))
    assert clean.statement in text and "e-14" not in text
    assert "\nconserved within rounding: on runs" in text and "within noise" not in text
    page = replace(kepler, quantities=[clean]).to_html()
    assert clean.statement in page and "e-14" not in page.partition("<svg")[0]
    still = replace(law, verdict="approximate", drift_rate=0.0, drift=1e-9)
    words = "nearly conserved: no motion is seen, up to 2.9 % is not excluded"
    assert still.statement == words
    # Its size is not known from below, and yet it was seen.
    seen = Check(MOTION, statistic=1e-4, limit=0.01, passed=False, bound="at least")
    assert (
        replace(still, checks=(seen,)).statement == "nearly conserved: it moves, by 2.9 % at most"
    )
    assert replace(still, checks=(replace(seen, passed=True),)).statement == words
    slow = replace(still, drift=0.004, drift_interval=(0.001, 0.006), drift_rate=1e-3)
    assert slow.statement == "nearly conserved: drifts by 0.4 %"
    assert replace(slow, drift_rate=0.0).statement == "nearly conserved: moves to and fro by 0.4 %"
    assert replace(law, verdict="undecided").statement == "undecided"


def test_a_long_formula_has_a_line_of_its_own(kepler):
    long = sympy.sympify("+".join(f"{k}*x**{k}" for k in range(2, 14)))
    odd = replace(kepler, quantities=[replace(kepler.quantities[0], expression=long)])
    lines = str(odd).splitlines()
    at = lines.index(f"     {odd.quantities[0].formula}")
    assert lines[at - 1] == "  1  angular momentum:" and "excluded" in lines[at + 1]


def test_what_to_do_is_told_last(kepler):
    reason = "5 runs are too few to tell a law from chance; measure at least 3 more runs."
    few = replace(kepler, verdict="undecided", reason=reason)
    text = str(few)
    assert text.splitlines()[2] == "undecided: 5 runs are too few to tell a law from chance"
    assert "next: measure at least 3 more runs;" in text
    candidates = [replace(q, verdict="undecided") for q in kepler.quantities]
    assert "excluded" not in str(replace(few, quantities=candidates))


def test_an_identity_of_parameters_differs_from_run_to_run(kepler):
    """A rod's length squared: it is one number in each run, and not in all."""
    law = replace(kepler.quantities[0], spread=1.0, noise=1e-3, by_run=True)
    own = replace(kepler, identities=[law])
    for text in (str(own), own.to_markdown(), own.to_latex()):
        assert "constant in each run, by its parameters" in text
    alike = replace(kepler, identities=[replace(law, noise=1.02)])
    assert f"{law.formula} = constant\n" in str(alike)
    # Runs without parameters have none that it could depend on.
    without = replace(kepler, identities=[replace(law, by_run=False)])
    assert f"{law.formula} = constant\n" in str(without)


def test_identities_and_symmetries_are_named(kepler):
    part = replace(kepler, identities=kepler.quantities[:1], symmetries=["algebra so(3)"])
    assert f"{kepler.quantities[0].formula} = constant" in str(part)
    assert "symmetries: algebra so(3)" in str(part)


def test_what_may_imitate_is_told(kepler, tmp_path):
    first, *others = kepler.quantities
    unsure = replace(first, doubtful=True)
    report = replace(kepler, quantities=[unsure, *others])
    assert "other forms may fit as well" in str(report) and "may imitate" in report.explain()
    assert "may fit" not in str(kepler) and "may imitate" not in kepler.explain()
    assert unsure.to_dict()["doubtful"] and not first.to_dict()["doubtful"]
    # Forms that were found say more.
    found = replace(unsure, alternatives=(sympy.sympify("sinh(x)*v"),))
    assert found.forms == "the simplest of 2 forms that fit as well"
    report.save(tmp_path / "report.json")
    assert DiscoveryReport.load(tmp_path / "report.json").quantities[0].doubtful


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


def test_a_formula_may_be_written_in_any_form(kepler):
    momentum = kepler["angular momentum"]
    assert kepler["-(y*u - v*x)"] is momentum
    # Of a report that was read from a file there are no runs to compare formulas on.
    assert replace(kepler, runs=None)["-(y*u - v*x)"] is momentum
    with pytest.raises(KeyError, match="there is no law 'y'"):
        kepler["y"]


def test_a_report_is_a_sequence_of_its_laws(kepler, control):
    assert list(kepler) == kepler.quantities == kepler[:]
    assert len(kepler) == 3 and len(control) == 0 and bool(control)
    assert "energy" in kepler and "mass" not in kepler and kepler[0] in kepler and 7 not in kepler
    assert kepler == replace(kepler) != control


def test_a_law_prints_its_name_and_formula(kepler):
    energy = kepler["energy"]
    assert str(energy) == f"energy: {energy.formula} (exact)"
    assert repr(energy) == f"Quantity(energy: {energy.formula})"
    assert repr(kepler).startswith("DiscoveryReport(") and len(repr(kepler)) < 200


def test_laws_by_name_place_and_formula(kepler):
    energy = kepler["energy"]
    assert energy.name == "energy"
    assert kepler[energy.formula] is energy
    assert kepler[0] is kepler.quantities[0]
    with pytest.raises(KeyError, match="angular momentum"):
        kepler["mass"]
    with pytest.raises(IndexError, match="no law 99"):
        kepler[99]
    twice = replace(kepler, quantities=[energy, energy])
    with pytest.raises(KeyError, match="2 laws"):
        twice["energy"]


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


def test_lines_break_between_clauses():
    clause = "a clause of several words, and of two parts"
    lines = filled("; ".join([clause] * 5), indent=4).splitlines()
    assert lines == [f"{clause}; {clause};", f"    {clause}; {clause};", f"    {clause}"]
    noise = ", ".join(f"x{k} 0.0{k}" for k in range(10, 30))
    for line in filled(noise).splitlines()[:-1]:
        assert line.endswith(",") and len(line) <= 100
    words = filled("word " * 50).split("\n")
    assert max(map(len, words)) <= 100 and " ".join(words).split() == ["word"] * 50
    assert filled("x" * 120) == "x" * 120
