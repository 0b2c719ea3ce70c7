"""A layer that puts a prediction back on the level set of its input."""

from collections.abc import Mapping, Sequence

import keras
import numpy as np
from keras import ops

from keras_ndm import backend
from keras_ndm.backend import Tensor
from keras_ndm.laws.formula import as_tree, jet
from keras_ndm.precision import full_precision

# In units of the precision: the sine below which a law's slope is what others say; misses that are
# rounding; and such as may be, where no step makes them less.
_DEPENDENT, _ROUNDING, _NEAR = 1e3, 4.0, 1e3
# What a step that does not come nearer is multiplied by; steps that are tried from one start; and
# the share of the way from the input that the second start is at. Each later one is at the square
# of the last, so that they come near from however far.
_SHORTER, _TRIED, _NEXT = 0.25, 16, 0.25


@keras.saving.register_keras_serializable("keras_ndm")
class ConservedProjection(keras.layers.Layer):
    """Any model's prediction, moved to where laws have the values that they have at its input.

    By Newton's method, x += N ∇Cᵀ (∇C N ∇Cᵀ)⁻¹ (c − C(x)), with c = C(input): the shortest way in
    the metric N⁻¹. From predictions that are far away steps are shortened until they come nearer;
    where none does, or a law has no value, it begins again nearer to the input. It ends
    when all that is left is rounding. Where a law has no value at the input the result is NaN. A
    model trains through it: the derivatives are those of the last step, along the level set as the
    prediction's and across it as c's.

    It is called with the list [input, prediction]:

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
        Steps that are tried at most. Where they do not lead to the level set (it may be empty: a
        window's mean energy below the least one), the best of those from the prediction is taken.

    Raises
    ------
    ValueError
        For laws without a closed form, of other coordinates, or none; a bad scale or number of
        steps; states of another size, or another number of them.

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
        steps: int = 128,
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
        d = len(self.names)
        pair = isinstance(input_shape[0], list | tuple)
        shapes = [tuple(shape) for shape in (input_shape if pair else [input_shape])]
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
        rows = {given.shape[0], prediction.shape[0]} - {None}
        if len(rows) > 1:
            raise ValueError(
                "ConservedProjection takes as many inputs as predictions; received "
                f"{given.shape[0]} and {prediction.shape[0]}."
            )
        d, k = len(self.names), len(self.laws)
        targets, _ = self._jets(ops.reshape(given, (-1, d)))
        last = given
        if len(given.shape) == 3:
            samples = ops.shape(given)[1]
            targets = backend.mean(ops.reshape(targets, (-1, samples, k)), 1)
            last = given[:, -1]
        if len(prediction.shape) == 3:
            ahead = ops.shape(prediction)[1]
            targets, last = (ops.repeat(each, ahead, axis=0) for each in (targets, last))
        found = self._projected(ops.reshape(prediction, (-1, d)), targets, last)
        return ops.reshape(found, ops.shape(prediction))

    def law_values(self, states: Tensor) -> Tensor:
        """Return the laws' values (n, k) at states (n, d)."""
        return self._jets(ops.convert_to_tensor(states, dtype=self.compute_dtype))[0]

    def _projected(self, x: Tensor, targets: Tensor, start: Tensor) -> Tensor:
        """Move x (n, d) to where laws have the targets (n, k); start (n, d) is near that."""
        near = self._near(*map(ops.stop_gradient, (x, targets, start)))
        # Its derivatives are one, as if it had always stood there; a far x must not round it.
        z = near + (x - ops.stop_gradient(x))
        values, slopes = self._jets(z)
        miss = targets - values
        # What has no value moves nothing, and has no derivative that is none.
        sound = ops.all(ops.isfinite(miss), axis=1, keepdims=True)
        moved = z + self._step(ops.where(sound, miss, 0.0), slopes)
        new, steep = self._jets(ops.stop_gradient(moved))
        left, before = (self._left(targets - at, slopes) for at in (new, values))
        fine = self._is_there(targets - new, targets, steep, moved, _NEAR * ops.ones_like(left))
        kept = ops.where(ops.logical_or(fine, left <= before)[:, None], moved, z)
        known = ops.all(ops.isfinite(targets), axis=1, keepdims=True)
        return ops.where(known, kept, float("nan"))

    def _near(self, x: Tensor, targets: Tensor, start: Tensor) -> Tensor:
        """Return states (n, d) on the level set but for rounding, without derivatives.

        The best from x itself where there is none.
        """
        values, slopes = self._jets(x)
        one = ops.ones_like(x[:, 0])

        def unsettled(done: Tensor, *_: Tensor) -> Tensor:
            return ops.logical_not(ops.all(done))

        def tried(
            done: Tensor, at: Tensor, best: Tensor, way: Tensor, share: Tensor, count: Tensor
        ) -> tuple[Tensor, ...]:
            values, slopes = self._jets(at)
            over = count >= _TRIED
            way = ops.where(over, ops.minimum(_NEXT, way * way), way)
            count = ops.where(over, 0.0, count + 1)
            step = share[:, None] * self._step(targets - values, slopes)
            again = start + way[:, None] * (x - start)
            trial = ops.where(over[:, None], again, at + step)
            new, steep = self._jets(trial)
            left, before = (self._left(targets - each, slopes) for each in (new, values))
            taken = ops.logical_or(left < (1 - share / 2) * before, over)
            taken = ops.logical_and(taken, ops.logical_not(done))
            share = ops.where(taken, one, _SHORTER * share)
            at = ops.where(taken[:, None], trial, at)
            best = ops.where((way == 1)[:, None], at, best)
            new = ops.where(taken[:, None], new, values)
            steep = ops.where(taken[:, None, None], steep, slopes)
            rounding = ops.where(count >= _TRIED, _NEAR * one, _ROUNDING * one)
            there = self._is_there(targets - new, targets, steep, at, rounding)
            return ops.logical_or(done, there), at, best, way, share, count

        done = self._is_there(targets - values, targets, slopes, x, _ROUNDING * one)
        state = (done, x, x, one, one, 0 * one)
        done, at, best, *_ = ops.while_loop(
            unsettled, tried, state, maximum_iterations=self.steps - 1
        )
        return ops.where(done[:, None], at, best)

    def _left(self, miss: Tensor, slopes: Tensor) -> Tensor:
        """Return about the square of the way to the level set (n,)."""
        size = ops.sum((slopes * ops.convert_to_tensor(self.scale, miss.dtype)) ** 2, axis=2)
        return ops.sum((miss / ops.sqrt(size + self._tiny)) ** 2, axis=1)

    def _is_there(
        self, miss: Tensor, targets: Tensor, slopes: Tensor, x: Tensor, rounding: Tensor
    ) -> Tensor:
        """Tell where a miss (n, k) is no more than rounding of the states and of the laws, (n,)."""
        eps = float(np.finfo(self.compute_dtype).eps)
        size = ops.abs(targets) + ops.sum(ops.abs(slopes * x[:, None]), axis=2) + self._tiny
        return ops.all(ops.abs(miss) <= eps * rounding[:, None] * size, axis=1)

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
