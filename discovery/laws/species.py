"""Species: bodies with couplings of their own, told by those of all pairs.

With one coupling for every pair, h = T + Σ w_ij φ(r_ij) is linear in the w_ij, so that one pencil
tells them. Bodies of one species couple alike to all others: |w_ik − w_jk| is small for every k.
What is judged then has one coupling for each two species, found anew: few numbers, however many
bodies.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from discovery.criteria import LAWS
from discovery.estimation.orbits import Orbits
from discovery.laws.finding.operators import operators
from discovery.libraries.many_bodies.families import Family
from discovery.libraries.many_bodies.sums import Forms, Sum, Sums


def of_species(library: Sums, family: Family, fit: Orbits) -> Iterator[Sums]:
    """Yield sums with a coupling for each two species, of as few species as are flat.

    Parameters
    ----------
    library : Sums
        As `Family.coupled` makes them: what has no pairs, and one sum for each pair.
    family : Family
        The bodies.
    fit : Orbits
        The runs that formulas are found on.
    """
    pencil = operators(library, fit.smoothed, fit.offsets, fit.scale).pencil
    mu, numbers = pencil.smallest(np.arange(len(library)))
    kinds = [term.kind for term in library.sums]
    if mu > 2 * LAWS.flatness_ceiling or not numbers[kinds.index("kinetic")]:
        return
    alone = [term for term in library.sums if not term.kind.startswith("pairs")]
    pairs: dict[str, list[tuple[Sum, float]]] = {}
    for term, number in zip(library.sums, numbers, strict=True):
        if term.kind.startswith("pairs"):
            pairs.setdefault(term.kind, []).append((term, number))
    tree = linkage(squareform(_unlike(family, pairs)), "complete")
    for number in range(2, min(LAWS.species, family.bodies.number) + 1):
        species = fcluster(tree, number, "maxclust")
        some = [*alone]
        for terms in pairs.values():
            some += _grouped([term for term, _ in terms], family.bodies.pairs, species)
        grouped = Sums(library.symbols, some, f"{library.name}, {number} species")
        own = operators(grouped, fit.smoothed, fit.offsets, fit.scale).pencil
        if own.smallest(np.arange(len(grouped)))[0] <= 2 * LAWS.flatness_ceiling:
            yield grouped
            return


def _unlike(family: Family, pairs: dict[str, list[tuple[Sum, float]]]) -> np.ndarray:
    """Return how far the couplings of two bodies to all others differ at most, (N, N)."""
    n = family.bodies.number
    out = np.zeros((n, n))
    for terms in pairs.values():
        w = np.zeros((n, n))
        for (i, j), (_, number) in zip(family.bodies.pairs, terms, strict=True):
            w[i, j] = w[j, i] = number
        size = np.abs(w).max()
        for i, j in itertools.combinations(range(n), 2):
            others = [k for k in range(n) if k not in (i, j)]
            unlike = np.abs(w[i, others] - w[j, others]).max() / size
            out[i, j] = out[j, i] = max(out[i, j], unlike)
    return out


def _grouped(terms: list[Sum], pairs: list[tuple[int, int]], species: np.ndarray) -> Iterator[Sum]:
    """Yield one sum for each two species, of the sums of single pairs."""
    groups: dict[tuple[int, ...], list[Sum]] = {}
    for (i, j), term in zip(pairs, terms, strict=True):
        groups.setdefault(tuple(sorted((species[i], species[j]))), []).append(term)
    for own in groups.values():
        first = own[0]
        forms = tuple(
            Forms(
                np.vstack([term.forms[k].index for term in own]),
                np.vstack([term.forms[k].factor for term in own]),
                form.period,
            )
            for k, form in enumerate(first.forms)
        )
        weights = np.ones(len(own))
        yield type(first)(first.kernel, first.arguments, forms, weights, first.kind, first.cost)
