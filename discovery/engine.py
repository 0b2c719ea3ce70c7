"""The engine: from orbits and libraries to laws, identities and a verdict.

Data flows one way: operators → spectrum → sparse candidates → held-out evidence → independence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import sympy
from scipy import linalg
from threadpoolctl import threadpool_limits

from discovery import formulas
from discovery.evidence import BOOTSTRAPS, DETECTED, FLAT, DriftTest, Evidence, gather
from discovery.flatness import Operators, Spectrum, noise_weights, operators, spectrum
from discovery.independence import LEARNED_SINE, SINE, independent
from discovery.libraries.library import Library
from discovery.numbers import NUMBERS, Numbers
from discovery.orbits import Orbits

# Share of the runs on which formulas are found; the rest only judges them.
FIT_SHARE = 0.6
# A law tells orbits apart: its variance between them is at least this many times that within.
SIGNAL = 1.0
# What all runs obey does not: its variance between them is at most this many times that within.
NO_SIGNAL = 0.3
# Systematic motion that no table of numbers excludes, as a fraction of the spread.
NO_DRIFT = 2e-6
# Its terms cancel: their sum varies at most this much of what they vary on their own.
CANCELLED = 0.5
# Nearly conserved: systematic motion at most this fraction of the spread.
SMALL_DRIFT = 0.02
# A law is known only if systematic motion above this fraction of the spread is excluded.
RESOLVED = 0.2
# A formula of more terms can fit more by chance: it must be known twice as well, and is never
# believed to be an identity.
SIMPLE_TERMS = 6
# A formula of more terms may imitate one of fewer.
PLAIN_TERMS = 3
# Motion, in units of the noise's, above which there are signs that the noise is not all of it.
CALM = 1.2
# Where drift below this fraction of the spread is excluded, no formula passes by imitation.
IMITATION = 1e-3
# Gradients may be wrong by so many times the motion that is not excluded.
UNKNOWN_SLOPE = 4.0
# Candidates of one library that may be refuted before it is given up: they come simplest first.
MAX_REJECTED = 40
# How much leaving out a term may cost a nearly conserved quantity.
SLOW_SLACK = 1.5
# Times the limits of motion on held-out runs beyond which a candidate is not looked at further.
HOPELESS = 6.0
# Points at which gradients are compared.
PROBES = 256


@dataclass(frozen=True)
class Law:
    """A formula with its evidence; the verdict is exact, approximate, identity or rejected.

    `errors` (s,) are the standard errors of the coefficients, where they were asked for.
    """

    library: Library
    coefficients: np.ndarray
    expression: sympy.Expr
    evidence: Evidence
    verdict: str
    cost: float
    errors: np.ndarray | None = None

    @property
    def doubtful(self) -> bool:
        """Whether it may imitate a simpler law that a richer library holds.

        Many terms, or signs of motion, where noise leaves room for an imitation.
        """
        evidence = self.evidence
        signs = evidence.smoothed_flatness > CALM or evidence.drift_interval[0] > 0
        room = evidence.drift_interval[1] > IMITATION
        return room and (signs or len(self.library) > PLAIN_TERMS)

    @property
    def price(self) -> float:
        """What it costs as an explanation: doubt counts as complexity."""
        return self.cost * (2.0 if self.doubtful else 1.0)

    @property
    def sine(self) -> float:
        """How far its gradient must leave the span of others' to be independent of them.

        What motion the data do not exclude, an imitation of others may have.
        """
        if self.library.learned:
            return LEARNED_SINE
        motion = self.evidence.drift_interval[1] * self.evidence.spread / self.evidence.slope
        return float(np.clip(UNKNOWN_SLOPE * motion, SINE, LEARNED_SINE))

    def gradient(self, points: np.ndarray, scale: np.ndarray) -> np.ndarray:
        """Return the gradient in standardized coordinates, (n, d)."""
        return _gradient(self.library, self.coefficients, points, scale)


@dataclass(frozen=True)
class Split:
    """Runs that formulas are found on, runs that judge them, and points to compare gradients."""

    fit: Orbits
    held: Orbits
    all: Orbits
    probes: np.ndarray

    @staticmethod
    def choose(n_runs: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Draw the runs to find formulas on and the runs to judge them, ascending."""
        shuffled = rng.permutation(n_runs)
        n_fit = int(np.clip(round(FIT_SHARE * n_runs), 2, n_runs - 2))
        return np.sort(shuffled[:n_fit]), np.sort(shuffled[n_fit:])

    @classmethod
    def of(
        cls, orbits: Orbits, fit: np.ndarray, held: np.ndarray, rng: np.random.Generator
    ) -> Split:
        """Part orbits into the given runs."""
        judges = orbits.take(held)
        n_rows = len(judges.smoothed.states)
        rows = np.sort(rng.choice(n_rows, min(PROBES, n_rows), replace=False))
        return cls(orbits.take(fit), judges, orbits, judges.smoothed.states[rows])

    def where(self, columns: Sequence[int]) -> Split:
        """Return the split without the rows in which one of the columns is not positive."""
        parts = [part.where(part.clear(columns)) for part in (self.fit, self.held, self.all)]
        return Split(*parts, self.probes)

    def probing(self, columns: Sequence[int]) -> Split:
        """Return the split with probes only where all of the columns are positive."""
        clear = np.flatnonzero(self.held.clear(columns))
        if len(clear) in (0, len(self.held.smoothed.states)):
            return self
        states = self.held.smoothed.states[clear]
        return replace(self, probes=states[:: max(1, len(states) // PROBES)])

    @classmethod
    def draw(cls, orbits: Orbits, rng: np.random.Generator) -> Split:
        """Part orbits at random."""
        return cls.of(orbits, *cls.choose(orbits.n_runs, rng), rng)


@dataclass(frozen=True)
class StageRecord:
    """What one library gave."""

    library: str
    n_terms: int
    spectrum: np.ndarray
    n_laws: int


@dataclass(frozen=True)
class Findings:
    """What the engine found.

    Attributes
    ----------
    laws : list of Law
        Independent, the exact ones first.
    identities : list of Law
        What all runs obey alike.
    stages : list of StageRecord
    rejected : (draws,) array of bool
        Whether each bootstrap sample of held-out runs finds no flat function among those that
        were judged and rejected.
    """

    laws: list[Law] = field(default_factory=list)
    identities: list[Law] = field(default_factory=list)
    stages: list[StageRecord] = field(default_factory=list)
    rejected: np.ndarray = field(default_factory=lambda: np.ones(BOOTSTRAPS, dtype=bool))


# A library, or what learns one from the fit runs.
Stage = Library | Callable[[Orbits], Library]


def analyse(
    stages: Sequence[Stage],
    split: Split,
    rng: np.random.Generator,
    numbers: Numbers = NUMBERS,
) -> Findings:
    """Search the libraries in turn for functions that are conserved along the orbits.

    Parameters
    ----------
    stages : sequence of Library, or of callables Orbits -> Library
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
    closed = [stage for stage in stages if isinstance(stage, Library)]
    split = split.probing(sorted({i for library in closed for i in library.positive}))
    for stage in stages:
        if isinstance(stage, Library):
            library = stage
        elif chosen.laws:
            break
        else:
            library = stage(split.fit)
        clear = split.where(library.positive)
        if min(clear.fit.n_runs, clear.held.n_runs) < 2:
            continue
        ops, flat = _flat_directions(library, clear.fit)
        before = len(chosen.laws)
        # Hundreds of tiny eigenproblems: threads only get into each other's way.
        with threadpool_limits(limits=1, user_api="blas"):
            judged = _trials(library, ops, flat, clear, pool, rng, numbers)
        pool += [law for law in judged if law.verdict != "rejected"]
        for law in judged:
            if law.verdict == "rejected" and law.evidence.signal >= SIGNAL:
                rejected &= ~law.evidence.flat_draws
        chosen = select(pool, split.probes, split.held.scale)
        new = len(chosen.laws) - before
        records.append(StageRecord(library.name, len(library), flat.values, new))
        sure = sum(law.verdict == "exact" and not law.doubtful for law in chosen.laws)
        if sure + len(chosen.identities) >= library.dim - 1:
            break
    laws = [_with_errors(law, split, rng) for law in chosen.laws]
    return Findings(laws, chosen.identities, records, rejected)


def _with_errors(law: Law, split: Split, rng: np.random.Generator) -> Law:
    test = DriftTest(law.library, law.coefficients, split.where(law.library.positive).all)
    return replace(law, errors=test.standard_errors(law.coefficients, rng))


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
    rng: np.random.Generator,
    numbers: Numbers,
) -> list[Law]:
    """Judge the candidates of one library.

    Simplest first; what depends on an exact law found before is not looked at again.
    """
    within = np.einsum("jk,ij,ik->k", flat.vectors, ops.within, flat.vectors)
    between = np.einsum("jk,ij,ik->k", flat.vectors, ops.between, flat.vectors)
    still = flat.values <= 2 * FLAT
    slow = ~still & (within <= SMALL_DRIFT**2 * between)
    costs = library.costs()
    found: list[Law] = []
    held: Operators | None = None
    shared = _identical(ops, flat.vectors[:, still])
    # What differs from run to run is no identity: there it counts as motion.
    alike = replace(ops, within=ops.within + ops.between)
    searches = (
        (alike, shared, formulas.SLACK, FLAT),
        (ops, flat.vectors[:, still], formulas.SLACK, FLAT),
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
        for candidate in formulas.candidates(view, vectors, costs, *options):
            if sum(law.verdict == "rejected" for law in found) > MAX_REJECTED:
                return found
            if _hopeless(candidate, held):
                continue
            terms = library.restrict(candidate.support)
            if not np.isfinite(terms.values(split.all.measured.states)).all():
                continue
            if _any_new(terms, candidate.coefficients[:, None], [*known, *found], split):
                found.append(_judge(library, view, candidate, split, rng, numbers))
    return found


def _hopeless(candidate: formulas.Candidate, held: Operators) -> bool:
    """Tell whether held-out runs refute a candidate so clearly that no refinement would help."""
    ops, c = held.restrict(np.array(candidate.support)), candidate.coefficients
    moved = c @ ops.within @ c
    return bool(
        moved > HOPELESS * FLAT * (c @ ops.dirichlet @ c)
        and moved > HOPELESS * SMALL_DRIFT**2 * (c @ ops.between @ c)
    )


def _identical(ops: Operators, vectors: np.ndarray) -> np.ndarray:
    """Return the flat directions that do not differ from run to run: what all data obey.

    A second eigenproblem inside the null space, B against D. They come first: laws count on the
    manifold that they leave.
    """
    if not vectors.shape[1]:
        return vectors
    between = vectors.T @ ops.between @ vectors
    noise = vectors.T @ ops.dirichlet @ vectors
    noise += 1e-12 * np.trace(noise) * np.eye(len(noise))
    ratio, mix = linalg.eigh((between + between.T) / 2, (noise + noise.T) / 2)
    return vectors @ mix[:, ratio <= NO_SIGNAL]


def _any_new(library: Library, vectors: np.ndarray, known: Sequence[Law], split: Split) -> bool:
    """Tell whether one of the functions (columns) is no function of the laws known for sure."""
    sure = [law for law in known if law.verdict in ("exact", "identity") and not law.doubtful]
    obeyed = [law.gradient(split.probes, split.held.scale) for law in sure]
    new = [_gradient(library, v, split.probes, split.held.scale) for v in vectors.T]
    return bool(independent(new, obeyed, [LEARNED_SINE if library.learned else SINE] * len(new)))


def _judge(
    library: Library,
    ops: Operators,
    candidate: formulas.Candidate,
    split: Split,
    rng: np.random.Generator,
    numbers: Numbers,
) -> Law:
    """Test a candidate on the held-out runs."""
    candidate, test, errors = _refined(library, ops, candidate, split, rng)
    terms = library.restrict(candidate.support)
    coefficients = formulas.rounded(ops, candidate, test.allows, numbers, errors)
    evidence = gather(terms, coefficients, split.held, rng)
    verdict = _verdict(evidence, len(terms), evidence.moving)
    if verdict in ("exact", "identity"):
        # Runs that a formula was fitted to flatter it, so drift that they show as well is real.
        moving = DriftTest(terms, coefficients, split.all).score(coefficients)
        verdict = _verdict(evidence, len(terms), max(moving, evidence.moving))
    return Law(
        library=terms,
        coefficients=coefficients,
        expression=formulas.expression(terms.expressions(), coefficients, numbers),
        evidence=evidence,
        verdict=verdict,
        cost=candidate.cost + len(terms),
    )


def _refined(
    library: Library,
    ops: Operators,
    candidate: formulas.Candidate,
    split: Split,
    rng: np.random.Generator,
) -> tuple[formulas.Candidate, DriftTest, np.ndarray]:
    """Return the candidate with the coefficients that drift least, and their standard errors.

    Terms that may as well be zero are left out, the least certain first.
    """
    while True:
        terms = library.restrict(candidate.support)
        test = DriftTest(terms, candidate.coefficients, split.fit)
        candidate = formulas.better_of(ops, candidate, test.refined())
        errors = test.standard_errors(candidate.coefficients, rng)
        shorter = formulas.without_uncertain(ops, candidate, errors, library.costs())
        if shorter is None:
            return candidate, test, errors
        candidate = shorter


def _verdict(evidence: Evidence, n_terms: int, moving: float) -> str:
    if evidence.cancelled <= NO_DRIFT:  # nothing but rounding is left of it
        return "identity" if n_terms <= SIMPLE_TERMS else "rejected"
    still = evidence.drift <= NO_DRIFT or moving <= DETECTED
    most = FLAT if n_terms <= SIMPLE_TERMS or evidence.drift <= NO_DRIFT else CALM
    flat = evidence.smoothed_flatness <= most and evidence.smoothed_flatness_interval[0] <= CALM
    if flat and still:
        if evidence.signal >= SIGNAL:
            limit = RESOLVED if n_terms <= SIMPLE_TERMS else RESOLVED / 2
            return "exact" if evidence.drift_interval[1] <= limit else "rejected"
        same = evidence.signal <= NO_SIGNAL and n_terms <= SIMPLE_TERMS
        # Noise alone is no identity, but one coordinate that shows nothing else is zero.
        real = n_terms == 1 or evidence.cancelled <= CANCELLED
        return "identity" if same and real else "rejected"
    limit = SMALL_DRIFT if n_terms <= SIMPLE_TERMS else SMALL_DRIFT / 4
    if evidence.signal >= SIGNAL and evidence.drift_interval[1] <= limit:
        return "approximate"
    return "rejected"


def select(pool: list[Law], probes: np.ndarray, scale: np.ndarray) -> Findings:
    """Keep independent laws, exact before approximate, simple before complex."""

    def gradients(laws: list[Law]) -> list[np.ndarray]:
        return [law.gradient(probes, scale) for law in laws]

    order = {"exact": 0, "approximate": 1}
    obeyed = sorted((law for law in pool if law.verdict == "identity"), key=lambda law: law.cost)
    obeyed = [obeyed[k] for k in independent(gradients(obeyed))]
    laws = sorted(
        (law for law in pool if law.verdict != "identity"),
        key=lambda law: (order[law.verdict], law.price, law.evidence.smoothed_flatness),
    )
    kept = independent(gradients(laws), gradients(obeyed), [law.sine for law in laws])
    return Findings([laws[k] for k in kept], obeyed)


def _gradient(
    library: Library, coefficients: np.ndarray, points: np.ndarray, scale: np.ndarray
) -> np.ndarray:
    """Return the gradient in standardized coordinates, (n, d)."""
    _, slopes, _ = library.jets(points, order=1)
    return np.einsum("j,ijn->ni", coefficients, slopes) * scale
