"""Neural differential manifolds: a geometry that trains with a Keras model."""

# First: it says in one sentence what to install when no backend fits.
from keras_ndm import backend  # isort: skip
from keras_ndm import callbacks, charts, evolution, geometry, metric_heads
from keras_ndm.coordinate_layer import CoordinateLayer
from keras_ndm.evolution import EvolutionLayer
from keras_ndm.mechanics.lagrangian_manifold import LagrangianManifold
from keras_ndm.metric_layer import MetricLayer
from keras_ndm.models import ManifoldModel, NeuralDifferentialManifold, manifold_of
from keras_ndm.optimizers import NaturalGradient

__all__ = [
    "CoordinateLayer",
    "EvolutionLayer",
    "LagrangianManifold",
    "ManifoldModel",
    "MetricLayer",
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
