"""Decay: what a rate tells, and when it tells anything."""

import numpy as np
import pytest

from discovery.laws.judging.decay import Decay, frequency


def test_a_rate_may_be_zero():
    assert Decay(0.01, 0.001).is_certain
    assert not Decay(0.01, 0.01).is_certain


def test_loss_time_and_quality_factor():
    decay = Decay(rate=0.1, error=0.001, frequency=2.0)
    assert decay.loss_time == pytest.approx(10.0)
    assert decay.quality_factor == pytest.approx(20.0)


@pytest.mark.parametrize(("omega", "expected"), [(2.0, 2.0), (0.1, np.nan)])
def test_frequency_of_runs_that_turn_round(omega, expected):
    times = np.tile(np.linspace(0, 30, 400), 2)
    states = np.cos(omega * times + 0.3)[:, None]
    found = frequency(states, times, np.array([0, 400, 800]))
    assert found == pytest.approx(expected, rel=0.05, nan_ok=True)
