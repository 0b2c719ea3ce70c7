"""Monotone rational-quadratic spline as a bijector (Durkan et al., 2019).

TFP has one, but on JAX it computes shapes that cannot be traced, so it does not compile there. This
one finds the bin by comparison with the knots instead of a search, which suits XLA on both
backends.
"""

from keras import ops

from keras_ndm.backend import Tensor, tfp

# softplus(0) = log 2: dividing by it makes the slopes one at raw numbers of zero.
_LOG2 = 0.6931471805599453
_LEAST = 0.01


def shape_from(raw: Tensor, bins: int, bound: float) -> tuple:
    """Widths, heights and slopes from any real numbers; equal bins and slopes one from zeros.

    Softmax gives the bins (each at least a hundredth of its share), softplus the slopes.

    Parameters
    ----------
    raw : tensor (…, 2 bins + k)
    bins : int
    bound : float

    Returns
    -------
    widths, heights : tensor (…, bins), each summing to 2 bound
    slopes : tensor (…, k)
    """

    def sizes(part):
        share = _LEAST / bins + (1.0 - _LEAST) * ops.softmax(part, axis=-1)
        return 2.0 * bound * share

    slopes = _LEAST + (1.0 - _LEAST) * ops.softplus(raw[..., 2 * bins :]) / _LOG2
    return sizes(raw[..., :bins]), sizes(raw[..., bins : 2 * bins]), slopes


class RationalQuadraticSpline(tfp.bijectors.Bijector):
    """Spline on [−bound, bound] with slope one at both ends, continued by the identity.

    In a bin of width w and height h with slopes d₀, d₁ at its ends, s = h/w and ξ = (x − x₀)/w:

        y  = y₀ + h (s ξ² + d₀ ξ(1 − ξ)) / (s + (d₀ + d₁ − 2s) ξ(1 − ξ))
        y′ = s² (d₁ ξ² + 2 s ξ(1 − ξ) + d₀ (1 − ξ)²) / (s + (d₀ + d₁ − 2s) ξ(1 − ξ))²

    Parameters
    ----------
    widths, heights : tensor (…, bins), positive, each summing to 2 bound
    slopes : tensor (…, bins − 1), positive
        Slopes at the inner knots.
    bound : float
    end_slope : tensor (…, 1), optional
        Slope at both ends; default one, so that the identity continues it smoothly.
    """

    def __init__(
        self,
        widths: Tensor,
        heights: Tensor,
        slopes: Tensor,
        bound: float,
        end_slope: Tensor | None = None,
    ):
        parameters = dict(locals())
        self._bound = bound
        self._x = self._knots(widths)
        self._y = self._knots(heights)
        end = ops.ones_like(slopes[..., :1]) if end_slope is None else end_slope
        self._slopes = ops.concatenate([end, slopes, end], axis=-1)
        super().__init__(
            forward_min_event_ndims=0, dtype=widths.dtype, name="spline", parameters=parameters
        )

    def _knots(self, sizes):
        # The last knot is set, not summed, so that round-off leaves no gap at the end.
        inner = ops.cumsum(sizes[..., :-1], axis=-1) - self._bound
        end = ops.full_like(sizes[..., :1], self._bound)
        return ops.concatenate([-end, inner, end], axis=-1)

    def _bin(self, value, knots):
        """Quantities of the bin that holds `value`, and whether there is one."""
        value = ops.expand_dims(value, -1)
        chosen = ops.logical_and(value >= knots[..., :-1], value < knots[..., 1:])
        chosen = ops.cast(chosen, knots.dtype)

        def pick(table):
            return ops.sum(chosen * table, axis=-1)

        inside = ops.sum(chosen, axis=-1) > 0
        # Width, height and slopes of one keep the formulas finite.
        outside = 1.0 - ops.sum(chosen, axis=-1)
        x0, y0 = pick(self._x[..., :-1]), pick(self._y[..., :-1])
        width = pick(self._x[..., 1:]) - x0 + outside
        height = pick(self._y[..., 1:]) - y0 + outside
        d0, d1 = pick(self._slopes[..., :-1]) + outside, pick(self._slopes[..., 1:]) + outside
        return inside, x0, y0, width, height, d0, d1

    def forward_and_log_slope(self, x: Tensor) -> tuple:
        """Value y and log y′, both of the shape of x, from one search for the bin."""
        inside, x0, y0, width, height, d0, d1 = self._bin(x, self._x)
        slope = height / width
        xi = ops.where(inside, (x - x0) / width, 0.5 * ops.ones_like(x))
        bump = xi * (1.0 - xi)
        below = slope + (d0 + d1 - 2.0 * slope) * bump
        rise = height * (slope * xi**2 + d0 * bump) / below
        above = d1 * xi**2 + 2.0 * slope * bump + d0 * (1.0 - xi) ** 2
        log_slope = ops.log(above) + 2.0 * (ops.log(slope) - ops.log(below))
        return ops.where(inside, y0 + rise, x), ops.where(inside, log_slope, ops.zeros_like(x))

    def _forward(self, x):
        return self.forward_and_log_slope(x)[0]

    def _inverse(self, y):
        inside, x0, y0, width, height, d0, d1 = self._bin(y, self._y)
        slope = height / width
        rise = ops.where(inside, y - y0, 0.5 * ops.ones_like(y))
        bend = rise * (d0 + d1 - 2.0 * slope)
        a = height * (slope - d0) + bend
        b = height * d0 - bend
        c = -slope * rise
        # This form of the quadratic's root stays accurate where a is small.
        xi = 2.0 * c / (-b - ops.sqrt(ops.maximum(b**2 - 4.0 * a * c, 0.0)))
        return ops.where(inside, x0 + width * xi, y)

    def _forward_log_det_jacobian(self, x):
        return self.forward_and_log_slope(x)[1]
