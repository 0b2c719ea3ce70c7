"""Fields on a grid: laws as integrals of local densities, and none where there is none."""

import pickle
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import sympy

from discovery import ConservedQuantityFinder, Trajectories, datasets, discover
from discovery.cli import main
from discovery.laws.judging.selection import select
from discovery.pde import analysis
from discovery.pde.basis import Ends

x = sympy.Symbol("x")
u, v = (sympy.Function(name)(x) for name in "uv")


def integral(density):
    return sympy.Integral(density, x)


@pytest.fixture(scope="module")
def fitted(kdv, find):
    return find(kdv)


LAWS = {
    "kdv": {integral(u), integral(u**2), integral(u.diff(x) ** 2 / 2 - u**3)},
    "nonlinear_wave": {
        integral(u * v.diff(x)),
        integral(u**4 / 4 + u**2 / 2 + v**2 / 2 + u.diff(x) ** 2 / 2),
    },
    "wave_pinning": {integral(u + v)},
}


@pytest.mark.parametrize("name", LAWS)
def test_formulas(name, find):
    report = find(datasets.load(name, 40, 80, noise=0.01, seed=0)).report_
    assert report.verdict == "laws" and report.n_conserved == datasets.info(name).count
    assert {q.expression for q in report.quantities} == LAWS[name]
    assert all(0.8 < q.flatness < 1.3 for q in report.quantities)


@pytest.mark.slow
@pytest.mark.parametrize("noise", [0.0, 0.01, 0.05, 0.1])
@pytest.mark.parametrize("name", LAWS)
def test_formulas_at_every_noise(name, noise, find):
    report = find(datasets.load(name, noise=noise, seed=1)).report_
    assert {q.expression for q in report.quantities if q.verdict == "exact"} == LAWS[name]


@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_a_law_that_is_not_there(noise, linear, find):
    report = find(linear("damped wave", noise=noise)).report_
    assert report.verdict == "none" and report.quantities == []


def test_a_law_is_known_where_motion_is_excluded(find, travelling):
    """Short noisy runs of a damped wave: no combination of its decaying integrals is a law."""
    for seed in (0, 1, 2):
        runs = travelling(0.3, damping=0.02, n_runs=24, n_steps=30, seed=seed)
        assert find(runs, ["u**2", "u_x**2"]).quantities_ == []


@pytest.mark.parametrize(("clean", "flat", "known"), [(True, 61, True), (False, 61, False)])
def test_without_noise_the_bound_on_motion_tells_all(clean, flat, known):
    """One run moves more than the others: by rounding, and the ratio to it is hardly known."""
    evidence = SimpleNamespace(
        drift_interval=(0.0, 1e-6), smoothed_flatness_interval=(1e-8, flat), clean=clean
    )
    assert analysis._is_known(SimpleNamespace(evidence=evidence)) == known


@pytest.mark.slow
def test_a_gas_on_a_line(gas, find):
    """Energy and the integral of the velocity m/r, of fields r and m."""
    r, m = (sympy.Function(name)(x) for name in "rm")
    laws = {q.expression for q in find(gas).quantities_}
    assert laws == {integral(f) for f in (r, m, m / r, r**2 + m**2 / (2 * r))}


def test_a_law_beside_a_large_mean(find, travelling):
    """The mean makes most of ∫u², which is a law of its own all the same."""
    laws = find(travelling(0.01, mean=30.0), ["u", "u**2"]).quantities_
    assert [q.expression for q in laws] == [integral(u), integral(u**2)]


def test_imitations_of_a_law_without_noise(find, on_a_ring):
    """A polynomial of fitted numbers that imitates ∫cos u is none beside it."""
    runs = on_a_ring(
        lambda d, u, v: (v, d(u, 2) - np.sin(u)),
        [(-0.5, 0.5, 0.4), (-0.3, 0.3, 0.4)],
        np.linspace(0, 6, 40),
    )
    laws = find(runs).quantities_
    assert len(laws) == 2
    assert integral(v**2 / 2 + u.diff(x) ** 2 / 2 - sympy.cos(u)) in [q.expression for q in laws]


def test_laws_that_differ_little_without_noise(find, on_a_ring):
    """In shallow water that is nearly at rest ∫u²/2 + h log h is nearly a sum of other laws."""
    runs = on_a_ring(
        lambda d, u, v: (-d(u * v, 1), -d(v**2 / 2 + u, 1)),
        [(0.95, 1.2, 0.03), (-0.2, 0.2, 0.03)],
        np.linspace(0, 2, 40),
    )
    found = [q.expression for q in find(runs).quantities_ if q.verdict == "exact"]
    assert len(found) == 6 and integral(v**2 / 2 + u * sympy.log(u)) in found


def test_an_energy_of_sixth_degree(sextic_wave, find):
    """Found as such, and no polynomial of lower degree in its place."""
    runs, a, b = sextic_wave()
    energy = find(runs).quantities_[1].expression.function
    size = energy.coeff(v**2)
    found = [float(energy.coeff(u**k) / size) for k in (2, 3, 4, 5, 6)]
    np.testing.assert_allclose(found, [a, 0, 0, 0, b / 3], rtol=0.03)


def test_mass_alone(linear, find):
    """Diffusion keeps the mean, also where runs move little beside what parts them."""
    report = find(linear("heat", noise=0.01)).report_
    assert [q.expression for q in report.quantities] == [integral(u)]


@pytest.mark.slow
def test_what_diffuses_slowly(find, on_a_ring):
    """A + B ⇌ C: squares and cubes of what is conserved hardly move, and say nothing new."""

    def flow(d, a, b, c):
        turned = 0.5 * a * b - 0.2 * c
        return 0.2 * d(a, 2) - turned, 0.1 * d(b, 2) - turned, 0.1 * d(c, 2) + turned

    mixtures = [(1, 3, 0.1), (1, 3, 0.1), (0.5, 2, 0.1)]
    runs = on_a_ring(flow, mixtures, np.linspace(0, 4, 40), points=12)
    noise = 0.01 * np.random.default_rng(0).standard_normal(runs.rows.shape)
    rows = runs.rows + noise * runs.rows.std(axis=0)
    runs = Trajectories.from_rows(
        rows, runs.groups, runs.row_times, runs.names, runs.roles, runs.grid_spacing
    )
    report = find(runs).report_
    assert [q.verdict for q in report.quantities] == ["exact"] * 2
    assert report.confidence > 0.8


def test_energy_of_an_isentropic_gas(find, on_a_ring):
    """∫m²/2ρ + ρ^γ/γ(γ − 1), with γ = 7/5 of air."""
    runs = on_a_ring(
        lambda d, u, v: (-d(v, 1), -d(v**2 / u + u**1.4 / 1.4, 1)),
        [(0.9, 1.2, 0.03), (-0.2, 0.2, 0.03)],
        np.linspace(0, 2, 40),
    )
    found = [q.expression for q in find(runs).quantities_ if q.verdict == "exact"]
    energy = integral(u ** sympy.Rational(7, 5) + sympy.Rational(7, 25) * v**2 / u)
    assert len(found) == 4  # the totals, and that of the velocity, beside it
    assert energy in [sympy.nsimplify(law, rational=True) for law in found]


@pytest.mark.parametrize("ends", [Ends.FIXED_ON, Ends.FIXED_HALF, Ends.FIXED_BEYOND])
def test_fixed_ends(ends, find):
    """A string that is held at both ends keeps its energy, wherever the walls are on the grid."""
    rng, points, t = np.random.default_rng(0), 24, np.linspace(0, 3, 40)[:, None]
    k = np.arange(1, 4)
    shapes = np.sin(np.pi * np.outer(k, (np.arange(points) + ends.beyond) / ends.steps(points)))
    w, a, b = np.sqrt((np.pi * k) ** 2 + 7), *rng.normal(size=(2, 30, 1, 3)) / k
    place = (a * np.cos(w * t) + b * np.sin(w * t)) @ shapes
    speed = (w * (b * np.cos(w * t) - a * np.sin(w * t))) @ shapes
    names = [f"{f}{p}" for f in "uv" for p in range(points)]
    runs = Trajectories(
        np.concatenate([place, speed], axis=2),
        t[:, 0],
        names,
        roles=["field"] * len(names),
        grid_spacing=1 / ends.steps(points),
    )
    report = find(runs).report_
    assert "fixed at the ends" in report.title
    energy = integral(7 * u**2 + v**2 + u.diff(x) ** 2)
    assert energy in [q.expression for q in report.quantities if q.verdict == "exact"]


def test_between_walls(linear, find):
    """Where the ends do not meet, waves stand between walls, with the slopes of cosines."""
    runs = linear("wave between walls", noise=0.01)
    report = find(runs).report_
    assert "between walls" in report.title
    truth = sympy.simplify(integral(v**2 + u.diff(x) ** 2 / np.pi**2))
    energy = [q for q in report.quantities if q.expression.has(u.diff(x)) and q.expression.has(v)]
    assert energy and truth.has(u)
    # A linear equation has an energy for every wave; all that is found is conserved.
    clean = linear("wave between walls", seed=1)
    for quantity in report.quantities:
        values = quantity(clean.states)
        assert values.std(axis=1).max() < 0.03 * values.std()


def test_values_are_the_truth(fitted):
    runs = datasets.load("kdv", 10, 20, seed=3)
    table = np.column_stack([*(q(runs.rows) for q in fitted.quantities_), np.ones(len(runs.rows))])
    for law in runs.truth.values():
        values = law(runs.rows)
        rest = values - table @ np.linalg.lstsq(table, values, rcond=None)[0]
        assert rest.var() < 1e-6 * values.var()


def test_quantities_are_functions_of_states(fitted, kdv):
    mass = fitted.quantities_[0]
    assert mass(kdv.states).shape == (40, 80)
    np.testing.assert_allclose(mass(kdv.states[2, 5]), kdv.grid_spacing * kdv.states[2, 5].sum())
    with pytest.raises(ValueError, match="expected 64 coordinates"):
        mass(kdv.states[..., :63])
    assert fitted.transform(pd.DataFrame(kdv.rows, columns=kdv.names)).shape == (len(kdv.rows), 3)
    again = pickle.loads(pickle.dumps(mass))
    np.testing.assert_array_equal(again(kdv.rows), mass(kdv.rows))


def test_formulas_read_back(fitted):
    for quantity in fitted.quantities_:
        assert sympy.sympify(str(quantity.expression)) == quantity.expression
        assert quantity.to_latex().startswith(r"\int")


def test_report(fitted):
    text = str(fitted.report_)
    assert "field u on 64 grid points" in text and "no manifold is trained" in text
    assert list(fitted.report_.noise) == ["u"] and len(fitted.report_.names) == 64
    spread = datasets.load("kdv", 40, 80, seed=0).rows.std()
    np.testing.assert_allclose(fitted.report_.noise["u"], 0.01 * spread, rtol=0.05)


def test_columns_in_any_order(fitted, kdv, find):
    order = np.random.default_rng(0).permutation(64)
    mixed = Trajectories(
        kdv.states[..., order],
        times=kdv.times[0],
        names=[kdv.names[c] for c in order],
        roles=kdv.roles,
        grid_spacing=kdv.grid_spacing,
    )
    report = find(mixed).report_
    assert [q.expression for q in report.quantities] == [q.expression for q in fitted.quantities_]
    np.testing.assert_allclose(
        report.quantities[2](mixed.rows), fitted.quantities_[2](kdv.rows), rtol=1e-9
    )


def test_without_a_spacing(kdv):
    """Derivatives are then in units of the grid: the same laws in other units."""
    finder = ConservedQuantityFinder(roles=["field"] * 64, random_state=0)
    finder.fit(kdv.rows, groups=kdv.groups)
    assert finder.n_conserved_ == 3
    # The columns are called x0, x1, …: the field is x, and another letter is the place.
    energy = finder.quantities_[2].expression
    place, field = sympy.Symbol("s"), sympy.Function("x")(sympy.Symbol("s"))
    assert energy.variables == [place]
    ratio = energy.function.coeff(field**3) / energy.function.coeff(field.diff(place) ** 2)
    assert float(ratio) == pytest.approx(-2 * kdv.grid_spacing**2, rel=0.01)


def test_irregular_runs_of_unequal_length(kdv, find):
    rng = np.random.default_rng(0)
    states, times = [], []
    for run in datasets.load("kdv", 40, 120, noise=0.01, seed=0, dt=0.035).states:
        kept = np.sort(rng.choice(len(run), rng.integers(70, 110), replace=False))
        states.append(run[kept])
        times.append(0.035 * kept)
    runs = Trajectories(states, times, kdv.names, kdv.roles, grid_spacing=kdv.grid_spacing)
    assert {q.expression for q in find(runs).quantities_} == LAWS["kdv"]


def test_gross_errors(kdv, find):
    """One value in a hundred is wrong, so half of the rows hold an error."""
    rng = np.random.default_rng(0)
    rows = kdv.rows + rng.choice([0, -3.0, 3.0], kdv.rows.shape, p=[0.99, 0.005, 0.005])
    wrong = Trajectories.from_rows(
        rows, kdv.groups, kdv.row_times, kdv.names, kdv.roles, kdv.grid_spacing
    )
    report = find(wrong).report_
    assert "gross errors put right" in report.title
    assert {q.expression for q in report.quantities} == LAWS["kdv"]


def test_discover_trains_no_model(kdv, monkeypatch):
    monkeypatch.setattr("discovery.preparations.train_manifold", lambda *_, **__: pytest.fail())
    assert discover(kdv, random_state=0, verbose=False).n_conserved == 3
    with pytest.raises(ValueError, match="none is used"):
        discover(kdv, model=object())


def test_command_line(capsys, kdv, tmp_path):
    path = tmp_path / "field.csv"
    kdv.to_file(path)
    arguments = ["--roles", "u*=field", "--grid-spacing", str(kdv.grid_spacing), "--quiet"]
    assert main([str(path), *arguments]) == 0
    out = capsys.readouterr().out
    assert "conserved quantities: 3" in out
    assert "Integral(-u(x)**3 + Derivative(u(x), x)**2/2, x)" in out


def test_densities_of_ones_own(kdv, find):
    finder = find(kdv, library=["u_x**2", "u**3", "u**2"])
    assert finder.n_conserved_ == 2
    assert finder.report_.searched[0].startswith("custom densities (3 terms")


def test_the_next_law_where_it_is_asked_for(kdv, find):
    """Korteweg and de Vries' equation has one more with second derivatives, by name alone."""
    more = find(kdv, "fields with second derivatives").quantities_
    assert {q.expression for q in more[:3]} == LAWS["kdv"] and len(more) == 4
    density = sympy.expand(more[3].expression.function)
    density /= density.coeff(u.diff(x, 2) ** 2)
    assert float(density.coeff(u * u.diff(x) ** 2)) == pytest.approx(-10, rel=0.01)
    assert float(density.coeff(u**4)) == pytest.approx(5, rel=0.01)


def test_what_many_sets_give_is_chosen_from_once(kdv, find, monkeypatch):
    """Sets that bring nothing new change nothing, and what is found again is one law."""
    pools = []

    def counted(pool, *given, **more):
        pools.append([law.expression for law in pool])
        return select(pool, *given, **more)

    monkeypatch.setattr(analysis, "select", counted)
    find(kdv)
    sizes = [len(pool) for pool in pools]
    assert sizes == sorted(set(sizes)) and all(len(pool) == len(set(pool)) for pool in pools)


MISTAKES = {
    "a library of coordinates": ("polynomial", "densities in the fields"),
    "no field": (["w**2"], "'w' is unknown"),
    "no formula": (["u**"], "is no formula"),
    "a constant": (["2"], "no density of the fields"),
    "nothing": ([], "no densities"),
    "not finite": (["log(u)", "u"], "not finite"),
}


@pytest.mark.parametrize(("library", "message"), MISTAKES.values(), ids=MISTAKES)
def test_libraries_that_are_none(kdv, library, message, find):
    with pytest.raises(ValueError, match=message):
        find(kdv, library=library)


def test_a_field_that_is_constant(linear, find):
    runs = linear("wave")
    rows = runs.rows.copy()
    rows[:, 24:] = 1.0
    flat = Trajectories.from_rows(rows, runs.groups, None, runs.names, runs.roles)
    with pytest.raises(ValueError, match="field 'v' is constant"):
        find(flat)
