"""Names of laws of fields by what they move: energies, momenta, wave action; and none."""

import numpy as np
import pytest

from discovery.noether.brackets.fields import is_vorticity, told_by_flow
from discovery.noether.motion import Candidate, MeasuredMotion
from discovery.pde.densities import Jets, custom
from discovery.pde.grid import Grid
from discovery.pde.integral_library import IntegralLibrary

N, STEPS, RUNS = 16, 41, 3
K = np.fft.fftfreq(N, 1 / N)
KY, KX = np.meshgrid(K, K, indexing="ij")
SMALL = (np.abs(KX) < N / 3) & (np.abs(KY) < N / 3)
ENERGY, TURNED = ("energy", "time translation"), ("wave action", "rotation in (u, v)")
ALONG_X, ALONG_Y = ((f"momentum along {a}", f"translation along {a}") for a in "xy")
NOTHING = (None, None)


def d(u, along=(0, 1), inverse=False):
    """Return a derivative along y and x, so often each; or Δ⁻¹ u. On a line, along x."""
    if u.ndim == 1:
        factor = (1j * K) ** along[1] * (np.abs(K) < N / 3)
        return np.fft.ifft(factor * np.fft.fft(u)).real
    squares = KX**2 + KY**2
    factor = (1j * KY) ** along[0] * (1j * KX) ** along[1]
    if inverse:
        factor = -1 / np.where(squares == 0, np.inf, squares)
    return np.fft.ifft2(factor * SMALL * np.fft.fft2(u)).real


def x(u):
    return d(u, (0, 1))


def y(u):
    return d(u, (1, 0))


def korteweg(f):
    (u,) = f
    return (-6 * u * x(u) - d(u, (0, 3)),)


def klein_gordon(friction=0.0):
    return lambda f: (f[1], d(f[0], (0, 2)) - f[0] - f[0] ** 3 - friction * f[1])


def schroedinger(f):
    u, v = f
    w = u**2 + v**2
    return -d(v, (0, 2)) - 2 * w * v, d(u, (0, 2)) + 2 * w * u


def channel(f):
    h, u = f
    return -x(h * u), -x(u**2 / 2 + h)


def water(f):
    h, u, v = f
    spin, head = x(v) - y(u), h + (u**2 + v**2) / 2
    return -x(h * u) - y(h * v), spin * v - x(head), -spin * u - y(head)


def euler(f):
    u, v = f
    a, b = (-u * x(w) - v * y(w) for w in (u, v))
    pressure = d(x(a) + y(b), inverse=True)
    return a - x(pressure), b - y(pressure)


def vorticity(friction=0.0):
    def flow(f):
        (w,) = f
        psi = d(w, inverse=True)
        return (y(psi) * x(w) - x(psi) * y(w) + friction * (d(w, (0, 2)) + d(w, (2, 0))),)

    return flow


# Equation, fields, their means, directions, step, and what its laws are called.
EQUATIONS = {
    "Korteweg-de Vries": (
        *(korteweg, "u", [0.2], 1, 0.01),
        {"u": NOTHING, "u**2": ALONG_X, "u_x**2/2 - u**3": ENERGY},
    ),
    "Klein-Gordon": (
        *(klein_gordon(), "uv", [0.1, 0.0], 1, 0.05),
        {"v**2 + u_x**2 + u**2 + u**4/2": ENERGY, "u*v_x": ALONG_X},
    ),
    "Schrödinger": (
        *(schroedinger, "uv", [0.4, 0.1], 1, 0.01),
        {"u_x**2 + v_x**2 - (u**2 + v**2)**2": ENERGY, "u**2 + v**2": TURNED, "u*v_x": ALONG_X},
    ),
    "water in a channel": (
        *(channel, "hu", [1.2, 0.1], 1, 0.02),
        {"h*u**2 + h**2": ENERGY, "h": NOTHING, "u": NOTHING, "h*u": ALONG_X},
    ),
    "shallow water": (
        *(water, "huv", [1.2, 0.1, 0.2], 2, 0.02),
        {
            "h*u**2/2 + h*v**2/2 + h**2/2": ENERGY,
            "h": NOTHING,
            "h*u": ALONG_X,
            "h*v": ALONG_Y,
            "(v_x - u_y)**2/h": NOTHING,
        },
    ),
    "Euler": (
        *(euler, "uv", [0.3, -0.2], 2, 0.05),
        {"u**2 + v**2": ENERGY, "u": ALONG_X, "v": ALONG_Y, "(v_x - u_y)**2": NOTHING},
    ),
    # No energy of theirs is conserved, whatever integrals are.
    "damped Klein-Gordon": (
        *(klein_gordon(0.3), "uv", [0.1, 0.0], 1, 0.05),
        {"v**2 + u_x**2 + u**2 + u**4/2": NOTHING, "u*v_x": NOTHING},
    ),
    "vorticity": (vorticity(), "w", [0.0], 2, 0.05, {"w**2": NOTHING}),
    "vorticity with friction": (vorticity(0.1), "w", [0.0], 2, 0.05, {"w**2": NOTHING}),
}


def motion_of(name, noise=0.0):
    flow, fields, means, axes, dt, _ = EQUATIONS[name]
    rng = np.random.default_rng(0)
    shape = (N,) * axes
    states = np.empty((RUNS, STEPS, len(fields), *shape))
    small = np.sqrt(KX**2 + KY**2)[tuple([0] * (2 - axes))] <= 2.3
    for run in states:
        start = rng.normal(size=(len(fields), *shape)) * 0.5
        over = tuple(range(1, 1 + axes))
        start = np.fft.ifftn(np.fft.fftn(start, axes=over) * small, axes=over).real
        if "h" in fields:
            start *= 0.2
        now = list(start + np.reshape(means, (-1, *[1] * axes)))
        if flow is euler:
            psi = now[0]
            now = [means[0] - y(psi), means[1] + x(psi)]
        for k in range(STEPS):
            run[k] = now
            for _ in range(4):  # by Runge and Kutta
                h = dt / 4
                k1 = flow(now)
                k2 = flow([u + h / 2 * r for u, r in zip(now, k1, strict=True)])
                k3 = flow([u + h / 2 * r for u, r in zip(now, k2, strict=True)])
                k4 = flow([u + h * r for u, r in zip(now, k3, strict=True)])
                rates = zip(now, k1, k2, k3, k4, strict=True)
                now = [u + h / 6 * (a + 2 * b + 2 * c + e) for u, a, b, c, e in rates]
    rows = states.reshape(RUNS * STEPS, -1)
    size = N**axes
    spread = rows.reshape(len(rows), len(fields), -1).std(axis=(0, 2))
    level = noise * np.repeat(spread, size)
    columns = np.arange(rows.shape[1]).reshape(len(fields), -1)
    grid = Grid(
        tuple(fields), columns, shape, (2 * np.pi / N,) * axes, ((False,) * axes,) * len(fields)
    )
    motion = MeasuredMotion(
        states=rows + level * rng.normal(size=rows.shape),
        times=np.tile(dt * np.arange(STEPS), RUNS),
        offsets=STEPS * np.arange(RUNS + 1),
        names=tuple(f"c{k}" for k in range(rows.shape[1])),
        roles=("field",) * rows.shape[1],
        told=True,
        noise=level,
    )
    return grid, motion


def candidate(grid, motion, density):
    jets = Jets(grid.fields, grid.n_axes)
    terms = custom([density], jets).expressions
    return Candidate(IntegralLibrary(terms, jets, grid, motion.names), np.ones(1))


@pytest.mark.parametrize("name", EQUATIONS)
def test_laws_by_their_flow(name):
    grid, motion = motion_of(name)
    expected = EQUATIONS[name][-1]
    laws = [candidate(grid, motion, density) for density in expected]
    assert (
        dict(zip(expected, map(tuple, told_by_flow(laws, grid, motion)), strict=True)) == expected
    )


def test_not_between_walls_nor_without_laws():
    grid, motion = motion_of("Klein-Gordon")
    law = candidate(grid, motion, "v**2 + u_x**2 + u**2 + u**4/2")
    walls = Grid(grid.fields, grid.columns, grid.shape, grid.spacings, ((True,), (True,)))
    assert told_by_flow([law], walls, motion) == [NOTHING]
    assert told_by_flow([], grid, motion) == []


def test_under_noise_and_where_noise_hides_the_motion():
    density = "u_x**2/2 - u**3"
    for noise, expected in ((0.01, ENERGY), (3.0, NOTHING)):
        grid, motion = motion_of("Korteweg-de Vries", noise)
        assert told_by_flow([candidate(grid, motion, density)], grid, motion) == [expected]


def test_noise_has_a_divergence():
    grid, motion = motion_of("Euler", 0.05)
    laws = [candidate(grid, motion, density) for density in ("u**2 + v**2", "u", "v")]
    assert told_by_flow(laws, grid, motion) == [ENERGY, ALONG_X, ALONG_Y]


@pytest.mark.parametrize(
    ("name", "is_one"),
    [("vorticity", True), ("vorticity with friction", False), ("Korteweg-de Vries", False)],
)
def test_vorticity(name, is_one):
    assert is_vorticity(*motion_of(name)) == is_one
