"""Fields in a plane: the laws of waves, none where there is none, and what a user may give."""

import numpy as np
import pytest
import sympy

from discovery import ConservedQuantityFinder, DiscoveryReport, Trajectories
from discovery.cli import main
from discovery.pde.grid import grid_of

x, y = sympy.symbols("x y")
u, v = (sympy.Function(name)(x, y) for name in "uv")


def waves(n_runs=24, n_steps=40, noise=0.01, damping=0.0, speed=1.0, seed=0):
    """Return runs of u_tt = speed² u_xx + u_yy, summed from its waves, on 8 × 12 points."""
    rng, t = np.random.default_rng(seed), np.linspace(0, 6, n_steps)[:, None, None]
    grid = 2 * np.pi * np.arange(8) / 8, 2 * np.pi * np.arange(12) / 12
    place = np.meshgrid(*grid, indexing="ij")
    fade = np.exp(-damping * t)
    states = np.zeros((n_runs, n_steps, 2, 8, 12))
    for run in states:
        for ky, kx in ((0, 1), (1, 0), (1, 1), (1, -1), (1, 2)):
            w = np.hypot(speed * kx, ky)
            for sign in (1, -1):
                size, start = rng.normal() / w, rng.uniform(0, 6)
                phase = kx * place[1] + ky * place[0] + sign * w * t + start
                run[:, 0] += fade * size * np.cos(phase)
                run[:, 1] -= fade * size * sign * w * np.sin(phase)
    scale = states.std(axis=(0, 1, 3, 4), keepdims=True)
    states += noise * scale * rng.standard_normal(states.shape)
    return Trajectories(states, t.ravel(), grid_spacing=(2 * np.pi / 8, 2 * np.pi / 12))


DENSITIES = ["v**2", "u_x**2", "u_y**2", "u_x*u_y", "u*v_x", "u*v_y", "u*v", "u**2"]


@pytest.fixture(scope="module")
def report():
    return ConservedQuantityFinder(DENSITIES, random_state=0).fit(waves(speed=2.0)).report_


def test_laws_of_a_wave(report):
    """Energy and both momenta, where waves along x are twice as fast."""
    densities = [q.expression.function for q in report.quantities]
    assert report.verdict == "laws" and report.n_conserved == 3
    assert {u * v.diff(x), u * v.diff(y)} <= set(densities)
    energy = next(d for d in densities if d.has(v**2))
    energy = sympy.expand(energy / energy.coeff(v**2))
    assert float(energy.coeff(u.diff(x) ** 2)) == pytest.approx(4, rel=0.02)
    assert float(energy.coeff(u.diff(y) ** 2)) == pytest.approx(1, rel=0.02)
    assert report.quantities[0].expression.variables == [x, y]
    assert "fields u, v on 96 grid points" in str(report)


@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_a_law_that_is_not_there(noise):
    runs = waves(noise=noise, damping=0.1)
    assert ConservedQuantityFinder(DENSITIES, random_state=0).fit(runs).quantities_ == []


def test_values_are_those_of_the_integral(report):
    """Of a wave between the points too, since derivatives are those of the field."""
    one = waves(1, 1, noise=0.0, speed=2.0)
    energy = next(q for q in report.quantities if q.expression.has(v**2))
    fields = one.rows.reshape(2, 8, 12)
    spectrum = np.fft.fft2(fields) / 96
    ky, kx = np.meshgrid(np.fft.fftfreq(8, 1 / 8), np.fft.fftfreq(12, 1 / 12), indexing="ij")
    density = energy.expression.function
    sizes = [float(sympy.expand(density).coeff(s)) for s in (v**2, u.diff(x) ** 2, u.diff(y) ** 2)]
    power = np.abs(spectrum) ** 2 * (2 * np.pi) ** 2
    parts = [power[1].sum(), (kx**2 * power[0]).sum(), (ky**2 * power[0]).sum()]
    np.testing.assert_allclose(energy(one.rows)[0], np.dot(sizes, parts), rtol=1e-9)


def test_a_report_is_kept(report, tmp_path):
    """Mixed derivatives and integrals over a plane are stored as what they are."""
    report.save(tmp_path / "report.json")
    again = DiscoveryReport.load(tmp_path / "report.json")
    assert [q.expression for q in again.quantities] == [q.expression for q in report.quantities]
    rows = waves(2, 3).rows
    np.testing.assert_array_equal(again.quantities[0](rows), report.quantities[0](rows))


def test_the_picture_is_of_a_line(report):
    """Profiles along x, in the middle of y."""
    display = report.plot("portrait")
    assert report.shown.names == tuple(f"u_5_{i}" for i in range(1, 13))
    assert display.profiles.shape[1] == 12
    np.testing.assert_allclose(np.diff(display.places), 2 * np.pi / 12)


def test_columns_of_a_table_are_a_plane(tmp_path, capsys):
    runs = waves(4, 12).of_columns(range(96))
    runs.to_file(tmp_path / "plane.csv")
    given = [str(tmp_path / "plane.csv"), "--roles", "u*=field", "--quiet", "--grid-spacing"]
    main([*given, "0.79,0.52"])
    assert "field u on 96 grid points" in capsys.readouterr().out
    assert main([*given, "0.79,wide"]) == 2
    assert "--grid-spacing: 'wide' is no number" in capsys.readouterr().err


def test_arrays_of_runs_of_unequal_length():
    runs = waves(2, 5).states.reshape(2, 5, 2, 8, 12)
    mixed = Trajectories([runs[0], runs[1][:3]], names=["h", "w"])
    assert mixed.names[:2] == ("h_1_1", "h_1_2") and mixed.names[-1] == "w_8_12"
    assert set(mixed.roles) == {"field"} and mixed.lengths.tolist() == [5, 3]
    line = Trajectories(np.zeros((1, 3, 2, 9)), names=["u", "u2"])
    assert line.names[8:10] == ("u9", "u2_1")


MISTAKES = {
    "names of columns": (np.zeros((1, 3, 2, 8, 9)), {"names": ["u"]}, "one a field"),
    "too many axes": (np.zeros((1, 3, 1, 2, 2, 2, 2)), {}, "one to three"),
    "other grids": ([np.zeros((3, 1, 8, 9)), np.zeros((3, 1, 9, 8))], {}, "the same fields"),
    "text": (np.full((1, 3, 1, 8, 9), "a"), {}, "expected real numbers"),
    "spacing": (np.zeros((1, 3, 1, 8, 9)), {"grid_spacing": (0.1, -1)}, "one for each axis"),
    "spacings": (np.zeros((1, 3, 1, 8, 9)), {"grid_spacing": (1, 1, 1, 1)}, "one for each axis"),
}


@pytest.mark.parametrize(("states", "given", "message"), MISTAKES.values(), ids=MISTAKES)
def test_arrays_that_are_no_fields(states, given, message):
    with pytest.raises(ValueError, match=message):
        Trajectories(states, **given)


def test_a_spacing_for_each_axis_travels(tmp_path):
    runs = waves(2, 3)
    runs.to_file(tmp_path / "runs.npz")
    assert Trajectories.from_file(tmp_path / "runs.npz").grid_spacing == runs.grid_spacing
    with pytest.raises(ValueError, match="for 3 axes"):
        grid_of(runs.names, (1.0, 1.0, 1.0))


NAMES = [f"u_{j}_{i}" for j in range(1, 9) for i in range(1, 10)]


def test_names_tell_a_plane():
    grid = grid_of(NAMES[::-1], 0.5)
    assert grid.shape == (8, 9) and grid.spacings == (0.5, 0.5) and grid.fields == ("u",)
    assert grid.columns[0, :2].tolist() == [71, 70]


def test_few_numbered_fields_are_on_lines():
    """u1_7 is u1 at a point of a line, unless the first numbers are enough for an axis."""
    grid = grid_of([f"u{k}_{p}" for k in (1, 2, 3) for p in range(9)])
    assert grid.fields == ("u1", "u2", "u3") and grid.shape == (9,)
    with pytest.raises(ValueError, match="has 3 points along an axis"):
        grid_of([f"u{k}_{p}" for k in (1, 2, 3) for p in range(9)], (1.0, 1.0))
    with pytest.raises(ValueError, match="no value at some points between 1_1 and 8_9"):
        grid_of(NAMES[1:], (1.0, 1.0))
