"""A model kept to the laws: on the level set for ever, with derivatives, and errors in words."""

import numpy as np
import pytest

from discovery.dynamics.guided import Guide, guided

from .conftest import exact

TIMES = np.linspace(0, 8, 81)
SPACE = ["position", "velocity"]


def pendulum(a, u):
    return u, -1.4 * np.sin(a)


class Energy:
    """One law, u²/2 − 1.4 cos a."""

    def jets(self, states):
        a, u = states.T
        slopes = np.stack([1.4 * np.sin(a), u], axis=1)
        return (u**2 / 2 - 1.4 * np.cos(a))[:, None], slopes[:, None]


class Model:
    """A model that has learned the pendulum with a friction that is not there."""

    dim, timed = 2, False

    def __init__(self, friction=0.02):
        self.friction = friction

    def step(self, x, dt):
        """A leapfrog step, after which friction takes its share."""
        h, keep = 0.1 * (np.ones(len(x)) if dt is None else dt[:, 0]), 1 - self.friction
        a, u = x.T
        half = u - h / 2 * 1.4 * np.sin(a)
        b = a + h * half
        by_a, by_u = -h / 2 * 1.4 * np.cos(a), np.ones(len(x))
        turned = np.stack([1 + h * by_a, h * by_u], axis=1)
        push = (h / 2 * 1.4 * np.cos(b))[:, None]
        last = keep * (np.stack([by_a, by_u], axis=1) - push * turned)
        ahead = np.stack([b, keep * (half - h / 2 * 1.4 * np.sin(b))], axis=1)
        return ahead, np.stack([turned, last], axis=1)

    def noise_covariance(self, x):
        return np.tile(np.diag([0.01, 0.02]) ** 2, (len(x), 1, 1))


class Timed(Model):
    timed = True

    def step(self, x, dt):
        return super().step(x, np.broadcast_to(dt, (len(x), 1)))


@pytest.fixture(scope="module")
def runs(simulated):
    starts = np.random.default_rng(0).uniform(-1.2, 1.2, (12, 2))
    return simulated(pendulum, starts, TIMES, ["a", "u"], SPACE)


def of(runs, model):
    return guided(model, Energy(), ["u**2/2 - 1.4*cos(a)"], *runs)


def test_the_energy_is_kept(runs):
    motion = of(runs, Model())
    long = motion.rollout([0.9, 0.3], 0.1 * np.arange(801))
    energy = Energy().jets(long)[0][:, 0]
    np.testing.assert_allclose(energy, energy[0], atol=1e-10)
    assert np.ptp(long[-100:, 0]) > 1.5  # the model alone has come to rest by then
    assert "which keep u**2/2" in str(motion)


def test_it_is_better_than_the_model_alone(runs):
    times = 0.1 * np.arange(41)
    starts = np.array([[0.9, 0.3], [-0.4, 0.8]])
    kept, model = of(runs, Model()).rollout(starts, times), Model()
    alone = [starts]
    for _ in times[1:]:
        alone.append(model.step(alone[-1], None)[0])
    true = np.array([exact(pendulum, start, times) for start in starts])
    errors = [np.abs(found[:, -1] - true[:, -1]).max() for found in (kept, np.stack(alone, 1))]
    assert errors[0] < 0.5 * errors[1]


def test_derivatives_of_a_step(runs):
    guide = Guide(Model(), Energy(), np.ones(1), runs[0], 0.1)
    x = np.array([[0.9, 0.3], [-0.4, 0.8]])
    _, slopes = guide.step(x, np.full(2, 0.1))
    # Along the level set by differences; across it the law's own value is handed on.
    gradient = Energy().jets(x)[1][:, 0]
    along = np.stack([-gradient[:, 1], gradient[:, 0]], axis=1)
    ahead, behind = (guide.step(x + e * along, np.full(2, 0.1))[0] for e in (1e-6, -1e-6))
    found = np.einsum("nij,nj->ni", slopes, along)
    np.testing.assert_allclose(found, (ahead - behind) / 2e-6, rtol=0.05)
    there = Energy().jets(guide.step(x, np.full(2, 0.1))[0])[1][:, 0]
    np.testing.assert_allclose(np.einsum("ni,nij->nj", there, slopes), gradient, atol=1e-9)


def test_the_residual_tells_how_good_the_model_is(runs):
    good, bad = of(runs, Model(0.0)).residual, of(runs, Model(0.02)).residual
    assert 0.8 < good < 1.3 < bad


def test_a_forecast_from_a_noisy_window(runs):
    motion = of(runs, Model(0.0))
    window, later = runs[0].states[3], TIMES[-1] + 0.1 * np.arange(1, 30)
    found = motion.forecast(window[-40:], TIMES[-40:], later)
    assert found.states.shape == (29, 2) and found.covariance.shape == (29, 2, 2)
    starts = np.random.default_rng(0).uniform(-1.2, 1.2, (12, 2))
    true = exact(pendulum, starts[3], np.array([0.0, *later]))[1:]
    assert 0.2 < np.sqrt(np.mean(((found.states - true) / found.error) ** 2)) < 3
    assert found.chi_square < 1.5
    display = motion.plot_forecast(window[-40:], TIMES[-40:], later)
    assert len(display.axes_) == 2


def test_times_between_steps(runs):
    with pytest.raises(ValueError, match=r"steps by 0.1 alone"):
        of(runs, Model()).rollout([0.9, 0.3], [0.0, 0.15])
    found = of(runs, Timed(0.0)).rollout([0.9, 0.3], [0.0, 0.15, 0.2])
    np.testing.assert_allclose(found, exact(pendulum, [0.9, 0.3], [0.0, 0.15, 0.2]), atol=2e-3)
    with pytest.raises(ValueError, match="out of order"):
        of(runs, Model()).rollout([0.9, 0.3], [0.0, -0.1])


def test_a_model_that_does_not_step(runs):
    model = Model()
    model.step = None
    with pytest.raises(ValueError, match="no next state"):
        of(runs, model)
