"""Grids: read off names, a ring or a line between walls, and the waves on them."""

import numpy as np
import pytest

from discovery import Trajectories, datasets
from discovery.pde.basis import Ends, waves
from discovery.pde.grid import ends_meet, ends_of, grid_of

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
    assert grid.fields == ("v", "u") and grid.n_points == 10 and grid.spacings == (0.5,)
    assert grid.columns[:, 0].tolist() == [0, 1]


@pytest.mark.parametrize("walls", [False, True])
@pytest.mark.parametrize("n", [8, 9])
def test_waves(walls, n):
    shapes = [waves(n, 0.25, walls, order) for order in range(3)]
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


def test_spacing_travels(tmp_path, linear):
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


FIXED = [Ends.FIXED_ON, Ends.FIXED_HALF, Ends.FIXED_BEYOND]


def _fixed(ends, n, waves=3, size=40):
    """Return random sums of sines between walls at a place."""
    place = (np.arange(n) + ends.beyond) / ends.steps(n)
    k = np.arange(1, waves + 1)
    return (
        np.random.default_rng(0).normal(size=(size, waves)) / k @ np.sin(np.pi * np.outer(k, place))
    )


@pytest.mark.parametrize("ends", FIXED)
@pytest.mark.parametrize("n", [24, 25])
def test_fixed_ends(ends, n):
    rng = np.random.default_rng(1)
    for noise, size in ((0.0, 40), (0.05, 2000)):
        values = _fixed(ends, n, size=size)
        assert ends_of(values + noise * rng.standard_normal(values.shape), noise) == ends
    # A ring on which nothing is fixed, a field at rest at another value, and one of free ends.
    place = np.arange(n) / n
    assert ends_of(np.sin(2 * np.pi * (place + rng.random((40, 1)))), 0.0) == Ends.RING
    assert not ends_of(_fixed(ends, n) + 0.5, 0.0).is_fixed
    assert ends_of(np.cos(np.pi * (place + 0.5 / n)) * rng.normal(size=(40, 1)), 0.0) == Ends.WALLS


@pytest.mark.parametrize("ends", FIXED)
@pytest.mark.parametrize("n", [24, 25])
def test_waves_between_fixed_ends(ends, n):
    shapes = [waves(n, 0.25, ends, order) for order in range(3)]
    np.testing.assert_allclose(shapes[0].T @ shapes[0], np.eye(n), atol=1e-13)
    place, length = 0.25 * (np.arange(n) + ends.beyond), 0.25 * ends.steps(n)
    for i in range(n - 2):
        k, size = np.pi * (i + 1) / length, np.sqrt(2 / ends.steps(n))
        np.testing.assert_allclose(shapes[0][:, i], size * np.sin(k * place), atol=1e-13)
        np.testing.assert_allclose(shapes[1][:, i], size * k * np.cos(k * place), atol=1e-12)
        np.testing.assert_allclose(shapes[2][:, i], -(k**2) * shapes[0][:, i], atol=1e-11)
    # Squares of sums of sines and of their slopes have their integrals in closed form.
    weights, a = ends.weights(n), np.random.default_rng(0).normal(size=n // 2 - 1)
    k = np.pi * np.arange(1, len(a) + 1) / length
    for order, power in enumerate((1, k**2)):
        found = 0.25 * weights @ (shapes[order][:, : len(a)] @ a) ** 2
        assert found == pytest.approx(0.25 * np.sum(power * a**2), rel=1e-12)
