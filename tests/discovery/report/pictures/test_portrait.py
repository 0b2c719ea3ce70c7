"""Portraits: runs over the level sets of their law."""

from dataclasses import replace

import numpy as np
import pytest

from discovery import ConservedQuantityFinder, Trajectories, datasets


@pytest.fixture(scope="module")
def pendulum():
    runs = datasets.load("pendulum", 16, 60, seed=0)
    return ConservedQuantityFinder(["omega**2", "cos(theta)"], random_state=0).fit(runs).report_


def test_each_run_lies_on_its_level_line(pendulum):
    picture = pendulum.plot("portrait")
    assert not picture.sections[0].fixed
    assert "lines: its level sets" in picture.ax_.get_title()
    assert len(picture.ax_.collections) == len(picture.values)
    for level, line in zip(picture.values, picture.ax_.collections, strict=True):
        law = pendulum.quantities[0](np.concatenate([p.vertices for p in line.get_paths()]))
        np.testing.assert_allclose(law, level, atol=0.01 * pendulum.quantities[0].spread)


def test_each_run_has_the_line_of_its_own_parameter():
    """Springs of different stiffness k, in the plane of the two coordinates of their energy."""
    rng, t = np.random.default_rng(0), np.linspace(0, 10, 80)
    k, size = rng.uniform(0.5, 2, (2, 30, 1))
    w = np.sqrt(k)
    turn = np.exp(1j * t + rng.uniform(0, 6, (30, 1)))
    states = np.stack([turn.real, k + 0 * t, size * np.cos(w * t), -size * w * np.sin(w * t)], -1)
    runs = Trajectories(states, times=t, names=["hand", "k", "x", "v"])
    report = ConservedQuantityFinder(["v**2", "k*x**2"], random_state=0).fit(runs).report_
    picture = report.plot("portrait")
    assert picture.names == ("x", "v") and "each run's own k" in picture.ax_.get_title()
    own = [section.fixed["k"] for section in picture.sections]
    assert len(set(own)) == len(own) == len(picture.ax_.collections)
    law = report.quantities[0]
    for k, states, line in zip(own, picture.states, picture.ax_.collections, strict=True):
        ellipse = np.concatenate([path.vertices for path in line.get_paths()])
        rows = [np.column_stack([np.zeros(len(s)), k + 0 * s[:, 0], s]) for s in (ellipse, states)]
        columns = [report.names.index(symbol.name) for symbol in law.library.symbols]
        levels = [law(each[:, columns]) for each in rows]
        np.testing.assert_allclose(levels[0], levels[1].mean(), atol=0.02 * law.spread)


def test_a_section_names_what_it_holds_fixed():
    runs = datasets.load("henon_heiles", 16, 60, seed=0)
    library = ["p1**2", "p2**2", "q1**2", "q2**2", "q1**2*q2", "q2**3"]
    report = ConservedQuantityFinder(library, random_state=0).fit(runs).report_
    picture = report.plot("portrait")
    assert set(picture.sections[0].fixed) == {"p1", "p2"}
    assert "where p1 = 0, p2 = 0" in picture.ax_.get_title()


def test_a_law_that_is_flat_in_the_plane_has_no_lines():
    runs = datasets.load("kepler", 16, 60, seed=0)
    report = ConservedQuantityFinder(["x*v", "y*u"], random_state=0).fit(runs).report_
    still = replace(report, runs=runs_about(runs, [2, 3]))
    assert still.plot("portrait").sections is None


def runs_about(runs, columns):
    """Return runs with medians of zero in some columns: x v − y u is flat then."""
    states = runs.states.copy()
    states[..., columns] -= np.median(runs.rows[:, columns], axis=0)
    return Trajectories(states, times=runs.times, names=runs.names)
