"""Names of laws: certain ones are given, by form and by motion; look-alikes get none."""

from dataclasses import replace

import numpy as np
import pytest
import sympy
from scipy.integrate import solve_ivp

from discovery import datasets
from discovery.libraries import custom
from discovery.noether.brackets.lie_poisson import energy_of_spins
from discovery.noether.completion import missing_energy_of_spins
from discovery.noether.motion import Candidate, MeasuredMotion
from discovery.noether.naming import names_of
from discovery.noether.phase_space import canonical_pairs

KEPLER = "u**2/2 + v**2/2 - 1/sqrt(x**2 + y**2)"
L = "(x*v - y*u)"
PLANE = "p1**2/2 + p2**2/2 + q1**2/2 + q2**2/2"
TURN = "(q1*p2 - q2*p1)"
FIELD = "x*v - y*u - x**4/72 - x**2*y**2/36 + x**2*z**2/18 + x**2/2 - y**4/72 + y**2*z**2/18"
NAMED = [
    ("pendulum", {"omega**2 - 2*cos(theta)": "energy"}),
    ("henon_heiles", {"p1**2 + p2**2 + q1**2 + q2**2 + 2*q1**2*q2 - 2*q2**3/3": "energy"}),
    (
        "double_pendulum",
        {
            "omega1**2 + omega1*omega2*cos(theta1 - theta2) + omega2**2/2 - 2*cos(theta1)"
            " - cos(theta2)": "energy"
        },
    ),
    (
        "kepler",
        {
            "2/sqrt(x**2 + y**2) - u**2 - v**2": "energy",
            L: "angular momentum",
            "u*v*y - v**2*x + x/sqrt(x**2 + y**2)": "Runge–Lenz vector along x",
            "u*v*(y + x) - v**2*x - u**2*y + (x + y)/sqrt(x**2 + y**2)": "Runge–Lenz vector",
        },
    ),
    (
        "isotropic_oscillator",
        {
            "p1**2 + q1**2": "energy of the motion in q1",
            "p1*p2 + q1*q2": "Fradkin tensor (q1, q2)",
            "(p1 + p2)**2 + (q1 + q2)**2": "energy of a mode",
            TURN: "angular momentum",
        },
    ),
    (
        "spherical_pendulum",
        {
            "omega_phi*sin(theta)**2": "angular momentum about the axis of phi",
            "omega_theta**2/2 + omega_phi**2*sin(theta)**2/2 - cos(theta)": "energy",
        },
    ),
    ("toda", {"p1 + p2 + p3": "total momentum"}),
    (
        "two_body",
        {
            "u1 + u2/2": "total momentum along x",
            "x1*v1 + x2*v2/2 - y1*u1 - y2*u2/2": "angular momentum",
        },
    ),
    (
        "charged_particle",
        {"u - y": "canonical momentum along x", "u**2 + v**2": "energy"},
    ),
    (
        "magnetic_mirror",
        {f"{FIELD} + y**2/2": "canonical angular momentum about z", "u**2 + v**2 + w**2": "energy"},
    ),
    (
        "charged_wire",
        {
            "u**2 + v**2 + w**2": "energy",
            "w - 83*log(x**2 + y**2)/200": "canonical momentum along z",
            L: "angular momentum about z",
        },
    ),
    (
        "magnetic_monopole",
        {
            "u**2 + v**2 + w**2 - 2/R + 43**2/100**2/R**2": "energy",
            "x*v - y*u - 43*z/100/R": "canonical angular momentum about z",
            "y*w - z*v - 43*x/100/R": "canonical angular momentum about x",
            "z*u - x*w - 43*y/100/R": "canonical angular momentum about y",
        },
    ),
    (
        "kovalevskaya",
        {
            "M1**2/2 + M2**2/2 + M3**2 - g1": "energy",
            "M1*g1 + M2*g2 + M3*g3": "Casimir function",
            "g1**2 + g2**2 + g3**2": "Casimir function",
            "(M1**2/2 - M2**2/2 + g1)**2 + (M1*M2 + g2)**2": None,
        },
    ),
    (
        "spin_chain",
        {
            " + ".join(f"S{i}{a}*S{i + 1}{a}" for i in (1, 2, 3) for a in "xyz"): "energy",
            "S1x + S2x + S3x + S4x": "total spin along x",
            "S1x + S2x + S3x + S4x - 2*S1z - 2*S2z - 2*S3z - 2*S4z": "total spin",
            "S1x + S2x + S3x + 2*S4x": None,
            "S1x**2 + S1y**2 + S1z**2": "Casimir function",
        },
    ),
    ("rigid_body", {"omega1**2 + omega2**2": None, "omega2**2/3 + omega3**2": None}),
    ("epidemic", {"s + i + r": "total amount", "r + log(s)/2": None}),
    ("enzyme", {"c + e": "total of e, c", "-e + p + s": None, "c + 2*e": None}),
]


def motion_of(name, noise=0.0):
    """Return the motion of a data set as it is measured, not smoothed."""
    runs = datasets.load(name, 30, 100, noise, 3)
    try:
        pairs = canonical_pairs(runs.names, runs.roles)
    except ValueError:
        pairs = []
    return MeasuredMotion(
        states=np.asarray(runs.rows),
        times=np.asarray(runs.row_times),
        offsets=np.asarray(runs.offsets),
        names=tuple(runs.names),
        roles=tuple(runs.roles),
        told=True,
        noise=noise * np.asarray(runs.rows).std(axis=0),
        pairs=tuple(pairs),
    )


def names(motion, formulas, decays=False):
    formulas = [f.replace("R", "sqrt(x**2 + y**2 + z**2)") for f in formulas]
    laws = [Candidate(custom([f], motion.names), np.ones(1), decays) for f in formulas]
    return names_of(laws, motion)


@pytest.mark.parametrize(("system", "laws"), NAMED, ids=[system for system, _ in NAMED])
def test_laws_are_named(system, laws):
    assert names(motion_of(system), list(laws)) == list(laws.values())


@pytest.mark.parametrize(
    ("system", "formula"),
    [
        ("kepler", f"{L}**2"),
        ("kepler", f"{KEPLER} + {L}"),
        ("kepler", f"{KEPLER} + {L}**2/10"),
        ("kepler", f"({KEPLER})*{L}"),
        ("kepler", f"({KEPLER})**2"),
        ("pendulum", "(omega**2/2 - cos(theta))**2"),
        ("isotropic_oscillator", f"{PLANE} + {TURN}/2"),
        ("isotropic_oscillator", f"{PLANE} + {TURN}**2/2"),
        ("isotropic_oscillator", "p1**2 + q1**2 + 2*p2**2 + 2*q2**2"),
        # By itself it may be the Hamiltonian, as Bateman's is.
        ("isotropic_oscillator", "p1*p2 + q1*q2"),
        (
            "toda",
            "p1**2/2 + p2**2/2 + p3**2/2 + exp(q3 - q1) + exp(q1 - q2) + exp(q2 - q3)"
            " - (p1 + p2 + p3)**2/5",
        ),
        ("charged_particle", "u**2 + v**2 + (v + x)**2"),
        ("isotropic_oscillator", "(p1 + p2)**2 + (q1 + q2)**2 + p1"),
        (
            "two_body",
            "u1**2 + v1**2 + u2**2/2 + v2**2/2 + (u1 + u2/2)**2/2"
            " - 1/sqrt((x1 - x2)**2 + (y1 - y2)**2)",
        ),
        ("rigid_body", "omega1**2 + omega2**2"),
        ("van_der_pol", "x**2 + v**2"),
    ],
)
def test_no_function_of_laws_is_the_energy(system, formula):
    assert names(motion_of(system), [formula]) == [None]


def test_a_vector_and_a_scalar_added_have_no_name():
    runge = f"u*v*y - v**2*x + x/sqrt(x**2 + y**2) + {L}"
    assert names(motion_of("kepler"), [runge]) == [None]


def test_a_little_of_another_law_is_seen():
    """What it moves besides is moved by the other law's flow."""
    laws = [f"{PLANE} + {TURN}/50", TURN]
    assert names(motion_of("isotropic_oscillator"), laws) == [None, "angular momentum"]


def test_canonical_momenta_need_the_field_to_be_seen():
    """Without the energy nothing tells that u − y is a momentum."""
    assert names(motion_of("charged_particle"), ["u - y"]) == [None]


@pytest.mark.parametrize("system", ["kepler", "isotropic_oscillator"])
def test_names_under_noise(system):
    formula = KEPLER if system == "kepler" else PLANE
    motion = motion_of(system, noise=0.03)
    assert names(motion, [formula]) == ["energy"]
    wrong = f"{formula} + {L if system == 'kepler' else TURN}**2/4"
    assert names(motion, [wrong]) == [None]


@pytest.mark.parametrize(
    ("system", "formula"),
    [("damped_pendulum", "omega**2/2 - cos(theta)"), ("damped_oscillator", "p**2 + q**2")],
)
def test_an_energy_that_friction_takes(system, formula):
    motion = motion_of(system)
    assert names(motion, [formula], decays=True) == ["energy"]
    assert names(motion, [formula]) == [None]


def test_units_and_origin_do_not_matter():
    motion = motion_of("kepler")
    far, wide = 4e6, 1e3
    states = motion.states * [wide, wide, 10.0, 10.0] + [far, -far, 0, 0]
    moved = MeasuredMotion(
        **{**motion.__dict__, "states": states, "times": motion.times * 100, "noise": motion.noise}
    )
    x, y = f"(x - {far:.0f})", f"(y + {far:.0f})"
    laws = {
        f"u**2 + v**2 - {2 * wide * 100}/sqrt({x}**2 + {y}**2)": "energy",
        f"{x}*v - {y}*u": "angular momentum",
        f"u*v*{y} - v**2*{x} + {wide * 100}*{x}/sqrt({x}**2 + {y}**2)": "Runge–Lenz vector along x",
    }
    assert names(moved, list(laws)) == list(laws.values())


def test_a_rate_that_is_not_counted_from_rest():
    """A generator's frequency about 50, beside its angle in the frame that turns with the grid."""
    motion = motion_of("pendulum")
    fast = replace(motion, states=motion.states + np.array([0, 50]))
    energy = "(omega - 50)**2/2 - cos(theta)"
    assert names(fast, [energy]) == ["energy"]
    # By another frame's rate it is none, nor is that at rest.
    assert names(fast, [energy.replace("50", "49")]) == [None]
    assert names(motion, [energy]) == [None]


def test_total_spin_beside_an_energy_less_its_square():
    """Products of spins that are no neighbours: an energy but for the total spin's square."""
    apart = " + ".join(f"S{i}{a}*S{j}{a}" for i, j in ((1, 3), (1, 4), (2, 4)) for a in "xyz")
    total = [f"S1{a} + S2{a} + S3{a} + S4{a}" for a in "xyz"]
    expected = [None, *(f"total spin along {a}" for a in "xyz")]
    assert names(motion_of("spin_chain"), [apart, *total]) == expected
    assert names(motion_of("spin_chain"), total) == [None] * 3


def test_total_spin_beside_an_energy_less_its_part():
    """Two spins with anisotropies in a field along z: the energy less z-parts of the total spin."""
    rng, times = np.random.default_rng(0), np.linspace(0, 20, 160)
    starts = rng.normal(size=(30, 6))

    def rates(_, x):
        a, b = x[:3], x[3:]
        by_a = b + np.array([0, 0, 0.8 * a[2] + 0.3])
        by_b = a + np.array([0, 0, 1.4 * b[2] + 0.3])
        return np.concatenate([np.cross(a, by_a), np.cross(b, by_b)])

    rows = np.concatenate(
        [solve_ivp(rates, (0, 20), x, t_eval=times, rtol=1e-9, atol=1e-9).y.T for x in starts]
    )
    motion = MeasuredMotion(
        states=rows,
        times=np.tile(times, 30),
        offsets=160 * np.arange(31),
        names=("S1x", "S1y", "S1z", "S2x", "S2y", "S2z"),
        roles=(None,) * 6,
        told=False,
        noise=np.zeros(6),
    )
    along, length = "S1z + S2z", "S1x**2 + S1y**2 + S1z**2"
    laws = [along, length, length.replace("1", "2")]
    part = "10*S1x*S2x + 10*S1y*S2y - S1z**2 + 2*S2z**2"
    found = ["total spin along z", "Casimir function", "Casimir function", None]
    assert names(motion, [*laws, part]) == found
    # Precession about the total spin and its part is not the motion.
    assert names(motion, [*laws, part.replace("2*S2z", "3*S2z")]) == [None] * 4


SPINS = ["P1**2 + P2**2 + P3**2", "Q1**2 + Q2**2 + Q3**2", "P1 + 2*P3 - Q1 - 2*Q3"]
BESIDE = "P1*Q1 + P2*Q2 + P3*Q3"


@pytest.fixture(scope="module")
def opposite():
    """Two spins that turn about each other, one the other way round, in a field (.3, 0, .6)."""
    rng, times = np.random.default_rng(0), np.linspace(0, 12, 160)
    field = np.array([0.3, 0.0, 0.6])

    def rates(_, x):
        p, q = x[:3], x[3:]
        return np.concatenate([np.cross(p, q - field), -np.cross(q, p - field)])

    options = {"t_eval": times, "rtol": 1e-9, "atol": 1e-9}
    starts = rng.normal(size=(20, 6))
    return MeasuredMotion(
        states=np.concatenate([solve_ivp(rates, (0, 12), x, **options).y.T for x in starts]),
        times=np.tile(times, 20),
        offsets=160 * np.arange(21),
        names=("P1", "P2", "P3", "Q1", "Q2", "Q3"),
        roles=("velocity",) * 3 + ("position",) * 3,
        told=False,
        noise=np.zeros(6),
        pairs=tuple((i + 3, i) for i in range(3)),
    )


def test_spins_that_turn_the_other_way_round(opposite):
    """Names of columns make them places and velocities, which they are not."""
    energy = f"{BESIDE} - 0.3*P1 - 0.6*P3 - 0.3*Q1 - 0.6*Q3"
    expected = ["Casimir function"] * 2 + ["total spin", "energy"]
    assert names(opposite, [*SPINS, energy]) == expected
    # No square of a speed is in them.
    assert names(opposite, SPINS[:1]) == [None]


def test_an_energy_of_spins_less_part_of_the_total_spin(opposite):
    """A law told beside a multiple of the total spin: the energy is their sum."""
    formulas = [*SPINS, f"{BESIDE} - 0.6*P1 - 1.2*P3"]
    laws = [Candidate(custom([f], opposite.names), np.ones(1)) for f in formulas]
    expected = ["Casimir function"] * 2 + ["total spin", None]
    assert names_of(laws, opposite) == expected
    weights = energy_of_spins(laws, opposite)
    assert set(weights) == {(3,), (2,)} and weights[3,] == 1
    assert weights[2,] == pytest.approx(0.3, abs=1e-4)
    found = missing_energy_of_spins([sympy.sympify(f) for f in formulas], laws, opposite)
    truth = sympy.sympify(f"{BESIDE} - 0.3*P1 - 0.6*P3 - 0.3*Q1 - 0.6*Q3")
    rest = sympy.expand(found["energy"] - truth).as_coefficients_dict()
    assert max(abs(float(c)) for c in rest.values()) < 1e-3
    # Of the energy itself, and of what is none, there is nothing to say.
    for other in (f"{BESIDE} - 0.3*P1 - 0.6*P3 - 0.3*Q1 - 0.6*Q3", f"{BESIDE} - 0.6*P1"):
        laws[3] = Candidate(custom([other], opposite.names), np.ones(1))
        assert not energy_of_spins(laws, opposite)


@pytest.fixture(scope="module")
def symmetric():
    """A heavy top of moments 1.3, 1.3 and .72, its weight on its axis."""
    rng, times = np.random.default_rng(0), np.linspace(0, 8, 160)

    def rates(_, x):
        m, g = x[:3], x[3:]
        turn = m / np.array([1.3, 1.3, 0.72])
        return np.concatenate([np.cross(m, turn) + 1.6 * np.cross(g, [0, 0, 1]), np.cross(g, turn)])

    options = {"t_eval": times, "rtol": 1e-9, "atol": 1e-9}
    starts = rng.normal(size=(20, 6))
    return MeasuredMotion(
        states=np.concatenate([solve_ivp(rates, (0, 8), x, **options).y.T for x in starts]),
        times=np.tile(times, 20),
        offsets=160 * np.arange(21),
        names=("L1", "L2", "L3", "g1", "g2", "g3"),
        roles=(None,) * 6,
        told=False,
        noise=np.zeros(6),
    )


def test_an_energy_of_a_top_less_a_square(symmetric):
    """A law told without the square of the momentum about the axis, which is a law itself."""
    known = ["L3", "L1*g1 + L2*g2 + L3*g3", "g1**2 + g2**2 + g3**2"]
    formulas = [*known, "L1**2 + L2**2 + 4.16*g3"]
    assert names(symmetric, formulas) == [None, "Casimir function", "Casimir function", None]
    laws = [Candidate(custom([f], symmetric.names), np.ones(1)) for f in formulas]
    weights = energy_of_spins(laws, symmetric)
    assert set(weights) == {(3,), (0, 0)}
    assert weights[0, 0] == pytest.approx(1.3 / 0.72, rel=1e-3)
    # What moves the top otherwise is no energy, and shows no bracket.
    wrong = [*known, "L1**2 + L2**2 + 3*g3"]
    assert names(symmetric, wrong) == [None] * 4


def test_an_energy_of_spins_less_a_square(opposite):
    """A law told beside half the square of the total spin along the field."""
    energy = f"{BESIDE} - 0.3*P1 - 0.6*P3 - 0.3*Q1 - 0.6*Q3"
    formulas = [*SPINS, f"{energy} + ({SPINS[2]})**2/2"]
    laws = [Candidate(custom([f], opposite.names), np.ones(1)) for f in formulas]
    weights = energy_of_spins(laws, opposite)
    assert set(weights) == {(3,), (2, 2)}
    assert weights[2, 2] == pytest.approx(-0.5, abs=1e-4)
    # Written in simple numbers, so that what is not in it cancels.
    found = missing_energy_of_spins([sympy.sympify(f) for f in formulas], laws, opposite)
    written = found["energy"].as_coefficients_dict()
    assert len(written) == 7
    truth = sympy.sympify(energy).as_coefficients_dict()
    assert all(float(written[term]) == pytest.approx(float(c)) for term, c in truth.items())


def on_a_beta_plane(noise):
    """Return y' = v, u' = (1 + y/4) v, v' = −(1 + y/4) u, which keeps u² + v² and u − y − y²/8."""
    rng = np.random.default_rng(0)
    start, times = rng.normal(size=(3, 30)), np.linspace(0, 12, 100)

    def rates(_, state):
        y, u, v = state.reshape(3, 30)
        return np.concatenate([v, (1 + y / 4) * v, -(1 + y / 4) * u])

    path = solve_ivp(rates, (0, 12), start.ravel(), t_eval=times, rtol=1e-9).y
    rows = path.reshape(3, 30, 100).transpose(1, 2, 0).reshape(-1, 3)
    return MeasuredMotion(
        states=rows,
        times=np.tile(times, 30),
        offsets=100 * np.arange(31),
        names=("y", "u", "v"),
        roles=(None,) * 3,
        told=False,
        noise=noise * rows.std(axis=0),
    )


@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_two_laws_of_three_coordinates_make_no_spin(noise):
    """x' = ∇C × ∇E holds with any two laws: it is a spin where C is its length."""
    laws = ["u**2 + v**2", "8*u - 8*y - y**2"]
    assert names(on_a_beta_plane(noise), laws) == [None, None]


def test_a_field_is_told_by_the_laws_that_it_leaves():
    """About a wire it is no polynomial: the momentum along the wire tells it, and no other does."""
    motion, energy = motion_of("charged_wire"), "u**2 + v**2 + w**2"
    # That the speed lasts is seen all the same.
    assert names(motion, [energy]) == ["kinetic energy"]
    assert names(motion, [energy, "w - log(x**2 + y**2)/4"]) == ["kinetic energy", None]
