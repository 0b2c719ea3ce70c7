"""Closed forms: sparse combinations of flat directions, coefficients as simple as data allow."""

import numpy as np
import pytest
import sympy
from scipy import linalg

from discovery import Trajectories, datasets, libraries
from discovery.estimation.preparation import prepare
from discovery.laws.finding import candidates
from discovery.laws.finding.operators import operators, spectrum
from discovery.laws.finding.rounding import rounded


def flat_directions(runs, library):
    orbits = prepare(runs)
    ops = operators(library, orbits.smoothed, orbits.offsets, orbits.scale)
    found = spectrum(ops)
    return ops, found.vectors[:, found.values < 2]


def found_in(runs, library):
    ops, vectors = flat_directions(runs, library)
    return ops, candidates.candidates(ops, vectors, library.costs())


# System, library, the number of its laws there, and the terms that their formulas may have.
SPARSE = {
    "two oscillators": (
        "anisotropic_oscillator",
        "polynomial",
        2,
        [{"q1**2", "p1**2"}, {"q2**2", "p2**2"}],
    ),
    "rigid body": (
        "rigid_body",
        "polynomial",
        2,
        # Each combination lacks one of the three squares; any two of them are a basis.
        [{"omega1**2", "omega2**2"}, {"omega1**2", "omega3**2"}, {"omega2**2", "omega3**2"}],
    ),
    "Kepler": (
        "kepler",
        "mechanics",
        2,
        [{"x*v", "y*u"}, {"u**2", "v**2", "1/sqrt(x**2 + y**2)"}],
    ),
    "pendulum": ("pendulum", "trigonometric", 1, [{"omega**2", "cos(theta)"}]),
}


@pytest.mark.parametrize("noise", [0.0, 0.01])
@pytest.mark.parametrize(("name", "library", "count", "allowed"), SPARSE.values(), ids=SPARSE)
def test_sparse_vectors_of_the_null_space(name, library, count, allowed, noise):
    runs = datasets.load(name, 40, 100, noise=noise, seed=1)
    library = libraries.resolve(library, runs.names, runs.roles, runs.rows)[0]
    _, found = found_in(runs, library)
    symbols = {s.name: s for s in library.symbols}
    allowed = {frozenset(sympy.sympify(t, locals=symbols) for t in terms) for terms in allowed}
    terms = library.expressions()
    supports = [frozenset(terms[j] for j in candidate.support) for candidate in found]
    assert len(set(supports)) == len(supports)
    assert set(supports[:count]) <= allowed
    lengths = [len(support) for support in supports]
    assert lengths == sorted(lengths)


def test_a_mixture_of_three_terms_too_many():
    """Directions found among 34 terms, one law: what does not belong is removed."""
    runs = datasets.load("henon_heiles", 40, 100, noise=0.01, seed=1)
    library = libraries.polynomial(runs.names, 3)
    _, found = found_in(runs, library)
    terms = library.expressions()
    energy = {str(terms[j]) for j in found[0].support}
    assert energy == {"q1**2", "q2**2", "p1**2", "p2**2", "q1**2*q2", "q2**3"}


def test_smallest_is_the_restricted_eigenproblem():
    runs = datasets.load("kepler", 30, 80, noise=0.02, seed=1)
    ops, _ = flat_directions(runs, libraries.polynomial(runs.names, 2))
    support = np.array([0, 3, 7, 8, 13])
    values, vectors = linalg.eigh(
        ops.within[np.ix_(support, support)], ops.dirichlet[np.ix_(support, support)]
    )
    mu, c = ops.pencil.smallest(support)
    assert mu == pytest.approx(values[0], rel=1e-6)
    np.testing.assert_allclose(c / c[-1], vectors[:, 0] / vectors[-1, 0], rtol=1e-5)


def test_candidates_are_as_flat_as_they_say():
    runs = datasets.load("kepler", 40, 100, noise=0.01, seed=1)
    library = libraries.mechanics(runs.names, runs.roles, products=True)
    ops, found = found_in(runs, library)
    assert len(found) >= 4
    for candidate in found:
        full = np.zeros(len(library))
        full[list(candidate.support)] = candidate.coefficients
        assert ops.pencil.ratio(full) == pytest.approx(candidate.flatness, rel=1e-6)
        assert candidate.cost == pytest.approx(library.costs()[list(candidate.support)].sum())


def oscillator(stiffness, noise):
    """Runs of x'' = −k x; the law is k x² + u²."""
    rng = np.random.default_rng(0)
    omega, t = np.sqrt(stiffness), 0.15 * np.arange(120)
    amplitude, phase = rng.uniform(0.5, 2, (60, 1)), rng.uniform(0, 6.3, (60, 1))
    x, u = np.cos(omega * t + phase), -omega * np.sin(omega * t + phase)
    states = np.stack([amplitude * x, amplitude * u], axis=-1)
    noisy = states + noise * states.std(axis=(0, 1)) * rng.standard_normal(states.shape)
    return Trajectories(states=noisy, times=t, names=["x", "u"])


def law_of(stiffness, noise, still=lambda *_: True):
    library = libraries.custom(["x**2", "u**2"], ["x", "u"])
    ops, found = found_in(oscillator(stiffness, noise), library)
    return rounded(ops, found[0], still)


@pytest.mark.parametrize("noise", [0.0, 0.01, 0.05])
@pytest.mark.parametrize("ratio", [1.0, 2.0, 0.25, 2 / 3, 2.5])
def test_simple_coefficients_are_found(ratio, noise):
    x2, u2 = law_of(ratio, noise)
    assert x2 / u2 == pytest.approx(ratio, rel=1e-12)
    # One of them is one: a law has no scale of its own.
    assert 1.0 in (x2, u2)


@pytest.mark.parametrize(("noise", "tolerance"), [(0.0, 1e-3), (0.01, 0.01), (0.05, 0.05)])
def test_other_coefficients_are_as_good_as_the_data(noise, tolerance):
    """π/√7 is no simple fraction; rounding to one may cost about the data's own error."""
    x2, u2 = law_of(np.pi / np.sqrt(7), noise)
    assert x2 / u2 == pytest.approx(np.pi / np.sqrt(7), rel=tolerance)


def test_rounding_asks_the_measured_runs():
    """What the measured runs refuse is not taken, however flat it looks."""
    asked = []

    def still(trial, *_):
        asked.append(trial)
        return bool(abs(trial[0] / trial[1] - 2.0) < 1e-12)

    x2, u2 = law_of(2.05, 0.1, still)
    assert asked
    assert x2 / u2 == pytest.approx(2.0) or abs(x2 / u2 - 2.05) < 0.05
    x2, u2 = law_of(2.0, 0.01, lambda *_: False)
    # No fraction was allowed: digits of the unrounded ratio instead.
    assert x2 / u2 == pytest.approx(2.0, rel=0.02)


def test_like_terms_are_rounded_alike():
    """π/√7 (x² + y²) + u² + v²: digits that nobody can simplify, and yet two numbers, not four."""
    plane = oscillator(np.pi / np.sqrt(7), 0.02)
    both = np.concatenate([plane.states, np.roll(plane.states, 1, axis=0)], axis=-1)
    runs = Trajectories(states=both, names=["x", "u", "y", "v"])
    library = libraries.custom(["x**2", "u**2", "y**2", "v**2"], runs.names)
    ops, _ = flat_directions(runs, library)
    size = np.pi / np.sqrt(7)
    fitted = np.array([1.002 * size, 1.0, 0.998 * size, 1.001])
    total = candidates.Candidate((0, 1, 2, 3), fitted, 1.0, 8.0)
    errors = 0.002 * fitted * [1, 0, 1, 1]
    values = rounded(ops, total, lambda *_: True, errors=errors, kinds=library.kinds())
    assert values[0] == values[2]
    assert values[1] == values[3]


def test_no_formula_is_another_one_that_carries_a_term_along():
    """In noisy data any weak third term makes Kepler's x v − y u a little flatter."""
    runs = datasets.load("kepler", 40, 100, noise=0.05, seed=1)
    library = libraries.resolve("mechanics", runs.names, runs.roles, runs.rows)[0]
    ops, found = found_in(runs, library)
    terms = [str(term) for term in library.expressions()]
    size = np.sqrt(np.diag(ops.unit_dirichlet))
    momentum = {terms.index("v*x"), terms.index("u*y")}
    assert any(set(candidate.support) == momentum for candidate in found)
    for candidate in found:
        if momentum < set(candidate.support):
            share = np.abs(candidate.coefficients) * size[list(candidate.support)]
            further = [j not in momentum for j in candidate.support]
            assert share[further].max() > 0.05 * share.max()


def test_a_simpler_term_is_taken_where_another_law_allows_it():
    """With (u + v)² known, an energy of u² and u v is one of u² and v² too."""
    rng = np.random.default_rng(0)
    time, n = np.linspace(0, 20, 120), 40
    mean, speed = rng.normal(0, 1, (2, n, 1))
    size, phase = rng.uniform(0.5, 2, (n, 1)), rng.uniform(0, 6.3, (n, 1))
    turn = np.sqrt(3.3 / 1.3) * time + phase
    gap, rate = size * np.cos(turn), -size * np.sqrt(3.3 / 1.3) * np.sin(turn)
    # Masses 0.3 and 1 on a spring between them.
    x, y = mean + speed * time - gap / 1.3, mean + speed * time + 0.3 * gap / 1.3
    u, v = speed - rate / 1.3, speed + 0.3 * rate / 1.3
    states = np.stack([x, y, u, v], axis=-1)
    states += 0.005 * rng.standard_normal(states.shape)
    runs = Trajectories(states=states, times=time, names=["x", "y", "u", "v"])
    gap = sympy.Symbol("x", real=True) - sympy.Symbol("y", real=True)
    symbols = sympy.symbols(runs.names, real=True)
    exponents = [(2, 0, 0), (1, 1, 0), (0, 2, 0), (0, 0, 2)]
    library = libraries.Library(symbols, [*symbols[2:], gap], exponents)
    _, found = found_in(runs, library)
    supports = [candidate.support for candidate in found]
    assert (0, 1, 2) in supports  # the squared momentum
    assert (0, 2, 3) in supports


def test_triples_are_looked_for_among_all():
    """Kepler's energy, of three terms, without a look at the null space."""
    runs = datasets.load("kepler", 40, 100, noise=0.02, seed=1)
    library = libraries.mechanics(runs.names, runs.roles)
    ops, _ = flat_directions(runs, library)
    terms = [str(term) for term in library.expressions()]
    energy = {"u**2", "v**2", "1/sqrt(x**2 + y**2)"}
    short = [{terms[j] for j in support} for support in candidates.short_supports(ops, 1.5)]
    assert energy in short
    # What is flat without a third term is no triple.
    assert not any({"x*v", "y*u"} < support or {"v*x", "u*y"} < support for support in short)


def test_no_triple_of_dependent_terms():
    """(x + u)² = x² + u² + 2 x u, and cos² + sin², are no formulas."""
    runs = datasets.load("pendulum", 40, 100, noise=0.01, seed=1)
    squares = ["(theta + omega)**2", "omega**2 + theta**2", "theta*omega"]
    library = libraries.custom([*squares, "cos(theta)**2", "sin(theta)**2"], runs.names)
    ops, _ = flat_directions(runs, library)
    assert candidates.short_supports(ops, 1.5) == []


@pytest.mark.parametrize(
    ("coefficients", "expected"),
    [
        ([1.0, -1.0], "x - y"),
        ([0.5, 1 / 3], "x/2 + y/3"),
        ([1.0, 0.123456789], "x + 0.123457*y"),
        ([-2.5, 1.0], "-5*x/2 + y"),
    ],
)
def test_expression(coefficients, expected):
    x, y = sympy.symbols("x y", real=True)
    assert str(candidates.expression([x, y], np.array(coefficients))) == expected


def test_most_coefficients_are_positive():
    ops, found = found_in(
        datasets.load("kepler", 40, 100, seed=1),
        libraries.mechanics(("x", "y", "u", "v"), ("position",) * 2 + ("velocity",) * 2),
    )
    energy = next(c for c in found if len(c.support) == 3)
    values = rounded(ops, energy, lambda *_: True)
    assert sorted(np.sign(values)) == [-1, 1, 1]
