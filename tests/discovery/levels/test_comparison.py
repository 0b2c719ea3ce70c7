"""Candidates of the user's own, judged as laws are."""

import numpy as np
import pytest

from discovery import ConservedQuantityFinder, Trajectories, datasets
from discovery.report.words import percent

ENERGY = "(u**2 + v**2)/2 - 1/r"


@pytest.fixture(scope="module")
def beside(kepler):
    return kepler.compare(
        {
            "energy": ENERGY,
            "scaled": "7 - 6*u**2 - 6*v**2 + 12/r",
            "half": "u**2/2 - 1/r",
            "wrong mass": "(u**2 + v**2)/2 - 1.1/r",
            "square": "(x*v - y*u)**2",
            "product": f"(x*v - y*u)*({ENERGY})",
            "vector": "x*v**2 - y*u*v - x/r",
        }
    )


@pytest.mark.parametrize(
    ("name", "verdict", "relation", "laws"),
    [
        ("energy", "exact", "same", {"energy"}),
        ("scaled", "exact", "same", {"energy"}),
        ("half", "rejected", "none", set()),
        ("wrong mass", "rejected", "none", set()),
        ("square", "exact", "function", {"angular momentum"}),
        ("product", "exact", "function", {"energy", "angular momentum"}),
        # The library of this report does not hold it.
        ("vector", "exact", "independent", set()),
    ],
)
def test_candidates_beside_laws(beside, name, verdict, relation, laws):
    one = beside[name]
    assert (one.verdict, one.relation, {q.name for q in one.of}) == (verdict, relation, laws)


def test_results_are_shown_in_few_words(kepler, beside):
    energy, drawn = kepler["energy"], kepler.sample(3, like=kepler.runs.rows[0], random_state=0)
    assert "energy" in repr(kepler)
    assert repr(energy) == f"Quantity(energy: {energy.formula})"
    assert str(energy) == f"energy: {energy.formula} (exact)"
    assert repr(beside["square"]).endswith("; exact; function of angular momentum)")
    assert repr(beside["scaled"]).endswith("; exact; same as energy)")
    assert repr(drawn).startswith("LevelSample(3 states with ")
    for shown in (kepler, kepler.embed(), *beside.values()):
        assert len(repr(shown)) < 200


@pytest.fixture(scope="module")
def lens():
    """Rays in a Luneburg lens: |x|² + |p|² is the same number for all of them."""
    rng = np.random.default_rng(0)
    places, turn = rng.normal(0, 0.5, (40, 2)), rng.uniform(0, 2 * np.pi, 40)
    length = np.sqrt(2 - np.sum(places**2, axis=1, keepdims=True))
    begun = np.hstack([places, length * np.stack([np.cos(turn), np.sin(turn)], 1)])
    times = np.linspace(0, 6, 80)
    cos, sin = np.cos(times)[:, None, None], np.sin(times)[:, None, None]
    q, p = begun[:, :2], begun[:, 2:]
    states = np.concatenate([cos * q + sin * p, cos * p - sin * q], axis=2).swapaxes(0, 1)
    states = states + 0.007 * rng.normal(size=states.shape)
    roles = ["position", "position", "momentum", "momentum"]
    runs = Trajectories(states, times=times, names=["x", "y", "px", "py"], roles=roles)
    return ConservedQuantityFinder("polynomial", random_state=0).fit(runs).report_


@pytest.mark.parametrize(
    ("formula", "verdict", "relation"),
    [
        ("px**2 + py**2 + x**2 + y**2", "identity", "identity"),
        ("py**2 + y**2", "exact", "same"),
        # Three laws would leave a ray on its surface no way to go.
        ("x*y + px*py", "exact", "function"),
        ("px**2 + py**2 + x**2 + 1.1*y**2", "rejected", "none"),
        ("0*x + px**2 - px**2*(1 + x) + x*px**2 + x", "rejected", "none"),
    ],
)
def test_beside_what_all_runs_obey_alike(lens, formula, verdict, relation):
    assert lens.n_conserved == 2 and len(lens.identities) == 1
    one = lens.compare({"mine": formula})["mine"]
    assert (one.verdict, one.relation) == (verdict, relation)
    assert ("an identity, no law" in str(one)) == (relation == "identity")


def test_the_numbers_are_those_of_the_law_that_it_is(kepler, beside):
    energy = next(q for q in kepler.quantities if q.name == "energy")
    one, other = beside["energy"], beside["scaled"]
    assert one.flatness == pytest.approx(energy.flatness, rel=0.2)
    assert one.flatness == pytest.approx(other.flatness, rel=1e-9)
    assert beside["wrong mass"].drift > 3 * beside["energy"].drift


def test_words(beside):
    assert "the same as energy" in str(beside["energy"])
    assert "most like energy" in str(beside["wrong mass"])
    assert "a law that the report does not have" in str(beside["vector"])
    assert (percent(1.02), percent(12.3), percent(0.123)) == ("102 %", "1230 %", "12 %")


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("w + 1", "'w' is unknown"),
        ("__import__('os').getcwd()", "no part of a formula"),
        ("3", "is a number"),
        ("sqrt(x)", "no finite value|too few"),
    ],
)
def test_what_cannot_be_judged_is_told(kepler, formula, words):
    with pytest.raises(ValueError, match=words):
        kepler.compare({"mine": formula})


def test_a_formula_without_a_name(kepler):
    with pytest.raises(ValueError, match="names and formulas"):
        kepler.compare(ENERGY)


def test_r_is_no_name_without_positions():
    runs = datasets.load("rigid_body", n_trajectories=20, n_steps=60, noise=0.01, seed=0)
    report = ConservedQuantityFinder("polynomial", random_state=0).fit(runs).report_
    with pytest.raises(ValueError, match="'r' is unknown"):
        report.compare({"mine": "r"})


@pytest.mark.parametrize("seed", range(3))
def test_what_noise_makes_is_no_law(seed):
    """On motion without laws nothing that is written down is conserved."""
    runs = datasets.load("van_der_pol", n_trajectories=20, n_steps=60, noise=0.01, seed=seed)
    report = ConservedQuantityFinder(["x**2", "v**2"], random_state=0).fit(runs).report_
    x, v = runs.names
    rng = np.random.default_rng(seed)
    a, b, c = rng.normal(size=3).round(2)
    found = report.compare(
        {"one": f"{v}**2/2 + {x}**2/2", "two": f"{a}*{x}*{v} + {b}*{x}**4 + {c}*{v}"}
    )
    assert {one.verdict for one in found.values()} == {"rejected"}


@pytest.mark.parametrize("size", [1.0, 1e4])
def test_units_do_not_matter(size):
    """A slow oscillator: its velocity is small beside its place, or both are large."""
    rng, t = np.random.default_rng(0), np.linspace(0, 1000, 150)
    a, phase = rng.uniform((0.3, 0), (2, 6.3), (30, 2)).T[..., None]
    states = size * np.stack(
        [a * np.cos(0.02 * t + phase), -0.02 * a * np.sin(0.02 * t + phase)], axis=-1
    )
    states += 0.01 * states.std(axis=(0, 1)) * rng.standard_normal(states.shape)
    roles = ["position", "velocity"]
    runs = Trajectories(states, times=t, names=["x", "v"], roles=roles)
    report = ConservedQuantityFinder(random_state=0).fit(runs).report_
    beside = report.compare({"energy": "v**2 + 0.0004*x**2", "wrong": "v**2 + 0.0005*x**2"})
    assert (beside["energy"].verdict, beside["energy"].relation) == ("exact", "same")
    assert beside["wrong"].verdict == "rejected"
    values = beside["energy"].quantity(runs)
    assert 0.5 < beside["energy"].quantity.spread / values.std() < 2
