"""A layer that puts a prediction back on the level set of its input."""

from collections.abc import Mapping, Sequence

import keras
import numpy as np
from keras import ops

from keras_ndm import backend
from keras_ndm.backend import Tensor
from keras_ndm.laws.formula import as_tree, jet
from keras_ndm.precision import full_precision

# The sine below which a law's slope is what others say, in units of the precision.
_DEPENDENT = 1e3


@keras.saving.register_keras_serializable("keras_ndm")
class ConservedProjection(keras.layers.Layer):
    """Any model's prediction, moved to where laws have the values that they have at its input.

    By Newton's method, x += N ∇Cᵀ (∇C N ∇Cᵀ)⁻¹ (c − C(x)), with c = C(input): the shortest way in
    the metric N⁻¹. It is differentiable, so that a model trains through it. It is called with the
    list [input, prediction]:

    - states (batch, d) and predictions (batch, d), or (batch, steps, d);
    - windows (batch, samples, d) of one run each, of which c is the mean, and predictions of either
      shape.

    Both are in the laws' units: put the layer behind whatever undoes a standardization.

    Parameters
    ----------
    laws : sequence
        Quantities of a report, or SymPy expressions.
    names : sequence of d str, optional
        The coordinates, in the order of the states; known of a report's quantities.
    scale : sequence of d positive numbers, optional
        √N, how far each coordinate may be moved: the standard deviations of the prediction's
        errors, or of the noise. All alike by default.
    steps : int
        Of Newton's method. A step that does not come nearer is not taken.

    Raises
    ------
    ValueError
        For laws without a closed form, of other coordinates, or none; a bad scale or number of
        steps; states of another size.

    Examples
    --------
    >>> window = keras.Input((20, 4))
    >>> prediction = keras.layers.Dense(4)(keras.layers.LSTM(64)(window))
    >>> kept = keras_ndm.ConservedProjection(report.quantities)([window, prediction])
    >>> model = keras.Model(window, kept)
    """

    def __init__(
        self,
        laws: Sequence,
        names: Sequence[str] | None = None,
        scale: Sequence[float] | None = None,
        steps: int = 4,
        **kwargs,
    ):
        kwargs["dtype"] = full_precision(kwargs.get("dtype"))
        super().__init__(**kwargs)
        laws = [laws] if hasattr(laws, "free_symbols") or isinstance(laws, Mapping) else list(laws)
        if not laws:
            raise ValueError("ConservedProjection needs laws; received none.")
        plain = [law.plain_form() if hasattr(law, "plain_form") else law for law in laws]
        told = [law["names"] for law in plain if isinstance(law, Mapping)]
        names = names if names is not None else told[0] if told else None
        if names is None:
            raise ValueError("ConservedProjection needs names=, the coordinates in their order.")
        self.names = [str(name) for name in names]
        if any(list(own) != self.names for own in told):
            raise ValueError(
                f"the laws are of {told}. Expected the names of the states, {self.names}, in this "
                "order."
            )
        self.laws = [
            as_tree(law["tree"] if isinstance(law, Mapping) else law, self.names) for law in plain
        ]
        d = len(self.names)
        size = np.ones(d) if scale is None else np.asarray(scale, dtype=float)
        if size.shape != (d,) or not np.all(np.isfinite(size) & (size > 0)):
            raise ValueError(f"scale is {scale}. Expected {d} positive numbers, or none.")
        self.scale = size.tolist()
        if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
            raise ValueError(f"steps is {steps!r}. Expected a whole number, 1 or more.")
        self.steps = steps

    def build(self, input_shape: Sequence[tuple]) -> None:
        """Check the shapes."""
        shapes = [tuple(shape) for shape in input_shape]
        d = len(self.names)
        if len(shapes) != 2 or any(len(s) not in (2, 3) or s[-1] != d for s in shapes):
            raise ValueError(
                f"ConservedProjection takes [input, prediction], each (batch, {d}) or (batch, "
                f"steps, {d}); received shapes {shapes}."
            )

    def call(self, inputs: Sequence[Tensor]) -> Tensor:
        """Return the prediction on the level set of the input.

        Parameters
        ----------
        inputs : pair of tensors
            States or windows, and predictions.
        """
        given, prediction = (ops.cast(x, self.compute_dtype) for x in inputs)
        d, k = len(self.names), len(self.laws)
        targets, _ = self._jets(ops.reshape(given, (-1, d)))
        if len(given.shape) == 3:
            samples = ops.shape(given)[1]
            targets = backend.mean(ops.reshape(targets, (-1, samples, k)), 1)
        if len(prediction.shape) == 3:
            targets = ops.repeat(targets, ops.shape(prediction)[1], axis=0)
        found = self._projected(ops.reshape(prediction, (-1, d)), targets)
        return ops.reshape(found, ops.shape(prediction))

    def law_values(self, states: Tensor) -> Tensor:
        """Return the laws' values (n, k) at states (n, d)."""
        return self._jets(ops.convert_to_tensor(states, dtype=self.compute_dtype))[0]

    def _projected(self, x: Tensor, targets: Tensor) -> Tensor:
        values, slopes = self._jets(x)
        for i in range(self.steps):
            moved = x + self._step(targets - values, slopes)
            new_values, new_slopes = self._jets(moved)
            size = ops.sum(slopes**2, axis=2) + self._tiny
            left, before = (
                ops.sum((targets - found) ** 2 / size, axis=1) for found in (new_values, values)
            )
            nearer = (left < before)[:, None]
            x = ops.where(nearer, moved, x)
            if i + 1 < self.steps:
                values = ops.where(nearer, new_values, values)
                slopes = ops.where(nearer[:, None], new_slopes, slopes)
        return x

    def _step(self, miss: Tensor, slopes: Tensor) -> Tensor:
        """Return N ∇Cᵀ (∇C N ∇Cᵀ)⁻¹ miss (n, d), for a miss (n, k) and slopes (n, k, d).

        By Gram and Schmidt: XLA takes minutes to compile a matrix solve, and they leave out a law
        that others say already.
        """
        eps = float(np.finfo(self.compute_dtype).eps)
        scale = ops.convert_to_tensor(self.scale, dtype=self.compute_dtype)
        axes: list[Tensor] = []
        step = ops.zeros_like(slopes[:, 0])
        for i in range(len(self.laws)):
            row = slopes[:, i] * scale
            size = ops.sqrt(ops.sum(row**2, axis=1, keepdims=True) + self._tiny)
            row, rest = row / size, miss[:, i : i + 1] / size
            rest = rest - ops.sum(row * step, axis=1, keepdims=True)
            for axis in axes:
                row = row - ops.sum(row * axis, axis=1, keepdims=True) * axis
            square = ops.sum(row**2, axis=1, keepdims=True)
            new = square > (_DEPENDENT * eps) ** 2
            length = ops.sqrt(ops.where(new, square, 1.0))
            axes.append(ops.where(new, row / length, 0.0))
            step = step + ops.where(new, rest / length, 0.0) * axes[-1]
        return scale * step

    @property
    def _tiny(self) -> float:
        """What keeps the square of a length from zero."""
        return float(np.finfo(self.compute_dtype).tiny) ** 0.5

    def _jets(self, states: Tensor) -> tuple[Tensor, Tensor]:
        """Return the laws (n, k) and their slopes (n, k, d) at states (n, d)."""
        columns = {name: i for i, name in enumerate(self.names)}
        zero = ops.zeros_like(states[:, 0])
        jets = [jet(law, columns, states) for law in self.laws]
        values = ops.stack([zero + value for value, _ in jets], axis=1)
        slopes = [
            ops.stack([zero + own.get(i, 0.0) for i in range(len(columns))], axis=1)
            for _, own in jets
        ]
        return values, ops.stack(slopes, axis=1)

    def compute_output_shape(self, input_shape: Sequence[tuple]) -> tuple:
        """Give the shape of the prediction."""
        return tuple(input_shape[1])

    def get_config(self) -> dict:
        """Arguments of the constructor: laws are plain data."""
        laws = [{"names": self.names, "tree": law} for law in self.laws]
        own = {"laws": laws, "names": self.names, "scale": self.scale, "steps": self.steps}
        return {**super().get_config(), **own}
