"""Laws: formulas with their evidence, the verdict on each, and the choice among them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import sympy

from discovery.estimation.orbits import Orbits
from discovery.formulas.simplicity import free_numbers
from discovery.laws.judging.evidence import BOOTSTRAPS, Evidence
from discovery.laws.judging.independence import LEARNED_SINE, SINE
from discovery.libraries.functions import Functions

# A law tells orbits apart: its variance between them is at least this many times that within, by
# motion or by noise.
SIGNAL = 0.5
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
# A formula of more terms, with more free numbers, may imitate a simpler one.
PLAIN_TERMS, PLAIN = 3, 2
# One of more must be known so many times as well, and less motion, in standard errors, counts
# against it, unless its coefficients are too simple for chance.
MODEST, BETTER, SUSPECTED = 3, 2.0, 2.5
# One of more can fit almost anything: it must be known so many times as well again, and any sign of
# motion counts against it.
MANY, LONG = 5, 4.0
# A sum of more terms is never believed to be an identity.
SIMPLE_TERMS = 6
# Motion, in units of the noise's, above which there are signs that the noise is not all of it.
CALM = 1.2
# Standard errors of drift that are a sign of it.
SIGN = 3.0
# Where drift below this fraction of the spread is excluded, no formula of a number more passes by
# imitation; each further number may come closer by this factor.
IMITATION, CLOSER = 1e-3, 0.1
# Coefficients that are simple with a smaller probability by chance are those of a law.
CHANCE = 0.01
# What others do not explain of a doubtful law is at least so many times its unexcluded motion.
UNPROVEN = 3.0
# Runs per coefficient of the polynomial that may explain it.
ENOUGH = 3
# What doubt multiplies the cost of a formula by.
DOUBT = 2.0
# Gradients may be wrong by so many times the motion that is not excluded.
UNKNOWN_SLOPE = 4.0


@dataclass(frozen=True)
class Law:
    """A formula with its evidence; the verdict is exact, approximate, identity or rejected.

    `errors` (s,) are the standard errors of the coefficients, where they were asked for;
    `by_chance` is how probably arbitrary coefficients would be as simple.
    """

    library: Functions
    coefficients: np.ndarray
    expression: sympy.Expr
    evidence: Evidence
    verdict: str
    cost: float
    errors: np.ndarray | None = None
    by_chance: float = 1.0

    @property
    def doubtful(self) -> bool:
        """Whether it may imitate a simpler law that a richer library holds."""
        return self.price > self.cost

    @property
    def price(self) -> float:
        """What it costs as an explanation: doubt counts as complexity.

        There is doubt where noise leaves room for an imitation and there are signs of motion, or
        many free numbers; not if its coefficients are too simple for one. Not about a single term,
        which nothing simpler can replace, nor about an identity: it has next to no spread, and its
        drift as a fraction of that says nothing.
        """
        evidence = self.evidence
        free = free_numbers(self.coefficients, self.library.kinds())
        extra = max(0, free - PLAIN) if len(self.library) > PLAIN_TERMS else 0
        room = evidence.drift_interval[1] > IMITATION * CLOSER ** max(0, extra - 1)
        clear = self.verdict == "identity" or len(self.library) == 1
        if clear or self.by_chance <= CHANCE or not room:
            return self.cost
        error = (evidence.drift_interval[1] ** 2 - evidence.drift**2) / 2  # of the drift's square
        signs = evidence.smoothed_flatness > CALM or evidence.moving > SUSPECTED
        signs = signs or evidence.drift**2 > SIGN * error
        return self.cost * (DOUBT if signs or extra else 1.0)

    @property
    def sure(self) -> bool:
        """Whether it is exact beyond doubt."""
        return self.verdict == "exact" and not self.doubtful

    @property
    def sine(self) -> float:
        """How far its gradient must leave the span of others' to be independent of them.

        What motion the data do not exclude, an imitation of others may have.
        """
        if self.library.learned:
            return LEARNED_SINE
        motion = self.evidence.drift_interval[1] * self.evidence.spread / self.evidence.slope
        return float(np.clip(UNKNOWN_SLOPE * motion, SINE, LEARNED_SINE))

    def means(self, orbits: Orbits) -> np.ndarray:
        """Return the mean value on each orbit, (runs,); nan where it has none."""
        values = self.coefficients @ self.library.values(orbits.smoothed.states)
        sound = np.isfinite(values)
        starts = orbits.offsets[:-1]
        total = np.add.reduceat(np.where(sound, values, 0.0), starts)
        count = np.add.reduceat(sound, starts, dtype=int)
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)

    def gradient(self, points: np.ndarray, scale: np.ndarray) -> np.ndarray:
        """Return the gradient in standardized coordinates, (n, d)."""
        return gradient_of(self.library, self.coefficients, points, scale)


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


def gradient_of(
    library: Functions, coefficients: np.ndarray, points: np.ndarray, scale: np.ndarray
) -> np.ndarray:
    """Return the gradient in standardized coordinates, (n, d)."""
    _, slopes, _ = library.jets(points, order=1)
    return np.einsum("j,ijn->ni", coefficients, slopes) * scale
