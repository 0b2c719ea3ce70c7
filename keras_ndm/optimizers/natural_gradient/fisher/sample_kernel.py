"""The kernel of the sample space, K = J̃ J̃ᵀ, made and factored a panel at a time.

The samples are cut into chunks. A panel holds the entries of K between the samples of one chunk
(columns) and those from this chunk on (rows): together the lower half of the symmetric K. From

    K + λ = L Lᵀ,    L[panel] = (K[panel] + λ − L[rows, :done] L[chunk, :done]ᵀ) L[chunk]⁻ᵀ

each panel of L follows from those before it, so that half of K is never made, and of the rest
no more than a panel is held. Golub and Van Loan (2013), Matrix Computations, section 4.2.
"""

import itertools

from keras import ops

from keras_ndm.backend import Tensor
from keras_ndm.backend.training import cholesky, computed_once

__all__ = ["Kernel"]

# A panel of so many columns stays in the processor's cache; narrower ones make products slow.
_COLUMNS = 128

# Every panel copies the rows of its samples, of which there are many numbers where they are held.
_COLUMNS_OF_ROWS = 512

# More make programs large and save nothing more.
_MOST_CHUNKS = 16
_CHUNKS_OF_UNKNOWN_SIZE = 8


class Kernel:
    """K of the rows that `blocks` hold, (a, n) with a seed a and a sample n.

    Parameters
    ----------
    blocks : list of blocks
        K is the sum of their parts.
    """

    def __init__(self, blocks: list):
        self._blocks = [block.cheapest() for block in blocks]
        held = max(block.held for block in self._blocks)
        self._columns = _COLUMNS if held <= _COLUMNS_OF_ROWS else _COLUMNS_OF_ROWS

    def panel(self, first: int, last: int, earlier: Tensor | None = None) -> Tensor:
        """(r, N − first, r, last − first): samples from `first` on with those from it to `last`.

        Parameters
        ----------
        first, last : int
            The chunk.
        earlier : scalar, optional
            What has to be computed before the panel is.
        """
        return sum(block.gram(first, last, earlier) for block in self._blocks)

    def trace_bound(self) -> Tensor:
        """No less than the trace of K, and equal to it for layers that are called once."""
        return sum(block.trace_bound() for block in self._blocks)

    def solve(self, right: Tensor, strength: Tensor) -> Tensor:
        """Solve (K + λ) c = b by one Cholesky factorization.

        Parameters
        ----------
        right : tensor (r, N)
            b.
        strength : scalar
            λ.

        Returns
        -------
        tensor (r, N)
            c; not finite where K + λ has no factor in this arithmetic.
        """
        panels, done = [], None
        chunks = _chunks(right, self._columns)
        for number, (first, last) in enumerate(chunks, 1):
            final = number == len(chunks)
            corner, below = self._factor(first, last, strength, done, ops.sum(right), final)
            size = last - first
            half = ops.solve_triangular(corner, _column(right[:, :size]), lower=True)
            panels.append((corner, below, half))
            if final:
                break
            right = right[:, size:] - ops.reshape(
                ops.matmul(_flat(below), half), ops.shape(below)[:2]
            )
            done = below if done is None else ops.concatenate([done[:, size:], below], axis=2)
            (done,) = computed_once([done])
        return _backwards(panels, right.shape[0])

    def _factor(self, first, last, strength, done, earlier, final):
        """Panel of L: its corner (r C, r C), and what is below it (r, N − last, r C) or None."""
        panel = self.panel(first, last, earlier)
        size = last - first
        flat = ops.reshape(panel, (*ops.shape(panel)[:2], -1))
        if done is not None:
            flat = flat - ops.reshape(
                ops.matmul(_flat(done), ops.transpose(_flat(done[:, :size]))), ops.shape(flat)
            )
        (flat,) = computed_once([flat])
        corner = _flat(flat[:, :size])
        corner = corner + strength * ops.eye(ops.shape(corner)[0], dtype=corner.dtype)
        corner = cholesky(corner[None])[0]  # as a batch of one: TensorFlow's would be cut once more
        if final:
            return corner, None
        below = flat[:, size:]
        solved = ops.solve_triangular(corner, ops.transpose(_flat(below)), lower=True)
        return corner, ops.reshape(ops.transpose(solved), ops.shape(below))


def _chunks(right, columns):
    """Bounds of the chunks of samples."""
    count, samples = right.shape
    chunks = _CHUNKS_OF_UNKNOWN_SIZE
    if samples is not None:
        chunks = max(1, min(_MOST_CHUNKS, samples, round(count * samples / columns)))
    else:
        samples = ops.shape(right)[1]
    bounds = [samples * i // chunks for i in range(chunks + 1)]
    return list(itertools.pairwise(bounds))


def _flat(panel):
    """(r, N, m) -> (r N, m)."""
    rows, samples, columns = ops.shape(panel)
    return ops.reshape(panel, (rows * samples, columns))


def _column(c):
    return ops.reshape(c, (-1, 1))


def _backwards(panels, count):
    """Lᵀ c = half, from the last chunk to the first."""
    c = None
    for corner, below, half in reversed(panels):
        if below is not None:
            half = half - ops.matmul(ops.transpose(_flat(below)), _column(c))
        part = ops.solve_triangular(ops.transpose(corner), half, lower=False)
        part = ops.reshape(part, (count, -1))
        c = part if c is None else ops.concatenate([part, c], axis=1)
    return c
