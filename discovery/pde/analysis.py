"""Fields on a grid: laws that are integrals of local densities.

A state becomes the vector of the integrals of the densities tried, with the covariance that the
grid's noise gives them. On these orbits the engine looks for linear combinations that stay
constant and judges them as any other law. Whether two laws are one is decided on the grid, by
their functional derivatives: ∫cos u and a polynomial that imitates it are one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import sympy

from discovery.criteria import LAWS
from discovery.data.trajectories import Trajectories
from discovery.estimation.orbits import Orbits
from discovery.estimation.split import PROBES, Split
from discovery.formulas.simple_numbers import Numbers
from discovery.laws.judging.conclusion import conclude
from discovery.laws.judging.law import Findings, Law
from discovery.laws.judging.selection import select
from discovery.laws.judging.trend import secular_rate
from discovery.laws.search import analyse
from discovery.laws.stages import Closed
from discovery.pde.densities import Densities, Jets, custom, escalation
from discovery.pde.grid import Grid, grid_of
from discovery.pde.integral_library import _on_grid, _some, _Terms
from discovery.pde.integrals import Integrals
from discovery.pde.mending import _mended
from discovery.pde.waves import FieldWaves, field_noise, waves_of
from discovery.report.assembly import report_on
from discovery.report.report import DiscoveryReport

# A formula that imitates a law within the noise has a gradient that differs from the law's by less
# than this times the noise over the motion along runs: beyond it, two laws are two, also where a
# large mean makes most of both (the momentum of waves on deep water beside its volume).
IMITATION = 0.5
# The same where there is no noise: coefficients have few digits.
FINEST = 0.005
# An integral over a grid has little noise beside its spread, and that noise is known well: a law
# is one only if systematic motion above this fraction of the spread is excluded, and a flatness
# that is no law's.
KNOWN = 0.05
# States that are analysed, and runs that are always kept: a covariance is held for each state.
MAX_STATES, KEEP_RUNS = 100_000, 100


def are_fields(roles: Sequence[str | None] | None) -> bool:
    """Tell whether the coordinates are fields on a grid.

    Raises
    ------
    ValueError
        When some are and some are not.
    """
    kinds = set(roles or ())
    if "field" in kinds and kinds != {"field"}:
        raise ValueError(
            "some coordinates have the role field and some do not. Expected fields alone: analyse "
            "the others apart, or give all of them roles of coordinates."
        )
    return kinds == {"field"}


def analyse_fields(
    runs: Trajectories,
    library: object,
    noise: np.ndarray | None,
    rng: np.random.Generator,
    constants: Mapping[str, float] | None = None,
) -> DiscoveryReport:
    """Find the integrals that are conserved in runs of fields.

    Parameters
    ----------
    runs : Trajectories
        All roles ``"field"``; columns named by field and grid point (u1, u2, …).
    library : str or sequence
        ``"auto"``, or densities: formulas in the fields and their derivatives (u, u_x, u_xx, …).
    noise : (d,) array, optional
        Standard deviation of each column's noise, where it is known.
    rng : numpy.random.Generator
    constants : mapping from name to number, optional
        What coefficients may be multiples of.

    Raises
    ------
    ValueError
        For columns that form no grid, a field that is constant, and libraries that are no
        densities.
    """
    grid = grid_of(runs.names, runs.grid_spacing)
    jets = Jets(grid.fields)
    given = _given(library, jets)
    numbers = Numbers.of(constants)
    some = _drawn(runs, rng)
    levels = _levels(some, grid, noise)
    sound, mended = _mended(some, grid, levels)
    waves = waves_of(sound, grid, levels)
    sets = given or escalation(jets, _positive(waves))
    whole = list(dict.fromkeys(density for tried in sets for density in tried.expressions))
    integrals = waves.orbits(Integrals(whole, jets, waves.grid, waves.kept))
    _check_finite(integrals.measured.states, whole)
    findings, rates = _search(sets, whole, integrals, waves, jets, sound, numbers, rng)
    witnesses = waves.witnesses(sound.rows, integrals)
    report = report_on(
        findings,
        conclude(findings, witnesses),
        witnesses,
        names=[str(k) for k in range(witnesses.scale.size)],
        title=_title(runs, some, waves.grid, mended),
    )
    return replace(
        report,
        quantities=[
            replace(q, drift_rate=rates[q.expression]) if q.verdict == "approximate" else q
            for q in report.quantities
        ],
        names=runs.names,
        noise={f: float(np.sqrt(np.mean(s**2))) for f, s in zip(grid.fields, levels, strict=True)},
        searched=[*report.searched, "no manifold is trained for fields"],
    )


def _search(
    sets: Sequence[Densities],
    whole: Sequence[sympy.Expr],
    integrals: Orbits,
    waves: FieldWaves,
    jets: Jets,
    runs: Trajectories,
    numbers: Numbers,
    rng: np.random.Generator,
) -> tuple[Findings, dict[sympy.Expr, float]]:
    """Try the sets of densities in turn; return the laws, and how fast approximate ones drift."""
    fit, held = Split.choose(runs.n_runs, rng)
    rows = np.flatnonzero(np.isin(runs.groups, held))
    rows = np.sort(rng.choice(rows, min(PROBES, len(rows)), replace=False))
    probes = waves.states(waves.smoothed[rows])
    scale = np.empty(runs.dim)
    for f, columns in enumerate(waves.grid.columns):
        scale[columns] = waves.spread[f]
    sine = float(np.clip(IMITATION * waves.blur, FINEST, LAWS.sine))
    pool: list[Law] = []
    records, rejected, rates = [], None, {}
    chosen = Findings()
    for tried in sets:
        orbits = _some(integrals, [whole.index(density) for density in tried.expressions])
        split = Split(orbits.take(fit), orbits.take(held), orbits, orbits.smoothed.states[rows])
        found = analyse([Closed(_Terms(tried, jets))], split, rng, numbers)
        for law in (*found.laws, *found.identities):
            if law.verdict != "exact" or _is_known(law):
                pool.append(_on_grid(law, tried, jets, waves.grid, runs.names))
            if law.verdict == "approximate":
                rates[pool[-1].expression] = secular_rate(
                    law.library,
                    law.coefficients,
                    orbits.measured,
                    runs.row_times,
                    orbits.offsets,
                    law.evidence.spread,
                )
        before = len(chosen.laws)
        chosen = select(
            pool,
            probes,
            scale,
            price=lambda law: law.cost,
            sine=lambda law: sine if law.verdict == "exact" else LAWS.sine,
        )
        records.append(replace(found.stages[0], n_laws=len(chosen.laws) - before))
        rejected = found.rejected if rejected is None else rejected & found.rejected
    return replace(chosen, stages=records, rejected=rejected), rates


def _given(library: object, jets: Jets) -> list[Densities]:
    """Return the user's own densities; none for ``"auto"``."""
    if isinstance(library, str) and library == "auto":
        return []
    if isinstance(library, Sequence) and not isinstance(library, str):
        return [custom(library, jets)]
    raise ValueError(
        f"library: received {library!r}, and the coordinates are fields. Expected 'auto', or "
        f"densities in the fields and their derivatives, for example ['{jets.fields[0]}**2', "
        f"'{jets.symbol(0, 1)}**2']."
    )


def _drawn(runs: Trajectories, rng: np.random.Generator) -> Trajectories:
    """Return some of the runs where all would not fit in memory as integrals."""
    n_kept = max(runs.n_runs * MAX_STATES // len(runs.rows), KEEP_RUNS)
    if len(runs.rows) <= MAX_STATES or runs.n_runs <= n_kept:
        return runs
    return runs[np.sort(rng.choice(runs.n_runs, n_kept, replace=False))]


def _levels(runs: Trajectories, grid: Grid, noise: np.ndarray | None) -> np.ndarray:
    """Return the noise of each field at each point, (F, N), known or estimated."""
    for f, field in enumerate(grid.fields):
        values = grid.values(runs.rows, f)
        if np.ptp(values) <= 8 * np.finfo(float).eps * np.abs(values).max():
            raise ValueError(
                f"field {field!r} is constant over all runs. It carries no information: leave it "
                "out, or vary it between runs."
            )
    if noise is None:
        return field_noise(runs, grid)
    return noise[grid.columns]


def _positive(waves: FieldWaves) -> list[int]:
    """Return the fields that are positive everywhere, measured and smoothed."""
    lowest = np.minimum(*(waves.states(a).min(axis=0) for a in (waves.measured, waves.smoothed)))
    return [f for f, columns in enumerate(waves.grid.columns) if lowest[columns].min() > 0]


def _is_known(law: Law) -> bool:
    evidence = law.evidence
    flatness_at_most = evidence.smoothed_flatness_interval[1]
    return evidence.drift_interval[1] <= KNOWN and flatness_at_most <= LAWS.flatness_ceiling


def _check_finite(values: np.ndarray, densities: Sequence[sympy.Expr]) -> None:
    bad = ~np.isfinite(values).all(axis=0)
    if bad.any():
        density = densities[int(np.argmax(bad))]
        raise ValueError(
            f"library: the density {density} is not finite on these data. Leave it out, or shift "
            "the fields."
        )


def _title(runs: Trajectories, some: Trajectories, grid: Grid, mended: int) -> str:
    title = repr(runs).removeprefix("Trajectories(").removesuffix(")")
    if some.n_runs < runs.n_runs:
        title += f"; {some.n_runs} of {runs.n_runs} runs analysed"
    if any(grid.walls):
        closed = [f for f, walls in zip(grid.fields, grid.walls, strict=True) if walls]
        title += f"; between walls, since the ends do not meet: {', '.join(closed)}"
    return f"{title}; {mended} gross errors put right" if mended else title
