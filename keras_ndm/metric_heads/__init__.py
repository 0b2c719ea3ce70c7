"""Metric heads: one family of tensor fields each."""

from keras_ndm.metric_heads.base import MetricHead, select
from keras_ndm.metric_heads.cholesky import Cholesky
from keras_ndm.metric_heads.constant import Constant
from keras_ndm.metric_heads.diagonal import Conformal, Diagonal
from keras_ndm.metric_heads.low_rank import LowRank
from keras_ndm.metric_heads.pullback import Pullback

#: The heads that go by a name, with their classes.
KINDS = {
    "cholesky": Cholesky,
    "diagonal": Diagonal,
    "low_rank": LowRank,
    "conformal": Conformal,
    "pullback": Pullback,
    "constant": Constant,
}


def get(kind: str | MetricHead) -> MetricHead:
    """Give the head that a name or an instance stands for.

    Raises
    ------
    ValueError
        When the name is unknown or the object is no head.
    """
    if isinstance(kind, MetricHead):
        return kind
    if not isinstance(kind, str) or kind not in KINDS:
        raise ValueError(
            f"Unknown metric head {kind!r}. Expected one of {', '.join(map(repr, KINDS))} or an "
            "instance of a keras_ndm.metric_heads.MetricHead subclass."
        )
    return KINDS[kind]()


__all__ = [
    "KINDS",
    "Cholesky",
    "Conformal",
    "Constant",
    "Diagonal",
    "LowRank",
    "MetricHead",
    "Pullback",
    "get",
    "select",
]
