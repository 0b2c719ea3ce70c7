"""Bad input: each row is one mistake, and the words that its message must hold."""

import numpy as np
import pandas as pd
import pytest

from discovery.data.readiness import check_for_analysis
from discovery.data.trajectories import Trajectories


def block(runs=5, steps=7, dim=2):
    return np.random.default_rng(0).standard_normal((runs, steps, dim))


def with_value(value):
    states = block()
    states[2, 3, 1] = value
    return states


BAD_STATES = {
    "nan": (with_value(np.nan), "run 2, row 3, coordinate 'x1'"),
    "infinity": (with_value(-np.inf), "run 2, row 3"),
    "a table": (pd.DataFrame({"a": [1.0]}), "from_frame"),
    "a single run of rank two": (block()[0], r"states\[None\]"),
    "rank one": (np.arange(3.0), "shape"),
    "rank four": (block()[None], "shape"),
    "a list of vectors": ([np.arange(3.0), np.arange(3.0)], r"run\[:, None\]"),
    "no runs": ([], "at least one run"),
    "an empty block": (np.zeros((3, 0, 2)), "no data"),
    "an empty run": ([block()[0], np.zeros((0, 2))], "run 1 is empty"),
    "unequal coordinates": ([block()[0], block(dim=3)[0]], "run 1 has 3 coordinates"),
    "text": ([[["a", "b"], ["c", "d"]]], "real numbers"),
    "objects": ([np.array([[1.0, None], [2.0, "x"]], dtype=object)], "real numbers"),
    "complex": (block() * 1j, "real numbers"),
    "ragged rows": ([[[1.0, 2.0], [3.0]]], "unequal length"),
}

BAD_ARGUMENTS = {
    "repeated time": ({"times": [0, 1, 2, 2, 3, 4, 5]}, "repeats 2 at run 0, row 3"),
    "decreasing time": ({"times": np.arange(7)[::-1]}, "goes back to 5 at run 0, row 1"),
    "time is nan": ({"times": [0, 1, np.nan, 3, 4, 5, 6]}, "times hold NaN"),
    "too few times": ({"times": np.arange(6)}, r"times of run 0 has shape \(6,\)"),
    "times of too few runs": ({"times": np.tile(np.arange(7), (4, 1))}, "4 runs"),
    "times of rank three": ({"times": block()}, "shape"),
    "too few names": ({"names": ["q"]}, "of length 1"),
    "an empty name": ({"names": ["q", " "]}, "empty one"),
    "a name of several lines": ({"names": ["q", "p\n# heading"]}, "cannot be printed"),
    "roles that are none": ({"roles": 3}, "one role for each"),
    "repeated names": ({"names": ["q", "q"]}, "repeats"),
    "an accent in one character and two": ({"names": ["\u00e9", "e\u0301"]}, "as they are printed"),
    "names that differ by a space": ({"names": ["q", "q "]}, "as they are printed"),
    "unknown role": ({"roles": ["position", "speed"]}, "unknown role 'speed'.*momentum"),
    "too few roles": ({"roles": ["position"]}, "one role for each"),
    "role of a stranger": ({"roles": {"z": "position"}}, "z"),
    "too few run ids": ({"run_ids": [1, 2]}, "5 runs"),
    "repeated run ids": ({"run_ids": [1, 2, 3, 4, 4]}, "repeats"),
}


@pytest.mark.parametrize(("states", "message"), BAD_STATES.values(), ids=BAD_STATES)
def test_bad_states(states, message):
    with pytest.raises(ValueError, match=message):
        Trajectories(states=states)


@pytest.mark.parametrize(("arguments", "message"), BAD_ARGUMENTS.values(), ids=BAD_ARGUMENTS)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        Trajectories(states=block(), **arguments)


def test_an_empty_selection():
    with pytest.raises(ValueError, match="none of the 5 runs"):
        Trajectories(states=block())[[]]


@pytest.mark.parametrize(("fraction", "runs"), [(0.0, 5), (1.0, 5), (0.5, 1)])
def test_impossible_split(fraction, runs):
    with pytest.raises(ValueError, match="Expected"):
        Trajectories(states=block(runs)).split(fraction)


def constant():
    states = block()
    states[..., 1] = 3.0
    return states


def twice_the_same():
    states = block()
    states[..., 1] = -2.54 * states[..., 0]
    return states


def refused(states, message):
    """Check that states are valid data, from which no law can be read."""
    runs = Trajectories(states=states)
    with pytest.raises(ValueError, match=message):
        check_for_analysis(runs)


@pytest.mark.parametrize(("n", "message"), [(1, "a single run of fields"), (3, "3 runs of fields")])
def test_too_few_runs(n, message):
    runs = Trajectories(states=block(n, dim=8), roles=["field"] * 8)
    with pytest.raises(ValueError, match=message):
        check_for_analysis(runs)


def test_runs_too_short():
    refused(block(steps=2), "run 0 has 2 samples")
    refused([*block(), block()[0][:1]], r"run 5 has 1 sample \(")


NOT_FOR_ANALYSIS = {
    "a constant coordinate": (constant(), "'x1' is constant"),
    "a coordinate in other units": (twice_the_same(), "'x0' and 'x1' are the same"),
}


@pytest.mark.parametrize(("states", "message"), NOT_FOR_ANALYSIS.values(), ids=NOT_FOR_ANALYSIS)
def test_valid_data_that_no_law_can_be_read_from(states, message):
    refused(states, message)


def frame():
    return Trajectories(states=block(), names=["q", "p"]).to_frame()


BAD_FRAMES = {
    "no time column": (frame().rename(columns={"t": "tick"}), {}, "Pass time='tick'.*'steps'"),
    "missing run": (frame(), {"run": "cell"}, "run='cell'"),
    "missing time": (frame(), {"time": "clock"}, "time='clock'"),
    "missing coordinate": (frame(), {"names": ["q", "z"]}, r"\['z'\]"),
    "no coordinates": (frame()[["run", "t"]], {}, "no coordinate columns"),
    "one word": (frame().astype(object).assign(p=["?", *range(34)]), {}, "'p'.*row 0.*'\\?'"),
    "dates": (frame().assign(p=pd.Timestamp("2026-01-01")), {}, "'p' holds dates"),
    "nan": (frame().mask(frame() == frame().p[4]), {}, "run 0, row 4, coordinate 'p'"),
    "nan in run": (frame().assign(run=[np.nan, *[1] * 34]), {}, "no run id at row 0"),
    "unsorted": (frame().iloc[::-1], {}, "sort_values"),
    "repeated columns": (frame().rename(columns={"q": "p"}), {}, r"repeats the columns \['p'\]"),
    "no rows": (frame().iloc[:0], {}, "no rows"),
}


@pytest.mark.parametrize(("table", "options", "message"), BAD_FRAMES.values(), ids=BAD_FRAMES)
def test_bad_frame(table, options, message):
    with pytest.raises(ValueError, match=message):
        Trajectories.from_frame(table, **options)


def test_frame_names_that_clash():
    with pytest.raises(ValueError, match="must differ"):
        Trajectories(states=block(), names=["t", "p"]).to_frame()


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such file") as caught:
        Trajectories.from_file(tmp_path / "none.csv")
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".parquet", ".npz", ".h5"])
@pytest.mark.parametrize(
    ("content", "message"), [(b"", "is empty"), (b"\x00\xff\x8b broken", "read")]
)
def test_unreadable_file(tmp_path, suffix, content, message):
    path = tmp_path / f"bad{suffix}"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        Trajectories.from_file(path)


TABLE = b"t,x\n" + b"".join(b"%d,%.3f\n" % (i, 0.37 * i) for i in range(20))


@pytest.mark.parametrize("end", [b"\0\0\0", b"\0\0\n", b"\0\r\n\n"])
def test_a_value_that_was_cut_is_not_read(tmp_path, end):
    (tmp_path / "a.csv").write_bytes(TABLE[:-2] + end)
    with pytest.raises(ValueError, match="may be cut"):
        Trajectories.from_file(tmp_path / "a.csv")


@pytest.mark.parametrize("end", [b"", b"\0", b"\0" * 7, b"\x1a"])
def test_what_is_filled_up_behind_whole_lines_is_read(tmp_path, end):
    (tmp_path / "a.csv").write_bytes(TABLE + end)
    assert Trajectories.from_file(tmp_path / "a.csv").rows[-1, 0] == 7.03


def test_unknown_kind_of_file(tmp_path):
    (tmp_path / "runs.pkl").write_bytes(b"x")
    with pytest.raises(ValueError, match=r"Expected a name that ends in .csv"):
        Trajectories.from_file(tmp_path / "runs.pkl")


def test_csv_with_a_header_only(tmp_path):
    (tmp_path / "a.csv").write_text("run,t,x\n")
    with pytest.raises(ValueError, match="no rows"):
        Trajectories.from_file(tmp_path / "a.csv")


def test_pickles_are_not_read(tmp_path):
    np.savez(tmp_path / "a.npz", states=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ValueError, match="pickle"):
        Trajectories.from_file(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("arrays", "options", "message"),
    [
        ({"Y": block(), "Z": block(4)}, {}, r"holds \['Y', 'Z'\]"),
        ({"states": block()}, {"time": "clock"}, "clock"),
        ({"X": block()[0], "groups": np.arange(6)}, {}, r"groups \(6,\)"),
        ({"X": block()[0], "groups": np.zeros(7), "t": np.arange(6)}, {}, "one a row"),
    ],
)
def test_arrays_that_do_not_fit(tmp_path, arrays, options, message):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(ValueError, match=message):
        Trajectories.from_file(tmp_path / "a.npz", **options)
