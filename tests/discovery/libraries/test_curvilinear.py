"""Energies in curvilinear coordinates: what may be divided by."""

import numpy as np

from discovery.libraries.curvilinear import clear_sines, curvilinear


def test_what_may_be_divided_by():
    rows = np.column_stack([np.linspace(0.5, 2.5, 50), np.linspace(-1, 1, 50)])
    angles = ["angle", "angle"]
    assert clear_sines(rows, angles, np.zeros(2)) == [(0, True), (1, False)]
    assert clear_sines(rows, angles, np.array([0.3, 0.0])) == [(1, False)]
    assert clear_sines(rows, ["position"] * 2, np.zeros(2)) == []
    assert curvilinear(("a", "b"), angles, [], [(0, True)]) is None  # no momenta
    assert curvilinear(("a", "p"), ["angle", "momentum"], [], []) is None  # nothing to divide by
