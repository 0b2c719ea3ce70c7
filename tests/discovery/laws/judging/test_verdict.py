"""The verdict on a formula: what it may imitate depends on the free numbers in it."""

import numpy as np
import pytest

from discovery.formulas.simplicity import free_numbers
from discovery.laws.judging.evidence import Evidence
from discovery.laws.judging.law import Law
from discovery.laws.judging.verdict import verdict_of
from discovery.libraries.choice import custom

NAMES = ("x", "y", "u", "v")


def seen(bound=0.01, least=0.0, moving=0.5, signal=50.0, smoothed=0.9):
    return Evidence(
        flatness=1.0,
        flatness_interval=(0.95, 1.05),
        smoothed_flatness=smoothed,
        smoothed_flatness_interval=(smoothed - 0.05, smoothed + 0.05),
        signal=signal,
        drift=float(np.sqrt((bound**2 + least**2) / 2)),
        drift_interval=(least, bound),
        noise=0.1,
        spread=1.0,
        moving=moving,
        slope=1.0,
        cancelled=0.5,
        flat_draws=np.ones(4, dtype=bool),
    )


def terms_of(n):
    """Return a library of n terms, no two of one kind."""
    return custom(["u**2", "x", "x**3", "x*y**2", "y**4", "u*v**3", "log(x)"][:n], NAMES)


def test_free_numbers():
    kinds = custom(["u**2", "v**2", "x**2", "1/sqrt(x**2 + y**2)", "x*y"], NAMES).kinds()
    assert free_numbers(np.array([1, 1, 1, -2, 3.0]), kinds) == 3
    assert free_numbers(np.array([1, -1, 1, -2, 3.0]), kinds) == 3
    assert free_numbers(np.array([1, 1, 0.5, -2, 3.0]), kinds) == 4


@pytest.mark.parametrize(
    ("numbers", "bound", "verdict"),
    [
        (3, 0.19, "exact"),
        (3, 0.21, "rejected"),
        (4, 0.09, "exact"),
        (4, 0.11, "rejected"),
        (6, 0.024, "exact"),
        (6, 0.026, "rejected"),
    ],
)
def test_more_free_numbers_must_be_known_better(numbers, bound, verdict):
    coefficients = 0.37 + 0.71 * np.arange(numbers)
    assert verdict_of(seen(bound), terms_of(numbers), coefficients, 0.5) == verdict


def test_coefficients_too_simple_by_chance_need_no_better_knowledge():
    coefficients = np.arange(1.0, 5.0)
    assert verdict_of(seen(0.15), terms_of(4), coefficients, 0.5, chance=0.001) == "exact"
    assert verdict_of(seen(0.15), terms_of(4), coefficients, 0.5, chance=0.1) == "rejected"


def test_signs_of_motion_count_against_long_formulas():
    numbers = {n: 0.37 + 0.71 * np.arange(n) for n in (3, 4, 6)}
    for n, moving, verdict in [(3, 3.0, "exact"), (4, 2.4, "exact"), (4, 3.0, "approximate")]:
        assert verdict_of(seen(), terms_of(n), numbers[n], moving) == verdict
    # Some motion for sure, however little, where anything could be fitted.
    assert verdict_of(seen(least=0.005), terms_of(4), numbers[4], 0.5) == "exact"
    assert verdict_of(seen(least=0.005), terms_of(6), numbers[6], 0.5) == "rejected"


def test_a_law_tells_orbits_apart():
    one = np.array([1.0])
    assert verdict_of(seen(signal=0.6), terms_of(1), one, 0.5) == "exact"
    assert verdict_of(seen(signal=0.4), terms_of(1), one, 0.5) == "rejected"


def law(expressions, coefficients, **evidence):
    library = custom(expressions, NAMES)
    return Law(library, np.array(coefficients), None, seen(**evidence), "exact", cost=10.0)


def test_doubt():
    kepler = ["u**2", "v**2", "1/sqrt(x**2 + y**2)"]
    assert law(kepler, [1, 1, -2.1], bound=0.02).sure
    assert law([*kepler, "x**2", "y**2"], [1, 1, -2.1, 0.3, 0.3], bound=0.02).doubtful
    # Two numbers in many terms, one term alone, and what the data exclude.
    assert law(["u**2", "v**2", "x**4", "y**4"], [1, 1, 0.3, 0.3], bound=0.02).sure
    assert law(["u**2"], [1], bound=0.02, least=0.01).sure
    assert law(kepler, [1, 1, -2.1], bound=0.02, least=0.01).doubtful
    assert law(kepler, [1, 1, -2.1], bound=0.02, least=0.005).sure
    assert law(kepler, [1, 1, -2.1], bound=0.02, moving=3.0).doubtful
    assert law([*kepler, "x**2"], [1, 1, -2.1, 0.3], bound=1e-4).sure
