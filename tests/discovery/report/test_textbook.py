"""Textbook form: laws are scaled, ordered and written as in books, and stay the same functions."""

import json
from dataclasses import replace

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from discovery import ConservedQuantityFinder, DiscoveryReport, Trajectories, datasets
from discovery.datasets.integrate import integrate
from discovery.formulas.angles import short_in_angles
from discovery.formulas.simple_numbers import NUMBERS
from discovery.laws.judging.decay import Decay
from discovery.libraries import custom
from discovery.noether.motion import MeasuredMotion
from discovery.report.arrangement import arranged
from discovery.report.errors import error_words
from discovery.report.quantity import Quantity
from discovery.report.textbook import _dissipated
from discovery.report.typesetting import label, latex
from discovery.report.use import as_law

NAMES, MOMENTA = ("x", "y", "u", "v"), ("u", "v")


def report_of(name, library="auto", columns=None):
    runs = datasets.load(name, 40, 100, noise=0.01, seed=0)
    finder = ConservedQuantityFinder(library, roles=runs.roles, random_state=0)
    rows = runs.to_frame()[list(runs.names)] * (columns or {name: 1.0 for name in runs.names})
    return finder.fit(rows, groups=runs.groups, times=runs.row_times).report_


@pytest.fixture(scope="module")
def kepler():
    return report_of("kepler")


def test_laws_read_as_in_books(kepler):
    named = {q.name: q.formula for q in kepler.quantities}
    assert named == {
        "angular momentum": "x*v - y*u",
        "energy": "u**2/2 + v**2/2 - 1/sqrt(x**2 + y**2)",
        "Runge–Lenz vector along x": "x*v**2 - y*u*v - x/sqrt(x**2 + y**2)",
    }
    assert kepler.to_dict()["quantities"][0]["name"] == "angular momentum"
    for name in named:
        assert name in str(kepler) and name in kepler.to_html()


def test_what_has_no_certain_form_has_no_name(monkeypatch):
    (law,) = report_of("harmonic_oscillator").quantities
    assert (law.name, law.symmetry) == ("energy", "time translation")
    monkeypatch.setattr(Quantity, "form_known", False)
    (law,) = report_of("harmonic_oscillator").quantities
    assert (law.name, law.symmetry) == (None, None)


def test_the_vector_is_completed(kepler):
    """Its other component is a function of the laws, and so is not counted."""
    other = "y*u**2 - x*u*v - y/sqrt(x**2 + y**2)"
    assert f"Runge–Lenz vector along y is conserved too, a function of the laws: {other}" in (
        kepler.symmetries
    )


def test_what_goes_with_the_scale(kepler):
    """Function, formula, coefficients and errors are those of the printed law."""
    runs = datasets.load("kepler", 5, 20, seed=1)
    for law in kepler.quantities:
        by_hand = sympy.lambdify(sympy.symbols(runs.names), sympy.sympify(law.formula))
        np.testing.assert_allclose(by_hand(*runs.rows.T), law(runs.rows), rtol=1e-9)
        by_terms = sum(
            c * sympy.lambdify(sympy.symbols(runs.names), str(t))(*runs.rows.T)
            for t, c in law.coefficients.items()
        )
        np.testing.assert_allclose(by_terms, law(runs.rows), rtol=1e-9)
    energy = next(q for q in kepler.quantities if q.name == "energy")
    assert min(energy.coefficients.values()) == -1
    error = next(e for t, e in energy.standard_errors.items() if "sqrt" not in str(t) and e)
    assert 0 < error < 0.01


def test_units_change_neither_name_nor_form():
    """Kilometres and kilometres a second, from afar."""
    scaled = report_of("central_force", columns={"x": 1e3, "y": 1e3, "u": 1e2, "v": 1e2})
    energy = next(q for q in scaled.quantities if q.name == "energy")
    assert energy.formula.startswith("u**2/2 + v**2/2 + ")
    assert "x*v - y*u" in [q.formula for q in scaled.quantities]


@pytest.mark.parametrize(
    ("formula", "written"),
    [
        ("-u*y + v*x", "x*v - y*u"),
        ("-1/sqrt(x**2 + y**2) + v**2/2 + u**2/2", "u**2/2 + v**2/2 - 1/sqrt(x**2 + y**2)"),
        ("y - x + (x - y)**4 - u", "-u + y - x + (x - y)**4"),
        ("v*x*sin(y)/3 - 2*x", "x*v*sin(y)/3 - 2*x"),
        ("log(x) + 2*x*y - 3*x", "-3*x + 2*x*y + log(x)"),
        ("sqrt(1 + u**2) - 1/x", "sqrt(u**2 + 1) - 1/x"),
        ("y - sqrt(2)*u/2 + x*sqrt(3)", "-sqrt(2)*u/2 + sqrt(3)*x + y"),
        ("(x - y)**2 + (u - v)**2/3", "(u - v)**2/3 + (x - y)**2"),
        ("1.0*u + 0.77*v", "u + 0.77*v"),
        ("-1.0*u + 1.0*x*v", "-u + x*v"),
        ("2*x*(u**2 + 1/y) + 2*y*(u**2 + 1/y) - v", "2*(x + y)*(u**2 + 1/y) - v"),
        ("-x*(u + v) - 1.7*y*(u + v) + x*v", "x*v - (x + 1.7*y)*(u + v)"),
    ],
)
def test_order(formula, written):
    text = sympy.sstr(arranged(sympy.sympify(formula), NAMES, MOMENTA), order="none")
    assert text == written
    # A picture's title keeps the order.
    order = latex(arranged(sympy.sympify(formula), NAMES, MOMENTA), order="none")
    title = label(arranged(sympy.sympify(formula), NAMES, MOMENTA))
    assert title.replace(r"\dfrac", r"\frac") == f"${order}$"


def test_halves_are_exact(kepler):
    """Of a number in six digits too."""
    number, u = sympy.Float("1.70885", 6), sympy.Symbol("u")
    law = replace(kepler["energy"], expression=number * u**2)
    assert law.times(sympy.Float(0.5 / float(number)), NUMBERS).expression == u**2 / 2


def test_latex_and_page_keep_the_order(kepler):
    law = next(q for q in kepler.quantities if q.name == "angular momentum")
    assert law.to_latex() == "x v - y u"
    assert kepler.to_html().index("<mi>x</mi>") < kepler.to_html().index("<mi>u</mi>")


def test_fields_keep_their_integrals():
    u, x = sympy.Function("u"), sympy.Symbol("x")
    slope = sympy.Derivative(u(x), x)
    law = sympy.Integral(slope**2 / 2 - u(x) ** 3 + 3 * x, x)
    again = sympy.sympify(sympy.sstr(arranged(law, ["u1", "u2"]), order="none"))
    assert (again - law).doit().expand() == 0


MONOMIALS = st.tuples(
    st.sampled_from([-3, -1, 1, 2]), *[st.integers(0, 2)] * 4, st.sampled_from(["1", "cos(x)"])
)


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(st.lists(MONOMIALS, min_size=1, max_size=5))
def test_order_changes_no_function(terms):
    formula = sympy.Add(
        *(sympy.sympify(f"{c}*x**{i}*y**{j}*u**{k}*v**{n}*{f}") for c, i, j, k, n, f in terms)
    )
    again = sympy.sympify(sympy.sstr(arranged(formula, NAMES, MOMENTA), order="none"))
    assert sympy.expand(again - formula) == 0


@pytest.mark.parametrize(
    ("formula", "shorter"),
    [
        ("w - w*cos(2*a)", "2*w*sin(a)**2"),
        ("9*w + 8*w*cos(a) + w*cos(2*a)", "2*w*(cos(a) + 2)**2"),
        ("u**2 + w**2/2 - w**2*cos(2*a)/2 - 2*cos(a)", "u**2 + w**2*sin(a)**2 - 2*cos(a)"),
        ("u*w*cos(a - b) + cos(a)", "u*w*cos(a - b) + cos(a)"),
        ("w*cos(3*a)", "w*cos(3*a)"),
    ],
)
def test_angles(formula, shorter):
    found = short_in_angles(sympy.sympify(formula))
    assert sympy.simplify(found - sympy.sympify(shorter)) == 0
    assert len(sympy.Add.make_args(found)) == len(sympy.Add.make_args(sympy.sympify(shorter)))
    symbols = sympy.symbols("a b u w")
    states = np.random.default_rng(0).normal(size=(4, 50))
    one, other = (sympy.lambdify(symbols, f)(*states) for f in (found, sympy.sympify(formula)))
    np.testing.assert_allclose(one, other, atol=1e-12)


def test_errors_are_of_the_terms_that_are_written(kepler):
    """Of w² sin²θ, not of the w² and w² cos 2θ that it was found as."""
    terms = ["u**2", "w**2", "w**2*cos(2*a)", "cos(a)"]
    c = np.array([0.5, 0.25, -0.25, -4.375])
    root = np.random.default_rng(0).normal(scale=1e-3, size=(4, 4)) * c[:, None]
    root[0] = 0.0
    law = replace(
        kepler["energy"],
        expression=short_in_angles(
            sympy.sympify("u**2/2 + w**2/4 - w**2*cos(2*a)/4 - 35*cos(a)/8")
        ),
        _library=custom(terms, ("a", "u", "w")),
        _coefficients=c,
        _covariance=root @ root.T,
    )
    assert law.expression == sympy.sympify("u**2/2 + w**2*sin(a)**2/2 - 35*cos(a)/8")
    half = -2 * root[2]
    assert np.linalg.norm(half) > 5e-4
    assert error_words(law) == (
        f"coefficients of w**2*sin(a)**2 ± {np.linalg.norm(half):.1g}, "
        f"cos(a) ± {np.linalg.norm(root[3]):.1g}"
    )
    # What is one term has no number, and of a product of sums nothing is told.
    one = replace(
        law,
        expression=sympy.sympify("w**2*sin(a)**2/2"),
        _library=custom(terms[1:3], ("a", "u", "w")),
        _coefficients=c[1:3],
        _covariance=law.covariance[1:3, 1:3],
    )
    assert error_words(one) == ""
    assert error_words(replace(law, expression=sympy.sympify("(u + w)*(1 + sin(a))"))) == ""


def test_the_scale_is_what_is_written(kepler):
    """A ½ is the scale, though its coefficient be off by a digit that is not printed."""
    law = replace(
        kepler["energy"],
        expression=sympy.sympify("u**2/2 + 0.271966*u**2*x**2 + 1.81311*x**2"),
        _library=custom(["x**2", "u**2", "u**2*x**2"], NAMES),
        _coefficients=np.array([1.813105, 0.49999998, 0.27196576]),
        _covariance=np.diag([0.0, 1e-3, 1e-3]) ** 2,
    )
    assert [error == 0 for error in law.standard_errors.values()] == [False, True, False]
    assert error_words(law) == "coefficients of x**2 ± 0.004, u**2*x**2 ± 0.001"


def test_energies_of_fields_have_their_halves():
    """By their flow they are named, u_t = v, and the velocity's square gets a half."""
    runs = datasets.load("nonlinear_wave", 12, 40, seed=0)
    densities = ["u_x**2", "u**2", "v**2", "u**4", "u*v_x"]
    finder = ConservedQuantityFinder(
        densities, roles=runs.roles, grid_spacing=runs.grid_spacing, random_state=0
    )
    rows = runs.to_frame()[list(runs.names)]
    found = finder.fit(rows, groups=runs.groups, times=runs.row_times).report_.quantities
    energy = next(q for q in found if q.name == "energy")
    assert energy.symmetry == "time translation"
    assert energy.formula == (
        "Integral(u(x)**2/2 + v(x)**2/2 + u(x)**4/4 + Derivative(u(x), x)**2/2, x)"
    )
    by_terms = sum(
        c * energy.library.restrict([k]).values(runs.rows)[0]
        for k, c in enumerate(energy.coefficients.values())
    )
    np.testing.assert_allclose(by_terms, energy(runs.rows), rtol=1e-9)
    truth = runs.truth["energy"]
    np.testing.assert_allclose(energy(runs.states), truth(runs.states), rtol=1e-3)


def test_a_logarithm_of_a_distance_is_one_of_its_square():
    runs = datasets.load("charged_wire", 20, 60, noise=0.01, seed=0)
    terms = ["u**2 + v**2 + w**2", "x*v", "y*u", "w", "log(sqrt(x**2 + y**2))"]
    library = custom(terms, runs.names)
    finder = ConservedQuantityFinder([library], roles=runs.roles, random_state=0)
    rows = runs.to_frame()[list(runs.names)]
    report = finder.fit(rows, groups=runs.groups, times=runs.row_times).report_
    along = next(q for q in report.quantities if q.name == "canonical momentum along z")
    assert along.formula.startswith("w - 0.41") and along.formula.endswith("*log(x**2 + y**2)")
    assert along.symmetry == "translation along z, in the field"
    by_hand = sympy.lambdify(sympy.symbols(runs.names), along.formula)(*runs.rows.T)
    np.testing.assert_allclose(by_hand, along(runs.rows), rtol=1e-9)
    log = next(term for term in along.coefficients if term.has(sympy.log))
    of_log = replace(along, _covariance=np.diag([0.0, 0.004**2]))
    assert list(of_log.coefficients) == [*set(along.coefficients) - {log}, log]
    assert error_words(of_log) == "coefficient of log(x**2 + y**2) ± 0.002"


@pytest.fixture(scope="module")
def heavy():
    """u²/2 + 1117.3 x² + 3333.7 x⁴ is conserved."""
    rng, times = np.random.default_rng(0), 0.001 * np.arange(100)
    starts = rng.uniform(-1.5, 1.5, (40, 2)) * [1, 50]

    def motion(states):
        x, u = states.T
        return np.stack([u, -2 * 1117.3 * x - 4 * 3333.7 * x**3], axis=1)

    states = integrate(motion, starts, times)
    states += 0.01 * states.std(axis=(0, 1)) * rng.standard_normal(states.shape)
    runs = Trajectories(states, times=times, names=["x", "u"], roles=["position", "velocity"])
    return ConservedQuantityFinder("polynomial", random_state=0).fit(runs).report_


def test_the_half_of_a_book_has_no_error(heavy, tmp_path):
    """In errors, words, LaTeX, the explanation and a file, whatever scale the search had."""
    (law,) = heavy.quantities
    terms = list(law.coefficients)
    x2, x4, u2 = (sympy.Symbol(a) ** n for a, n in (("x", 2), ("x", 4), ("u", 2)))
    found, c = law.standard_errors, np.array(list(law.coefficients.values()))
    k = terms.index(x4)
    scale = np.eye(3) - np.outer(c, np.eye(3)[k]) / c[k]
    law = replace(law, _covariance=scale @ law.covariance @ scale.T)
    errors = law.standard_errors
    assert law.best_known_errors[x4] == errors[u2] == 0 < law.best_known_errors[u2]
    for term, true in ((x2, 1117.3), (x4, 3333.7)):
        assert errors[term] == pytest.approx(found[term]) and 0 < errors[term] < 0.05 * true
        assert abs(law.coefficients[term] - true) < 3 * errors[term]
    assert error_words(law).startswith("coefficients of x**2 ± ") and "u**2" not in error_words(law)
    # Equations of motion take numbers in units of the first.
    assert as_law(law).errors[0] == 0 < min(as_law(law).errors[1:])
    text = law.to_latex(errors=True)
    assert text.count(r"\pm") == 2 and r"\frac{1}{2}\, u^{2}" in text
    report = replace(heavy, quantities=[law])
    assert "u**2: 0.5 (known)" in " ".join(report.explain().split())
    report.save(path := tmp_path / "report.json")
    (again,) = DiscoveryReport.load(path).quantities
    assert again.standard_errors == errors and again.best_known_errors == law.best_known_errors
    document = json.loads(path.read_text())
    (plain,) = document["quantities"]
    assert plain["standard_errors"][terms.index(u2)] == 0
    # Files of before hold errors alone, in the scale of the search.
    plain["standard_errors"] = list(law.best_known_errors.values())
    del plain["covariance"]
    path.write_text(json.dumps(document))
    older = DiscoveryReport.load(path).quantities[0].standard_errors
    assert older[u2] == 0 and older[x4] == pytest.approx(errors[x4])


def test_a_loss_is_typeset():
    report = ConservedQuantityFinder(random_state=0).fit(_damped()).report_
    (energy,) = (q for q in report.quantities if q.decay is not None)
    assert "**2" in energy.trend
    for text in (report.to_latex(), report.to_markdown()):
        assert "**2" not in text and "^{2}$ in a unit of time" in text
    page = report.to_html()
    assert "<div class='quiet'>loses <math" in page


@pytest.mark.parametrize(
    ("terms", "told", "name"),
    [
        (["x**2", "u**2"], False, "energy"),
        (["x**2", "u**2", "y**2"], False, None),
        (["x**2", "u**2", "y**2"], True, "energy"),
    ],
)
def test_losses_alone_make_no_energy(kepler, terms, told, name):
    """Of components of a vector that turns, one falls as a velocity does, and is none."""
    columns, states = ("x", "y", "u"), np.random.default_rng(0).normal(size=(50, 3))
    motion = MeasuredMotion(
        states=states,
        times=np.arange(50.0),
        offsets=np.array([0, 50]),
        names=columns,
        roles=("position", None, "velocity"),
        told=told,
        noise=np.zeros(3),
        pairs=((0, 2),),
    )
    law = replace(
        kepler["energy"],
        decay=Decay(0.1, 0.01, 1.0, (sympy.Symbol("u") ** 2,), (0.1,)),
        _library=custom(terms, columns),
        _coefficients=np.full(len(terms), 0.5),
    )
    assert _dissipated(law, motion) == name


def _damped():
    t, rng = np.linspace(0, 15, 100), np.random.default_rng(0)
    size, phase = rng.uniform(0.3, 2, (30, 1)), rng.uniform(0, 6.3, (30, 1))
    swing = size * np.exp((-0.05 + 1j) * t + 1j * phase)
    states = np.stack([swing.real, ((-0.05 + 1j) * swing).real], axis=-1)
    return Trajectories(states, times=t, names=["x", "u"], roles=["position", "velocity"])
