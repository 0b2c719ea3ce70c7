"""Scales: round numbers at their places, in few characters, whatever the numbers are."""

import numpy as np
import pytest

from discovery.report.pictures.scale import Scale


@pytest.mark.parametrize(
    ("low", "high"),
    [(0, 1), (-3.2, 7.9), (-1e-9, 2e-9), (5e5 - 0.1, 5e5 + 0.2), (1e12, 3e12), (-2.0001, -2.0)],
)
def test_ticks(low, high):
    scale = Scale.over(np.array([low, high]), 60, 360)
    places, texts = zip(*scale.ticks, strict=True)
    assert 2 <= len(places) <= 7 and len(set(texts)) == len(texts)
    assert all(60 <= place <= 360 for place in places) and list(places) == sorted(places)
    assert max(map(len, texts)) <= 7
    np.testing.assert_allclose(np.diff(places), np.diff(places)[0])


def test_what_is_taken_off_is_said():
    scale = Scale.over(np.array([5e5 - 0.1, 5e5 + 0.2]), 0, 100)
    place, text = scale.ticks[0]
    assert scale.note == " − 500000"
    assert scale(5e5 + float(text.replace("−", "-"))) == pytest.approx(place)
    assert Scale.over(np.array([0, 3e-7]), 0, 100).note == ", in 10⁻⁷"
    assert Scale.over(np.array([0, 30]), 0, 100).note == ""


def test_a_constant_and_nothing():
    for values in ([3.0, 3.0], [0.0], [], [np.nan]):
        scale = Scale.over(np.array(values), 0, 100)
        assert scale.high > scale.low and scale.ticks
    assert Scale.over(np.array([3.0]), 0, 100)(3.0) == pytest.approx(50)


def test_what_lies_beyond_stands_at_the_ends():
    scale = Scale(0, 1, 100, 0)
    np.testing.assert_allclose(scale(np.array([-5, 0, 0.25, 1, 9])), [100, 100, 75, 0, 0])
    assert scale.per_unit == 100 and scale.zoomed(50).per_unit == pytest.approx(50)
