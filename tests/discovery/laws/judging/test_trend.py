"""Nearly conserved quantities: how fast they drift, and what the report says of it."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from discovery import ConservedQuantityFinder, libraries
from discovery.estimation.path import raw_path
from discovery.laws.judging.trend import secular_rate

DAMPING = 4e-4
T = np.linspace(0, 30, 200)


def damped(noise, runs=60, damping=DAMPING):
    """Weakly damped oscillators in closed form: the energy decays at the rate `damping`."""
    rng = np.random.default_rng(0)
    size, phase = rng.uniform(0.3, 2, (runs, 1)), rng.uniform(0, 6.3, (runs, 1))
    decay, turn = np.exp(-damping * T / 2), T * np.sqrt(1 - damping**2 / 4) + phase
    x = size * decay * np.cos(turn)
    v = -size * decay * (np.sin(turn) * np.sqrt(1 - damping**2 / 4) + damping / 2 * np.cos(turn))
    states = np.stack([x, v], axis=-1)
    return states + noise * states.std(axis=(0, 1)) * rng.standard_normal(states.shape)


def report_of(states):
    rows, groups = states.reshape(-1, 2), np.repeat(np.arange(len(states)), len(T))
    finder = ConservedQuantityFinder(roles=["position", "velocity"], random_state=0)
    return finder.fit(rows, groups=groups, times=np.tile(T, len(states))).report_


@pytest.mark.parametrize("noise", [0.0, 0.002])
def test_linear_friction_is_a_decay(noise):
    report = report_of(damped(noise))
    assert report.n_conserved == 0
    (law,) = report.quantities
    assert (law.verdict, law.drift_rate) == ("decaying", None)
    assert law.rate == pytest.approx(DAMPING, abs=3 * law.rate_error + 1e-9)
    assert law.lifetime == law.loss_time == pytest.approx(1 / law.rate)


def test_rate_and_lifetime():
    # Friction of a kind that is not looked for: the trend of the energy is told.
    def rate(_, s):
        return [s[1], -s[0] - 0.0005 * s[0] ** 2 * s[1]]

    starts = np.random.default_rng(0).uniform(-1.5, 1.5, (60, 2))
    options = {"t_eval": T, "rtol": 1e-9, "atol": 1e-11}
    states = np.array([solve_ivp(rate, (0, T[-1]), s, **options).y.T for s in starts])
    finder = ConservedQuantityFinder(["x0**2", "x1**2"], roles=["position", "velocity"])
    groups, times = np.repeat(np.arange(60), len(T)), np.tile(T, 60)
    finder.set_params(random_state=0).fit(states.reshape(-1, 2), groups=groups, times=times)
    report = finder.report_
    (law,) = report.quantities
    assert (law.verdict, law.decay) == ("approximate", None)
    energy = np.sum(states**2, axis=2)
    slopes = np.polyfit(T, energy.T, 1)[0]
    expected = np.sqrt(np.mean(slopes**2)) / energy.std()
    assert law.drift_rate == pytest.approx(expected, rel=0.1)
    assert law.lifetime == pytest.approx(1 / expected, rel=0.1)
    assert "lost after about" in str(report)
    assert law.to_dict()["drift_rate"] == law.drift_rate


@pytest.mark.parametrize("seed", range(6))
def test_noise_has_no_trend(seed):
    """Slopes of lines through noise, and one hundredth of a spread in a run beside it."""
    rng = np.random.default_rng(seed)
    noise = 0.1 * rng.standard_normal(30 * 50)
    times, offsets = np.tile(np.arange(50.0), 30), 50 * np.arange(31)
    x = libraries.custom(["x"], ("x",))

    def rate(values):
        path = raw_path(values[:, None], np.array([0.1]))
        return secular_rate(x, np.ones(1), path, times, offsets, spread=1.0)

    assert rate(noise) == 0.0
    assert rate(noise + 0.02 * times) == pytest.approx(0.02, rel=0.05)


def test_an_exact_law_has_no_rate():
    (law,) = report_of(damped(0.01, damping=0.0)).quantities
    assert law.verdict == "exact"
    assert law.drift_rate is None
    assert law.lifetime == np.inf


@pytest.mark.slow
def test_adiabatic_invariant_of_a_slowly_driven_oscillator():
    """Frequency w sinking by a third over a run: energy over frequency stays, nearly."""
    rng = np.random.default_rng(0)
    starts = np.hstack([rng.uniform(-1, 1, (60, 2)), rng.uniform(0.7, 1.6, (60, 1))])

    def flow(_, s):
        return [s[1], -(s[2] ** 2) * s[0], -0.01 * s[2]]

    t = np.linspace(0, 40, 200)
    runs = [solve_ivp(flow, (0, 40), s, t_eval=t, rtol=1e-10, atol=1e-12).y.T for s in starts]
    rows, groups = np.concatenate(runs), np.repeat(np.arange(60), 200)
    # Richer libraries hold corrections of higher order, which stay far better.
    action = ["x1**2/x2 + x2*x0**2"]
    finder = ConservedQuantityFinder(library=action, random_state=0)
    report = finder.fit(rows, groups=groups, times=np.tile(t, 60)).report_
    assert report.n_conserved == 0
    # The frequency itself decays.
    slow, law = report.quantities
    assert str(slow.expression) == "x2" and slow.verdict == "decaying"
    assert slow.rate == pytest.approx(0.01)
    assert law.verdict == "approximate"
    assert 1e-3 < law.drift < 0.02
    richer = ConservedQuantityFinder(random_state=0).fit(rows, groups=groups)
    assert min(law.drift for law in richer.quantities_) < 1e-4
