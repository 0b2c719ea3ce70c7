"""Products of powers: surfaces that no run crosses, what they make together, and nothing else."""

from types import SimpleNamespace

import numpy as np
import pytest

from discovery import ConservedQuantityFinder, Trajectories, datasets
from discovery.criteria import LAWS, LIBRARIES, NOISE
from discovery.datasets.integrate import integrate
from discovery.estimation.iterates.sampling import Sampling
from discovery.estimation.preparation import prepare
from discovery.laws.finding.darboux import Clear, Field, _Forms, darboux_polynomials
from discovery.laws.finding.products import Product, Terms, refined
from discovery.laws.general import Products, WhereNone, general_stages
from discovery.laws.judging.law import Findings
from discovery.laws.judging.verdict import Verdict
from discovery.libraries.families import polynomial
from discovery.libraries.fitted import Fitted

NAMES = ("a", "b")
# Seeds of "quadratic": a triangle, and one in a random frame; predators in a random frame.
TRIANGLE, TURNED, HIDDEN = 14, 20, 37


def orbits_of(seed, noise, runs=24, steps=80):
    data = datasets.random("quadratic", seed, runs, steps, noise)
    times = data.row_times.reshape(runs, -1)
    bare = Trajectories(states=data.states, times=times, names=NAMES)
    return prepare(bare, None, Sampling.FLOW), data


def surfaces(orbits, times, rates=2):
    field = Field.fitted(polynomial(NAMES, rates), orbits, times)
    rng = np.random.default_rng(0)
    return darboux_polynomials(field, polynomial(NAMES, 1), polynomial(NAMES, 1), orbits, rng)


@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_the_sides_of_a_triangle(noise):
    orbits, data = orbits_of(TRIANGLE, noise)
    found = surfaces(orbits, data.row_times)
    found = found / np.abs(found).max(axis=1, keepdims=True)
    for side in ([1, -1, -1], [0, 1, 0], [0, 0, 1]):
        assert np.abs(found - side).max(axis=1).min() < 0.03 + noise


def test_no_line_lets_circles_pass():
    """Beside them lies no line with a cofactor, but what is nearly a constant."""
    times = np.tile(np.linspace(0, 6, 80), 24)
    turn = times.reshape(24, -1) + np.linspace(0, 6, 24)[:, None]
    size = np.linspace(0.5, 1.5, 24)[:, None]
    states = 3 + np.stack([size * np.cos(turn), size * np.sin(turn)], axis=2)
    states += 0.01 * np.random.default_rng(0).standard_normal(states.shape)
    runs = Trajectories(states=states, times=times[:80], names=NAMES)
    assert not len(surfaces(prepare(runs, None, Sampling.FLOW), times, rates=1))


def test_the_field_is_that_of_the_runs():
    orbits, data = orbits_of(TURNED, 0.01)
    field = Field.fitted(polynomial(NAMES, 2), orbits, data.row_times)
    states = orbits.smoothed.states
    rates = datasets.info(data.name).rhs(states)
    assert np.abs(field(states) - rates).max() < 0.03 * np.abs(rates).max()


def test_a_constant_is_no_product():
    linear = polynomial(NAMES, 1)
    terms = Terms(linear, linear, orbits_of(TRIANGLE, 0.01)[0])
    constant = Product(np.zeros(2), np.ones(1), np.array([[1.0, 0.0, 0.0]]))
    assert refined(terms, constant, np.ones(len(constant.vector), dtype=bool)) is None


def test_a_product_without_factors_leaves_out_no_rows():
    linear, (orbits, data) = polynomial(NAMES, 1), orbits_of(TRIANGLE, 0.01)
    found = SimpleNamespace(product=Product(np.ones(2), np.zeros(0), np.zeros((0, 3))))
    stage = Products(NAMES, data.row_times)
    library = stage._library(Terms(linear, linear, orbits), found)
    assert len(library) == 2 and library.clear(orbits).all()


@pytest.mark.parametrize("seed", [TURNED, HIDDEN])
def test_a_product_is_constant_along_runs(seed):
    orbits, data = orbits_of(seed, 0.01)
    stage = Products(NAMES, data.row_times)
    library = next(iter(stage.libraries(orbits, Findings())))
    clean = datasets.load(data.name, 24, 40, seed=seed)
    design = np.vstack([np.ones(len(clean.rows)), library.values(clean.rows)]).T
    truth = next(iter(clean.truth.values()))(clean.rows)
    rest = truth - design @ np.linalg.lstsq(design, truth)[0]
    assert rest.std() < 0.01 * truth.std()
    # Numbers inside the logarithms that data told.
    assert library.fitted == 4 if seed == HIDDEN else 4 <= library.fitted <= 6


def test_a_field_that_attracts_has_no_product():
    """Competing species run into their equilibrium: axes are kept, and nothing is constant."""
    rng = np.random.default_rng(1)
    states = [rng.uniform(0.3, 1.7, (24, 2))]
    matrix, step = np.array([[-1.0, -0.4], [-0.6, -0.9]]), 0.1
    growth = np.array([1.3, 1.5])
    for _ in range(59):
        x = states[-1]
        middle = x + step / 2 * x * (growth + x @ matrix.T)
        states.append(x + step * middle * (growth + middle @ matrix.T))
    times = np.tile(step * np.arange(60), (24, 1))
    runs = Trajectories(states=np.stack(states, axis=1), times=times, names=NAMES)
    orbits = prepare(runs, np.full(2, 1e-3), Sampling.FLOW)
    assert len(surfaces(orbits, runs.row_times)) >= 2
    assert list(Products(NAMES, runs.row_times).libraries(orbits, Findings())) == []


def ellipse(leak, seed=0, runs=20, steps=60, step=0.08):
    """Runs that keep log(1 + 0.9 a² + 0.7 b²) + 0.4 a − 0.2 b but for a leak, with 0.3 % noise."""
    rng = np.random.default_rng(seed)

    def rates(s):
        a, b = s.T
        conic = 1 + 0.9 * a**2 + 0.7 * b**2
        return np.stack([0.2 * conic - 1.4 * b, 1.8 * a + 0.4 * conic], axis=1) - leak * s

    states = [rng.uniform(-0.6, 0.6, (runs, 2))]
    for _ in range(steps - 1):
        s = states[-1]
        one = rates(s)
        two = rates(s + step / 2 * one)
        three = rates(s + step / 2 * two)
        four = rates(s + step * three)
        states.append(s + step / 6 * (one + 2 * two + 2 * three + four))
    clean = np.stack(states, axis=1)
    noisy = clean + 0.003 * rng.normal(size=clean.shape)
    times = np.tile(step * np.arange(steps), (runs, 1))
    data = Trajectories(states=noisy, times=times, names=NAMES)
    return prepare(data, np.full(2, 0.003), Sampling.FLOW), data, clean.reshape(-1, 2)


def test_a_conic_that_no_run_crosses():
    """No line is kept, one ellipse is: its logarithm beside a linear function is a law."""
    orbits, data, clean = ellipse(leak=0.0)
    library = next(iter(Products(NAMES, data.row_times).libraries(orbits, Findings())))
    assert len(library) == 3 and library.fitted <= 5
    a, b = clean.T
    truth = np.log(1 + 0.9 * a**2 + 0.7 * b**2) + 0.4 * a - 0.2 * b
    design = np.vstack([np.ones(len(clean)), library.values(clean)]).T
    rest = truth - design @ np.linalg.lstsq(design, truth)[0]
    assert rest.std() < 0.01 * truth.std()


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_a_leak_leaves_no_conic(seed):
    orbits, data, _ = ellipse(leak=0.05, seed=seed)
    assert list(Products(NAMES, data.row_times).libraries(orbits, Findings())) == []


def test_inferred_roles_may_be_wrong():
    mechanical = ("position", "velocity")
    assert general_stages(NAMES, mechanical) == []
    stages = general_stages(NAMES, mechanical, times=np.arange(3.0), given=False)
    assert all(isinstance(stage, WhereNone) for stage in stages) and len(stages) == 2
    law = SimpleNamespace(verdict=Verdict.EXACT)
    assert all(stage.libraries(None, Findings(laws=[law])) is None for stage in stages)
    # What is nearly conserved may imitate the law that is missing.
    near, whole = SimpleNamespace(verdict=Verdict.APPROXIMATE), SimpleNamespace(of_run=None)
    assert all(s.libraries(whole, Findings(laws=[near])) is not None for s in stages)


@pytest.mark.slow
def test_the_report_has_logarithms_of_linear_forms():
    data = datasets.random("quadratic", TURNED, 40, 100, 0.01)
    finder = ConservedQuantityFinder(random_state=0)
    (law,) = finder.fit(data.rows, groups=data.groups, times=data.row_times).quantities_
    assert law.verdict == "exact" and "log" in str(law.expression)
    values = law(datasets.load(data.name, 20, 50, seed=3).states)
    assert values.std(axis=1).max() < 0.02 * values.std()
    assert law.flatness < LAWS.flatness_ceiling


def test_a_cofactor_and_a_polynomial_are_the_best_beside_each_other():
    """‖Φ'p − (Ψ k)(Φ p)‖² is least in k, and its share of ‖Φ'p‖² is what is left; then in p."""
    rng = np.random.default_rng(0)
    rates, phi, psi = (rng.normal(size=(n, 50)) for n in (3, 3, 4))
    mixed = np.einsum("in,an,jn->aij", rates, psi, phi)
    squares = np.einsum("an,bn,in,jn->abij", psi, psi, phi, phi)
    forms, p = _Forms(rates @ rates.T, mixed, squares), rng.normal(size=(5, 3))
    k, left = forms.cofactors(p), forms.left(p)
    for one, cofactor, share in zip(p, k, left, strict=True):
        moved, terms = one @ rates, psi * (one @ phi)
        best, rest, *_ = np.linalg.lstsq(terms.T, moved)
        np.testing.assert_allclose(cofactor, best, rtol=1e-8)
        np.testing.assert_allclose(share, rest[0] / (moved @ moved))
    assert (forms.left(forms.descended(p, 1)) <= left + 1e-9).all()


def test_a_surface_that_runs_come_near_to_is_found_and_their_rows_there_left_out():
    """Two shares of a game; one run stays for long where its noise hides that f is positive."""

    def rates(s):
        f, c = s.T
        return np.stack([f * (1 - f) * (2 - 5 * c), c * (1 - c) * (3 * f - 1)], axis=1)

    rng, t = np.random.default_rng(0), np.linspace(0, 10, 120)
    starts = np.vstack([rng.uniform(0.15, 0.7, (23, 2)), [0.008, 0.7]])
    states = integrate(rates, starts, t)
    states += 0.003 * rng.standard_normal(states.shape)
    orbits = prepare(Trajectories(states, times=t, names=NAMES), None, Sampling.FLOW)
    assert orbits.smoothed.states[:, 0].min() < LIBRARIES.smallest_value
    powers, cofactors = polynomial(NAMES, 1), polynomial(NAMES, 2)
    field = Field.fitted(polynomial(NAMES, 3), orbits, np.tile(t, 24))
    found = darboux_polynomials(field, powers, cofactors, orbits, np.random.default_rng(0))
    found = found / np.abs(found).max(axis=1, keepdims=True)
    for side in ([0, 1, 0], [1, -1, 0], [0, 0, 1], [1, 0, -1]):
        assert np.abs(found - side).max(axis=1).min() < 0.03
    rows = Clear(powers, np.array([[0.0, 1, 0], [1, -1, 0]]))(orbits)
    shares = orbits.smoothed.states[:, 0]
    assert rows[:-120].all()
    assert 0.3 < rows[-120:].mean() < 1
    assert shares[rows].min() > NOISE.clear_of_zero * 0.0025
    law = Fitted(powers.symbols, powers.atoms, powers.exponents, "", 0, Clear(powers, found))
    np.testing.assert_array_equal(law.restrict([0]).clear(orbits), law.clear(orbits))
