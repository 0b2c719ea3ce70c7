"""Warped coordinates: functions are tried only where the data lie in their domain."""

import numpy as np

from discovery.libraries.warped import WARPS, warps


def test_only_functions_that_the_data_allow():
    rows = np.random.default_rng(0).uniform(-3, 3, (100, 2))
    found = {library.name.split("(")[0] for library in warps(["p", "q"], rows)}
    assert found == {"asinh", "sinh", "exp", "atan"}
    positive = {library.name.split("(")[0] for library in warps(["p", "q"], 1.5 + rows / 4)}
    assert positive <= set(WARPS)
    assert {"log", "tanh"} <= positive
    assert "atanh" not in positive
