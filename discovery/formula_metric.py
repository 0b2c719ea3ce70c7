"""`FormulaMetric`, under the name that users import."""

from discovery.symmetries.geometry.formula_metric import FormulaMetric

__all__ = ["FormulaMetric"]
