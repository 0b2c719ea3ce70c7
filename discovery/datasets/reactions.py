"""A network of reactions with mass action."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from discovery.datasets.initial_states import in_box
from discovery.datasets.system import System, register

# Species: substrate with no, one and two phosphates, kinase, phosphatase, and their complexes.
_SPECIES = ("m", "mp", "mpp", "k", "f", "mk", "mpk", "mppf", "mpf", "mpf2", "mf")
# What meets, what comes of it, and how fast, forth and back.
_STEPS = (
    (("m", "k"), ("mk",), 1.3, 0.4),
    (("mk",), ("mp", "k"), 0.7, 0.0),
    (("mp", "k"), ("mpk",), 1.1, 0.5),
    (("mpk",), ("mpp", "k"), 0.9, 0.0),
    (("mpp", "f"), ("mppf",), 1.2, 0.3),
    (("mppf",), ("mpf",), 0.8, 0.0),
    (("mpf",), ("mp", "f"), 0.6, 0.5),
    (("mp", "f"), ("mpf2",), 1.0, 0.6),
    (("mpf2",), ("mf",), 0.7, 0.0),
    (("mf",), ("m", "f"), 0.9, 0.4),
)


def _network_flow(*s: np.ndarray) -> tuple:
    amount = dict(zip(_SPECIES, s, strict=True))
    rate = {name: np.zeros_like(np.asarray(s[0], dtype=np.float64)) for name in _SPECIES}
    for before, after, forth, back in _STEPS:
        flux = forth * np.prod([amount[name] for name in before], axis=0)
        flux = flux - back * np.prod([amount[name] for name in after], axis=0)
        for name in before:
            rate[name] = rate[name] - flux
        for name in after:
            rate[name] = rate[name] + flux
    return tuple(rate[name] for name in _SPECIES)


def _total(*parts: str) -> Callable[..., np.ndarray]:
    columns = [_SPECIES.index(part) for part in parts]
    return lambda *s: sum(s[i] for i in columns)


phosphorylation = System(
    name="phosphorylation",
    doc="A protein that a kinase phosphorylates twice and a phosphatase strips, eleven species. "
    "The totals of protein, kinase and phosphatase stay.",
    equations="mass action: "
    + "; ".join(
        f"{' + '.join(a)} {'<->' if back else '->'} {' + '.join(b)}" for a, b, _, back in _STEPS
    ),
    source="N. I. Markevich, J. B. Hoek and B. N. Kholodenko, J. Cell Biol. 164, 353 (2004)",
    names=_SPECIES,
    roles=("amount",) * 11,
    flow=_network_flow,
    sample=lambda rng, n: in_box(rng, n, *[(0.1, 1.5)] * 5, *[(0.02, 0.5)] * 6),
    dt=0.05,
    laws={
        "protein": _total("m", "mp", "mpp", "mk", "mpk", "mppf", "mpf", "mpf2", "mf"),
        "kinase": _total("k", "mk", "mpk"),
        "phosphatase": _total("f", "mppf", "mpf", "mpf2", "mf"),
    },
    count=3,
)

register(phosphorylation)
