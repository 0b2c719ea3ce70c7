"""Negative controls from chemistry and biology: reactions and populations without a law."""

from __future__ import annotations

from discovery.datasets.initial_states import in_box
from discovery.datasets.system import System, register

brusselator = System(
    name="brusselator",
    doc="Autocatalytic reaction with a = 1, b = 3: every run ends on the limit cycle.",
    equations="x' = 1 + x**2*y - 4*x, y' = 3*x - x**2*y",
    source="I. Prigogine and R. Lefever, J. Chem. Phys. 48, 1695 (1968)",
    names=("x", "y"),
    roles=("amount", "amount"),
    flow=lambda x, y: (1 + x**2 * y - 4 * x, 3 * x - x**2 * y),
    sample=lambda rng, n: in_box(rng, n, (0.3, 3.5), (0.8, 4.5)),
    dt=0.1,
    laws={},
    count=0,
)

glycolysis = System(
    name="glycolysis",
    doc="Sel'kov's model, a = 0.08, b = 0.6: ADP x and fructose-6-phosphate y on a limit cycle.",
    equations="x' = -x + 0.08*y + x**2*y, y' = 0.6 - 0.08*y - x**2*y",
    source="E. E. Sel'kov, Eur. J. Biochem. 4, 79 (1968)",
    names=("x", "y"),
    roles=("amount", "amount"),
    flow=lambda x, y: (-x + 0.08 * y + x**2 * y, 0.6 - 0.08 * y - x**2 * y),
    sample=lambda rng, n: in_box(rng, n, (0.1, 1.5), (0.5, 2.5)),
    dt=0.15,
    laws={},
    count=0,
)

fitzhugh_nagumo = System(
    name="fitzhugh_nagumo",
    doc="Nerve cell that fires periodically, current 0.5; potential v and recovery w.",
    equations="v' = v - v**3/3 - w + 0.5, w' = 0.08*(v + 0.7 - 0.8*w)",
    source="R. FitzHugh, Biophys. J. 1, 445 (1961)",
    names=("v", "w"),
    roles=("other", "other"),
    flow=lambda v, w: (v - v**3 / 3 - w + 0.5, 0.08 * (v + 0.7 - 0.8 * w)),
    sample=lambda rng, n: in_box(rng, n, (-2, 2), (-0.8, 1.8)),
    dt=0.4,
    laws={},
    count=0,
)

may_leonard = System(
    name="may_leonard",
    doc="Three competing species, α = 0.3, β = 1.2: spirals into coexistence.",
    equations="x' = x*(1 - x - 0.3*y - 1.2*z), y' = y*(1 - y - 0.3*z - 1.2*x), "
    "z' = z*(1 - z - 0.3*x - 1.2*y)",
    source="R. M. May and W. J. Leonard, SIAM J. Appl. Math. 29, 243 (1975)",
    names=("x", "y", "z"),
    roles=("amount",) * 3,
    flow=lambda x, y, z: (
        x * (1 - x - 0.3 * y - 1.2 * z),
        y * (1 - y - 0.3 * z - 1.2 * x),
        z * (1 - z - 0.3 * x - 1.2 * y),
    ),
    sample=lambda rng, n: in_box(rng, n, (0.1, 1.0), (0.1, 1.0), (0.1, 1.0)),
    dt=0.15,
    laws={},
    count=0,
)

register(brusselator, glycolysis, fitzhugh_nagumo, may_leonard)
