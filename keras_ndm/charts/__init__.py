"""Charts: invertible coordinate maps with weights, each a builder of a TFP bijector.

Pass one, its name, or a list of them to `keras_ndm.CoordinateLayer`.
"""

from keras_ndm.backend import tfp
from keras_ndm.charts.base import Chart
from keras_ndm.charts.compose import Bijector, Chain, Identity
from keras_ndm.charts.coupling import AffineCoupling, SplineCoupling
from keras_ndm.charts.linear import Linear
from keras_ndm.charts.standardize import Standardize

NAMES = {
    "identity": Identity,
    "standardize": Standardize,
    "linear": Linear,
    "affine_coupling": AffineCoupling,
    "spline_coupling": SplineCoupling,
}


def get(chart: object, dtype: object = None) -> Chart:
    """Give the chart that a name, an instance, a TFP bijector or a sequence of these stands for.

    Raises
    ------
    ValueError
        When the name is unknown or the object is none of these.
    """
    if isinstance(chart, Chart):
        return chart
    if isinstance(chart, str) and chart in NAMES:
        return NAMES[chart](dtype=dtype)
    if isinstance(chart, list | tuple):
        return Chain([get(part, dtype) for part in chart], dtype=dtype)
    if isinstance(chart, tfp.bijectors.Bijector):
        return Bijector(chart, dtype=dtype)
    raise ValueError(
        f"Received the chart {chart!r}. Expected one of {', '.join(map(repr, NAMES))}, a keras_ndm.charts "
        "chart, a TFP bijector, or a list of these, the first map first."
    )


__all__ = [
    "NAMES",
    "AffineCoupling",
    "Bijector",
    "Chain",
    "Chart",
    "Identity",
    "Linear",
    "SplineCoupling",
    "Standardize",
    "get",
]
