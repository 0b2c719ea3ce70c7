"""Readers and writers of the kinds of files that `discovery.data.files` knows.

A table is a data frame with one row a sample; arrays are a dict, as `Trajectories.to_arrays`
returns it. Nothing that a file holds is executed: pickled content is refused.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from discovery.data import text
from discovery.data.cells import ContentError
from discovery.data.column_names import RUN_COLUMNS, usual_column

if TYPE_CHECKING:
    import pandas as pd

# Steps of a clock differ by less than this share of a step.
_EVEN = 1e-6

FilePath: TypeAlias = str | os.PathLike
Arrays: TypeAlias = dict[str, np.ndarray]
Content: TypeAlias = "pd.DataFrame | Arrays"


class MissingEngineError(ImportError, ValueError):
    """A file needs a package that is not installed."""


def needs(package: str, kind: str) -> MissingEngineError:
    """Return the error that says what to install.

    Parameters
    ----------
    package : str
    kind : str
        Of files: ``"Excel"``.
    """
    return MissingEngineError(
        f"{kind} files need the package {package}. Install it (pip install {package}), or save the "
        "table as CSV."
    )


def read_text(path: FilePath, **layout: str) -> pd.DataFrame:
    """Read a table of text; see `discovery.data.text.read_text`."""
    return text.read_text(Path(path).read_bytes(), **layout)


def write_csv(frame: pd.DataFrame, path: FilePath) -> None:
    """Write a table with commas."""
    frame.to_csv(path, index=False)


def write_tsv(frame: pd.DataFrame, path: FilePath) -> None:
    """Write a table with tabs."""
    frame.to_csv(path, index=False, sep="\t")


def read_excel(path: FilePath) -> pd.DataFrame:
    """Read a workbook; sheets with the titles of the first are runs, named by their sheets.

    Raises
    ------
    ValueError
        For sheets of numbers with other titles.
    """
    import pandas as pd

    try:
        # What pandas takes for a missing value is decided later, as for text.
        sheets = pd.read_excel(
            path, sheet_name=None, header=None, dtype=object, keep_default_na=False, na_values=[""]
        )
    except ImportError as error:
        raise needs(error.name or "openpyxl", "Excel") from error
    tables = {}
    for name, sheet in sheets.items():
        sheet = sheet.dropna(how="all", axis=1)
        lines = ["\t".join(map(_as_cell, row)) for row in sheet.itertuples(index=False)]
        # A sheet of notes, or of a picture, is no table.
        if any(isinstance(cell, (int, float)) and cell == cell for cell in sheet.to_numpy().flat):
            tables[name] = text.read_text("\n".join(lines).encode(), sep="tab", decimal="point")
    if not tables:
        raise ContentError("no sheet holds numbers")
    if len(tables) == 1:
        return next(iter(tables.values()))
    first = next(iter(tables.values()))
    if any(list(table.columns) != list(first.columns) for table in tables.values()):
        raise ContentError(
            f"the sheets {', '.join(tables)} have different titles. Keep one table a file, or give "
            "the sheets of several runs the same titles"
        )
    return stacked(tables)


def stacked(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return tables of one run each, or of runs in a column of their own, as one table.

    Parameters
    ----------
    tables : dict from the run's name to a table
        All with the same columns.
    """
    import pandas as pd

    if any(usual_column(list(table.columns), RUN_COLUMNS) for table in tables.values()):
        return pd.concat(tables.values(), ignore_index=True)
    named = [table.assign(run=name) for name, table in tables.items()]
    frame = pd.concat(named, ignore_index=True)
    frame.attrs["untitled"] = any(table.attrs.get("untitled") for table in tables.values())
    return frame


def _as_cell(value: object) -> str:
    if value is None or value != value:
        return ""
    isoformat = getattr(value, "isoformat", None)
    shown = isoformat() if isoformat else str(value)
    return shown.replace('"', "").replace("\t", " ").replace("\n", " ")


def write_excel(frame: pd.DataFrame, path: FilePath) -> None:
    """Write a workbook of one sheet."""
    try:
        frame.to_excel(path, index=False)
    except ImportError as error:
        raise needs("openpyxl", "Excel") from error


def read_parquet(path: FilePath) -> pd.DataFrame:
    """Read a Parquet file."""
    import pandas as pd

    return pd.read_parquet(path)


def write_parquet(frame: pd.DataFrame, path: FilePath) -> None:
    """Write a Parquet file."""
    frame.to_parquet(path, index=False)


def read_feather(path: FilePath) -> pd.DataFrame:
    """Read a Feather file."""
    import pandas as pd

    return pd.read_feather(path)


def write_feather(frame: pd.DataFrame, path: FilePath) -> None:
    """Write a Feather file."""
    frame.reset_index(drop=True).to_feather(path)


def read_json(path: FilePath) -> Content:
    """Read JSON: records, columns, runs of either, or arrays with the names of `to_arrays`.

    Raises
    ------
    ValueError
        For anything else; numbers are never taken for dates, nor text for numbers.
    """
    written = text.decoded(Path(path).read_bytes())
    lines = [line for line in written.splitlines() if line.strip()]
    try:
        found = json.loads(written, object_pairs_hook=_no_key_twice)
    except json.JSONDecodeError:
        if len(lines) < 2:
            raise
        found = [json.loads(line, object_pairs_hook=_no_key_twice) for line in lines]
    return _of_json(found)


def _no_key_twice(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    keys = [key for key, _ in pairs]
    repeated = sorted({key for key in keys if keys.count(key) > 1})
    if repeated:
        raise ContentError(f"an object repeats the keys {repeated}")
    return dict(pairs)


def _of_json(found: object) -> Content:
    if isinstance(found, dict) and ("states" in found or "X" in found):
        return {key: np.array(value) for key, value in found.items()}
    if isinstance(found, dict) and found.keys() >= {"columns", "data"}:
        return _table_of(dict(zip(found["columns"], zip(*found["data"], strict=True), strict=True)))
    if isinstance(found, dict) and found.keys() >= {"schema", "data"}:
        found = found["data"]
    if isinstance(found, dict) and all(isinstance(v, list) for v in found.values()):
        if all(v and isinstance(v[0], dict) for v in found.values()):
            return _stacked_records(found)
        return _table_of(found)
    if isinstance(found, dict) and all(isinstance(v, dict) for v in found.values()):
        if all(isinstance(cell, list) for run in found.values() for cell in run.values()):
            return _stacked_records(found)
        return _table_of({key: list(column.values()) for key, column in found.items()})
    if isinstance(found, list) and found and all(isinstance(row, dict) for row in found):
        if all(isinstance(cell, list) for row in found for cell in row.values()):
            return _stacked_records({str(i): run for i, run in enumerate(found)})
        return _table_of_records(found)
    if isinstance(found, list):
        return of_array(np.array(found))
    raise ContentError(
        "it holds no table. Expected records [{t: 0, x: 1}, …], columns {t: […], x: […]}, or "
        "arrays under the names states, times, names"
    )


def _table_of(columns: dict[str, Sequence]) -> pd.DataFrame:
    import pandas as pd

    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        raise ContentError(f"the columns have different lengths {lengths}")
    return pd.DataFrame({str(name): list(values) for name, values in columns.items()})


def _table_of_records(records: Sequence[dict]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(list(records))


def _stacked_records(runs: dict) -> pd.DataFrame:
    """Return runs, each of columns or of records, as one table."""
    tables = {
        str(name): _table_of_records(run) if isinstance(run, list) else _table_of(run)
        for name, run in runs.items()
    }
    first = next(iter(tables.values()))
    if any(set(table.columns) != set(first.columns) for table in tables.values()):
        raise ContentError("the runs have different columns")
    return stacked(tables)


def write_json(arrays: Arrays, path: FilePath) -> None:
    """Write arrays as nested lists, by name."""
    content = json.dumps({key: np.asarray(values).tolist() for key, values in arrays.items()})
    Path(path).write_text(content, encoding="utf-8")


def read_npy(path: FilePath) -> Content:
    """Read one array: runs (runs, steps, d), or one run (steps, d)."""
    return of_array(np.load(path, allow_pickle=False))


def of_array(array: np.ndarray) -> Content:
    """Return what an array without names stands for.

    Parameters
    ----------
    array : (runs, steps, d), (steps, d) or (steps,) numbers; or an array of records

    Raises
    ------
    ValueError
        For arrays of other shapes, and for what is no numbers.
    """
    if array.dtype.names:
        return _table_of({name: array[name].ravel() for name in array.dtype.names})
    if array.dtype.kind not in "biuf":
        raise ContentError(f"it holds {array.dtype} and no real numbers, or rows of unequal length")
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim not in (2, 3):
        raise ContentError(f"it has shape {array.shape}. Expected (runs, steps, d), or one run's")
    if array.ndim == 3:
        _refuse_clock(array)
        return {"states": array}
    frame = _table_of({f"x{i}": column for i, column in enumerate(array.T)}).assign(run=0)
    frame.attrs["untitled"] = array.shape[1] > 1
    return frame


def _refuse_clock(states: np.ndarray) -> None:
    """Refuse a first column that is no coordinate: it rises by equal steps, alike in all runs."""
    step = np.diff(states[..., 0], axis=1)
    if states.shape[2] > 1 and step.size and step.min() > 0 and np.ptp(step) < _EVEN * step.min():
        raise ContentError(
            "the first of the columns rises by equal steps in all runs, as times do. Save times "
            "and states by name: numpy.savez('runs.npz', states=a[..., 1:], times=a[..., 0])"
        )


def refuse_to_write(content: Content, path: FilePath) -> None:
    """Say that files of this kind are read only.

    Raises
    ------
    ValueError
    """
    raise ValueError(f"{path}: files of this kind are read, not written. Write .npz or .csv.")


def read_npz(path: FilePath) -> Content:
    """Read named arrays."""
    with np.load(path, allow_pickle=False) as archive:
        return of_arrays({key: archive[key] for key in archive.files})


def of_arrays(arrays: Arrays) -> Content:
    """Return a table where arrays are columns of equal length, else the arrays.

    Parameters
    ----------
    arrays : dict from name to array
        With neither ``states`` nor ``X``: columns (rows,); coordinates (runs, steps) with times of
        that shape or (steps,); or a single array.
    """
    columns = {key: np.asarray(a) for key, a in arrays.items() if np.size(a) > 1}
    if "states" in arrays or "X" in arrays or not columns:
        return arrays
    if len(columns) == 1:
        return of_array(next(iter(columns.values())))
    shape = max((a.shape for a in columns.values()), key=len)
    if len(shape) == 1 and all(a.shape == shape for a in columns.values()):
        return _table_of(columns)
    if len(shape) == 2 and all(a.shape in (shape, shape[1:]) for a in columns.values()):
        if shape[0] == shape[1]:
            raise ContentError(f"arrays of shape {shape}: runs and steps cannot be told apart")
        grid = {key: np.broadcast_to(a, shape).ravel() for key, a in columns.items()}
        return _table_of({"run": np.repeat(np.arange(shape[0]), shape[1])} | grid)
    return arrays


def write_npz(arrays: Arrays, path: FilePath) -> None:
    """Write named arrays, compressed."""
    np.savez_compressed(path, **arrays)


def read_mat(path: FilePath) -> Content:
    """Read a MATLAB file: columns, a matrix, a cell with a matrix a run, or named arrays."""
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        variables = loadmat(path)
    except NotImplementedError:  # version 7.3 is HDF5, with the axes in reverse order
        return of_arrays({key: _vector(values.T) for key, values in read_hdf5(path).items()})
    except (MatReadError, TypeError, IndexError) as error:
        raise ValueError(f"it is no MATLAB file, or damaged ({error})") from error
    arrays = {key: value for key, value in variables.items() if not key.startswith("__")}
    cells = [value for value in arrays.values() if value.dtype == object]
    if cells and len(arrays) == 1:
        runs = [np.asarray(run) for run in cells[0].ravel()]
        if any(run.ndim != 2 or run.dtype.kind not in "biuf" for run in runs):
            raise ContentError("its cells hold other things than matrices of numbers")
        return stacked({str(i): of_array(run).drop(columns="run") for i, run in enumerate(runs)})
    if any(value.dtype == object or value.dtype.names for value in arrays.values()):
        raise ContentError(
            "it holds structures. Save the columns as variables: save('runs.mat', 't', 'x', 'v')"
        )
    return of_arrays({key: _vector(value) for key, value in arrays.items()})


def _vector(array: np.ndarray) -> np.ndarray:
    """Return a matrix of one row or column as a vector; text as text."""
    return array.ravel() if array.ndim == 2 and 1 in array.shape else array


def read_hdf5(path: FilePath) -> Arrays:
    """Read the arrays of an HDF5 file's top group."""
    import h5py

    with h5py.File(path, "r") as file:
        datasets = {key: item for key, item in file.items() if isinstance(item, h5py.Dataset)}
        return {
            key: np.asarray(item.asstr()[()], dtype=str)
            if h5py.check_string_dtype(item.dtype)
            else item[()]
            for key, item in datasets.items()
        }


def write_hdf5(arrays: Arrays, path: FilePath) -> None:
    """Write named arrays as an HDF5 file."""
    import h5py

    with h5py.File(path, "w") as file:
        for key, values in arrays.items():
            if values.dtype.kind == "U":
                file.create_dataset(key, data=values.tolist(), dtype=h5py.string_dtype())
            else:
                file.create_dataset(key, data=values)
