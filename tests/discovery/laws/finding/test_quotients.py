"""Quotients: numerator and denominator of what is constant along runs, and nothing elsewhere."""

import numpy as np
import pytest

from discovery import ConservedQuantityFinder, Trajectories, datasets
from discovery.criteria import LAWS
from discovery.estimation.iterates.sampling import Sampling
from discovery.estimation.preparation import prepare
from discovery.formulas.simple_numbers import NUMBERS
from discovery.laws.finding.quotients import moments, shortest, spans
from discovery.laws.general import Quotients, general_stages
from discovery.laws.judging.law import Findings
from discovery.libraries.families import polynomial


def orbits_of(states, noise=None, sampling=Sampling.FLOW):
    runs = Trajectories(states=states, names=("x", "y"))
    return prepare(runs, noise, sampling)


def planted(seed, noise):
    runs = datasets.random("planted", seed, 24, 80, noise)
    return orbits_of(runs.states), runs.truth["h"]


def libraries(orbits):
    (stage,) = general_stages(("x", "y"), ("other", "other"))
    return stage.libraries(orbits, Findings())


def misfit(library, orbits, truth):
    """Return the share of the best combination's spread that is no law, on the smoothed path."""
    states = orbits.smoothed.states
    terms = library.values(states)
    design = np.vstack([np.ones(terms.shape[1]), terms]).T
    values = truth(states)
    rest = values - design @ np.linalg.lstsq(design, values)[0]
    return rest.std() / values.std()


@pytest.mark.parametrize("seed", [0, 1, 3])
def test_a_planted_quotient_is_found(seed):
    orbits, truth = planted(seed, 0.0)
    # Of h itself, or of what has another of its mixtures for a denominator: 1/h is one.
    library = next(iter(libraries(orbits)))
    assert min(misfit(library, orbits, t) for t in (truth, lambda s: 1 / truth(s))) < 0.05
    run = np.diff(library.values(orbits.smoothed.states[:80]), axis=1)
    assert np.linalg.svd(run)[1][-1] < 1e-4 * np.linalg.svd(run)[1][0]


def test_numbers_of_the_denominator_count():
    orbits, _ = planted(0, 0.0)
    library = next(iter(libraries(orbits)))
    assert library.fitted >= 1
    assert library.restrict([0]).fitted == library.fitted


def symmetric_qrt(rng, runs=24, steps=80):
    """Draw a symmetric QRT map: (1 + x²)(1 + y²) and a biquadratic keep their quotient.

    Source: Quispel, Roberts and Thompson, *Integrable mappings and soliton equations* (Phys. Lett.
    A 126, 1988).
    """
    a, b, c, d = rng.uniform(-0.5, 0.5, 4)

    def after(x, y):
        # x + x' = -(coefficient of x over that of x²) in P - h Q, as a quadratic in x.
        h = (a * x * y + b * (x + y) + c * x * x * y * y + d) / ((1 + x * x) * (1 + y * y))
        return -(a * y + b) / (c * y * y - h * (1 + y * y)) - x

    x, y = rng.uniform(0.3, 1.0, (2, runs))
    out = []
    for _ in range(steps):
        out.append(np.stack([x, y], axis=-1))
        x, y = y, after(x, y)
    return np.stack(out, axis=1)


@pytest.mark.parametrize("seed", [0, 1, 3])
def test_a_qrt_map_has_a_biquadratic_quotient(seed):
    states = symmetric_qrt(np.random.default_rng(seed))
    orbits = orbits_of(states, np.full(2, 1e-6), Sampling.MAP)
    names = [library.name for library in libraries(orbits)]
    assert "polynomial(2 in each) over another" in names


def chaotic(rng):
    """Draw runs of Hénon's map."""
    x = rng.uniform(-0.1, 0.1, (24, 2))
    out = []
    for _ in range(100):
        x = np.stack([1 - 1.4 * x[:, 0] ** 2 + x[:, 1], 0.3 * x[:, 0]], axis=-1)
        out.append(x)
    return np.stack(out[20:], axis=1)


def test_chaos_has_no_quotient():
    orbits = orbits_of(chaotic(np.random.default_rng(0)), np.full(2, 1e-3), Sampling.MAP)
    assert list(libraries(orbits)) == []


def test_a_denominator_with_a_zero_in_the_data_is_not_used():
    orbits, _ = planted(0, 0.0)
    powers = polynomial(("x", "y"), 2)
    some, sizes = moments(powers, orbits)
    states = orbits.smoothed.states
    values = np.vstack([np.ones(len(states)), powers.values(states)]) / sizes[:, None]
    ratio, span = spans(some, np.random.default_rng(0))[0]
    assert ratio < LAWS.flatness_ceiling
    assert shortest(some, span, values, sizes, NUMBERS) is not None
    # Beside these values with the other sign no denominator keeps its own.
    assert shortest(some, span, np.hstack([values, -values]), sizes, NUMBERS) is None


@pytest.mark.slow
@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_the_report_has_one_fraction(noise):
    runs = datasets.random("planted", 0, 40, 100, noise)
    finder = ConservedQuantityFinder(roles=runs.roles, random_state=0)
    (law,) = finder.fit(runs.rows, groups=runs.groups, times=runs.row_times).quantities_
    values = law(datasets.random("planted", 0, 40, 100, 0.0).states)  # of the same runs, clean
    assert law.verdict == "exact" and values.std(axis=1).max() < noise * values.std() + 1e-6
    assert law.expression.as_numer_denom()[1].free_symbols


def test_mechanical_systems_are_left_to_their_libraries():
    assert general_stages(("q", "p"), ("position", "momentum")) == []
    assert general_stages(("x", "y"), ("position", "position")) != []


def test_maps_of_positions_and_momenta_may_keep_quotients():
    """Only on paths are the laws of these sums of powers of the momenta."""
    mechanical = ("q", "p"), ("position", "momentum")
    for given in (True, False):
        assert any(
            isinstance(stage, Quotients)
            for stage in general_stages(*mechanical, given=given, iterates=True)
        )
    angles = general_stages(("q", "p"), ("angle", "momentum"), iterates=True)
    assert not angles
