"""A product of polynomials of which rounding leaves none."""

from types import SimpleNamespace

import numpy as np

from discovery.formulas.simple_numbers import NUMBERS
from discovery.laws import general
from discovery.libraries.families import polynomial


def test_a_product_without_factors_ends_in_no_error(monkeypatch):
    monkeypatch.setattr(general, "rounded", lambda *_: [])
    powers = polynomial(("x", "y"), 1)
    terms = SimpleNamespace(powers_library=powers, rest_library=powers)
    found = SimpleNamespace(product=SimpleNamespace(rest=np.ones(2)))
    stage = general.Products(("x", "y"), np.arange(3.0), NUMBERS)
    library = stage._library(terms, found)
    assert len(library) == 2
    assert library.clear.polynomials.shape == (0, 3)
