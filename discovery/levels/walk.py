"""A random walk on a level set: many chains, side by side (Zappa, Holmes-Cerfon, Goodman 2018).

From x a step v along the level set is drawn, Newton's method leads from x + v along the normals at
x back to it, to y. The step is taken with probability

    min(1, f(y) p(v′) / (f(x) p(v))),    f = ρ det(∇C ∇Cᵀ)^(−1/2),

v′ being the step along the level set that leads from y to x, if Newton's method finds x from there:
without that check the walk would not be reversible. f is the density of ρ δ(C − c), that is ρ in a
thin shell around the level set, on its surface; ρ is that of Liouville's measure where it is known.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from discovery.levels.surface import Surface, along

# Lengths of steps that are tried, in spreads of the coordinates: which of them do well is learned.
_LENGTHS = np.geomspace(0.02, 2.0, 9)
# Share of the steps whose length is drawn from all of them: rare long ones lead to other parts.
_ANY_LENGTH = 0.15
# Two points are one if they are as near as this.
_SAME_POINT = 1e-6


@dataclass
class Walk:
    """Chains on a level set.

    Attributes
    ----------
    surface : Surface
    y : (chains, m) array
        Where they are.
    rng : numpy.random.Generator
    weights : (lengths,) array
        How often each length of steps is drawn.
    refused : float
        Share of the steps to the level set that left the region.
    """

    surface: Surface
    y: np.ndarray
    rng: np.random.Generator
    weights: np.ndarray = field(default_factory=lambda: np.full(len(_LENGTHS), 1 / len(_LENGTHS)))
    _normals: np.ndarray | None = None
    _found: int = 0
    _outside: int = 0

    @property
    def refused(self) -> float:
        """Share of the steps to the level set that left the region."""
        return self._outside / max(self._found, 1)

    def adapted(self, steps: int) -> None:
        """Walk, and learn which lengths of steps lead far; a chain is none while it learns.

        Parameters
        ----------
        steps : int
        """
        gone = np.zeros(len(_LENGTHS))
        for _ in range(steps):
            length, moved = self._step(np.full(len(_LENGTHS), 1 / len(_LENGTHS)))
            gone += np.bincount(length, moved, len(_LENGTHS))
        best = gone / max(gone.sum(), 1e-300) if gone.any() else self.weights
        self.weights = (1 - _ANY_LENGTH) * best + _ANY_LENGTH / len(_LENGTHS)

    def on(self, steps: int) -> np.ndarray:
        """Walk, and return where the chains were after each step, (steps, chains, m).

        Parameters
        ----------
        steps : int
        """
        out = np.empty((steps, *self.y.shape))
        for place in out:
            self._step(self.weights)
            place[:] = self.y
        return out

    def _step(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Let each chain step; return the lengths drawn and the squares of the ways gone."""
        n, surface = len(self.y), self.surface
        if self._normals is None:
            _, self._normals = surface.jets(self.y)
        drawn = self.rng.choice(len(_LENGTHS), n, p=weights)
        width = _LENGTHS[drawn]
        step, here = along(self._normals, width[:, None] * self.rng.normal(size=self.y.shape))
        chance = np.log(self.rng.uniform(size=n))
        new, found = surface.back(self.y + step, self._normals)
        self._found += int(found.sum())
        go = np.flatnonzero(found)
        inside = surface.inside(new[go])
        self._outside += int((~inside).sum())
        go = go[inside]
        _, there_normals = surface.jets(new[go])
        reverse, there = along(there_normals, self.y[go] - new[go])
        squares = np.sum(step[go] ** 2, axis=1) - np.sum(reverse**2, axis=1)
        likely = squares / (2 * width[go] ** 2) + surface.log_density(new[go], there)
        likely -= surface.log_density(self.y[go], here[go])
        taken = chance[go] < likely
        go, there_normals, reverse = go[taken], there_normals[taken], reverse[taken]
        again, found = surface.back(new[go] + reverse, there_normals)
        taken = found & (np.abs(again - self.y[go]).max(axis=1, initial=0.0) < _SAME_POINT)
        go = go[taken]
        moved = np.zeros(n)
        moved[go] = np.sum((new[go] - self.y[go]) ** 2, axis=1)
        self.y[go], self._normals[go] = new[go], there_normals[taken]
        return drawn, moved


def correlations(record: np.ndarray) -> np.ndarray:
    """Return the autocorrelation of the slowest of functions along chains, (steps,).

    Parameters
    ----------
    record : (steps, chains, functions) array

    Returns
    -------
    (steps,) array
        One at lag 0; about the mean of all chains, so that chains that never meet stay correlated.
        Zero from where it falls below what chance leaves.
    """
    steps, chains, _ = record.shape
    centred = record - record.mean(axis=(0, 1))
    spectrum = np.abs(np.fft.rfft(centred, 2 * steps, axis=0)) ** 2
    lagged = np.fft.irfft(spectrum.mean(axis=1), axis=0)[:steps]
    lagged /= np.arange(steps, 0, -1)[:, None]
    varies = lagged[0] > 1e-20
    if not varies.any():
        return np.eye(1, steps)[0]
    curves = lagged[:, varies] / lagged[0, varies]
    small = curves < 2 / np.sqrt(chains * steps)
    ends = np.where(small.any(axis=0), small.argmax(axis=0), steps)
    curves[np.arange(steps)[:, None] >= ends] = 0.0
    return curves[:, curves.sum(axis=0).argmax()]
