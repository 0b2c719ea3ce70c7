"""Displays: what they hold, what they draw, and that matplotlib waits until then."""

import subprocess
import sys
import warnings
from dataclasses import replace

import matplotlib
import numpy as np
import pytest
import sympy

from discovery import ConservedQuantityFinder, Trajectories, datasets
from discovery.displays import (
    InvariantDisplay,
    LawsDisplay,
    PortraitDisplay,
    ProfilesDisplay,
    SpectrumDisplay,
)

matplotlib.use("Agg")
import matplotlib.pyplot as plt


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def runs():
    return datasets.load("rigid_body", 40, 100, noise=0.01, seed=0)


@pytest.fixture(scope="module")
def report(runs):
    finder = ConservedQuantityFinder("polynomial", random_state=0)
    return finder.fit(runs.rows, groups=runs.groups).report_


def test_spectrum(report):
    display = report.plot()
    assert isinstance(display, SpectrumDisplay)
    assert display.figure_ is display.ax_.figure
    labels = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert labels == list(report.spectrum)
    frame = display.frame()
    for library, values in report.spectrum.items():
        np.testing.assert_array_equal(frame.flatness[frame.library == library], values)
    drawn = np.concatenate([line.get_xdata() for line in display.ax_.lines[:-1]])
    assert len(drawn) == len(frame)


def test_axes_and_style_are_the_callers(report):
    figure, ax = plt.subplots()
    display = report.plot(ax=ax)
    assert display.ax_ is ax and display.figure_ is figure
    again = display.plot(marker="s")
    assert again is display and display.ax_ is not ax
    assert display.ax_.lines[0].get_marker() == "s"


def test_a_spectrum_of_clean_data_fits_the_picture():
    display = SpectrumDisplay(libraries=["a"], values=[np.array([0.0, 1e-14, 30.0])]).plot()
    low, high = display.ax_.get_xlim()
    assert low > 0 and high > 30
    assert display.frame().flatness.tolist() == [0.0, 1e-14, 30.0]


def test_a_report_without_a_spectrum_has_an_empty_picture():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        display = SpectrumDisplay(libraries=[], values=[]).plot()
    assert len(display.frame()) == 0 and not display.ax_.get_yticklabels()


def test_a_law_along_runs(report, runs):
    law = report.quantities[0]
    display = InvariantDisplay.from_quantity(law, runs, n_runs=5)
    assert len(display.ax_.lines) == len(display.values) == 5
    for run, time, value in zip(display.run_ids, display.times, display.values, strict=True):
        row = int(np.flatnonzero(runs.run_ids == run)[0])
        np.testing.assert_array_equal(value, law(runs.states[row]))
        np.testing.assert_array_equal(time, runs.times[row])
    # From the least to the greatest, each nearly level.
    means = [value.mean() for value in display.values]
    assert means == sorted(means)
    assert max(value.std() for value in display.values) < 0.1 * display.spread
    frame = display.frame()
    assert list(frame.columns) == ["run", "time", "value"] and len(frame) == 5 * 100
    assert display.ax_.get_title().startswith("$")


def test_more_runs_than_there_are(report, runs):
    assert len(InvariantDisplay.from_quantity(report.quantities[0], runs[:3]).values) == 3


def test_formulas_that_cannot_be_typeset(report, runs):
    long = sympy.sympify("+".join(f"{k}*x**{k}" for k in range(2, 40)))
    display = InvariantDisplay.from_quantity(report.quantities[0], runs)
    display.expression = long
    display.plot()
    display.figure_.canvas.draw()
    assert display.ax_.get_title().endswith("…")


def test_the_laws_of_a_report(report):
    display = report.plot("laws")
    assert isinstance(display, LawsDisplay) and len(display.axes_) == len(report.quantities) == 2
    for law, ax in zip(display.laws, display.axes_, strict=True):
        assert ax.get_xlabel() == "time" and ax.get_ylabel() and ax.get_title()
        means = [values.mean() for values in law.values]
        low, high = (np.concatenate(bounds) for bounds in zip(*law.bands(), strict=True))
        values = np.concatenate(law.values)
        # Noise explains nearly all that moves: 95 % within two standard deviations.
        assert 0.9 < np.mean((values > low) & (values < high)) < 0.99
        # And far less than what tells runs apart.
        assert np.median(high - low) < 0.5 * np.ptp(means)
    frame = display.frame()
    assert list(frame.columns) == ["law", "run", "time", "value"]
    assert set(frame.law) == {str(q.expression) for q in report.quantities}
    _, axes = plt.subplots(1, 2)
    assert report.plot("laws", ax=axes).axes_[1] is axes[1]


def test_a_portrait(report):
    display = report.plot("portrait")
    assert isinstance(display, PortraitDisplay)
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == display.names == ("x0", "x1")
    assert len(display.ax_.lines) == len(display.run_ids) == report.shown.n_runs
    # Colours go with the value of the law that the title names.
    assert display.values == sorted(display.values) and display.ax_.get_title()
    assert list(display.frame().columns) == ["run", "x0", "x1"]
    display.figure_.canvas.draw()
    legend = display.ax_.get_legend()
    assert legend.get_window_extent().x0 >= display.ax_.get_window_extent().x1
    assert not any("-" in text.get_text() for text in legend.get_texts())


def test_a_field_over_place_and_time():
    places, times = np.arange(8) * 0.5, np.arange(3.0)
    profiles = np.sin(places + times[:, None])
    display = ProfilesDisplay(places=places, times=times, profiles=profiles, name="u").plot()
    assert len(display.ax_.lines) == 3 and display.ax_.get_xlabel() == "x"
    # A profile stands at its time, and keeps its shape.
    for line, time, profile in zip(display.lifted(), times, profiles, strict=True):
        assert abs(np.median(line) - time) < 2
        assert np.corrcoef(line, profile)[0, 1] > 1 - 1e-9
    frame = display.frame()
    assert list(frame.columns) == ["time", "x", "u"] and len(frame) == 24


def test_mistakes(report, runs):
    with pytest.raises(ValueError, match=r"kind is 'law'. Expected 'spectrum', 'laws' or"):
        report.plot("law")
    with pytest.raises(ValueError, match="keeps no runs"):
        replace(report, shown=None).plot("portrait")
    with pytest.raises(ValueError, match="no law whose values"):
        replace(report, quantities=[]).plot("laws")
    with pytest.raises(ValueError, match=r"received 1\. Expected 2"):
        report.plot("laws", ax=plt.figure().gca())
    for kind in ("laws", "portrait", "spectrum"):
        with pytest.raises(ValueError, match=r"ax is 3\. Expected .*Axes"):
            report.plot(kind, ax=3)
    with pytest.raises(ValueError, match="Expected 1 Axes"):
        report.plot("portrait", ax=plt.subplots(1, 2)[1])
    with pytest.raises(ValueError, match="n_runs is 0"):
        InvariantDisplay.from_quantity(report.quantities[0], runs, n_runs=0)
    other = datasets.load("kepler", 5, 20)
    with pytest.raises(ValueError, match="expected 3 coordinates"):
        InvariantDisplay.from_quantity(report.quantities[0], other)


def test_matplotlib_is_imported_when_used():
    code = (
        "import sys, discovery.displays, discovery.report; assert 'matplotlib' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("odd", [r"$\input{/etc/passwd}$ & %", "$x", r"a\b$ $"])
def test_names_are_no_mathematics(odd):
    runs = datasets.load("harmonic_oscillator", 20, 60, noise=0.01, seed=0)
    finder = ConservedQuantityFinder("polynomial", random_state=0)
    rows = Trajectories(runs.states, runs.times, names=[odd, "u"])
    report = finder.fit(rows).report_
    for kind in ("laws", "portrait", "spectrum"):
        report.plot(kind).figure_.canvas.draw()
    assert report.plot("portrait").ax_.get_xlabel() == odd
