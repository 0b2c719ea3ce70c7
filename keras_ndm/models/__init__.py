"""Models that carry a geometry."""

from keras_ndm.models.functional import ManifoldModel
from keras_ndm.models.lagrangian import LagrangianManifold
from keras_ndm.models.manifold import manifold_of
from keras_ndm.models.ndm import NeuralDifferentialManifold

__all__ = ["LagrangianManifold", "ManifoldModel", "NeuralDifferentialManifold", "manifold_of"]
