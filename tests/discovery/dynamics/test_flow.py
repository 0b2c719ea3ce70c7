"""Following a motion: over long times, and never without a word."""

import numpy as np
import pytest
import sympy

from discovery.dynamics import flow
from discovery.dynamics.equations import Equations, real_symbol
from discovery.dynamics.flow import rollout
from discovery.laws import progress

NAMES = "x", "y", "u", "v"
STARTS = np.array([[0.1, 0.2, 0.1, 0.0], [0.2, 0.0, 0.0, 0.1]])


@pytest.fixture
def equations():
    """Return a potential of third degree."""
    x, y, u, v = symbols = tuple(map(real_symbol, NAMES))
    return Equations(symbols, (u, v, -x - 2 * x * y, -y - x**2 + y**2), (), np.empty(0), ())


@pytest.fixture
def counted(monkeypatch):
    """Count the rates that symplectic steps ask for."""
    asked, of_half = [], Equations.of_half

    def counting(self, side, states):
        asked.append(side)
        return of_half(self, side, states)

    monkeypatch.setattr(Equations, "of_half", counting)
    return asked


def test_far_times_are_followed_as_near_ones(equations):
    near = rollout(equations, STARTS, np.linspace(0, 60, 301))[:, -1]
    far = rollout(equations, STARTS, np.array([0.0, 60.0]))[:, -1]
    np.testing.assert_allclose(far, near, atol=1e-5)


def test_what_takes_too_many_symplectic_steps_is_known_soon(equations, counted, monkeypatch):
    monkeypatch.setattr(flow, "_MOST_STEPS", 2**12)
    monkeypatch.setattr(flow, "_PROBE_STEPS", 64)
    found = rollout(equations, STARTS[:1], np.array([0.0, 1e3]))
    assert np.isfinite(found).all()
    # For each of 12 lengths of a step, 64 and 32 steps of 15 rates.
    assert len(counted) < 12 * 96 * 15


@pytest.mark.parametrize("times", [[0.0, 5.0], [5.0, 0.0]])
@pytest.mark.parametrize("separable", [True, False])
def test_what_takes_long_says_so(equations, monkeypatch, capsys, times, separable):
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    if not separable:
        x, _, u, _ = equations.symbols
        equations = Equations((x, u), (u + x * u, -sympy.sin(x)), (), np.empty(0), ())
    start = STARTS[:1, : len(equations.symbols)]
    rollout(equations, start, np.array(times))
    assert "following a motion" in capsys.readouterr().err


def test_what_is_quick_says_nothing(equations, capsys):
    rollout(equations, STARTS, np.array([0.0, 5.0]))
    assert capsys.readouterr().err == ""
