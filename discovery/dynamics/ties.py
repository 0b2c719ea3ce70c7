r"""Numbers that a formula has equal: they stay equal in a fit that does not speak against it.

With the fitted numbers a, their covariance Σ and the equalities B a = b, the miss m = B a − b has
Wald's statistic mᵀ (B Σ Bᵀ)⁻¹ m. Where noise may explain it, a is moved to the nearest numbers that
obey them, a − Σ Bᵀ (B Σ Bᵀ)⁻¹ m: what an isotropic energy leaves open is then not fitted to noise.
Directions U of a that change nothing cost nothing: a − U (B U)⁺ m comes first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats
from scipy.linalg import block_diag

from discovery.criteria import MOTION

# Numbers are one where they differ by rounding; and equalities that others say already.
_SAME, _SAID = 1e-9, 1e-9


class Ties(NamedTuple):
    """Equalities B a = b of m numbers.

    Attributes
    ----------
    rows : (k, m) array
        B.
    sides : (k,) array
        b.
    """

    rows: np.ndarray
    sides: np.ndarray

    @classmethod
    def of(
        cls, numbers: Sequence[float], free: Sequence[int], kinds: Sequence[bool] | None = None
    ) -> Ties:
        """Return what says that numbers of one size stay so, up to their signs.

        Parameters
        ----------
        numbers : sequence of float
            All of them, as a formula has them.
        free : sequence of m int
            Those that are fitted; the others stay as they are.
        kinds : sequence of bool, optional
            Of each number. Those of two kinds are equal in some units and not in others.
        """
        kinds = [False] * len(numbers) if kinds is None else kinds
        rows, sides = [], []
        place = {k: i for i, k in enumerate(free)}
        leaders: list[int] = []
        # What stays as it is leads those of its size.
        for k in sorted(range(len(numbers)), key=lambda k: k in place):
            size = abs(numbers[k])
            alike = (j for j in leaders if kinds[j] == kinds[k])
            leader = next((j for j in alike if abs(abs(numbers[j]) - size) <= _SAME * size), None)
            if leader is None:
                leaders.append(k)
                continue
            row, side = np.zeros(len(free)), 0.0
            row[place[k]] = 1.0
            sign = np.sign(numbers[k] * numbers[leader])
            if leader in place:
                row[place[leader]] = -sign
            else:
                side = sign * numbers[leader]
            rows.append(row)
            sides.append(side)
        return cls(np.reshape(rows, (len(rows), len(free))), np.array(sides))

    @classmethod
    def beside(cls, several: Sequence[Ties], more: int) -> Ties:
        """Return the equalities of several groups of numbers, and of more that have none.

        Parameters
        ----------
        several : sequence of Ties
        more : int
        """
        rows = block_diag(*(ties.rows for ties in several), np.empty((0, more)))
        return cls(rows, np.concatenate([np.empty(0), *(ties.sides for ties in several)]))

    def kept(
        self, values: np.ndarray, covariance: np.ndarray, loose: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return fitted numbers (m,) and their covariance (m, m), equal where they may be.

        Parameters
        ----------
        values : (m,) array
        covariance : (m, m) array
        loose : (m, u) array
            Directions of the numbers that change nothing.
        """
        back = loose @ np.linalg.pinv(self.rows @ loose, _SAID)
        fitted = values, covariance
        values = values - back @ (self.rows @ values - self.sides)
        still = np.eye(len(values)) - back @ self.rows
        covariance = still @ covariance @ still.T
        spread = self.rows @ covariance @ self.rows.T
        size = np.sqrt(np.diag(spread))
        open_ = size > 0
        if not open_.any():
            return values, covariance
        rows = self.rows[open_] / size[open_, None]
        miss = rows @ values - self.sides[open_] / size[open_]
        spread = rows @ covariance @ rows.T
        inverse = np.linalg.pinv(spread, _SAID, hermitian=True)
        freedom = np.linalg.matrix_rank(spread, _SAID, hermitian=True)
        if stats.chi2.sf(miss @ inverse @ miss, freedom) < MOTION.equal:
            return fitted
        gain = covariance @ rows.T @ inverse
        return values - gain @ miss, covariance - gain @ rows @ covariance
