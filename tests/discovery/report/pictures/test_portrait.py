"""Portraits: runs over the level sets of their law."""

import numpy as np
import pytest

from discovery import ConservedQuantityFinder, datasets


@pytest.fixture(scope="module")
def pendulum():
    runs = datasets.load("pendulum", 16, 60, seed=0)
    return ConservedQuantityFinder(["omega**2", "cos(theta)"], random_state=0).fit(runs).report_


def test_each_run_lies_on_its_level_line(pendulum):
    picture = pendulum.plot("portrait")
    assert not picture.section.fixed
    assert "lines: its level sets" in picture.ax_.get_title()
    (lines,) = picture.ax_.collections
    assert len(lines.get_paths()) == len(set(picture.values))
    for level, path in zip(sorted(picture.values), lines.get_paths(), strict=True):
        theta, omega = path.vertices.T
        law = pendulum.quantities[0](np.stack([theta, omega], axis=1))
        np.testing.assert_allclose(law, level, atol=0.01 * pendulum.quantities[0].spread)


def test_a_section_names_what_it_holds_fixed():
    runs = datasets.load("henon_heiles", 16, 60, seed=0)
    library = ["p1**2", "p2**2", "q1**2", "q2**2", "q1**2*q2", "q2**3"]
    report = ConservedQuantityFinder(library, random_state=0).fit(runs).report_
    picture = report.plot("portrait")
    assert set(picture.section.fixed) == {"p1", "p2"}
    assert "where p1 = 0, p2 = 0" in picture.ax_.get_title()


def test_a_law_that_is_flat_in_the_plane_has_no_lines():
    runs = datasets.load("kepler", 16, 60, seed=0)
    report = ConservedQuantityFinder(["x*v", "y*u"], random_state=0).fit(runs).report_
    section = report.plot("portrait").section
    assert section is None or np.ptp(section.values) > 0
