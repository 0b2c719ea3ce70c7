"""A user's own candidates, judged on a report's runs as its laws were.

They are formulas as they stand: no coefficient is fitted or rounded. Runs are split as for laws, so
that the numbers can be compared; those that formulas are found on only join the tests on all runs.
What all runs obey alike is seen by its terms, which vary and cancel, and laws are compared on its
surface.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import sympy

from discovery.criteria import LAWS
from discovery.data.coordinates import infer_roles
from discovery.data.frame import Frame
from discovery.data.parameters import parted
from discovery.data.trajectories import Trajectories
from discovery.estimation.along import jittered
from discovery.estimation.preparation import prepare
from discovery.estimation.split import Split
from discovery.formulas.parsing import parse_formula
from discovery.laws.finding.candidates import Candidate
from discovery.laws.finding.operators import operators
from discovery.laws.judging.drift import DriftTest
from discovery.laws.judging.independence import on_surface, sine_to
from discovery.laws.judging.judge import Judge, Refined
from discovery.laws.judging.law import Law
from discovery.laws.judging.verdict import Verdict
from discovery.levels.conserved import Conserved
from discovery.libraries.choice import custom
from discovery.libraries.monomials import symbols_of

# The distance from the origin, where a formula may name it.
_DISTANCE = "r"
# States at which gradients and values are compared.
_PROBES = 256


@dataclass(frozen=True)
class Judged:
    """A candidate with its evidence, and what it is beside the laws.

    Attributes
    ----------
    law : Law
        With its verdict, which may be ``"rejected"``.
    within : tuple of int
        Exact laws that it is a function of, by their positions; empty where it is of none.
    nearest : int or None
        The exact law that it is most like; None where there is none.
    difference : float
        What no multiple of that one explains, as a share of the candidate's spread.
    """

    law: Law
    within: tuple[int, ...]
    nearest: int | None
    difference: float


@dataclass(frozen=True)
class _Identity:
    """A quantity of a report, as `on_surface` asks for it."""

    values: Conserved

    def gradient(self, points: np.ndarray, scale: np.ndarray) -> np.ndarray:
        return self.values.gradient(points) * scale


def judged(
    candidates: Mapping[str, str | sympy.Expr],
    quantities: Sequence[Conserved],
    identities: Sequence[Conserved],
    runs: Trajectories,
    noise: Mapping[str, float],
) -> dict[str, Judged]:
    """Judge formulas on runs.

    Parameters
    ----------
    candidates : mapping from name to formula
        Read by `discovery.formulas.parsing`; nothing is run. ``r`` is the distance from the origin
        where positions tell it.
    quantities, identities : sequences of Conserved
        A report's.
    runs : Trajectories
        In the user's units.
    noise : mapping from coordinate to standard deviation

    Raises
    ------
    ValueError
        For what is no formula, constants, formulas without a value on these runs, and runs too few
        to judge on.
    """
    if not isinstance(candidates, Mapping) or not candidates:
        raise ValueError(
            f"received {type(candidates).__name__}. Expected names and formulas, such as "
            "{'mine': 'u**2/2 - 1/x'}."
        )
    if runs.n_runs < LAWS.min_runs:
        raise ValueError(
            f"{runs.n_runs} runs cannot tell a law from a number. Expected {LAWS.min_runs} or more."
        )
    known = _known(runs)
    formulas = {
        name: parse_formula(given, known, f"candidate {name!r}")
        for name, given in candidates.items()
    }
    if constant := [name for name, formula in formulas.items() if not formula.free_symbols]:
        raise ValueError(
            f"candidate {constant[0]!r} is a number. Expected a function of the state."
        )
    split = _split(runs, noise)
    alike = [_Identity(one) for one in identities if len(one.library.symbols) == runs.dim]
    return {
        name: _beside(_law(name, formula, runs, split), quantities, alike, split)
        for name, formula in formulas.items()
    }


def _known(runs: Trajectories) -> dict[str, sympy.Expr]:
    """Return what names stand for: the coordinates, and r."""
    symbols = symbols_of(runs.names)
    known = dict(zip(runs.names, symbols, strict=True))
    roles = infer_roles(runs.names, runs.roles, runs.rows)
    named = [s for s in symbols if s.name in ("x", "y", "z")]
    placed = [s for s, role in zip(symbols, roles, strict=True) if role == "position"]
    places = named if len(named) > 1 else placed
    if len(places) in (2, 3):
        known.setdefault(_DISTANCE, sympy.sqrt(sum(s**2 for s in places)))
    return known


def _split(runs: Trajectories, noise: Mapping[str, float]) -> Split:
    """Return the runs as the analysis takes them, in the user's coordinates."""
    # Times have the analysis' unit; formulas are of the user's.
    runs = replace(Frame.of(runs, ()), exponent=(0,) * runs.dim).runs(runs)
    parts = parted(runs)
    columns = list(parts.coordinates)
    moving = runs if parts.all_coordinates else runs.of_columns(columns)
    levels = np.array([noise[name] for name in moving.names])
    orbits = prepare(moving, levels).among(runs.rows, columns, parts.parameters)
    if parts.clock:
        orbits = jittered(orbits, parts.clock, runs.row_times)
    rng = np.random.default_rng(0)
    return Split.of(orbits, *Split.choose(runs.n_runs, rng), rng)


def _law(name: str, formula: sympy.Expr, runs: Trajectories, split: Split) -> Law:
    law = _as_terms([formula], np.ones(1), name, runs, split)
    parts = [part.as_coeff_Mul() for part in sympy.Add.make_args(sympy.expand(formula))]
    parts = [(float(number), term) for number, term in parts if term.free_symbols]
    if law.verdict != Verdict.REJECTED or len(parts) < 2:
        return law
    # An identity is what cancels, of terms that vary: a formula as one term has none.
    numbers, terms = zip(*parts, strict=True)
    alike = _as_terms(list(terms), np.array(numbers), name, runs, split)
    return alike if alike.verdict == Verdict.IDENTITY else law


def _as_terms(
    terms: Sequence[sympy.Expr],
    numbers: np.ndarray,
    name: str,
    runs: Trajectories,
    split: Split,
) -> Law:
    library = custom(terms, runs.names)
    clear = split.where(library.positive)
    if min(clear.fit.n_runs, clear.held.n_runs) < 2:
        raise ValueError(f"candidate {name!r} has a value on too few of the runs.")
    if not np.isfinite(library.values(clear.all.measured.states)).all():
        raise ValueError(f"candidate {name!r} has no finite value at some states of the runs.")
    judge = Judge(library, clear, np.random.default_rng(0))
    fit, none = clear.fit, np.zeros(len(terms))
    ops = operators(library, fit.smoothed, fit.offsets, fit.scale)
    cost = float(np.sum(library.costs()))
    candidate = Candidate(tuple(range(len(terms))), numbers, float("nan"), cost)
    return judge.law(ops, Refined(candidate, DriftTest(library, numbers, fit, LAWS), none))


def _beside(
    law: Law, quantities: Sequence[Conserved], alike: Sequence[_Identity], split: Split
) -> Judged:
    exact = [i for i, q in enumerate(quantities) if q.verdict == "exact"]
    if not exact:
        return Judged(law, (), None, 1.0)
    scale = split.held.scale
    states = on_surface(split.probes[:_PROBES], scale, alike)
    surface = [one.gradient(states, scale) for one in alike]
    slopes = {i: quantities[i].gradient(states) * scale for i in exact}
    own = law.gradient(states, scale)
    unlike = {i: _unlike(quantities[i](states), law.values(states)) for i in exact}
    nearest = min(exact, key=unlike.get)
    ways = (itertools.combinations(exact, k + 1) for k in range(len(exact)))
    # Of as few laws as it is a function of.
    for within in itertools.chain([(nearest,)], *ways):
        if sine_to([slopes[i] for i in within], own, surface) <= law.sine:
            return Judged(law, within, nearest, unlike[nearest])
    return Judged(law, (), nearest, unlike[nearest])


def _unlike(values: np.ndarray, others: np.ndarray) -> float:
    """Return what no multiple of values explains of others, as a share of their spread."""
    sound = np.isfinite(values) & np.isfinite(others)
    if sound.sum() < 3 or not (np.ptp(values[sound]) and np.ptp(others[sound])):
        return 1.0
    return float(np.sqrt(max(0.0, 1 - np.corrcoef(values[sound], others[sound])[0, 1] ** 2)))
