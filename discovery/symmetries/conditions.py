r"""What a symmetry of a model must keep, beside or instead of a metric.

A field ξ keeps the output f of a model when ξ·∇f = 0. It commutes with a flow ẋ = F(x) when
[ξ, F]^k = ξ^l ∂_l F^k − F^l ∂_l ξ^k = 0, and with a step x ↦ Φ(x) when ∂_l Φ^k ξ^l(x) = ξ^k(Φ(x)):
then it maps motions to motions. Each is counted in units in which a field that breaks it altogether
has a defect of order one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from discovery.symmetries.candidates.fields import Fields

# Steps shorter than this share of the spread of the points are rounding.
_STILL = 1e-6


def _jet(function: Callable, points: np.ndarray, what: str) -> tuple[np.ndarray, np.ndarray]:
    """Return values (N, k) and slopes ``[b, l, k]`` = ∂_l f_k of a model or callable."""
    from keras import ops

    from keras_ndm import backend

    dtype = getattr(function, "compute_dtype", None) or points.dtype.name

    def rows(x):
        out = function(x)
        shape = getattr(out, "shape", None)
        if shape is None or len(shape) not in (1, 2) or shape[0] != x.shape[0]:
            raise ValueError(
                f"{what} must map points (batch, n) to numbers (batch,) or (batch, k); it returned "
                f"{type(out).__name__ if shape is None else tuple(shape)}."
            )
        out = out[:, None] if len(shape) == 1 else out
        return out + 0.0 * x[:, :1]  # a constant has no tangent on TensorFlow

    pair = backend.partials(rows, ops.convert_to_tensor(points.astype(dtype)))
    values, slopes = (np.asarray(ops.convert_to_numpy(part), dtype=float) for part in pair)
    if not (np.isfinite(values).all() and np.isfinite(slopes).all()):
        raise ValueError(f"{what} or its derivative is not finite at some of the points.")
    return values, slopes


@runtime_checkable
class Condition(Protocol):
    """What symmetries must keep: linear equations for a field at every point."""

    @property
    def learned(self) -> bool:
        """Whether it is a fitted model, known only to what its training resolved."""

    def equations(self, n: int) -> int:
        """Return how many equations a point in n coordinates gives at least."""

    def rows(self, fields: Fields, points: np.ndarray, frame: np.ndarray) -> np.ndarray:
        """Return the equations' left-hand sides (N, k, m) for m fields.

        Parameters
        ----------
        fields : Fields
        points : (N, n) array
        frame : (N, n, n) array, ``[b, k, c]``
            Takes components ξ^k to those in an orthonormal frame.
        """


def checked(keeps: Condition | Sequence[Condition]) -> tuple[Condition, ...]:
    """Return conditions as a tuple, or say what is wrong with them."""
    given = tuple(keeps) if isinstance(keeps, list | tuple) else (keeps,)
    wrong = [k for k in given if isinstance(k, type) or not isinstance(k, Condition)]
    if wrong:
        raise ValueError(
            "`keeps` must hold Output(f), Flow(f) or Step(f) of discovery.conditions; received "
            f"{type(wrong[0]).__name__}."
        )
    return given


def _per_coordinate(values: np.ndarray, n: int, what: str) -> None:
    if values.shape[1] != n:
        raise ValueError(
            f"{what} must give {n} numbers a point, one a coordinate; it gives {values.shape[1]}."
        )


@dataclass(frozen=True)
class _OfFunction:
    """A condition on one function of the points, a callable or fitted model."""

    function: Callable

    @property
    def learned(self) -> bool:
        """Whether the function is a fitted model."""
        return hasattr(self.function, "weights")


class Output(_OfFunction):
    """ξ·∇f = 0 for every output of `function`, (batch, n) -> (batch,) or (batch, k)."""

    def equations(self, n: int) -> int:
        """Return how many equations a point gives at least."""
        del n
        return 1

    def rows(self, fields: Fields, points: np.ndarray, frame: np.ndarray) -> np.ndarray:
        """Return (N, k, m), the rates of the outputs along each field, over their spread.

        Parameters
        ----------
        fields, points, frame
            As in `Condition.rows`.
        """
        del frame
        values, slopes = _jet(self.function, points, "The output")
        spread = values.std(axis=0)
        moving = spread > 1e-9 * (np.abs(values).max(initial=0.0) + 1e-300)
        if not moving.any():
            raise ValueError("The output is constant at the points: every field keeps it.")
        xi, _ = fields.jets(points)
        return np.einsum("bfl,blk->bkf", xi, slopes[:, :, moving]) / spread[moving][:, None]


class Flow(_OfFunction):
    """[ξ, F] = 0 for the velocities `function`, (batch, n) -> (batch, n)."""

    def equations(self, n: int) -> int:
        """Return how many equations a point gives."""
        return n

    def rows(self, fields: Fields, points: np.ndarray, frame: np.ndarray) -> np.ndarray:
        """Return (N, n, m), [ξ, F] in the frame, over the size of F.

        Parameters
        ----------
        fields, points, frame
            As in `Condition.rows`.
        """
        values, slopes = _jet(self.function, points, "The flow")
        _per_coordinate(values, points.shape[1], "The flow")
        xi, partial = fields.jets(points)
        bracket = np.einsum("bfl,blk->bfk", xi, slopes) - np.einsum("bl,bflk->bfk", values, partial)
        size = np.sqrt(np.mean(np.sum(np.einsum("bk,bkc->bc", values, frame) ** 2, axis=1)))
        if not size > 0:
            raise ValueError("The flow vanishes at the points: every field commutes with it.")
        return np.einsum("bfk,bkc->bcf", bracket, frame) / size


class Step(_OfFunction):
    """DΦ ξ = ξ∘Φ for the next state `function`, a callable or model (batch, n) -> (batch, n)."""

    def equations(self, n: int) -> int:
        """Return how many equations a point gives."""
        return n

    def rows(self, fields: Fields, points: np.ndarray, frame: np.ndarray) -> np.ndarray:
        """Return (N, n, m), DΦ ξ − ξ∘Φ in the frame, over the length of the step.

        Parameters
        ----------
        fields, points, frame
            As in `Condition.rows`.
        """
        values, slopes = _jet(self.function, points, "The step")
        _per_coordinate(values, points.shape[1], "The step")
        here, _ = fields.jets(points)
        there, _ = fields.jets(values)
        rest = np.einsum("bfl,blk->bfk", here, slopes) - there
        move = np.einsum("bk,bkc->bc", values - points, frame)
        size = np.sqrt(np.mean(np.sum(move**2, axis=1)))
        spread = np.einsum("bk,bkc->bc", points - points.mean(axis=0), frame)
        if not size > _STILL * np.sqrt(np.mean(np.sum(spread**2, axis=1))):
            raise ValueError("The step moves no point: every field commutes with it.")
        return np.einsum("bfk,bkc->bcf", rest, frame) / size
