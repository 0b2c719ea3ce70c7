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
from keras_ndm.keras_internals import layers_inside

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


def in_dtype(layer: keras.Layer, dtype: str | keras.DTypePolicy | None) -> keras.Layer:
    """Let a layer without weights, and those inside it, compute in `dtype`, if one is given."""
    if dtype is not None and not layer.built:
        for part in layers_inside(layer):
            part.dtype_policy = dtype
    return layer


def get(
    chart: str | Chart | tfp.bijectors.Bijector | Sequence,
    dtype: str | keras.DTypePolicy | None = None,
) -> Chart:
    """Give the chart that a name, an instance, a TFP bijector or a sequence of these stands for.

    A chart that is not built yet computes in `dtype` from then on.

    Raises
    ------
    ValueError
        When the name is unknown or the object is none of these.
    """
    if isinstance(chart, Chart):
        return in_dtype(chart, dtype)
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
