"""Sums of functions of one coordinate each: falls, shares, a scale that starts elsewhere."""

import numpy as np
import pytest
import sympy
from scipy.integrate import solve_ivp

from discovery import ConservedQuantityFinder, Trajectories
from discovery.estimation.preparation import prepare
from discovery.estimation.split import Split
from discovery.formulas.simple_numbers import NUMBERS
from discovery.laws import trials
from discovery.laws.free.sums import sum_stages
from discovery.laws.judging.law import Findings
from discovery.laws.rivals import rivals
from discovery.laws.search import analyse
from discovery.laws.stages import stages_of
from discovery.libraries.fitted import Fitted
from discovery.libraries.free_forms import one_summand, sum_form
from discovery.libraries.library import Library
from discovery.libraries.monomials import symbols_of


def simulated(rate, starts, end, names, noise=0.01, seed=0):
    """Return noisy runs of a flow, and clean ones of another draw."""
    rng = np.random.default_rng(seed)
    times = np.linspace(0, end, 120)
    rows = [
        solve_ivp(lambda _, s: rate(s), (0, end), s, t_eval=times, rtol=1e-9, atol=1e-11).y.T
        for s in starts(rng)
    ]
    clean = np.array(rows)
    spread = clean.reshape(-1, clean.shape[2]).std(axis=0)
    noisy = clean + noise * spread * rng.standard_normal(clean.shape)
    return Trajectories(noisy, times=times, names=names), clean


def falls(seed=1):
    """Bodies that fall through air: z − log(g − k v²)/2k, at most √(g/k) = 55.37 fast."""
    return simulated(
        lambda s: [s[1], -9.81 + 0.0032 * s[1] ** 2],
        lambda rng: np.stack([rng.uniform(1500, 4000, 40), rng.uniform(-45, -2, 40)], axis=1),
        12.0,
        ["z", "v"],
        seed=seed,
    )


def shares(seed=1):
    """Replicators of two kinds: log f + 2 log(1 − f) + 2 log c + 3 log(1 − c)."""
    return simulated(
        lambda s: [s[0] * (1 - s[0]) * (5 * s[1] - 2), -s[1] * (1 - s[1]) * (3 * s[0] - 1)],
        lambda rng: rng.uniform(0.15, 0.8, (40, 2)),
        9.0,
        ["f", "c"],
        seed=seed,
    )


def found(runs):
    return ConservedQuantityFinder(random_state=0).fit(runs).quantities_


def left(quantity, clean):
    """Motion of a quantity along clean runs over its spread."""
    values = quantity(clean.reshape(-1, clean.shape[2])).reshape(clean.shape[:2])
    return (values - values.mean(axis=1, keepdims=True)).std() / values.std()


@pytest.mark.slow
def test_a_fall_through_air_has_its_logarithm():
    runs, clean = falls()
    (law,) = found(runs)
    z, v = sympy.symbols("z v")
    (log,) = law.expression.atoms(sympy.log)
    inside = sympy.Poly(log.args[0], v)
    limit = float(-inside.coeff_monomial(1) / inside.coeff_monomial(v**2))
    weight = float(law.expression.coeff(log) / law.expression.coeff(z))
    assert limit == pytest.approx(9.81 / 0.0032, rel=2e-3)
    assert weight == pytest.approx(-1 / 0.0064, rel=0.01)
    assert left(law, clean) < 0.005


@pytest.mark.slow
def test_shares_have_logarithms_of_what_is_left():
    runs, clean = shares()
    (law,) = found(runs)
    f, c = sympy.symbols("f c")
    logs = {sympy.log(f), sympy.log(1 - f), sympy.log(c), sympy.log(1 - c)}
    assert law.expression.atoms(sympy.log) == logs
    assert left(law, clean) < 1e-6


@pytest.mark.parametrize("wave", [sympy.sin, pytest.param(sympy.cos, marks=pytest.mark.slow)])
def test_a_stream_of_cells_has_logarithms_of_waves(wave):
    """Of a stream function sin(1.2 x) sin(1.9 y), from a corner or from the middle of a cell."""
    middle = np.array([np.pi / 2.4, np.pi / 3.8]) * (wave == sympy.cos)
    runs, clean = simulated(
        lambda s: [
            -1.9 * np.sin(1.2 * (s[0] + middle[0])) * np.cos(1.9 * (s[1] + middle[1])),
            1.2 * np.cos(1.2 * (s[0] + middle[0])) * np.sin(1.9 * (s[1] + middle[1])),
        ],
        lambda rng: rng.uniform(0.15, (2.4, 1.5), (30, 2)) - middle,
        6.0,
        ["x", "y"],
    )
    (law,) = found(runs)
    numbers = {}
    for log in law.expression.atoms(sympy.log):
        assert isinstance(log.args[0], wave)
        (symbol,) = log.free_symbols
        numbers[symbol.name] = float(log.args[0].args[0] / symbol)
    assert numbers == pytest.approx({"x": 1.2, "y": 1.9}, rel=0.01)
    assert left(law, clean) < 0.01


def parcels():
    """Parcels of air in °C: log(T + 273.15) − 2/7 log p."""
    rng = np.random.default_rng(2)
    t = np.linspace(0, 3, 120)
    p = 800 + 250 * np.sin(t * rng.uniform(0.8, 1.6, (40, 1)) + rng.uniform(0, 6.3, (40, 1)))
    kelvin = rng.uniform(270, 310, (40, 1)) * (p / 1000) ** (2 / 7)
    clean = np.stack([kelvin - 273.15, p], axis=2)
    noisy = clean + 0.003 * clean.reshape(-1, 2).std(axis=0) * rng.standard_normal(clean.shape)
    return Trajectories(noisy, times=t, names=["T", "p"], roles=["other", "other"]), clean


def zero_of(logs):
    """Where the temperature in one of the logarithms starts."""
    temperature = sympy.Symbol("T")
    (inside,) = [log.args[0] for log in logs if log.args[0].free_symbols == {temperature}]
    inside = sympy.Poly(inside, temperature)
    return float(inside.coeff_monomial(1) / inside.coeff_monomial(temperature))


@pytest.mark.slow
def test_a_temperature_from_another_zero():
    """No list of functions knows where the scale starts."""
    runs, clean = parcels()
    (law,) = found(runs)
    assert left(law, clean) < 2e-3
    assert zero_of(law.expression.atoms(sympy.log)) == pytest.approx(273.15, rel=0.1)


def test_a_quadratic_that_imitates_a_logarithm_has_a_sum_for_a_rival():
    orbits = prepare(parcels()[0])
    temperature, p = symbols_of(["T", "p"])
    terms = [temperature, temperature**2, sympy.log(p)]
    quadratic = Library((temperature, p), terms, np.eye(3, dtype=int), "quadratic")
    split = Split.draw(orbits, np.random.default_rng(0))
    (law,) = analyse(stages_of([quadratic]), split, np.random.default_rng(0)).laws
    tried = [some.expressions() for some in rivals(law, split.fit, NUMBERS) if some.fitted]
    logs = [term for term in tried[0] if isinstance(term, sympy.log)]
    here = {symbol: sympy.Symbol(symbol.name) for symbol in (temperature, p)}
    assert zero_of([log.xreplace(here) for log in logs]) == pytest.approx(273.15, rel=0.1)


def test_a_limit_that_moves_among_the_data_leaves_rows_out(monkeypatch):
    def among(law, orbits, *_):
        v = law.library.symbols[1]
        (log,) = [a for a in law.library.atoms if isinstance(a, sympy.log) and a.has(v)]
        if (log.args[0] + v**2).free_symbols:
            return None
        fastest = float(np.quantile(orbits.smoothed.states[:, 1] ** 2, 0.98))
        atoms = [a.xreplace({log: sympy.log(fastest - v**2)}) for a in law.library.atoms]
        parts = law.library.exponents, law.library.name, 1
        return Fitted(law.library.symbols, atoms, *parts)

    own = stage(falls()[0])
    orbits = prepare(falls()[0])
    split = Split.draw(orbits, np.random.default_rng(0))
    monkeypatch.setattr(trials, "with_moved_numbers", among)
    assert analyse([own], split, np.random.default_rng(0)).laws


def stage(runs):
    (only,) = sum_stages(runs.names, [None] * len(runs.names), prepare(runs))
    return only


def test_what_has_no_such_law_is_told_at_once():
    runs, _ = simulated(
        lambda s: [s[1], -np.sin(s[0]) - 0.2 * s[1]],
        lambda rng: rng.uniform(-2, 2, (30, 2)),
        9.0,
        ["q", "w"],
    )
    own = stage(runs)
    assert not own.libraries(prepare(runs), Findings()) and not own.promises


def test_too_few_runs_tell_nothing():
    """Where shares come down to their noise whole runs may be left out."""
    runs, _ = shares()
    orbits = prepare(runs)
    own = stage(runs)
    assert not own.libraries(orbits.take(np.arange(3)), Findings()) and not own.promises


def test_what_is_left_of_a_share_is_tried():
    libraries = stage(shares()[0]).libraries(prepare(shares()[0]), Findings())
    f, c = symbols_of(["f", "c"])
    assert {sympy.log(1 - f), sympy.log(1 - c)} <= set(libraries[0].expressions())


@pytest.mark.slow
def test_each_function_is_described_beside_others():
    """The height by itself, the speed by one function with a number inside."""
    own = stage(falls()[0])
    libraries = own.libraries(prepare(falls()[0]), Findings())
    assert own.promises
    assert {str(term) for term in libraries[0].expressions()} >= {"z"}
    assert libraries[0].fitted == 1


def test_more_coordinates_than_data_tell_have_none():
    assert not sum_stages(list("abcde"), [None] * 5, None)
    assert not sum_stages(["theta", "w"], ["angle", None], None)


@pytest.mark.parametrize("even", ["values", "sizes", "ends"])
def test_a_function_is_even_in_what_is_told(even):
    symbols = symbols_of(["x", "y"])
    rows = np.random.default_rng(0).uniform(1, 5, (400, 2))
    form = sum_form(symbols, [0, 1], rows, np.full(2, 0.01))
    shape = form.shapes[0].__class__(**{**vars(form.shapes[0]), "even": even})
    unit = sympy.lambdify(symbols[0], shape.unit)
    at = np.sort(rows[:, 0])
    assert np.all(np.abs(unit(at)) <= 1 + 1e-9) and np.all(np.diff(unit(at)) > 0)
    assert len(one_summand(form, 0).plain) == form.degree
