"""Two quantities that grow at the rates of laws make one: of pulls as 1/d³, and of no others."""

import numpy as np
import pytest
import sympy
from scipy.integrate import solve_ivp

from discovery import Trajectories
from discovery.estimation.preparation import prepare
from discovery.estimation.split import Split
from discovery.laws.even_growth import NAME, even_growth_stages
from discovery.laws.judging.law import Findings
from discovery.laws.search import analyse
from discovery.laws.stages import Closed
from discovery.libraries import custom

NAMES = ("a1", "b1", "a2", "b2")
ROLES = ("position", "momentum") * 2
x, p, y, q = sympy.symbols(NAMES, real=True)
TIMES = np.linspace(0, 3, 50)
LIGHT, HEAVY, PUSH = 1.0, 1.7, 0.83


def on_a_line(power, n=24, noise=0.01):
    """Two bodies that push each other away, with the potential PUSH/d^power."""

    def rates(_, s):
        d = s[0] - s[2]
        force = power * PUSH * d / abs(d) ** (power + 2)
        return [s[1] / LIGHT, force, s[3] / HEAVY, -force]

    rng = np.random.default_rng(0)
    low, high = [-1.5, 0.1, 0.6, -1.2], [-0.7, 1.2, 1.5, 0.3]
    states = np.array(
        [
            solve_ivp(rates, (0, 3), s, t_eval=TIMES, rtol=1e-9, atol=1e-10).y.T
            for s in rng.uniform(low, high, (n, 4))
        ]
    )
    states += noise * states.std(axis=(0, 1)) * rng.normal(size=states.shape)
    return Trajectories(states=states, times=TIMES, names=NAMES, roles=ROLES)


def found_in(runs, power):
    rng = np.random.default_rng(0)
    split = Split.draw(prepare(runs), rng)
    times = np.tile(TIMES, split.fit.n_runs)
    energy = ["b1**2", "b2**2", f"1/(a1 - a2)**{power}"]
    known = [Closed(custom(terms, NAMES)) for terms in (["b1", "b2"], energy)]
    return analyse([*known, *even_growth_stages(NAMES, ROLES, times)], split, rng)


def test_the_centre_and_the_dilation_make_a_law():
    """M X grows as the momentum tells, and x p + y q as twice the energy does."""
    runs = on_a_line(2)
    laws = [law for law in found_in(runs, 2).laws if law.verdict == "exact"]
    assert len(laws) == 3
    new = next(law for law in laws if law.library.name == NAME)
    energy = p**2 / LIGHT + q**2 / HEAVY + 2 * PUSH / (x - y) ** 2
    truth = (LIGHT * x + HEAVY * y) * energy - (x * p + y * q) * (p + q)
    values = sympy.lambdify((x, p, y, q), truth)(*on_a_line(2, noise=0.0).rows.T)
    assert np.corrcoef(values, new.values(on_a_line(2, noise=0.0).rows))[0, 1] ** 2 > 0.9999


def test_other_pushes_make_none():
    found = found_in(on_a_line(3), 3)
    assert len(found.laws) == 2
    assert all(stage.n_terms == 0 for stage in found.stages if stage.library == NAME)


@pytest.mark.parametrize("roles", [("angle", "momentum"), ("angle", "angular_velocity")])
def test_angles_have_no_moments(roles):
    assert even_growth_stages(("a", "b"), roles, np.zeros(0)) == []


def test_the_same_laws_are_asked_once():
    runs = on_a_line(3)
    split = Split.draw(prepare(runs), np.random.default_rng(0))
    (stage,) = even_growth_stages(NAMES, ROLES, np.tile(TIMES, split.fit.n_runs))
    laws = found_in(runs, 3).laws
    assert stage.libraries(split.fit, Findings(laws)) is not None
    assert stage.libraries(split.fit, Findings(laws)) is None
    assert stage.libraries(split.fit, Findings([])) is None
