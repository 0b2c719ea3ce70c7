"""What a search tries in turn: closed forms, functions with a length of their own, features."""

import importlib
import inspect
import pkgutil

import numpy as np
import pytest
import sympy

from discovery import datasets, laws, libraries
from discovery.estimation.preparation import prepare
from discovery.estimation.split import Split
from discovery.laws.judging.law import Findings
from discovery.laws.search import Search, analyse
from discovery.laws.stage import Stage
from discovery.laws.stages import Closed, Learned, OfUnknownScale, stages_of
from discovery.libraries.unknown_scale import scaled


@pytest.fixture(scope="module")
def split():
    runs = datasets.load("harmonic_oscillator", 30, 60, noise=0.01, seed=0)
    return Split.draw(prepare(runs), np.random.default_rng(0))


@pytest.fixture
def energy():
    return libraries.custom(["p**2", "q**2"], ("q", "p"))


@pytest.fixture
def cubes():
    return libraries.custom(["p**3", "q**3"], ("q", "p"))


def search(split, *stages):
    return analyse(stages, split, np.random.default_rng(0))


def test_libraries_become_stages(energy):
    of_unknown_scale = scaled(("x", "p"), ("position", "momentum"))
    stages = stages_of([energy, *of_unknown_scale])
    assert [type(stage) for stage in stages[:2]] == [Closed, OfUnknownScale]
    assert [stage.name for stage in stages] == ["custom", *(s.name for s in of_unknown_scale)]
    assert [len(stage) for stage in stages] == [2, *(len(s) for s in of_unknown_scale)]
    assert stages_of([libraries.logarithmic(["x", "y"], [1])])[0].positive == (1,)


def test_a_scale_is_not_looked_for_beside_an_energy(split, energy):
    found = search(split, Closed(energy))
    (law,) = found.laws
    stage = OfUnknownScale(scaled(("q", "p"), ("position", "momentum"))[0])
    assert law.expression.diff(sympy.Symbol("p", real=True), 2) != 0
    assert stage.libraries(split.fit, found) is None
    assert stage.libraries(split.fit, Findings()) is not None


def test_features_are_learned_only_where_nothing_was_found(split, energy, cubes):
    asked = []

    def train(fit):
        asked.append(fit)
        return cubes

    found = search(split, Closed(cubes), Learned(train))
    assert [fit is split.fit for fit in asked] == [True]
    assert [record.library for record in found.stages] == ["custom", "custom"]
    search(split, Closed(energy), Learned(train))
    assert len(asked) == 1
    assert Learned(train).libraries(split.fit, search(split, Closed(energy))) is None


class Own(Stage):
    """A stage of somebody else's: what it gives depends on what was found."""

    name = "my own"

    def __init__(self, *given):
        self.given = given

    def __len__(self):
        return 7

    def libraries(self, fit, found):
        return self.given if not found.laws else None


def test_a_stage_from_outside(split, energy, cubes):
    found = search(split, Own(), Own(cubes, energy), Own(cubes))
    assert [str(law.expression) for law in found.laws] == ["p**2 + q**2"]
    # What admits no functions is said to have been tried, what was needless is not.
    records = [(record.library, record.n_terms, record.n_laws) for record in found.stages]
    assert records == [("my own", 7, 0), ("custom", 2, 0), ("custom", 2, 1)]


def test_a_formula_is_judged_once(split, energy):
    one = Search(split, np.random.default_rng(0))
    one.run([Closed(libraries.custom(["p**2", "q**2", "p*q"], ("q", "p")))])
    judged = set(one.judged)
    assert len(one.pool) == len(one.chosen.laws) == 1
    one.run([Closed(energy)])
    assert one.judged == judged
    assert len(one.pool) == 1


def test_each_stage_answers_all_that_a_search_asks():
    """A search asks any stage for libraries, and for what a law may be an expansion of."""
    modules = [
        importlib.import_module(module.name)
        for module in pkgutil.walk_packages(laws.__path__, "discovery.laws.")
    ]
    asked = {name for name in dir(Stage) if not name.startswith("_")}
    kinds = [
        kind
        for module in modules
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if "libraries" in vars(kind) and kind is not Stage
    ]
    assert len(set(kinds)) > 15
    for kind in kinds:
        assert Stage in kind.__mro__, kind
        assert asked - {"name"} <= {*dir(kind)}, kind
