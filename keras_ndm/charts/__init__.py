"""Charts: invertible coordinate maps with weights, each a builder of a TFP bijector.

Pass one, its name, or a list of them to `keras_ndm.CoordinateLayer`, or to `keras_ndm.FlowDensity`
for a density.
"""

from keras_ndm.charts.atlas import Atlas
from keras_ndm.charts.autoregressive import Autoregressive
from keras_ndm.charts.base import Chart
from keras_ndm.charts.bijector import Bijector
from keras_ndm.charts.compose import Chain, Identity, Inverse
from keras_ndm.charts.coupling import AffineCoupling, SplineCoupling
from keras_ndm.charts.free_spline import Circular, Monotone
from keras_ndm.charts.linear import Linear
from keras_ndm.charts.lookup import NAMES as _BY_NAME
from keras_ndm.charts.lookup import get
from keras_ndm.charts.partial import Bounded, Elementwise, Positive
from keras_ndm.charts.permute import Permute
from keras_ndm.charts.standardize import ActNorm, Standardize
from keras_ndm.charts.whiten import Whiten

__all__ = [
    "NAMES",
    "ActNorm",
    "AffineCoupling",
    "Atlas",
    "Autoregressive",
    "Bijector",
    "Bounded",
    "Chain",
    "Chart",
    "Circular",
    "Elementwise",
    "Identity",
    "Inverse",
    "Linear",
    "Monotone",
    "Permute",
    "Positive",
    "SplineCoupling",
    "Standardize",
    "Whiten",
    "get",
]

#: The charts that go by a name, with their classes.
NAMES = _BY_NAME
