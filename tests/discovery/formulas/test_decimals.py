"""Printed numbers: fractions as in books, and decimals."""

import re

import pytest
import sympy

from discovery.formulas.decimals import in_decimals
from discovery.formulas.parsing import parse_formula
from discovery.report.typesetting import label, latex, mathml, spelled

PRINTED = {
    "v**2/2 + x/3 - 3*x**2/2": "v**2/2 - 3*x**2/2 + x/3",
    "473*x/10 + 23*v/10": "2.3*v + 47.3*x",
    "3*x/5 - v/20": "-0.05*v + 0.6*x",
    "25*x/2 + 35*v/8": "4.375*v + 12.5*x",
    "(x - 7854/25)**2/2": "(x - 314.16)**2/2",
    "exp(-23*x/10) + log(x**2 + 1/4)": "log(x**2 + 1/4) + exp(-2.3*x)",
    # Exponents and roots stay, and what is no decimal.
    "x**(7/5) + x*sqrt(3/5)": "x**(7/5) + 0.2*sqrt(15)*x",
    "17*x/3 + 100*v/7": "100*v/7 + 17*x/3",
}


@pytest.mark.parametrize("text", PRINTED)
def test_a_formula_as_books_print_it(text):
    exact = sympy.sympify(text, rational=True)
    printed = spelled(exact)
    assert printed == PRINTED[text]
    assert in_decimals(in_decimals(exact)) == in_decimals(exact)
    # What was printed and is read again has the same numbers, to the last digit.
    again = parse_formula(printed, sympy.symbols("x v"))
    numbers = [sorted(map(float, e.atoms(sympy.Number))) for e in (in_decimals(exact), again)]
    assert numbers[0] == numbers[1]
    assert sympy.nsimplify(again - exact, rational=True).expand() == 0


def test_all_printers_print_numbers_alike():
    exact = sympy.sympify("473*x/10 + 3*v/5", rational=True)
    for printer in (spelled, latex, mathml, label):
        text = printer(exact)
        assert re.search(r"47\.3\b", text) and re.search(r"0\.6\b", text), text
