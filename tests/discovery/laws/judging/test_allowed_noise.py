"""Noise by what laws leave, where neither a path nor one step of a map tells it."""

import numpy as np
import pytest

from discovery import ConservedQuantityFinder, Trajectories
from discovery.estimation.orbits import Orbits
from discovery.estimation.path import raw_path
from discovery.laws.judging.allowed_noise import allowed_noise

HEAVY = 37.3


def collisions(noise, runs=40, steps=14):
    """A light and a heavy bead and a wall: velocities after each event."""
    rng = np.random.default_rng(0)
    light, heavy = rng.uniform(-1, 1, runs), -rng.uniform(0.5, 2, runs)
    out = []
    for step in range(steps):
        out.append(np.c_[light, heavy])
        if step % 2:
            light = -light
        else:
            mean = (light + HEAVY * heavy) / (1 + HEAVY)
            light, heavy = 2 * mean - light, 2 * mean - heavy
    states = np.stack(out, axis=1)
    spread = states.std(axis=(0, 1))
    return Trajectories(states + noise * spread * rng.standard_normal(states.shape)), spread


def test_collisions_are_judged_by_their_noise():
    runs, spread = collisions(0.01)
    report = ConservedQuantityFinder(random_state=0).fit(runs).report_
    (law,) = report.quantities
    assert law.verdict == "exact" and "within noise" in law.statement
    told = np.array(list(report.noise.values())) / spread
    assert np.all((told > 0.009) & (told < 0.03))


def test_a_law_allows_no_less_than_its_noise():
    class Sphere:
        """x² + y² + z², a law of points on a circle in a plane z = const."""

        values = staticmethod(lambda points: np.sum(points**2, axis=1))
        gradient = staticmethod(lambda points, scale: 2 * points * scale)

    rng = np.random.default_rng(0)
    turn = rng.uniform(0, 6, (30, 50))
    states = np.stack([np.cos(turn), np.sin(turn), 1 + 0 * turn], axis=-1).reshape(-1, 3)
    states *= np.repeat(rng.uniform(1, 2, 30), 50)[:, None]
    states += 0.01 * rng.standard_normal(states.shape)

    def read(noise):
        path = raw_path(states, np.array(noise))
        return Orbits(path, path, 50 * np.arange(31), states.std(axis=0))

    assert allowed_noise([Sphere()], read([0.01] * 3)) is None
    found = allowed_noise([Sphere()], read([1.0, 0.01, 0.01]))
    assert 0.01 <= found[0] < 0.03 and found[1] == pytest.approx(0.01)
    assert allowed_noise([], read([1.0] * 3)) is None
