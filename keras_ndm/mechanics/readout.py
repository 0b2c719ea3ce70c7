"""Accelerations, energies, momenta and rollouts of a learned Lagrangian, as numpy arrays."""

from functools import partial

import numpy as np
from keras import ops

from keras_ndm.mechanics import data, flat_weights, gauss_newton, orbits
from keras_ndm.mechanics.lagrangian_terms import LagrangianTerms
from keras_ndm.mechanics.symplectic import gauss_legendre
from keras_ndm.rowwise import Rows

# Up to so many weights `polish` solves for all at once, and their posterior is known.
DENSE = 3000
# Step of the finite differences with respect to the weights, as a share of a draw's deviation.
_SMALL = 0.01


class Mechanics:
    """The methods of a `LagrangianManifold` that take and return numpy arrays.

    The class itself has the networks (`_terms`, `_gauged`), the scales and the training.
    """

    def acceleration(self, q: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Accelerations (N, d) at positions and velocities (N, d), as numpy arrays."""
        return self._at("_acceleration", q, v)

    def _acceleration(self, q, v):
        return self.call((q, v))

    def mass_matrix(self, q: np.ndarray) -> np.ndarray:
        """Kinetic metric g (N, d, d) at positions (N, d)."""
        return self.lagrangian_terms(q).metric

    def potential(self, q: np.ndarray) -> np.ndarray:
        """Potential energy V (N,) at positions (N, d); zeros where the model has none."""
        values = self.lagrangian_terms(q).potential
        return np.zeros(len(q)) if values is None else values

    def momentum(self, q: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Canonical momenta p = g v + A, (N, d)."""
        return self._at("_momentum", q, v) / self._numpy("spread")

    def _momentum(self, q, v):
        q, v = self._cast((q, v))
        t, w = self._scaled(q, v)
        return self._gauged(t).momentum(w)

    def energy(self, q: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Energy ½ vᵀ g v + V, (N,)."""
        return self._at("_energy", q, v)

    def _energy(self, q, v):
        q, v = self._cast((q, v))
        t, w = self._scaled(q, v)
        return self._gauged(t).energy(w)

    def lagrangian_terms(self, q: np.ndarray) -> LagrangianTerms:
        """Metric, potential and their derivatives at positions (N, d): see `LagrangianTerms`."""
        self._ready()
        s = self._numpy("spread")
        parts = self._at("_plain_terms", q)
        g, dg = (np.asarray(a) for a in parts[:2])
        g = g / (s[:, None] * s)
        dg = dg / (s[:, None, None] * s[:, None] * s)
        kinetic = 0.5 * float(np.sum(g.mean(axis=0) * self._numpy("velocity_moment")))
        misfit = float(self._numpy("misfit"))
        bend = misfit * float(self._numpy("pull") / self._numpy("speed") ** 2) ** 2
        if "potential" not in self.parts:
            return LagrangianTerms(g, dg, None, None, kinetic, misfit, bend)
        energy = max(kinetic, float(parts[2].std()))
        return LagrangianTerms(g, dg, parts[2], parts[3] / s, energy, misfit, bend)

    def drawn_terms(self, q: np.ndarray, count: int, seed: int = 0) -> list[LagrangianTerms]:
        """Terms at positions (N, d) of other weights that fit the data as well.

        Drawn from the weights' posterior (see `gauss_newton`), to first order in the weights:
        those that the data leave open do not matter then (Immer et al., AISTATS 2021). None where
        the model has more weights than `polish` solves for at once, was saved and loaded, or was
        trained otherwise than by `polish` and `fit` on arrays.

        Parameters
        ----------
        q : (N, d) array
        count : int
            How many draws.
        seed : int
        """
        reached = flat_weights.read(self)
        posterior = self._posterior_now(reached)
        if posterior is None:
            return []
        rng, found = np.random.default_rng(seed), []
        middle = self.lagrangian_terms(q)
        try:
            for _ in range(count):
                change = _SMALL * (posterior.draw(rng) - posterior.mean)
                flat_weights.write(self, reached + change)
                ahead = self.lagrangian_terms(q)
                flat_weights.write(self, reached - change)
                found.append(middle.beyond(ahead, self.lagrangian_terms(q), 0.5 / _SMALL))
        finally:
            flat_weights.write(self, reached)
        return found

    def _posterior_now(self, reached: np.ndarray) -> gauss_newton.Posterior | None:
        """Return the weights' posterior: that of `polish`, or else from the data that `fit` had."""

        def current():
            return self.posterior is not None and np.allclose(
                reached, self.posterior.mean, rtol=1e-5, atol=1e-6
            )

        if not current() and self._seen is not None and len(reached) <= DENSE:
            self.posterior = gauss_newton.posterior_at(self, *self._seen)
        return self.posterior if current() else None

    def _plain_terms(self, q):
        (q,) = self._cast((q,))
        t, _ = self._scaled(q, q)
        terms = self._gauged(t)
        parts = (terms.metric.value, terms.metric.first)
        if terms.potential is not None:
            parts += (terms.potential.value, terms.potential.first)
        return parts

    def rollout(self, q: np.ndarray, v: np.ndarray, times: np.ndarray) -> np.ndarray:
        """Integrate the learned motion by a symplectic method.

        Parameters
        ----------
        q, v : (runs, d) arrays
            Where the runs start, at times[0].
        times : (steps,) array, increasing
            One step of the two-stage Gauss–Legendre method (order 4, implicit, symplectic) leads
            from each to the next, so steps should be short against the motion.

        Returns
        -------
        (runs, steps, 2d) array
            Positions, then velocities.

        Raises
        ------
        ValueError
            When shapes do not fit or a step is too long for its equations to be solved.
        """
        q, v = data.checked_state(q, v, dimension=self._ready())
        times = np.asarray(times, dtype=float)
        if times.ndim != 1 or len(times) < 2 or np.any(np.diff(times) <= 0):
            raise ValueError("`times` must be an increasing array of at least two instants.")
        spread, shift = self._numpy("spread"), self._numpy("shift")
        t = (q - shift) / spread
        p = self._at("_momentum", q, v)
        path = [np.concatenate([q, v], axis=1)]
        field = partial(self._at, "_flow")
        for position, momentum in gauss_legendre(field, t, p, times):
            velocity, _ = field(position, momentum)
            path.append(np.concatenate([position * spread + shift, velocity * spread], axis=1))
        return np.stack(path, axis=1)

    def connect(
        self,
        q0: np.ndarray,
        q1: np.ndarray,
        *,
        energy: float | np.ndarray | None = None,
        time: float | np.ndarray | None = None,
        points: int = 64,
    ) -> orbits.Orbit:
        """Orbits from q0 to q1, with an energy or in a time: near the straight line between them.

        Parameters
        ----------
        q0, q1 : (batch, d) arrays
            Angles as they are: from 3 to −3 the long way is meant.
        energy : float or (batch,) array
            As `energy` of this model gives it: the orbit is a geodesic of Jacobi's metric.
        time : float or (batch,) array
            How long the orbit takes: the action is stationary.
        points : int
            Segments S of an orbit; its error is of order S⁻².

        Returns
        -------
        Orbit
            ``points`` (batch, S + 1, d), ``times`` (batch, S + 1), ``velocity`` (batch, d) at the
            start, ``energy`` and ``converged`` (batch,).

        Raises
        ------
        ValueError
            With both or neither of energy and time, an energy below the potential on the straight
            line, a model with magnetic forces or friction, and shapes that do not fit.

        Warns
        -----
        RuntimeWarning
            When orbits have not converged.
        """
        self._ready()
        return orbits.connect(self, q0, q1, energy=energy, time=time, points=points)

    def _flow(self, t, p):
        t, p = self._cast((t, p))
        return self._gauged(t).hamiltonian_flow(p)

    def _ready(self):
        if not self.built:
            raise ValueError("The model has no weights yet: call fit(x, y) or adapt(x, y) first.")
        return self.dimension

    def _numpy(self, name):
        return np.asarray(ops.convert_to_numpy(getattr(self, name)), dtype=float)

    def _at(self, name, *arrays):
        arrays = data.checked_state(*arrays, dimension=self._ready())
        if name not in self._compiled:
            self._compiled[name] = Rows(getattr(self, name), self.variables)
        return self._compiled[name](*arrays)
