"""Reports to ask for levels: quick ones, found in libraries that hold the laws and little more."""

import pytest

from discovery import ConservedQuantityFinder, datasets

KEPLER = ["u**2", "v**2", "1/sqrt(x**2 + y**2)", "x*v", "y*u"]
HENON_HEILES = ["p1**2", "p2**2", "q1**2", "q2**2", "q1**2*q2", "q2**3"]
PENDULA = [
    "omega1**2",
    "omega2**2",
    "omega1*omega2*cos(theta1 - theta2)",
    "cos(theta1)",
    "cos(theta2)",
]


def found(name, library, noise=0.01):
    runs = datasets.load(name, n_trajectories=40, n_steps=80, noise=noise, seed=0)
    return ConservedQuantityFinder(library, random_state=0).fit(runs).report_


@pytest.fixture(scope="session")
def kepler():
    return found("kepler", KEPLER)


@pytest.fixture(scope="session")
def henon_heiles():
    return found("henon_heiles", HENON_HEILES)


@pytest.fixture(scope="session")
def pendula():
    return found("double_pendulum", PENDULA)
