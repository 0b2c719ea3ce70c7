"""Angles in other units: seen where they wrap or where rates have their period, and no others."""

import numpy as np
import pytest
import sympy

from discovery import ConservedQuantityFinder, Trajectories, datasets
from discovery.data.flaws.angles import angles_in
from discovery.data.flaws.reading import in_radians, read
from discovery.data.flaws.samples import Samples
from discovery.datasets.integrate import integrate

DEGREE = np.pi / 180


def samples(rows, runs):
    rows = np.reshape(rows, (len(rows), -1))
    steps = len(rows) // runs
    return Samples(rows, np.tile(np.arange(steps) * 0.1, runs), steps * np.arange(runs + 1))


def seen(given, roles=None, degrees=()):
    return angles_in(given, [f"x{i}" for i in range(given.dim)], roles, degrees)


def turning(runs=20, steps=80, noise=0.01, seed=0):
    """An angle (runs * steps,) in radians that goes round, in either direction."""
    rng = np.random.default_rng(seed)
    t = np.arange(steps) * 0.1
    speed = rng.uniform(0.5, 2, (runs, 1)) * rng.choice([-1, 1], (runs, 1))
    path = rng.uniform(0, 6, (runs, 1)) + speed * t + 0.3 * np.sin(t + rng.uniform(0, 6, (runs, 1)))
    return (path + noise * rng.standard_normal(path.shape)).ravel()


@pytest.mark.parametrize("turn", [360, 2 * np.pi, 1, 400, 4096, 250])
@pytest.mark.parametrize("low", [0.0, -0.5])
@pytest.mark.parametrize("seed", range(3))
def test_a_wrapped_column_is_an_angle(turn, low, seed):
    wrapped = (turning(seed=seed) / (2 * np.pi) - low) % 1 + low
    found = seen(samples(wrapped * turn, 20))
    assert found.roles == ("angle",)
    assert found.turns[0] == (None if turn == 2 * np.pi else turn)
    assert "jumps by" in found.remarks[0]


@pytest.mark.parametrize("turn", [360, 4096])
def test_noise_that_makes_jumps_early_or_late_hides_no_turn(turn):
    """The steps at which a noisy column jumps are those that noise made large."""
    found = []
    for seed in range(8):
        wrapped = turning(noise=0.1, seed=seed) / (2 * np.pi) % 1
        found.append(seen(samples(wrapped * turn, 20)).turns[0])
    assert set(found) <= {turn, None} and found.count(turn) >= 4


def test_a_turn_that_nobody_uses_is_read_as_it_is():
    for seed in range(4):
        wrapped = turning(noise=0.01, seed=seed) / (2 * np.pi) % 1
        assert seen(samples(wrapped * 337, 20)).turns[0] == 337


def test_noise_of_an_angle_hides_no_rate():
    """Differences of neighbours are noise for the most part; over several samples they are not."""
    t, rng = np.arange(120) * 0.05, np.random.default_rng(0)
    speed, phase = rng.uniform(0.5, 2, (20, 1)), rng.uniform(0, 6, (20, 1))
    angle = (speed * t + 0.4 * np.sin(t + phase)) / DEGREE
    rate = (speed + 0.4 * np.cos(t + phase)) / DEGREE
    both = np.stack([(angle + 2 * rng.standard_normal(angle.shape)) % 360, rate], axis=-1)
    given = Samples(both.reshape(-1, 2), np.tile(t, 20), 120 * np.arange(21))
    found = seen(given)
    assert found.roles == ("angle", "angular_velocity") and found.turns == (360, 360)


def test_an_encoder_counts():
    counts = np.floor(turning() / (2 * np.pi) * 1000) % 1000
    assert seen(samples(counts, 20)).turns == (1000,)


def jumps_of_any_size(rng):
    """It rises at one rate, and is set back from about 1 to about 0."""
    values = np.zeros(2000)
    for i in range(1, 2000):
        full = values[i - 1] > rng.uniform(0.95, 1)
        values[i] = rng.uniform(0, 0.05) if full else values[i - 1] + 0.03
    return values + 1e-4 * rng.standard_normal(2000)


def white_noise(rng):
    return rng.standard_normal(20000)


def square_wave(rng):
    return np.sign(np.sin(np.arange(2000) * 0.05)) + 0.02 * rng.standard_normal(2000)


def reset(rng):
    """A leaky neuron: it rises ever slower to 1, and is set to 0."""
    values = np.zeros(2000)
    for i in range(1, 2000):
        values[i] = 0.0 if values[i - 1] >= 0.95 else values[i - 1] + 0.05 * (1.05 - values[i - 1])
    return values + 1e-4 * rng.standard_normal(2000)


def relaxation(rng):
    t = np.arange(2000) * 0.05
    slow = t % np.pi
    return np.where((t // np.pi) % 2 == 0, 2 - 0.3 * slow, -2 + 0.3 * slow)


def populations(rng):
    return rng.poisson(20 + 15 * np.sin(np.arange(2000) * 0.05)).astype(float)


def kicked(rng):
    """A chaotic map on the circle: no rate."""
    angle, momentum = np.empty((2, 2000))
    angle[0], momentum[0] = rng.uniform(0, 6, 2)
    for i in range(1999):
        momentum[i + 1] = momentum[i] + 5 * np.sin(angle[i])
        angle[i + 1] = (angle[i] + momentum[i + 1]) % (2 * np.pi)
    return angle


def regular(rng):
    """Suris' integrable map, on the circle: steps of about a radian, which are no rates."""
    angles = np.empty((20, 100))
    x, y = rng.uniform(-3, 3, (2, 20))
    for i in range(100):
        angles[:, i] = (x + np.pi) % (2 * np.pi) - np.pi
        x, y = y, 2 * y - x - 2 * np.arctan2(0.43 * np.sin(y), 1 + 0.43 * np.cos(y))
    return angles.ravel()


def impacts(rng):
    """Velocities of balls that fall and bounce, each from a height of its own."""
    out = []
    for top in rng.uniform(1, 3, 20):
        t = np.arange(100) * 0.1
        out.append(top - (t + rng.uniform(0, top)) % (2 * top))
    return np.concatenate(out)


NO_ANGLES = {
    f.__name__.replace("_", " "): f
    for f in (
        jumps_of_any_size,
        white_noise,
        square_wave,
        reset,
        relaxation,
        populations,
        kicked,
        impacts,
    )
}


@pytest.mark.parametrize("make", NO_ANGLES.values(), ids=NO_ANGLES)
def test_what_does_not_wrap(make):
    for seed in range(5):
        found = seen(samples(make(np.random.default_rng(seed)), 20))
        assert found.roles is None and found.turns == (None,)


def test_an_angle_that_is_told_turns_by_a_unit_that_people_use():
    wrapped = turning() / (2 * np.pi) % 1
    assert seen(samples(360 * wrapped, 20), ["angle"]).turns == (360,)
    for turn in (2 * np.pi, 7.0):
        found = seen(samples(turn * wrapped, 20), ["angle"])
        assert found.turns == (None,)
        assert not found.remarks


def test_values_that_come_near_to_both_ends_tell_the_turn_where_steps_are_no_rates():
    for seed in range(20):
        found = seen(samples(regular(np.random.default_rng(seed)), 20))
        assert found.turns == (None,)  # 2π, or none at all


def test_short_noise_does_not_wrap():
    """Few jumps may be of one size by chance."""
    for seed in range(400):
        noise = samples(np.random.default_rng(seed).standard_normal(192), 8)
        assert seen(noise).turns == (None,) and seen(noise).roles is None


@pytest.mark.parametrize("name", datasets.names())
def test_simulations_are_in_radians(name):
    runs = datasets.load(name, 12, 40, noise=0.01)
    if "field" in (runs.roles or ()):
        return
    given = Samples(runs.rows, runs.row_times, runs.offsets)
    assert not any(angles_in(given, runs.names, runs.roles).turns)


def pendulum(runs=24, steps=60, noise=0.005, seed=1):
    given = datasets.load("pendulum", runs, steps, noise=noise, seed=seed)
    return Samples(given.rows, given.row_times, given.offsets)


ROLES = ("angle", "angular_velocity")


@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_the_rates_tell_degrees(noise):
    radians = pendulum(noise=noise)
    found = seen(Samples(radians.rows / DEGREE, radians.times, radians.offsets), ROLES)
    assert found.turns == (360, 360)
    assert "read in degrees" in found.remarks[0]


def test_radians_are_not_read_as_degrees():
    """Turning pendulums, some of them for many turns."""
    assert seen(pendulum(steps=200), ROLES).turns == (None, None)


def test_a_spring_beside_a_wave_is_in_radians():
    """The flux in a loop with a junction, over two turns: waves of degrees imitate the loop."""
    rng, t = np.random.default_rng(0), np.linspace(0, 9, 120)
    starts = rng.uniform((-7, -1), (7, 1), (30, 2))

    def rates(s):
        return np.stack([s[:, 1], -1.2 * np.sin(s[:, 0]) - 0.4 * (s[:, 0] - 0.7)], axis=1)

    rows = integrate(rates, starts, t).reshape(-1, 2)
    rows += 0.005 * rows.std(axis=0) * rng.standard_normal(rows.shape)
    given = Samples(rows, np.tile(t, 30), 120 * np.arange(31))
    assert seen(given, ROLES).turns == (None, None)


@pytest.mark.parametrize("seed", range(3))
def test_an_angle_that_rates_do_not_depend_on_tells_no_unit(seed):
    """Orbits that precess, of a distance, an angle and their rates: waves in radians fit noise."""
    rng, t = np.random.default_rng(seed), np.linspace(0, 20, 220)
    size, phase, out, speed = rng.uniform((0.7, -3, -0.15, 0.85), (1.4, 3, 0.15, 1.1), (40, 4)).T
    starts = np.stack([size, phase, out, speed * np.sqrt(1.3 / size**3)], axis=1)

    def rates(s):
        r, _, v, w = s.T
        return np.stack([v, w, r * w**2 - 1 / r**2 - 0.3 / r**3, -2 * v * w / r], axis=1)

    rows = integrate(rates, starts, t).reshape(-1, 4)
    rows += 0.01 * rows.std(axis=0) * rng.standard_normal(rows.shape)
    given = Samples(rows, np.tile(t, 40), 220 * np.arange(41))
    roles = ["position", "angle", "velocity", "angular_velocity"]
    assert seen(given, roles).turns == (None,) * 4


def torsion(k=1.7, size=6.0):
    """A twist (in radians, over almost two turns) and its rate, of springs that pull linearly."""
    rng, t = np.random.default_rng(3), np.arange(80) * 0.1
    rows = []
    for a, phase in zip(rng.uniform(0.2, size, 30), rng.uniform(0, 6.3, 30), strict=True):
        w = np.sqrt(k)
        rows.append(np.c_[a * np.cos(w * t + phase), -a * w * np.sin(w * t + phase)])
    rows = np.vstack(rows)
    return rows + 0.01 * rows.std(axis=0) * rng.standard_normal(rows.shape)


def test_the_twist_of_a_spring_has_no_period():
    """Waves as long as those of degrees imitate a line, and a line explains no less."""
    found = seen(samples(torsion(), 30), ROLES)
    assert found.turns == (None, None) and found.roles == ("position", "velocity")
    assert "the rates are linear" in found.remarks[0]
    # In degrees as well; a pendulum's degrees stay those of an angle.
    told = seen(samples(torsion() / DEGREE, 30), None, [0, 1])
    assert told.turns == (None, None) and told.roles == ("position", "velocity")
    p = pendulum()
    swings = seen(Samples(p.rows / DEGREE, p.times, p.offsets), None, [0, 1])
    assert swings.turns == (360, 360)
    finder = ConservedQuantityFinder(roles=ROLES, random_state=0)
    finder.fit(
        torsion(), groups=np.repeat(np.arange(30), 80), times=np.tile(np.arange(80) * 0.1, 30)
    )
    (law,) = finder.quantities_
    assert law.verdict == "exact" and law.expression.is_polynomial()


def test_an_angle_that_no_rate_depends_on_stays_one():
    """Kepler's orbits in polar coordinates, in degrees."""
    runs = datasets.load("kepler", 20, 80, noise=0.002, seed=0)
    x, y, u, v = runs.rows.T
    phi = np.concatenate([np.unwrap(run) for run in np.split(np.arctan2(y, x), runs.offsets[1:-1])])
    r = np.hypot(x, y)
    rows = np.column_stack([r, phi / DEGREE, (x * u + y * v) / r, (x * v - y * u) / r**2])
    polar = Samples(rows, runs.row_times, runs.offsets)
    found = seen(polar, None, [1])
    assert found.roles[1] == "angle" and found.turns[1] == 360


@pytest.mark.parametrize("names", [["a_deg", "b_deg_s"], ["a (deg)", "b (deg/s)"]])
def test_names_tell_degrees(names):
    p = pendulum()
    runs = Trajectories.from_rows(p.rows / DEGREE, np.repeat(np.arange(24), 60), p.times, names)
    assert runs.in_degrees == tuple(names)
    # What is in radians by now keeps its name.
    assert runs.in_radians(names).in_degrees == ()
    assert runs.of_columns([0]).with_velocities().in_degrees == ()
    (law,) = ConservedQuantityFinder(random_state=0).fit(runs).quantities_
    assert law.verdict == "exact" and law.expression.has(sympy.cos)
    # Angles in degrees have π in them, and numbers are numbers.
    assert not any(number.has(sympy.pi) for number, _ in numbers_of(law.expression))


def numbers_of(expression):
    return [term.as_independent(*expression.free_symbols) for term in expression.args]


def test_a_rate_in_degrees_is_no_angle(tmp_path):
    """Gyroscopes: the rates of a rigid body, without its angles."""
    runs = datasets.load("rigid_body", 30, 80, noise=0.01, seed=0)
    titles = [f"gyro {axis} [°/s]" for axis in "xyz"]
    frame = Trajectories(runs.states / DEGREE, runs.times, titles).to_frame()
    frame.to_csv(tmp_path / "gyro.csv", index=False)
    for given in (Trajectories.from_file(tmp_path / "gyro.csv"), Trajectories.from_frame(frame)):
        report = ConservedQuantityFinder(random_state=0).fit(given).report_
        assert report.n_conserved == 2 and len(report.names) == 3
        assert all(q.expression.is_polynomial() for q in report)


def test_rates_have_a_unit_of_their_own():
    """An angle in degrees beside its rate in degrees, radians, turns, turns a minute, or others."""
    p, whole = pendulum(), 2 * np.pi
    units = (1 / DEGREE, 360, "same"), (1.0, None, ""), (1 / whole, 1, "in turns")
    for unit, turn, words in (*units, (60 / whole, 60, "sixtieths"), (7.0, None, "")):
        found = seen(Samples(p.rows * [1 / DEGREE, unit], p.times, p.offsets), ROLES)
        assert found.turns == (360, turn)
        said = [remark for remark in found.remarks if "is a rate" in remark]
        assert words in said[0] if words else not said


def test_a_free_rotor_tells_no_unit():
    p = samples(np.c_[turning(noise=0) * 30, np.repeat(np.linspace(1, 2, 20), 80)], 20)
    assert seen(p, ROLES).turns == (None, None)


def test_formulas_are_of_the_users_columns():
    p = pendulum(40, 80)
    groups = np.repeat(np.arange(40), 80)
    degrees = p.rows / DEGREE
    wrapped = np.c_[(p.rows[:, 0] / DEGREE + 180) % 360 - 180, p.rows[:, 1]]
    for rows, options in (
        (degrees, {"degrees": ["x0", "x1"]}),
        (degrees, {"roles": ROLES}),
        (wrapped, {}),
    ):
        finder = ConservedQuantityFinder(random_state=0, **options)
        finder.fit(rows, groups=groups, times=p.times)
        assert finder.n_conserved_ == 1
        assert "cos(pi*x0/180)" in str(finder.quantities_[0].expression)
        energy = finder.transform(rows)[:, 0].reshape(40, 80)
        assert energy.std(axis=1).max() < 0.05 * energy.std()


def test_a_rod_by_its_end():
    """A pendulum as x and y of its end: two identities, and the energy beside them."""
    angle, rate = pendulum(40, 80, noise=0).rows.T
    rows = np.c_[np.sin(angle), -np.cos(angle), rate * np.cos(angle), rate * np.sin(angle)]
    rows += 0.005 * np.random.default_rng(0).standard_normal(rows.shape)
    finder = ConservedQuantityFinder(random_state=0)
    finder.fit(rows, groups=np.repeat(np.arange(40), 80), times=np.tile(0.1 * np.arange(80), 40))
    assert finder.n_conserved_ == 1 and len(finder.report_.identities) == 2


def test_an_angle_of_a_system_without_laws_has_none():
    runs = datasets.load("damped_pendulum", 40, 80, noise=0.01, seed=2)
    rows = runs.rows.copy()
    rows[:, 0] = (rows[:, 0] + np.pi) % (2 * np.pi)
    finder = ConservedQuantityFinder(random_state=0)
    finder.fit(rows, groups=runs.groups, times=runs.row_times)
    assert finder.n_conserved_ == 0


def test_in_radians():
    p = pendulum()
    given = Trajectories(
        states=p.rows.reshape(24, 60, 2) / DEGREE, times=p.times[:60], names=["a", "w"]
    )
    turned = given.in_radians(["a", "w"])
    np.testing.assert_allclose(turned.rows, p.rows)
    assert turned.roles == ROLES
    assert "a, w turned from degrees into radians" in turned.remarks
    assert given.in_radians("a").roles == ("angle", None)
    with pytest.raises(ValueError, match=r"no column \['b'\]; there are \['a', 'w'\]"):
        given.in_radians("b")


def test_a_parameter_in_degrees_is_no_angle():
    runs = datasets.load("harmonic_oscillator", 20, 60)
    slope = np.repeat(np.linspace(1, 40, 20) ** 1.5, 60)
    given = Trajectories.from_rows(
        np.column_stack([runs.rows, slope]), runs.groups, runs.row_times, ["q", "v", "slope"]
    )
    found = ConservedQuantityFinder(degrees=["slope"], random_state=0).fit(given)
    assert found.n_conserved_ == 1
    assert "parameter slope" in found.report_.title
    assert given.in_radians("slope").roles == (None, None, None)


@pytest.mark.parametrize("degrees", [None, 3])
def test_degrees_are_names(degrees):
    with pytest.raises(ValueError, match=r"degrees: received .* expected names"):
        ConservedQuantityFinder(degrees=degrees).fit(datasets.load("harmonic_oscillator", 9, 40))


def test_formed_velocities_keep_their_errors():
    runs = datasets.load("pendulum", 9, 60, 0.01).of_columns([0]).with_velocities()
    given = runs.in_radians(runs.names)
    np.testing.assert_allclose(given.formed.path, runs.formed.path * DEGREE)
    np.testing.assert_allclose(given.formed.covariance, runs.formed.covariance * DEGREE**2)


def test_degrees_that_are_turned_are_told_once():
    given = datasets.load("pendulum", 9, 60, 0.01)
    runs, turns = read(given, ["theta", "omega"])
    turned = in_radians(runs, turns)
    assert turned.remarks == ("theta, omega, in degrees, turned into radians",)


def test_titles_tell_degrees_at_every_door(tmp_path):
    """A pendulum of small swings: as radians they would stay within a turn and a half."""
    runs = datasets.load("pendulum", 30, 100, noise=0.002, seed=2)
    small = np.flatnonzero(np.maximum.reduceat(np.abs(runs.rows[:, 0]), runs.offsets[:-1]) < 2.8)
    runs = runs[small]
    frame = runs.to_frame()
    frame[["theta", "omega"]] /= DEGREE
    frame.columns = ["run", "t", "theta (deg)", "omega (deg/s)"]
    frame.to_csv(tmp_path / "swing.csv", index=False)
    whole = Trajectories.from_file(tmp_path / "swing.csv")
    alone = Trajectories.from_file(tmp_path / "swing.csv", names=["theta"])
    for given in (whole, alone):
        (law,) = ConservedQuantityFinder(random_state=0).fit(given).quantities_
        assert law.verdict == "exact" and law.expression.has(sympy.cos)


@pytest.mark.parametrize("units", [{}, {"phase": "rad"}])
def test_a_unit_tells_an_angle(units):
    """A junction on a shallow slope: its voltage is a rate, and nothing turns over."""
    rng, t = np.random.default_rng(0), np.linspace(0, 12, 100)
    size, start = rng.uniform((0.2, 0), (1.0, 6), (20, 2)).T[..., None]
    states = np.stack([size * np.cos(t + start), -2 * size * np.sin(t + start)], axis=-1)
    for name, roles in [("phase", ("angle", "angular_velocity")), ("place", (None, None))]:
        title = name if units else f"{name} (rad)" if name == "phase" else f"{name} (m)"
        runs = Trajectories(states, times=t, names=[title, "volt"])
        runs.units = units if name == "phase" else {}
        assert (read(runs)[0].roles or (None, None)) == roles
    told = Trajectories(states, times=t, names=["phase (rad)", "volt"], roles=["other", "other"])
    assert read(told)[0].roles == ("other", "other")
