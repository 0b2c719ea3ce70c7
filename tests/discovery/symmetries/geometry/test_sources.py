"""Every kind of metric gives the same numbers: one row adds a kind."""

from types import SimpleNamespace

import numpy as np
import pytest
import sympy
from keras import ops

from discovery.symmetries.geometry import metric_at_points, sources
from discovery.symmetries.geometry.formula_metric import FormulaMetric

X, Y = SYMBOLS = sympy.symbols("x y", real=True)
POINTS = np.random.default_rng(0).uniform(-1, 1, (40, 2))
FORMULAS = FormulaMetric(sympy.Matrix([[2 + X * Y, X], [X, 3 + Y**2]]), SYMBOLS, X**2)
G, DG, V, DV = FORMULAS.at(POINTS)


def function(x):
    rows = [[2 + x[:, 0] * x[:, 1], x[:, 0]], [x[:, 0], 3 + x[:, 1] ** 2]]
    return ops.stack([ops.stack(row, -1) for row in rows], 1)


class Valued:
    """A model that gives values only."""

    def metric_tensor(self, points):
        return FORMULAS.at(points)[0]


class Moving:
    """A learned Lagrangian that leaves so much of the motion unexplained."""

    def __init__(self, misfit=0.0, bend=1.0):
        self.misfit, self.bend = misfit, bend

    def lagrangian_terms(self, q):
        g, dg, potential, force = FORMULAS.at(q)
        return SimpleNamespace(
            metric=g,
            partials=dg,
            potential=potential,
            force=force,
            energy_scale=1.0,
            misfit=self.misfit,
            bend=self.bend,
        )

    def drawn_terms(self, q, count):
        return [self.lagrangian_terms(q) for _ in range(count)]


KINDS = {"formulas": FORMULAS, "callable": function, "values": Valued(), "motion": Moving()}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_metric_gives_the_same_numbers(kind):
    found = metric_at_points.evaluate(KINDS[kind], POINTS)
    np.testing.assert_allclose(found.metric, G, rtol=1e-5)
    np.testing.assert_allclose(found.partials, DG, atol=1e-5)
    assert found.exact == (kind in ("formulas", "callable"))
    if kind in ("formulas", "motion"):  # a potential comes with them
        np.testing.assert_allclose(found.force, DV)
    else:
        assert found.force is None


@pytest.mark.parametrize("kind", ["formulas", "callable"])
def test_second_derivatives_of_exact_metrics(kind):
    found = metric_at_points.second_jet(KINDS[kind], POINTS)
    expected = FORMULAS.second_jet(POINTS)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_only_what_knows_its_error_is_drawn_from():
    drawn = {kind: metric_at_points.drawn(m, POINTS, 3) for kind, m in KINDS.items()}
    assert [kind for kind, fields in drawn.items() if fields] == ["motion"]
    assert len(drawn["motion"]) == 3
    np.testing.assert_allclose(drawn["motion"][0].metric, G)


def test_whole_models_are_no_kinetic_energy_unless_they_learn_motion():
    assert all(sources.source_of(metric).mechanical for metric in KINDS.values())
    assert not sources.source_of(SimpleNamespace(layers=[])).mechanical


def test_motion_that_is_not_explained_tells_nothing():
    with pytest.raises(ValueError, match="40% of the motion"):
        metric_at_points.evaluate(Moving(misfit=0.4), POINTS)


def test_motion_that_is_straight_but_for_noise_is_believed():
    straight = metric_at_points.evaluate(Moving(misfit=0.9, bend=1e-5), POINTS)
    np.testing.assert_allclose(straight.metric, G)


def test_what_is_no_metric_is_refused():
    with pytest.raises(ValueError, match="received float"):
        sources.source_of(3.0)
