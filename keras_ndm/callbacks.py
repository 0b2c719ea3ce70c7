"""Watch the geometry while a model trains."""

import csv
import pathlib
import warnings

import keras
import numpy as np
from keras import ops

from keras_ndm.backend.tensorboard import ScalarWriter
from keras_ndm.evolution import EvolutionLayer
from keras_ndm.models.likelihood import LikelihoodModel
from keras_ndm.models.manifold_model import Geometry, ManifoldModel, is_metric
from keras_ndm.rowwise import Rows


class GeometryMonitor(keras.callbacks.Callback):
    """Condition number, curvature and volume of a model's metric at the end of every epoch.

    Written into the epoch's logs, so that they appear in `History`, in `CSVLogger` and in early
    stopping, as ``metric_condition`` (largest), ``curvature_q05``, ``curvature_q50``,
    ``curvature_q95`` (quantiles of the Ricci scalar) and ``log_volume_std``; and, where asked, into
    files. Put it before other callbacks that shall see them. Warns once, in words, when the metric
    degenerates.

    Parameters
    ----------
    points : array (n, d)
        Inputs of the model at which to look, as for `fit`; a few hundred are enough.
    csv_path : str or path, optional
        Table with one row an epoch.
    log_dir : str or path, optional
        Directory for TensorBoard; needs TensorFlow and TensorBoard.
    condition_limit : float
        Condition number above which the metric is called degenerate.

    Raises
    ------
    ValueError
        When the model has no metric layer, or points have the wrong shape.
    """

    def __init__(
        self,
        points: np.ndarray,
        csv_path: str | pathlib.Path | None = None,
        log_dir: str | pathlib.Path | None = None,
        condition_limit: float = 1e5,
    ):
        super().__init__()
        self.points = np.asarray(points, "float32")
        if self.points.ndim != 2:
            raise ValueError(
                f"`points` must have shape (n, d); received shape {self.points.shape}."
            )
        self.csv_path, self.log_dir = csv_path, log_dir
        self.condition_limit = float(condition_limit)

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Find the metric and open the files."""
        del logs
        coordinates, self._metric = _metric_of(self.model)
        variables = self.model.variables
        self._coordinates = Rows(coordinates, variables)
        self._tensor = Rows(self._metric.call, variables)
        self._curvature = None
        if _smooth(self._metric):
            self._curvature = Rows(self._metric.scalar_curvature, variables, often=True)
        self._warned = False
        self._rows = []
        self._writer = None if self.log_dir is None else ScalarWriter(self.log_dir)

    def measure(self) -> dict:
        """Measure the metric now: a dictionary of numbers."""
        z = self._coordinates(self.points).astype("float32")
        eigenvalues = np.linalg.eigvalsh(self._tensor(z))
        least, most = eigenvalues[:, 0], eigenvalues[:, -1]
        found = {"metric_condition": float(np.max(most / np.maximum(least, 1e-30)))}
        if self._curvature is not None:
            scalar = self._curvature(z)
            for q in (5, 50, 95):
                found[f"curvature_q{q:02d}"] = float(np.percentile(scalar, q))
        found["log_volume_std"] = float(np.std(0.5 * np.sum(np.log(eigenvalues), axis=1)))
        return found

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Measure, log, write, and warn when there is reason to."""
        found = self.measure()
        if logs is not None:
            logs.update(found)
        if self.csv_path is not None:
            self._rows.append({"epoch": epoch, **found})
            with open(self.csv_path, "w", newline="") as file:
                table = csv.DictWriter(file, fieldnames=list(self._rows[0]))
                table.writeheader()
                table.writerows(self._rows)
        if self._writer is not None:
            self._writer.write(epoch, found)
        self._warn(epoch, found)

    def on_train_end(self, logs: dict | None = None) -> None:
        """Warn where a `Budget` is not kept."""
        del logs
        if isinstance(self.model, LikelihoodModel):  # which warns by itself
            return
        for layer in self.model.layers:
            if isinstance(layer, EvolutionLayer):
                layer.warn_of_rising()

    def _warn(self, epoch, found):
        finite = all(np.isfinite(value) for value in found.values())
        condition = found["metric_condition"]
        if self._warned or (finite and condition < self.condition_limit):
            return
        self._warned = True
        what = f"condition number {condition:.2g}" if finite else "values that are not finite"
        warnings.warn(
            f"The metric of {self.model.name!r} degenerates: {what} after epoch {epoch + 1}. Some "
            "direction counts for almost nothing compared with another. Raise `floor`, lower "
            "`max_condition` of the MetricLayer, standardize the inputs, or give the volume "
            "penalty more weight.",
            stacklevel=2,
        )


def _smooth(metric):
    try:
        metric.require_smooth()
    except ValueError:
        return False
    return metric.dimension <= 16  # the exact Ricci scalar costs d⁴


def _metric_of(model):
    """Map from inputs to the metric's coordinates, and the metric layer."""
    if isinstance(model, ManifoldModel):
        return model.geometry.coordinates, model.geometry.metric
    if hasattr(model, "chart") and hasattr(model, "metric"):
        return model.chart.call, model.metric
    layers = [layer for layer in model.layers if is_metric(layer)]
    if len(layers) != 1 or not getattr(model, "inputs", None):
        raise ValueError(
            "GeometryMonitor needs a functional model with one MetricLayer or EvolutionLayer; "
            f"{model.name!r} has {len(layers)}."
        )
    layer = layers[0]
    if getattr(layer, "returns", "metric") == "metric":
        geometry = Geometry(model.inputs[0], layer.output)
        return geometry.coordinates, geometry.metric
    if layer.input is model.inputs[0]:
        return ops.convert_to_tensor, layer.metric
    return keras.Model(model.inputs[0], layer.input), layer.metric
