"""Laws in coordinates that hide them: polar, warped, sheared, and a rod in the plane."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from discovery import ConservedQuantityFinder, Trajectories, datasets
from discovery.estimation.preparation import prepare
from discovery.laws.finding.candidates import short_supports
from discovery.laws.finding.operators import operators


def seen_through(name, change, names, roles=None, noise=0.0, n_runs=60):
    """Runs of a system whose clean states are mapped, and then measured."""
    clean = datasets.load(name, n_runs, 150, seed=0)
    states = change(clean.states)
    spread = states.reshape(-1, states.shape[-1]).std(axis=0)
    states = states + noise * spread * np.random.default_rng(1).standard_normal(states.shape)
    return Trajectories(states=states, times=clean.times, names=names, roles=roles)


def exact(runs):
    finder = ConservedQuantityFinder(roles=runs.roles, random_state=0)
    report = finder.fit(runs.rows, groups=runs.groups, times=runs.row_times).report_
    return report.quantities[: report.n_conserved]


def polar(states):
    x, y, u, v = np.moveaxis(states, -1, 0)
    r = np.hypot(x, y)
    angle = np.unwrap(np.arctan2(y, x), axis=1)
    return np.stack([r, angle, (x * u + y * v) / r, (x * v - y * u) / r**2], axis=-1)


def test_kepler_in_polar_coordinates():
    roles = ["position", "angle", "velocity", "angular_velocity"]
    runs = seen_through("kepler", polar, ["r", "phi", "v", "w"], roles)
    laws = exact(runs)
    assert len(laws) == 3
    assert "x0**2*x3" in {str(law.expression) for law in laws}


@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_a_warped_oscillator(noise):
    runs = seen_through("harmonic_oscillator", np.sinh, ["p", "q"], noise=noise)
    assert len(exact(runs)) == 1


def test_a_warped_control_has_no_law():
    runs = seen_through("van_der_pol", lambda s: np.sinh(s / 2), ["p", "q"], noise=0.01)
    assert not exact(runs)


def test_short_formulas_are_found_among_all_terms():
    """One term and pairs, each no longer than it must be; a law's parts alone are none."""
    runs = datasets.load("harmonic_oscillator", 40, 100, noise=0.01)
    orbits = prepare(runs)
    from discovery.libraries.choice import custom

    library = custom(["x**2", "u**2", "x*u", "x", "x**2 + u**2"], ["x", "u"])
    ops = operators(library, orbits.smoothed, orbits.offsets, orbits.scale)
    assert short_supports(ops, 1.5) == [(4,), (0, 1)]
    assert short_supports(ops, 0.0) == []


def test_rays_that_go_far_out():
    """Maxwell's fish eye: a few samples of its rays are so far out that noise hides the laws there.

    (1 + r²)² p²/2 and the vector (1 − r²) p + 2 (r·p) r are conserved, and angular momentum.
    """

    def flow(_, state):
        x, y, px, py = state
        n = 1 + x**2 + y**2
        slope = -2 * n * (px**2 + py**2)
        return [n**2 * px, n**2 * py, slope * x, slope * y]

    rng, times = np.random.default_rng(0), np.linspace(0, 4, 150)
    starts = [[*rng.uniform(-0.8, 0.8, 2), *rng.normal(0, 0.4, 2)] for _ in range(40)]
    states = np.array(
        [
            solve_ivp(flow, (0, 4), start, t_eval=times, rtol=1e-10, atol=1e-12).y.T
            for start in starts
        ]
    )
    spread = states.reshape(-1, 4).std(axis=0)
    assert np.abs(states).max() > 20 * spread[0]
    states += 0.01 * spread * rng.standard_normal(states.shape)
    roles = ["position"] * 2 + ["momentum"] * 2
    laws = exact(Trajectories(states, [times] * 40, ["x", "y", "px", "py"], roles))
    assert len(laws) == 3
    assert all(len(law.expression.args) <= 4 for law in laws)


def turning(wrapped):
    """A pendulum under a constant torque: its energy grows with every turn."""
    rng, times = np.random.default_rng(0), np.linspace(0, 6, 100)
    starts = np.stack([rng.uniform(-3, 3, 30), rng.uniform(2, 7, 30)], axis=1)
    states = np.array(
        [
            solve_ivp(
                lambda _, s: [s[1], -1.2 - 0.9 * np.sin(s[0])],
                (0, 6),
                start,
                t_eval=times,
                rtol=1e-9,
                atol=1e-11,
            ).y.T
            for start in starts
        ]
    )
    states += 0.01 * states.std(axis=(0, 1)) * rng.standard_normal(states.shape)
    if wrapped:
        states[..., 0] = np.mod(states[..., 0], 2 * np.pi)
    return Trajectories(states, times, ["phi", "w"], ["angle", "angular_velocity"])


def test_a_constant_torque():
    report = ConservedQuantityFinder(random_state=0).fit(turning(False)).report_
    (energy,) = report.quantities
    assert str(energy.expression) == "6*phi/5 + w**2/2 - 9*cos(phi)/10"
    # On the circle the energy has no value of its own.
    report = ConservedQuantityFinder(random_state=0).fit(turning(True)).report_
    assert "unwound" not in report.explain()


def twisted(friction=0.0):
    """Two pendulums on one wire, .17 (a − b)² of energy in it, over several turns."""
    rng, times = np.random.default_rng(0), np.linspace(0, 10, 80)
    starts = rng.uniform((-7, -7, -1.5, -1.5), (7, 7, 1.5, 1.5), (30, 4))

    def rates(_, s):
        pull = 0.34 * (s[0] - s[1])
        slowed = friction * s[2:]
        forces = [-1.3 * np.sin(s[0]) - pull, -0.87 * np.sin(s[1]) + pull] - slowed
        return [*s[2:], *(forces / [1.06, 1.42])]

    states = np.array(
        [
            solve_ivp(rates, (0, 10), start, t_eval=times, rtol=1e-9, atol=1e-11).y.T
            for start in starts
        ]
    )
    states += 0.01 * states.std(axis=(0, 1)) * rng.standard_normal(states.shape)
    return Trajectories(states, times, ["theta1", "theta2", "omega1", "omega2"])


def test_pendulums_on_one_wire():
    (energy,) = ConservedQuantityFinder(random_state=0).fit(twisted()).quantities_
    parts = energy.expression.as_coefficients_dict()
    ratio = {str(term): float(c) for term, c in parts.items()}
    unit = ratio["omega1**2"] / 0.53
    found = {term: c / unit for term, c in ratio.items()}
    assert found == pytest.approx(
        {
            "omega1**2": 0.53,
            "omega2**2": 0.71,
            "cos(theta1)": -1.3,
            "cos(theta2)": -0.87,
            "(theta1 - theta2)**2": 0.17,
        },
        rel=0.05,
    )
    assert not ConservedQuantityFinder(random_state=0).fit(twisted(friction=0.03)).n_conserved_
