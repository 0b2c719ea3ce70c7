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

from discovery.analysis import report_on
from discovery.conclusion import conclude
from discovery.engine import analyse
from discovery.evidence import FLAT
from discovery.field_waves import FieldWaves, field_noise, waves_of
from discovery.grid import Grid, ends_meet, grid_of
from discovery.independence import SINE, independent
from discovery.integrals import Integrals
from discovery.laws import Findings, Law
from discovery.libraries.builders import symbols_of
from discovery.libraries.densities import Densities, Jets, custom, escalation
from discovery.libraries.library import Library, shape_of
from discovery.numbers import Numbers
from discovery.orbits import Orbits
from discovery.outliers import MOST, mend_lines, sound_rows
from discovery.report import DiscoveryReport
from discovery.secular import secular_rate
from discovery.smoothing import Path
from discovery.split import PROBES, Split
from discovery.trajectories import Trajectories

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
# Share of the states that must be left when those with many gross errors are not.
MOSTLY = 0.8
# Points that a line is continued by at either end.
_PAD = 8


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
    sine = float(np.clip(IMITATION * waves.blur, FINEST, SINE))
    pool: list[Law] = []
    records, rejected, rates = [], None, {}
    chosen = Findings()
    for tried in sets:
        orbits = _some(integrals, [whole.index(density) for density in tried.expressions])
        split = Split(orbits.take(fit), orbits.take(held), orbits, orbits.smoothed.states[rows])
        found = analyse([_Terms(tried, jets)], split, rng, numbers)
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
        chosen = _select(pool, probes, scale, sine)
        records.append(replace(found.stages[0], n_laws=len(chosen.laws) - before))
        rejected = found.rejected if rejected is None else rejected & found.rejected
    return replace(chosen, stages=records, rejected=rejected), rates


class _Terms(Library):
    """The integrals as the coordinates of orbits, each a term of its own."""

    def __init__(self, tried: Densities, jets: Jets) -> None:
        symbols = symbols_of([f"I{j}" for j in range(len(tried.expressions))])
        one = np.eye(len(symbols), dtype=int)
        super().__init__(symbols, symbols, [tuple(row) for row in one], tried.name)
        self._costs = np.array([jets.cost(density) for density in tried.expressions])

    def costs(self) -> np.ndarray:
        """Return what the densities cost."""
        return self._costs


class IntegralLibrary:
    """Integrals of densities as functions of states: what a law of fields is made of.

    Parameters
    ----------
    densities : sequence of m sympy.Expr
    jets : Jets
    grid : Grid
    names : sequence of d str
        The columns.
    """

    learned = False
    positive = ()
    is_coordinate = False
    name = "integrals"

    def __init__(
        self, densities: Sequence[sympy.Expr], jets: Jets, grid: Grid, names: Sequence[str]
    ) -> None:
        self._arguments = (densities, jets, grid, names)
        self.symbols = symbols_of(names)
        self._integrals = Integrals(densities, jets, grid)

    def __reduce__(self) -> tuple:
        # Compiled functions do not pickle; what they were compiled from does.
        return IntegralLibrary, self._arguments

    def __len__(self) -> int:
        return len(self._arguments[0])

    @property
    def dim(self) -> int:
        """Number of columns d."""
        return len(self.symbols)

    def expressions(self) -> list[sympy.Expr]:
        """Return the integrals as SymPy expressions."""
        densities, jets, *_ = self._arguments
        return [jets.integral(density) for density in densities]

    def values(self, states: np.ndarray) -> np.ndarray:
        """Return the integrals (m, n) of states (n, d)."""
        return self._integrals.values(self._integrals.amplitudes(states))

    def costs(self) -> np.ndarray:
        """Return what the densities cost."""
        densities, jets, *_ = self._arguments
        return np.array([jets.cost(density) for density in densities])

    def kinds(self) -> list[tuple]:
        """Return what each density is but for the fields in it: u² and v² are of one kind."""
        return [(shape_of(density),) for density in self._arguments[0]]

    def restrict(self, columns: Sequence[int]) -> IntegralLibrary:
        """Return the integrals of the given densities."""
        densities, *rest = self._arguments
        return IntegralLibrary([densities[j] for j in columns], *rest)

    def jets(
        self, states: np.ndarray, covariance: np.ndarray | None = None, order: int = 1
    ) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
        """Evaluate integrals, gradients and Hessians against a covariance, as `Functions.jets`."""
        amplitudes = self._integrals.amplitudes(states)
        values = self._integrals.values(amplitudes)
        if order == 0:
            return values, None, None
        slopes = self._integrals.gradients(amplitudes)
        flat = self._integrals.states(slopes.reshape(-1, slopes.shape[2]))
        slopes = np.moveaxis(flat.reshape(*slopes.shape[:2], -1), 0, 2).swapaxes(0, 1)
        if order == 1:
            return values, slopes, None
        return values, slopes, self._integrals.curvatures(states, covariance)


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


def _mended(runs: Trajectories, grid: Grid, levels: np.ndarray) -> tuple[Trajectories, int]:
    """Return the runs without gross errors, and how many values there were.

    A value is put right by its neighbours on the grid. A state with errors too close to each other
    for that is left out, and one that stands out from those before and after it.
    """
    rows = _mended_lines(runs, grid, levels)
    wrong = rows != runs.rows
    keep = np.ones(len(rows), dtype=bool)
    for columns in grid.columns:
        line = wrong[:, columns]
        keep &= ~np.any(line & (np.roll(line, 1, axis=1) | np.roll(line, 2, axis=1)), axis=1)
    if not wrong.any() or wrong.mean() > MOST:
        return runs, 0
    noise = np.empty(runs.dim)
    noise[grid.columns] = levels
    keep &= sound_rows(rows, runs.row_times, runs.offsets, noise, rows.std(axis=0))
    if keep.mean() < MOSTLY:
        return runs, 0
    sound = Trajectories.from_rows(
        rows[keep], runs.groups[keep], runs.row_times[keep], runs.names, runs.roles
    )
    return sound, int(wrong.sum())


def _mended_lines(runs: Trajectories, grid: Grid, levels: np.ndarray) -> np.ndarray:
    rows = runs.rows.copy()
    for columns, level in zip(grid.columns, levels, strict=True):
        field, noise = rows[:, columns], float(np.sqrt(np.mean(level**2)))
        ends = "wrap" if ends_meet(field, noise) else "symmetric"
        padded = np.pad(field, ((0, 0), (_PAD, _PAD)), mode=ends)
        rows[:, columns] = mend_lines(padded.T, runs.offsets, noise)[_PAD:-_PAD].T
    return rows


def _positive(waves: FieldWaves) -> list[int]:
    """Return the fields that are positive everywhere, measured and smoothed."""
    lowest = np.minimum(*(waves.states(a).min(axis=0) for a in (waves.measured, waves.smoothed)))
    return [f for f, columns in enumerate(waves.grid.columns) if lowest[columns].min() > 0]


def _is_known(law: Law) -> bool:
    evidence = law.evidence
    return evidence.drift_interval[1] <= KNOWN and evidence.smoothed_flatness_interval[1] <= FLAT


def _select(pool: list[Law], probes: np.ndarray, scale: np.ndarray, sine: float) -> Findings:
    """Keep independent laws, exact before approximate, simple before complex."""

    def gradients(laws: list[Law]) -> list[np.ndarray]:
        return [law.gradient(probes, scale) for law in laws]

    obeyed = sorted((law for law in pool if law.verdict == "identity"), key=lambda law: law.cost)
    obeyed = [obeyed[k] for k in independent(gradients(obeyed))]
    laws = sorted(
        (law for law in pool if law.verdict != "identity"),
        key=lambda law: (law.verdict != "exact", law.cost, law.evidence.smoothed_flatness),
    )
    sines = [sine if law.verdict == "exact" else SINE for law in laws]
    kept = independent(gradients(laws), gradients(obeyed), sines)
    return Findings([laws[k] for k in kept], obeyed)


def _some(orbits: Orbits, columns: list[int]) -> Orbits:
    """Return the orbits of some of the integrals."""
    pick = np.ix_(np.arange(len(orbits.measured.states)), columns, columns)
    measured, smoothed = (
        Path(path.states[:, columns], path.covariance[pick])
        for path in (orbits.measured, orbits.smoothed)
    )
    return Orbits(measured, smoothed, orbits.offsets, orbits.scale[columns])


def _check_finite(values: np.ndarray, densities: Sequence[sympy.Expr]) -> None:
    bad = ~np.isfinite(values).all(axis=0)
    if bad.any():
        density = densities[int(np.argmax(bad))]
        raise ValueError(
            f"library: the density {density} is not finite on these data. Leave it out, or shift "
            "the fields."
        )


def _on_grid(law: Law, tried: Densities, jets: Jets, grid: Grid, names: Sequence[str]) -> Law:
    """Return a law of the integrals as one of states."""
    terms = law.library.expressions()
    density_of = dict(zip(law.library.symbols, tried.expressions, strict=True))
    return replace(
        law,
        library=IntegralLibrary([density_of[t] for t in terms], jets, grid, names),
        expression=jets.integral(law.expression.xreplace(density_of)),
    )


def _title(runs: Trajectories, some: Trajectories, grid: Grid, mended: int) -> str:
    title = repr(runs).removeprefix("Trajectories(").removesuffix(")")
    if some.n_runs < runs.n_runs:
        title += f"; {some.n_runs} of {runs.n_runs} runs analysed"
    if any(grid.walls):
        closed = [f for f, walls in zip(grid.fields, grid.walls, strict=True) if walls]
        title += f"; between walls, since the ends do not meet: {', '.join(closed)}"
    return f"{title}; {mended} gross errors put right" if mended else title
