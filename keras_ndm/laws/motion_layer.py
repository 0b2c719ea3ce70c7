"""A layer that moves states by equations of motion, as plain data."""

import math
from collections.abc import Mapping, Sequence
from numbers import Real

import keras
from keras import ops

from keras_ndm import backend
from keras_ndm.backend import Tensor
from keras_ndm.laws.formula import as_tree, jet, symbols
from keras_ndm.precision import full_precision

# Three leapfrog steps of these lengths are one of fourth order (Yoshida, Phys. Lett. A 150, 1990).
_OUTER = 1 / (2 - 2 ** (1 / 3))
_WEIGHTS = (_OUTER, 1 - 2 * _OUTER, _OUTER)


@keras.saving.register_keras_serializable("keras_ndm")
class MotionLayer(keras.layers.Layer):
    """States, a time dt later: x' = f(x) in steps of fourth order.

    By Runge and Kutta's method; where the coordinates part into two halves that move each other, as
    positions and momenta of T(p) + V(q) do, by a symplectic composition, whose energy error does
    not grow. States are (batch, d), or (batch, samples, d), each moved by dt. It has no weights, is
    differentiable, and is saved as plain data: a file holds nothing that runs.

    Parameters
    ----------
    rates : mapping from name to formula
        The rate of each coordinate, in the order of the states: SymPy expressions of the names, or
        lists as `get_config` gives them.
    dt : float
        Not zero; negative leads back.
    substeps : int
        Steps that dt is parted into.
    halves : pair of sequences of names, optional
        All coordinates in two groups, each of which moves by the values of the other alone.

    Raises
    ------
    ValueError
        For rates that are no closed forms of the coordinates, or none; dt and substeps that are no
        such numbers; halves that move themselves; states of another size.

    Examples
    --------
    >>> step = report.motion().refit().layer(dt=0.1)
    >>> state = keras.Input((4,))
    >>> moved = step(state)
    >>> corrected = keras.layers.Add()([moved, keras.layers.Dense(4)(state)])  # what laws leave out
    >>> model = keras.Model(state, corrected)
    """

    def __init__(
        self,
        rates: Mapping,
        dt: float,
        substeps: int = 1,
        halves: Sequence[Sequence[str]] | None = None,
        **kwargs,
    ):
        kwargs["dtype"] = full_precision(kwargs.get("dtype"))
        super().__init__(**kwargs)
        if not isinstance(rates, Mapping) or not rates:
            raise ValueError(
                f"rates is {rates!r}. Expected the rate of each coordinate, as {{'x': formula}}."
            )
        self.names = [str(name) for name in rates]
        self.rates = [as_tree(rate, self.names) for rate in rates.values()]
        if isinstance(dt, bool) or not isinstance(dt, Real) or not math.isfinite(dt) or dt == 0:
            raise ValueError(f"dt is {dt!r}. Expected a finite number other than zero.")
        self.dt = float(dt)
        if isinstance(substeps, bool) or not isinstance(substeps, int) or substeps < 1:
            raise ValueError(f"substeps is {substeps!r}. Expected a whole number, 1 or more.")
        self.substeps = substeps
        self.halves = None if halves is None else self._parted(halves)

    def _parted(self, halves: Sequence[Sequence[str]]) -> list[list[str]]:
        """Check that two groups of names move each other."""
        halves = [[str(name) for name in half] for half in halves]
        if len(halves) != 2 or sorted(halves[0] + halves[1]) != sorted(self.names):
            raise ValueError(f"halves is {halves}. Expected two groups of {self.names}.")
        for half in halves:
            for name in half:
                own = symbols(self.rates[self.names.index(name)]) & set(half)
                if own:
                    raise ValueError(
                        f"the rate of {name} has {', '.join(sorted(own))} of its own half. "
                        "Expected halves of which each moves by the other alone, or none."
                    )
        return halves

    def build(self, input_shape: tuple) -> None:
        """Check the shape."""
        self._check_shape(input_shape)

    def _check_shape(self, input_shape: tuple) -> None:
        d = len(self.names)
        if len(input_shape) not in (2, 3) or input_shape[-1] != d:
            raise ValueError(
                f"MotionLayer takes states (batch, {d}) or (batch, samples, {d}) of "
                f"{', '.join(self.names)}; received shape {tuple(input_shape)}."
            )

    def call(self, states: Tensor) -> Tensor:
        """Return the states a time dt later.

        Parameters
        ----------
        states : tensor (batch, d) or (batch, samples, d)
        """
        self._check_shape(states.shape)  # built for one shape, it may be called with another
        x = ops.reshape(ops.cast(states, self.compute_dtype), (-1, len(self.names)))
        step = self._runge_kutta if self.halves is None else self._leapfrogs
        if self.substeps == 1:
            x = step(x)
        else:
            (steps,) = backend.iterated(lambda state, _: (step(state[0]),), (x,), self.substeps)
            x = steps[-1]
        return ops.reshape(x, ops.shape(states))

    def _runge_kutta(self, x: Tensor) -> Tensor:
        h = self.dt / self.substeps
        first = self._moved(x)
        second = self._moved(x + h / 2 * first)
        third = self._moved(x + h / 2 * second)
        fourth = self._moved(x + h * third)
        return x + h / 6 * (first + 2 * second + 2 * third + fourth)

    def _leapfrogs(self, x: Tensor) -> Tensor:
        drift, kick = self.halves
        for weight in _WEIGHTS:
            h = weight * self.dt / self.substeps
            x = x + h / 2 * self._moved(x, drift)
            x = x + h * self._moved(x, kick)
            x = x + h / 2 * self._moved(x, drift)
        return x

    def _moved(self, x: Tensor, which: Sequence[str] | None = None) -> Tensor:
        """Return the rates (n, d) at states (n, d), zero for all but the named coordinates."""
        columns = {name: i for i, name in enumerate(self.names)}
        zero = ops.zeros_like(x[:, 0])
        rates = [
            zero if which is not None and name not in which else zero + jet(rate, columns, x)[0]
            for name, rate in zip(self.names, self.rates, strict=True)
        ]
        return ops.stack(rates, axis=1)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """Give the shape of the states."""
        return tuple(input_shape)

    def get_config(self) -> dict:
        """Arguments of the constructor: rates are plain data."""
        own = {
            "rates": dict(zip(self.names, self.rates, strict=True)),
            "dt": self.dt,
            "substeps": self.substeps,
            "halves": self.halves,
        }
        return {**super().get_config(), **own}
