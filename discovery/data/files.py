"""File formats of trajectories: tables (CSV, Parquet) and arrays (NPZ, HDF5)."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from discovery.data.trajectories import Trajectories


KINDS = {
    ".csv": "csv",
    ".csv.gz": "csv",
    ".tsv": "tsv",
    ".tsv.gz": "tsv",
    ".parquet": "parquet",
    ".npz": "npz",
    ".h5": "hdf5",
    ".hdf5": "hdf5",
}


class MissingFileError(FileNotFoundError, ValueError):
    """The named file does not exist."""


def file_kind(path: str | os.PathLike) -> str:
    """Return the format that the file's suffix stands for."""
    name = Path(path).name.lower()
    for suffix, kind in KINDS.items():
        if name.endswith(suffix):
            return kind
    raise ValueError(
        f"{path}: unknown kind of file. Expected a name that ends in {', '.join(KINDS)}."
    )


def read(path: str | os.PathLike) -> pd.DataFrame | dict[str, np.ndarray]:
    """Read a file into a table (CSV, TSV, Parquet) or a dict of arrays (NPZ, HDF5).

    Raises
    ------
    MissingFileError
        When there is no such file.
    ValueError
        When the file is empty, damaged, or of another kind than its suffix says.
    """
    kind = file_kind(path)
    if not Path(path).is_file():
        raise MissingFileError(f"{path}: no such file. Check the path (relative to {Path.cwd()}).")
    if Path(path).stat().st_size == 0:
        raise ValueError(f"{path} is empty. Expected {kind} data.")
    try:
        content = _READERS[kind](path)
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"{path} could not be read as {kind}: {error}. Check that the file is whole and that "
            "its suffix tells its format; pickled content is not read."
        ) from error
    if len(content) == 0:
        raise ValueError(f"{path} holds no rows. Expected one row a sample.")
    return content


def _read_csv(path: str | os.PathLike, separator: str = ",") -> pd.DataFrame:
    import pandas as pd

    frame = pd.read_csv(path, sep=separator, skipinitialspace=True)
    # A first column without a title is the index that DataFrame.to_csv writes, not a coordinate.
    return frame.drop(columns="Unnamed: 0") if frame.columns[0] == "Unnamed: 0" else frame


def _read_parquet(path: str | os.PathLike) -> pd.DataFrame:
    import pandas as pd

    return pd.read_parquet(path)


def _read_npz(path: str | os.PathLike) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as archive:
        return {key: archive[key] for key in archive.files}


def _read_hdf5(path: str | os.PathLike) -> dict[str, np.ndarray]:
    import h5py

    with h5py.File(path, "r") as file:
        datasets = {key: item for key, item in file.items() if isinstance(item, h5py.Dataset)}
        return {
            key: np.asarray(item.asstr()[()], dtype=str)
            if h5py.check_string_dtype(item.dtype)
            else item[()]
            for key, item in datasets.items()
        }


_READERS = {
    "csv": _read_csv,
    "tsv": lambda path: _read_csv(path, separator="\t"),
    "parquet": _read_parquet,
    "npz": _read_npz,
    "hdf5": _read_hdf5,
}


def pick_arrays(
    arrays: dict[str, np.ndarray], run: str | None, time: str | None, source: str | os.PathLike
) -> tuple[str, dict]:
    """Sort the arrays of an NPZ or HDF5 file into constructor arguments.

    Returns
    -------
    form : "states" for arguments of ``Trajectories``, "rows" for those of
        ``Trajectories.from_rows``
    arguments : dict

    Raises
    ------
    ValueError
        When neither ``states`` nor ``X`` with ``groups`` is there, or a named array is missing.
    """

    def find(*keys: str | None) -> np.ndarray | None:
        return next((arrays[key] for key in keys if key in arrays), None)

    for what, key in (("run", run), ("time", time)):
        if key is not None and key not in arrays:
            raise ValueError(f"{source}: {what}={key!r} is not there; it holds {sorted(arrays)}.")
    common = {"times": find(time, "times", "t")}
    if "names" in arrays:
        common["names"] = arrays["names"].tolist()
    if "roles" in arrays:
        common["roles"] = [role or None for role in arrays["roles"].tolist()]
    if "grid_spacing" in arrays:
        common["grid_spacing"] = float(arrays["grid_spacing"])
    if "states" in arrays:
        return "states", common | {"states": arrays["states"], "run_ids": find(run, "run_ids")}
    groups = find(run, "groups", "run_ids")
    if "X" not in arrays or groups is None:
        raise ValueError(
            f"{source} holds {sorted(arrays)}. Expected states (runs, steps, d), or X (rows, d) "
            "with groups (rows,)."
        )
    return "rows", common | {"rows": arrays["X"], "groups": groups}


def write(trajectories: Trajectories, path: str | os.PathLike) -> None:
    """Write trajectories in the format that the suffix stands for."""
    kind = file_kind(path)
    if kind in ("csv", "tsv"):
        trajectories.to_frame().to_csv(path, index=False, sep="\t" if kind == "tsv" else ",")
    elif kind == "parquet":
        trajectories.to_frame().to_parquet(path, index=False)
    elif kind == "npz":
        np.savez_compressed(path, **_arrays_of(trajectories))
    else:
        _write_hdf5(_arrays_of(trajectories), path)


def _arrays_of(trajectories: Trajectories) -> dict[str, np.ndarray]:
    if isinstance(trajectories.states, np.ndarray):
        arrays = {
            "states": trajectories.states,
            "times": trajectories.times,
            "run_ids": trajectories.run_ids,
        }
    else:
        arrays = {
            "X": trajectories.rows,
            "t": trajectories.row_times,
            "groups": trajectories.run_ids[trajectories.groups],
        }
    arrays["names"] = np.array(trajectories.names)
    if trajectories.roles is not None:
        arrays["roles"] = np.array([role or "" for role in trajectories.roles])
    if trajectories.grid_spacing is not None:
        arrays["grid_spacing"] = np.array(trajectories.grid_spacing)
    return arrays


def _write_hdf5(arrays: dict[str, np.ndarray], path: str | os.PathLike) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        for key, values in arrays.items():
            if values.dtype.kind == "U":
                file.create_dataset(key, data=values.tolist(), dtype=h5py.string_dtype())
            else:
                file.create_dataset(key, data=values)
