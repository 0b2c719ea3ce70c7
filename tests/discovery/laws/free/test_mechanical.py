"""The mechanical route: energies without a closed form, and systems that have none."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import discovery
from discovery.criteria import LAWS
from discovery.estimation.orbits import Orbits
from discovery.estimation.path import raw_path
from discovery.estimation.preparation import prepare
from discovery.estimation.split import Split
from discovery.laws.finding.operators import Operators
from discovery.laws.free.mechanical import (
    Penalized,
    _hold_energy,
    _penalized,
    mechanical_stages,
)
from discovery.laws.judging.law import Findings, Law
from discovery.laws.search import analyse
from discovery.laws.stages import Closed
from discovery.libraries import custom
from discovery.libraries.domain import Domain
from discovery.libraries.families import polynomial

TIMES = np.linspace(0, 14, 80)


def simulated(flow, names, roles, noise=0.01, seed=0, n_runs=40):
    """Return noisy runs from a box about the origin, and their clean rows (runs, times, d)."""
    rng = np.random.default_rng(seed)
    n = len(names) // 2
    size = np.repeat([1.2, 1.0], n)[:, None]
    starts = rng.uniform(-1, 1, (2 * n, n_runs)) * size

    def rates(_, state):
        return np.concatenate(flow(*state.reshape(2 * n, n_runs)))

    path = solve_ivp(rates, (0, TIMES[-1]), starts.ravel(), t_eval=TIMES, rtol=1e-8, atol=1e-9).y
    clean = path.reshape(2 * n, n_runs, len(TIMES)).transpose(1, 2, 0)
    spread = clean.reshape(-1, 2 * n).std(axis=0)
    noisy = clean + noise * spread * rng.normal(size=clean.shape)
    return discovery.Trajectories(states=noisy, times=TIMES, names=names, roles=roles), clean


def found(runs):
    orbits = prepare(runs)
    rng = np.random.default_rng(0)
    stages = [Closed(polynomial(runs.names, 2))]
    stages += mechanical_stages(runs.names, runs.roles or [None] * runs.dim, orbits)
    return analyse(stages, Split.draw(orbits, rng), rng).laws


def misfit(law, clean, energy):
    """Return what is left of a law beside a multiple of the energy, over its spread."""
    states = clean.reshape(-1, clean.shape[2])
    states = states[law.library.domain.holds(states)]
    values, true = law.values(states), energy(*states.T)
    line = np.polyval(np.polyfit(true, values, 1), true)
    return np.std(values - line) / values.std()


def bead(friction=0.0):
    """A bead on the curve y = tanh(x² + 0.3 x) / 2 + 0.2 x², with and without friction."""

    def curve(x):
        s, t = 2 * x + 0.3, np.tanh(x**2 + 0.3 * x)
        first = (1 - t**2) * s / 2 + 0.4 * x
        second = (1 - t**2) * (1 - t * s**2) + 0.4
        return t / 2 + 0.2 * x**2, first, second

    def flow(x, v):
        _, first, second = curve(x)
        return v, -(first * second * v**2 + first) / (1 + first**2) - friction * v

    def energy(x, v):
        height, first, _ = curve(x)
        return (1 + first**2) * v**2 / 2 + height

    return flow, energy


def test_a_bead_on_a_curve_keeps_an_energy_that_no_library_holds():
    flow, energy = bead()
    runs, clean = simulated(flow, ["x", "v"], ["position", "velocity"], seed=1)
    (law,) = found(runs)
    assert law.verdict == "exact" and law.library.learned
    assert misfit(law, clean, energy) < 0.02


@pytest.mark.parametrize("seed", range(3))
def test_friction_leaves_no_energy(seed):
    runs, _ = simulated(bead(friction=0.08)[0], ["x", "v"], ["position", "velocity"], seed=seed)
    assert found(runs) == []


def plane(curl=0.0):
    """A particle in the plane: an odd potential, and a curl in its force."""

    def flow(x, y, u, v):
        t = np.tanh(x**2 + 0.3 * y)
        fx = -2 * x * (1 - t**2) + 0.4 * np.sin(2 * x) * y**2 - 0.9 * x
        fy = -0.3 * (1 - t**2) - 0.4 * np.cos(2 * x) * y - 1.2 * y
        return u, v, fx - curl * y, fy + curl * x

    def energy(x, y, u, v):
        potential = np.tanh(x**2 + 0.3 * y) + 0.2 * np.cos(2 * x) * y**2 + 0.45 * x**2 + 0.6 * y**2
        return (u**2 + v**2) / 2 + potential

    return flow, energy


@pytest.mark.parametrize(("friction", "verdicts"), [(0.0, ["exact"]), (0.002, [])])
def test_without_noise_an_expansion_is_known_to_its_error(friction, verdicts):
    """It moves by what it leaves out, less than what its last degrees changed: that is no drift."""
    flow, _ = bead(friction)
    runs, _ = simulated(flow, ["x", "v"], ["position", "velocity"], noise=0.0, seed=1)
    assert [law.verdict for law in found(runs) if law.verdict == "exact"] == verdicts


IN_PLANE = ["x", "y", "u", "v"], ["position"] * 2 + ["velocity"] * 2


def bar(curl=0.0):
    """Stars in a rotating bar: a logarithm of a quadratic form with a core, and what turns.

    Binney and Tremaine, Galactic Dynamics, section 3.3.2.
    """

    def flow(x, y, u, v):
        inside = x**2 + y**2 / 0.64 + 0.14
        fx, fy = 1.2 * v + 0.36 * x - x / inside, -1.2 * u + 0.36 * y - y / 0.64 / inside
        return u, v, fx - curl * y, fy + curl * x

    def energy(x, y, u, v):
        return (u**2 + v**2 + np.log(x**2 + y**2 / 0.64 + 0.14) - 0.36 * (x**2 + y**2)) / 2

    return flow, energy


def test_a_potential_with_a_core_has_an_energy_on_stretched_axes():
    flow, energy = bar()
    runs, clean = simulated(flow, *IN_PLANE)
    (law,) = found(runs)
    assert law.verdict == "exact" and law.library.learned
    assert misfit(law, clean, energy) < 0.03
    assert found(simulated(bar(curl=0.1)[0], *IN_PLANE)[0]) == []


@pytest.mark.slow
def test_a_particle_in_an_odd_potential_keeps_its_energy():
    flow, energy = plane()
    runs, clean = simulated(flow, *IN_PLANE)
    (law,) = found(runs)
    assert law.verdict == "exact"
    assert misfit(law, clean, energy) < 0.03


@pytest.mark.slow
@pytest.mark.parametrize("noise", [0.0, 0.01, 0.05])
def test_a_force_with_a_curl_leaves_no_energy(noise):
    runs, _ = simulated(plane(curl=0.25)[0], *IN_PLANE, noise=noise)
    assert found(runs) == []


def test_parts_of_an_energy_are_one_together():
    probes = np.random.default_rng(0).normal(size=(60, 4))

    def hold(*laws):
        libraries = [custom(terms, ("x", "y", "u", "v")) for terms in laws]
        found = [Law(own, np.ones(len(own)), None, None, "exact", 1.0) for own in libraries]
        return _hold_energy(found, (2, 3), probes, np.ones(4))

    along, across = ["u**2", "x**4"], ["-v**2", "-cos(y)"]
    assert hold(along, across) and hold(["u**2", "v**2", "x*y"])
    assert not hold(along) and not hold(along, ["v", "x"])
    # Of a planet's axis the second derivative is indefinite.
    assert not hold(along, ["y*u**2", "-x*u*v", "y/sqrt(x**2 + y**2)"])


def hoop(leak=0.0):
    """A bead on a hoop that turns freely: the mass of the turn depends on the bead's angle."""

    def flow(a, f, p, spin):
        mass = 1 + np.sin(a) ** 2
        pull = spin**2 * np.sin(a) * np.cos(a) / mass**2 - 2 * np.sin(a)
        return p, spin / mass, pull - leak * p, 0 * spin

    return flow


ON_HOOP = ["a", "f", "p", "spin"], ["angle"] * 2 + ["momentum"] * 2


@pytest.mark.parametrize(("leak", "count"), [(0.0, 2), (0.03, 1)])
def test_an_energy_beside_a_conserved_momentum(leak, count):
    """The momentum's square is flat at any penalty: without it the expansion would be chosen ill.

    The angle beside a conserved momentum is left out.
    """
    runs, clean = simulated(hoop(leak), *ON_HOOP, n_runs=24)
    laws = [law for law in found(runs) if law.verdict == "exact"]
    assert len(laws) == count
    assert str(laws[0].expression) == "spin"
    if not leak:
        a, _, p, spin = states = clean.reshape(-1, 4).T
        energy = p**2 / 2 + spin**2 / (1 + np.sin(a) ** 2) / 2 - 2 * np.cos(a)
        values = laws[1].values(states.T)
        design = np.stack([energy, spin**2, np.ones_like(a)], axis=1)
        rest = values - design @ np.linalg.lstsq(design, values, rcond=None)[0]
        assert np.std(rest) < 0.02 * np.std(values)


def test_errors_of_coefficients_move_a_law_by_as_much_as_there_are():
    """Of m coefficients known from n samples: s² m / n; a penalty leaves fewer of them free."""
    rng = np.random.default_rng(0)
    mixed = rng.normal(size=(5, 5))
    form = mixed @ mixed.T
    whole, none = Operators(form, np.eye(5), form, np.eye(5)), np.zeros((5, 5))
    c = np.array([3.0, 4.0, 0, 0, 0])
    free = Penalized(whole, np.zeros((5, 0)), none, none)
    assert free.error(c, 50.0) == pytest.approx(5 * np.sqrt(5 / 50))
    held = Penalized(whole, np.zeros((5, 0)), np.diag([0, 0, 0, 1e9, 1e9]), none)
    assert held.error(c, 50.0) == pytest.approx(5 * np.sqrt(3 / 50), rel=1e-3)


def test_a_law_as_numbers_is_judged_where_it_is_known():
    rng = np.random.default_rng(0)
    states = rng.uniform(-1, 1, (500, 2))
    states[:3] *= 3
    library = polynomial(["x", "y"], 6)
    domain = Domain.of(library, states, 1e-6 * np.eye(len(library)), LAWS.outermost)
    assert domain.holds(rng.uniform(-0.8, 0.8, (200, 2))).all()
    assert not domain.holds(3.5 * np.sign(states[:3])).any()
    # The few that lie far out do not surround what is among them.
    assert not domain.holds(states[:3]).any()


def test_other_than_positions_with_velocities_have_no_energy_forms():
    runs, _ = simulated(bead()[0], ["x", "v"], ["position", None])
    stages = mechanical_stages(runs.names, runs.roles, prepare(runs))
    assert [stage.form.name for stage in stages] == ["smooth functions of both coordinates"]


def test_runs_too_short_where_an_expansion_is_known_give_no_energy():
    """Runs of six samples, each too short without those that leave where the data are."""
    rng = np.random.default_rng(0)
    path = raw_path(rng.normal(size=(120, 6)), np.full(6, 0.01))
    fit = Orbits(path, path, 6 * np.arange(21), path.states.std(axis=0))
    names, roles = ["x", "y", "z", "u", "v", "w"], ["position"] * 3 + ["velocity"] * 3
    for stage in mechanical_stages(names, roles, fit):
        some = _penalized(stage.form, fit, [])
        assert stage._flattest(some, fit, Findings()) == []


def swirl(seed, loss=0.0):
    """What ψ = sin((x + 0.4)(y − 0.5)) + x² + y² carries, and where ψ falls."""
    rng = np.random.default_rng(seed)

    def flow(_, s):
        x, y = s.reshape(2, -1)
        wave = np.cos((x + 0.4) * (y - 0.5))
        across, along = wave * (x + 0.4) + 2 * y, wave * (y - 0.5) + 2 * x
        return np.concatenate([-across - loss * along, along - loss * across])

    starts = rng.uniform(-1.5, 1.5, 80)
    path = solve_ivp(flow, (0, 6), starts, t_eval=np.linspace(0, 6, 80), rtol=1e-9).y
    clean = path.reshape(2, 40, -1).transpose(1, 2, 0)
    noisy = clean + 0.01 * rng.normal(size=clean.shape)
    return discovery.Trajectories(states=noisy, times=np.linspace(0, 6, 80), names=["a", "b"])


@pytest.mark.parametrize("seed", range(2))
def test_any_function_of_two_coordinates(seed):
    (law,) = found(swirl(seed))
    assert law.verdict == "exact" and law.library.learned
    x, y = np.random.default_rng(3).uniform(-1, 1, (2, 300))
    states = np.stack([x, y], axis=1)
    states = states[law.library.domain.holds(states)]
    x, y = states.T
    psi = np.sin((x + 0.4) * (y - 0.5)) + x**2 + y**2
    fit = np.polyval(np.polyfit(psi, law.values(states), 4), psi)
    assert np.std(law.values(states) - fit) < 0.03 * np.std(fit)


@pytest.mark.parametrize("loss", [0.02, 0.3])
def test_a_function_that_falls_is_none(loss):
    assert not [law for law in found(swirl(0, loss)) if law.verdict == "exact"]
