"""Functions of one shape beside momenta, and potentials of what a known law leaves unchanged."""

import itertools

import numpy as np
import pytest
import sympy
from scipy.integrate import solve_ivp

import discovery
from discovery.estimation.preparation import prepare
from discovery.formulas.simple_numbers import NUMBERS
from discovery.laws.free import description, mechanical
from discovery.laws.free.one_shape import one_shape_stages
from discovery.laws.free.unchanged import unchanged_stages
from discovery.libraries.energy_forms import one_shape_forms
from discovery.libraries.free_forms import Form, S, Shape

from .conftest import drift, found


def simulated(flow, low, high, columns, duration=10.0, seed=0, runs=40):
    """Return runs with 1 % noise from starts in a box, and the same without."""
    rng = np.random.default_rng(seed)
    starts = rng.uniform(low, high, (runs, len(low)))
    times = np.linspace(0, duration, 120)

    def together(_, s):
        return np.concatenate(flow(*s.reshape(len(low), -1)))

    path = solve_ivp(
        together, (0, duration), starts.T.ravel(), t_eval=times, rtol=1e-9, atol=1e-10
    ).y
    clean = path.reshape(len(low), runs, -1).transpose(1, 2, 0)
    spread = clean.reshape(-1, len(low)).std(axis=0)
    noisy = clean + 0.01 * spread * rng.normal(size=clean.shape)
    runs = discovery.Trajectories(
        states=noisy, times=times, names=[*columns], roles=[*columns.values()]
    )
    return runs, clean


ROUND = {"u": "position", "phi": "angle", "v": "velocity", "w": "angular_velocity"}


def surface(radius, slope, friction=0.0, spring=0.0):
    """Motion on a surface of revolution by the length of its meridians, with a spring."""

    def flow(u, phi, v, w):
        turn = 2 * slope(u) / radius(u)
        pull = radius(u) * slope(u) * w**2
        return v, w, pull - spring * u - friction * v, -turn * v * w - friction * w

    return simulated(flow, [-1.2, -3, -0.5, -0.7], [1.2, 3, 0.5, 0.7], ROUND)


def test_geodesics_of_a_surface_of_revolution():
    """cosh(u)² in front of the rates: in closed form, by its length."""

    def flow(u, phi, v, w):
        t = np.tanh(u)
        return v, w, t * (w**2 - v**2), -2 * t * v * w

    runs, clean = simulated(flow, [-1.2, -3, -0.4, -0.6], [1.2, 3, 0.4, 0.6], ROUND)
    laws = found(runs, one_shape_stages)
    assert len(laws) == 2 and max(drift(law, clean) for law in laws) < 0.02
    assert not any(law.library.learned for law in laws)


def test_a_momentum_and_an_energy_as_numbers():
    """Beside a momentum that is known as numbers the energy is none of its squares."""
    runs, clean = surface(
        lambda u: 1.2 + 0.5 * np.sin(1.4 * u) + 0.2 * np.tanh(2 * u),
        lambda u: 0.7 * np.cos(1.4 * u) + 0.4 / np.cosh(2 * u) ** 2,
        spring=1.0,
    )
    laws = found(runs, one_shape_stages)
    assert len(laws) == 2 and max(drift(law, clean) for law in laws) < 0.03
    assert len({law.expression for law in laws}) == 2


@pytest.mark.parametrize("seed", range(2))
def test_friction_leaves_neither(seed):
    width = 0.5 + 0.3 * seed
    runs, _ = surface(
        lambda u: np.sqrt(1 + width * u**2), lambda u: width * u / np.sqrt(1 + width * u**2), 0.05
    )
    assert found(runs, one_shape_stages) == []


@pytest.mark.slow
def test_masses_that_depend_on_a_difference():
    """H = p² / 2 + r² / 2 + p r G(a − b), as peakons have it, with a kernel drawn here."""

    def flow(a, b, p, r):
        kernel = 1 / (1 + 1.3 * (a - b) ** 2)
        push = 2 * 1.3 * (a - b) * kernel**2 * p * r
        return p + r * kernel, r + p * kernel, push, -push

    columns = dict.fromkeys("ab", "position") | dict.fromkeys("pr", "momentum")
    runs, clean = simulated(flow, [-3, 0, 1, 0.3], [-0.5, 2, 2, 1], columns, 8.0)
    laws = found(runs, one_shape_stages)
    assert len(laws) == 2 and max(drift(law, clean) for law in laws) < 0.02


IN_PLANE = {"x": "position", "y": "position", "u": "velocity", "v": "velocity"}


def test_a_potential_about_a_place_that_the_angular_momentum_tells():
    def flow(x, y, u, v):
        square = (x - 0.6) ** 2 + (y + 0.4) ** 2
        return u, v, -(square**2) * (x - 0.6), -(square**2) * (y + 0.4)

    runs, clean = simulated(flow, [-0.4, -1.4, -1, -1], [1.6, 0.6, 1, 1], IN_PLANE, 12.0)
    laws = found(runs, unchanged_stages)
    assert len(laws) == 2 and max(drift(law, clean) for law in laws) < 0.01


def test_a_potential_across_a_direction_that_a_momentum_tells():
    """V = (x − 2y)⁴ / 4 leaves 2u + v."""

    def flow(x, y, u, v):
        s = x - 2 * y
        return u, v, -(s**3), 2 * s**3

    runs, clean = simulated(flow, [-1] * 4, [1] * 4, IN_PLANE, 6.0)
    laws = found(runs, unchanged_stages)
    assert len(laws) == 2 and max(drift(law, clean) for law in laws) < 0.01


def test_a_square_about_a_place_is_a_sum_of_plain_terms():
    """It would be flat for being none of its own."""
    x, y = sympy.symbols("x y", real=True)
    plain = ((x,), (y,), (x, x), (y, y))
    distance = sympy.sqrt((x - 1) ** 2 + (y + 2) ** 2)
    form = Form("r", (x, y), plain, ((),), (Shape(distance, 0.5, 2.0, 1.0, True),))
    assert (S**2,) not in form.groups() and (S**4,) in form.groups()


def test_what_is_flattest_without_a_length_has_none(monkeypatch):
    """At the longest one tried a function is a polynomial, of large terms that cancel."""
    x, u = sympy.symbols("x u", real=True)
    form = Form("x", (x, u), ((u,),), ((), (u,)), (Shape(x, -1.0, 1.0, 0.2, False),))
    tuned, flatness = [], itertools.count(100, -1)

    def falling(_, __, sets, ___):
        return dict.fromkeys(sets, float(next(flatness)))

    monkeypatch.setattr(description, "_flatness", falling)
    monkeypatch.setattr(description, "tuned_near", lambda *parts: tuned.append(parts) or [])
    fit = prepare(surface(np.cosh, np.sinh)[0])
    list(description._of_some_length(form, fit, NUMBERS, 2))
    assert not tuned


def test_the_square_of_a_momentum_is_known_where_its_expansion_ends():
    """w (1 + T₁₀(u)/10) is a law: its square has a share in T₂₀, past the last degree."""
    rng = np.random.default_rng(0)
    states = rng.uniform(-1, 1, (400, 4))
    roles = [*ROUND.values()]
    form = one_shape_forms([*ROUND], roles, states)[1]
    assert form.is_quadratic

    class Momentum:
        def values(self, rows):
            return rows[:, 3] * (1 + np.cos(10 * np.arccos(rows[:, 0])) / 10)

    assert mechanical._known_in(form.library, [Momentum()], states).shape[1] == 1
