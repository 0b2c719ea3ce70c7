"""Tables of text that are easily misread, and messages that tell the line of the file."""

import pickle

import numpy as np
import pandas as pd
import pytest

from discovery import Trajectories
from discovery.data.text import read_text

HEAD = "# by hand\n\nrun,t,x\n"


def spaced(titles, row, n=12):
    """Return a table with blanks between its cells: `row` is of the number of the sample."""
    return "\n".join([titles, *(row(i) for i in range(n))])


def read(tmp_path, text, **asked):
    (tmp_path / "a.txt").write_text(text, "utf-8")
    return Trajectories.from_file(tmp_path / "a.txt", **asked)


@pytest.mark.parametrize(
    ("titles", "row"),
    [
        ("run t x note", lambda i: f"A{i // 6} {i % 6} {0.3 * i:.2f} ok"),
        ("date time x note", lambda i: f"2026-03-31 12:00:{i:02d} {0.3 * i:.2f} ok"),
        ("date time run x", lambda i: f"2026-03-31 12:00:{i:02d} A{i // 6} {0.3 * i:.2f}"),
    ],
)
def test_text_in_a_table_with_blanks(titles, row):
    frame = read_text(spaced(titles, row).encode())
    assert list(frame.columns) == titles.split()
    np.testing.assert_allclose(frame.x, 0.3 * np.arange(12), atol=0.01)


@pytest.mark.parametrize(
    ("titles", "row"),
    [
        ("t x note", lambda i: f"{i} {0.3 * i:.2f} much noise"),
        ("t x", lambda i: f"2026-03-31 12:00:{i:02d} {0.3 * i:.2f}"),
    ],
)
def test_cells_of_several_words_are_told(titles, row):
    with pytest.raises(ValueError, match=r"over rows of \d cells.*in quotes.*T12.*sep='tab'"):
        read_text(spaced(titles, row).encode())


@pytest.mark.parametrize("sep", [" ", ";"])
def test_a_date_and_a_time_of_day_are_one_time(tmp_path, sep):
    def row(i):
        return sep.join([f"2026-03-{30 + i // 6}", f"{(18 + i) % 24}:00:00", f"{0.3 * i:.2f}"])

    runs = read(tmp_path, spaced(sep.join(["Date", "Time", "x"]), row))
    assert runs.names == ("x",) and runs.n_runs == 1
    np.testing.assert_array_equal(runs.row_times, 3600 * np.arange(12))


def test_a_column_of_words_is_not_taken_for_the_time(tmp_path):
    text = spaced("run who x", lambda i: f"A{i // 6} Ann {np.cos(i):.2f}")
    with pytest.raises(ValueError, match="column 'who' is not numbers"):
        read(tmp_path, text)
    assert read(tmp_path, text, names=["x"]).n_runs == 2


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("0,0,1\n\n0,1,low", "'x' is not numbers: line 6 holds 'low'"),
        ("0,0,1\n# note\n0,1,nan", "NaN at run 0, line 6, coordinate 'x'"),
        ("0,0,1\n1,0,1\n0,2,3\n1,2,4\n0,1,3", "goes back to 1 at run 0, line 8"),
        # The third line of rows is written twice, and left out.
        ("0,0,1\n0,1,2\n0,1,2\n0,2,nan", "NaN at run 0, line 7"),
        ("0,0,1\n,1,3", "no run id at line 5"),
        ("0,0,1\n0,1,3,4", "line 5, '0,1,3,4', has more cells"),
    ],
)
def test_the_line_of_the_file_is_told(tmp_path, rows, said):
    with pytest.raises(ValueError, match=said):
        read(tmp_path, HEAD + rows)


def test_a_title_over_several_lines_moves_no_line(tmp_path):
    with pytest.raises(ValueError, match="line 5 holds 'low'"):
        read(tmp_path, 'run,"t\n(s)",x\n0,0,1\n0,1,2\n0,2,low')


def test_rows_of_arrays_count_from_zero_in_the_user_s_order():
    rows, groups = np.ones((5, 1)), [0, 1, 0, 1, 0]
    with pytest.raises(ValueError, match="goes back to 1 at run 0, row 2") as told:
        Trajectories.from_rows(rows, groups, [0, 0, 2, 2, 1])
    assert told.value.row == 4
    assert str(pickle.loads(pickle.dumps(told.value))) == str(told.value)
    frame = pd.DataFrame({"run": groups, "t": [0, 0, 1, 1, 2], "x": [1, 1, 1, 1, "low"]})
    with pytest.raises(ValueError, match="row 4 holds 'low'"):
        Trajectories.from_frame(frame)


def test_the_file_of_many_is_told(tmp_path):
    for i, value in enumerate((1, "low", 2)):
        (tmp_path / f"orbit{i}.csv").write_text(f"t,x\n0,1\n1,{value}\n")
    with pytest.raises(ValueError, match="orbit1: column 'x' is not numbers: line 3"):
        Trajectories.from_file(tmp_path)
