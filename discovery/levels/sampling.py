"""States to order: on the level set of a state, or of values that the user names."""

from __future__ import annotations

import numbers
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from discovery.criteria import MOTION
from discovery.data.coordinates import infer_roles
from discovery.data.parameters import parted
from discovery.data.states import as_numbers, coordinates, has_names
from discovery.data.trajectories import Trajectories
from discovery.levels.choice import chosen, exact_laws
from discovery.levels.conserved import Conserved, Laws
from discovery.levels.measure import log_masses
from discovery.levels.region import Region
from discovery.levels.surface import Surface
from discovery.levels.walk import Walk, correlations

Seed: TypeAlias = "int | np.random.Generator | None"

# Chains at least and at most, steps on which they learn, and those that tell their memory.
_FEWEST, _CHAINS, _LEARN, _PILOT = 64, 1000, 60, 120
# Steps between two states of one chain, at most.
_LONGEST = 60
# The turn of an angle in the units that it may have, and how exactly laws must be periodic.
_TURNS, _PERIODIC = (2 * np.pi, 360.0, 1.0), 1e-9


@dataclass(frozen=True)
class LevelSample:
    """States on a level set; NumPy takes it as the array of them.

    Attributes
    ----------
    states : (n, d) array
        In the order of the report's names.
    law_error : float
        The largest distance of a law's value from the one asked for.
    effective_size : float
        How many independent states tell as much.
    values : dict from formula to number
        The laws that were held, and their values.
    refused : float
        Share of the walk's steps that the region of the data refused: zero where the level set, or
        the part of it that was sampled, lies within.
    """

    states: np.ndarray
    law_error: float
    effective_size: float
    values: dict[str, float] = field(default_factory=dict)
    refused: float = 0.0

    @property
    def shape(self) -> tuple[int, int]:
        """Number of states and of coordinates."""
        return self.states.shape

    def __array__(self, dtype: np.dtype | None = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.states, dtype=dtype, copy=copy)

    def __len__(self) -> int:
        return len(self.states)

    def __getitem__(self, which: int | slice | tuple | np.ndarray) -> np.ndarray:
        return self.states[which]

    def __repr__(self) -> str:
        return f"LevelSample({self})"

    def __str__(self) -> str:
        held = ", ".join(f"{formula} = {value:.6g}" for formula, value in self.values.items())
        cut = f"; {self.refused:.1%} of the steps left the data's region" if self.refused else ""
        return (
            f"{len(self)} states with {held}: as good as {self.effective_size:.0f} independent "
            f"ones; laws within {self.law_error:.1g}{cut}"
        )


def sample(
    quantities: Sequence[Conserved],
    runs: Trajectories,
    n: int,
    *,
    like: ArrayLike | None = None,
    values: Mapping[Hashable, float] | None = None,
    identities: Sequence[Conserved] = (),
    random_state: Seed = None,
) -> LevelSample:
    """Draw states at which laws have given values.

    Parameters
    ----------
    quantities : sequence of Conserved
        A report's.
    runs : Trajectories
        Their region is the walk's, see `discovery.levels.region`.
    n : int
        Number of states.
    like : (d,) array-like, optional
        A state: all exact laws are to have the values that they have there.
    values : mapping from name, formula or number to value, optional
        Laws by name, formula or position in `quantities`, and their values; parameters by name.
    identities : sequence of Conserved, optional
        What all states obey: these have the value that runs have, or, where that depends on
        parameters, the one at `like`.
    random_state : int or numpy.random.Generator, optional

    Returns
    -------
    LevelSample

    Raises
    ------
    ValueError
        For neither or both of `like` and `values`, unknown names, values far from the data's,
        level sets that are empty, and those on which laws depend on each other.
    """
    if isinstance(n, bool) or not isinstance(n, numbers.Integral) or n < 1:
        raise ValueError(f"n is {n!r}. Expected how many states to draw, 1 or more.")
    if (like is None) == (values is None):
        raise ValueError(
            "expected either like=, a state whose laws are kept, or values=, such as "
            "{'energy': -0.5}, and not both."
        )
    rng = np.random.default_rng(random_state)
    if like is not None:
        laws, targets, template = _like(quantities, runs, like)
    else:
        laws, targets, template = _with_values(quantities, runs, values)
    # A state that is given belongs to the data.
    rows = runs.rows if like is None else np.vstack([template, runs.rows])
    run = np.repeat(np.arange(runs.n_runs), runs.lengths)
    run = run if like is None else np.append(-1, run)
    _check_near(laws, targets, runs)
    if identities:
        alike = _values_of(identities, runs, template, of_a_state=like is not None)
        laws, targets = Laws([*laws.quantities, *identities]), np.append(targets, alike)
    surface, turns = _surface(laws, targets, template, runs)
    places = surface.points(rows)
    surface = replace(surface, region=Region(places, run, turns / surface.scale))
    surface = replace(surface, log_mass=log_masses(quantities, runs))
    walk = Walk(surface, _starts(surface, places, min(max(n, _FEWEST), _CHAINS), rng), rng)
    walk.adapted(_LEARN)
    period = turns / surface.scale
    memory = correlations(_functions(walk.on(_PILOT), period))
    apart = int(np.clip(np.ceil(2 * memory.sum()), 1, _LONGEST))
    walk.on(min(3 * apart, _PILOT))
    rounds = -(-n // len(walk.y))
    drawn = [walk.on(apart)[-1].copy() for _ in range(rounds)]
    between = 2 * memory[apart::apart][: rounds - 1].sum()
    states = surface.polished(surface.states(np.vstack(drawn)))
    states = states[rng.permutation(len(states))[:n]]
    states[:, surface.columns] = _turned(states[:, surface.columns], turns, surface, runs)
    error = np.abs(laws.values(states) - targets).max()
    held = {q.formula: float(c) for q, c in zip(laws.quantities, targets, strict=True)}
    return LevelSample(states, float(error), n / (1 + between), held, walk.refused)


def _like(
    quantities: Sequence[Conserved], runs: Trajectories, like: ArrayLike
) -> tuple[Laws, np.ndarray, np.ndarray]:
    state = coordinates(like, runs.names) if has_names(like) else as_numbers(like, "like")
    if state.shape != (runs.dim,) or not np.isfinite(state).all():
        raise ValueError(
            f"like has shape {state.shape}. Expected one state: finite values of "
            f"{', '.join(runs.names)}."
        )
    laws = Laws(exact_laws(quantities))
    targets = laws.values(state[None])[0]
    if not np.isfinite(targets).all():
        raise ValueError(f"the laws have no value at like={state.tolist()}. Give another state.")
    return laws, targets, state


def _with_values(
    quantities: Sequence[Conserved], runs: Trajectories, values: Mapping[Hashable, float]
) -> tuple[Laws, np.ndarray, np.ndarray]:
    if not isinstance(values, Mapping) or not values:
        raise ValueError(
            f"values is {values!r}. Expected laws and their values, such as {{'energy': -0.5}}."
        )
    for key, value in values.items():
        real = isinstance(value, numbers.Real) and not isinstance(value, bool)
        if not real or not np.isfinite(value):
            raise ValueError(f"values[{key!r}] is {value!r}. Expected a finite number.")
    parts = parted(runs)
    fixed = {runs.names[i]: i for i in (*parts.parameters, *parts.clock)}
    template = np.median(runs.rows, axis=0)
    laws: dict[int, float] = {}
    found: list[Conserved] = []
    for key, value in values.items():
        if key in fixed:
            template[fixed[key]] = value
            continue
        law = chosen(quantities, key, runs.rows[:256])
        if id(law) in laws:
            raise ValueError(f"values has {law.formula} twice. Give one value a law.")
        laws[id(law)] = float(value)
        found.append(law)
    if not found:
        raise ValueError("values names no law. Expected one at least, such as {'energy': -0.5}.")
    used = {s.name for law in found for s in law.expression.free_symbols}
    if missing := [name for name in fixed if name in used and name not in values]:
        raise ValueError(
            f"the laws depend on {', '.join(missing)}, which no run changes. Give "
            f"values={{{missing[0]!r}: …}} too."
        )
    return Laws(found), np.array(list(laws.values())), template


def _values_of(
    identities: Sequence[Conserved], runs: Trajectories, template: np.ndarray, of_a_state: bool
) -> np.ndarray:
    """Return what identities are equal to, as runs have it, or one state where they differ."""
    seen = Laws(identities).values(runs.rows)
    out = np.nanmean(np.where(np.isfinite(seen), seen, np.nan), axis=0)
    for i, identity in enumerate(identities):
        if identity.constant == "constant":
            continue
        if not of_a_state:
            raise ValueError(
                f"{identity.formula} differs from run to run, by parameters. Expected a state that "
                "has it: give like= in place of values=."
            )
        out[i] = identity(template[None])[0]
    return out


def _check_near(laws: Laws, targets: np.ndarray, runs: Trajectories) -> None:
    """Refuse values of laws that are far from those of the runs."""
    seen = laws.values(runs.rows)
    low, high = np.nanpercentile(np.where(np.isfinite(seen), seen, np.nan), (0.5, 99.5), axis=0)
    parts = parted(runs)
    varied = not (parts.parameters or parts.clock)
    for q, c, least, most in zip(laws.quantities, targets, low, high, strict=True):
        if varied and not least - MOTION.far * (most - least) <= c <= most + MOTION.far * (
            most - least
        ):
            raise ValueError(
                f"{q.name or q.formula} = {c:.6g} is far from the runs, which have {least:.4g} to "
                f"{most:.4g}: a law is known where there were data. Give a value there."
            )


def _surface(
    laws: Laws, targets: np.ndarray, template: np.ndarray, runs: Trajectories
) -> tuple[Surface, np.ndarray]:
    """Return the level set in the region of runs, and the turn of each coordinate, nan for none."""
    seen, parts = laws.values(runs.rows), parted(runs)
    columns = np.array(parts.coordinates)
    if len(laws) > len(columns):
        raise ValueError(
            f"{len(laws)} laws of {len(columns)} coordinates leave no state. Give values of fewer."
        )
    rows = runs.rows[:, columns]
    scale = rows.std(axis=0)
    turns = np.array([_turn(laws, runs, i) for i in columns])
    sizes = np.maximum(np.nanstd(seen, axis=0), 1e-9 * np.abs(targets))
    surface = Surface(laws, targets, sizes, template, columns, scale)
    return surface, turns


def _turn(laws: Laws, runs: Trajectories, column: int) -> float:
    """Return the period of an angle if it is one of all laws; else nan."""
    if infer_roles(runs.names, runs.roles, runs.rows)[column] != "angle":
        return np.nan
    some = runs.rows[:: max(1, len(runs.rows) // 256)]
    values = laws.values(some)
    for turn in _TURNS:
        moved = some.copy()
        moved[:, column] += turn
        if np.allclose(laws.values(moved), values, rtol=0, atol=_PERIODIC * np.ptp(values)):
            return turn
    return np.nan


def _turned(
    values: np.ndarray, turns: np.ndarray, surface: Surface, runs: Trajectories
) -> np.ndarray:
    """Return angles within the turn that the runs' are in: from 0, or from −½."""
    out, rows = values.copy(), runs.rows[:, surface.columns]
    for i in np.flatnonzero(np.isfinite(turns)):
        whole = rows[:, i].min() >= 0 and rows[:, i].max() <= turns[i]
        begin = 0.0 if whole else -turns[i] / 2
        out[:, i] = begin + (out[:, i] - begin) % turns[i]
    return out


def _starts(
    surface: Surface, places: np.ndarray, chains: int, rng: np.random.Generator
) -> np.ndarray:
    """Return points of the level set from the data's points (rows, m) that are next to it."""
    y = places
    distance = np.linalg.norm(surface.jets(y)[0], axis=1)
    near = np.argsort(np.where(np.isfinite(distance), distance, np.inf))[: 4 * chains]
    y, found = surface.nearest(y[rng.permutation(near)[: 2 * chains]])
    y = y[found]
    if not len(y):
        words = ", ".join(
            f"{q.name or q.formula} = {c:.6g}"
            for q, c in zip(surface.laws.quantities, surface.targets, strict=True)
        )
        raise ValueError(
            f"the level set {words} is empty, as far as the region of the runs goes: no state with "
            "these values was found from any state of theirs. Give other values."
        )
    sines = np.linalg.svd(surface.jets(y)[1], compute_uv=False)
    clear = sines[:, -1] > MOTION.dependent * sines[:, 0]
    if not clear.any():
        raise ValueError(
            "on this level set the laws depend on each other: it is a point, or the edge of what "
            "values they can have. Give other values, or fewer."
        )
    y = y[clear]
    return y[
        rng.permutation(len(y))[:chains] if len(y) >= chains else rng.integers(len(y), size=chains)
    ]


def _functions(record: np.ndarray, period: np.ndarray) -> np.ndarray:
    """Return what memory is measured on: coordinates, and the cosines and sines of angles."""
    turns = np.isfinite(period)
    angles = record[..., turns] * (2 * np.pi / period[turns])
    return np.concatenate([record[..., ~turns], np.cos(angles), np.sin(angles)], axis=2)
