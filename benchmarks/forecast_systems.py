"""More systems of `forecasts.py`: rates, starts, horizon, names and roles of each."""

import numpy as np

FLAT = ["position"] * 2 + ["velocity"] * 2
SOLID = ["position"] * 3 + ["velocity"] * 3
LINE = ["position", "velocity"]
MOMENTS = 1.13, 1.77, 2.41
PAIR = 1.1372, 0.8713  # masses


def anharmonic(x, u):
    """Return the rates of a quartic potential on a line."""
    return u, -1.137 * x + 0.31 * x**2 - 0.873 * x**3


def power(x, y, u, v):
    """Return the rates of the potential r^1.3."""
    pull = 1.137 * np.hypot(x, y) ** 0.3
    return u, v, -pull * x, -pull * y


def field(x, y, u, v):
    """Return the rates of a charge in a magnetic field and uneven springs."""
    return u, v, -1.13 * x + 0.713 * v, -0.617 * y - 0.713 * u


def quartic(x, y, u, v):
    """Return the rates of a quartic potential in the plane."""
    return u, v, -1.14 * x - 0.426 * x * y**2 - 0.4 * x**3, -1.62 * y - 0.426 * x**2 * y


def morse(x, u):
    """Return the rates of a molecule's stretch."""
    e = np.exp(-0.7 * x)
    return u, -2 * 1.3 * 0.7 * (1 - e) * e


def morse_pair(x, y, u, v):
    """Return the rates of two bodies with Morse's potential between them."""
    e = np.exp(-0.7713 * (x - y))
    force = 2 * 1.3 * 0.7713 * (1 - e) * e
    return u, v, -force / PAIR[0], force / PAIR[1]


def bound_pair(rng, n):
    """Return states of two bodies that stay together."""
    whole = sum(PAIR)
    r, middle = rng.uniform(-0.4, 1.0, n), rng.uniform(-1, 1, n)
    w, drift = rng.uniform(-0.5, 0.5, n), rng.uniform(-0.3, 0.3, n)
    first, second = PAIR[1] / whole, -PAIR[0] / whole
    places = middle + first * r, middle + second * r
    return np.column_stack([*places, drift + first * w, drift + second * w])


def sphere(x, y, z, u, v, w):
    """Return the rates of a pendulum that swings on a sphere."""
    pull = (u * u + v * v + w * w) - 1.137 * z
    return u, v, w, -pull * x, -pull * y, -1.137 - pull * z


def on_the_sphere(rng, n):
    """Return states on the sphere, most of them low."""
    q = rng.normal(size=(n, 3)) * [1, 1, 0.4] - [0, 0, 1.0]
    q /= np.linalg.norm(q, axis=1)[:, None]
    w = rng.normal(size=(n, 3)) * 0.6
    return np.hstack([q, w - (w * q).sum(1)[:, None] * q])


def chain(x, y, z, u, v, w):
    """Return the rates of an open Toda chain whose bodies hang on springs."""
    a, b = np.exp(x - y), np.exp(y - z)
    return u, v, w, -a - 0.41 * x, a - b - 0.41 * y, b - 0.41 * z


def top(x, y, z):
    """Return Euler's rates of a body with three moments of inertia."""
    i, j, k = MOMENTS
    return (j - k) / i * y * z, (k - i) / j * x * z, (i - j) / k * x * y


def prey(x, y):
    """Return the rates of other prey and predators."""
    return 0.937 * x - 0.413 * x * y, -1.271 * y + 0.779 * x * y


def box(size, d):
    """Return a function that draws states from a box."""
    return lambda rng, n: rng.uniform(-size, size, (n, d))


def bound(rng, n):
    """Return states of a molecule that does not break."""
    return np.column_stack([rng.uniform(-0.5, 1.2, n), rng.uniform(-0.5, 0.5, n)])


MORE = {
    "anharmonic": (anharmonic, box(1.2, 2), 12.0, "xu", LINE),
    "r^1.3": (power, box(1, 4), 14.0, "xyuv", FLAT),
    "magnetic field": (field, box(1, 4), 14.0, "xyuv", FLAT),
    "quartic": (quartic, box(1, 4), 14.0, "xyuv", FLAT),
    "Morse": (morse, bound, 15.0, "xu", LINE),
    "Morse pair": (morse_pair, bound_pair, 15.0, "xyuv", FLAT),
    "sphere": (sphere, on_the_sphere, 12.0, "xyzuvw", SOLID),
    "Toda on springs": (chain, box(0.8, 6), 12.0, "xyzuvw", SOLID),
    "asymmetric top": (top, lambda rng, n: rng.normal(size=(n, 3)), 18.0, "xyz", None),
    "hares": (prey, lambda rng, n: rng.uniform(0.5, 3, (n, 2)), 15.0, "xy", ["amount"] * 2),
}
