"""Names of laws: what physicists call them, by form and by motion, where that is certain.

The energy is what moves the coordinates as they were measured to move (`discovery.noether.flow`).
The others are told by their form: h = G(q)·w + f(q) is a momentum where G is constant, an angular
momentum where G is a rotation of the positions; a quadratic form in (q, w) of rank one is the
energy of a mode; and so on. Where a form has two meanings, no name is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from discovery.criteria import LIBRARIES, SYMMETRIES
from discovery.data.coordinates import group_bodies
from discovery.noether.brackets.lie_poisson import lie_poisson_names
from discovery.noether.elements import atoms_in
from discovery.noether.flow import Flow, flow_of, pairs_of, velocity_units
from discovery.noether.motion import Candidate, MeasuredMotion

# What is zero but for rounding.
_ROUNDING = 1e-6
# What sums over very many bodies are, by what is in them.
_KINDS = {"kinetic": "energy", "turning": "angular momentum", "momentum": "total momentum"}


def names_of(laws: Sequence[Candidate], motion: MeasuredMotion) -> list[str | None]:
    """Name conserved and decaying quantities.

    Parameters
    ----------
    laws : sequence of Candidate
    motion : MeasuredMotion
        Of the same coordinates.

    Returns
    -------
    list of str or None
        None where nothing is certain.
    """
    if not laws:
        return []
    if len(motion.names) > LIBRARIES.wide:
        # The motion of so many bodies takes long to compare: sums over them tell by their kind.
        return [_of_kind(law) for law in laws]
    return _Naming(laws, motion).names()


def _of_kind(law: Candidate) -> str | None:
    kinds = {kind for term in law.library.kinds() for kind in term}
    return next((name for kind, name in _KINDS.items() if kind in kinds), None)


@dataclass
class _Linear:
    """h = G(q)·w + f(q), with G(q) = a + Cᵀ q where that holds."""

    slopes: np.ndarray
    offset: np.ndarray | None
    matrix: np.ndarray | None
    bare: bool

    @property
    def straight(self) -> bool:
        return self.matrix is not None and not self.matrix.any()


@dataclass
class _Naming:
    laws: Sequence[Candidate]
    motion: MeasuredMotion
    flows: list[Flow | None] = field(init=False)

    def __post_init__(self) -> None:
        self.points = self.motion.points()
        self.q, self.w = np.array(self.motion.positions), np.array(self.motion.momenta)
        paired = bool(self.motion.pairs)
        self.linear = [self._linear(law) if paired else None for law in self.laws]
        straight = any(one is not None and one.straight for one in self.linear)
        # What is linear in velocities has no kinetic energy, and moves nothing.
        roles = {self.motion.roles[i] for i in self.w}
        velocities = self.motion.told and "momentum" not in roles
        self.flows = [
            None
            if velocities and one is not None
            else flow_of(
                law, self.motion, [o for o in self.laws if o is not law and not o.decays], straight
            )
            for law, one in zip(self.laws, self.linear, strict=True)
        ]

    def names(self) -> list[str | None]:
        names = [self._name(k) for k in range(len(self.laws))]
        # Names of columns are no proof that they pair.
        if not self.motion.pairs or not (self.motion.told or any(names)):
            turning = lie_poisson_names(self.laws, self.motion)
            names = [own or other for own, other in zip(names, turning, strict=True)]
        if names.count("energy") > 1:  # which of them is it?
            names = [None if name == "energy" else name for name in names]
        return names

    @property
    def energy(self) -> Flow | None:
        """The flow of the whole energy: of one law, or of motions apart whose energies laws are.

        How masses of motions apart compare is not known: laws have no scale.
        """
        flows = [f for f in self.flows if f is not None]
        whole = [f for f in flows if len(f.pairs) == len(self.q)]
        if whole:
            return whole[0] if len(whole) == 1 else None
        pairs = sorted(k for f in flows for k in f.pairs)
        if pairs != list(range(len(self.q))):
            return None
        return Flow(pairs, any(f.across for f in flows), None)

    def _name(self, k: int) -> str | None:
        law, flow, linear = self.laws[k], self.flows[k], self.linear[k]
        if flow is not None:
            return self._energy(flow)
        if law.library.learned:
            return None
        if not self.motion.pairs:
            return self._amount(law)
        if law.decays:
            return None
        if linear is not None:
            return self._momentum(linear, k)
        return self._quadratic(law) or self._runge_lenz(law) or self._kinetic(law)

    def _energy(self, flow: Flow) -> str:
        if len(flow.pairs) == len(self.q):
            return "energy"
        return (
            f"energy of the motion in {', '.join(self.motion.names[self.q[k]] for k in flow.pairs)}"
        )

    # --- linear in the momenta -------------------------------------------------------------------

    def _linear(self, law: Candidate) -> _Linear | None:
        if law.library.learned or not pairs_of(law, self.motion):
            return None
        slopes = law.gradient(self.points)[:, self.w]
        faster = self.points.copy()
        faster[:, self.w] = self.points[::-1][:, self.w]
        speed = self.motion.states[:, self.w].std(axis=0)
        size = np.sqrt(np.mean((slopes * speed) ** 2))
        if not size or not _same(law.gradient(faster)[:, self.w] * speed, slopes * speed, size):
            return None
        rest = self.points.copy()
        rest[:, self.w] = 0.0
        still = law.values(rest)
        bare = bool(still.std() <= _ROUNDING * size)
        place = np.column_stack([np.ones(len(self.points)), self.points[:, self.q]])
        found = np.linalg.lstsq(place, slopes, rcond=None)[0]
        if not _same(place @ found * speed, slopes * speed, size):
            return _Linear(slopes, None, None, bare)
        spread = self.motion.states[:, self.q].std(axis=0)
        matrix = found[1:]
        small = np.abs(matrix * spread[:, None] * speed) <= SYMMETRIES.absent_term * size
        matrix = np.where(small, 0.0, matrix)
        offset = np.where(np.abs(found[0]) * speed <= SYMMETRIES.absent_term * size, 0.0, found[0])
        return _Linear(slopes, offset, matrix, bare)

    def _momentum(self, linear: _Linear, k: int) -> str | None:
        energy = self.energy
        if not linear.bare and (energy is None or not energy.across):
            return None
        word = "" if linear.bare else "canonical "
        if linear.matrix is None:
            return self._cyclic(linear, self.laws[k])
        if not linear.matrix.any():
            along = self._translation(linear.offset, k)
            return along and word + along
        turning = self._rotation(linear)
        return turning and word + turning

    def _translation(self, a: np.ndarray, k: int) -> str | None:
        moved = np.flatnonzero(a)
        roles = {self.motion.roles[self.q[i]] for i in moved}
        if len(roles) > 1:
            return None
        word = "momentum" if roles == {"position"} else "angular momentum"
        if len(moved) == 1:  # which, where nobody says so, may be an angle's
            which = "momentum along" if roles == {"position"} else f"{word} about the axis of"
            which = which if self.motion.told else "momentum conjugate to"
            return f"{which} {self.motion.names[self.q[moved[0]]]}"
        if not (np.all(a[moved] > 0) or np.all(a[moved] < 0)) or not self._own_masses(a, k):
            return None
        axes = {self.motion.names[self.q[i]].rstrip("0123456789").rstrip("_") for i in moved}
        whole = len(moved) == len(self.q)
        return f"total {word}" if whole or len(axes) > 1 else f"total {word} along {axes.pop()}"

    def _own_masses(self, a: np.ndarray, k: int) -> bool:
        """Whether weights are masses: as the energy has them, or the only ones of these columns."""
        moved, energy = np.flatnonzero(a), self.energy
        if self._are_momenta:
            return _parallel(a[moved], np.ones(len(moved)))
        if energy is not None and energy.mass is not None:
            masses = np.median(energy.mass, axis=0).sum(axis=1)
            return _parallel(a[moved], masses[moved])
        return not any(
            other is not None
            and j != k
            and other.matrix is not None
            and not other.matrix.any()
            and other.offset[moved].any()
            for j, other in enumerate(self.linear)
        )

    @property
    def _are_momenta(self) -> bool:
        return all(self.motion.roles[i] == "momentum" for i in self.w)

    def _rotation(self, linear: _Linear) -> str | None:
        turn = linear.matrix
        if any(self.motion.roles[i] != "position" for i in self.q):
            return None
        centre = np.linalg.lstsq(turn.T, linear.offset, rcond=None)[0]
        if not _equal(turn.T @ centre, linear.offset):
            return None
        energy = self.energy
        bodies = group_bodies([self.motion.names[i] for i in self.q], list(range(len(self.q))))
        if len(bodies) > 1 and all(len(body) == 1 for body in bodies):
            return None  # on a line nothing turns
        if energy is not None and energy.mass is not None:
            turn = turn @ np.linalg.inv(np.median(energy.mass, axis=0))
        if not _equal(turn, -turn.T):
            return None
        rates = np.linalg.svd(turn, compute_uv=False)
        rates = rates[rates > SYMMETRIES.equal_coefficients * rates[0]]
        apart = np.all(np.sum(turn != 0, axis=0) <= 1)
        if not (apart or len(self.q) <= 3 or _equal(rates, np.full_like(rates, rates[0]))):
            return None
        if len(self.q) != 3:
            return "angular momentum"
        axis = np.array([turn[1, 2], turn[2, 0], turn[0, 1]])
        along = np.flatnonzero(axis)
        if len(along) != 1:
            return "angular momentum"
        return f"angular momentum about {self.motion.names[self.q[along[0]]]}"

    def _cyclic(self, linear: _Linear, law: Candidate) -> str | None:
        """Return the name of the momentum of a coordinate that the energy does not hold."""
        energy = self.energy
        if energy is None or energy.mass is None:
            return None
        slope = law.gradient(self.points)
        for k, i in enumerate(self.q):
            ratio = _parallel(linear.slopes, energy.mass[:, :, k])
            size = np.sqrt(np.mean((slope[:, self.w] * self.points[:, self.w]) ** 2))
            if (
                ratio
                and np.abs(slope[:, i]).max() * self.points[:, i].std()
                <= SYMMETRIES.absent_term * size
            ):
                turning = self.motion.roles[i] == "angle"
                word = "angular momentum about the axis of" if turning else "momentum conjugate to"
                return f"{word} {self.motion.names[i]}"
        return None

    # --- quadratic -------------------------------------------------------------------------------

    def _quadratic(self, law: Candidate) -> str | None:
        """Name ½ wᵀ A w + ½ qᵀ B q with B a multiple of A: a mode's energy, or Fradkin's tensor."""
        columns = np.concatenate([self.q, self.w])
        place = np.column_stack([np.ones(len(self.points)), self.points[:, columns]])
        slopes = law.gradient(self.points)[:, columns]
        offset, *found = np.linalg.lstsq(place, slopes, rcond=None)[0]
        found = np.array(found)
        size = self.motion.states[:, columns].std(axis=0)
        found_by_size = found * np.outer(size, size)
        if not _same(
            (place[:, 1:] - place[:, 1:].mean(axis=0)) @ found * size,
            (slopes - slopes.mean(axis=0)) * size,
            np.sqrt(np.mean((slopes * size) ** 2)),
        ):
            return None
        n = len(self.q)
        large = np.abs(found_by_size).max()
        if np.abs(offset * size)[n:].max() > SYMMETRIES.absent_term * large:
            return None  # a momentum is added
        if np.abs(found_by_size[:n, n:]).max() > SYMMETRIES.absent_term * large:
            return None
        a, b = found[n:, n:], found[:n, :n]
        if not _parallel(a, b) or np.sum(a * b) <= 0:
            return None
        levels = np.linalg.eigvalsh(a)
        levels = levels[np.abs(levels) > SYMMETRIES.equal_coefficients * np.abs(levels).max()]
        several = np.sum(np.abs(np.diag(a)) > SYMMETRIES.equal_coefficients * np.abs(a).max()) > 1
        if len(levels) == 1:
            return "energy of a mode" if several else None
        if len(levels) == 2 and levels.min() < 0 < levels.max():
            large = np.abs(a) > 1e-9 * np.abs(a).max()
            moved = np.flatnonzero(large.any(axis=0))
            bodies = group_bodies([self.motion.names[i] for i in self.q], list(range(n)))
            alone = len(bodies) == 1 and len(moved) == 2 and not np.diag(large).any()
            # Without an energy beside it, it may be the Hamiltonian itself (Bateman).
            lasting = [f for f, one in zip(self.flows, self.laws, strict=True) if not one.decays]
            if alone and any(f is not None for f in lasting):
                return f"Fradkin tensor ({', '.join(self.motion.names[self.q[i]] for i in moved)})"
        return None

    def _runge_lenz(self, law: Candidate) -> str | None:
        """Name a·(w × J) − k a·q/r in the plane or in space, with J = q × w − g q/r in space."""
        n = len(self.q)
        if n not in (2, 3) or any(self.motion.roles[i] != "position" for i in self.q):
            return None
        q, w = self.points[:, self.q] - self._centre(), self.points[:, self.w]
        r = np.linalg.norm(q, axis=1, keepdims=True)
        bent = np.sum(w * w, axis=1, keepdims=True) * q - np.sum(q * w, axis=1, keepdims=True) * w
        pole = [np.cross(q, w) / r] if n == 3 else []
        parts = np.column_stack([bent, q / r, *pole, np.ones(len(q))])
        values = law.values(self.points)
        if not np.isfinite(values).all():
            return None
        scale = np.linalg.norm(parts, axis=0)
        found = np.linalg.lstsq(parts / scale, values, rcond=None)[0]
        found = np.where(np.abs(found) > _ROUNDING * np.abs(found).max(), found, 0) / scale
        if not _same(parts @ found, values, values.std()):
            return None
        along, pull, *pole = np.split(found[:-1], len(found) // n)
        if not np.any(pull) or not _parallel(pull, along):
            return None
        if any(np.any(one) and not _parallel(one, along) for one in pole):
            return None
        axes = np.flatnonzero(np.abs(along) > SYMMETRIES.absent_term * np.abs(along).max())
        names = [self.motion.names[self.q[i]] for i in axes]
        return "Runge–Lenz vector" + (f" along {names[0]}" if len(names) == 1 else "")

    def _kinetic(self, law: Candidate) -> str | None:
        """Name the square of the speed of one body, whatever turns it: walls, or no one knows."""
        roles = {self.motion.roles[i] for i in (*self.q, *self.w)}
        bodies = group_bodies([self.motion.names[i] for i in self.q], list(range(len(self.q))))
        if roles != {"position", "velocity"} or len(self.q) < 2 or len(bodies) > 1:
            return None
        if velocity_units(self.motion, self.q, self.w) is None:
            return None
        alone = np.zeros_like(self.points)
        alone[:, self.w] = self.points[:, self.w]
        return "kinetic energy" if _parallel(law.gradient(self.points), alone) else None

    def _centre(self) -> np.ndarray:
        """Return where the rotations that are known turn about; the origin where none is."""
        centre = np.zeros(len(self.q))
        for linear in self.linear:
            if linear is not None and linear.matrix is not None and linear.matrix.any():
                own = -np.linalg.lstsq(linear.matrix.T, linear.offset, rcond=None)[0]
                centre = np.where(np.abs(linear.matrix).max(axis=1) > 0, own, centre)
        return centre

    # --- amounts ---------------------------------------------------------------------------------

    def _amount(self, law: Candidate) -> str | None:
        """Name a sum of amounts: atoms of an element, or all alike."""
        amounts = np.array([role == "amount" for role in self.motion.roles])
        if not self.motion.told or not amounts.any():
            return None
        slopes = law.gradient(self.points)
        weights = slopes.mean(axis=0)
        if not _same(slopes, np.broadcast_to(weights, slopes.shape), np.abs(weights).max()):
            return None
        used = np.abs(weights) > _ROUNDING * np.abs(weights).max()
        if used[~amounts].any() or used.sum() < 2 or weights[used].min() * weights[used].max() <= 0:
            return None
        own = [self.motion.names[i] for i in np.flatnonzero(amounts)]
        for element, atoms in atoms_in(own).items():
            if _parallel(weights[amounts], atoms.astype(float)):
                return f"amount of {element}"
        if not _parallel(weights[used], np.ones(used.sum())):
            return None
        parts = [self.motion.names[i] for i in np.flatnonzero(used)]
        return "total amount" if used[amounts].all() else f"total of {', '.join(parts)}"


def _same(one: np.ndarray, other: np.ndarray, size: float) -> bool:
    """Whether two functions have the same values at the points, but for rounding."""
    return bool(np.sqrt(np.mean((one - other) ** 2)) <= 10 * _ROUNDING * size)


def _equal(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether coefficients are equal, as far as rounding of formulas tells."""
    size = max(np.abs(one).max(), np.abs(other).max())
    return bool(np.abs(one - other).max() <= SYMMETRIES.equal_coefficients * size)


def _parallel(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether coefficients, or vectors at points, are a multiple of others that are not zero."""
    square = np.sum(other * other)
    return bool(square) and _equal(one, np.sum(one * other) / square * other)
