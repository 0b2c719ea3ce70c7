"""What a symmetry of a model keeps, under the name that users import."""

from discovery.symmetries.conditions import Flow, Output, Step

__all__ = ["Flow", "Output", "Step"]
