"""The search for laws of fields on a grid: conserved integrals of local densities.

A state becomes the vector of the integrals of the densities tried, with the covariance that the
grid's noise gives them. Linear combinations of these that stay constant along orbits are found and
judged as any other law. Whether two laws are independent is decided on the grid, by their
functional derivatives: ∫cos u and a polynomial that approximates it are one law.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter

import numpy as np
import sympy

from discovery.criteria import FIELDS, LAWS
from discovery.data.noise_level import noise_scale
from discovery.data.trajectories import Trajectories
from discovery.estimation.orbits import Orbits
from discovery.estimation.split import PROBES, Split
from discovery.formulas.simple_numbers import Numbers
from discovery.laws.judging.evidence import RESAMPLES
from discovery.laws.judging.independence import sine_to
from discovery.laws.judging.law import Findings, Law, StageRecord
from discovery.laws.judging.selection import select, unexplained
from discovery.laws.judging.trend import secular_rate
from discovery.laws.search import analyse
from discovery.laws.stages import Closed
from discovery.pde.basis import Ends
from discovery.pde.beside import Beside, point_coupled, with_beside
from discovery.pde.densities import (
    SECOND_DERIVATIVES,
    Densities,
    Jets,
    custom,
    escalation,
    with_second_derivatives,
)
from discovery.pde.grid import Grid, grid_of
from discovery.pde.integral_library import IntegralsAsCoordinates, on_grid, some_columns
from discovery.pde.integrals import Integrals
from discovery.pde.mending import correct_gross_errors
from discovery.pde.noise import field_noise, noise_of_states
from discovery.pde.place import Place
from discovery.pde.waves import FieldWaves, waves_of

# States that are analysed, and runs that are always kept: a covariance is held for each state.
MAX_STATES, KEEP_RUNS = 100_000, 100


@dataclass(frozen=True)
class FieldFindings:
    """What was found in runs of fields.

    Attributes
    ----------
    findings : Findings
        Laws as functions of states.
    drift_rates : dict from expression to float
        How fast the nearly conserved ones drift.
    sampled : Orbits
        The fields at a few grid points and the integrals, which show how much the runs move.
    noise : dict from field to float
        Standard deviation.
    remarks : list of str
        What was done to the data.
    grid : Grid
    states : Orbits
        The fields on it.
    times : (n,) array
    """

    findings: Findings
    drift_rates: dict[sympy.Expr, float]
    sampled: Orbits
    noise: dict[str, float]
    remarks: list[str]
    grid: Grid
    states: Orbits
    times: np.ndarray


def analyse_fields(
    runs: Trajectories,
    library: str | Sequence[str | sympy.Expr],
    noise: np.ndarray | None,
    numbers: Numbers,
    rng: np.random.Generator,
) -> FieldFindings:
    """Find the integrals that are conserved in runs of fields.

    Parameters
    ----------
    runs : Trajectories
        Columns of the role ``"field"`` are named by field and grid point (u1, u2, …); others are
        coordinates beside the fields.
    library : str or sequence
        ``"auto"``, `SECOND_DERIVATIVES`, which tries more, or densities: formulas in the fields and
        their derivatives (u, u_x, u_xx, …).
    noise : (d,) array, optional
        Standard deviation of each column's noise, where it is known.
    numbers : Numbers
        What coefficients are rounded to.
    rng : numpy.random.Generator

    Raises
    ------
    ValueError
        For columns that form no grid, a field that is constant, and libraries that are no
        densities.
    """
    grid = grid_of(runs.names, runs.grid_spacing, runs.roles)
    jets = Jets.of(grid, runs.names)
    given = _given(library, jets)
    beside, some = Beside.of(_drawn(runs, rng), grid, jets)
    levels, noise_beside = _levels(some, grid, noise)
    sound, n_errors = correct_gross_errors(some, grid, levels, noise_beside)
    share = None
    if noise is None:
        levels, share = noise_of_states(sound, grid, levels)
    waves = waves_of(sound, grid, levels, share, noise_beside)
    search = _Search.over(sound, waves, jets, rng)
    # Densities of the user's own are of the fields as they are.
    places = [Place.as_given(grid)] if given else Place.choices(sound.rows, waves.grid)
    for place in places:
        here = waves.seen_from([float(c) for c in place.origins], float(place.length))
        positive = [f for f in _positive(here) if not place.origins[f]]
        # What a shift of the origin makes another function is looked for from the first place.
        sets = given or escalation(jets, positive, polynomials=place is not places[0])
        if library == SECOND_DERIVATIVES:
            sets = [*sets, *with_second_derivatives(jets)]
        if grid.beside and not given:
            points = point_coupled(here.taken(search.fit), sets, jets, beside)
            sets = with_beside(sets, jets, beside, points)
        whole = list(dict.fromkeys(density for tried in sets for density in tried.expressions))
        integrals = here.orbits(Integrals(whole, jets, here.grid, here.bases))
        _check_finite(integrals.measured.states, whole)
        for tried in sets:
            columns = [whole.index(density) for density in tried.expressions]
            some_of_them = some_columns(integrals, columns)
            search.try_densities(tried, some_of_them, place, numbers, rng)
    return FieldFindings(
        findings=replace(
            search.chosen,
            stages=search.records,
            rejected=search.rejected(),
            n_judges=len(search.held),
            resolution=search.resolution,
        ),
        drift_rates=search.drift_rates,
        sampled=waves.sampled(sound.rows, integrals),
        noise={
            f: float(np.sqrt(np.mean(s**2)))
            for f, s in zip(grid.fields, waves.point_noise, strict=True)
        }
        | {runs.names[c]: float(s) for c, s in zip(grid.beside, noise_beside, strict=True)},
        remarks=_remarks(runs, some, waves, n_errors),
        grid=waves.grid,
        states=search.states,
        times=sound.row_times,
    )


@dataclass
class _Search:
    """The search through sets of densities: its data, and what was found so far."""

    runs: Trajectories
    waves: FieldWaves
    states: Orbits
    jets: Jets
    fit: np.ndarray
    held: np.ndarray
    probe_rows: np.ndarray
    pool: list[Law] = field(default_factory=list)
    chosen: Findings = field(default_factory=Findings)
    records: list[StageRecord] = field(default_factory=list)
    nearly: dict[sympy.Expr, tuple[Law, np.ndarray]] = field(default_factory=dict)
    resolution: float = 0.0
    drift_rates: dict[sympy.Expr, float] = field(default_factory=dict)

    @classmethod
    def over(
        cls, runs: Trajectories, waves: FieldWaves, jets: Jets, rng: np.random.Generator
    ) -> _Search:
        fit, held = Split.choose(runs.n_runs, rng)
        rows = np.flatnonzero(np.isin(runs.groups, held))
        rows = np.sort(rng.choice(rows, min(PROBES, len(rows)), replace=False))
        return cls(runs, waves, waves.on_grid(runs.rows), jets, fit, held, rows)

    def try_densities(
        self,
        tried: Densities,
        orbits: Orbits,
        place: Place,
        numbers: Numbers,
        rng: np.random.Generator,
    ) -> None:
        """Look for laws among one set's integrals, and select again among all that were found."""
        probes = orbits.smoothed.states[self.probe_rows]
        split = Split(orbits.take(self.fit), orbits.take(self.held), orbits, probes)
        stage = Closed(IntegralsAsCoordinates(tried, self.jets))
        found = analyse([stage], split, rng, numbers)
        known = len(self.pool)
        grid, names = self.waves.grid, self.runs.names

        def here(law: Law) -> Law:
            return place.outside(
                on_grid(law, tried, self.jets, grid, names), self.jets, grid, names
            )

        for law in (*found.refused, *found.laws):
            draws = _known_in(law)
            if draws.any() and not (law.verdict == "exact" and _is_known(law)):
                law_here = here(law)
                self.nearly.setdefault(law_here.expression, (law_here, draws))
        for law in (*found.laws, *found.identities):
            if law.verdict != "exact" or _is_known(law):
                law_here = here(law)
                if not any(_are_one(law_here, other) for other in self.pool):
                    self.pool.append(law_here)
            if law.verdict == "approximate":
                self.drift_rates[law_here.expression] = secular_rate(
                    law.library,
                    law.coefficients,
                    orbits.measured,
                    self.runs.row_times,
                    orbits.offsets,
                    law.evidence.spread,
                )
        before = len(self.chosen.laws)
        if len(self.pool) > known:
            self.chosen = self._select()
        new = len(self.chosen.laws) - before
        self.records.append(replace(found.stages[0], n_laws=new))
        self.resolution = max(self.resolution, found.resolution)

    def _select(self) -> Findings:
        """Return the independent laws by their functional derivatives, and by their values."""
        probes, scale = self.states.smoothed.states[self.probe_rows], self.states.scale
        price = attrgetter("cost")
        return select(self.pool, probes, scale, self.states, price=price, sine=self._sine)

    def _sine(self, law: Law) -> float:
        """Return how far a law's functional derivative must leave the span of the others'.

        Without noise, what has no numbers to imitate a law with is as new as it is exact.
        """
        if law.verdict == "approximate":
            return LAWS.sine
        plain = law.evidence.clean and law.modest
        least = min(law.open_sine, FIELDS.least_sine) if plain else FIELDS.least_sine
        near = FIELDS.imitation * self.waves.noise_over_motion
        return float(np.clip(near, least, LAWS.sine))

    def rejected(self) -> np.ndarray:
        """Return on which resamples nothing that is no law would be one more, (draws,).

        What is a function of the laws that were found would not be, even if it passed: by its
        functional derivative, or by its values.
        """
        probes, scale = self.states.smoothed.states[self.probe_rows], self.states.scale
        found = [law for law in self.chosen.laws if law.verdict == "exact"]
        slopes = [law.gradient(probes, scale) for law in found]
        out = np.ones(RESAMPLES, dtype=bool)
        for law, draws in self.nearly.values():
            law = replace(law, verdict="exact")
            new = (
                (draws & out).any()
                and sine_to(slopes, law.gradient(probes, scale)) > self._sine(law)
                and (not found or unexplained(law, found, self.states) >= law.least_new)
            )
            out &= ~draws | (not new)
        return out


def _given(library: str | Sequence[str | sympy.Expr], jets: Jets) -> list[Densities]:
    """Return the user's own densities; none for names."""
    if isinstance(library, str) and library in ("auto", SECOND_DERIVATIVES):
        return []
    if isinstance(library, Sequence) and not isinstance(library, str):
        return [custom(library, jets)]
    raise ValueError(
        f"library: received {library!r}, and the coordinates are fields. Expected 'auto', "
        f"{SECOND_DERIVATIVES!r}, or densities in the fields and their derivatives, for example "
        f"['{jets.fields[0]}**2', '{jets.symbol(0, 1)}**2']."
    )


def _drawn(runs: Trajectories, rng: np.random.Generator) -> Trajectories:
    """Return the runs, or some at random where the integrals of all would not fit in memory."""
    n_kept = max(runs.n_runs * MAX_STATES // len(runs.rows), KEEP_RUNS)
    if len(runs.rows) <= MAX_STATES or runs.n_runs <= n_kept:
        return runs
    return runs[np.sort(rng.choice(runs.n_runs, n_kept, replace=False))]


def _levels(
    runs: Trajectories, grid: Grid, noise: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the noise of each field at each point, (F, N), and of the coordinates beside, (Z,)."""
    for f, name in enumerate(grid.fields):
        values = grid.values(runs.rows, f)
        if np.ptp(values) <= 8 * np.finfo(float).eps * np.abs(values).max():
            raise ValueError(
                f"field {name!r} is constant over all runs. It carries no information: leave it "
                "out, or vary it between runs."
            )
    beside = list(grid.beside)
    still = [runs.names[i] for i in beside if np.ptp(runs.rows[:, i]) == 0]
    if still:
        raise ValueError(
            f"coordinate {still[0]!r} is constant over all runs. It carries no information: leave "
            "it out, or vary it between runs."
        )
    if noise is not None:
        return noise[grid.columns], noise[beside]
    along = runs.row_times, runs.offsets
    return field_noise(runs, grid), noise_scale(runs.rows[:, beside], *along)


def _positive(waves: FieldWaves) -> list[int]:
    """Return the fields that are positive everywhere, measured and smoothed."""
    lowest = np.minimum(*(waves.states(a).min(axis=0) for a in (waves.measured, waves.smoothed)))
    return [f for f, columns in enumerate(waves.grid.columns) if lowest[columns].min() > 0]


def _are_one(law: Law, other: Law) -> bool:
    """Tell whether a law is one that an earlier set gave, at no higher cost."""
    same = law.verdict == other.verdict and law.cost >= other.cost
    return same and law.expression == other.expression


def _is_known(law: Law) -> bool:
    """Tell whether the evidence excludes more motion than an integral's noise leaves open.

    Without noise all motion counts in the bound, and its ratio to the noise says no more.
    """
    evidence = law.evidence
    flat = evidence.smoothed_flatness_interval[1] <= LAWS.flatness_ceiling
    return evidence.drift_interval[1] <= FIELDS.excluded_motion and (evidence.clean or flat)


def _known_in(law: Law) -> np.ndarray:
    """Tell on which resamples a formula would pass every check, and be known, (draws,)."""
    evidence = law.evidence
    upper = evidence.smoothed_flatness_interval[1] / max(evidence.smoothed_flatness, 1e-300)
    flat = evidence.resamples.smoothed_flatness * upper <= LAWS.flatness_ceiling
    known = evidence.drift_interval[1] <= FIELDS.excluded_motion
    return law.exact_in & known & (evidence.clean | flat)


def _check_finite(values: np.ndarray, densities: Sequence[sympy.Expr]) -> None:
    bad = ~np.isfinite(values).all(axis=0)
    if bad.any():
        density = densities[int(np.argmax(bad))]
        raise ValueError(
            f"library: the density {density} is not finite on these data. Leave it out, or shift "
            "the fields."
        )


def _remarks(runs: Trajectories, some: Trajectories, waves: FieldWaves, n_errors: int) -> list[str]:
    grid, remarks = waves.grid, []
    if some.n_runs < runs.n_runs:
        remarks.append(f"{some.n_runs} of {runs.n_runs} runs analysed")
    ends = list(zip(grid.fields, grid.walls, strict=True))
    closed = [f for f, walls in ends if Ends.WALLS in walls]
    fixed = [f for f, walls in ends if any(Ends(own).is_fixed for own in walls)]
    if closed:
        remarks.append(f"between walls, since the ends do not meet: {', '.join(closed)}")
    if fixed:
        remarks.append(f"fixed at the ends, where they are zero: {', '.join(fixed)}")
    if waves.is_correlated:
        remarks.append("neighbours on the grid share noise")
    if n_errors:
        remarks.append(f"{n_errors} gross error{'s' if n_errors > 1 else ''} put right")
    return remarks
