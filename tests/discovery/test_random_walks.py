"""Columns that only add up noise: no law, no warning, no error, whatever they are said to be."""

import warnings

import numpy as np
import pytest

from discovery import ConservedQuantityFinder


@pytest.mark.parametrize(
    "roles",
    [
        None,
        pytest.param(["position"] * 3, marks=pytest.mark.slow),
        ["position", "velocity", "other"],
    ],
)
def test_walks_have_no_law(roles):
    walks = np.cumsum(np.random.default_rng(0).normal(size=(40, 200, 3)), axis=1)
    finder = ConservedQuantityFinder(roles=roles, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        finder.fit(walks.reshape(-1, 3), groups=np.repeat(np.arange(40), 200))
    assert finder.n_conserved_ == 0
