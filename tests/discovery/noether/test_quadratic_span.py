"""Better forms of laws quadratic in the momenta: linear ones, energies, those of modes."""

import numpy as np
import pandas as pd
import pytest
from scipy.linalg import expm

from discovery import ConservedQuantityFinder
from discovery.formulas.simple_numbers import NUMBERS
from discovery.libraries import custom
from discovery.noether.motion import Candidate, MeasuredMotion
from discovery.noether.naming import names_of
from discovery.noether.quadratic_span import mode_energies, parted

PLANE = ("x", "y", "u", "v")
SPACE = ("x", "y", "z", "u", "v", "w")
# Springs between walls; x' = u, u' = −K x.
PENDULA = np.array([[1.3, -0.3], [-0.3, 1.3]])
ROW = np.array([[2.0, -1, 0], [-1, 2, -1], [0, -1, 2]])


def springs(stiffness, field=0.0):
    n = len(stiffness)
    turn = np.zeros((n, n))
    turn[0, 1], turn[1, 0] = field, -field
    return np.block([[np.zeros((n, n)), np.eye(n)], [-stiffness, turn]])


def runs_of(matrix, noise=0.0, runs=30, steps=60, dt=0.15):
    rng, step = np.random.default_rng(0), expm(matrix * dt).T
    states = np.empty((runs, steps, len(matrix)))
    states[:, 0] = rng.normal(size=states[:, 0].shape)
    for k in range(1, steps):
        states[:, k] = states[:, k - 1] @ step
    spread = states.reshape(-1, len(matrix)).std(axis=0)
    return states + noise * spread * rng.normal(size=states.shape), dt


def motion_of(matrix, names):
    states, dt = runs_of(matrix)
    n, (runs, steps, d) = len(names) // 2, states.shape
    return MeasuredMotion(
        states=states.reshape(-1, d),
        times=np.tile(dt * np.arange(steps), runs),
        offsets=steps * np.arange(runs + 1),
        names=names,
        roles=("position",) * n + ("velocity",) * n,
        told=True,
        noise=np.zeros(d),
        pairs=tuple((k, k + n) for k in range(n)),
    )


def laws_of(motion, *formulas):
    return [Candidate(custom([f], motion.names), np.ones(1)) for f in formulas]


def modes(motion, *formulas, error=1e-3):
    found = mode_energies(laws_of(motion, *formulas), motion)
    out = []
    for mode in found.values():
        library, k = mode.terms(motion, error, NUMBERS)
        out.append(" ".join(map(str, library.expressions())) + f" {k[1]:.3f}")
    return sorted(out)


def test_modes_of_two_pendula():
    motion = motion_of(springs(PENDULA), PLANE)
    energy = "(u**2 + v**2)/2 + 13*(x**2 + y**2)/20 - 3*x*y/10"
    assert modes(motion, energy, "u*v + 13*x*y/10 - 3*(x**2 + y**2)/20") == [
        "(u + v)**2 (x + y)**2 1.000",
        "(u - v)**2 (x - y)**2 1.600",
    ]
    single = ["(u + v)**2 + (x + y)**2", "(u - v)**2 + 8*(x - y)**2/5"]
    assert modes(motion, *single) == []  # as they are
    assert modes(motion, energy) == []


def test_modes_of_three_springs():
    """√2 is a number that errors of a thousandth tell, and of a hundredth do not."""
    names = ("x", "y", "z", "u", "v", "w")
    motion = motion_of(springs(ROW), names)
    formulas = (
        "(u**2 + v**2 + w**2)/2 + x**2 + y**2 + z**2 - x*y - y*z",
        "(u - w)**2/2 + (x - z)**2",
        "u*v + v*w + 2*x*y + 2*y*z - (x**2 + z**2)/2 - y**2 - x*z",
    )
    found = modes(motion, *formulas)
    assert "(u - w)**2 (x - z)**2 2.000" in found
    assert any("sqrt(2)*u/2" in mode and mode.endswith("0.586") for mode in found)


def test_equal_frequencies_have_no_modes_of_their_own():
    motion = motion_of(springs(np.eye(2)), PLANE)
    assert modes(motion, "u**2 + v**2 + x**2 + y**2", "u*v + x*y") == []


def test_what_is_linear_and_what_is_an_energy():
    """In a Penning trap the energy in the plane has L in it, and L the energy's squares."""
    motion = motion_of(springs(np.diag([-0.32, -0.32, 0.64]), 1.7), SPACE)
    turning, flat = "x*v - y*u + 17*(x**2 + y**2)/20", "(u**2 + v**2)/2 - 4*(x**2 + y**2)/25"
    laws = laws_of(motion, "w**2 + 16*z**2/25", flat, f"{turning} + 3*({flat})")
    np.testing.assert_allclose(parted(laws, motion)[2], [0, -3, 1], atol=1e-9)
    laws = laws_of(motion, "w**2 + 16*z**2/25", turning, f"{turning} + 3*({flat})")
    np.testing.assert_allclose(parted(laws, motion)[2], [0, -1, 1], atol=1e-9)
    assert parted(laws_of(motion, turning, flat), motion) == {}
    for energy in ("w**2 + 16*z**2/25", "3*w**2 + 48*z**2/25"):  # which has no scale
        assert names_of(laws_of(motion, energy, turning, flat), motion) == [
            "energy of the motion in z",
            "canonical angular momentum about z",
            "energy of the motion in x, y",
        ]


def test_angular_momentum_beside_energies_of_any_scale():
    motion = motion_of(springs(np.eye(2)), PLANE)
    laws = laws_of(motion, "u**2 + x**2", "3*v**2 + 3*y**2", "x*v - y*u")
    assert names_of(laws, motion)[2] == "angular momentum"


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        (
            springs(PENDULA),
            {
                "(u + v)**2/2 + (x + y)**2/2": "time translation of the mode alone",
                "(u - v)**2/2 + 0.8*(x - y)**2": "time translation of the mode alone",
            },
        ),
        (
            springs(np.eye(2), 0.6),
            {
                "u**2/2 + v**2/2 + x**2/2 + y**2/2": "time translation",
                "x*v - y*u + 0.3*x**2 + 0.3*y**2": "rotation, in the field",
            },
        ),
    ],
    ids=["pendula", "Foucault's pendulum"],
)
def test_laws_of_measured_runs(matrix, expected):
    states, dt = runs_of(matrix, noise=0.01)
    rows = pd.DataFrame(states.reshape(-1, 4), columns=PLANE)
    finder = ConservedQuantityFinder(
        roles=["position"] * 2 + ["velocity"] * 2, library="polynomial", random_state=0
    )
    runs, steps, _ = states.shape
    groups, times = np.repeat(np.arange(runs), steps), np.tile(dt * np.arange(steps), runs)
    report = finder.fit(rows, groups=groups, times=times).report_
    found = {q.formula: q.symmetry for q in report.quantities if q.verdict == "exact"}
    assert found == expected
    for law in report.quantities:
        by_terms = sum(
            c * law.library.restrict([k]).values(rows.to_numpy())[0]
            for k, c in enumerate(law.coefficients.values())
        )
        np.testing.assert_allclose(by_terms, law(rows.to_numpy()), rtol=1e-9)
