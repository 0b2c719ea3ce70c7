"""Odd tables and files, drawn at random: each gives the right numbers, or a clear ValueError.

The tables are written here by hand, not by the writers of the package or of pandas.
"""

import bz2
import gzip
import json
import lzma
import re
import zipfile

import numpy as np
import pytest

from discovery import Trajectories

TABLES, BROKEN = 320, 120
RUN = ("run", "Run", "Trial", "TRAJECTORY", "experiment", "Run #", "id", "traj_id")
TIME = ("t", "Time", "time (s)", "Zeit [s]", "Seconds", "t / s", "timestamp", "Time_s", "TIME")
COORDINATE = ("{}", "{} (m)", "{} [m/s]", "{} / cm", '"{} (m)"', "{} in mm")
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1", "cp1252")
PACK = {"": lambda b: b, ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}
MISSING = ("", "NaN", "NA", "-", "n/a", "null")


def drawn(rng):
    """Return runs with values that are not alike: ids, times and states of each."""
    lengths = rng.integers(2, 7, rng.integers(1, 5))
    names = [str(n) for n in rng.choice(["x", "y", "u", "Höhe", "theta", "p1", "q"], 3, False)]
    scale = 10.0 ** rng.integers(-6, 7)
    return [
        (k, np.cumsum(rng.uniform(0.05, 0.4, n)), scale * rng.normal(size=(n, len(names))))
        for k, n in enumerate(lengths)
    ], names


def written(value, decimal, form):
    text = {"plain": f"{value:.12g}", "exponent": f"{value:.11E}", "signed": f"{value:+.12g}"}[form]
    return text.replace(".", decimal)


def text_of(rng, runs, names):
    """Return a text of the runs, what is not as usual about it, and the layout that it has."""
    sep = str(rng.choice([",", ";", "\t", "|", " ", "  "]))
    decimal = "," if sep != "," and rng.random() < 0.5 else "."
    form = str(rng.choice(["plain", "exponent", "signed"]))
    with_run, with_time = len(runs) > 1 or rng.random() < 0.5, rng.random() < 0.9
    titles = [str(rng.choice(COORDINATE)).format(name) for name in names]
    head = [str(rng.choice(RUN))] * with_run + [str(rng.choice(TIME))] * with_time + titles
    if sep == " ":  # words, and units behind them
        head = [title.replace(" / ", "/").replace(" in mm", "") for title in head]
        head = [title.replace("Run #", "run") for title in head]
    lines = []
    for run, times, states in runs:
        for t, row in zip(times, states, strict=True):
            cells = [str(run)] * with_run + [written(t, decimal, "plain")] * with_time
            lines.append([*cells, *(written(x, decimal, form) for x in row)])
    missing = rng.random() < 0.15 and sep.strip() != ""
    if missing:
        lines[rng.integers(len(lines))][-1] = str(rng.choice(MISSING))
    out = [sep.join(head), *map(sep.join, lines)]
    if rng.random() < 0.3:
        out.insert(0, f"{rng.choice(['#', '%', '//'])} measured by hand, 12.5 cm; one mass")
    if rng.random() < 0.2:
        out.insert(0, "Bench pendulum")
    if rng.random() < 0.2:
        out = [line + sep for line in out] if sep in ",;\t" else out
    return str(rng.choice(["\n", "\r\n", "\r"])).join(out) + "\n", missing, (with_run, with_time)


def same(found, runs, names, with_time):
    assert found.names == tuple(names)
    np.testing.assert_allclose(found.rows, np.concatenate([x for _, _, x in runs]), rtol=1e-9)
    np.testing.assert_array_equal(found.lengths, [len(x) for _, _, x in runs])
    times = [t if with_time else np.arange(len(t)) for _, t, _ in runs]
    np.testing.assert_allclose(found.row_times, np.concatenate(times), rtol=1e-9)


@pytest.mark.parametrize("seed", range(TABLES))
def test_a_table_of_text(tmp_path, seed):
    rng = np.random.default_rng(seed)
    runs, names = drawn(rng)
    text, missing, (_, with_time) = text_of(rng, runs, names)
    encoding, packed = str(rng.choice(ENCODINGS)), str(rng.choice(list(PACK)))
    path = tmp_path / f"data{rng.choice(['.csv', '.txt', '.dat', '.tsv'])}{packed}"
    path.write_bytes(PACK[packed](text.encode(encoding)))
    try:
        found = Trajectories.from_file(path)
    except ValueError as error:
        said = str(error)
        # A missing cell is named; without times a column that rises may be the time.
        assert (missing and "NaN" in said) or (not with_time and "Pass time=" in said), (said, text)
        return
    assert not missing
    same(found, runs, names, with_time)


def broken(rng, data):
    """Return data with something wrong: cut, a byte changed, or parts exchanged."""
    how, cut = rng.integers(5), rng.integers(1, len(data))
    if how == 0:
        return data[:cut]
    if how == 1:
        return data[:cut] + bytes(rng.integers(0, 256, 3, dtype=np.uint8)) + data[cut:]
    if how == 2:
        return data[cut:] + data[:cut]
    if how == 3:
        return bytes(rng.integers(0, 256, 300, dtype=np.uint8))
    return data[:cut] + data[cut + 1 :]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A file of each kind."""
    folder = tmp_path_factory.mktemp("whole")
    block = np.random.default_rng(0).normal(size=(4, 9, 2))
    runs = Trajectories(states=block, names=["q", "p"])
    paths = [folder / f"a{s}" for s in (".csv", ".txt.gz", ".json", ".npz", ".parquet", ".feather")]
    for path in [*paths, folder / "a.h5", folder / "a.csv.zip"]:
        runs.to_file(path)
    np.save(folder / "a.npy", block)
    from scipy.io import savemat

    savemat(folder / "a.mat", {"states": block})
    return sorted(folder.iterdir())


@pytest.mark.parametrize("seed", range(BROKEN))
def test_a_broken_file(tmp_path, whole, seed):
    """A binary file that is damaged may still be read, for its content is not checked by sums."""
    rng = np.random.default_rng(seed)
    source = whole[seed % len(whole)]
    path = tmp_path / source.name
    path.write_bytes(broken(rng, source.read_bytes()))
    try:
        Trajectories.from_file(path)
    except ValueError as error:
        assert str(error).strip()


def records(runs, names):
    return [
        {"run": k, "t": t[i], **dict(zip(names, x[i], strict=True))}
        for k, t, x in runs
        for i in range(len(t))
    ]


def columns(runs, names):
    rows = records(runs, names)
    return {key: [row[key] for row in rows] for key in rows[0]}


JSON = {
    "records": records,
    "columns": columns,
    "lines": lambda runs, names: "\n".join(map(json.dumps, records(runs, names))),
    "by place": lambda runs, names: {
        key: dict(enumerate(values)) for key, values in columns(runs, names).items()
    },
    "split": lambda runs, names: {
        "columns": ["run", "t", *names],
        "data": [list(row.values()) for row in records(runs, names)],
    },
    "runs": lambda runs, names: [
        {"t": t.tolist(), **dict(zip(names, x.T.tolist(), strict=True))} for _, t, x in runs
    ],
    "runs of records": lambda runs, names: {
        str(k): records([(k, t, x)], names) for k, t, x in runs
    },
}


@pytest.mark.parametrize("form", JSON)
@pytest.mark.parametrize("seed", range(4))
def test_json(tmp_path, form, seed):
    runs, names = drawn(np.random.default_rng(seed))
    content = JSON[form](runs, names)
    path = tmp_path / "a.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    same(Trajectories.from_file(path), runs, names, with_time=True)


@pytest.mark.parametrize("pattern", ["{}_run{}", "{} (run {})", "Run {1}: {0}", "{}_trial_{}"])
@pytest.mark.parametrize("seed", range(4))
def test_wide(tmp_path, pattern, seed):
    """Runs of unequal length beside each other, each with times of its own or one time for all."""
    rng = np.random.default_rng(seed)
    runs, names = drawn(rng)
    runs = [*runs, (len(runs), np.arange(1.0, 4.0), rng.normal(size=(3, 3)))]
    shared = seed % 2
    longest = max((t for _, t, _ in runs), key=len)
    runs = [(k, longest[: len(t)] if shared else t, x) for k, t, x in runs]
    wide = [("t", longest)] if shared else []
    for k, t, x in runs:
        own = zip(names, x.T, strict=True)
        wide += [(pattern.format("t", k), t)] * (not shared)
        wide += [(pattern.format(name, k), values) for name, values in own]
    rows = [
        ";".join(f"{values[i]:.12g}" if i < len(values) else "" for _, values in wide)
        for i in range(len(longest))
    ]
    path = tmp_path / "wide.csv"
    path.write_text("\n".join([";".join(title for title, _ in wide), *rows]), "utf-8")
    same(Trajectories.from_file(path), runs, names, with_time=True)


def test_a_zip_of_many_files_is_no_file(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.csv.zip", "w") as archive:
        archive.writestr("a.csv", "t,x\n0,1\n")
        archive.writestr("b.csv", "t,x\n0,1\n")
    with pytest.raises(ValueError, match="holds 2 files"):
        Trajectories.from_file(tmp_path / "a.csv.zip")


def test_messages_name_no_temporary_file(tmp_path):
    path = tmp_path / "a.json.gz"
    path.write_bytes(gzip.compress(b'{"t": [0, '))
    with pytest.raises(ValueError, match=re.escape(str(path))):
        Trajectories.from_file(path)
