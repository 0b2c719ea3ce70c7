"""Laws of many bodies: sums with masses, and none where forces leave none."""

import numpy as np
import pytest
import sympy
from scipy.integrate import solve_ivp

from discovery import ConservedQuantityFinder, analysis, datasets
from discovery.data.trajectories import Trajectories
from discovery.estimation.preparation import prepare
from discovery.estimation.split import Split
from discovery.formulas.simple_numbers import NUMBERS
from discovery.laws.judging.law import Findings
from discovery.laws.many_bodies import axes_of, masses_of, stages_of_bodies
from discovery.laws.search import analyse
from discovery.laws.stages import Closed
from discovery.libraries.escalation import escalation
from discovery.libraries.families import polynomial
from discovery.libraries.many_bodies.bodies import Bodies

N = 8
MASSES = np.array([1.0, 0.6, 1.3, 0.8, 1.1, 0.7, 0.9, 1.2])
T = np.linspace(0, 8, 60)


def ring(masses=None, friction=0.0, one_way=0.0):
    """Return orbits of a ring of anharmonic springs, 1 % noise, and its bodies."""
    masses = np.ones(N) if masses is None else masses
    rng = np.random.default_rng(4)

    def motion(_, s):
        q, v = s[:N], s[N:]
        gap = np.roll(q, -1) - q
        force = gap + 0.25 * gap**3
        return np.r_[v, (force - (1 - one_way) * np.roll(force, 1)) / masses - friction * v]

    starts = rng.normal(0, 0.7, (24, 2 * N))
    states = [solve_ivp(motion, (0, 8), s, t_eval=T, rtol=1e-8, atol=1e-9).y.T for s in starts]
    states = np.array(states) + rng.normal(0, 0.007, (24, 60, 2 * N))
    names = [f"{a}{i}" for a in "qv" for i in range(1, N + 1)]
    runs = Trajectories(
        states=states, times=T, names=names, roles=["position"] * N + ["velocity"] * N
    )
    return prepare(runs), Bodies.seen(names, runs.roles, runs.rows)


def found(orbits, bodies, stages=2):
    linear = [Closed(polynomial(bodies.names, 1))]
    rng = np.random.default_rng(0)
    split = Split.draw(orbits, rng)
    return analyse([*linear, *stages_of_bodies(bodies, NUMBERS)[:stages]], split, rng)


def exact(findings):
    return [law for law in findings.laws if law.verdict == "exact"]


def test_masses_from_the_total_momentum():
    orbits, bodies = ring(MASSES)
    np.testing.assert_allclose(masses_of(bodies, orbits), MASSES, rtol=0.01)


def test_equal_masses_are_ones_and_so_are_those_of_no_momentum():
    for orbits, bodies in (ring(), ring(MASSES, one_way=0.5)):
        np.testing.assert_array_equal(masses_of(bodies, orbits), 1.0)


def test_momentum_and_energy_of_a_ring_and_nothing_else():
    laws = found(*ring()).laws
    assert [law.verdict for law in laws] == ["exact", "exact"]
    momentum, energy = (law.expression.as_coefficients_dict() for law in laws)
    assert len(momentum) == N
    assert {str(term) for term in momentum} == {f"v{i}" for i in range(1, N + 1)}
    assert len(energy) > 2 * N


def test_no_law_where_the_forces_leave_none():
    assert not exact(found(*ring(one_way=0.3)))


def test_friction_leaves_no_energy():
    # Σ (v + γ q) is constant: of linear friction the total momentum tells the total path.
    laws = exact(found(*ring(friction=0.05)))
    assert [sympy.Poly(law.expression).total_degree() for law in laws] == [1]


def test_axes_are_the_columns_of_linear_laws():
    orbits, bodies = ring()
    laws = found(orbits, bodies, 0)
    assert axes_of(bodies, laws) == [list(range(N, 2 * N))]
    assert axes_of(bodies, Findings()) == []


@pytest.mark.slow
def test_five_bodies_in_a_plane_whatever_the_columns_are_called():
    masses, rng = np.array([1.0, 1.44, 0.63, 1.43, 0.8]), np.random.default_rng(1)

    def motion(_, s):
        place = s[:10].reshape(2, 5)
        gap = place[:, None, :] - place[:, :, None]
        pull = gap / ((gap**2).sum(axis=0) + 0.08) ** 1.5 * masses
        return np.r_[s[10:], pull.sum(axis=2).ravel()]

    t = np.linspace(0, 6, 80)
    starts = np.hstack([rng.normal(size=(30, 10)), rng.normal(0, 0.7, (30, 10))])
    states = [solve_ivp(motion, (0, 6), s, t_eval=t, rtol=1e-8, atol=1e-9).y.T for s in starts]
    rows = np.vstack(states)
    rows = rows + 0.01 * rows.std(axis=0) * rng.normal(size=rows.shape)
    roles = ["position"] * 10 + ["velocity"] * 10
    finder = ConservedQuantityFinder(roles=roles, random_state=0)
    report = finder.fit(rows, groups=np.repeat(np.arange(30), 80), times=np.tile(t, 30)).report_
    assert report.n_conserved == 5
    symmetries = [quantity.symmetry for quantity in report.quantities]
    assert "time translation" in symmetries
    assert "rotation of all bodies" in symmetries
    momenta = [sympy.Poly(q.expression).coeffs() for q in report.quantities[:2]]
    for found in momenta:
        np.testing.assert_allclose(np.array(found, float) / float(found[0]), masses, rtol=0.02)


def springs(pairs, roles, cubic=0.0, seed=0):
    """Return runs of springs that do not touch each other, 1 % noise."""
    rng, strength = np.random.default_rng(seed), 1 + 0.3 * np.arange(pairs)[:, None]
    start, times = rng.normal(0, 1, (2 * pairs, 24)), np.linspace(0, 10, 80)

    def motion(_, s):
        q, v = s.reshape(2, pairs, 24)
        return np.concatenate([v, -strength * q - cubic * q**3]).ravel()

    path = solve_ivp(motion, (0, 10), start.ravel(), t_eval=times, rtol=1e-8, atol=1e-9).y
    states = path.reshape(2 * pairs, 24, 80).transpose(1, 2, 0)
    states = states + 0.01 * rng.standard_normal(states.shape)
    names = [f"{a}{i}" for a in "ab" for i in range(pairs)]
    told = ["position"] * pairs + ["velocity"] * pairs
    return Trajectories(states, times, names, told if roles else None)


@pytest.mark.parametrize(
    ("roles", "cubic"),
    [(True, 0.0), (False, 0.0), pytest.param(True, 0.5, marks=pytest.mark.slow)],
)
def test_motions_apart_keep_an_energy_each_where_products_are_too_many(roles, cubic):
    report = ConservedQuantityFinder(random_state=0).fit(springs(10, roles, cubic)).report_
    assert report.n_conserved == 10
    assert all(len(law.expression.free_symbols) == 2 for law in report.quantities)


def test_what_is_too_large_to_search_is_no_proof_that_there_is_nothing():
    """Twenty columns of a chain with friction, whose products are not searched."""
    runs = springs(10, True)
    rng = np.random.default_rng(1)
    turned = runs.states @ np.linalg.qr(rng.normal(size=(20, 20)))[0]
    names = [f"a{i}" for i in range(20)]
    report = (
        ConservedQuantityFinder(random_state=0).fit(Trajectories(turned, runs.times, names)).report_
    )
    assert report.verdict == "undecided" and "not searched: products" in report.reason


def drifting(n_bodies):
    """Return runs of free bodies in space, seen for a few samples."""
    rng = np.random.default_rng(0)
    t = 0.1 * np.arange(12)[:, None]
    speed = rng.normal(0, 1, (8, 1, 3 * n_bodies))
    place = rng.normal(0, 1, (8, 1, 3 * n_bodies)) + t * speed
    states = np.concatenate([place, np.broadcast_to(speed, place.shape)], axis=2)
    states = states + rng.normal(0, 0.01, states.shape)
    names = [f"{kind}{i}" for kind in ("x", "y", "z", "u", "v", "w") for i in range(n_bodies)]
    order = [3 * i + axis for axis in range(3) for i in range(n_bodies)]
    states = states[:, :, [*order, *(3 * n_bodies + k for k in order)]]
    roles = ["position"] * 3 * n_bodies + ["velocity"] * 3 * n_bodies
    return Trajectories(states=states, times=t[:, 0], names=names, roles=roles)


def test_of_very_many_columns_sums_alone_are_tried():
    runs = drifting(17)
    finder = ConservedQuantityFinder(bodies=17, box=50.0, random_state=0).fit(runs)
    searched = " ".join(finder.report_.searched)
    assert "polynomial(1) (skipped" in searched and "no manifold is trained" in searched
    assert {q.name for q in finder.quantities_} == {"total momentum", "energy"}


@pytest.mark.slow
@pytest.mark.parametrize("noise", [0.0, 0.005])
def test_three_vortices_of_unequal_strength(noise):
    """Impulse along x and y, its moment, and the energy: no velocities are in the data."""
    strength = np.array([1.37, -0.81, 2.23])

    def rates(_, s):
        x, y = s[:3], s[3:]
        dx, dy = x[:, None] - x, y[:, None] - y
        square = dx**2 + dy**2 + np.eye(3)
        return np.r_[-(strength * dy / square).sum(1), (strength * dx / square).sum(1)]

    rng, times, runs = np.random.default_rng(4), np.linspace(0, 3, 100), []
    while len(runs) < 30:
        start = rng.normal(scale=1.3, size=6)
        apart = np.hypot(start[:3, None] - start[:3], start[3:, None] - start[3:]) + 9 * np.eye(3)
        if apart.min() > 0.7:
            solved = solve_ivp(rates, (0, 3), start, t_eval=times, rtol=1e-10, atol=1e-12)
            runs.append(solved.y.T)
    states = np.array(runs)
    states += noise * states.std(axis=(0, 1)) * rng.standard_normal(states.shape)
    names = ["x1", "x2", "x3", "y1", "y2", "y3"]
    found = ConservedQuantityFinder(random_state=0).fit(Trajectories(states, times, names=names))
    assert found.report_.n_conserved == 4
    assert sum("log" in q.formula for q in found.quantities_) == 1


def three_bodies(friction=0.0, n=40):
    """Return a binary and a third body about it, of odd masses, 1 % noise."""
    masses, rng = np.array([1.1372, 0.8713, 0.9431]), np.random.default_rng(2)
    starts = datasets.load("three_body", n, 2, seed=5).states[:, 0]
    times = np.linspace(0, 12, 120)

    def rates(_, s):
        q, v = s[:6].reshape(3, 2), s[6:]
        gap = q[None] - q[:, None]
        cube = (np.sum(gap**2, axis=2) + np.eye(3)) ** 1.5
        pull = np.einsum("j,ija,ij->ia", masses, gap, 1 / cube)
        return np.r_[v, pull.ravel() - friction * v]

    states = [solve_ivp(rates, (0, 12), s, t_eval=times, rtol=1e-9, atol=1e-10).y.T for s in starts]
    states = np.array(states)
    states += 0.01 * states.std(axis=(0, 1)) * rng.normal(size=states.shape)
    names = [*(f"{q}{i}" for i in "123" for q in "xy"), *(f"{w}{i}" for i in "123" for w in "uv")]
    roles = ["position"] * 6 + ["velocity"] * 6
    return Trajectories(states=states, times=times, names=names, roles=roles)


def sums_alone(runs, monkeypatch):
    """Return the report of a search that tries the last of the usual stages alone."""
    usual = analysis.resolve
    monkeypatch.setattr(analysis, "resolve", lambda *asked: [usual(*asked)[0], usual(*asked)[-1]])
    return ConservedQuantityFinder(random_state=0).fit(runs).report_


@pytest.mark.slow
def test_three_bodies_of_odd_masses_move_by_their_laws(monkeypatch):
    """A number for every body and pair is more than 1 % of noise lets a judge allow."""
    report = sums_alone(three_bodies(), monkeypatch)
    assert report.n_conserved == 5 and report["energy"].verdict == "exact"
    motion = report.motion()
    assert motion.residual < 1.3
    # The masses within a sum are numbers of the fit.
    numbers = motion.coefficients
    assert {"u2**2", "u3**2"} < set(numbers) and len(numbers) == 8


@pytest.mark.slow
def test_three_bodies_with_friction_have_no_energy(monkeypatch):
    """What friction takes of the momentum is the way of the centre: P + γ M X, and no more."""
    report = sums_alone(three_bodies(friction=0.05), monkeypatch)
    assert report.n_conserved == 2 and not any("**" in q.formula for q in report.quantities)


def test_sums_of_few_bodies_are_tried_last_and_in_a_plane():
    rows = np.random.default_rng(0).normal(size=(50, 12))
    flat = [*(f"{q}{i}" for i in "123" for q in "xy"), *(f"{w}{i}" for i in "123" for w in "uv")]
    line = [*(f"x{i}" for i in range(1, 7)), *(f"v{i}" for i in range(1, 7))]
    roles = ["position"] * 6 + ["velocity"] * 6
    last, other = (escalation(tuple(names), roles, rows)[-1] for names in (flat, line))
    assert isinstance(last, Bodies) and last.axes == 2
    assert not isinstance(other, Bodies)
