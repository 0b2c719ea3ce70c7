"""The search on systems with known laws: the right number, true formulas, none on controls."""

from dataclasses import replace
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest
import sympy

from discovery import Trajectories, datasets, libraries
from discovery.criteria import LAWS
from discovery.datasets.integrate import integrate
from discovery.estimation.orbits import Orbits
from discovery.estimation.path import raw_path
from discovery.estimation.preparation import prepare
from discovery.estimation.split import Split
from discovery.laws import search, trials
from discovery.laws.judging.verdict import MOTION
from discovery.laws.search import Search, analyse
from discovery.laws.stages import stages_of
from discovery.laws.trials import Wanted
from discovery.libraries.domain import Domain
from discovery.libraries.families import polynomial
from discovery.libraries.library import Library
from discovery.libraries.numeric import Numeric

RUNS, STEPS = 40, 100

LAWFUL = [
    "harmonic_oscillator",
    "pendulum",
    "duffing",
    "lotka_volterra",
    "isotropic_oscillator",
    "anisotropic_oscillator",
    "kepler",
    "henon_heiles",
    "rigid_body",
]
CONTROLS = ["lorenz", "van_der_pol", "damped_pendulum", "damped_oscillator"]
# How constant a formula must be on clean orbits that nobody has seen. Rounded coefficients are
# exact; others are known to a fraction of what noise moves one value, which at 5 % is up to 14 % of
# the spread.
DRIFT = {0.0: 1e-5, 0.01: 0.01, 0.05: 0.05}
# Loud noise leads through all libraries: seconds each in four dimensions.
LOUD = [
    pytest.param(name, marks=pytest.mark.slow if "kepler" in name or "isotropic" in name else ())
    for name in LAWFUL
]


def findings_of(runs, library="auto", seed=0):
    rng = np.random.default_rng(seed)
    orbits = prepare(runs)
    found = libraries.resolve(library, runs.names, runs.roles, runs.rows)
    return analyse(stages_of(found), Split.draw(orbits, rng), rng)


@cache
def findings(name, noise):
    return findings_of(datasets.load(name, RUNS, STEPS, noise=noise, seed=0))


@cache
def unseen(name):
    """Clean orbits from another seed."""
    return datasets.load(name, 30, STEPS, seed=99)


def exact_of(found):
    return [law for law in found.laws if law.verdict == "exact"]


def values_on(law, runs):
    values = law.coefficients @ law.library.values(runs.rows)
    return values.reshape(runs.n_runs, -1)


def drift_on(law, runs):
    values = values_on(law, runs)
    return (values - values.mean(axis=1, keepdims=True)).std() / values.std()


def angle_to_the_laws(truth, laws, states, scale):
    """Sine of the angle between the truth's gradient and the span of the laws', (points,).

    The truth is a function of the laws where it is zero. By central differences of the truth.
    """
    step = 1e-5 * scale * np.eye(len(scale))
    slope = truth(states[:, None] + step) - truth(states[:, None] - step)
    slope /= np.linalg.norm(slope, axis=1, keepdims=True)
    span = np.stack([law.gradient(states, scale) for law in laws], axis=2)
    span, _ = np.linalg.qr(span)
    rest = slope - np.einsum("nik,njk,nj->ni", span, span, slope)
    return np.linalg.norm(rest, axis=1)


@pytest.mark.parametrize("noise", [0.0, 0.01])
@pytest.mark.parametrize("name", LAWFUL)
def test_count(name, noise):
    assert len(exact_of(findings(name, noise))) == datasets.info(name).count


@pytest.mark.parametrize("name", LOUD)
def test_loud_noise_hides_laws_and_invents_none(name):
    assert 1 <= len(exact_of(findings(name, 0.05))) <= datasets.info(name).count


@pytest.mark.parametrize(
    ("name", "noise"),
    [
        *((name, noise) for name in LAWFUL for noise in (0.0, 0.01)),
        *(pytest.param(*p.values, 0.05, marks=p.marks) for p in LOUD),
    ],
)
def test_formulas_are_conserved(name, noise):
    """Every formula called exact is constant on clean orbits that took no part at all."""
    for law in exact_of(findings(name, noise)):
        assert drift_on(law, unseen(name)) < DRIFT[noise], str(law.expression)


# Systems with one law up to a scale: the formula itself is known. Duffing at 5 % is not rounded.
UNIQUE = ["harmonic_oscillator", "pendulum", "duffing", "lotka_volterra", "henon_heiles"]


@pytest.mark.parametrize("noise", [0.0, 0.01])
@pytest.mark.parametrize("name", UNIQUE)
def test_formula_is_proportional_to_the_truth(name, noise):
    """Affine in the true law, with rounding alone as the error: the coefficients are exact."""
    (law,) = exact_of(findings(name, noise))
    runs = unseen(name)
    (truth,) = runs.truth.values()
    found, true = values_on(law, runs).ravel(), truth(runs.rows)
    fit = np.polyfit(true, found, 1)
    np.testing.assert_allclose(np.polyval(fit, true), found, atol=1e-9 * np.ptp(found))


@pytest.mark.parametrize(("noise", "sine"), [(0.0, 1e-6), (0.01, 1e-2)])
@pytest.mark.parametrize("name", LAWFUL)
def test_truth_is_a_function_of_the_formulas(name, noise, sine):
    """E1 of the isotropic oscillator is (S² + L²)/E2: the gradients tell, whatever the function."""
    runs, laws = unseen(name), exact_of(findings(name, noise))
    states = runs.rows[::10]
    for law, truth in runs.truth.items():
        found = angle_to_the_laws(truth, laws, states, runs.rows.std(axis=0))
        assert np.median(found) < sine, law


@pytest.mark.parametrize("noise", [0.0, 0.01, 0.05])
@pytest.mark.parametrize("name", CONTROLS)
def test_controls_have_no_law(name, noise):
    found = findings(name, noise)
    assert not exact_of(found)


def test_laws_come_exact_first_and_simple_first():
    found = findings("kepler", 0.01)
    assert [law.cost for law in exact_of(found)] == sorted(law.cost for law in exact_of(found))
    order = [law.verdict for law in found.laws]
    assert order == sorted(order, key=["exact", "approximate"].index)


def test_search_stops_when_no_further_law_can_exist():
    stages = findings("harmonic_oscillator", 0.0).stages
    assert [stage.library for stage in stages] == ["polynomial(2)"]
    assert len(findings("lorenz", 0.0).stages) > 1


def test_squares_are_not_counted():
    """A library with the law's square, cube and products: one law, and the simplest of them."""
    runs = datasets.load("harmonic_oscillator", RUNS, STEPS, noise=0.01, seed=0)
    found = findings_of(runs, [libraries.polynomial(runs.names, 6)])
    (law,) = exact_of(found)
    assert str(law.expression) == "p**2 + q**2"


def test_a_rich_polynomial_does_not_fake_a_transcendental_law():
    """Degree six fits 1 − cos θ well on the runs it was fitted to; the others refute it."""
    runs = datasets.load("pendulum", RUNS, STEPS, noise=0.0, seed=0)
    found = findings_of(runs, [libraries.polynomial(runs.names, 6)])
    for law in exact_of(found):
        assert drift_on(law, unseen("pendulum")) < 1e-5


def noisy_runs(columns, names, noise=0.01):
    states = np.stack(np.broadcast_arrays(*columns), axis=-1)
    rng = np.random.default_rng(1)
    return Trajectories(states=states + noise * rng.standard_normal(states.shape), names=names)


def test_identity_is_told_from_law():
    """A pendulum by the place of its bob: x² + y² = 1 for all runs, the energy for each."""
    pendulum = datasets.load("pendulum", RUNS, STEPS, seed=0)
    theta, omega = np.moveaxis(pendulum.states, -1, 0)
    runs = noisy_runs((np.sin(theta), -np.cos(theta), omega), ["x", "y", "omega"])
    found = findings_of(runs, "polynomial")
    assert [str(law.expression) for law in found.identities] == ["x**2 + y**2"]
    assert [str(law.expression) for law in exact_of(found)] == ["omega**2/2 + y"]


def test_law_that_an_identity_makes_dependent():
    """Points turn about the z axis on the unit sphere: one law, z, in whatever form."""
    rng = np.random.default_rng(0)
    height, phase = rng.uniform(-0.8, 0.8, (RUNS, 1)), rng.uniform(0, 6.3, (RUNS, 1))
    turn, radius = 0.2 * np.arange(STEPS) + phase, np.sqrt(1 - height**2)
    columns = (radius * np.cos(turn), radius * np.sin(turn), height)
    found = findings_of(noisy_runs(columns, ["x", "y", "z"]), "polynomial")
    assert [str(law.expression) for law in exact_of(found)] == ["z"]
    assert [str(law.expression) for law in found.identities] == ["x**2 + y**2 + z**2"]


def test_nearly_conserved_is_approximate():
    """Friction that takes a few thousandths of the energy: seen in clean data, and not exact."""
    rng = np.random.default_rng(0)
    t, damping = 0.2 * np.arange(STEPS), 2e-4
    amplitude, phase = rng.uniform(0.5, 2, (RUNS, 1)), rng.uniform(0, 6.3, (RUNS, 1))
    size = amplitude * np.exp(-damping * t)
    states = np.stack([size * np.cos(t + phase), -size * np.sin(t + phase)], axis=-1)
    runs = Trajectories(states=states, times=t, names=["x", "u"], roles=["position", "velocity"])
    found = findings_of(runs, "polynomial")
    assert not exact_of(found)
    (law,) = found.laws
    assert law.verdict == "approximate"
    # The energy falls by 1 − exp(−2·2e-4·20) = 0.8 % of itself, which spreads by about its mean.
    assert 5e-4 < law.evidence.drift < 5e-3
    assert {str(t) for t in law.library.expressions()} >= {"x**2", "u**2"}


def test_units_and_scales_do_not_matter():
    """Kilometres and milliseconds: the same number of laws, and true ones."""
    runs = datasets.load("rigid_body", RUNS, STEPS, noise=0.01, seed=0)
    units = np.array([1e3, 1e-3, 7.0])
    found = findings_of(Trajectories(states=runs.states * units, names=runs.names), "polynomial")
    assert len(exact_of(found)) == 2
    for law in exact_of(found):
        clean = unseen("rigid_body")
        scaled = Trajectories(states=clean.states * units, names=runs.names)
        assert drift_on(law, scaled) < DRIFT[0.01]


def test_same_seed_same_answer():
    runs = datasets.load("kepler", 20, 60, noise=0.02, seed=3)
    first, second = findings_of(runs, "mechanics", 7), findings_of(runs, "mechanics", 7)
    assert [str(law.expression) for law in first.laws] == [
        str(law.expression) for law in second.laws
    ]
    assert [law.evidence.flatness for law in first.laws] == [
        law.evidence.flatness for law in second.laws
    ]


def test_split_is_by_whole_runs():
    fit, held = Split.choose(30, np.random.default_rng(0))
    assert sorted([*fit, *held]) == list(range(30))
    assert len(fit) == 18
    fit, held = Split.choose(4, np.random.default_rng(0))
    assert len(fit) == len(held) == 2


@pytest.mark.slow
@pytest.mark.parametrize("noise", [0.0, 0.01])
@pytest.mark.parametrize("name", [n for n in datasets.names() if n not in LAWFUL + CONTROLS])
def test_whole_registry_invents_nothing(name, noise):
    """At full size: never more laws than there are, and those that are found are true."""
    found = findings_of(datasets.load(name, 100, 200, noise=noise, seed=0))
    assert len(exact_of(found)) <= datasets.info(name).count
    clean = datasets.load(name, 30, 200, seed=99)
    for law in exact_of(found):
        assert drift_on(law, clean) < DRIFT[noise], str(law.expression)


def test_two_expansions_of_one_name_are_judged_both():
    """Functions as numbers are all called f1: the second is no repetition of the first."""
    runs = datasets.load("harmonic_oscillator", 20, 60, noise=0.05, seed=0)
    orbits, rng = prepare(runs), np.random.default_rng(0)
    terms = libraries.polynomial(runs.names, 2)
    squares = [terms.expressions().index(q**2) for q in terms.symbols]

    def as_numbers(share, name):
        vector = np.zeros((len(terms), 1))
        vector[squares, 0] = 1.0, share
        inner = Library(terms.symbols, terms.atoms, terms.exponents, name)
        return Numeric(inner, vector, terms)

    stages = stages_of([as_numbers(1.1, "one"), as_numbers(1.0, "another")])
    (law,) = exact_of(analyse(stages, Split.draw(orbits, rng), rng))
    assert law.library.name == "another, as numbers"


def test_what_is_not_wanted_is_not_judged():
    """Of the laws of an oscillator in the plane, those without the coordinate y."""
    runs = datasets.load("isotropic_oscillator", RUNS, STEPS, noise=0.01, seed=0)
    y, rng = sympy.Symbol("y", real=True), np.random.default_rng(0)
    stages = stages_of([libraries.polynomial(runs.names, 2)])

    class WithoutY(Wanted):
        def __call__(self, terms, coefficients):
            return not any(term.has(y) for term in terms.expressions())

    found = analyse(stages, Split.draw(prepare(runs), rng), rng, wanted=WithoutY())
    laws = [law.expression for law in (*found.laws, *found.left_out, *found.refused)]
    assert laws and not any(law.has(y) for law in laws)


def test_a_law_of_many_terms_says_which_samples_it_leaves_out():
    """An oscillator's energy as numbers, on 98 of 100 samples."""
    rng = np.random.default_rng(0)
    size, turn = rng.uniform(0.5, 2, (40, 1)), 0.2 * np.arange(60)
    states = np.stack([size * np.cos(turn), size * np.sin(turn)], axis=-1).reshape(-1, 2)
    path = raw_path(states + 0.01 * rng.standard_normal(states.shape), np.full(2, 0.01))
    orbits = Orbits(path, path, 60 * np.arange(41), states.std(axis=0))
    terms = polynomial(["x", "u"], 2)
    energy = [[float(str(e) in ("u**2", "x**2"))] for e in terms.expressions()]
    domain = Domain.of(terms, path.states, 1e-6 * np.eye(len(terms)), 0.02)
    search = Search(Split.draw(orbits, rng), rng)
    search._try(Numeric(terms, np.array(energy), terms, domain=domain))
    (law,) = search.chosen.laws
    assert law.evidence.outermost == pytest.approx(0.02, abs=1e-6)


def test_a_short_form_takes_the_place_of_a_long_one_that_says_the_same():
    """x² + u² for its own polynomial, where one sign of motion was all that spoke against it."""
    rng = np.random.default_rng(0)
    size, turn = rng.uniform(0.5, 2, (40, 1)), 0.2 * np.arange(60)
    states = np.stack([size * np.cos(turn), size * np.sin(turn)], axis=-1).reshape(-1, 2)
    path = raw_path(states + 0.01 * rng.standard_normal(states.shape), np.full(2, 0.01))
    orbits = Orbits(path, path, 60 * np.arange(41), states.std(axis=0))
    search = Search(Split.draw(orbits, rng), rng)
    search._try(libraries.custom(["x**2", "u**2"], ["x", "u"]))
    (short,) = search.chosen.laws
    numbers = {"x**2": 1, "u**2": 1.01, "x**4": 0.3, "x**2*u**2": 0.61, "u**4": 0.31}
    terms = libraries.custom([*numbers, "x**6", "u**6"], ["x", "u"])
    long = replace(
        short, library=terms, coefficients=np.array([*numbers.values(), 1e-3, 2e-3]), length=99.0
    )
    checks = tuple(replace(check, passed=check.name != MOTION) for check in short.checks)
    moving = replace(short.evidence, moving=0.03)
    sign = replace(short, verdict="rejected", checks=checks, evidence=moving)
    other = replace(sign, library=libraries.custom(["x**2", "u"], ["x", "u"]))
    for refused, taken in ([sign], short), ([other], long):
        search.pool, search.refused = [long], refused
        search.chosen = search._selected(search.pool)
        (law,) = search.run([]).laws
        assert law.verdict == "exact"
        assert law.library is taken.library


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_the_energy_about_a_charged_black_hole_counts_beside_the_angular_momentum(seed):
    """The angular momentum makes nearly all of its noise, and goes round either way."""
    found = findings_of(datasets.load("reissner_nordstrom", 100, 200, 0.01, seed))
    assert len(exact_of(found)) == 2


def test_what_depends_on_laws():
    """Of x, 4 or −4 and a little more or less, and y, two laws: x + .02 y is another one than x."""
    rng = np.random.default_rng(0)
    x = rng.choice([-4.0, 4.0], (40, 1)) + 0.2 * rng.normal(size=(40, 1))
    parts = np.broadcast_arrays(x, rng.normal(size=(40, 1)), rng.normal(size=(40, 60)))
    states = np.stack(parts, axis=-1).reshape(-1, 3)
    path = raw_path(states + 0.01 * rng.standard_normal(states.shape), np.full(3, 0.01))
    orbits = Orbits(path, path, 60 * np.arange(41), states.std(axis=0))
    search = Search(Split.draw(orbits, rng), rng)
    names = ("x", "y", "z")
    alone, beside = (libraries.custom(terms, names) for terms in (["x"], ["x", "y"]))
    search._try(alone)
    assert search.depends(alone, np.ones((1, 1)), [])
    assert search.depends(beside, np.array([[1.0], [0.002]]), [])
    assert not search.depends(beside, np.array([[1.0], [0.02]]), [])
    # What was left out of the laws bars no other.
    other = Search(search.split, rng)
    other._try(libraries.custom(["y"], names))
    search.pool += other.pool
    assert not search.depends(beside, np.array([[0.0], [1.0]]), [])
    # Another form of a law, however well known beside it, is no law more.
    law, library = search.chosen.laws[0], libraries.custom(["exp(x)"], names)
    near = replace(law, near=True, evidence=replace(law.evidence, beside=(1e-9, 1e-9)))
    assert not search._may_be_more(replace(near, library=library), [law])
    more = libraries.custom(["y"], names)
    assert search._may_be_more(replace(near, library=more), [law])


def test_the_square_of_an_identity_says_nothing_new():
    """All runs are on the unit circle: (x² + y² − 1)² vanishes twice there, but for rounding."""
    rng = np.random.default_rng(0)
    turn = rng.uniform(0, 6.3, (40, 1)) + rng.uniform(0.1, 0.2, (40, 1)) * np.arange(60)
    states = np.stack([np.cos(turn), np.sin(turn)], axis=-1).reshape(-1, 2)
    path = raw_path(states + 1e-3 * rng.standard_normal(states.shape), np.full(2, 1e-3))
    orbits = Orbits(path, path, 60 * np.arange(41), states.std(axis=0))
    search = Search(Split.draw(orbits, rng), rng)
    names = ("x", "y")
    search._try(libraries.custom(["x**2", "y**2"], names))
    assert len(search.chosen.identities) == 1
    square = libraries.custom(["x**4", "x**2*y**2", "y**4", "x**2", "y**2"], names)
    vector = np.array([[1.0], [2.0002], [1.0], [-2.0], [-2.0]])
    assert search.depends(square, vector, [])
    assert not search.depends(libraries.custom(["x"], names), np.ones((1, 1)), [])


@pytest.mark.parametrize("noise", [0.0, 0.001, 0.01])
def test_a_law_that_others_nearly_tell_is_seen(noise):
    """Of orbits that are nearly circles the angular momentum nearly tells the energy."""
    rng, t = np.random.default_rng(0), np.linspace(0, 12, 150)
    size, speed, out = rng.uniform((0.7, 0.85, -0.15), (1.4, 1.1, 0.15), (30, 3)).T
    starts = np.stack([size, out, speed * size**-1.5], axis=1)

    def rates(s):
        r, v, w = s.T
        return np.stack([v, r * w**2 - 1 / r**2, -2 * v * w / r], axis=1)

    states = integrate(rates, starts, t)
    states += noise * states.std(axis=(0, 1)) * rng.standard_normal(states.shape)
    orbits = prepare(Trajectories(states, times=t, names=["r", "v", "w"]))
    terms = libraries.custom(["v**2", "r**2*w**2", "1/r", "r**2*w", "w", "r"], ["r", "v", "w"])
    found = analyse(stages_of([terms]), Split.draw(orbits, rng), rng)
    assert sorted(len(law.coefficients) for law in found.laws if law.verdict == "exact") == [1, 3]


def test_a_column_without_spread_leaves_the_limits_numbers():
    still, noisy = np.array([0.0, 1e-4]), np.array([0.0, 1.0])
    split = SimpleNamespace(all=SimpleNamespace(noise=still, scale=noisy))
    assert search._of_noise(LAWS, split).sine == LAWS.sine_of_rounding


@pytest.mark.parametrize("uneven", [False, True])
def test_a_library_is_evaluated_once_for_its_directions(uneven, monkeypatch):
    """Weights of noise, and the operators with these, are of the same values and slopes."""
    asked, jets = [], Library.jets

    def noted(self, states, covariance=None, order=1):
        # At a few probes it is seen whether functions are new.
        if len(self) == len(library) and len(states) > len(split.probes):
            asked.append(order)
        return jets(self, states, covariance, order)

    library = polynomial(("x", "y", "z"), 2)
    split = Split.draw(prepare(datasets.load("lorenz", 16, 60, 0.01)), np.random.default_rng(0))
    monkeypatch.setattr(Library, "jets", noted)
    monkeypatch.setattr(trials, "noise_weights", of_noise(trials.noise_weights, uneven))
    analyse(stages_of([library]), split, np.random.default_rng(0))
    assert asked == [2]


def of_noise(weights, uneven):
    """Return the function, which tells weights in any case where noise is uneven."""

    def told(library, path, vectors):
        out = weights(library, path, vectors)
        return np.linspace(0.5, 1, len(path.states)) if uneven else out

    return told


def test_a_law_among_many_products_of_others():
    """Total spins, their products and four lengths: thirteen flat directions beside the energy."""
    runs = datasets.load("spin_chain", 100, 200, seed=0)
    found = findings_of(runs, library=polynomial(runs.names, 2))
    assert sum(law.verdict == "exact" for law in found.laws) == 4
    assert len(found.identities) == 4


@pytest.mark.parametrize("error", [0.4, 0.6])
def test_a_sum_of_unknown_numbers_is_no_law(monkeypatch, error):
    """Where no number beside the leading term's is two standard errors from zero."""
    told = search.told_by_all

    def hardly(law, *rest):
        law = told(law, *rest)
        errors = error * np.abs(law.coefficients) * (law.errors > 0)
        return replace(law, covariance=np.diag(errors**2))

    monkeypatch.setattr(search, "told_by_all", hardly)
    runs = datasets.load("one_dof/901", RUNS, STEPS, noise=0.01, seed=1)
    found = findings_of(runs, library=["pq**2", "q**2", "q**3", "q**4", "q**6"])
    assert len(found.laws) == (error < 0.5)
    assert not found.left_out
