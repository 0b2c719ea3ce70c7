"""The engine: from orbits and libraries to laws, identities and a verdict.

Data flows one way: operators → spectrum → sparse candidates → held-out evidence → independence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from threadpoolctl import threadpool_limits

from discovery.criteria import FORMULAS
from discovery.estimation.orbits import Orbits
from discovery.estimation.split import Split
from discovery.formulas.pencil import Spectrum, solve
from discovery.formulas.simple_numbers import NUMBERS, Numbers
from discovery.laws.finding import candidates
from discovery.laws.finding.operators import Operators, noise_weights, operators, spectrum
from discovery.laws.finding.scale_search import tuned
from discovery.laws.judging.evidence import BOOTSTRAPS, FLAT
from discovery.laws.judging.independence import LEARNED_SINE, SINE, independent
from discovery.laws.judging.judge import _hopeless, _judge, _refined, _with_errors
from discovery.laws.judging.law import (
    NO_SIGNAL,
    SIGNAL,
    SMALL_DRIFT,
    Findings,
    Law,
    StageRecord,
    gradient_of,
)
from discovery.laws.judging.selection import select
from discovery.libraries.library import Library
from discovery.libraries.unknown_scale import Scaled

# Candidates of one library that may be refuted before it is given up, and of one length before
# longer ones are looked at: they come simplest first.
MAX_REJECTED, MAX_ALIKE = 40, 10
# How much leaving out a term may cost a nearly conserved quantity.
SLOW_SLACK = 1.5


# A library, one with a scale that the fit runs tell, or what learns one from them.
Stage = Library | Scaled | Callable[[Orbits], Library]


# Thousands of small products and eigenproblems: threads only get into each other's way.
@threadpool_limits.wrap(limits=1, user_api="blas")
def analyse(
    stages: Sequence[Stage],
    split: Split,
    rng: np.random.Generator,
    numbers: Numbers = NUMBERS,
) -> Findings:
    """Search the libraries in turn for functions that are conserved along the orbits.

    Parameters
    ----------
    stages : sequence of Library, of Scaled, or of callables Orbits -> Library
        From simple to rich. The search stops once no further law can exist: a flow in d
        dimensions has at most d − 1. A callable learns a library from the fit runs; it is asked
        only where nothing was found before.
    split : Split
        Runs that formulas are found on, and runs that judge them.
    rng : numpy.random.Generator
        For the bootstrap.
    numbers : Numbers
        What coefficients are rounded to.
    """
    pool: list[Law] = []
    records: list[StageRecord] = []
    chosen = Findings()
    rejected = np.ones(BOOTSTRAPS, dtype=bool)
    judged: set[tuple] = set()
    closed = [stage for stage in stages if isinstance(stage, Library)]
    split = split.probing(sorted({i for library in closed for i in library.positive}))

    def libraries() -> Iterator[Library]:
        for stage in stages:
            if isinstance(stage, Library):
                yield stage
            elif isinstance(stage, Scaled):
                if any(stage.has_energy(law.expression) for law in chosen.laws if law.sure):
                    continue
                found = tuned(stage, split.fit, numbers)
                yield from found
                if not found:
                    records.append(StageRecord(stage.name, len(stage), np.empty(0), 0))
            elif not chosen.laws:
                yield stage(split.fit)

    for library in libraries():
        clear = split.where(library.positive)
        if min(clear.fit.n_runs, clear.held.n_runs) < 2:
            continue
        ops, flat = _flat_directions(library, clear.fit)
        before = len(chosen.laws)
        laws = _trials(library, ops, flat, clear, pool, judged, rng, numbers)
        pool += [law for law in laws if law.verdict != "rejected"]
        for law in laws:
            if law.verdict == "rejected" and law.evidence.signal >= SIGNAL:
                rejected &= ~law.evidence.flat_draws
        chosen = select(pool, split.probes, split.held.scale, split.all)
        new = len(chosen.laws) - before
        records.append(StageRecord(library.name, len(library), flat.values, new))
        if sum(law.sure for law in chosen.laws) + len(chosen.identities) >= library.dim - 1:
            break
    laws = [_with_errors(law, split, rng) for law in chosen.laws]
    return Findings(laws, chosen.identities, records, rejected)


def _flat_directions(library: Library, fit: Orbits) -> tuple[Operators, Spectrum]:
    """Return the operators on the fit runs and their spectrum, weighted where noise is uneven."""
    ops = operators(library, fit.smoothed, fit.offsets, fit.scale)
    flat = spectrum(ops)
    weights = noise_weights(library, fit.smoothed, _leading(flat))
    if weights is not None:
        ops = operators(library, fit.smoothed, fit.offsets, fit.scale, weights)
        flat = spectrum(ops)
    return ops, flat


def _leading(flat: Spectrum) -> np.ndarray:
    return flat.vectors[:, : max(1, int(np.sum(flat.values <= 2 * FLAT)))]


def _trials(
    library: Library,
    ops: Operators,
    flat: Spectrum,
    split: Split,
    known: Sequence[Law],
    judged: set[tuple],
    rng: np.random.Generator,
    numbers: Numbers,
) -> list[Law]:
    """Judge the candidates of one library, but for those of the same terms as in `judged`.

    Simplest first; what depends on an exact law found before is not looked at again, unless it
    costs less than one in doubt.
    """
    within = np.einsum("jk,ij,ik->k", flat.vectors, ops.within, flat.vectors)
    between = np.einsum("jk,ij,ik->k", flat.vectors, ops.between, flat.vectors)
    still = flat.values <= 2 * FLAT
    slow = ~still & (within <= SMALL_DRIFT**2 * between)
    costs = library.costs()
    found: list[Law] = []
    refuted: Counter[int] = Counter()
    held: Operators | None = None
    shared = _identical(ops, flat.vectors[:, still])
    # What differs from run to run is no identity: there it counts as motion.
    alike = replace(ops, within=ops.within + ops.between)
    searches = (
        (alike, shared, FORMULAS.flatness_slack, FLAT),
        (ops, flat.vectors[:, still], FORMULAS.flatness_slack, FLAT),
        (ops, flat.vectors[:, slow], SLOW_SLACK, 0.0),
    )
    for view, vectors, *options in searches:
        if not _any_new(library, vectors, [*known, *found], split):
            continue
        if held is None:
            weights = noise_weights(library, split.held.smoothed, _leading(flat))
            held = operators(
                library, split.held.smoothed, split.held.offsets, split.held.scale, weights
            )
        for candidate in candidates.candidates(view, vectors, costs, *options):
            if refuted.total() >= MAX_REJECTED:
                return found
            if refuted[len(candidate.support)] >= MAX_ALIKE:
                continue
            if _hopeless(candidate, held):
                continue
            terms = library.restrict(candidate.support)
            key = (view is ops, frozenset(terms.expressions()))
            if key in judged or not np.isfinite(terms.values(split.all.measured.states)).all():
                continue
            laws, cost = [*known, *found], candidate.cost + len(terms)
            if _any_new(terms, candidate.coefficients[:, None], laws, split, cost):
                refined = _refined(library, view, candidate, split, rng)
                final = (key[0], frozenset(library.restrict(refined[0].support).expressions()))
                if final not in judged:
                    found.append(_judge(library, view, *refined, split, rng, numbers))
                    refuted[len(candidate.support)] += found[-1].verdict == "rejected"
                judged |= {key, final}
    return found


def _identical(ops: Operators, vectors: np.ndarray) -> np.ndarray:
    """Return the flat directions that do not differ from run to run: what all data obey.

    A second eigenproblem inside the null space, B against D. They come first: laws count on the
    manifold that they leave.
    """
    if not vectors.shape[1]:
        return vectors
    inside = ops.onto(vectors)
    found = solve(inside.between, inside.dirichlet, 1e-12)
    return vectors @ found.vectors[:, found.values <= NO_SIGNAL]


def _any_new(
    library: Library, vectors: np.ndarray, known: Sequence[Law], split: Split, cost: float = 0.0
) -> bool:
    """Tell whether one of the functions (columns) is no function of the laws known for sure.

    What costs as much as a doubtful law would not replace it.
    """
    sure = [
        law
        for law in known
        if law.sure or law.verdict == "identity" or (law.verdict == "exact" and law.price <= cost)
    ]
    obeyed = [law.gradient(split.probes, split.held.scale) for law in sure]
    new = [gradient_of(library, v, split.probes, split.held.scale) for v in vectors.T]
    return bool(independent(new, obeyed, [LEARNED_SINE if library.learned else SINE] * len(new)))
