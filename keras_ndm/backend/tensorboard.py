"""Numbers for TensorBoard, which TensorFlow writes whatever backend Keras has."""

import pathlib
from importlib.util import find_spec

__all__ = ["ScalarWriter"]


class ScalarWriter:
    """Write named numbers into a directory that TensorBoard reads.

    Parameters
    ----------
    directory : str or path

    Raises
    ------
    ImportError
        Where TensorFlow or TensorBoard is not installed.
    """

    def __init__(self, directory: str | pathlib.Path):
        missing = [name for name in ("tensorflow", "tensorboard") if find_spec(name) is None]
        if missing:
            raise ImportError(
                f"`log_dir` writes for TensorBoard and needs {' and '.join(missing)}: "
                f"`pip install {' '.join(missing)}`, or use `csv_path`."
            )
        from tensorflow import summary

        self._summary = summary
        self._writer = summary.create_file_writer(str(directory))

    def write(self, step: int, values: dict[str, float]) -> None:
        """Write the values of one step."""
        with self._writer.as_default(step=step):
            for name, value in values.items():
                self._summary.scalar(name, value)
        self._writer.flush()
