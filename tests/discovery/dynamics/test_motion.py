"""Motion from laws: the rates are the true ones, and what the laws do not tell is refused."""

import pickle
import re

import numpy as np
import pandas as pd
import pytest
import sympy

from discovery import ConservedQuantityFinder, Trajectories, datasets
from discovery.dynamics.accelerations import accelerations
from discovery.dynamics.canonical import Space
from discovery.dynamics.equations import real_symbol
from discovery.dynamics.routes import motion_of
from discovery.dynamics.weak import Weak
from discovery.dynamics.windows import Measured, Windows

from .conftest import exact, law

TIMES = np.linspace(0, 8, 64)
SPACE = ["position", "position", "velocity", "velocity"]
TURNING = ["angle", "angle", "angular_velocity", "angular_velocity"]
ANGLES = ["angle", "angle", "momentum", "momentum"]


def odd_heiles(x, y, u, v):
    return u, v, -1.14 * x - 1.88 * x * y, -0.87 * y - 0.94 * x**2 + 0.86 * y**2


def kepler(x, y, u, v):
    cube = np.hypot(x, y) ** 3
    return u, v, -x / cube, -y / cube


def double_pendulum(a, b, u, v):
    c, s = np.cos(a - b), np.sin(a - b)
    first, second = -s * v**2 - 2 * np.sin(a), s * u**2 - np.sin(b)
    return u, v, (first - c * second) / (2 - c**2), (2 * second - c * first) / (2 - c**2)


def with_momenta(a, b, p, r):
    c, s = np.cos(a - b), np.sin(a - b)
    u, v = (p - c * r) / (2 - c**2), (2 * r - c * p) / (2 - c**2)
    return u, v, -s * u * v - 2 * np.sin(a), s * u * v - np.sin(b)


def top(x, y, z):
    return -1.2 * y * z, 1.1 * x * z, -0.25 * x * y


def hares(x, y):
    return 1.1 * x - 0.9 * x * y, -0.7 * y + 0.6 * x * y


def damped(a, u):
    return u, -1.4 * np.sin(a) - 0.05 * u


def dragged(x, u):
    return u, -1.4 * x - 0.05 * u * abs(u)


def magnetic(x, y, u, v):
    return u, v, -x + 0.7 * v, -1.3 * y - 0.7 * u


# name: rates, names, roles, size of the starts, laws as a report rounds them, the route
SYSTEMS = {
    "potential": (
        odd_heiles,
        "xyuv",
        SPACE,
        0.2,
        HEILES := [law("u**2/2 + v**2/2 + 0.57*x**2 + 0.435*y**2 + 0.94*x**2*y - 0.287*y**3")],
        "canonical",
    ),
    "masses that turn": (
        double_pendulum,
        "abuv",
        TURNING,
        0.6,
        [law("u**2 + v**2/2 + u*v*cos(a - b) - 2*cos(a) - cos(b)")],
        "canonical",
    ),
    "momenta": (
        with_momenta,
        "abpr",
        ANGLES,
        0.6,
        [
            law(
                "p**2/(4 - 2*cos(a - b)**2) - p*r*cos(a - b)/(2 - cos(a - b)**2)"
                " + r**2/(2 - cos(a - b)**2) - 2*cos(a) - cos(b)"
            )
        ],
        "canonical",
    ),
    "top": (
        top,
        "xyz",
        None,
        1.0,
        [law("x**2/1.2 + y**2/1.1"), law("x**2 - 1.2*z**2/0.25")],
        "Nambu",
    ),
    "hares": (hares, "xy", None, None, [law("0.6*x - 0.7*log(x) + 0.9*y - 1.1*log(y)")], "Nambu"),
    "friction": (
        damped,
        "au",
        ["angle", "angular_velocity"],
        1.0,
        [law("u**2/2 - 1.4*cos(a)", ["u**2"], (0.05,))],
        "canonical",
    ),
    "air": (
        dragged,
        "xu",
        ["position", "velocity"],
        1.0,
        [law("u**2/2 + 0.7*x**2", ["Abs(u)**3"], (0.05,))],
        "canonical",
    ),
}


def starts(size, d, n=12):
    rng = np.random.default_rng(3)
    return rng.uniform(0.5, 2, (n, d)) if size is None else size * rng.normal(size=(n, d))


def of_system(simulated, name, noise=0.01):
    rates, names, roles, size, laws, route = SYSTEMS[name]
    begun = starts(size, len(names))
    runs, levels = simulated(rates, begun, TIMES, list(names), roles, noise)
    return motion_of(laws, [], runs, levels), rates, begun, route, runs


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_rates_are_the_true_ones(simulated, name):
    motion, rates, begun, route, runs = of_system(simulated, name)
    assert motion.route == route
    assert motion.residual < 1.3
    true = np.stack(np.broadcast_arrays(*rates(*begun.T)), axis=1)
    fitted = motion.refit().rates(begun)
    spread = runs.rows.std(axis=0)
    assert np.abs((fitted - true) / spread).max() < 0.02


def test_equations_are_formulas_in_the_names(simulated):
    motion, *_ = of_system(simulated, "friction", noise=0.0)
    written = motion.equations
    assert str(written["a"]) == "u"
    assert str(written["u"]) == "-u/20 - 7*sin(a)/5"
    assert "du/dt = -0.05*u" in str(motion)


def test_runs_without_noise(simulated):
    motion, *_ = of_system(simulated, "potential", noise=0.0)
    # The laws of this system are rounded: only their fit holds without noise.
    assert motion.residual < 1.5
    assert motion.coefficients["x**2*y"] == pytest.approx(0.94, abs=1e-4)


def test_a_magnetic_field_beside_the_energy(simulated):
    def uneven(x, y, u, v):
        return u, v, -x + (0.7 + 0.3 * x) * v, -1.3 * y - (0.7 + 0.3 * x) * u

    for rates in (magnetic, uneven):
        runs, levels = simulated(rates, starts(1, 4), TIMES, list("xyuv"), SPACE)
        # Twice the energy: its own size is no matter.
        motion = motion_of([law("u**2 + v**2 + x**2 + 1.3*y**2")], [], runs, levels).refit()
        assert motion.residual < 1.3
        begun = starts(1, 4)
        true = np.stack(np.broadcast_arrays(*rates(*begun.T)), axis=1)
        assert np.abs((motion.rates(begun) - true) / runs.rows.std(axis=0)).max() < 0.05
        assert any(title == "field in (x, y): 1" for title in motion.coefficients)


def test_units_in_which_numbers_of_a_law_differ_by_far(simulated):
    """An electron in a trap, in metres and seconds: rates of 1e9, squared in the energy."""
    clock = 1e9

    def fast(x, y, u, v):
        rates = magnetic(x, y, u / clock, v / clock)
        return u, v, clock**2 * rates[2], clock**2 * rates[3]

    begun = starts(1, 4) * [1, 1, clock, clock]
    runs, levels = simulated(fast, begun, TIMES / clock, list("xyuv"), SPACE)
    motion = motion_of([law("u**2/2 + v**2/2 + 0.5e18*x**2 + 0.65e18*y**2")], [], runs, levels)
    assert motion.residual < 1.3
    true = np.stack(np.broadcast_arrays(*fast(*begun.T)), axis=1)
    spread = runs.rows.std(axis=0) * clock
    assert np.abs((motion.refit().rates(begun) - true) / spread).max() < 0.05


def test_a_law_that_does_not_move_the_data(simulated):
    def carried(x, y, u, v):
        return u, v, -x + 0.4 * u * v, -1.3 * y - 0.4 * u**2

    runs, levels = simulated(carried, starts(1, 4), TIMES, list("xyuv"), SPACE)
    energy = law("u**2/2 + v**2/2 + x**2/2 + 0.65*y**2")
    with pytest.raises(ValueError, match=r"no sum of the laws is an energy.*1 laws of 4"):
        motion_of([energy], [], runs, levels)


LENZ = [
    law(f"{x}*{v}**2 - {y}*{u}*{v} - {k}*{x}/sqrt(x**2 + y**2)")._replace(errors=(0.01,) * 3)
    for k, x, y, u, v in ((0.99, *"xyuv"), (1.01, *"yxvu"))
]


def planets(simulated):
    begun = np.random.default_rng(5).uniform([0.9, -0.3, -0.2, 0.8], [1.2, 0.3, 0.2, 1.1], (12, 4))
    return simulated(kepler, begun, TIMES, list("xyuv"), SPACE, 0.02)


def test_as_many_laws_as_positions_tell_the_motion(simulated):
    runs, levels = planets(simulated)
    motion = motion_of(LENZ, [], runs, levels)
    assert motion.route == "accelerations"
    # Numbers that noise does not part are one, and the formula has no singularity but the centre.
    fitted = motion.refit()
    (strength,) = fitted.coefficients.values()
    (error,) = fitted.standard_errors.values()
    assert strength == pytest.approx(1.0, abs=4 * error) and error < 0.003
    assert not fitted.equations["u"].has(*map(sympy.Symbol, "uv"))


def test_numbers_of_two_laws_that_errors_part_stay_two(simulated):
    runs, levels = planets(simulated)
    sharp = [one._replace(errors=(1e-3,) * 3) for one in LENZ]
    assert len(motion_of(sharp, [], runs, levels).coefficients) == 2


def test_as_many_laws_as_positions_that_do_not_move_the_data(simulated):
    runs, levels = simulated(magnetic, starts(1, 4), TIMES, list("xyuv"), SPACE)
    with pytest.raises(ValueError, match="2 laws of 4 coordinates"):
        motion_of(LENZ, [], runs, levels)


def test_what_the_laws_do_not_tell_is_refused(simulated):
    def almost(x, u):
        return u, -x - 0.1 * x**3

    runs, levels = simulated(almost, starts(1, 2), TIMES, list("xu"), ["position", "velocity"])
    levels = {name: level / 10 for name, level in levels.items()}
    with pytest.raises(ValueError, match="χ² per degree of freedom is"):
        motion_of([law("u**2/2 + x**2/2")], [], runs, levels)


@pytest.mark.slow
def test_laws_that_are_near_are_told_by_longer_windows(simulated):
    def uneven(x, u):
        return u, -x - 0.006 * x**3

    times = np.linspace(0, 16, 80)
    runs, levels = simulated(uneven, starts(1, 2), times, list("xu"), ["position", "velocity"])
    with pytest.raises(ValueError, match="near to those of the runs, and not the same"):
        motion_of([law("u**2/2 + x**2/2")], [], runs, levels)


def test_a_map_has_no_rates():
    states, now = [], np.random.default_rng(0).uniform(-0.8, 0.8, (20, 2))
    for _ in range(40):
        states.append(now)
        x, y = now.T
        now = np.stack([y, -x + 1.2 * y / (1 + y**2)], axis=1)
    runs = Trajectories(states=np.stack(states, axis=1), names=["x", "y"])
    kept = law("x**2 + y**2 + x**2*y**2 - 6*x*y/5")
    with pytest.raises(ValueError, match="as iterates of a map are: those have no rates"):
        motion_of([kept], [], runs, {"x": 1e-3, "y": 1e-3})


def test_a_start_at_a_singularity(simulated):
    begun = np.random.default_rng(3).uniform([0.8, 0, -0.1, 0.7], [1.2, 0.1, 0.1, 1.1], (4, 4))
    runs, levels = simulated(kepler, begun, TIMES, list("xyuv"), SPACE)
    motion = motion_of([law("u**2/2 + v**2/2 - 1/sqrt(x**2 + y**2)")], [], runs, levels)
    assert np.isnan(motion.rollout(np.zeros(4), [0, 1])).all()


def test_no_laws_no_motion(simulated):
    runs, levels = simulated(damped, starts(1, 2), TIMES, list("au"), None)
    with pytest.raises(ValueError, match="no law"):
        motion_of([], [], runs, levels)


def test_an_energy_that_all_runs_share_moves_them(simulated):
    """Rays in a Luneburg lens: |x|² + |p|² is one number, and tells the motion all the same."""
    rng = np.random.default_rng(0)
    places, turn = rng.normal(0, 0.5, (16, 2)), rng.uniform(0, 2 * np.pi, 16)
    length = np.sqrt(2.5 - np.sum(places**2, axis=1, keepdims=True))
    begun = np.hstack([places, length * np.stack([np.cos(turn), np.sin(turn)], 1)])
    roles = ["position", "position", "momentum", "momentum"]
    runs, levels = simulated(lambda x, y, u, v: (u, v, -x, -y), begun, TIMES, list("xyuv"), roles)
    alike, turned = law("x**2 + y**2 + u**2 + v**2"), law("x*v - y*u")
    for laws in ([turned], []):
        motion = motion_of(laws, [alike], runs, levels)
        assert [str(motion.equations[name]) for name in "xyuv"] == ["u", "v", "-x", "-y"]
    with pytest.raises(ValueError, match="no sum of the laws is an energy"):
        motion_of([turned], [], runs, levels)


def test_what_is_not_unique_is_said(simulated):
    def isotropic(x, y, u, v):
        return u, v, -1.21 * x, -1.21 * y

    runs, levels = simulated(isotropic, starts(1, 4), TIMES, list("xyuv"), SPACE)
    laws = [law("u**2 + 1.21*x**2"), law("v**2 + 1.21*y**2"), law("u*v + 1.21*x*y")]
    motion = motion_of(laws, [], runs, levels)
    assert "3 independent sums" in motion.uncertain[0]
    assert "change no motion" in motion.refit().uncertain[1]


def test_total_momentum_hides_masses(simulated):
    def bound(x, y, u, v):
        return u, v, (y - x) / 2, (x - y) / 1.3

    runs, levels = simulated(bound, starts(1, 4), TIMES, list("xyuv"), SPACE)
    laws = [law("2*u + 1.3*v"), law("(u - v)**2 + 1.2692*(x - y)**2")]
    found = motion_of(laws, [], runs, levels).refit().rates(np.array([[1.0, 0, 0, 0]]))[0]
    assert found == pytest.approx([0, 0, -0.5, 1 / 1.3], abs=0.02)


def test_numbers_that_are_equal_stay_so(simulated):
    begun = np.array([[0.9, 0.1 * k, 0.05 * k, 1.0] for k in range(-6, 6)])
    # One data set in twenty parts them by chance.
    runs, levels = simulated(kepler, begun, TIMES, list("xyuv"), SPACE, seed=1)
    energy = law("u**2/2 + v**2/2 - 1.01/sqrt(x**2 + y**2)")
    motion = motion_of([energy], [], runs, levels).refit()
    assert motion.coefficients["v**2"] == pytest.approx(0.5, abs=1e-12)
    assert motion.standard_errors["v**2"] == pytest.approx(0.0, abs=1e-9)
    assert motion.coefficients["1/sqrt(x**2 + y**2)"] == pytest.approx(-1.0, abs=0.003)


def test_numbers_that_are_not_equal_part(simulated):
    def uneven(x, y, u, v):
        return u, v, -x, -1.04 * y

    runs, levels = simulated(uneven, starts(1, 4), TIMES, list("xyuv"), SPACE)
    motion = motion_of([law("u**2 + v**2 + 1.02*x**2 + 1.02*y**2")], [], runs, levels).refit()
    a = motion.coefficients
    assert a["y**2"] / a["x**2"] == pytest.approx(1.04, abs=0.01)


@pytest.mark.slow
def test_errors_of_coefficients_are_honest(simulated):
    scores = []
    for seed in range(10, 14):
        begun = starts(0.2, 4)
        runs, levels = simulated(odd_heiles, begun, TIMES, list("xyuv"), SPACE, 0.01, seed)
        motion = motion_of(HEILES, [], runs, levels).refit()
        for term, true in {"x**2": 0.57, "x**2*y": 0.94, "y**2": 0.435}.items():
            scores.append((motion.coefficients[term] - true) / motion.standard_errors[term])
    assert 0.6 < np.std(scores) < 1.6


@pytest.mark.parametrize("name", ["potential", "friction"])
def test_one_time_and_no_start(simulated, name):
    motion, _, begun, *_ = of_system(simulated, name)
    np.testing.assert_array_equal(motion.rollout(begun, [3.0])[:, 0], begun)
    assert motion.rollout(begun[:0], [0.0, 1.0]).shape == (0, 2, begun.shape[1])


def test_a_row_of_a_table_is_taken_by_its_names(simulated):
    motion, *_ = of_system(simulated, "friction")
    row = pd.DataFrame({"u": [0.3], "other": [5.0], "a": [0.2]}).iloc[0]
    np.testing.assert_array_equal(motion.rollout(row, [0, 1]), motion.rollout([0.2, 0.3], [0, 1]))


def test_rollout_of_many_states(simulated):
    motion, rates, begun, *_ = of_system(simulated, "friction")
    motion = motion.refit()
    times = np.linspace(0, 10, 21)
    many = motion.rollout(begun[:3], times)
    assert many.shape == (3, 21, 2)
    np.testing.assert_allclose(many[1], motion.rollout(begun[1], times))
    np.testing.assert_allclose(many[1], exact(rates, begun[1], times), atol=0.02)


def test_energy_error_does_not_grow(simulated):
    motion, *_ = of_system(simulated, "potential")
    long = motion.rollout([0.1, 0.2, 0.1, 0.0], np.linspace(0, 150, 151))
    x, y, u, v = long.T
    a = motion.coefficients
    energy = (
        u**2 / 2
        + a["v**2"] * v**2
        + a["x**2"] * x**2
        + a["y**2"] * y**2
        + a["x**2*y"] * x**2 * y
        + a["y**3"] * y**3
    )
    assert np.ptp(energy) < 1e-6 * energy[0]


def test_a_forecast_and_its_errors(simulated):
    motion, rates, begun, _, runs = of_system(simulated, "friction")
    motion = motion.refit()
    later = np.linspace(8, 20, 5)
    scores = []
    for start, window in zip(begun[:8], runs.states[:8], strict=True):
        found = motion.forecast(window[-40:], TIMES[-40:], later)
        assert found.states.shape == (5, 2) and found.covariance.shape == (5, 2, 2)
        assert found.chi_square < 1.6
        true = exact(rates, start, np.array([0.0, *later]))[1:]
        scores.append((found.states - true) / found.error)
    assert 0.5 < np.std(scores) < 1.7


def test_a_window_of_another_motion_is_seen(simulated):
    motion, *_ = of_system(simulated, "friction")
    times = np.linspace(0, 10, 40)
    other = np.stack([np.cos(3 * times), -3 * np.sin(3 * times)], axis=1)
    found = motion.forecast(other, times, [11.0])
    assert found.chi_square > 10 and not found.fits
    assert "no piece of this motion" in str(found)


def test_a_short_window_of_this_motion_fits(simulated):
    motion, _, _, _, runs = of_system(simulated, "friction")
    found = [motion.forecast(run[:4], TIMES[:4], [1.0]) for run in runs.states]
    assert max(each.chi_square for each in found) > 1.5
    assert all(each.fits for each in found) and "no piece" not in str(found[0])


def test_a_window_far_from_the_runs_is_refused_but_for_whole_turns(simulated):
    motion, _, _, _, runs = of_system(simulated, "friction")
    window = runs.states[0][:40]
    with pytest.raises(ValueError, match=r"no piece of this motion.*rate of a is"):
        motion.forecast(window + np.array([0, 1000.0]), TIMES[:40], [9.0])
    turned = motion.forecast(window + np.array([200 * np.pi, 0]), TIMES[:40], [9.0])
    assert turned.states[0, 1] == pytest.approx(
        motion.forecast(window, TIMES[:40], [9.0]).states[0, 1], abs=1e-6
    )


def test_a_few_windows_are_fitted_and_none_held_out(simulated):
    motion, _, _, _, runs = of_system(simulated, "friction")
    one = motion.refit(runs[:1])
    assert 0.3 < one.residual < 1.5
    assert any("too few to hold any out" in what for what in one.uncertain)
    assert motion.refit(runs).uncertain == ()


def test_runs_that_move_otherwise_are_told_by_a_fit(simulated):
    motion, *_ = of_system(simulated, "friction")
    other, _ = simulated(lambda a, u: (u, -(a**3)), starts(1, 2), TIMES, list("au"), None)
    assert any("they move otherwise" in what for what in motion.refit(other).uncertain)


def test_the_picture_of_a_forecast(simulated):
    motion, _, _, _, runs = of_system(simulated, "friction")
    ahead = np.linspace(10, 15, 30)
    display = motion.plot_forecast(runs.states[0], TIMES, ahead)
    assert len(display.axes_) == 2
    assert list(display.frame().columns) == ["time", "a", "a error", "u", "u error"]
    assert display.axes_[0].get_ylabel() == "a"
    with pytest.raises(ValueError, match="received 1 axes; expected 2"):
        display.plot(display.axes_[:1])


def bad_calls():
    times = np.linspace(0, 10, 40)
    window = np.ones((40, 2))
    return {
        "size of a start": (lambda m: m.rollout([1.0], [0, 1]), "expected 2 coordinates"),
        "no number": (lambda m: m.rollout([np.nan, 1], [0, 1]), "not finite"),
        "no coordinate": (
            lambda m: m.rollout({"a": 1, "b": 0}, [0, 1]),
            "no coordinate .u.: received are a, b",
        ),
        "no array": (lambda m: m.rollout({1}, [0, 1]), "x0 is a set"),
        "no times": (lambda m: m.rollout([1, 1], ["now"]), "t is a list that holds no array"),
        "no interval": (lambda m: m.layer("a"), "dt is 'a'"),
        "many axes": (lambda m: m.rollout(np.ones((2, 2, 2)), [0, 1]), r"expected \(d,\) or"),
        "order": (lambda m: m.rollout([1, 1], [0, 2, 1]), "out of order"),
        "one time": (lambda m: m.rollout([1, 1], 3.0), "expected finite times"),
        "window": (lambda m: m.forecast(window[1:], times, [11]), "the window has shape"),
        "order ahead": (lambda m: m.forecast(window, times, [12, 11]), "that increase"),
        "the past": (lambda m: m.forecast(window, times, [-1.0]), "before the window"),
        "dates": (
            lambda m: m.forecast(window, pd.date_range("2020", periods=40), [11]),
            "times is a DatetimeIndex that holds no array of real numbers",
        ),
        "complex": (lambda m: m.rollout([1j, 1], [0, 1]), "no array of real numbers"),
        "far ahead": (lambda m: m.forecast(window, times, [1e9]), "more than 20000 steps"),
        "no runs": (lambda m: m.refit(window), "expected Trajectories"),
    }


@pytest.fixture(scope="module")
def motion(simulated):
    return of_system(simulated, "friction")[0]


@pytest.mark.parametrize("call", bad_calls())
def test_bad_calls(motion, call):
    function, message = bad_calls()[call]
    with pytest.raises(ValueError, match=message):
        function(motion)


def test_runs_that_lack_a_coordinate(motion, simulated):
    other, _ = simulated(damped, starts(1, 2), TIMES, list("bu"), None)
    with pytest.raises(ValueError, match="lack the coordinates a"):
        motion.refit(other)


def test_a_parameter_of_the_runs(simulated):
    def spring(x, u, k):
        return u, -k * x, 0 * k

    begun = np.column_stack([starts(1, 2), np.linspace(0.5, 2, 12)])
    roles = ["position", "velocity", "parameter"]
    clean, _ = simulated(spring, begun, TIMES, list("xuk"), roles, 0.0)
    level = np.array([0.01, 0.01, 0.0])
    noise = level * np.random.default_rng(1).normal(size=clean.rows.shape)
    states = (clean.rows + noise).reshape(clean.states.shape)
    runs = Trajectories(states=states, times=TIMES, names=list("xuk"), roles=roles)
    motion = motion_of([law("u**2 + k*x**2")], [], runs, dict(zip("xuk", level, strict=True)))
    assert {name: str(rate) for name, rate in motion.equations.items()} == {
        "x": "u",
        "u": "-k*x",
        "k": "0",
    }
    # What is known counts as no measurement.
    assert 0.85 < motion.residual < 1.15


def test_angles_that_jump(simulated):
    def pendulum(a, u):
        return u, -np.sin(a)

    begun = np.column_stack([np.zeros(8), np.linspace(2.2, 3, 8)])
    roles = ["angle", "angular_velocity"]
    runs, levels = simulated(pendulum, begun, TIMES, list("au"), roles)
    states = runs.states.copy()
    states[..., 0] = (states[..., 0] + np.pi) % (2 * np.pi) - np.pi
    turned = Trajectories(states=states, times=TIMES, names=list("au"), roles=roles)
    motion = motion_of([law("u**2/2 - cos(a)")], [], turned, levels)
    assert motion.residual < 1.2
    window = states[0, :40]
    assert np.abs(np.diff(window[:, 0])).max() > 6
    assert motion.forecast(window, TIMES[:40], TIMES[40:]).chi_square < 1.4


def test_velocities_that_were_formed(simulated):
    def oscillator(x, u):
        return u, -1.21 * x

    runs, _ = simulated(oscillator, starts(1, 2), TIMES, list("xu"), None)
    formed = Trajectories(states=runs.states[..., :1], times=TIMES, names=["x"])
    formed = formed.with_velocities(0.01)
    motion = motion_of([law("vx**2/2 + 0.605*x**2")], [], formed, {"x": 0.01, "vx": 0.05})
    assert str(motion.equations["x"]) == "vx"
    assert motion.residual < 1.5


def test_what_decays_by_itself_is_no_energy(simulated):
    def linear(x, u):
        return u, -x - 0.2 * u

    runs, levels = simulated(linear, starts(1, 2), TIMES, list("xu"), ["position", "velocity"])
    form = law("u**2 + x**2 + 0.2*x*u", ["u**2 + x**2 + 0.2*x*u"], (0.2,))
    with pytest.raises(ValueError, match="no sum of the laws is an energy"):
        motion_of([form], [], runs, levels)
    energy = law("u**2/2 + x**2/2", ["u**2"], (0.2,))
    motion = motion_of([form, energy], [], runs, levels)
    assert str(motion.equations["u"]) == "-u/5 - x"


def test_runs_too_short(simulated):
    few = TIMES[:5]
    runs, levels = simulated(damped, starts(1, 2), few, list("au"), None)
    with pytest.raises(ValueError, match="too short"):
        motion_of([law("u**2/2 - cos(a)")], [], runs, levels)


def test_equations_without_a_number(simulated):
    def free(x, u):
        return u, 0 * x

    runs, levels = simulated(free, starts(1, 2), TIMES, list("xu"), ["position", "velocity"])
    motion = motion_of([law("u**2/2")], [], runs, levels).refit()
    assert motion.coefficients == {}
    assert str(motion.equations["u"]) == "0"
    assert motion.forecast(runs.states[0], TIMES, [9.0]).chi_square < 1.5


def close(x, y, u, v):
    cube = np.hypot(x, y) ** 3
    return u, v, -1.1 * x / cube, -1.1 * y / cube


def test_close_encounters_between_samples(simulated):
    # Simpson's rule misses what happens within a sample; the flow does not.
    far = np.linspace(0.8, 1.2, 12)
    begun = np.column_stack([far, 0 * far, 0 * far, np.where(np.arange(12) % 4, 0.9, 0.22)])
    runs, levels = simulated(close, begun, TIMES, list("xyuv"), SPACE)
    found = motion_of([law("u**2/2 + v**2/2 - 1.1/sqrt(x**2 + y**2)")], [], runs, levels)
    assert found.route == "canonical"


def test_energies_side_by_side(simulated):
    def wells(x, y, z, p, q, r):
        return p, q, r, -x, -1.3 * y - 0.4 * y**3, -0.6 * z - z**3

    roles = ["position"] * 3 + ["momentum"] * 3
    runs, levels = simulated(wells, starts(0.8, 6), TIMES, list("xyzpqr"), roles)
    laws = [
        law("p**2/2 + x**2/2"),
        law("q**2/2 + 0.65*y**2 + 0.1*y**4"),
        law("r**2/2 + 0.3*z**2 + z**4/4"),
    ]
    assert motion_of(laws, [], runs, levels).residual < 1.3


def test_a_slow_drift_of_unequal_masses(simulated):
    stiff = np.array([[1.2, -1.2, 0], [-1.2, 2.2, -1.0], [0, -1.0, 1.0]])
    mass = np.array([1.08, 0.77, 1.73])
    root = np.sqrt(mass)
    squares, modes = np.linalg.eigh(stiff / np.outer(root, root))

    def springs(a, b, c, u, v, w):
        return u, v, w, *(-stiff @ np.array([a, b, c]) / mass)

    def moved(n, names):
        return "+".join(f"{number}*{name}" for number, name in zip(n, names, strict=True))

    weights = (modes * root[:, None]).T
    texts = [
        f"({moved(n, 'uvw')})**2/2 + {square / 2}*({moved(n, 'abc')})**2"
        for n, square in zip(weights[1:], squares[1:], strict=True)
    ]
    laws = [law(sympy.expand(text)) for text in [*texts, moved(mass, "uvw")]]
    begun = starts(0.8, 6)
    begun[:, 3:] -= (begun[:, 3:] @ mass / mass.sum() + np.linspace(-0.1, 0.1, 12))[:, None]
    roles = ["position"] * 3 + ["velocity"] * 3
    runs, levels = simulated(springs, begun, TIMES, list("abcuvw"), roles)
    found = motion_of(laws, [], runs, levels)
    assert found.residual < 1.3
    # A sum without mixed masses is taken.
    assert not any("u*v" in title or "v*w" in title for title in found.coefficients)


def test_equal_numbers_of_laws_without_an_energy(simulated):
    def turning(x, y, z):
        return 0.9 * y * z, -1.4 * x * z, 0.5 * x * y

    laws = [law("x**2 + y**2 + z**2"), law("0.31*x**2 + 0.81*y**2 + 1.71*z**2")]
    runs, levels = simulated(turning, starts(1, 3), TIMES, list("xyz"), None)
    motion = motion_of(laws, [], runs, levels).refit()
    assert motion.coefficients["law 1: y**2"] == motion.coefficients["law 1: z**2"] == 1
    assert motion.standard_errors["law 1: z**2"] == pytest.approx(0, abs=1e-9)
    assert motion.standard_errors["law 2: z**2"] > 0


def test_results_are_shown_in_few_words(simulated):
    motion, _, _, _, runs = of_system(simulated, "potential")
    motion = motion.refit()
    found = motion.forecast(runs.states[0][:40], TIMES[:40], TIMES[40:])
    assert repr(motion).startswith("Motion(x, y, u, v; canonical route; χ²")
    assert repr(found).startswith("Forecast(24 states of x, y, u, v, t = 5.07937 to 8, χ²")
    assert len(str(found).splitlines()) == 4
    printed = str(motion).splitlines()
    assert printed[0] == "dx/dt = u"
    # As many digits as the errors tell.
    assert all(len(number) < 9 for number in re.findall(r"[\d.]+", printed[2]))


def test_columns_of_a_table_are_taken_by_name_and_motions_are_pickled():
    runs = datasets.load("harmonic_oscillator", 20, 60, noise=0.01, seed=0)
    motion = ConservedQuantityFinder(random_state=0).fit(runs).report_.motion()
    names = list(runs.names)
    window, ahead = runs[0].rows[:30], runs[0].row_times[30:35]
    turned = pd.DataFrame(window, columns=names)[names[::-1]]
    for own in (motion, motion.refit()):
        expected = own.rollout(window, [0, 1.0])
        np.testing.assert_array_equal(own.rollout(turned, [0, 1.0]), expected)
        told = own.forecast(window, runs[0].row_times[:30], ahead)
        by_name = own.forecast(turned, runs[0].row_times[:30], ahead)
        np.testing.assert_array_equal(by_name.states, told.states)
        again = pickle.loads(pickle.dumps(own))
        np.testing.assert_array_equal(again.rollout(window, [0, 1.0]), expected)


# Two bodies with a spring that is no polynomial; their momentum is known to eight digits, and of
# their energy an expansion that follows the runs.
PAIR = [
    law("u + 0.76634812*v"),
    law("1.87*u**2 + 1.433*v**2 - 0.204*(x-y)**5 + 0.89*(x-y)**4 - 2*(x-y)**3 + 2.552*(x-y)**2"),
]


def pair(simulated):
    def morse(x, y, u, v):
        e = np.exp(-0.7713 * (x - y))
        force = 2 * 1.3 * 0.7713 * (1 - e) * e
        return u, v, -force / 1.1372, force / 0.8713

    rng = np.random.default_rng(0)
    apart, fast = rng.uniform([-0.4, -0.5], [1.0, 0.5], (12, 2)).T
    where, drift = rng.uniform([-1, -0.3], [1, 0.3], (12, 2)).T
    shares = 0.8713 / 2.0085, -1.1372 / 2.0085
    begun = [where + s * apart for s in shares] + [drift + s * fast for s in shares]
    times = np.linspace(0, 15, 120)
    return simulated(morse, np.stack(begun, axis=1), times, list("xyuv"), SPACE)


def test_the_square_of_a_momentum_is_no_energy(simulated):
    runs, levels = pair(simulated)
    found = motion_of(PAIR, [], runs, levels)
    assert found.route == "canonical" and "(x - y)**2" in found.coefficients


def test_equations_with_a_pole_on_the_way_are_none(simulated):
    runs, levels = pair(simulated)
    measured = Measured.of(runs, np.array([*levels.values()]), runs.rows.std(axis=0))
    symbols = tuple(map(real_symbol, runs.names))
    space = Space(symbols, [(0, 2), (1, 3)], with_velocities=True)
    assert not list(accelerations(PAIR, space, Weak.of(measured)))


def test_what_does_not_follow_short_windows_is_not_followed_along_longer_ones(
    simulated, monkeypatch
):
    runs, levels = planets(simulated)
    asked, joined = [], Windows.joined
    monkeypatch.setattr(Windows, "joined", lambda self: asked.append(self) or joined(self))
    with pytest.raises(ValueError, match="canonical: χ² per degree of freedom is"):
        motion_of([law("u**2/2 + v**2/2 - 0.9/(x**2 + y**2)**0.6")], [], runs, levels)
    assert not asked


def test_numbers_of_unlike_terms_are_equal_by_their_units_alone(simulated):
    """In other units x² and u² have other numbers: that they are equal here says nothing."""

    def springs(x, y, u, v):
        return u, v, -x - 0.4 * x**3, -0.7 * y

    runs, levels = simulated(springs, starts(1, 4), TIMES, list("xyuv"), SPACE)
    laws = [law("u**2/2 + x**2/2 + x**4/10"), law("v**2/2 + 0.35*y**2")]
    motion = motion_of(laws, [], runs, levels).refit()
    assert 1e-5 < motion.standard_errors["x**2"] < 0.1
    assert "e-1" not in str(motion).split("fitted")[1]


def ring(x, y, z, u, v, w):
    """Return the rates of three equal masses on springs that are exponentials."""
    a, b, c = (1.1 * np.exp(gap) for gap in (x - y, y - z, z - x))
    return u, v, w, c - a, a - b, b - c


def test_an_energy_written_with_a_total_that_is_zero(simulated):
    """u² − v w is the kinetic energy where u + v + w is zero, and only there."""
    rng = np.random.default_rng(0)
    begun = rng.uniform(-0.8, 0.8, (20, 2, 3))
    begun = (begun - begun.mean(axis=2, keepdims=True)).reshape(20, 6)
    names, roles = list("xyzuvw"), ["position"] * 3 + ["velocity"] * 3
    runs, levels = simulated(ring, begun, TIMES, names, roles, 0.001)
    energy = law("u**2 - v*w + 1.1*exp(x - y) + 1.1*exp(y - z) + 1.1*exp(z - x)")
    motion = motion_of([energy], [law("1.0*u + 1.0*v + 1.0*w")], runs, levels)
    push = sympy.lambdify(sympy.symbols(names), list(motion.equations.values()))
    state = [0.3, -0.2, -0.1, 0.5, -0.7, 0.2]
    np.testing.assert_allclose(push(*state), ring(*state), rtol=5e-3)
