"""Fields beside other coordinates: a string with an oscillator, a particle, a reservoir."""

import numpy as np
import pytest
import sympy

from discovery import ConservedQuantityFinder, DiscoveryReport, Trajectories
from discovery.pde.beside import Beside, with_beside
from discovery.pde.densities import Densities, Jets, custom
from discovery.pde.grid import grid_of
from discovery.pde.integrals import Integrals

POINTS, SPACING = 16, 0.4
RING = POINTS * SPACING
NAMES = [*(f"{f}{p}" for f in "uw" for p in range(POINTS)), "q", "p"]
ROLES = ["field"] * 2 * POINTS
x, s, n, q, p = sympy.symbols("x s n q p")
u = sympy.Function("u")


def slope(fields, order=1):
    waves = 2j * np.pi * np.fft.rfftfreq(POINTS, SPACING)
    waves[-1] = 0  # it changes sign from point to point
    return np.fft.irfft(waves**order * np.fft.rfft(fields), POINTS)


def peak(point):
    """Return the waves of one at a point, in all but the shortest."""
    amplitudes = np.fft.rfft(np.arange(POINTS) == point)
    return np.fft.irfft([*amplitudes[:-1], 0], POINTS) / SPACING


def moved(flow, start, step, samples, inner=8):
    """Return runs (n, samples, d) by Runge and Kutta's method."""
    states, at, h = [start], start, step / inner
    for _ in range((samples - 1) * inner):
        one = flow(at)
        two = flow(at + h / 2 * one)
        three = flow(at + h / 2 * two)
        at = at + h / 6 * (one + 2 * two + 2 * three + flow(at + h * three))
        states.append(at)
    return np.stack(states[::inner], axis=1)


def waves(rng, n_runs, size):
    phase = 2 * np.pi * np.arange(1, 3)[:, None] * np.arange(POINTS) / POINTS
    return np.sum(
        size * rng.normal(size=(n_runs, 2, 1)) * np.cos(phase + rng.uniform(0, 6, (n_runs, 2, 1))),
        axis=1,
    )


def made(states, step, names, roles, noise, seed=0):
    rng = np.random.default_rng(seed)
    states = states + noise * states.std(axis=(0, 1)) * rng.standard_normal(states.shape)
    times = step * np.arange(states.shape[1])
    return Trajectories(states, times, names, roles=roles, grid_spacing=SPACING)


def reservoir(noise=0.01, leak=0.0):
    """A concentration on a ring that exchanges with a tank at its third point."""
    rng = np.random.default_rng(0)

    def flow(y):
        c, tank = y[:, :POINTS], y[:, POINTS]
        rate = 0.5 * tank - 0.8 * c[:, 3]
        change = 0.2 * slope(c, 2)
        change += rate[:, None] * peak(3)
        return np.column_stack([change, -rate - leak * tank])

    start = rng.uniform(1, 2, (30, 1)) + waves(rng, 30, 0.2)
    runs = moved(flow, np.column_stack([start, rng.uniform(0.5, 3, 30)]), 0.05, 60)
    return made(runs, 0.05, [*NAMES[:POINTS], "n"], [*ROLES[:POINTS], None], noise)


def oscillator(noise=0.01):
    """A string with an oscillator at its fifth point."""
    rng = np.random.default_rng(1)

    def flow(y):
        c, w, at, v = y[:, :POINTS], y[:, POINTS:-2], y[:, -2], y[:, -1]
        force = slope(c, 2) - c
        force -= 0.8 * at[:, None] * peak(5)
        return np.column_stack([w, force, v, -2 * at - 0.8 * c[:, 5]])

    parts = [waves(rng, 30, 0.5), waves(rng, 30, 0.5), rng.normal(size=(30, 2))]
    runs = moved(flow, np.column_stack(parts), 0.1, 60)
    return made(runs, 0.1, NAMES, ROLES + [None] * 2, noise)


@pytest.fixture(scope="module")
def particle():
    """A free particle on a ring, in a field that it is a source of; places from 0 to the length."""
    rng = np.random.default_rng(2)
    k = np.arange(POINTS // 2)
    number = 2 * np.pi * k / RING
    weight = np.where(k == 0, 1, 2)

    def flow(y):
        c, w, at, v = y[:, :POINTS], y[:, POINTS:-2], y[:, -2:-1], y[:, -1]
        amplitudes = np.fft.rfft(c)[:, : len(k)] / POINTS
        turn = np.exp(1j * number * at)
        push = np.sum(weight * (1j * number * amplitudes * turn).real, axis=1)
        source = np.exp(1j * number * (SPACING * np.arange(POINTS)[:, None])) / turn[:, None]
        source = np.sum(weight * source.real, axis=2) / RING
        return np.column_stack([w, slope(c, 2) - c - 0.9 * source, v, -0.9 * push])

    parts = [waves(rng, 30, 0.5), waves(rng, 30, 0.4), rng.uniform(0, RING, 30)]
    runs = moved(flow, np.column_stack([*parts, rng.normal(0, 1.5, 30)]), 0.1, 60)
    return runs


def found(runs):
    return ConservedQuantityFinder(random_state=0).fit(runs)


def test_a_total_with_a_tank(tmp_path):
    finder = found(reservoir())
    (law,) = finder.quantities_
    assert law.verdict == "exact" and law.expression == n + sympy.Integral(u(x), x)
    assert law.name == "total of n + u"
    states = reservoir(noise=0).states
    assert law(states).std(axis=1).max() < 1e-6
    finder.report_.save(tmp_path / "report.json")
    stored = DiscoveryReport.load(tmp_path / "report.json")
    np.testing.assert_allclose(stored.quantities[0](states), law(states))
    assert "beside n" in str(finder.report_) and finder.report_.to_html()


def test_a_tank_that_leaks():
    assert found(reservoir(leak=0.1)).report_.verdict == "none"


@pytest.mark.parametrize("noise", [0.0, 0.03])
def test_an_oscillator_at_a_point(noise):
    (law,) = found(oscillator(noise)).quantities_
    assert (law.verdict, law.name, law.symmetry) == ("exact", "energy", "time translation")
    coefficients = law.expression.as_coefficients_dict()
    numbers = {str(term): float(number) for term, number in coefficients.items()}
    unit = numbers["p**2"]
    assert unit == 0.5
    assert numbers["q**2"] / unit == pytest.approx(2, rel=0.02)
    assert numbers["q*u5"] / unit == pytest.approx(1.6, rel=0.02)


@pytest.mark.slow
def test_a_particle_that_moves_along_a_field(particle):
    laws = found(made(particle, 0.1, NAMES, [*ROLES, "position", "velocity"], 0.01)).quantities_
    assert [law.verdict for law in laws] == ["exact"] * 2
    momentum, energy = (law.expression for law in laws)
    w = sympy.Function("w")
    assert momentum == p + sympy.Integral(u(x) * w(x).diff(x), x)
    assert [law.name for law in laws] == ["momentum along x", "energy"]
    assert float(energy.coeff(u(q)) / energy.coeff(p**2)) == pytest.approx(1.8, rel=0.01)


@pytest.mark.slow
def test_places_that_jump_at_the_end_of_the_ring(particle):
    """They are the same places: nothing but polynomials of them goes."""
    wrapped = particle.copy()
    wrapped[:, :, -2] %= RING
    assert (np.abs(np.diff(wrapped[:, :, -2])) > RING / 2).any()
    finder = found(made(wrapped, 0.1, NAMES, [*ROLES, "position", "velocity"], 0.0))
    assert finder.n_conserved_ == 2
    np.testing.assert_allclose(finder.transform(wrapped[0]).std(axis=0), 0, atol=1e-3)


@pytest.mark.slow
def test_places_in_another_unit_of_length(particle):
    """The formulas go back to the user's unit."""
    small = particle.copy()
    small[:, :, -2] *= 1e-6
    runs = made(small, 0.1, NAMES, [*ROLES, "position", "velocity"], 0.0)
    runs.grid_spacing = SPACING * 1e-6
    finder = found(runs)
    assert finder.n_conserved_ == 2
    values = finder.transform(small.reshape(-1, small.shape[2])).reshape(30, -1, 2)
    assert np.all(values.std(axis=1).mean(axis=0) < 1e-3 * values.std(axis=(0, 1)))


@pytest.fixture(scope="module")
def parts():
    """Return unlike functions of fields, coordinates, and fields at a point and at a place."""
    roles = [*ROLES, "position", None]
    grid = grid_of(NAMES, SPACING, roles)
    jets = Jets.of(grid, NAMES)
    own = custom(["u**2", "u3*p", "u_at_q**2*p", "u_at_q", "p*q*w_x**2", "u*w_at_q", "q**3"], jets)
    bases = [b.among(np.arange(k)) for b, k in zip(grid.bases(), (9, 5), strict=True)]
    return Integrals(own.expressions, jets, grid, bases)


def test_gradients_by_differences(parts):
    a = np.random.default_rng(0).normal(size=(3, 16))
    slopes = parts.gradients(a)
    for i in range(16):
        step = 1e-6 * np.eye(16)[i]
        quotient = (parts.values(a + step) - parts.values(a - step)) / 2e-6
        np.testing.assert_allclose(slopes[:, :, i], quotient.T, atol=1e-6 * np.abs(slopes).max())


def test_moments_by_drawing_noise(parts):
    """Over draws of noise the mean is that of no noise, and the covariance is what is claimed."""
    rng = np.random.default_rng(0)
    a, noise, beside = rng.normal(size=16), np.full((2, POINTS), 0.05), [0.02, 0.08]
    drawn = a + np.repeat([0.05, 0.05, 0.02, 0.08], [9, 5, 1, 1]) * rng.normal(size=(20000, 16))
    values, covariance = parts.moments(drawn, np.ones(drawn.shape), noise, beside)
    truth = parts.values(a[None])[:, 0]
    standard = values.std(axis=0) / np.sqrt(len(values))
    plain = np.abs(parts.values(drawn).mean(axis=1) - truth)
    assert np.all(np.abs(values.mean(axis=0) - truth) < 4 * standard + 0.1 * plain)
    assert np.max(plain / standard) > 5
    size = np.sqrt(np.diag(np.cov(values.T)))
    claimed = covariance.mean(axis=0) / np.outer(size, size)
    np.testing.assert_allclose(claimed, np.cov(values.T) / np.outer(size, size), atol=0.05)


def test_curvatures_from_the_covariance_of_states(parts):
    """What variances say, a diagonal covariance says; and it is the second derivative."""
    whole = Integrals(parts.densities, parts.jets, parts.grid)
    rng = np.random.default_rng(1)
    states, variance = rng.normal(size=(2, 34)), rng.uniform(0.5, 1, (2, 34))
    bend = whole.curvatures(states, variance)
    dense = variance[:, :, None] * np.eye(34)
    np.testing.assert_allclose(whole.curvatures(states, dense), bend, atol=1e-9)
    expected = np.zeros_like(bend)
    for i in range(34):
        step = 1e-3 * np.eye(34)[i]
        value, up, down = (whole.values(whole.amplitudes(states + k * step)) for k in (0, 1, -1))
        expected += variance[:, i] * (up + down - 2 * value) / 1e-6
    np.testing.assert_allclose(bend, expected, rtol=1e-3, atol=1e-3)


def test_parameters_stand_beside_no_law_of_their_own():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(8, 10, 18))
    rows[:, :, 17] = rng.uniform(1, 2, (8, 1))
    runs = Trajectories(rows, names=[*NAMES[:16], "q", "m"], roles=ROLES[:16] + [None] * 2)
    grid = grid_of(runs.names, 1.0, runs.roles)
    jets = Jets.of(grid, runs.names)
    beside, _ = Beside.of(runs, grid, jets)
    assert [str(z) for z in beside.free] == ["q"] and [str(z) for z in beside.parameters] == ["m"]
    sets = with_beside([Densities("one", [jets.symbol(0)])], jets, beside)
    m = beside.parameters[0]
    terms = {term for tried in sets for term in tried.expressions}
    assert m * jets.symbol(0) in terms and not any(t.free_symbols == {m} for t in terms)


def test_names_that_clash():
    roles = ["field"] * 16 + [None]
    for name in ("u", "u_x"):
        grid = grid_of([*NAMES[:16], name], 1.0, roles)
        with pytest.raises(ValueError, match="Rename"):
            Jets.of(grid, [*NAMES[:16], name])


def test_a_coordinate_that_is_constant():
    runs = reservoir(noise=0)
    runs.rows[:, -1] = 2.0
    with pytest.raises(ValueError, match="coordinate 'n' is constant"):
        found(runs)
