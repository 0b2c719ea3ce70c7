import csv
import sys
import warnings
from importlib.util import find_spec

import keras
import numpy as np
import pytest
from keras import ops

import keras_ndm
from keras_ndm.callbacks import GeometryMonitor

Z = np.random.default_rng(0).normal(size=(40, 2)).astype("float32")


def model_with(metric, returns="metric"):
    z = keras.Input((2,))
    layer = keras_ndm.EvolutionLayer(metric, volume_weight=1e-3, returns=returns)
    out = layer(z) if returns == "metric" else keras.layers.Dense(1)(layer(z))
    model = keras.Model(z, out)
    model.compile("adam", loss="mse")
    return model


@pytest.mark.slow_on_jax
def test_what_it_measures_is_in_history_and_files(tmp_path):
    model = model_with(keras_ndm.MetricLayer(hidden=(6,)))
    path = tmp_path / "geometry.csv"
    board = tmp_path / "board" if find_spec("tensorflow") and find_spec("tensorboard") else None
    monitor = GeometryMonitor(Z, csv_path=path, log_dir=board)
    target = np.eye(2) * (1 + Z[:, :1, None] ** 2)
    history = model.fit(Z, target, epochs=2, verbose=0, callbacks=[monitor]).history
    metric = model.layers[-1].metric
    scalar = ops.convert_to_numpy(metric.scalar_curvature(ops.convert_to_tensor(Z)))
    assert history["curvature_q50"][-1] == pytest.approx(np.median(scalar), rel=1e-2, abs=1e-6)
    g = ops.convert_to_numpy(metric(Z)).astype("float64")
    assert history["metric_condition"][-1] == pytest.approx(np.linalg.cond(g).max(), rel=1e-3)
    spread = np.std(0.5 * np.linalg.slogdet(g)[1])
    assert history["log_volume_std"][-1] == pytest.approx(spread, rel=1e-3)
    with open(path) as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["0", "1"]
    assert float(rows[1]["metric_condition"]) == history["metric_condition"][-1]
    assert board is None or any(board.iterdir())


def test_missing_tensorboard_is_explained(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard", None)  # as if not installed
    model = model_with(keras_ndm.MetricLayer("diagonal"))
    with pytest.raises(ImportError, match=r"pip install (tensorflow )?tensorboard`"):
        model.fit(
            Z, np.zeros((40, 2, 2)), verbose=0, callbacks=[GeometryMonitor(Z, log_dir=tmp_path)]
        )


def test_warns_once_when_the_metric_degenerates():
    metric = keras_ndm.MetricLayer("diagonal")
    model = model_with(metric, returns="input")
    metric.initialize_at([1e3, 1e-3])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        monitor = GeometryMonitor(Z, condition_limit=1e4)
        model.fit(Z, Z[:, :1], epochs=2, verbose=0, callbacks=[monitor])
    found = [w for w in caught if "degenerates" in str(w.message)]
    assert len(found) == 1 and "max_condition" in str(found[0].message)


def test_relu_metric_is_watched_without_curvature():
    model = model_with(keras_ndm.MetricLayer(activation="relu"))
    history = model.fit(
        Z, np.zeros((40, 2, 2)), epochs=1, verbose=0, callbacks=[GeometryMonitor(Z)]
    ).history
    assert "metric_condition" in history and "curvature_q50" not in history


@pytest.mark.slow_on_jax
def test_watches_the_neural_differential_manifold():
    model = keras_ndm.NeuralDifferentialManifold(hidden=(8,))
    model.compile("adam")
    history = model.fit(Z, 0.9 * Z, epochs=1, verbose=0, callbacks=[GeometryMonitor(Z)]).history
    assert history["metric_condition"][0] >= 1


def test_bad_arguments_are_explained():
    with pytest.raises(ValueError, match=r"\(n, d\)"):
        GeometryMonitor(Z[0])
    plain = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    plain.compile("sgd", loss="mse")
    with pytest.raises(ValueError, match="has 0"):
        plain.fit(Z, Z[:, :1], verbose=0, callbacks=[GeometryMonitor(Z)])
