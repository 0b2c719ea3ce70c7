"""The velocities that friction takes from."""

import numpy as np
import pytest

from discovery.laws.decaying.slowed import slowed

MASSES = np.array([[2.0, 0.5], [0.5, 1.0]])
STATES = np.random.default_rng(0).standard_normal((50, 4))
PULL = np.array([1.0, 2.0])


def energy(states):
    return states[:, 2:] @ MASSES


def linear(states):
    return np.tile(PULL, (len(states), 1))


def turning(states):
    return np.column_stack([-states[:, 1], states[:, 0]])


@pytest.mark.parametrize("law", [linear, turning], ids=["momentum", "angular momentum"])
def test_kinetic_energies_add_up_and_the_momentum_is_gone(law):
    less = slowed(STATES, (2, 3), energy, [law])
    assert np.allclose(less[:, :2], STATES[:, :2])
    assert np.abs(np.sum(law(STATES) * less[:, 2:], axis=1)).max() < 1e-9
    rest, kept = less[:, 2:], STATES[:, 2:] - less[:, 2:]
    assert np.abs(np.einsum("ni,ij,nj->n", rest, MASSES, kept)).max() < 1e-9
    # Of what moves, the least that has this momentum: along M⁻¹ A.
    along = law(STATES) @ np.linalg.inv(MASSES)
    assert np.abs(along[:, 0] * kept[:, 1] - along[:, 1] * kept[:, 0]).max() < 1e-9


def test_a_square_of_the_momentum_in_the_energy_makes_no_difference():
    more = slowed(STATES, (2, 3), lambda s: energy(s) + (s[:, 2:] @ PULL)[:, None] * PULL, [linear])
    assert np.allclose(more, slowed(STATES, (2, 3), energy, [linear]))


def test_laws_that_are_not_linear_are_no_momenta():
    assert np.array_equal(slowed(STATES, (2, 3), energy, [energy]), STATES)
    assert np.array_equal(slowed(STATES, (2, 3), energy, []), STATES)
