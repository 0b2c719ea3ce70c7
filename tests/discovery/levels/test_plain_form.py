"""Laws as plain data: what other programs read is the law that the report evaluates."""

import json

import numpy as np
import sympy

from discovery.formulas.trees import from_tree


def test_the_plain_form_has_the_values(kepler):
    states = kepler.runs.rows[:50]
    for law in kepler.quantities:
        plain = json.loads(json.dumps(law.plain_form()))
        assert tuple(plain["names"]) == kepler.names
        value = sympy.lambdify(plain["names"], from_tree(plain["tree"]))
        np.testing.assert_allclose(value(*states.T), law(states), rtol=1e-12)
