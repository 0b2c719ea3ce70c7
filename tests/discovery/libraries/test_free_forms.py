"""Forms of laws with free functions: how many terms they have."""

import pytest
import sympy

from discovery.libraries.free_forms import Form


@pytest.mark.parametrize("joint", [False, True])
def test_a_form_has_no_terms_of_degrees_below_one(joint):
    x, y = sympy.symbols("x y", real=True)
    form = Form("any", (x, y), (), ((),), (x, y), joint=joint)
    assert form.count(-1) == form.count(0) == 0 < form.count(1)
