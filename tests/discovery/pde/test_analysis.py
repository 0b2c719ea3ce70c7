"""Fields on a grid: laws as integrals of local densities, and none where there is none."""

import pickle

import numpy as np
import pandas as pd
import pytest
import sympy

from discovery import ConservedQuantityFinder, Trajectories, datasets, discover
from discovery.cli import main
from discovery.pde.densities import Jets, custom, escalation
from discovery.pde.grid import ends_meet, grid_of, waves
from discovery.pde.integrals import Integrals

x = sympy.Symbol("x")
u, v = (sympy.Function(name)(x) for name in "uv")


def integral(density):
    return sympy.Integral(density, x)


def linear(name, n_runs=40, n_steps=100, points=24, noise=0.0, seed=0):
    """Return runs of a linear equation, summed from its waves, so that no integrator is needed."""
    rng = np.random.default_rng(seed)
    t = np.linspace(0, 6, n_steps)[:, None]
    walls = name.endswith("between walls")
    place = (np.arange(points) + 0.5) / points
    states = []
    for _ in range(n_runs):
        fields = np.zeros((2, n_steps, points))
        fields[0] += rng.uniform(-1, 1)
        for k in (1, 2, 3):
            phases = (np.pi * k * place,) if walls else (2 * np.pi * k * place,) * 2
            for number, phase in enumerate(phases):
                shape = np.sin(phase) if number else np.cos(phase)
                a, b = rng.normal(size=2) / k
                w = {"heat": 0.3 * k**2}.get(name, np.sqrt(k**2 + 0.5))
                if name == "heat":
                    fields[0] += a * np.exp(-w * t) * shape
                else:
                    fade = np.exp(-0.1 * t) if name == "damped wave" else 1.0
                    fields[0] += fade * (a * np.cos(w * t) + b * np.sin(w * t)) * shape
                    fields[1] += fade * w * (b * np.cos(w * t) - a * np.sin(w * t)) * shape
        if name == "damped wave":
            # The mean swings and fades as well.
            mean, start = fields[0].mean(axis=1, keepdims=True), rng.normal()
            fields[0] += mean * np.exp(-0.1 * t) * np.cos(0.7 * t + start) - mean
        states.append(np.hstack(fields[:1] if name == "heat" else fields))
    states = np.array(states)
    names = [f"{field}{p}" for field in ("u" if name == "heat" else "uv") for p in range(points)]
    states += noise * states.std(axis=(0, 1)) * rng.standard_normal(states.shape)
    return Trajectories(
        states, times=t[:, 0], names=names, roles=["field"] * len(names), grid_spacing=1 / points
    )


def find(runs, library="auto", **options):
    finder = ConservedQuantityFinder(
        library, roles=runs.roles, grid_spacing=runs.grid_spacing, random_state=0, **options
    )
    rows = pd.DataFrame(runs.rows, columns=runs.names)
    return finder.fit(rows, groups=runs.groups, times=runs.row_times)


@pytest.fixture(scope="module")
def kdv():
    return datasets.load("kdv", 40, 80, noise=0.01, seed=0)


@pytest.fixture(scope="module")
def fitted(kdv):
    return find(kdv)


LAWS = {
    "kdv": {integral(u), integral(u**2), integral(u.diff(x) ** 2 / 2 - u**3)},
    "nonlinear_wave": {
        integral(u * v.diff(x)),
        integral(u**4 / 2 + u**2 + v**2 + u.diff(x) ** 2),
    },
    "wave_pinning": {integral(u + v)},
}


@pytest.mark.parametrize("name", LAWS)
def test_formulas(name):
    report = find(datasets.load(name, 40, 80, noise=0.01, seed=0)).report_
    assert report.verdict == "laws" and report.n_conserved == datasets.info(name).count
    assert {q.expression for q in report.quantities} == LAWS[name]
    assert all(0.8 < q.flatness < 1.3 for q in report.quantities)


@pytest.mark.slow
@pytest.mark.parametrize("noise", [0.0, 0.01, 0.05, 0.1])
@pytest.mark.parametrize("name", LAWS)
def test_formulas_at_every_noise(name, noise):
    report = find(datasets.load(name, noise=noise, seed=1)).report_
    assert {q.expression for q in report.quantities if q.verdict == "exact"} == LAWS[name]


@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_a_law_that_is_not_there(noise):
    report = find(linear("damped wave", noise=noise)).report_
    assert report.verdict == "none" and report.quantities == []


def test_mass_alone():
    """Diffusion keeps the mean, also where runs move little beside what parts them."""
    report = find(linear("heat", noise=0.01)).report_
    assert [q.expression for q in report.quantities] == [integral(u)]


def test_between_walls():
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


def test_columns_in_any_order(fitted, kdv):
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


def test_irregular_runs_of_unequal_length(kdv):
    rng = np.random.default_rng(0)
    states, times = [], []
    for run in datasets.load("kdv", 40, 120, noise=0.01, seed=0, dt=0.035).states:
        kept = np.sort(rng.choice(len(run), rng.integers(70, 110), replace=False))
        states.append(run[kept])
        times.append(0.035 * kept)
    runs = Trajectories(states, times, kdv.names, kdv.roles, grid_spacing=kdv.grid_spacing)
    assert {q.expression for q in find(runs).quantities_} == LAWS["kdv"]


def test_gross_errors(kdv):
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
    monkeypatch.setattr("discovery.pipeline.train_manifold", lambda *_, **__: pytest.fail())
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


def test_densities_of_ones_own(kdv):
    finder = find(kdv, library=["u_x**2", "u**3", "u**2"])
    assert finder.n_conserved_ == 2
    assert finder.report_.searched[0].startswith("custom densities (3 terms")


MISTAKES = {
    "a library of coordinates": ("polynomial", "densities in the fields"),
    "no field": (["w**2"], "'w' is unknown"),
    "no formula": (["u**"], "is no formula"),
    "a constant": (["2"], "no density of the fields"),
    "nothing": ([], "no densities"),
    "not finite": (["log(u)", "u"], "not finite"),
}


@pytest.mark.parametrize(("library", "message"), MISTAKES.values(), ids=MISTAKES)
def test_libraries_that_are_none(kdv, library, message):
    with pytest.raises(ValueError, match=message):
        find(kdv, library=library)


def test_fields_beside_other_coordinates():
    runs = linear("heat")
    roles = ["field"] * 23 + ["amount"]
    with pytest.raises(ValueError, match="some coordinates have the role field"):
        ConservedQuantityFinder(roles=roles).fit(runs.rows, groups=runs.groups)


def test_a_field_that_is_constant():
    runs = linear("wave")
    rows = runs.rows.copy()
    rows[:, 24:] = 1.0
    flat = Trajectories.from_rows(rows, runs.groups, None, runs.names, runs.roles)
    with pytest.raises(ValueError, match="field 'v' is constant"):
        find(flat)


GRIDS = {
    "no number": ([*(f"u{p}" for p in range(9)), "u"], "no grid point"),
    "a gap": ([f"u{p}" for p in range(10) if p != 4], "no value at some points"),
    "other grids": ([f"u{p}" for p in range(9)] + [f"v{p}" for p in range(10)], "same grid"),
    "too few": ([f"u{p}" for p in range(5)], "at least 8"),
}


@pytest.mark.parametrize(("names", "message"), GRIDS.values(), ids=GRIDS)
def test_columns_that_are_no_grid(names, message):
    with pytest.raises(ValueError, match=message):
        grid_of(names)


def test_grid_reads_names():
    grid = grid_of(["v_2", "u_2", *(f"{f}_{p}" for p in range(3, 12) for f in "vu")], 0.5)
    assert grid.fields == ("v", "u") and grid.n_points == 10 and grid.spacing == 0.5
    assert grid.columns[:, 0].tolist() == [0, 1]


@pytest.mark.parametrize("walls", [False, True])
@pytest.mark.parametrize("n", [8, 9])
def test_waves(walls, n):
    shapes = waves(n, 0.25, walls, 2)
    np.testing.assert_allclose(shapes[0].T @ shapes[0], np.eye(n), atol=1e-14)
    place = 0.25 * (np.arange(n) + 0.5 * walls)
    for i in range(1, n - 1):
        # A wave's slope by the difference quotient of the wave between the points.
        k = np.pi * i / (0.25 * n) if walls else 2 * np.pi * ((i + 1) // 2) / (0.25 * n)
        wave = np.cos if walls or i % 2 else np.sin
        size = np.sqrt(2 / n)
        np.testing.assert_allclose(shapes[0][:, i], size * wave(k * place), atol=1e-13)
        step = 1e-6
        slope = (wave(k * (place + step)) - wave(k * (place - step))) / (2 * step)
        np.testing.assert_allclose(shapes[1][:, i], size * slope, atol=1e-6)
        np.testing.assert_allclose(shapes[2][:, i], -(k**2) * shapes[0][:, i], atol=1e-11)


def test_ends():
    rng = np.random.default_rng(0)
    place = np.arange(32) / 32
    phase = rng.uniform(0, 6, (50, 1))
    assert ends_meet(np.sin(2 * np.pi * place + phase) + 0.1 * rng.normal(size=(50, 32)), 0.1)
    assert not ends_meet(np.cos(np.pi * place) * phase, 1e-6)
    # Noise alone goes round as well as it stays.
    assert ends_meet(rng.normal(size=(50, 32)), 1.0)


@pytest.fixture(scope="module")
def integrals():
    """Return unlike densities on a grid of two fields, one between walls, some waves left out."""
    from dataclasses import replace

    grid = replace(grid_of([f"{f}{p}" for f in "uv" for p in range(16)], 0.3), walls=(False, True))
    jets = Jets(grid.fields)
    own = custom(["u**4", "u*v_x", "u_xx**2", "cos(u)*v", "u_x*v_x"], jets)
    return Integrals(own.expressions, jets, grid, (9, 6))


def test_integrals_in_closed_form():
    grid = grid_of([f"u{p}" for p in range(32)], 2 * np.pi / 32)
    jets = Jets(grid.fields)
    own = custom(["u", "u**2", "u_x**2", "u_xx**2", "u**4"], jets)
    parts = Integrals(own.expressions, jets, grid)
    wave = 0.5 + np.sin(3 * 2 * np.pi / 32 * np.arange(32))
    values = parts.values(parts.amplitudes(wave[None]))[:, 0]
    quartic = 2 * np.pi * (0.5**4 + 6 * 0.25 / 2 + 3 / 8)
    expected = [np.pi, 2 * np.pi * 0.75, 9 * np.pi, 81 * np.pi, quartic]
    np.testing.assert_allclose(values, expected, rtol=1e-12)


def test_gradients_by_differences(integrals):
    rng = np.random.default_rng(0)
    a = rng.normal(size=(3, 15))
    slopes = integrals.gradients(a)
    assert slopes.shape == (3, 5, 15)
    for i in range(15):
        step = 1e-6 * np.eye(15)[i]
        quotient = (integrals.values(a + step) - integrals.values(a - step)) / 2e-6
        np.testing.assert_allclose(slopes[:, :, i], quotient.T, atol=1e-6 * np.abs(slopes).max())


def test_moments_by_drawing_noise(integrals):
    """Over draws of noise the mean is that of no noise, and the covariance is what is claimed."""
    rng = np.random.default_rng(0)
    a = rng.normal(size=15)
    noise = np.outer([0.03, 0.09], 1 + 0.5 * np.cos(2 * np.pi * np.arange(16) / 16))
    error = rng.uniform(0.2, 1.0, 15)
    grid_noise = noise.ravel() * rng.standard_normal((20000, 32))
    drawn = a + np.sqrt(error) * integrals.amplitudes(grid_noise)
    values, covariance = integrals.moments(drawn, np.broadcast_to(error, drawn.shape), noise)
    truth = integrals.values(a[None])[:, 0]
    standard = values.std(axis=0) / np.sqrt(len(values))
    # Noise that varies from point to point is known there to second order only.
    plain = np.abs(integrals.values(drawn).mean(axis=1) - truth)
    left = np.abs(values.mean(axis=0) - truth)
    assert np.all(left < 4 * standard + 0.1 * plain) and np.max(plain / standard) > 5
    size = np.sqrt(np.diag(np.cov(values.T)))
    claimed = covariance.mean(axis=0) / np.outer(size, size)
    np.testing.assert_allclose(claimed, np.cov(values.T) / np.outer(size, size), atol=0.05)


def test_noise_along_the_grid():
    """The noise of each point, where it varies, from what no smooth field could hold."""
    from discovery.pde.waves import field_noise

    runs = linear("wave between walls")
    level = 0.02 * (1 + 0.5 * np.cos(np.pi * np.arange(24) / 24))
    rows = runs.rows + np.tile(level, 2) * np.random.default_rng(0).normal(size=runs.rows.shape)
    noisy = Trajectories.from_rows(rows, runs.groups, runs.row_times, runs.names, runs.roles)
    found = field_noise(noisy, grid_of(runs.names))
    # At the very ends a little of the neighbours' noise comes in.
    off = np.abs(found / level - 1)
    assert np.median(off) < 0.1 and off.max() < 0.4


@pytest.mark.parametrize("fields", ["u", "uv", "uvw"])
def test_no_density_is_a_total_derivative(fields):
    """The integrals' derivatives are linearly independent: none is zero or the sum of others."""
    grid = grid_of([f"{f}{p}" for f in fields for p in range(16)], 0.4)
    jets = Jets(grid.fields)
    for name, expressions in escalation(jets, positive=[0]):
        parts = Integrals(expressions, jets, grid)
        states = np.random.default_rng(0).uniform(0.5, 1.5, (40, 16 * len(fields)))
        slopes = parts.gradients(parts.amplitudes(states)).swapaxes(0, 1)
        slopes = slopes.reshape(len(expressions), -1)
        slopes /= np.linalg.norm(slopes, axis=1, keepdims=True)
        assert np.linalg.matrix_rank(slopes, tol=1e-6) == len(expressions), name
        assert len(set(expressions)) == len(expressions)


def test_names_that_collide():
    with pytest.raises(ValueError, match="the name of another's derivative"):
        Jets(["u", "u_x"])


def test_spacing_travels(tmp_path):
    runs = linear("heat", n_runs=5, n_steps=10)
    assert runs[:2].grid_spacing == runs.grid_spacing == 1 / 24
    for suffix in ("npz", "h5"):
        runs.to_file(tmp_path / f"runs.{suffix}")
        assert Trajectories.from_file(tmp_path / f"runs.{suffix}").grid_spacing == 1 / 24
    runs.to_file(tmp_path / "runs.csv")
    read = Trajectories.from_file(tmp_path / "runs.csv", roles={"u*": "field"}, grid_spacing=0.5)
    assert read.grid_spacing == 0.5 and set(read.roles) == {"field"}
    assert repr(read) == "Trajectories(5 runs × 10 samples, field u on 24 grid points)"
    assert datasets.load("kdv", 1, 2).grid_spacing == datasets.info("kdv").grid_spacing


@pytest.mark.parametrize("spacing", [0, -1.0, float("inf"), float("nan"), "wide", True])
def test_spacings_that_are_none(spacing):
    with pytest.raises(ValueError, match="grid_spacing is"):
        Trajectories(np.ones((2, 3, 8)), grid_spacing=spacing)
