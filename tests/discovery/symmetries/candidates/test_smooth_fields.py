"""Fields of no particular formula: their slopes, and which angles they close."""

import numpy as np
import sympy

from discovery.symmetries.candidates.smooth_fields import SmoothFields

SYMBOLS = sympy.symbols("r phi", real=True)


def fields_over(angles):
    """Fields over a ring where the angles go round, a sector of it else."""
    radii = np.random.default_rng(0).uniform(0.5, 2, len(angles))
    points = np.stack([radii, angles], axis=1)
    return SmoothFields(SYMBOLS, (None, "angle"), points, 120), points


def closes(fields, points):
    turn = np.array([0.0, 2 * np.pi])
    return np.allclose(fields.jets(points + turn)[0], fields.jets(points)[0])


def test_an_arc_is_no_circle():
    rng = np.random.default_rng(1)
    assert closes(*fields_over(rng.uniform(-np.pi, np.pi, 200)))
    assert not closes(*fields_over(rng.uniform(0.0, 4.0, 200)))
    # Few samples leave wide gaps everywhere.
    assert closes(*fields_over(np.arange(8) * np.pi / 4))


def test_slopes_and_formulas_are_those_of_the_values():
    fields, points = fields_over(np.random.default_rng(1).uniform(-np.pi, np.pi, 200))
    values, slopes = fields.jets(points)
    for axis, step in enumerate(1e-6 * np.eye(2)):
        ahead, behind = fields.jets(points + step)[0], fields.jets(points - step)[0]
        np.testing.assert_allclose(slopes[:, :, axis], (ahead - behind) / 2e-6, atol=1e-6)
    coefficients = np.random.default_rng(2).normal(size=len(fields))
    written = sympy.lambdify(SYMBOLS, fields.combine(coefficients), ["numpy", "scipy"])
    found = np.stack(np.broadcast_arrays(*written(*points.T)), axis=1)
    np.testing.assert_allclose(found, np.einsum("bfk,f->bk", values, coefficients), atol=1e-6)
