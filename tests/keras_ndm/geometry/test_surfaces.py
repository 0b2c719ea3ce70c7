"""Surfaces through points: known curvatures and Euler characteristics; what is no surface."""

import numpy as np
import pytest

from keras_ndm import geometry

# NumPy alone, whatever the backend.
pytestmark = pytest.mark.slow_on_jax


def sphere(n, noise, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3))
    return x / np.linalg.norm(x, axis=1)[:, None] + noise * rng.normal(size=(n, 3))


def torus(n, noise, small=0.4, seed=0):
    rng = np.random.default_rng(seed)
    s, t = rng.uniform(0, 2 * np.pi, (2, n))
    ring = 1 + small * np.cos(t)
    x = np.stack([ring * np.cos(s), ring * np.sin(s), small * np.sin(t)], axis=1)
    return x + noise * rng.normal(size=(n, 3))


def double_torus(n, seed=0):
    """Level set of the harmonic mean of the squared distances to two crossing circles."""

    def level(p):
        f, g = [], []
        for side in (0.82, -0.82):
            x, y, z = p[:, 0] - side, p[:, 1], p[:, 2]
            rho = np.hypot(x, y)
            f.append((rho - 0.75) ** 2 + z**2)
            g.append(2 * np.stack([(rho - 0.75) * x / rho, (rho - 0.75) * y / rho, z], axis=1))
        (f1, f2), (g1, g2) = f, g
        both = (g1 * f2[:, None] ** 2 + g2 * f1[:, None] ** 2) / (f1 + f2)[:, None] ** 2
        return f1 * f2 / (f1 + f2) - 0.09, both

    rng = np.random.default_rng(seed)
    p = rng.uniform([-2.2, -1.4, -0.7], [2.2, 1.4, 0.7], (40 * n, 3))
    f, g = level(p)
    p = p[np.abs(f) < 0.02 * np.linalg.norm(g, axis=1)]
    for _ in range(6):
        f, g = level(p)
        p = p - (f / np.sum(g**2, axis=1))[:, None] * g
    return p[:n]


def curve(n, noise, seed=0):
    """Knotted, along which there is no surface."""
    rng = np.random.default_rng(seed)
    t = rng.uniform(0, 2 * np.pi, n)
    x = [np.sin(t) + 2 * np.sin(2 * t), np.cos(t) - 2 * np.cos(2 * t), -np.sin(3 * t)]
    return np.stack(x, axis=1) + noise * rng.normal(size=(n, 3))


@pytest.mark.parametrize(
    ("points", "known"),
    [
        (sphere(420, 0.02), 2),
        (torus(600, 0.0), 0),
        (np.concatenate([sphere(250, 0.0), sphere(250, 0.0, seed=1) + 3.0]), 4),
        pytest.param(torus(2000, 0.03), 0, marks=pytest.mark.slow),
        pytest.param(double_torus(2500), -2, marks=pytest.mark.slow),
    ],
    ids=["sphere", "torus", "two spheres", "noisy torus", "double torus"],
)
def test_euler_characteristic(points, known):
    found = geometry.euler_characteristic(points, halves=3)
    assert found.integer == known
    assert abs(found.value - known) < 0.15
    assert f"({known})" in str(found)


@pytest.mark.parametrize(
    ("value", "error", "integer"),
    [(2.1, 0.1, 2), (-1.8, 0.3, -2), (1.0, 1.0, None), (2.0, 0.5, None)],
)
def test_an_integer_only_where_the_error_leaves_one(value, error, integer):
    assert geometry.EulerCharacteristic(value, error).integer == integer


def test_curvature_and_area_of_an_ellipsoid():
    axes = np.array([1.4, 1.0, 0.8])
    points = sphere(900, 0.0) * axes
    found = geometry.fit_surface(points)
    known = np.sum(points**2 / axes**4, axis=1) ** -2.0 / np.prod(axes) ** 2
    assert np.median(np.abs(found.curvature / known - 1)) < 0.1
    assert np.allclose(found.points, points, atol=2e-3)  # row by row
    normals = points / axes**2
    normals /= np.linalg.norm(normals, axis=1)[:, None]
    assert np.median(1 - np.abs(np.sum(found.normals * normals, axis=1))) < 1e-4
    # Thomsen's approximation, within 1.1 %.
    a, b, c = axes**1.6075
    area = 4 * np.pi * ((a * b + a * c + b * c) / 3) ** (1 / 1.6075)
    assert abs(found.areas.sum() / area - 1) < 0.02
    assert found.total_curvature.sum() == pytest.approx(4 * np.pi, abs=0.05)


def test_noise_and_the_error_of_curvature():
    found = geometry.fit_surface(sphere(1000, 0.03), neighbours=60)
    assert found.noise == pytest.approx(0.03, rel=0.1)
    ratio = (found.curvature - 1) / found.curvature_error
    assert 0.7 < np.sqrt(np.median(ratio**2) / 0.455) < 1.4


def test_more_noise_takes_more_neighbours():
    counts = [geometry.fit_surface(sphere(700, noise)).neighbours for noise in (0.0, 0.03)]
    assert counts[0] < counts[1]


@pytest.mark.parametrize(
    ("points", "sentence"),
    [
        (curve(600, 0.0), "along a curve"),
        (curve(600, 0.1), "show no surface"),
        (np.random.default_rng(0).normal(size=(800, 3)), "show no surface"),
        (np.random.default_rng(0).uniform(size=(800, 3)), "show no surface"),
        (np.stack(np.meshgrid(*3 * [np.arange(8.0)]), -1).reshape(-1, 3), "show no surface"),
        (sphere(800, 0.3), "show no surface"),
        (np.array([x for x in sphere(800, 0.01) if x[2] > -0.3]), "at an edge"),
        (sphere(420, 0.0)[:, :2], r"shape \(N, 3\)"),
        (sphere(300, 0.0), "at least 400"),
        (np.full((500, 3), np.nan), "not finite"),
    ],
    ids=[
        "curve",
        "noisy curve",
        "cloud",
        "cube",
        "lattice",
        "thick",
        "edge",
        "plane",
        "few",
        "nan",
    ],
)
def test_no_closed_surface_is_refused(points, sentence):
    with pytest.raises(ValueError, match=sentence):
        geometry.euler_characteristic(points)


def test_arguments():
    with pytest.raises(ValueError, match="`halves`"):
        geometry.euler_characteristic(sphere(500, 0.0), halves=1)
    with pytest.raises(ValueError, match="`neighbours` must be from 12"):
        geometry.fit_surface(sphere(300, 0.0), neighbours=5)


def test_equal_points_count_once_in_the_order_given():
    points = sphere(300, 0.0)
    found = geometry.fit_surface(np.concatenate([points, points[::-1]]))
    assert np.allclose(found.points, points, atol=0.01)
