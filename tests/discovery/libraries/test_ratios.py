"""Small libraries: squares of angular momentum beside directions, one angle beside parameters."""

import numpy as np
import pytest

from discovery import datasets
from discovery.criteria import LAWS
from discovery.estimation.preparation import prepare
from discovery.laws.finding.operators import operators, spectrum
from discovery.libraries.curvilinear import clear_sines, of_one_angle
from discovery.libraries.embedded import with_parameters
from discovery.libraries.monomials import symbols_of
from discovery.libraries.rational import ratios

ROLES = ["position"] * 2 + ["velocity"] * 2


def least(library, name):
    """Return the flatness of a library's functions on clean runs, ascending."""
    orbits = prepare(datasets.load(name, 20, 60, 0.0, 1))
    ops = operators(library, orbits.smoothed, orbits.offsets, orbits.scale)
    return spectrum(ops).values


def test_ratios_hold_the_invariant_of_ermakov_and_lewis():
    runs = datasets.load("ermakov", 20, 60, 0.0, 1)
    library = ratios(runs.names, runs.roles, runs.rows, np.zeros(6))
    first, second = least(library, "ermakov")[:2]
    assert first < LAWS.flatness_ceiling and second > 1e3


@pytest.mark.parametrize("low", [-1.0, 1.0])
def test_only_what_stays_away_from_zero_is_divided_by(low):
    rows = np.random.default_rng(0).uniform(-1, 1, (300, 4))
    rows[:, 1] = np.random.default_rng(1).uniform(low, 2, 300)
    library = ratios(list("xyuv"), ROLES, rows, np.full(4, 1e-3))
    assert library.positive == ((1,) if low > 0 else ())


def test_bodies_and_columns_that_do_not_pair_have_no_ratios():
    rows = np.random.default_rng(0).uniform(1, 2, (50, 4))
    assert ratios(list("xyuv"), ["position"] * 3 + ["velocity"], rows, np.zeros(4)) is None


def test_one_angle_with_parameters_holds_carters_constant():
    runs = datasets.load("kerr", 20, 60, 0.0, 1)
    names, roles = list(runs.names[:4]), list(runs.roles[:4])
    sines = clear_sines(runs.rows[:, :4], roles, np.zeros(4))
    (library,) = of_one_angle(names, roles, sines)
    assert all(not term.has(library.symbols[0]) for term in library.expressions())
    both = with_parameters(library, symbols_of(runs.names[4:]))
    values = both.values(runs.rows).reshape(len(both), 20, 60)
    values = (values - values.mean(axis=2, keepdims=True)).reshape(len(both), -1)
    sizes = np.linalg.svd(values / np.linalg.norm(values, axis=1)[:, None], compute_uv=False)
    alone = library.values(runs.rows[:, :4]).reshape(len(library), 20, 60)
    alone = (alone - alone.mean(axis=2, keepdims=True)).reshape(len(library), -1)
    without = np.linalg.svd(alone / np.linalg.norm(alone, axis=1)[:, None], compute_uv=False)
    assert sizes[-1] < 1e-10 and without[-1] > 1e-5


def test_an_angle_without_other_coordinates_has_no_library_of_its_own():
    assert of_one_angle(["theta", "omega"], ["angle", "angular_velocity"], []) == []
