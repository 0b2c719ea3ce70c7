"""Stages of free functions: first what describes them in a closed form, then as numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from discovery.criteria import LAWS
from discovery.estimation.orbits import Orbits, without_means
from discovery.formulas.simple_numbers import NUMBERS, Numbers
from discovery.laws.finding.operators import Operators
from discovery.laws.free.description import (
    LAST,
    Flat,
    Halves,
    described,
    flat_directions,
    matrices,
    measured,
)
from discovery.laws.judging.independence import independent
from discovery.laws.judging.law import Findings, Law, gradient_of
from discovery.laws.judging.verdict import Verdict
from discovery.laws.stage import Stage
from discovery.libraries.domain import Domain
from discovery.libraries.free_forms import Form, free_forms
from discovery.libraries.library import Library
from discovery.libraries.numeric import Numeric

# Factors of functions that are tried beside a law: of one momentum 1, p and p².
_SOON = 3
# Of a term's variance: powers are dependent but for rounding.
_ROUNDING = 1e-12


@dataclass
class FreeFunctions(Stage):
    """Closed forms of a form's free functions, where these promise a law that is not known.

    Attributes
    ----------
    form : Form
    numbers : Numbers
        What lengths are rounded to.
    promises : bool
        Whether they promised a law when they were tried.
    """

    form: Form
    numbers: Numbers = NUMBERS
    promises: bool = field(default=False, init=False)
    _others: list[Library] = field(default_factory=list, init=False, repr=False)
    _more: Iterator[Library] | None = field(default=None, init=False, repr=False)

    @property
    def name(self) -> str:
        """What the functions are of."""
        return f"functions of {self.form.name}"

    def __len__(self) -> int:
        return len(self.form.plain) + self.form.count(self.form.degree)

    def libraries(self, fit: Orbits, found: Findings) -> Iterator[Library] | list[Library]:
        """Return libraries of few terms; none where free functions are no flatter."""
        halves = Halves.of(fit)
        known = [law for law in found.laws if law.sure]
        if self.form.joint:
            # A run at the edge is far from what an expansion knows, and not from what forms do.
            new = promising(self.form, Halves(halves.find, halves.find), known)
        else:
            new = promising(self.form.of_degree(best_degree(self.form, halves)), halves, known)
        self.promises = bool(new)
        if new and self.form.joint:
            self.form = self.form.of_degree(best_degree(self.form, halves))
        return described(self.form, halves, fit, new, self.numbers) if new else []

    def imitated_by(self, law: Law, fit: Orbits, beside: Findings) -> Iterator[Library]:
        """Yield libraries of few terms that may be what a law expands, if they are found soon.

        Parameters
        ----------
        law : Law
        fit : Orbits
            The runs that formulas are found on.
        beside : Findings
            The other laws.
        """
        if len(self.form.factors) > _SOON:
            return
        yield from self._others
        if self._more is None:
            # They are asked for again beside what came of them.
            flat = Flat(law.evidence.flatness, law.evidence.drift)
            self._more = described(self.form, Halves.of(fit), fit, [flat], self.numbers)
        for library in self._more:
            self._others.append(library)
            yield library


@dataclass(frozen=True)
class AsNumbers(Stage):
    """The free functions themselves, where no closed form of a law was found.

    Attributes
    ----------
    closed : FreeFunctions
        Tried before.
    """

    closed: FreeFunctions

    @property
    def name(self) -> str:
        """What the functions are of."""
        return f"{self.closed.name}, as numbers"

    def __len__(self) -> int:
        return len(self.closed)

    def libraries(self, fit: Orbits, found: Findings) -> list[Numeric] | None:
        """Return the flattest functions; None where all that is flat is known."""
        if not self.closed.promises:
            return None
        form = self.closed.form
        known = [law for law in found.laws if law.verdict == Verdict.EXACT] + found.identities
        if not promising(form, Halves.of(fit), known):
            return None
        library = form.free()
        ops = matrices(library, fit)
        leading = _leading(ops, flat_directions(ops, len(form.plain)).vectors, form)
        new = _new(library, leading, known, fit)
        if not new:
            return None
        describing = form.described([f for group in form.groups() for f in group])
        functions = leading[:, new]
        # Powers are known where the data are, and grow without bound elsewhere.
        spread = np.var(library.values(fit.smoothed.states), axis=1)
        domain = Domain.of(
            library, fit.smoothed.states, np.diag(_ROUNDING * spread), LAWS.outermost
        )
        where = fit.in_long_runs(domain.holds(fit.smoothed.states))
        if not where.any():
            return None
        blur = self._blur(library, ops, functions, known, fit.where(where))
        return [Numeric(library, functions, describing, domain=domain, blur=blur)]

    def _blur(
        self,
        library: Library,
        ops: Operators,
        functions: np.ndarray,
        known: Sequence[Law],
        fit: Orbits,
    ) -> float:
        """Return the error of expansions, as errors of states in spreads that move them as much.

        A part of what the last degrees changed in them along runs, beside sums of each other and
        of known laws.
        """
        form, states = self.closed.form, fit.smoothed.states
        n_plain = len(form.plain)
        low = np.arange(n_plain + form.count(form.degree - LAST))
        some = ops.restrict(low)
        before = np.zeros((len(library), 0))
        if len(low) > n_plain:
            leading = _leading(some, flat_directions(some, n_plain).vectors, form)
            before = np.zeros((len(library), leading.shape[1]))
            before[low] = leading
        terms = library.values(states)
        obeyed = [law.values(states) for law in known]
        design = np.column_stack([np.ones(len(states)), (before.T @ terms).T, *obeyed])
        values = (functions.T @ terms).T
        rest = values - design @ np.linalg.lstsq(design, values)[0]
        run = np.repeat(np.arange(fit.n_runs), np.diff(fit.offsets))
        blurs = []
        for c, left in zip(functions.T, rest.T, strict=True):
            slopes = gradient_of(library, c, states, fit.scale)
            size = np.sqrt(np.mean(np.sum(slopes**2, axis=1)))
            blurs.append(LAWS.truncation * without_means(left, run).std() / size)
        return float(max(blurs))


def best_degree(form: Form, halves: Halves) -> int:
    """Return the degree up to which an expansion is flattest on the half that did not find it.

    Noise would fit the last terms: those of two shapes are many, and at the edge they are large.
    """
    find, choose = halves.operators(form.free())
    n_plain, flatness = len(form.plain), []
    for degree in range(1, form.degree + 1):
        some = np.arange(n_plain + form.count(degree))
        c = flat_directions(find.restrict(some), n_plain).vectors[:, 0]
        flatness.append(measured(choose.restrict(some), c).flatness)
    return 1 + int(np.argmin(flatness))


def promising(form: Form, halves: Halves, known: Sequence[Law]) -> list[Flat]:
    """Return how flat the leading combinations of a form are that may be new laws.

    Parameters
    ----------
    form : Form
    halves : Halves
        The runs: one half finds the combinations, the other one tests them.
    known : sequence of Law
    """
    library = form.free()
    find, choose = halves.operators(library)
    leading = _leading(choose, flat_directions(find, len(form.plain)).vectors, form)
    new = _new(library, leading, known, halves.choose)
    return [measured(choose, leading[:, k]) for k in new]


def _leading(ops: Operators, vectors: np.ndarray, form: Form) -> np.ndarray:
    """Return the first combinations that may be laws, (m, k), from the flattest on.

    Of many powers some sums are flat because noise moves them as much as the motion does: they
    hide what comes after them no more than the others that are none.
    """
    good = [k for k, c in enumerate(vectors.T) if measured(ops, c).promising]
    return vectors[:, good[: form.width + 1]]


def free_stages(
    names: Sequence[str],
    roles: Sequence[str | None],
    orbits: Orbits,
    numbers: Numbers = NUMBERS,
    zeros: Sequence[Fraction] = (),
) -> list[Stage]:
    """Return the stages for mechanical data; none for others.

    Parameters
    ----------
    names, roles : sequences of length d
    orbits : Orbits
        All runs: the ranges of the shapes are theirs.
    numbers : Numbers
        What lengths are rounded to.
    zeros : sequence of d Fraction, optional
        Where the user's origin is, if it is another one.
    """
    forms = free_forms(names, roles, orbits.smoothed.states, orbits.noise, zeros)
    closed = [FreeFunctions(form, numbers) for form in forms]
    return [*closed, *map(AsNumbers, closed)]


def _new(library: Library, vectors: np.ndarray, known: Sequence[Law], orbits: Orbits) -> list[int]:
    """Return the combinations whose gradients leave the span of known laws' and of each other's."""
    if not vectors.shape[1]:
        return []
    states = orbits.smoothed.states
    probes = states[:: max(1, len(states) // 300)]
    obeyed = [law.gradient(probes, orbits.scale) for law in known]
    own = [gradient_of(library, c, probes, orbits.scale) for c in vectors.T]
    return independent(own, obeyed, [LAWS.learned_sine] * len(own))
