"""What some stages find in runs, and how it moves on clean ones."""

import numpy as np

from discovery.estimation.preparation import prepare
from discovery.estimation.split import Split
from discovery.laws.search import analyse
from discovery.laws.stages import Closed
from discovery.libraries.families import polynomial


def found(runs, *makers):
    """Return the exact laws that quadratic functions, and stages, hold."""
    orbits = prepare(runs)
    rng = np.random.default_rng(0)
    stages = [Closed(polynomial(runs.names, 2))]
    for make in makers:
        stages += make(runs.names, runs.roles, orbits)
    laws = analyse(stages, Split.draw(orbits, rng), rng).laws
    return [law for law in laws if law.verdict == "exact"]


def drift(law, clean):
    """Motion over spread on runs (n, t, d); of a law as numbers where data that told it are."""
    rows = clean.reshape(-1, clean.shape[2])
    values = law.values(rows)
    if getattr(law.library, "domain", None) is not None:
        values[~law.library.domain.holds(rows)] = np.nan
    values = values.reshape(clean.shape[:2])
    values = values[np.isfinite(values).any(axis=1)]
    return np.sqrt(np.nanmean(np.nanvar(values, axis=1))) / np.nanstd(values)
