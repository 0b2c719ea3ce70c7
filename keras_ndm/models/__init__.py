"""Models that carry a geometry."""

from keras_ndm.models.flow_density import FlowDensity
from keras_ndm.models.gaussian_regression import GaussianRegression
from keras_ndm.models.manifold_model import ManifoldModel
from keras_ndm.models.manifold_view import manifold_of
from keras_ndm.models.neural_differential_manifold import NeuralDifferentialManifold

__all__ = [
    "FlowDensity",
    "GaussianRegression",
    "ManifoldModel",
    "NeuralDifferentialManifold",
    "manifold_of",
]
