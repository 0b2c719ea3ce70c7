"""What decays: energies with their friction, and functions that decay by themselves."""

import numpy as np
import pytest
import sympy
from scipy.integrate import solve_ivp

from discovery import Trajectories, libraries
from discovery.estimation.preparation import prepare
from discovery.estimation.split import Split
from discovery.laws.decaying.moving import Moving
from discovery.laws.decaying.search import decaying
from discovery.laws.finding import candidates
from discovery.laws.judging.judge import Judge
from discovery.laws.judging.law import Findings
from discovery.laws.search import analyse
from discovery.laws.stages import stages_of

PAIR = ("position", "velocity")
PAIRS = ("position",) * 2 + ("velocity",) * 2
ENERGY_OF_CARTS = ["v1**2", "v2**2", "x1**2", "x2**2", "x1*x2"]


def runs_of(acceleration, roles=PAIR, noise=0.0, n_runs=24, time=20.0):
    """Runs of q̈ = a(q, v), 120 samples each; noise as a share of each coordinate's spread."""
    rng = np.random.default_rng(0)
    d = len(roles) // 2
    t = np.linspace(0, time, 120)

    def rate(_, s):
        return np.concatenate([s[d:], np.atleast_1d(acceleration(s[:d], s[d:]))])

    starts = rng.uniform(-1.5, 1.5, (n_runs, 2 * d))
    options = {"t_eval": t, "rtol": 1e-9, "atol": 1e-11}
    states = np.array([solve_ivp(rate, (0, time), s, **options).y.T for s in starts])
    states += noise * states.reshape(-1, 2 * d).std(axis=0) * rng.standard_normal(states.shape)
    names = ("x", "v") if d == 1 else ("x1", "x2", "v1", "v2")
    return Trajectories(states=states, times=t, names=names, roles=roles)


def lost(runs, library="auto", roles=None, known=False):
    """What decays in runs of which no law is known, or all that the library has."""
    roles = runs.roles if roles is None else roles
    orbits, rng = prepare(runs), np.random.default_rng(0)
    found = libraries.resolve(library, runs.names, roles, orbits.smoothed.states)
    parted = Split.choose(runs.n_runs, rng)
    moving = Moving(orbits, runs.row_times, runs.names, roles, *parted)
    laws = analyse(stages_of(found), Split.of(orbits, *parted, rng), rng) if known else Findings()
    return decaying(found, moving, laws, rng)


@pytest.mark.parametrize("noise", [0.0, 0.01, 0.05])
def test_energy_of_a_damped_pendulum(noise):
    runs = runs_of(lambda q, v: -1.3 * np.sin(q) - 0.05 * v, ("angle", "angular_velocity"), noise)
    (law,) = lost(runs)
    assert law.verdict == "decaying"
    x, v = sympy.symbols("x v", real=True)
    energy = dict(zip(law.library.expressions(), law.coefficients, strict=True))
    assert set(energy) == {v**2, sympy.cos(x)}
    assert energy[sympy.cos(x)] / energy[v**2] == pytest.approx(-2.6, rel=0.01)
    assert law.decay.losses == (v**2,)
    assert law.decay.rate == pytest.approx(0.05, abs=3 * law.decay.error + 1e-7)


def test_a_rate_is_as_far_from_the_truth_as_its_error_says():
    """A simple fraction near a rate that is none is several errors from it."""
    rates = [0.0418, 0.0356, 0.0231, 0.0369]
    found = [lost(runs_of(lambda q, v, g=g: -q - g * v, noise=0.01), "polynomial") for g in rates]
    z = [(law.decay.rate - g) / law.decay.error for g, (law,) in zip(rates, found, strict=True)]
    assert np.abs(z).max() < 2.5 and np.sqrt(np.mean(np.square(z))) < 1.5


@pytest.mark.parametrize(
    ("friction", "loss", "factor"),
    [
        pytest.param(lambda v: 0.05 * np.abs(v) * v, "v**2*Abs(v)", 0.1, id="air"),
        pytest.param(lambda v: 0.02 * np.tanh(v / 1e-3), "Abs(v)", 0.04, id="dry"),
    ],
)
def test_friction_that_is_not_linear(friction, loss, factor):
    (law,) = lost(runs_of(lambda q, v: -q - friction(v), noise=0.01))
    assert str(law.expression) == "v**2 + x**2"
    assert [str(e) for e in law.decay.losses] == [loss]
    assert law.decay.factors == pytest.approx((factor,), rel=0.02)
    # Its rate is no number of the system's: it depends on the speed.
    assert not law.decay.as_a_whole


def test_dry_friction_without_noise_is_nearly_explained():
    (law,) = lost(runs_of(lambda q, v: -q - 0.02 * np.tanh(v / 1e-3)))
    assert law.verdict == "approximate"
    assert str(law.decay.losses[0]) == "Abs(v)"


def test_two_masses_lose_one_energy():
    runs = runs_of(lambda q, v: -q - 0.6 * (q - q[::-1]) - 0.03 * v, PAIRS, 0.01)
    (law,) = lost(runs)
    x1, x2, v1, v2 = sympy.symbols("x1 x2 v1 v2", real=True)
    truth = v1**2 + v2**2 + 1.6 * (x1**2 + x2**2) - 1.2 * x1 * x2
    ratio = sympy.expand(law.expression / law.expression.coeff(v1, 2) - truth)
    assert max(abs(float(c)) for c in ratio.as_coefficients_dict().values()) < 0.01
    assert law.decay.rate == pytest.approx(0.03, rel=0.01)
    assert law.decay.as_a_whole


def test_a_momentum_that_stays_is_no_part_of_what_decays():
    """Two carts, of masses 1 and 2, with spring and damper: friction slows the relative motion."""
    masses = np.array([1.0, 2.0])

    def acceleration(q, v):
        return np.array([-1.0, 1.0]) * (3 * (q[0] - q[1]) + 0.1 * (v[0] - v[1])) / masses

    (law,) = lost(
        runs_of(acceleration, PAIRS, 0.01, time=10.0), ["v1", "v2", *ENERGY_OF_CARTS], known=True
    )
    reduced = 2 / 3
    assert law.decay.rate == pytest.approx(0.1 / reduced, abs=4 * law.decay.error)
    assert law.decay.frequency == pytest.approx(np.sqrt(3 / reduced), rel=0.05)
    assert law.decay.as_a_whole


@pytest.mark.parametrize(
    ("acceleration", "energies"),
    [
        pytest.param(lambda q, v: [0.0, 1.0] * (-q - 0.05 * v), 1, id="a momentum stays"),
        pytest.param(lambda q, v: -q - [0.0, 0.05] * v, 0, id="an energy stays"),
    ],
)
def test_friction_beside_a_law(acceleration, energies):
    runs = runs_of(acceleration, PAIRS, 0.01)
    found = lost(runs, ["v1", "v1**2 + x1**2", "v2**2", "x2**2"], known=True)
    assert sum(bool(own.decay.losses) for own in found) == energies


def test_a_momentum_that_drag_takes_of_is_slowed_down():
    """Of v' = -0.1 v the sum v + 0.1 x stays, linear in the velocity; what decays is all of v."""
    runs = runs_of(lambda q, v: -0.1 * v, PAIRS, 0.01)
    found = lost(runs, ["x1", "x2", "v1", "v2", "v1**2", "v2**2"], known=True)
    (law,) = [own for own in found if own.decay.losses]
    assert law.decay.rate == pytest.approx(0.1, abs=4 * law.decay.error)


def test_what_decays_by_itself():
    # x decays at .3, y at .1.
    rng, t = np.random.default_rng(0), np.linspace(0, 10, 100)
    starts = rng.uniform(-2, 2, (24, 1, 2))
    states = starts * np.exp(-np.outer(t, [0.3, 0.1])) + 0.005 * rng.standard_normal((24, 100, 2))
    found = lost(Trajectories(states=states, times=t, names=("x", "y")), roles=(None, None))
    rates = {str(law.expression): law.decay for law in found}
    assert set(rates) == {"x", "y"}
    assert rates["x"].rate == pytest.approx(0.3, abs=3 * rates["x"].error)
    assert not rates["x"].losses


@pytest.mark.parametrize(
    "acceleration",
    [
        pytest.param(lambda q, v: -np.sin(q), id="without friction"),
        pytest.param(lambda q, v: (1 - q**2) * v - q, id="limit cycle"),
        pytest.param(lambda q, v: -q + 0.02 * v, id="energy comes in"),
    ],
)
def test_where_nothing_decays(acceleration):
    assert lost(runs_of(acceleration, noise=0.01), "polynomial") == []


def test_what_gives_is_no_friction():
    # x1 x2 + v1 v2 loses v1 v2, which friction of a mass at rest would give.
    runs = runs_of(lambda q, v: -q - 0.03 * v, PAIRS, 0.01)
    assert not any(law.decay.losses for law in lost(runs, ["x1*x2", "v1*v2"]))


def test_friction_of_another_kind():
    """Between dry and linear: dry friction and that of air leave more than a fiftieth of it."""
    runs = runs_of(lambda q, v: -q - 0.03 * np.sign(v) * np.abs(v) ** 0.3)
    assert not any(law.decay.losses for law in lost(runs, ["x**2", "v**2"]))


def test_what_has_no_loss_is_not_judged(monkeypatch):
    """An energy that is conserved would be found again beside each loss."""
    judged, law = [], Judge.law
    monkeypatch.setattr(
        Judge, "law", lambda self, ops, refined: judged.append(refined) or law(self, ops, refined)
    )
    runs = runs_of(lambda q, v: -q - 0.2 * q**3)
    assert lost(runs, library="polynomial") == [] and not judged


def beside_a_whole(x, v, noise=0.01):
    """Runs of x and of what is left of a whole beside it, both with their velocities."""
    states = np.stack([x, 1 - x, v, -v], axis=2)
    states += noise * np.random.default_rng(1).standard_normal(states.shape)
    times = np.linspace(0, 20, x.shape[1])
    return Trajectories(states, times=times, names=("x1", "x2", "v1", "v2"), roles=PAIRS)


def test_friction_beside_what_all_runs_obey():
    x, v = np.stack(runs_of(lambda q, v: -q - 0.05 * v).states).transpose(2, 0, 1)
    assert [law.decay.losses for law in lost(beside_a_whole(x, v), "polynomial")]


def test_no_formula_is_formed_where_nothing_couples_an_energy_with_a_loss(monkeypatch):
    """What all runs obey is flat by itself, and so are its losses."""
    formed, form = [], candidates.candidates
    monkeypatch.setattr(
        candidates, "candidates", lambda *args: formed.append(args[-1]) or form(*args)
    )
    rng, t = np.random.default_rng(0), np.linspace(0, 20, 120)
    waves = [(rng.normal(size=(24, 1)), rng.uniform(0.3, 1.5, (24, 1))) for _ in range(3)]
    x = sum(size * np.sin(k * t) for size, k in waves)
    v = sum(size * k * np.cos(k * t) for size, k in waves)
    assert lost(beside_a_whole(x, v), "polynomial") == [] and not any(formed)
