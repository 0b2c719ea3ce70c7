"""Neural differential manifolds: a geometry that trains with a Keras model."""

# First: it says in one sentence what to install when no backend fits.
from keras_ndm import backend  # isort: skip
from keras_ndm import callbacks, charts, evolution, geometry, metric_heads
from keras_ndm.continual import ContinualPrior
from keras_ndm.coordinate_layer import CoordinateLayer
from keras_ndm.evolution import EvolutionLayer
from keras_ndm.laws import ConservedProjection, MotionLayer
from keras_ndm.mechanics.lagrangian_manifold import LagrangianManifold
from keras_ndm.metric_layer import MetricLayer
from keras_ndm.models import (
    FlowDensity,
    GaussianRegression,
    ManifoldModel,
    NeuralDifferentialManifold,
    manifold_of,
)
from keras_ndm.optimizers import NaturalGradient

__all__ = [
    "ConservedProjection",
    "ContinualPrior",
    "CoordinateLayer",
    "EvolutionLayer",
    "FlowDensity",
    "GaussianRegression",
    "LagrangianManifold",
    "ManifoldModel",
    "MetricLayer",
    "MotionLayer",
    "NaturalGradient",
    "NeuralDifferentialManifold",
    "backend",
    "callbacks",
    "charts",
    "evolution",
    "geometry",
    "manifold_of",
    "metric_heads",
]


def __getattr__(name: str) -> str:
    # Only when asked for: a copy that is not installed has no version, and imports all the same.
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import version

    return version("keras-ndm")
