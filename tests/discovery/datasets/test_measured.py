"""Measured data sets: read as they are, and what is known of them holds."""

import numpy as np
import pytest

from discovery import ConservedQuantityFinder, datasets

SUN = 39.478


@pytest.mark.parametrize("name", datasets.measured())
def test_record(name):
    record, runs = datasets.info(name), datasets.load(name)
    assert record.doc and record.source and f"source     {record.source}" in str(record)
    assert (runs.name, runs.names, runs.roles) == (name, record.names, record.roles)
    assert len(record.units) == record.dim == runs.dim
    assert runs.truth == {} and name not in datasets.names()


def test_planets_obey_kepler():
    runs = datasets.load("planets")
    x, v = np.split(runs.rows, 2, axis=1)
    energy = (v**2).sum(axis=1) / 2 - SUN / np.linalg.norm(x, axis=1)
    spins = np.cross(x, v)
    for values in (energy, *spins.T):
        values = values.reshape(9, -1)
        # The reflex of the Sun about the outer planets' centre of mass.
        assert values.std(axis=1).max() < 0.01 * values.std()
    axes = -SUN / 2 / energy.reshape(9, -1).mean(axis=1)
    known = [0.387, 0.723, 1.000, 1.524, 5.203, 9.54, 19.2, 30.1, 39.5]
    np.testing.assert_allclose(axes, known, rtol=0.01)


@pytest.mark.slow
def test_laws_of_the_planets():
    runs = datasets.load("planets")
    laws = ConservedQuantityFinder(random_state=0).fit(runs).quantities_
    assert len(laws) == 4
    energy = next(law for law in laws if "sqrt" in str(law.expression))
    terms = {str(term): float(value) for term, value in energy.coefficients.items()}
    radius = next(value for term, value in terms.items() if "sqrt" in term)
    assert -radius / terms["u**2"] / 2 == pytest.approx(39.48, abs=0.005)


def test_hare_and_lynx():
    runs = datasets.load("hare_and_lynx")
    np.testing.assert_array_equal(runs.row_times, np.arange(1900, 1921))
    # Lynx follow hares by about a year.
    hare, lynx = np.log(runs.rows.T)
    assert np.corrcoef(hare[:-1], lynx[1:])[0, 1] > np.corrcoef(hare, lynx)[0, 1] + 0.3


def test_what_there_is_may_be_named():
    assert datasets.load("planets", n_trajectories=9, n_steps=200).n_runs == 9


CHOICES = [{"n_trajectories": 5}, {"n_steps": 7}, {"noise": 0.1}, {"dt": 0.1}, {"missing": 0.2}]


@pytest.mark.parametrize("choice", CHOICES)
def test_nothing_else_can_be_chosen(choice):
    with pytest.raises(ValueError, match=f"'planets' is measured.*{next(iter(choice))} cannot"):
        datasets.load("planets", **choice)


def test_unknown_names_are_close_to_measured_ones():
    with pytest.raises(ValueError, match="Did you mean 'planets'"):
        datasets.load("planet")
