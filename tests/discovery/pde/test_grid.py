"""Grids: read off names, a ring or a line between walls, and the waves on them."""

import numpy as np
import pytest

from discovery import Trajectories, datasets
from discovery.pde.basis import waves
from discovery.pde.grid import ends_meet, grid_of

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
