"""Kepler orbits with 1 % noise in, their three conserved quantities out.

100 simulated orbits around a fixed centre, positions (x, y) and velocities (u, v). A planar orbit
has three independent conserved quantities: energy, angular momentum, and the direction of the
ellipse (a component of the Laplace-Runge-Lenz vector).
"""

import discovery

runs = discovery.datasets.load("kepler", n_trajectories=100, n_steps=200, noise=0.01, seed=0)

# Finds laws on part of the orbits, and judges them on the others.
report = discovery.discover(runs, random_state=0)
print(report)

# Every quantity is a SymPy formula and a function of states of shape (..., 4).
for law in report.quantities:
    values = law(runs.states)
    within, between = values.std(axis=1).mean(), values.mean(axis=1).std()
    print(f"{law.formula}: varies by {within:.2g} along an orbit, {between:.2g} between orbits")
