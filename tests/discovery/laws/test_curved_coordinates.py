"""Laws in polar and spherical coordinates and Euler angles: powers, 1/sin²θ, harmonics."""

import numpy as np
import pandas as pd
import pytest
import sympy
from scipy.integrate import solve_ivp

from discovery import ConservedQuantityFinder
from discovery.libraries.monomials import monomials, symbols_of


def polar_oscillator(r, phi, p, L):
    return p, L / r**2, L**2 / r**3 - r, 0 * L


def polar_kepler(r, phi, p, L):
    return p, L / r**2, L**2 / r**3 - 1 / r**2, 0 * L


def swing(r, theta, v, omega):
    """A mass on a spring that swings."""
    pull = -np.sin(theta) - 2 * v * omega
    return v, omega, r * omega**2 - 4 * (r - 1) + np.cos(theta), pull / r


def stiff_swing(r, theta, v, omega):
    """One whose length hardly changes: it rests many spreads from the axis."""
    pull = -np.sin(theta) - 2 * v * omega
    return v, omega, r * omega**2 - 60 * (r - 1) + np.cos(theta), pull / r


def spherical_pendulum(theta, phi, p, L):
    return (
        p,
        L / np.sin(theta) ** 2,
        L**2 * np.cos(theta) / np.sin(theta) ** 3 - np.sin(theta),
        0 * L,
    )


def top(theta, p, a, b):
    """A heavy symmetric top; a and b are the momenta of the other two Euler angles."""
    c, s = np.cos(theta), np.sin(theta)
    return p, s - (a - b * c) * (b - a * c) / s**3, 0 * a, 0 * b


def damped_swing(r, theta, v, omega):
    dr, dtheta, dv, domega = swing(r, theta, v, omega)
    return dr, dtheta, dv - 0.1 * v, domega - 0.1 * omega


POSITION, ANGLE, MOMENTUM = "position", "angle", "momentum"
BOXES = {
    "swing": [(1.0, 1.5), (-1.0, 1.0), (-0.4, 0.4), (-0.5, 0.5)],
    "pendulum": [(0.6, 1.6), (0.0, 6.28), (-0.6, 0.6), (0.4, 1.0)],
}
# The flow, names, roles, box of initial states, and the laws in SymPy's notation.
SYSTEMS = {
    "polar oscillator": (
        polar_oscillator,
        "r phi p L",
        [POSITION, ANGLE, MOMENTUM, MOMENTUM],
        [(0.7, 1.6), (0, 6.28), (-0.6, 0.6), (0.5, 1.5)],
        [
            "L",
            "p**2 + L**2/r**2 + r**2",
            # One component of two, so its square is known but for a sign.
            "((p**2 - L**2/r**2 + r**2)*cos(2*phi) - 2*p*L*sin(2*phi)/r)**2",
        ],
    ),
    "polar Kepler": (
        polar_kepler,
        "r phi p L",
        [POSITION, ANGLE, MOMENTUM, MOMENTUM],
        [(0.8, 1.2), (0, 6.28), (-0.3, 0.3), (0.8, 1.1)],
        ["L", "p**2/2 + L**2/(2*r**2) - 1/r"],
    ),
    "swing": (
        swing,
        "r theta v omega",
        [POSITION, ANGLE, "velocity", "angular_velocity"],
        BOXES["swing"],
        ["v**2/2 + r**2*omega**2/2 + 2*(r - 1)**2 - r*cos(theta)"],
    ),
    "stiff swing": (
        stiff_swing,
        "r theta v omega",
        [POSITION, ANGLE, "velocity", "angular_velocity"],
        [(0.9, 1.15), (-1.0, 1.0), (-0.8, 0.8), (-1.0, 1.0)],
        ["v**2/2 + r**2*omega**2/2 + 30*(r - 1)**2 - r*cos(theta)"],
    ),
    "spherical pendulum": (
        spherical_pendulum,
        "theta phi p L",
        [ANGLE, ANGLE, MOMENTUM, MOMENTUM],
        BOXES["pendulum"],
        ["L", "p**2/2 + L**2/(2*sin(theta)**2) - cos(theta)"],
    ),
    "top": (
        top,
        "theta p a b",
        [ANGLE, MOMENTUM, MOMENTUM, MOMENTUM],
        [(0.6, 1.3), (-0.3, 0.3), (0.8, 2.0), (2.0, 3.0)],
        ["a", "b", "p**2/2 + (a - b*cos(theta))**2/(2*sin(theta)**2) + cos(theta)"],
    ),
    "damped swing": (
        damped_swing,
        "r theta v omega",
        [POSITION, ANGLE, "velocity", "angular_velocity"],
        BOXES["swing"],
        [],
    ),
}
# Searches of many libraries: `make test-slow` has them.
LONG = ("polar oscillator", "polar Kepler", "stiff swing")


def measured(name, noise, n=60, steps=150):
    flow, names, _, box, _ = SYSTEMS[name]
    rng = np.random.default_rng(1)
    low, high = np.transpose(box)
    times = np.linspace(0, 0.1 * steps, steps)
    starts = rng.uniform(low, high, (n, len(box)))
    if name == "polar Kepler":  # both senses: the energy's gradient then is nearly along L
        starts[::2, -1] *= -1
    paths = [
        solve_ivp(
            lambda _, s: flow(*s), times[[0, -1]], start, t_eval=times, rtol=1e-11, atol=1e-12
        ).y.T
        for start in starts
    ]
    clean = np.concatenate(paths)
    rows = clean + noise * clean.std(axis=0) * rng.standard_normal(clean.shape)
    return pd.DataFrame(rows, columns=names.split()), np.repeat(np.arange(n), steps), clean


@pytest.mark.parametrize(
    ("name", "noise"),
    [
        pytest.param(name, noise, marks=[pytest.mark.slow] if noise != 0.01 or name in LONG else [])
        for name in SYSTEMS
        for noise in (0.0, 0.01, 0.05)
    ],
)
def test_laws_in_curved_coordinates(name, noise):
    _, _, roles, _, laws = SYSTEMS[name]
    rows, groups, clean = measured(name, noise)
    finder = ConservedQuantityFinder(roles=roles, random_state=0).fit(rows, groups=groups)
    # The ellipse's direction besides, of which there is no single-valued formula; noise of 5 % of
    # the range of an angle that turns both ways is more than .3 radians, and hides it.
    direction = name == "polar Kepler" and noise < 0.05
    assert finder.n_conserved_ == len(laws) + direction
    if not laws:
        return
    # Each truth is a polynomial of low degree in what was found.
    found = finder.transform(pd.DataFrame(clean, columns=rows.columns))
    found = (found - found.mean(axis=0)) / found.std(axis=0)
    k = found.shape[1]
    powers = [np.prod(found**e, axis=1) for e in monomials(k, 2)]
    design = np.column_stack([np.ones(len(found)), *powers])
    symbols = symbols_of(rows.columns)
    by_name = {s.name: s for s in symbols}
    for law in laws:
        truth = sympy.lambdify(symbols, sympy.sympify(law, locals=by_name))(*clean.T)
        rest = truth - design @ np.linalg.lstsq(design, truth)[0]
        assert rest.var() < 1e-3 * truth.var(), law


@pytest.mark.slow
def test_textbook_forms():
    energies = {"swing": 5, "spherical pendulum": 3, "top": 5}
    for name, terms in energies.items():
        rows, groups, _ = measured(name, 0.01)
        finder = ConservedQuantityFinder(roles=SYSTEMS[name][2], random_state=0)
        quantities = finder.fit(rows, groups=groups).quantities_
        assert max(len(q.expression.as_ordered_terms()) for q in quantities) == terms
