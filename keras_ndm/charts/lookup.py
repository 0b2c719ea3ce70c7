"""Charts by name, and what else can stand for one."""

from collections.abc import Sequence

import keras

from keras_ndm.backend import tfp
from keras_ndm.charts.autoregressive import Autoregressive
from keras_ndm.charts.base import Chart
from keras_ndm.charts.bijector import Bijector
from keras_ndm.charts.compose import Chain, Identity
from keras_ndm.charts.coupling import AffineCoupling, SplineCoupling
from keras_ndm.charts.free_spline import Circular, Monotone
from keras_ndm.charts.linear import Linear
from keras_ndm.charts.partial import Bounded, Positive
from keras_ndm.charts.permute import Permute
from keras_ndm.charts.standardize import ActNorm, Standardize
from keras_ndm.charts.whiten import Whiten

#: The charts that go by a name, with their classes.
NAMES = {
    "identity": Identity,
    "standardize": Standardize,
    "whiten": Whiten,
    "actnorm": ActNorm,
    "linear": Linear,
    "affine_coupling": AffineCoupling,
    "spline_coupling": SplineCoupling,
    "autoregressive": Autoregressive,
    "permute": Permute,
    "positive": Positive,
    "bounded": Bounded,
    "monotone": Monotone,
    "circular": Circular,
}


def get(
    chart: str | Chart | tfp.bijectors.Bijector | Sequence,
    dtype: str | keras.DTypePolicy | None = None,
) -> Chart:
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
        f"Received the chart {chart!r}. Expected one of {', '.join(map(repr, NAMES))}, a "
        "keras_ndm.charts chart, a TFP bijector, or a list of these, the first map first."
    )
