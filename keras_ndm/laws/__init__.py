"""Conserved quantities as plain data, and a layer that keeps to them."""

from keras_ndm.laws.conserved_projection import ConservedProjection

__all__ = ["ConservedProjection"]
