"""Data whose columns are not all coordinates, and whose samples lie on no smooth path."""

import numpy as np
import pandas as pd
import pytest
import sympy
from scipy.integrate import solve_ivp

import discovery
from discovery import ConservedQuantityFinder, Trajectories

RUNS, STEPS = 30, 80
TIMES = np.linspace(0.0, 10.0, STEPS)


def springs(stiffness, noise, seed=0):
    """Masses on springs, (runs, steps, 2): x and u, with k x² + u² conserved."""
    rng = np.random.default_rng(seed)
    rate = np.sqrt(np.broadcast_to(stiffness, RUNS))[:, None]
    size, phase = rng.uniform(0.5, 2.0, (RUNS, 1)), rng.uniform(0, 2 * np.pi, (RUNS, 1))
    x, u = size * np.cos(rate * TIMES + phase), -size * rate * np.sin(rate * TIMES + phase)
    clean = np.stack([x, u], axis=-1)
    return clean + noise * clean.reshape(-1, 2).std(axis=0) * rng.standard_normal(clean.shape)


def beside(states, *columns):
    still = [np.repeat(np.asarray(c, dtype=float)[:, None], STEPS, axis=1) for c in columns]
    return np.dstack([states, *still])


def fitted(states, names, **options):
    runs = Trajectories(states=states, names=list(names))
    finder = ConservedQuantityFinder(random_state=0, **options)
    return finder.fit(pd.DataFrame(runs.rows, columns=list(names)), groups=runs.groups)


STIFFNESS = np.random.default_rng(5).uniform(0.5, 3.0, RUNS)


@pytest.mark.parametrize("noise", [0.0, 0.01, 0.1])
def test_a_spring_of_its_own_in_each_run(noise):
    found = fitted(beside(springs(STIFFNESS, noise), STIFFNESS), "xuk")
    assert [str(q.expression) for q in found.quantities_] == ["k*x**2/2 + u**2/2"]
    assert "coordinates x, u; parameter k" in found.report_.title
    assert set(found.report_.noise) == {"x", "u"}


def test_a_parameter_keeps_its_origin():
    """Springs nearly alike: k is far from zero, and k x² is of k itself."""
    stiffness = np.random.default_rng(5).uniform(1.0, 1.03, RUNS)
    found = fitted(beside(springs(stiffness, 0.0), 1000 * stiffness), "xuk")
    (law,) = found.quantities_
    k, x, u = sympy.symbols("k x u")
    assert sympy.expand(law.expression / law.expression.coeff(u**2) - u**2 - k * x**2 / 1000) == 0


def test_a_frequency_of_its_own_in_each_run():
    """Its square is needed; its first power imitates that within loud noise."""
    frequency = np.sqrt(STIFFNESS)
    found = fitted(beside(springs(STIFFNESS, 0.05), frequency), "xuw")
    assert [str(q.expression) for q in found.quantities_] == ["u**2/2 + w**2*x**2/2"]


def test_what_is_constant_in_each_run_is_no_law():
    """A mass that nothing depends on, and a number of the run, in a column between the others."""
    states = beside(springs(1.0, 0.01), STIFFNESS, np.arange(RUNS))[:, :, [0, 3, 1, 2]]
    found = fitted(states, ["x", "run_number", "u", "m"])
    assert [str(q.expression) for q in found.quantities_] == ["u**2/2 + x**2/2"]
    assert "column run_number numbers the runs and is left out" in str(found.report_)
    values = found.quantities_[0](states)
    assert values.std(axis=1).max() < 0.1 * values.std()


def test_a_user_s_own_terms_with_a_parameter():
    states = beside(springs(STIFFNESS, 0.01), STIFFNESS)
    found = fitted(states, "xuk", library=["k*x**2", "u**2", "k**2", "log(k)"])
    assert [str(q.expression) for q in found.quantities_] == ["k*x**2/2 + u**2/2"]
    with pytest.raises(ValueError, match="depend on parameters alone"):
        fitted(states, "xuk", library=["k**2", "log(k)"])


def test_what_parameters_tell_is_no_law():
    """Bobs on rods of different lengths, in Cartesian coordinates: x² + y² is the rod's square."""
    rng = np.random.default_rng(2)
    length, rods = rng.uniform(0.5, 2.0, RUNS), []
    for rod, start in zip(length, rng.uniform(-2, 2, (RUNS, 2)), strict=True):
        a, w = solve_ivp(
            lambda _, s, rod=rod: [s[1], -9.81 / rod * np.sin(s[0])],
            (0, TIMES[-1]),
            start,
            t_eval=TIMES,
            rtol=1e-9,
        ).y
        x, y = rod * np.sin(a), -rod * np.cos(a)
        rods.append(np.stack([x, y, -y * w, x * w], axis=-1))
    states = np.array(rods)
    states += 0.01 * np.random.default_rng(0).standard_normal(states.shape)
    roles = ["position"] * 2 + ["velocity"] * 2 + [None]
    found = fitted(beside(states, length), "xyuvl", roles=roles)
    assert found.n_conserved_ == 1
    assert {str(t) for t in found.quantities_[0].coefficients} == {"y", "u**2", "v**2"}
    assert {str(i.expression) for i in found.report_.identities} == {"x**2 + y**2", "u*x + v*y"}


def test_a_symmetry_is_named_beside_a_parameter():
    runs = Trajectories(
        states=beside(springs(STIFFNESS, 0.01), STIFFNESS),
        names=list("xuk"),
        roles=["position", "velocity", "parameter"],
    )
    finder = ConservedQuantityFinder(roles=runs.roles, random_state=0)
    (law,) = finder.fit(runs.rows, groups=runs.groups).quantities_
    assert law.symmetry == "time translation"


@pytest.mark.slow
def test_a_manifold_is_trained_on_coordinates_alone():
    runs = Trajectories(
        states=beside(springs(STIFFNESS, 0.02), STIFFNESS, np.arange(RUNS)), names=list("xuki")
    )
    report = discovery.discover(runs, random_state=0, verbose=False)
    assert [str(q.expression) for q in report.quantities] == ["k*x**2/2 + u**2/2"]


def lyness(steps=100):
    """Lyness' map, which keeps (x + 1)(y + 1)(x + y + 2)/(x y)."""
    out = [np.random.default_rng(0).uniform(0.5, 4.0, (RUNS, 2))]
    for _ in range(steps - 1):
        x, y = out[-1].T
        out.append(np.stack([y, (2 + y) / x], axis=-1))
    return np.stack(out, axis=1)


@pytest.mark.parametrize("noise", [0.0, 1e-3])
def test_iterates_tell_their_noise(noise):
    clean = lyness()
    states = clean + noise * np.random.default_rng(1).standard_normal(clean.shape)
    found = fitted(states, "xy")
    (law,) = found.quantities_
    assert law.verdict == "exact" and "taken as iterates of a map" in found.report_.title
    values = law(clean)
    assert values.std(axis=1).max() < 1e-4 * values.std()


def test_iterates_with_their_noise():
    clean = lyness()
    noise = 1e-3 * clean.reshape(-1, 2).std(axis=0)
    states = clean + noise * np.random.default_rng(1).standard_normal(clean.shape)
    (law,) = fitted(states, "xy", noise=noise).quantities_
    assert law.verdict == "exact"
    values = law(clean)
    assert values.std(axis=1).max() < 1e-6 * values.std()


def test_noise_that_hides_a_cloud_is_said():
    cloud = np.random.default_rng(0).uniform(-1, 1, (RUNS, STEPS, 2))
    report = fitted(cloud, "xy", noise=0.4, library="polynomial").report_
    assert report.verdict == "undecided" and "noise is 69%" in report.reason
