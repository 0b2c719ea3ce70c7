"""Fixed centres whose places nobody named, and what is quadratic beside their energy."""

from types import SimpleNamespace

import numpy as np
import pytest
import sympy
from scipy.integrate import solve_ivp

import discovery
from discovery.estimation.preparation import prepare
from discovery.estimation.split import Split
from discovery.laws.free.centres import centre_stages
from discovery.laws.free.quadratic import quadratic_stages
from discovery.laws.judging.law import Findings
from discovery.laws.search import analyse
from discovery.laws.stages import Closed
from discovery.libraries.families import polynomial

NAMES, ROLES = ("x", "y", "u", "v"), ("position",) * 2 + ("velocity",) * 2
PLACES, STRENGTHS = np.array([[-1.2, 0.4], [0.9, -0.3]]), np.array([0.8, 0.6])


def about_centres(noise=0.0, friction=0.0, turn=0.0, n_runs=24, strengths=STRENGTHS):
    """Return runs about two centres, in a frame that turns or beside friction."""
    rng = np.random.default_rng(1)
    radius, angle = rng.uniform(2.5, 3.2, n_runs), rng.uniform(0, 2 * np.pi, n_runs)
    speed = np.sqrt(strengths.sum() / radius) * rng.uniform(0.85, 1.1, n_runs)
    out = np.stack([np.cos(angle), np.sin(angle)])
    starts = np.vstack([radius * out, speed * np.stack([-out[1], out[0]])])
    times = np.linspace(0, 12, 60)

    def rates(_, state):
        q, w = state.reshape(2, 2, n_runs)
        gap = q[:, :, None] - PLACES.T[:, None]
        pull = -np.sum(strengths * gap / np.sum(gap**2, axis=0) ** 1.5, axis=2)
        pull += 2 * turn * np.stack([w[1], -w[0]]) + turn**2 * q - friction * w
        return np.concatenate([w, pull]).ravel()

    path = solve_ivp(rates, (0, 12), starts.ravel(), t_eval=times, rtol=1e-10, atol=1e-11).y
    clean = path.reshape(4, n_runs, 60).transpose(1, 2, 0)
    noisy = clean + noise * clean.reshape(-1, 4).std(axis=0) * rng.normal(size=clean.shape)
    return discovery.Trajectories(states=noisy, times=times, names=NAMES, roles=ROLES)


def found(runs):
    orbits, rng = prepare(runs), np.random.default_rng(0)
    stages = [Closed(polynomial(NAMES, 2)), *centre_stages(NAMES, ROLES)]
    stages += quadratic_stages(NAMES, ROLES)
    return analyse(stages, Split.draw(orbits, rng), rng).laws


def places_in(library):
    """Return the places about which the library's functions are."""
    x, y = library.symbols[:2]
    squares = [atom.base for atom in library.atoms if isinstance(atom, sympy.Pow)]
    roots = [sympy.Poly(square, x, y) for square in squares]
    return sorted([float(-p.coeff_monomial(x) / 2), float(-p.coeff_monomial(y) / 2)] for p in roots)


@pytest.mark.parametrize("noise", [pytest.param(0.0, marks=pytest.mark.slow), 0.01])
def test_the_places_of_two_centres_are_found(noise):
    (stage,) = centre_stages(NAMES, ROLES)
    (library,) = stage.libraries(prepare(about_centres(noise)), Findings())
    np.testing.assert_allclose(places_in(library), PLACES, atol=1e-7 if noise == 0 else 0.05)


def test_none_are_looked_for_beside_an_energy(monkeypatch):
    (stage,) = centre_stages(NAMES, ROLES)
    monkeypatch.setattr(type(stage), "_best", lambda *_: None)

    def beside(*laws):
        own = {symbol.name: symbol for symbol in stage.symbols}
        laws = [SimpleNamespace(expression=sympy.sympify(law, own), sure=True) for law in laws]
        fit = SimpleNamespace(thinned=lambda rows: None)
        return stage.libraries(fit, SimpleNamespace(laws=laws))

    energy, axis = "u**2/2 + v**2/2 + x**2*y", "y*u**2 - x*u*v + y/sqrt(x**2 + y**2)"
    # One, or its parts; the axes of a planet are none.
    assert beside(energy) is None and beside("u**2 + x**2", "v**2 + y**4") is None
    assert beside() == beside("u**2 + x**2") == beside(axis, "u**2 + x**2") == []


def test_one_centre_is_not_two():
    (stage,) = centre_stages(NAMES, ROLES)
    runs = about_centres(0.01, strengths=np.array([1.0, 0.0]))
    (library,) = stage.libraries(prepare(runs), Findings())
    np.testing.assert_allclose(places_in(library), PLACES[:1], atol=0.05)


@pytest.mark.slow
def test_two_fixed_centres_keep_an_energy_and_a_second_law():
    laws = found(about_centres())
    assert [law.verdict for law in laws] == ["exact", "exact"]
    u, v = laws[0].library.symbols[2:]
    assert laws[0].expression.diff(u, 2) == laws[0].expression.diff(v, 2) != 0


def test_a_turning_frame_leaves_jacobis_integral_alone():
    (law,) = found(about_centres(turn=0.3))
    x, y, u, _ = law.library.symbols
    squares = law.expression.expand().as_coefficients_dict()
    np.testing.assert_allclose(float(squares[x**2] / squares[u**2]), -(0.3**2), rtol=1e-5)
    assert law.verdict == "exact" and squares[x**2] == squares[y**2]


@pytest.mark.parametrize("noise", [pytest.param(0.0, marks=pytest.mark.slow), 0.01])
def test_friction_leaves_nothing(noise):
    assert not [law for law in found(about_centres(noise, friction=0.05)) if law.verdict == "exact"]


def test_only_one_body_in_plane_or_space_has_centres():
    assert not centre_stages(("q", "p"), ("position", "momentum"))
    assert not centre_stages(
        ("x1", "y1", "x2", "y2", *"abcd"), ("position",) * 4 + ("velocity",) * 4
    )
    assert not quadratic_stages(("q", "p"), ("position", "momentum"))
