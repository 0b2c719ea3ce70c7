"""Elements of species named by formulas, as laws and as sums of laws."""

import numpy as np
import pandas as pd
import pytest

from discovery import ConservedQuantityFinder
from discovery.noether.elements import atoms_in


def test_atoms_are_read_from_formulas():
    found = atoms_in(["H2", "O2", "H2O", "C6H12O6"])
    assert {e: list(n) for e, n in found.items()} == {
        "C": [0, 0, 0, 6],
        "H": [2, 0, 2, 12],
        "O": [0, 2, 1, 6],
    }


@pytest.mark.parametrize("names", [["S", "I"], ["prey", "H2"], ["A2", "B2"], ["x1", "x2"], ["H_2"]])
def test_other_names_are_no_formulas(names):
    assert atoms_in(names) == {}


def oxidation(loss=0.0):
    """Return runs of 2 NO + O2 <-> 2 NO2 and 2 NO2 <-> N2O4, with and without a loss."""
    rng, rows, groups = np.random.default_rng(0), [], []
    for run in range(20):
        no, o2, no2, n2o4 = rng.uniform(0.3, 1.5, 4)
        for _ in range(40):
            rows.append([no, o2, no2, n2o4])
            groups.append(run)
            for _ in range(20):
                forth, pair = 1.1 * no**2 * o2 - 0.4 * no2**2, 0.9 * no2**2 - 0.6 * n2o4
                no, o2 = no - 0.01 * (forth + loss * no), o2 - 0.005 * forth
                no2, n2o4 = no2 + 0.01 * (forth - 2 * pair), n2o4 + 0.01 * pair
    table = pd.DataFrame(rows, columns=["NO", "O2", "NO2", "N2O4"])
    return ConservedQuantityFinder(roles=["amount"] * 4, library="polynomial", random_state=0).fit(
        table, groups=groups
    )


def test_both_elements_are_named():
    report = oxidation().report_
    named = [q.name for q in report.quantities] + [s.split(" is ")[0] for s in report.symmetries]
    assert report.n_conserved == 2
    assert {"amount of N", "amount of O"} <= set(named)


def test_what_leaves_the_network_is_not_conserved():
    report = oxidation(loss=0.3).report_
    assert not any("amount of N" in str(s) for s in (*report.symmetries, *report.quantities))
