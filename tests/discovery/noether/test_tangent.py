"""Names of laws where places are tied to a surface: rods, and a bob on a sphere in a field."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from discovery.libraries import custom
from discovery.noether.motion import Candidate, MeasuredMotion
from discovery.noether.naming import names_of

RUNS, SAMPLES = 12, 160


def moving(ties, force, starts, names):
    """Return motion with M = 1 on ties(q) = constant, given by their gradients and curvature."""
    n, times = len(names) // 2, np.linspace(0, 6, SAMPLES)

    def rates(_, state):
        q, v = state[:n], state[n:]
        across, bend = ties(q, v)
        held = np.linalg.solve(across @ across.T, bend + across @ force(q, v))
        return np.concatenate([v, force(q, v) - across.T @ held])

    paths = [solve_ivp(rates, (0, 6), s, t_eval=times, rtol=1e-10, atol=1e-10).y.T for s in starts]
    return MeasuredMotion(
        states=np.concatenate(paths),
        times=np.tile(times, RUNS),
        offsets=SAMPLES * np.arange(RUNS + 1),
        names=names,
        roles=("position",) * n + ("velocity",) * n,
        told=True,
        noise=np.zeros(2 * n),
        pairs=tuple((i, i + n) for i in range(n)),
    )


def named(motion, laws, ties):
    some = [[Candidate(custom([f], motion.names), np.ones(1)) for f in of] for of in (laws, ties)]
    tied = MeasuredMotion(**{**vars(motion), "tied": tuple(some[1])})
    return names_of(some[0], tied)


def on_a_sphere():
    rng = np.random.default_rng(0)
    theta, phi = rng.uniform(0.3, 1.5, RUNS), rng.uniform(0, 6.3, RUNS)
    q = np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), -np.cos(theta)], axis=1)
    v = np.cross(q, rng.normal(size=(RUNS, 3)))
    return moving(
        lambda q, v: (2 * q[None], np.array([2 * v @ v])),
        lambda q, v: np.array([1.4 * v[1], -1.4 * v[0], -2.0]),
        np.hstack([q, v]),
        ("x", "y", "z", "vx", "vy", "vz"),
    )


def test_a_charge_on_a_sphere_in_a_magnetic_field():
    motion, sphere = on_a_sphere(), ["x**2 + y**2 + z**2", "x*vx + y*vy + z*vz"]
    energy, spin = "(vx**2 + vy**2 + vz**2)/2 + 2*z", "x*vy - y*vx - 7*z**2/10"
    expected = ["energy", "canonical angular momentum about z"]
    assert named(motion, [energy, spin], sphere) == expected
    assert named(motion, [energy, spin], []) == [None, None]
    # Of another weight, and beside another surface.
    assert named(motion, [energy.replace("2*z", "3*z")], sphere) == [None]
    assert named(motion, [energy], ["x**2 + y**2 + 2*z**2"]) == [None]


def test_two_rods():
    """A double pendulum by the places of its bobs: of two ties one is of both places."""
    rng = np.random.default_rng(1)
    one, two = rng.uniform(-1.2, 1.2, (2, RUNS))
    first = np.stack([np.sin(one), -np.cos(one)], axis=1)
    second = first + np.stack([np.sin(two), -np.cos(two)], axis=1)

    def ties(q, v):
        d, w = q[2:] - q[:2], v[2:] - v[:2]
        across = np.array([[*(2 * q[:2]), 0, 0], [*(-2 * d), *(2 * d)]])
        return across, np.array([2 * v[:2] @ v[:2], 2 * w @ w])

    motion = moving(
        ties,
        lambda q, v: np.array([0.0, -1.0, 0.0, -1.0]),
        np.hstack([first, second, np.zeros((RUNS, 4))]),
        ("x1", "y1", "x2", "y2", "u1", "v1", "u2", "v2"),
    )
    energy = "(u1**2 + v1**2 + u2**2 + v2**2)/2 + y1 + y2"
    rods = ["x1**2 + y1**2", "(x2 - x1)**2 + (y2 - y1)**2"]
    assert named(motion, [energy], rods) == ["energy"]
    assert named(motion, [energy], rods[:1]) == [None]
    assert named(motion, [energy + " + y2"], rods) == [None]


@pytest.mark.parametrize("speeds", [1.0, 2.0])
def test_what_is_of_velocities_ties_no_places(speeds):
    """A sum of squares of velocities that happens to be one number is no surface of places."""
    motion = on_a_sphere()
    laws = [f"(vx**2 + vy**2 + vz**2)/{speeds} + 2*z"]
    assert named(motion, laws, ["vx**2 + vy**2 + vz**2"]) == [None]
