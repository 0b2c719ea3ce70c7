"""Totals: the sums without negative coefficients that conserved sums amount to."""

import itertools

import numpy as np
import pytest

from discovery.formulas.totals import _determinant, extreme_rays, in_whole_numbers, totals


@pytest.mark.parametrize(
    ("vector", "whole"),
    [
        ([1.0, -0.5, 0.0], (2, -1, 0)),
        ([2 / 3, 1 / 3, 1.0], (2, 1, 3)),
        ([1 / 24, 1.0], (1, 24)),
        ([0.181, 1.26], None),
        ([1.0, np.sqrt(2)], None),
    ],
)
def test_whole_numbers(vector, whole):
    assert in_whole_numbers(vector) == whole


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_determinants_are_exact(size):
    rng = np.random.default_rng(size)
    for _ in range(20):
        rows = rng.integers(-3, 4, (size, size))
        assert _determinant(rows.tolist()) == round(np.linalg.det(rows))


def test_an_enzyme():
    """Columns S, E, ES, P; what was found is E + ES and S + P − E."""
    found = [(0, 1, 1, 0), (1, -1, 0, 1)]
    assert totals(found) == [(0, 1, 1, 0), (1, 0, 1, 1)]
    # The total of the enzyme may be one number in all runs.
    assert totals(found[1:], found[:1]) == [(1, 0, 1, 1)]


def test_sums_that_have_none():
    assert totals([(1, -1, 0)]) is None
    assert totals([(1, 1, 0, 0), (0, 0, 1, -1)]) is None


@pytest.mark.parametrize("seed", range(10))
def test_moieties_are_found_from_any_combinations(seed):
    """Species made of parts of their own: each part is in one species alone, and in others."""
    rng = np.random.default_rng(seed)
    parts = np.hstack([np.eye(3, dtype=int), rng.integers(0, 3, (3, 3))])
    mix = np.eye(3, dtype=int)
    for i, j in itertools.permutations(range(3), 2):
        mix[i] += rng.integers(-2, 3) * mix[j]
    rays = extreme_rays([tuple(map(int, row)) for row in mix @ parts])
    assert set(map(tuple, parts.tolist())) <= set(rays)
    assert len(totals([tuple(map(int, row)) for row in mix @ parts])) == 3


def test_too_many_are_left_alone():
    rows = [tuple(int(i == j or j > 9) for j in range(30)) for i in range(10)]
    assert extreme_rays(rows) is None and totals(rows) is None
