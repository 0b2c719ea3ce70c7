"""Free functions with parameters in them: strengths, and lengths of their own in each run."""

import numpy as np
import sympy
from scipy.integrate import solve_ivp

from discovery import ConservedQuantityFinder, Trajectories
from discovery.data.parameters import Parts
from discovery.estimation.orbits import Orbits
from discovery.estimation.path import Path
from discovery.laws.free.beside_parameters import parameter_stages

RUNS, STEPS, LAST = 40, 80, 10.0


def driven_by(force, parameters, starts, friction=0.0, noise=0.01):
    """Runs of x″ = force(x, *p) − friction x′ with parameters p (RUNS, k): x, vx and p."""
    times = np.linspace(0, LAST, STEPS)
    clean = np.array(
        [
            solve_ivp(
                lambda _, s, p=p: [s[1], force(s[0], *p) - friction * s[1]],
                (0, LAST),
                start,
                t_eval=times,
                rtol=1e-9,
                atol=1e-10,
            ).y.T
            for p, start in zip(parameters, starts, strict=True)
        ]
    )
    rng = np.random.default_rng(1)
    noisy = clean + noise * clean.std(axis=(0, 1)) * rng.standard_normal(clean.shape)
    still = np.repeat(parameters[:, None], STEPS, axis=1)
    names = ["x", "vx", "q", "m"][: 2 + parameters.shape[1]]
    return Trajectories(np.concatenate([noisy, still], axis=2), times, names)


def charges(friction=0.0):
    """Charges q in the field of a smeared charge: v²/2 + q/√(x² + .37) is the energy."""
    rng = np.random.default_rng(0)
    q = rng.uniform(-2.3, -0.7, (RUNS, 1))
    starts = rng.uniform((-1.5, -0.5), (1.5, 0.5), (RUNS, 2))
    return driven_by(lambda x, p: p * x / (x * x + 0.37) ** 1.5, q, starts, friction)


def found_in(runs):
    return ConservedQuantityFinder(random_state=0).fit(runs).report_


def test_a_strength_of_a_function_with_a_length():
    (law,) = found_in(charges()).quantities
    assert law.verdict == "exact"
    q, v, x = sorted(law.expression.free_symbols, key=str)
    field, kinetic = law.expression.coeff(q), law.expression.coeff(v**2)
    assert len(law.expression.args) == 2
    at = np.linspace(-1.5, 1.5, 50)
    told = sympy.lambdify(x, field / (2 * kinetic))(at)
    np.testing.assert_allclose(told, 1 / np.sqrt(at**2 + 0.37), rtol=0.03)


def test_a_mass_and_a_strength():
    """m v²/2 − q/(1 + x²/1.7)."""
    rng = np.random.default_rng(0)
    given = rng.uniform((0.8, 0.7), (2.5, 1.8), (RUNS, 2))
    starts = rng.uniform((-1.2, -0.5), (1.2, 0.5), (RUNS, 2))

    def pull(x, q, m):
        return -2 * q * x / 1.7 / (1 + x * x / 1.7) ** 2 / m

    (law,) = found_in(driven_by(pull, given, starts)).quantities
    assert law.verdict == "exact"
    assert len(law.expression.args) == 2
    m, q, v, x = sorted(law.expression.free_symbols, key=str)
    assert sympy.expand(law.expression).has(m * v**2)
    well = sympy.lambdify(x, law.expression.subs({v: 0, q: 1}))(np.array([0.0, 1.0]))
    np.testing.assert_allclose(well[1] / well[0], 1 / (1 + 1 / 1.7), rtol=0.02)


def test_nothing_is_found_with_friction():
    assert found_in(charges(friction=0.03)).n_conserved == 0


def stages(names, roles, parts, rows):
    covariance = np.zeros((len(rows), len(names), len(names)))
    path = Path(rows, covariance)
    orbits = Orbits(path, path, np.array([0, len(rows)]), rows.std(axis=0))
    return parameter_stages(names, roles, orbits, parts)


def test_a_parameter_that_changes_its_sign_is_no_length():
    rng = np.random.default_rng(0)
    rows = rng.uniform((-1, -1, 0.5), (1, 1, 2), (50, 3))
    parts = Parts((0, 1), (2,))
    names, roles = ["x", "v", "a"], ["position", "velocity"]
    said = [stage.name for stage in stages(names, roles, parts, rows)]
    assert said == [f"functions of {s} with a" for s in ("the coordinates", "x/a", "a*x")]
    rows[0, 2] = -1.0
    assert len(stages(names, roles, parts, rows)) == 1


def test_neither_a_clock_nor_many_parameters():
    rows = np.random.default_rng(0).uniform(1, 2, (50, 5))
    names, roles = list("xvabc"), ["position", "velocity"]
    assert stages(names, roles, Parts((0, 1), (2, 3, 4)), rows) == []
    assert stages(names[:4], roles, Parts((0, 1), (2,), (), (3,)), rows[:, :4]) == []
