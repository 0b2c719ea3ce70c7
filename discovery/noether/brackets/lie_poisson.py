"""Motion of tops, spins and bodies in fluids: ẋ = Π(x) ∇E with brackets linear in x.

    so(3), each triple x of columns:   x' = ± x × ∂E/∂x
    e(3), of two triples:              M' = M × ∂E/∂M + g × ∂E/∂g,   g' = g × ∂E/∂M

A function whose flow is the measured motion, at some unit of time, is the energy; one that moves
nothing, whatever the energy is, is a Casimir function. What turns all triples alike, n · Σ ± x, is
the total spin; signs differ where some moments point against their spins. In three dimensions any
motion with two laws is x' = ∇C × ∇E, so that a bracket is known by its Casimir functions (x·x; M·g
and g·g): they must be functions of the laws, or constant.

Source: J. E. Marsden and T. S. Ratiu, Introduction to Mechanics and Symmetry (1999), ch. 10 and 14.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from discovery.criteria import SYMMETRIES
from discovery.laws.judging.independence import sine_to
from discovery.noether.motion import Candidate, MeasuredMotion

Flow = Callable[[np.ndarray, np.ndarray], np.ndarray]
# Triples of which each may turn the other way.
_FEW = 3
_NO_AXES = ("", "", "")


class _Turning(NamedTuple):
    """Columns in triples, how they move, and gradients of laws.

    Attributes
    ----------
    motion : MeasuredMotion
    columns : list of k int
        Those that are no parameters.
    slopes : list of (n, k) arrays
        Of the laws.
    """

    motion: MeasuredMotion
    columns: list[int]
    slopes: list[np.ndarray]

    @classmethod
    def of(cls, laws: Sequence[Candidate], motion: MeasuredMotion) -> _Turning | None:
        """Return None where there are no triples, or slopes have no bounds."""
        columns = [i for i, role in enumerate(motion.roles) if role != "parameter"]
        if len(columns) % 3 or not columns or not motion.windows:
            return None
        slopes = [law.gradient(motion.states)[:, columns] for law in laws]
        return cls(motion, columns, slopes) if np.isfinite(slopes).all() else None

    @property
    def triples(self) -> int:
        """How many there are."""
        return len(self.columns) // 3

    @property
    def states(self) -> np.ndarray:
        """The columns, (n, k)."""
        return self.motion.states[:, self.columns]

    def keeps_casimirs(self, bracket: Flow) -> bool:
        """Tell whether a bracket's Casimir functions are functions of laws, or one number."""
        x, noise = self.states, self.motion.noise[self.columns]
        size = x.std(axis=0)
        within = [slope * size for slope in self.slopes]
        for value, slope in _casimirs(bracket, x):
            parts = np.sum((slope * size) ** 2, axis=1).mean()
            by_noise = np.sum((slope * noise) ** 2, axis=1).mean()
            if value.var() <= SYMMETRIES.flow_noise * by_noise + SYMMETRIES.flow_rest * parts:
                continue
            if not within or sine_to(within, slope * size) > SYMMETRIES.equal_coefficients:
                return False
        return True

    def over_windows(self, flows: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Return what each flow moves over windows, in spreads, one a column, and what moves."""
        size = self.states.std(axis=0)
        own = np.stack([(self.motion.integral(one) / size).ravel() for one in flows], axis=1)
        return own, (self.motion.change(self.states) / size).ravel()

    def sum_with(self, flows: Mapping[tuple[int, ...], np.ndarray]) -> dict[tuple[int, ...], float]:
        """Return the weights of flows whose sum is the motion, without those that move nothing.

        The first has the weight one, and is among them; empty where none is.
        """
        keys = list(flows)
        for _ in range(2):
            first, *beside = (flows[key] for key in keys)
            if not self.is_motion(first, beside):
                return {}
            own, change = self.over_windows([first, *beside])
            weights = np.linalg.lstsq(own, change)[0]
            share = np.abs(weights) * np.linalg.norm(own, axis=0)
            some = share > SYMMETRIES.no_part * share.max()
            found = dict(zip(keys, (weights / weights[0]).tolist(), strict=True))
            keys = [key for key, kept in zip(keys, some, strict=True) if kept or key == keys[0]]
        return found

    def is_motion(self, flow: np.ndarray, beside: Sequence[np.ndarray] = ()) -> bool:
        """Tell whether a multiple of a flow is the measured motion.

        Parameters
        ----------
        flow : (n, k) array
            At the states.
        beside : sequence of (n, k) arrays
            Other flows, of which multiples are added; they alone must not be the motion.
        """
        own, change = self.over_windows((flow, *beside))
        if not np.any(own[:, 0]):
            return False
        noise = self.motion.noise[self.columns] / self.states.std(axis=0)
        both_ends = 2 * np.sum(noise**2) * len(change) / len(noise)
        most = SYMMETRIES.flow_noise * both_ends + SYMMETRIES.flow_rest * (change @ change)
        # Where noise hides the motion, any flow would do.
        return _left(own, change) <= most < _left(own[:, 1:], change)


def lie_poisson_names(laws: Sequence[Candidate], motion: MeasuredMotion) -> list[str | None]:
    """Name energy and Casimir functions where coordinates are triples that turn.

    Parameters
    ----------
    laws : sequence of Candidate
    motion : MeasuredMotion
        Of columns that do not pair.

    Returns
    -------
    list of str or None
        None for other laws, and for all where no bracket gives the motion, or more than one does.
    """
    nothing: list[str | None] = [None] * len(laws)
    turning = _Turning.of(laws, motion)
    if turning is None:
        return nothing
    states, slopes = turning.states, turning.slopes
    found = []
    for bracket in _brackets(turning.triples):
        if not turning.keeps_casimirs(bracket):
            continue
        flows = [bracket(states, slope) for slope in slopes]
        still = [_is_still(f, s, states) for f, s in zip(flows, slopes, strict=True)]
        moving = [k for k, rests in enumerate(still) if not rests and not laws[k].decays]
        movers = [k for k in moving if turning.is_motion(flows[k])]
        if len(movers) == 1:
            found.append((movers[0], still, bracket))
        elif not movers and turning.triples > 1:
            # What is conserved may be the energy less functions of the total spin, or of a top's
            # about its axis.
            spins = [(laws[k].values(motion.states), slopes[k]) for k in moving]
            own = bracket.of_total if isinstance(bracket, _Triples) else _of_axes
            beside = [bracket(states, slope) for slope in own(states, spins)]
            if any(turning.is_motion(flows[k], beside) for k in moving):
                found.append((None, still, bracket))
    if len(found) != 1:
        return nothing
    energy, still, bracket = found[0]
    names: list[str | None] = ["Casimir function" if rests else None for rests in still]
    if energy is not None:
        names[energy] = "energy"
    if isinstance(bracket, _Triples) and turning.triples > 1:
        axes = _axes([motion.names[i] for i in turning.columns])
        spins = (_spin(slope * bracket.factors, axes) for slope in slopes)
        names = [name or spin for name, spin in zip(names, spins, strict=True)]
    return names


def energy_of_spins(
    laws: Sequence[Candidate], motion: MeasuredMotion
) -> dict[tuple[int, ...], float]:
    """Return the energy as a sum of products of laws: {(3,): 1, (0,): .5, (0, 1): −2}.

    Parameters
    ----------
    laws : sequence of Candidate
    motion : MeasuredMotion

    Returns
    -------
    dict from numbers of laws to weight
        Of one law, and of parts of the total spin and their products. Empty where a law alone is
        the energy, where no such sum is, and where several are.
    """
    turning = _Turning.of(laws, motion)
    values = [law.values(motion.states)[:, None] for law in laws]
    found = []
    for bracket in _brackets(turning.triples) if turning and turning.triples > 1 else []:
        if not turning.keeps_casimirs(bracket):
            continue
        flows = {(k,): bracket(turning.states, slope) for k, slope in enumerate(turning.slopes)}
        spins = [k for k, s in enumerate(turning.slopes) if _turns(s, bracket)]
        others = [k for k in range(len(laws)) if k not in spins]
        if any(turning.is_motion(flows[k,]) for k in others):
            return {}
        for i, j in itertools.combinations_with_replacement(spins, 2):
            flows[i, j] = values[i] * flows[j,] + values[j] * flows[i,]
        beside = [key for key in flows if set(key) <= set(spins)]
        sums = (turning.sum_with({(k,): flows[k,]} | {b: flows[b] for b in beside}) for k in others)
        found += filter(None, sums)
    return found[0] if len(found) == 1 else {}


def _axes(names: Sequence[str]) -> Sequence[str]:
    """Return what the columns S1x, S1y, S1z, S2x, … of triples are along: x, y, z, or nothing."""
    plain = [re.sub(r"\d", "", name) for name in names]
    one, alike = plain[:3], plain[:3] * (len(plain) // 3) == plain
    axes = [name[-1:] for name in one]
    told = alike and len({name[:-1] for name in one}) == 1 and len(set(axes)) == 3
    return axes if told else _NO_AXES


def _spin(slope: np.ndarray, axes: Sequence[str]) -> str | None:
    """Name n · Σ x by its gradient (n, 3 triples), which is n in each triple."""
    one = slope[0, :3]
    size = np.abs(one).max()
    alike = np.tile(one, slope.shape[1] // 3)
    if not size or np.abs(slope - alike).max() > SYMMETRIES.equal_coefficients * size:
        return None
    along = np.flatnonzero(np.abs(one) > SYMMETRIES.equal_coefficients * size)
    which = axes[along[0]] if len(along) == 1 else ""
    return f"total spin along {which}" if which else "total spin"


@dataclass(frozen=True)
class _Triples:
    """The bracket of triples that each turn, x' = ± x × ∂h/∂x.

    Attributes
    ----------
    signs : tuple of int
        One a triple, the first positive.
    """

    signs: tuple[int, ...]

    def __call__(self, x: np.ndarray, slope: np.ndarray) -> np.ndarray:
        """Return the flow (n, 3 triples) of a function by its gradient."""
        shape = (len(x), -1, 3)
        turned = np.cross(x.reshape(shape), slope.reshape(shape)).reshape(x.shape)
        return self.factors * turned

    @property
    def factors(self) -> np.ndarray:
        """The sign of each column."""
        return np.repeat(self.signs, 3)

    def of_total(
        self, states: np.ndarray, laws: Sequence[tuple[np.ndarray, np.ndarray]]
    ) -> list[np.ndarray]:
        """Return gradients of the total spin's square, of parts that are laws, and their products.

        Parameters
        ----------
        states : (n, k) array
        laws : sequence of ((n,) array, (n, k) array)
            Values and gradients.
        """
        own = self.factors
        total = (own * states).reshape(len(states), -1, 3).sum(axis=1)
        parts = [(v[:, None], slope) for v, slope in laws if _spin(own * slope, _NO_AXES)]
        pairs = itertools.combinations_with_replacement(parts, 2)
        products = [a * by_b + b * by_a for (a, by_a), (b, by_b) in pairs]
        square = own * np.tile(total, len(self.signs))
        return [square, *(slope for _, slope in parts), *products]


def _turns(slope: np.ndarray, bracket: Flow) -> bool:
    """Tell whether a law with a gradient (n, 3 triples) is a total spin, or a top's own."""
    if isinstance(bracket, _Triples):
        return _spin(slope * bracket.factors, _NO_AXES) is not None
    return np.ptp(slope, axis=0).max() == 0


def _of_axes(states: np.ndarray, laws: Sequence[tuple[np.ndarray, np.ndarray]]) -> list[np.ndarray]:
    """Return gradients of laws that are sums of columns, and of their squares and products."""
    parts = [(v[:, None], slope) for v, slope in laws if _turns(slope, _of_e3)]
    pairs = itertools.combinations_with_replacement(parts, 2)
    products = [a * by_b + b * by_a for (a, by_a), (b, by_b) in pairs]
    return [*(slope for _, slope in parts), *products]


def _brackets(triples: int) -> list[Flow]:
    """Return the flows of functions, by their gradients (n, 3 triples), in each bracket."""
    signs = [(1,) * triples]
    if triples <= _FEW:
        signs = [(1, *others) for others in itertools.product((1, -1), repeat=triples - 1)]
    out: list[Flow] = [_Triples(own) for own in signs]
    if triples == 2:
        out += [_of_e3, _of_e3_mirrored]
    return out


def _of_e3(x: np.ndarray, slope: np.ndarray) -> np.ndarray:
    (m, g), (by_m, by_g) = np.hsplit(x, 2), np.hsplit(slope, 2)
    return np.hstack([np.cross(m, by_m) + np.cross(g, by_g), np.cross(g, by_m)])


def _of_e3_mirrored(x: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """Return the flow where the triple that is like a position comes first."""
    return np.roll(_of_e3(np.roll(x, 3, axis=1), np.roll(slope, 3, axis=1)), 3, axis=1)


def _casimirs(bracket: Flow, x: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return values (n,) and gradients (n, k) of a bracket's Casimir functions."""
    if isinstance(bracket, _Triples):
        out = []
        for at in range(0, x.shape[1], 3):
            slope = np.zeros_like(x)
            slope[:, at : at + 3] = 2 * x[:, at : at + 3]
            out.append((np.sum(x[:, at : at + 3] ** 2, axis=1), slope))
        return out
    turned = bracket is _of_e3_mirrored
    m, g = np.hsplit(np.roll(x, 3, axis=1) if turned else x, 2)
    pairs = [
        (np.sum(m * g, axis=1), np.hstack([g, m])),
        (np.sum(g * g, axis=1), np.hstack([0 * m, 2 * g])),
    ]
    return [(value, np.roll(slope, 3, axis=1) if turned else slope) for value, slope in pairs]


def _is_still(flow: np.ndarray, slope: np.ndarray, x: np.ndarray) -> bool:
    """Tell whether a function moves nothing, but for rounding of its coefficients."""
    size = np.linalg.norm(slope, axis=1) * np.linalg.norm(x, axis=1)
    moved = np.sqrt(np.mean(np.sum(flow**2, axis=1)))
    return bool(moved <= SYMMETRIES.equal_coefficients * np.sqrt(np.mean(size**2)))


def _left(flows: np.ndarray, change: np.ndarray) -> float:
    """Return the square of what no sum of flows (n, k) is of a change (n,)."""
    rest = change - flows @ np.linalg.lstsq(flows, change, rcond=None)[0]
    return float(rest @ rest)
