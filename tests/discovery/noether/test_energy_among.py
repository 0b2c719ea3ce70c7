"""The energy as a sum of laws, or left out as a function of others, or hard to see."""

from dataclasses import fields, replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from discovery import ConservedQuantityFinder
from discovery.data.trajectories import Trajectories
from discovery.estimation.preparation import prepare
from discovery.estimation.split import Split
from discovery.laws.judging.evidence import Evidence, Resamples
from discovery.laws.judging.law import Findings, Law
from discovery.libraries import custom
from discovery.noether.energy_among import energy_among
from discovery.noether.energy_left_out import with_energy_left_out
from discovery.noether.motion import Candidate, MeasuredMotion
from discovery.noether.naming import names_of

NAMES, ROLES = ("x", "y", "u", "v"), ("position",) * 2 + ("velocity",) * 2
# In a bowl of height (x² + 2 y²)/2; their sum is the energy.
ONE = "2*u**2*y**2 - 2*u*v*x*y + v**2*x**2 + 2*v**2*y**2 + v**2/2 + y**2"
OTHER = "u**2*x**2/2 - 2*u**2*y**2 + u**2/2 + 4*u*v*x*y - v**2*x**2 + x**2/2"


def in_a_bowl(q, w):
    slope = np.array([1.0, 2.0])[:, None] * q
    return -slope * (1 + w[0] ** 2 + 2 * w[1] ** 2) / (1 + np.sum(slope**2, axis=0))


def test_a_motion_apart_that_no_law_holds_leaves_no_energy():
    """Of two springs and a third that is not known, as a search may find them."""
    rng = np.random.default_rng(0)
    start, times = rng.normal(size=(6, 12)), np.linspace(0, 10, 80)
    force = np.array([1.0, 2.0, 3.0])[:, None]
    path = solve_ivp(
        lambda _, s: np.concatenate([s[36:], -(force * s[:36].reshape(3, 12)).ravel()]),
        (0, 10),
        start.ravel(),
        t_eval=times,
        rtol=1e-9,
    ).y
    names = ("x", "y", "z", "u", "v", "w")
    motion = MeasuredMotion(
        states=path.reshape(6, 12, 80).transpose(1, 2, 0).reshape(-1, 6),
        times=np.tile(times, 12),
        offsets=80 * np.arange(13),
        names=names,
        roles=("position",) * 3 + ("velocity",) * 3,
        told=True,
        noise=np.zeros(6),
        pairs=((0, 3), (1, 4), (2, 5)),
    )
    laws = [Candidate(custom([f], names), np.ones(1)) for f in ("u**2 + x**2", "v**2 + 2*y**2")]
    assert energy_among(laws, motion) is None


def in_two_springs(q, w):
    return -np.array([1.0, 2.0])[:, None] * q


def about_a_sun(q, w):
    return -q / np.sum(q**2, axis=0) ** 1.5 - np.array([[0.06], [0.0]])


def runs_of(pull, starts, noise=0.0, end=10.0, samples=80):
    """Return runs of one body in the plane from starts (4, runs)."""
    n, times = starts.shape[1], np.linspace(0, end, samples)

    def rates(_, state):
        q, w = state.reshape(2, 2, n)
        return np.concatenate([w, pull(q, w)]).ravel()

    path = solve_ivp(rates, (0, end), starts.ravel(), t_eval=times, rtol=1e-9, atol=1e-10).y
    states = path.reshape(4, n, samples).transpose(1, 2, 0)
    rng = np.random.default_rng(0)
    states = states + noise * states.std(axis=(0, 1)) * rng.normal(size=states.shape)
    return Trajectories(states=states, times=times, names=NAMES, roles=ROLES)


def anywhere(n=20):
    return np.random.default_rng(1).uniform(-1, 1, (4, n))


def motion_of(runs):
    """Return the motion of runs as it is measured, not smoothed."""
    parts = (np.asarray(part) for part in (runs.rows, runs.row_times, runs.offsets))
    return MeasuredMotion(*parts, NAMES, ROLES, True, np.zeros(4), ((0, 2), (1, 3)))


def laws_of(*formulas):
    return [Candidate(custom([formula], NAMES), np.ones(1)) for formula in formulas]


def test_the_energy_in_a_bowl_is_a_sum_of_laws():
    motion = motion_of(runs_of(in_a_bowl, anywhere()))
    weights = energy_among(laws_of(ONE, OTHER), motion)
    assert weights[0] / weights[1] == pytest.approx(1, abs=1e-3)
    assert energy_among(laws_of(ONE), motion) is None
    # Nor is it among functions that are no laws.
    assert energy_among(laws_of(ONE, "u**2 + x**2"), motion) is None


def test_what_is_no_part_of_the_energy_has_no_weight():
    weights = energy_among(
        laws_of(ONE, OTHER, "u**3 + x*v**2"), motion_of(runs_of(in_a_bowl, anywhere()))
    )
    assert weights[2] == 0.0 and weights[0] / weights[1] == pytest.approx(1, abs=1e-3)


def test_energies_of_motions_that_do_not_touch_have_no_sum():
    motion = motion_of(runs_of(in_two_springs, anywhere()))
    assert energy_among(laws_of("u**2 + x**2", "v**2 + 2*y**2"), motion) is None


def test_masses_that_mix_by_place_hide_no_momentum():
    motion = motion_of(runs_of(in_a_bowl, anywhere()))
    assert names_of(laws_of(f"{ONE} + {OTHER}", OTHER), motion) == ["energy", None]


def test_a_close_encounter_hides_no_energy():
    """Samples that are too few there are left out."""
    angle, k = np.linspace(0, 6, 16), np.linspace(0.7, 1.0, 16)
    starts = np.stack([np.cos(angle), np.sin(angle), -k * np.sin(angle), k * np.cos(angle)])
    runs = runs_of(about_a_sun, starts)
    energy = "u**2/2 + v**2/2 - 1/sqrt(x**2 + y**2) + 0.06*x"
    assert names_of(laws_of(energy, f"{energy} + u/4"), motion_of(runs)) == ["energy", None]


@pytest.mark.slow
@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_the_report_has_the_energy(noise):
    runs = runs_of(in_a_bowl, anywhere(40), noise)
    report = ConservedQuantityFinder(random_state=0).fit(runs).report_
    assert sorted(law.name or "" for law in report.quantities) == ["", "energy"]
    assert report.n_conserved == 2


SURE = Evidence(
    flatness=1.0,
    flatness_interval=(0.9, 1.1),
    smoothed_flatness=1.0,
    smoothed_flatness_interval=(0.9, 1.1),
    signal=50.0,
    drift=0.0,
    drift_interval=(0.0, 1e-2),
    noise=0.1,
    spread=1.0,
    drift_excluded=1e-2,
    drift_chance=0.5,
    moving=0.5,
    slope=1.0,
    cancelled=1.0,
    terms=1.0,
    resamples=Resamples(*(np.ones(1) for _ in fields(Resamples))),
)
TURN = ("x*v - y*u",)
ENERGY = ("u**2/2 + v**2/2", "(x**2 + y**2)**2/4")


def pulled(q, w):
    """Body in the potential r⁴/4."""
    return -q * np.sum(q**2, axis=0)


def law(*terms):
    expression = sum(custom(terms, NAMES).expressions())
    return Law(
        custom(terms, NAMES), np.ones(len(terms)), expression, SURE, "exact", float(len(terms))
    )


@pytest.fixture(scope="module")
def quartic_runs():
    return runs_of(pulled, anywhere())


def kept(runs, laws, left_out):
    split = Split.draw(prepare(runs), np.random.default_rng(0))
    found = with_energy_left_out(Findings(laws=laws, left_out=left_out), motion_of(runs), split)
    return [law.expression for law in found.laws]


def test_the_energy_is_one_more_law(quartic_runs):
    turn, energy = law(*TURN), law(*ENERGY)
    assert kept(quartic_runs, [turn], [energy]) == [energy.expression, turn.expression]
    # Where it is among the laws already nothing changes.
    assert kept(quartic_runs, [turn, energy], [energy]) == [turn.expression, energy.expression]


def test_it_takes_the_place_of_what_is_a_function_of_it(quartic_runs):
    turn, energy = law(*TURN), law(*ENERGY)
    product = law("(x*v - y*u)**3", f"(x*v - y*u)*({ENERGY[0]})", f"(x*v - y*u)*{ENERGY[1]}")
    assert kept(quartic_runs, [turn, product], [energy]) == [turn.expression, energy.expression]


@pytest.mark.parametrize("other", [("(x*v - y*u)**2",), ("u**2/2 + v**2/2", "x**2/2 + y**2/2")])
def test_what_moves_nothing_stays_out(quartic_runs, other):
    """A function of a law, and the energy of another motion."""
    turn = law(*TURN)
    assert kept(quartic_runs, [turn], [law(*other)]) == [turn.expression]


def test_what_imitates_the_energy_does_not_hide_it(quartic_runs):
    """The simplest that moves the runs may be too vague to be a law beside the others."""
    turn, energy = law(*TURN), law(*ENERGY)
    vague = replace(law(*ENERGY), evidence=replace(SURE, drift_interval=(0.0, 2.0)))
    assert kept(quartic_runs, [turn], [vague, energy]) == [energy.expression, turn.expression]
    assert kept(quartic_runs, [turn], [vague]) == [turn.expression]
