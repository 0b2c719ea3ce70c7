"""What a SymmetryFinder refuses, and that it says why."""

import numpy as np
import pytest
import sympy
from keras import ops

from discovery import SymmetryFinder
from discovery.formula_metric import FormulaMetric

XY = sympy.symbols("x y", real=True)
POINTS = np.random.default_rng(0).uniform(-1, 1, (200, 2))


def plane(x):
    return ops.eye(2, dtype=x.dtype) + 0 * x[:, :1, None]


def lorentzian(x):
    return plane(x) * ops.convert_to_tensor([[-1.0, 0.0], [0.0, 1.0]], x.dtype)


@pytest.mark.parametrize(
    ("options", "points", "message"),
    [
        ({}, POINTS[:, 0], "one point a row"),
        ({}, np.full((50, 2), np.nan), "finite"),
        ({}, POINTS[:10], "too few"),
        ({"library": "polynomal"}, POINTS, "Unknown library"),
        ({"library": []}, POINTS, "no vector fields"),
        ({"library": ["q*x"]}, POINTS, "'q' is unknown"),
        ({"library": [("x", "y", "1")]}, POINTS, "2 components"),
        ({"library": ["x", ("x", "y")]}, POINTS, "mixes"),
        ({"library": ["(-y, x)"]}, POINTS, "no part of a formula"),
        ({"library": ["log(x)"]}, POINTS, "not finite|are not"),
        ({"library": [None]}, POINTS, "scalar functions or vector fields"),
        (
            {"metric": FormulaMetric(sympy.eye(2), XY, "log(x - 5)")},
            POINTS,
            "potential.*not finite",
        ),
        ({"names": ["x"]}, POINTS, "names"),
        ({"names": ["x", "x"]}, POINTS, "differ"),
        ({"roles": ["angel", None]}, POINTS, "Unknown roles"),
        ({"tolerance": -1.0}, POINTS, "tolerance"),
        ({"tolerance": "low"}, POINTS, "tolerance"),
        ({"degree": -1}, POINTS, "degree"),
        ({"metric": 3.0}, POINTS, "metric"),
        ({"metric": None}, POINTS, "metric"),
        ({"metric": lambda x: -plane(x)}, POINTS, "positive definite"),
        ({"metric": lambda x: plane(x) / 0.0}, POINTS, "finite"),
        ({"metric": lambda x: x}, POINTS, "shape"),
        (
            {
                "metric": lambda x: (
                    plane(x) + 0.3 * ops.convert_to_tensor([[0.0, 1.0], [0.0, 0.0]], x.dtype)
                )
            },
            POINTS,
            "not symmetric",
        ),
        ({"potential": lambda x: x}, POINTS, "potential"),
        ({"potential": lambda x: x[:, 0] / 0.0}, POINTS, "finite"),
        ({"potential": 3.0}, POINTS, "callable"),
        ({"library": "learned"}, POINTS[:12], "too few"),
        ({"metric": lorentzian}, POINTS, "spatial part"),
        ({"metric": lambda x: plane(x) * 0.0}, POINTS, "positive definite"),
        ({}, np.zeros((0, 2)), "one point a row|too few"),
        ({}, np.ones((200, 2)), "all alike|spread"),
        ({"random_state": 0, "library": 7}, POINTS, "library"),
    ],
)
def test_bad_input_is_refused_with_a_reason(options, points, message):
    with pytest.raises(ValueError, match=message):
        SymmetryFinder(**{"metric": plane, **options}).fit(points)


def test_parameters_survive_cloning():
    from sklearn.base import clone

    finder = SymmetryFinder(metric=plane, degree=1, names=("u", "v"))
    assert clone(finder).get_params()["degree"] == 1
