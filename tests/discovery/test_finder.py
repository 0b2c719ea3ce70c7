"""ConservedQuantityFinder as scikit-learn knows transformers."""

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from discovery import ConservedQuantityFinder, Trajectories, datasets, libraries
from discovery.datasets.integrate import integrate


@pytest.mark.filterwarnings("ignore:without groups:UserWarning")
@parametrize_with_checks([ConservedQuantityFinder(library="polynomial", random_state=0)])
def test_scikit_learn_checks(estimator, check):
    # None is expected to fail: rows without groups count as one run, which is undecided.
    check(estimator)


@pytest.fixture(scope="module")
def runs():
    return datasets.load("rigid_body", 40, 100, noise=0.01, seed=0)


@pytest.fixture(scope="module")
def frame(runs):
    return pd.DataFrame(runs.rows, columns=runs.names)


@pytest.fixture(scope="module")
def fitted(runs, frame):
    return ConservedQuantityFinder(random_state=0).fit(frame, groups=runs.groups)


def test_attributes(fitted):
    assert fitted.n_conserved_ == 2
    assert fitted.quantities_ == fitted.report_.quantities
    assert fitted.n_features_in_ == 3
    assert list(fitted.feature_names_in_) == ["omega1", "omega2", "omega3"]


def test_transform_gives_the_exact_laws(fitted, frame):
    values = fitted.transform(frame)
    assert values.shape == (len(frame), 2)
    for column, quantity in zip(values.T, fitted.quantities_, strict=True):
        np.testing.assert_array_equal(column, quantity(frame.to_numpy()))


def test_feature_names_are_the_formulas(fitted):
    names = fitted.get_feature_names_out()
    assert list(names) == [str(q.expression) for q in fitted.quantities_[:2]]
    assert all("omega" in name for name in names)


def test_set_output(fitted, frame):
    finder = clone(fitted).set_output(transform="pandas")
    runs = np.repeat(np.arange(40), 100)
    table = finder.fit(frame, groups=runs).transform(frame)
    assert isinstance(table, pd.DataFrame)
    assert list(table.columns) == list(finder.get_feature_names_out())
    assert table.index.equals(frame.index)


def test_clone_and_parameters(fitted):
    copy = clone(fitted)
    assert copy.get_params() == fitted.get_params()
    with pytest.raises(NotFittedError):
        copy.transform(np.ones((2, 3)))
    assert copy.set_params(library="polynomial").library == "polynomial"


def test_same_seed_same_answer(fitted, frame, runs):
    again = clone(fitted).fit(frame, groups=runs.groups)
    assert again.report_.to_dict() == fitted.report_.to_dict()


def test_random_state_may_be_a_generator(frame, runs):
    finder = ConservedQuantityFinder(random_state=np.random.RandomState(3))
    assert finder.fit(frame, groups=runs.groups).n_conserved_ == 2


def test_pipeline(runs, frame):
    """Units do not matter: after a change of them, the laws are those of the new coordinates."""
    metres = FunctionTransformer(lambda X: 100.0 * X, feature_names_out="one-to-one")
    pipeline = make_pipeline(metres, ConservedQuantityFinder(random_state=0))
    pipeline.fit(frame, conservedquantityfinder__groups=runs.groups)
    finder = pipeline[-1]
    assert finder.n_conserved_ == 2
    values = pipeline.transform(frame)
    np.testing.assert_allclose(values, finder.transform(100.0 * frame))
    assert list(pipeline.get_feature_names_out()) == list(finder.get_feature_names_out())


def test_pipeline_with_a_shift(runs):
    """Standardized coordinates are shifted: the laws need linear terms beside the squares."""
    pipeline = make_pipeline(StandardScaler(), ConservedQuantityFinder(random_state=0))
    pipeline.fit(runs.rows, conservedquantityfinder__groups=runs.groups)
    assert pipeline[-1].n_conserved_ == 2


def test_score_is_the_information_on_the_run(fitted, frame, runs):
    """Laws that move as they claim: half the log of the determinant of 1 + B over W, by hand."""
    values = pd.DataFrame(fitted.transform(frame))
    means = values.groupby(runs.groups).transform("mean")
    within, between = (values - means).cov(), means.cov()
    expected = 0.5 * np.linalg.slogdet(np.eye(2) + np.linalg.solve(within, between))[1]
    assert fitted.score(frame, groups=runs.groups) == pytest.approx(expected, abs=0.3)
    shuffled = np.random.default_rng(0).permutation(runs.groups)
    assert fitted.score(frame, groups=shuffled) < 0


def test_score_and_transform_of_tables_and_of_runs_in_another_order(fitted, frame, runs):
    told = clone(fitted).set_output(transform="pandas").fit(frame, groups=runs.groups)
    assert isinstance(told.transform(frame), pd.DataFrame)
    expected = fitted.score(frame, groups=runs.groups)
    assert told.score(frame, groups=runs.groups) == pytest.approx(expected)
    turned = runs.of_columns([2, 0, 1])
    np.testing.assert_allclose(fitted.transform(turned), fitted.transform(frame))


def test_score_rises_with_every_law(fitted, frame, runs):
    whole = fitted.score(frame, groups=runs.groups)
    one = clone(fitted).fit(frame, groups=runs.groups)
    one.n_conserved_ = 1
    assert 1 < one.score(frame, groups=runs.groups) < whole - 1


def test_score_of_a_law_that_moves_here(fitted, runs):
    """Friction: what was conserved where it was found takes away from the score."""
    damped = runs.rows * np.exp(-0.002 * np.tile(np.arange(100), 40))[:, None]
    assert fitted.score(pd.DataFrame(damped, columns=runs.names), groups=runs.groups) < 0


def test_score_needs_runs_of_two_rows(fitted, frame):
    with pytest.raises(ValueError, match=r"no run has two rows .* groups="):
        fitted.score(frame[:40], groups=np.arange(40))


def test_without_groups(runs):
    finder = ConservedQuantityFinder("polynomial", random_state=0)
    with pytest.warns(UserWarning, match=r"rows count as one run.*transform returns no column"):
        assert finder.fit_transform(runs.rows).shape == (len(runs.rows), 0)
    with pytest.warns(UserWarning, match=r"the score is zero. Pass groups="):
        assert finder.score(runs.rows) == 0.0


def test_cross_validation_by_runs(frame, runs):
    """Groups go where scikit-learn's metadata routing sends them: the splitter, fit and score."""
    finder = ConservedQuantityFinder(random_state=0)
    with config_context(enable_metadata_routing=True):
        finder.set_fit_request(groups=True).set_score_request(groups=True)
        search = GridSearchCV(finder, {"library": [["omega1"], "polynomial"]}, cv=GroupKFold(2))
        search.fit(frame, groups=runs.groups)
    assert search.best_params_ == {"library": "polynomial"}
    none, both = search.cv_results_["mean_test_score"]
    assert none == 0 and both > 5


def test_trajectories_and_tables(fitted, frame, runs):
    """Runs bring their groups and roles, a table those that its columns name."""
    by_runs = ConservedQuantityFinder("polynomial", random_state=0).fit(runs)
    table = runs.to_frame()
    by_table = ConservedQuantityFinder("polynomial", random_state=0).fit(table)
    assert [q.expression for q in by_runs.quantities_] == [
        q.expression for q in by_table.quantities_
    ]
    values = by_runs.transform(frame)
    for given in (runs, table):
        np.testing.assert_array_equal(by_runs.transform(given), values)
        assert by_runs.score(given) == by_runs.score(frame, groups=runs.groups)
    law = by_runs.quantities_[0]
    for states in (runs, frame, frame[frame.columns[::-1]], runs.rows, runs.states):
        np.testing.assert_array_equal(np.ravel(law(states)), law(runs.rows))
    with pytest.raises(ValueError, match=r"no coordinate 'omega1': the table has a, omega2"):
        law(frame.rename(columns={"omega1": "a"}))


def test_score_without_laws():
    runs = datasets.load("van_der_pol", 30, 80, noise=0.01, seed=0)
    finder = ConservedQuantityFinder("polynomial", random_state=0)
    finder.fit(runs.rows, groups=runs.groups)
    assert finder.transform(runs.rows).shape == (len(runs.rows), 0)
    assert finder.score(runs.rows, groups=runs.groups) == 0.0
    assert len(finder.get_feature_names_out()) == 0


def test_names_without_a_frame(runs):
    finder = ConservedQuantityFinder("polynomial", random_state=0)
    finder.fit(runs.rows, groups=runs.groups)
    symbols = {s.name for q in finder.quantities_ for s in q.expression.free_symbols}
    assert symbols <= {"x0", "x1", "x2"}


GROUPS = {
    "text": lambda groups: np.array([f"run {g}" for g in groups]),
    "any numbers": lambda groups: 7.5 - 3 * groups,
    "a list": lambda groups: groups.tolist(),
}


@pytest.mark.parametrize("relabel", GROUPS.values(), ids=GROUPS)
def test_run_ids_may_be_anything(fitted, frame, runs, relabel):
    again = clone(fitted).fit(frame, groups=relabel(runs.groups))
    assert [q.expression for q in again.quantities_] == [q.expression for q in fitted.quantities_]


def test_interleaved_runs(fitted, frame, runs):
    """Rows sorted by time, all runs mixed: the same runs, the same laws."""
    order = np.lexsort((runs.groups, runs.row_times))
    again = clone(fitted).fit(frame.iloc[order], groups=runs.groups[order])
    assert [q.expression for q in again.quantities_] == [q.expression for q in fitted.quantities_]


def test_irregular_times():
    rng = np.random.default_rng(0)
    t = np.cumsum(rng.uniform(0.05, 0.35, (40, 100)), axis=1)
    amplitude, phase = rng.uniform(0.5, 2, (40, 1)), rng.uniform(0, 6.3, (40, 1))
    states = amplitude[..., None] * np.stack([np.cos(t + phase), -np.sin(t + phase)], axis=-1)
    rows = states.reshape(-1, 2) + 0.01 * rng.standard_normal((4000, 2))
    finder = ConservedQuantityFinder("polynomial", random_state=0)
    finder.fit(rows, groups=np.repeat(np.arange(40), 100), times=t.ravel())
    assert [str(q.expression) for q in finder.quantities_] == ["x0**2/2 + x1**2/2"]
    np.testing.assert_allclose(list(finder.report_.noise.values()), 0.01, rtol=0.1)


@pytest.mark.parametrize("library", ["list of text", "a Library", "a name"])
def test_libraries(frame, runs, library):
    choice = {
        "list of text": [f"omega{i}**2" for i in (1, 2, 3)],
        "a Library": libraries.polynomial(runs.names, 2),
        "a name": "polynomial",
    }[library]
    finder = ConservedQuantityFinder(choice, random_state=0).fit(frame, groups=runs.groups)
    assert finder.n_conserved_ == 2


def test_noise_by_name(frame, runs):
    levels = 0.02 * runs.rows.std(axis=0)
    by_name = dict(zip(runs.names, levels, strict=True))
    for given in (by_name, pd.Series(by_name)[::-1]):
        report = ConservedQuantityFinder(noise=given, random_state=0).fit(runs).report_
        assert report.noise == pytest.approx(by_name)
    with pytest.raises(ValueError, match="received levels of z; expected one for each of"):
        ConservedQuantityFinder(noise={"z": 1.0}).fit(runs)
    for odd in (True, "much", object(), [object()]):
        with pytest.raises(ValueError, match="noise: expected a number"):
            ConservedQuantityFinder(noise=odd).fit(runs)


def test_noise_in_another_unit_is_told(runs):
    with pytest.raises(
        ValueError, match=r"noise: received 1e\+300 for .omega1., whose values differ"
    ):
        ConservedQuantityFinder(noise=1e300).fit(runs)


def test_known_noise_is_taken(frame, runs):
    noise = [0.01, 0.012, 0.013]
    finder = ConservedQuantityFinder("polynomial", noise=noise, random_state=0)
    report = finder.fit(frame, groups=runs.groups).report_
    np.testing.assert_allclose(list(report.noise.values()), noise)


@pytest.mark.parametrize("names", [("x", "v"), ("theta", "omega")])
def test_letters_forbid_no_logarithms(names):
    """Prey and hunters under the letters of mechanics: noise makes a few values negative."""
    rng = np.random.default_rng(0)
    times = np.linspace(0, 20, 180)
    starts = np.exp(rng.normal(0, 1, (40, 2)))
    states = integrate(lambda s: s * (1 - s[:, ::-1]) * [1, -0.8], starts, times)
    states += 0.02 * states.std(axis=(0, 1)) * rng.normal(size=states.shape)
    assert states.min() < 0
    runs = Trajectories(states=list(states), times=times, names=names)
    report = ConservedQuantityFinder(random_state=0).fit(runs).report_
    assert report.n_conserved == 1
    assert "searched: polynomial(2), logarithmic (12" in str(report)
    assert "read as" not in str(report)
