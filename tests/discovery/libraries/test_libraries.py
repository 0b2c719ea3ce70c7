"""Libraries: values against SymPy, derivatives against finite differences, for every builder."""

import itertools
import pickle

import numpy as np
import pytest
import sympy

from discovery import ConservedQuantityFinder, Trajectories, libraries
from discovery.datasets.integrate import integrate
from discovery.estimation.errors import full
from discovery.formulas.parsing import parse_formula
from discovery.libraries import families
from discovery.libraries.compiled import Pairing, atom_of
from discovery.libraries.escalation import escalation
from discovery.libraries.fitted import Fitted
from discovery.libraries.monomials import MAX_TERMS, symbols_of
from discovery.libraries.rational import rational

PLANE = ("x", "y", "u", "v")
PLANE_ROLES = ("position", "position", "velocity", "velocity")
PAIR = ("x1", "y1", "x2", "y2", "x3", "y3")
LINE = ("q1", "q2", "q3", "p1", "p2", "p3")
LINE_ROLES = ("position",) * 3 + ("momentum",) * 3

BUILDERS = {
    "polynomial": families.polynomial(("x", "y", "z"), 4),
    "polynomial of some columns": families.polynomial(PLANE, 3, columns=[0, 3]),
    "trigonometric, one angle": families.trigonometric(("theta", "omega"), ("angle", None)),
    "trigonometric, two angles": families.trigonometric(
        ("a", "b", "p", "q"), ("angle", "angle", None, None), order=3
    ),
    "logarithmic": families.logarithmic(("x", "y", "z"), [0, 2]),
    "mechanics": families.mechanics(PLANE, PLANE_ROLES),
    "mechanics with products": families.mechanics(PLANE, PLANE_ROLES, products=True),
    "mechanics of three bodies": families.mechanics(PAIR, ("position",) * 6),
    "radial": families.radial(PLANE, PLANE_ROLES),
    "multipoles": families.multipoles(PLANE, PLANE_ROLES),
    "plane flow": families.plane_flow(("x", "y"), ("position", "position")),
    "exponential": families.exponential(LINE, LINE_ROLES),
    "differences": families.differences(LINE, LINE_ROLES, 4),
    "custom": libraries.custom(["x*sin(y)/(1 + u**2)", "exp(-x*v)", "sqrt(x**2 + y**2)"], PLANE),
    "with fitted numbers": Fitted(
        symbols_of(("x", "y")),
        [*symbols_of(("x", "y")), parse_formula("1/(x**2 - y/2 + 2)", symbols_of(("x", "y")), "")],
        [(0, 0, 1), (1, 0, 1), (1, 2, 1)],
        "over another",
        fitted=2,
    ),
    # An atom with a kink: its second derivative is zero but at a point.
    "custom with an absolute value": libraries.custom(["abs(x)", "abs(x)*u**2"], PLANE),
}


@pytest.fixture(params=BUILDERS.values(), ids=BUILDERS)
def library(request):
    return request.param


def points(library, n=5):
    # Positive (logarithms) and of order one; bodies do not meet.
    return np.random.default_rng(3).uniform(0.4, 1.7, (n, library.dim))


def covariances(library, n=5):
    root = np.random.default_rng(4).normal(size=(n, library.dim, library.dim))
    return root @ np.swapaxes(root, 1, 2)


def derivative(function, states, directions, order, step):
    """Central differences of fourth order along one direction a state, (m, n)."""
    at = {k: function(states + k * step * directions) for k in (-2, -1, 0, 1, 2)}
    if order == 1:
        return (8 * (at[1] - at[-1]) - (at[2] - at[-2])) / (12 * step)
    return (16 * (at[1] + at[-1]) - (at[2] + at[-2]) - 30 * at[0]) / (12 * step**2)


def test_values_are_the_expressions(library):
    states = points(library, 2)
    expected = [
        [float(e.evalf(30, subs=dict(zip(library.symbols, x, strict=True)))) for x in states]
        for e in library.expressions()
    ]
    values = library.values(states)
    assert values.shape == (len(library), 2)
    np.testing.assert_allclose(values, expected, rtol=1e-13)


def test_gradients(library):
    states = points(library)
    values, gradients, nothing = library.jets(states, order=1)
    assert gradients.shape == (library.dim, len(library), len(states))
    assert nothing is None
    np.testing.assert_array_equal(values, library.values(states))
    for i, axis in enumerate(np.eye(library.dim)):
        # Error h⁴ with h = 1e-3, times factors of order 100 for high powers: 1e-9 and below.
        expected = derivative(library.values, states, axis[None], 1, 1e-3)
        np.testing.assert_allclose(gradients[i], expected, rtol=1e-7, atol=1e-8)


def test_hessian_contraction(library):
    states, sigma = points(library), covariances(library)
    values, gradients, bend = library.jets(states, sigma, order=2)
    np.testing.assert_array_equal(values, library.values(states))
    np.testing.assert_array_equal(gradients, library.jets(states, order=1)[1])
    # tr(Σ H) = Σ_j l_jᵀ H l_j over the columns of Σ = L Lᵀ: a sum of second derivatives.
    half = np.linalg.cholesky(sigma)
    expected = sum(
        derivative(library.values, states, half[:, :, j], 2, 1e-3) for j in range(library.dim)
    )
    # Rounding 1e-16/h² and error h⁴: 1e-9 of values that the covariance scales by up to 100.
    np.testing.assert_allclose(bend, expected, rtol=1e-5, atol=1e-6)


def test_no_product_of_slopes_is_taken_that_noise_leaves_out():
    """Of coordinates with errors of their own the squares alone count; any pair counts once."""
    library = families.polynomial(("x", "y", "z"), 3)
    states, sigma = points(library), np.einsum("nii->ni", covariances(library))
    whole = library.jets(states, full(sigma), order=2)[2]
    np.testing.assert_allclose(library.jets(states, sigma, order=2)[2], whole)
    assert all(k <= k2 for _, k, k2, *_ in library._plan.second)
    pairing = Pairing([{0: states[:, 0]}, {1: 1.0}], sigma)
    assert np.ndim(pairing(0, 1)) == 0  # one zero, not one for each state
    np.testing.assert_array_equal(pairing(1, 1), sigma[:, 1])


def test_distances_of_many_bodies_are_compiled_once():
    x = symbols_of([f"x{k}" for k in range(12)])
    apart = [1 / sympy.sqrt((a - b) ** 2 + 1) for a, b in itertools.combinations(x, 2)]
    atoms = [atom_of(x, formula) for formula in apart]
    assert len({atom.shape for atom in atoms}) == 1
    states = np.random.default_rng(0).normal(size=(12, 5))
    for atom, (a, b) in zip(atoms, itertools.combinations(states, 2), strict=True):
        np.testing.assert_allclose(atom.value(states), 1 / np.sqrt((a - b) ** 2 + 1))


def test_no_identity_hides_in_a_library(library):
    """The terms and the constant are linearly independent functions."""
    values = library.values(np.random.default_rng(0).uniform(0.3, 2.5, (4000, library.dim)))
    values = np.vstack([np.ones(4000), values])
    values /= np.linalg.norm(values, axis=1, keepdims=True)
    singular = np.linalg.svd(values, compute_uv=False)
    # A dependent term would leave a value at rounding, 1e-15; nearly parallel ones stay above.
    assert singular[-1] > 1e-10 * singular[0]


def test_pickling(library):
    copy = pickle.loads(pickle.dumps(library))
    states = points(library)
    assert (copy.name, copy.symbols, copy.exponents) == (
        library.name,
        library.symbols,
        library.exponents,
    )
    np.testing.assert_array_equal(copy.values(states), library.values(states))


def test_restriction(library):
    chosen = [len(library) - 1, 0]
    part = library.restrict(chosen)
    states = points(library)
    np.testing.assert_allclose(part.values(states), library.values(states)[chosen], rtol=1e-14)
    assert part.expressions() == [library.expressions()[j] for j in chosen]
    np.testing.assert_allclose(part.costs(), library.costs()[chosen])


CONTENTS = {
    "polynomial": (families.polynomial(("x", "y"), 2), "x, y, x**2, x*y, y**2"),
    "trigonometric": (
        families.trigonometric(("a", "p"), ("angle", None), order=2),
        "p, p**2, *cos(a), *sin(a), *cos(2*a), *sin(2*a)",
    ),
    "logarithmic": (
        families.logarithmic(("x", "y"), [1]),
        "x, y, x**2, x*y, y**2, log(y)",
    ),
    "differences": (
        families.differences(("x", "y", "v"), ("position", "position", "velocity"), 3),
        "v, v**2, x, x**2, x**3, y, y**2, y**3, (x - y)**2, (x - y)**3",
    ),
    # Bodies of several coordinates differ along each axis.
    "differences in the plane": (
        families.differences(("x1", "y1", "x2", "y2"), ("position",) * 4, 2),
        "x1, y1, x2, y2, x1**2, y1**2, x2**2, y2**2, (x1 - x2)**2, (y1 - y2)**2",
    ),
    "multipoles": (
        families.multipoles(("x", "y"), ("position", "position")),
        "x, y, x**2, x*y, y**2, 1/r, x/r**3, y/r**3, x**2/r**5, x*y/r**5, y**2/r**5",
    ),
    "plane flow": (
        families.plane_flow(("x", "y"), ("position", "position")),
        "x, y, x**2, x*y, y**2, log(r), x/r**2, y/r**2, (x**2 - y**2)/r**4, x*y/r**4",
    ),
    "radial": (
        families.radial(("x", "y"), ("position", "position")),
        "x, y, x**2, x*y, y**2, r, r**3, r**4, log(r), 1/r, r**-2, r**-3, exp(-r)/r",
    ),
}


@pytest.mark.parametrize(("library", "terms"), CONTENTS.values(), ids=CONTENTS)
def test_contents(library, terms):
    """The builders hold the terms that they say; * stands for 'times 1, p and p²'."""
    symbols = {s.name: s for s in library.symbols}
    if {"x", "y"} <= set(symbols):
        symbols["r"] = sympy.sqrt(symbols["x"] ** 2 + symbols["y"] ** 2)
    expected = set()
    for term in terms.split(", "):
        function = sympy.sympify(term.lstrip("*"), locals=symbols)
        factors = (1, symbols["p"], symbols["p"] ** 2) if term.startswith("*") else (1,)
        expected |= {factor * function for factor in factors}
    assert set(library.expressions()) == expected
    assert len(library) == len(expected)


def test_distances_between_bodies():
    """The numbers in names part bodies: three bodies have three distances, none to the origin."""
    terms = BUILDERS["mechanics of three bodies"].expressions()
    x = dict(zip(PAIR, sympy.symbols(PAIR, real=True), strict=True))
    inverse = {
        1 / sympy.sqrt((x[f"x{a}"] - x[f"x{b}"]) ** 2 + (x[f"y{a}"] - x[f"y{b}"]) ** 2)
        for a, b in itertools.combinations((1, 2, 3), 2)
    }
    assert {t for t in terms if t.has(sympy.Pow) and not t.is_polynomial()} == inverse


@pytest.mark.parametrize("products", [False, True])
def test_kepler_laws_lie_in_mechanics(products):
    """Energy always, the Laplace-Runge-Lenz vector with products: exactly, as linear algebra."""
    library = families.mechanics(PLANE, PLANE_ROLES, products)
    states = points(library, 200)
    x, y, u, v = states.T
    r = np.hypot(x, y)
    energy, lrl = (u**2 + v**2) / 2 - 1 / r, v * (x * v - y * u) - x / r
    basis = library.values(states).T

    def residual(target):
        return np.linalg.norm(basis @ np.linalg.lstsq(basis, target)[0] - target)

    assert residual(energy) < 1e-10
    assert (residual(lrl) < 1e-10) == products


def test_costs_prefer_the_simple():
    library = libraries.custom(["x", "x*y", "1/sqrt(x**2 + y**2)"], ("x", "y"))
    polynomial = families.polynomial(("x", "y"), 3)
    by_term = dict(zip(map(str, polynomial.expressions()), polynomial.costs(), strict=True))
    assert by_term["x"] == 1
    assert by_term["x**2"] == 2 < by_term["x*y"] < 3
    assert by_term["x**3"] == 3 < by_term["x**2*y"]
    assert np.all(np.diff(library.costs()) > 0)


BAD_LISTS = {
    "no formula": (["x +* y"], "is no formula.*formula in x, y"),
    "no expression": (["x", "[x]"], "no part of a formula"),
    "a relation": (["x < y"], "no part of a formula"),
    "an unknown symbol": (["x*omega"], "'omega' is unknown.*formula in x, y"),
    "several unknown symbols": ([sympy.Symbol("m") * sympy.Symbol("k")], "'k', 'm' is unknown"),
    "a constant": (["x", "3*pi"], r"3\*pi is a constant"),
}


@pytest.mark.parametrize(("expressions", "message"), BAD_LISTS.values(), ids=BAD_LISTS)
def test_bad_custom_list(expressions, message):
    with pytest.raises(ValueError, match=message):
        libraries.custom(expressions, ("x", "y"))


def test_empty_custom_list():
    with pytest.raises(ValueError, match="received no expressions"):
        libraries.resolve([], ("x", "y"), None, np.ones((2, 2)))


def test_custom_takes_symbols_with_other_assumptions():
    """The user's own Symbol("x") is the coordinate x, whatever it assumes."""
    library = libraries.custom([sympy.Symbol("x", positive=True) ** 2, "y"], ("x", "y"))
    np.testing.assert_allclose(library.values(np.array([[3.0, 5.0]])), [[9.0], [5.0]])


NAMED = {
    "polynomial": ["x**2"],
    "trigonometric": ["cos(x)"],
    "mechanics": ["1/sqrt(x**2 + y**2)"],
    "radial": ["log(sqrt(x**2 + y**2))"],
    "logarithmic": ["log(u)"],
    "exponential": ["exp(x)", "exp(x - y)"],
}


@pytest.mark.parametrize(("name", "terms"), NAMED.items(), ids=NAMED)
def test_names(name, terms):
    assert name in libraries.NAMES
    rows = points(BUILDERS["mechanics"], 20)
    stages = libraries.resolve(name, PLANE, PLANE_ROLES, rows)
    symbols = {s.name: s for s in stages[-1].symbols}
    found = {e for stage in stages for e in stage.expressions()}
    assert {sympy.sympify(t, locals=symbols) for t in terms} <= found


def test_logarithms_of_what_noise_alone_makes_negative():
    rows = np.column_stack([np.linspace(0.05, 2, 400)] * 2)
    rows[0] = -0.03
    (library,) = libraries.resolve("logarithmic", ("x", "y"), None, rows, noise=[0.02, 0.001])
    assert library.positive == (0,)


def test_every_name_is_tested():
    assert set(libraries.NAMES) == {*NAMED, "auto"}


def test_libraries_pass_through_in_turn():
    first, second = BUILDERS["polynomial of some columns"], BUILDERS["mechanics"]
    rows = np.ones((3, 4))
    assert libraries.resolve(first, PLANE, None, rows) == [first]
    assert libraries.resolve([first, second], PLANE, None, rows) == [first, second]


BAD_SPECS = {
    "unknown name": ("polynom", "unknown name 'polynom'.*polynomial"),
    "no library": (5, "received int"),
    "of other coordinates": (BUILDERS["exponential"], "6 coordinates, the data have 4"),
    "no positive coordinate": ("logarithmic", "none of x, y, u, v is"),
    "a term without values": (
        ["u**2", "sqrt(x)", "acosh(y)"],
        r"sqrt\(x\), acosh\(y\) is not finite",
    ),
}


@pytest.mark.parametrize(("spec", "message"), BAD_SPECS.values(), ids=BAD_SPECS)
def test_bad_library(spec, message):
    with pytest.raises(ValueError, match=message):
        libraries.resolve(spec, PLANE, PLANE_ROLES, -np.ones((3, 4)))


def test_a_logarithm_needs_no_more_than_some_positive_rows():
    rows = np.linspace(-1, 2, 12).reshape(3, 4)
    (library,) = libraries.resolve(["log(x)", "1/y"], PLANE, PLANE_ROLES, rows)
    assert library.positive == (0, 1)


@pytest.mark.parametrize(("name", "build"), [("auto", list), ("mine", 3)])
def test_what_cannot_be_registered(name, build):
    with pytest.raises(ValueError, match=r"taken|Expected a function"):
        libraries.register(name, build)


# What "auto" must have among its terms, for coordinates of known roles.
AUTO = {
    "plane": (PLANE, PLANE_ROLES, ["x*v", "u**2", "1/sqrt(x**2 + y**2)", "x**3", "exp(x)"]),
    "potentials": (
        PLANE,
        PLANE_ROLES,
        ["log(r)", "r", "1/r**2", "1/r**3", "exp(-r)/r"],
    ),
    "angle": (("theta", "omega"), ("angle", "angular_velocity"), ["cos(theta)", "omega**2"]),
    "amounts": (("a", "b"), ("amount", "amount"), ["log(a)", "log(b)", "a*b"]),
    "chain": (LINE, LINE_ROLES, ["exp(q1 - q2)", "(q1 - q2)**3", "(q1 - q3)**4"]),
    "vortices": (
        ("x1", "y1", "x2", "y2", "x3", "y3"),
        (None,) * 6,
        ["log(sqrt((x1 - x2)**2 + (y1 - y2)**2))", "1/sqrt((x2 - x3)**2 + (y2 - y3)**2)", "x1*y3"],
    ),
}


@pytest.mark.parametrize(("names", "roles", "terms"), AUTO.values(), ids=AUTO)
def test_auto_tries(names, roles, terms):
    rows = np.random.default_rng(0).uniform(0.1, 2.0, (50, len(names)))
    stages = [s for s in escalation(names, roles, rows) if isinstance(s, libraries.Library)]
    symbols = {name: sympy.Symbol(name, real=True) for name in names}
    if "x" in symbols:
        symbols["r"] = sympy.sqrt(symbols["x"] ** 2 + symbols["y"] ** 2)
    found = {sympy.expand_log(e) for stage in stages for e in stage.expressions()}
    missing = [t for t in terms if sympy.expand_log(sympy.sympify(t, locals=symbols)) not in found]
    assert not missing
    assert len(stages[0]) <= min(len(stage) for stage in stages[1:])
    assert max(len(stage) for stage in stages) <= MAX_TERMS


def test_only_one_body_in_plane_or_space_has_multipoles():
    assert families.multipoles(PAIR, ("position",) * 6) is None
    assert families.multipoles(("q", "p"), ("position", "momentum")) is None


def test_multipoles_hold_a_magnetic_dipole_about_any_axis():
    """(r² − q²)/r³, its flux through a circle about the axis of q, in independent functions."""
    library = families.multipoles(("x", "y", "z"), ("position",) * 3)
    states = np.random.default_rng(0).normal(size=(400, 3))
    values, squares = library.values(states), states**2
    r2 = squares.sum(axis=1)
    assert np.linalg.matrix_rank(values) == len(library)
    for axis in range(3):
        flux = (r2 - squares[:, axis]) / r2**1.5
        left = flux - values.T @ np.linalg.lstsq(values.T, flux)[0]
        assert np.abs(left).max() < 1e-9


def test_only_two_places_are_of_a_plane_flow():
    assert families.plane_flow(PLANE, PLANE_ROLES) is None
    assert families.plane_flow(("x", "y", "z"), ("position",) * 3) is None


@pytest.mark.parametrize("turning", [0.0, 0.7])
def test_tracers_past_a_cylinder(turning):
    """The stream function of a stream, a doublet and a vortex, at 1 % noise."""
    rng = np.random.default_rng(0)
    starts = np.column_stack([rng.uniform(-3.3, -2.7, 40), rng.uniform(-2, 2, 40)])

    def flow(states):
        z = states[:, 0] + 1j * states[:, 1]
        speed = 1 - 1.44 / z**2 - 1j * turning / z
        return np.stack([speed.real, -speed.imag], axis=1)

    states = integrate(flow, starts, np.linspace(0, 6, 100))
    states += 0.01 * states.std(axis=(0, 1)) * rng.standard_normal(states.shape)
    runs = Trajectories(list(states), names=["x", "y"], roles=["position"] * 2)
    finder = ConservedQuantityFinder(random_state=0).fit(runs)
    assert finder.n_conserved_ == 1
    parts = {"y", "y/(x**2 + y**2)"} | ({"log(x**2 + y**2)"} if turning else set())
    formula = sympy.expand_log(finder.quantities_[0].expression, force=True)
    terms = {str(t.as_coeff_Mul()[1]) for t in sympy.expand(formula).args}
    assert terms == parts


def test_few_functions_come_before_the_many_that_imitate_them():
    """Powers of low degree, functions of the distance, powers of high degree."""
    names, roles = ("x", "y", "u", "v"), ["position"] * 2 + ["velocity"] * 2
    rows = np.random.default_rng(0).uniform(0.1, 2.0, (50, 4))
    order = [stage.name for stage in escalation(names, roles, rows)]
    wanted = ["polynomial(2)", "polynomial(4)", "radial (all)", "polynomial(6)"]
    assert [name for name in order if name in wanted] == wanted


def test_sums_come_before_their_squares_in_any_number_of_coordinates():
    """Six bodies in the plane: products are too many, the momenta's sums are there."""
    names = [f"{letter}{i}" for letter in "xyuv" for i in range(6)]
    roles = ["position"] * 12 + ["velocity"] * 12
    first = escalation(names, roles, np.random.default_rng(0).normal(size=(50, 24)))[0]
    assert {str(term) for term in first.expressions()} == set(names)


def test_a_noisy_angle_has_no_cosine():
    """Noise of .3 radians and more: nothing tells that its function has a period."""
    rows = np.random.default_rng(0).uniform(-1.0, 1.0, (50, 2))
    roles = ("angle", "angular_velocity")
    for noise, known in ((0.1, True), (0.5, False)):
        stages = escalation(("theta", "omega"), roles, rows, noise=np.array([noise, 0.1]))
        terms = [e for stage in stages for e in stage.expressions()]
        assert any(e.has(sympy.cos) for e in terms) == known


def test_a_library_names_what_must_be_positive():
    library = rational(["r", "phi", "v"], [None, "angle", None], [0])
    assert library.positive == (0,)
    plain = [str(e) for e in library.expressions()].index("r")
    assert library.restrict([plain]).positive == ()
    assert libraries.logarithmic(["x", "y"], [1]).positive == (1,)
    assert libraries.polynomial(["x", "y"], 3).positive == ()
    assert libraries.custom(["1/sqrt(x**2 + y**2)", "log(y)/x"], ["x", "y"]).positive == (0, 1)


def test_cross_ratios_of_phases_are_kept_by_any_common_force():
    """Watanabe and Strogatz: p_i' = f + g cos p_i + h sin p_i, the same f, g, h for all."""
    library = families.phases(("a", "b", "c", "d"))
    rng = np.random.default_rng(0)
    phases, (f, g, h) = rng.uniform(-3, 3, (50, 4)), rng.normal(size=(3, 50, 1))
    rates = f + g * np.cos(phases) + h * np.sin(phases)
    slopes = np.einsum("dmn,nd->mn", library.jets(phases)[1], rates)
    cross = np.array([1, -1, 0, 0, -1, 1])  # of ab, ac, ad, bc, bd, cd
    np.testing.assert_allclose(cross @ slopes, 0, atol=1e-9 * np.abs(slopes).max())
    rows, names = rng.uniform(-3, 3, (300, 4)), ["a", "b", "c", "d"]
    for roles, there in ((["angle"] * 4, True), (["angle"] * 3 + ["velocity"], False)):
        tried = {some.name for some in escalation(names, roles, rows, noise=0.01)}
        assert (library.name in tried) == there


def test_the_twist_of_a_wire_has_no_period():
    """Sums of waves imitate a torsion pendulum's energy; what turns over has no other."""
    rng, t = np.random.default_rng(0), np.linspace(0, 12, 120)
    size, phase = rng.uniform((0.3, 0), (1.5, 6), (30, 2)).T[..., None]
    angle = 1.3 * t + phase
    states = np.stack([size * np.cos(angle), -1.3 * size * np.sin(angle)], axis=-1)
    states += 0.01 * states.std(axis=(0, 1)) * rng.standard_normal(states.shape)
    runs = Trajectories(states, times=t, names=["theta", "omega"])
    (law,) = ConservedQuantityFinder(random_state=0).fit(runs).report_.quantities
    assert set(map(str, law.coefficients)) == {"theta**2", "omega**2"}
    turning = np.column_stack([np.linspace(0, 7, 50), np.ones(50)])
    some = escalation(("theta", "omega"), ("angle", "angular_velocity"), turning)
    assert not any("theta**2" in map(str, library.expressions()) for library in some[:3])


def test_distances_alone_have_no_other_terms():
    """One for each pair of bodies; of one body there is none."""
    names = ("x1", "y1", "x2", "y2", "x3", "y3")
    library = families.of_distances_alone(names, ("position",) * 6, "log r")
    assert len(library) == 3 and all(term.has(sympy.log) for term in library.expressions())
    assert families.of_distances_alone(PLANE, PLANE_ROLES, "log r") is None
