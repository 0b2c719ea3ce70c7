"""Reports as files: what is loaded is what was saved, and nothing in a file is ever run."""

import copy
import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import sympy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from discovery import ConservedQuantityFinder, DiscoveryReport, Trajectories, datasets
from discovery.laws.learned.library import LearnedLibrary, Network
from discovery.libraries.library import Library
from discovery.libraries.monomials import symbols_of


def fit(runs, **options):
    return ConservedQuantityFinder(random_state=0, **options).fit(runs).report_


def renamed(names, scale=1.0, centre=0.0):
    """Return the report on Kepler's orbits with coordinates of other names, units and origins."""
    runs = datasets.load("kepler", 30, 60, noise=0.005, seed=0)
    states = runs.states * scale + centre
    return fit(Trajectories(states, times=runs.times, names=names, roles=runs.roles))


def damped():
    t, rng = np.linspace(0, 15, 100), np.random.default_rng(0)
    size, phase = rng.uniform(0.3, 2, (30, 1)), rng.uniform(0, 6.3, (30, 1))
    swing = size * np.exp((-0.05 + 1j) * t + 1j * phase)
    states = np.stack([swing.real, ((-0.05 + 1j) * swing).real], axis=-1)
    roles = ["position", "velocity"]
    return fit(Trajectories(states, times=t, names=["S", "N"], roles=roles))


def springs():
    """Return the report on springs of different stiffness, a parameter."""
    t, rng = np.linspace(0, 10, 80), np.random.default_rng(0)
    k, size = rng.uniform(0.5, 2, (2, 30, 1))
    w = np.sqrt(k)
    states = np.stack([size * np.cos(w * t), -size * w * np.sin(w * t), k + 0 * t], axis=-1)
    return fit(Trajectories(states, times=t, names=["E", "I", "lambda"]))


REPORTS = {
    "odd names": lambda: renamed(["position x", "E", "lambda", "a-b"]),
    "units": lambda: renamed(["x", "y", "S", "N"], 1e3, [5e5, 5e5, 0, 0]),
    "decay": damped,
    "parameter": springs,
    "fields": lambda: fit(datasets.load("kdv", 20, 40, noise=0.01, seed=0)),
    "few runs": lambda: fit(datasets.load("henon_heiles", 3, 100, seed=0), library="polynomial"),
}


@pytest.fixture(scope="module")
def reports():
    made = {}

    def report(name):
        if name not in made:
            made[name] = REPORTS[name]()
        return made[name]

    return report


def assert_same(loaded, report):
    assert loaded == report and hash(loaded) == hash(report)
    assert loaded.to_dict() == report.to_dict()
    assert str(loaded) == str(report) and loaded.to_html() == report.to_html()
    found = [*report.quantities, *report.identities]
    rng = np.random.default_rng(0)
    for again, quantity in zip([*loaded.quantities, *loaded.identities], found, strict=True):
        assert again.expression == quantity.expression
        assert again.alternatives == quantity.alternatives
        assert (again.loss, again.checks) == (quantity.loss, quantity.checks)
        states = rng.uniform(0.5, 1.5, (10, len(quantity.library.symbols)))
        np.testing.assert_allclose(again(states), quantity(states), rtol=1e-12)


@pytest.mark.parametrize("name", REPORTS)
def test_round_trip(reports, tmp_path, name):
    report = reports(name)
    report.save(tmp_path / "report.json")
    loaded = DiscoveryReport.load(tmp_path / "report.json")
    assert type(loaded) is DiscoveryReport
    assert_same(loaded, report)
    # Strict JSON, and the same again when it is saved again.
    text = (tmp_path / "report.json").read_text(encoding="utf-8")
    loaded.save(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_text(encoding="utf-8") == text
    assert "NaN" not in text and "Infinity" not in text


def test_equal_is_what_says_the_same(reports):
    report = reports("odd names")
    assert copy.deepcopy(report) == report != reports("units")
    first, *others = report.quantities
    changed = replace(first, drift=1.01 * first.drift + 1e-9)
    assert replace(report, quantities=[changed, *others]) != report
    assert replace(report, noise={**report.noise, "E": 0.5}) != report
    assert report != report.to_dict()


def test_numbers_that_json_has_not(reports, tmp_path):
    report = replace(
        reports("odd names"), quantities=[], verdict="none", resolution=np.inf, noise={"x": np.nan}
    )
    report.save(tmp_path / "report.json")
    loaded = DiscoveryReport.load(tmp_path / "report.json")
    assert str(loaded) == str(report) and np.isinf(loaded.resolution)
    assert np.isnan(loaded.noise["x"])


NAMES = st.lists(
    st.sampled_from(["E", "I", "S", "N", "Q", "lambda", "position x", "a-b", "x", "θ", "'", "<b>"])
    | st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6),
    min_size=2,
    max_size=2,
    unique=True,
)
NUMBERS = st.floats(-1e6, 1e6).filter(bool)


@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(NAMES, st.lists(NUMBERS, min_size=3, max_size=3), st.sampled_from([sympy.sin, sympy.exp]))
def test_any_names_and_formulas(reports, tmp_path, names, coefficients, function):
    x, y = symbols_of(names)
    library = Library((x, y), (x, function(y), 1 / x), [(2, 0, 0), (0, 1, 1), (0, 0, 3)])
    terms = zip(coefficients, library.expressions(), strict=True)
    law = replace(
        reports("odd names").quantities[0],
        expression=sympy.Add(*(sympy.Float(c, 6) * term for c, term in terms)),
        _covariance=np.diag([0.0, np.nan, 0.1**2]),
        _library=library,
        _coefficients=np.array(coefficients),
    ).for_users()
    report = replace(reports("odd names"), quantities=[law], names=tuple(names))
    report.save(tmp_path / "report.json")
    (again,) = DiscoveryReport.load(tmp_path / "report.json").quantities
    assert again.expression == law.expression and again.formula == law.formula
    assert again.to_dict() == law.to_dict()
    states = np.random.default_rng(0).uniform(0.5, 1.5, (10, 2))
    np.testing.assert_allclose(again(states), law(states), rtol=1e-12)


def network(reports):
    rng = np.random.default_rng(0)
    layers = ((rng.normal(size=(3, 5)), rng.normal(size=5)), (rng.normal(size=(5, 1)), np.zeros(1)))
    learned = LearnedLibrary(["q", "p"], Network(np.ones(2), np.full(2, 0.3), (0,), layers))
    return replace(
        reports("odd names").quantities[0],
        expression=sympy.Symbol("q") ** 2,
        approximation_error=0.02,
        _covariance=None,
        _library=learned,
        _coefficients=np.ones(1),
    )


def test_a_learned_law_is_stored_with_its_weights(reports, tmp_path):
    report = replace(reports("odd names"), quantities=[network(reports)], names=("q", "p"))
    report.save(tmp_path / "report.json")
    assert_same(DiscoveryReport.load(tmp_path / "report.json"), report)


class Foreign(Library):
    """Terms of a kind that no file knows."""


def test_terms_of_another_kind_are_refused_before_anything_is_written(reports, tmp_path):
    foreign = Foreign(symbols_of("xy"), symbols_of("xy"), [(1, 0)])
    law = replace(
        reports("odd names").quantities[0],
        _covariance=None,
        _library=foreign,
        _coefficients=np.ones(1),
    )
    path = tmp_path / "report.json"
    path.write_text("as before")
    with pytest.raises(ValueError, match="its terms are a Foreign"):
        replace(reports("odd names"), quantities=[law]).save(path)
    assert path.read_text() == "as before" and os.listdir(tmp_path) == ["report.json"]


def test_what_cannot_be_put_in_place_leaves_nothing_behind(reports, tmp_path):
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError, match="taken"):
        reports("odd names").save(tmp_path / "taken")
    assert os.listdir(tmp_path) == ["taken"]
    with pytest.raises(FileNotFoundError):
        DiscoveryReport.load(tmp_path / "nowhere.json")


@pytest.fixture
def document(reports, tmp_path):
    reports("odd names").save(tmp_path / "report.json")
    return json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))


def load(document, tmp_path):
    path = tmp_path / "other.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return DiscoveryReport.load(path)


@pytest.mark.parametrize("text", ["", "x,y\n1,2\n", "[1, 2]", "{}", "[" * 10**5])
def test_other_files(tmp_path, text):
    with pytest.raises(ValueError, match="is no report of discovery"):
        load(text, tmp_path)


@pytest.mark.parametrize("version", [2, "1", None])
def test_other_versions(document, tmp_path, version):
    with pytest.raises(ValueError, match="Update discovery"):
        load(document | {"version": version}, tmp_path)


def changed(document, path, value):
    *way, last = path
    for key in way:
        document = document[key]
    document[last] = value


LAW = ("quantities", 0)
DAMAGES = {
    "verdict": (("verdict",), "perhaps"),
    "verdict of a law": ((*LAW, "verdict"), "perhaps"),
    "number": (("confidence",), "high"),
    "title": (("title",), 3),
    "terms": ((*LAW, "terms"), {"kind": "pickle"}),
    "coefficients": ((*LAW, "coefficients"), [1.0]),
    "power": ((*LAW, "terms", "exponents", 0, 0), 10**9),
    "check": ((*LAW, "checks", 0), {}),
    "laws": (("quantities",), None),
    "coordinates": ((*LAW, "terms"), {"kind": "columns", "functions": {}, "symbols": ["E"]}),
    "sample": (("sample", "values"), "none"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damaged_files(document, tmp_path, damage):
    changed(document, *damage)
    with pytest.raises(ValueError, match="is a damaged report"):
        load(document, tmp_path)


def test_columns_that_are_not_there(reports, tmp_path):
    reports("fields").save(tmp_path / "report.json")
    document = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    changed(document, (*LAW, "terms", "columns", 0, 0), 10**6)
    with pytest.raises(ValueError, match="is a damaged report"):
        load(document, tmp_path)


@pytest.mark.parametrize("missing", ["title", "quantities", "spectrum", "names"])
def test_incomplete_files(document, tmp_path, missing):
    del document[missing]
    with pytest.raises(ValueError, match="is a damaged report"):
        load(document, tmp_path)


# Wherever a file has a name or a formula, code in it must stay text.
PLACES = {
    "expression": ((*LAW, "expression"), lambda code: ["Symbol", code]),
    "function": ((*LAW, "expression"), lambda code: ["Function", code, ["Symbol", "E"]]),
    "text": ((*LAW, "expression"), lambda code: code),
    "atom": ((*LAW, "terms", "atoms", 0), lambda code: ["Real", code]),
    "function in an atom": (
        (*LAW, "terms", "atoms", 0),
        lambda code: ["Function", code, ["Real", "E"]],
    ),
    "coordinate": ((*LAW, "terms", "symbols", 0), lambda code: code),
    "kind of terms": ((*LAW, "terms", "kind"), lambda code: code),
    "coefficient": ((*LAW, "coefficients", 0), lambda code: code),
    "formula": ((*LAW, "formula"), lambda code: code),
    "title": (("title",), lambda code: code),
    "symmetry": ((*LAW, "symmetry"), lambda code: code),
    "name": (("names", 0), lambda code: code),
}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_a_file_runs_nothing(document, tmp_path, place):
    mark = tmp_path / "ran"
    path, put = place
    changed(document, path, put(f"open({str(mark)!r}, 'w').write"))
    try:
        report = load(document, tmp_path)
    except ValueError as error:
        assert "damaged report" in str(error)
    else:
        for quantity in report.quantities:
            quantity(np.ones((3, len(quantity.library.symbols))))
        for show in (str, DiscoveryReport.to_html, DiscoveryReport.to_dict):
            show(report)
    assert not mark.exists()


def test_integrals_run_nothing(reports, tmp_path):
    reports("fields").save(tmp_path / "report.json")
    document = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    mark = tmp_path / "ran"
    changed(document, (*LAW, "terms", "densities", 0), ["Real", f"open({str(mark)!r}, 'w')"])
    with pytest.raises(ValueError, match="is no coordinate"):
        load(document, tmp_path)
    assert not mark.exists()


def test_a_link_stays_one_and_a_file_keeps_its_mode(reports, tmp_path):
    file, link = tmp_path / "report.json", tmp_path / "link.json"
    file.write_text("old")
    file.chmod(0o600)
    link.symlink_to(file)
    report = reports("odd names")
    report.save(link)
    assert link.is_symlink() and file.stat().st_mode & 0o777 == 0o600
    assert type(report).load(file).to_dict() == report.to_dict()


def test_a_device_is_written_to_and_stays_one(reports, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as pool:
        text = pool.submit(pipe.read_text, encoding="utf-8")
        reports("odd names").save(pipe)
        assert json.loads(text.result(timeout=10))["format"] == "discovery report"
    assert pipe.is_fifo()


def test_a_folder_that_is_not_there_is_named(reports, tmp_path):
    report = reports("odd names")
    with pytest.raises(FileNotFoundError, match=f"no folder {tmp_path / 'nope'}"):
        report.save(tmp_path / "nope" / "report.json")
    with pytest.raises(IsADirectoryError):
        report.save(tmp_path)
