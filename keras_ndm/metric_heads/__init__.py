"""Metric heads: one family of tensor fields each."""

from keras_ndm.metric_heads.base import MetricHead
from keras_ndm.metric_heads.cholesky import Cholesky

KINDS = {"cholesky": Cholesky}


def get(kind: str | MetricHead) -> MetricHead:
    """Give the head that a name or an instance stands for.

    Raises
    ------
    ValueError
        When the name is unknown or the object is no head.
    """
    if isinstance(kind, MetricHead):
        return kind
    if kind not in KINDS:
        raise ValueError(
            f"Unknown metric head {kind!r}. Expected one of {', '.join(map(repr, KINDS))} or an instance "
            "of a keras_ndm.metric_heads.MetricHead subclass."
        )
    return KINDS[kind]()


__all__ = ["KINDS", "Cholesky", "MetricHead", "get"]
