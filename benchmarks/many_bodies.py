"""Seconds and memory against the number of bodies: Lennard-Jones atoms in a periodic box.

    python benchmarks/many_bodies.py                       # 8 to 256 atoms
    python benchmarks/many_bodies.py --bodies 8 16 --minutes 5

Atoms of density 0.3 and temperature 1 (ε = 3/2, σ = 1), runs of 80 samples with 1 % noise, inside
the box, told by ``bodies=`` and ``box=``. Each size runs in a process of its own: "data" is the
memory of that process once the data are made, "peak" its largest. Errors are those of ε and σ in
the energy that was found. With --friction there is none to find.
"""

import argparse
import resource
import subprocess
import sys
import time

import numpy as np

from discovery import ConservedQuantityFinder, Trajectories

RUNS, SAMPLES, GAP, STEPS = 24, 80, 0.02, 4
WARMING = 60  # samples before the first
DEPTH, SIZE, DENSITY = 1.5, 1.0, 0.3
NOISE = 0.01


def forces(place, length):
    """Forces (n, 3) on atoms, each from the nearest image of every other."""
    gap = place[:, None] - place
    gap -= length * np.rint(gap / length)
    square = np.einsum("ijk,ijk->ij", gap, gap)
    np.fill_diagonal(square, 1.0)
    sixth = (SIZE**2 / square) ** 3
    strength = 24 * DEPTH * (2 * sixth**2 - sixth) / square
    np.fill_diagonal(strength, 0.0)
    return np.einsum("ij,ijk->ik", strength, gap)


def run(n, length, friction, rng):
    """One run of n atoms, (samples, 6 n): places unrolled, then velocities."""
    side = int(np.ceil(n ** (1 / 3)))
    grid = np.stack(np.meshgrid(*[np.arange(side)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    place = (grid[:n] + rng.normal(0, 0.02, (n, 3))) * length / side
    speed = rng.normal(0, np.sqrt(rng.uniform(0.5, 1.5)), (n, 3)) + rng.normal(0, 0.1, 3)
    step, rows = GAP / STEPS, []
    force = forces(place, length)
    for k in range(-WARMING * STEPS, SAMPLES * STEPS):
        if k >= 0 and k % STEPS == 0:
            rows.append(np.r_[place.ravel(), speed.ravel()])
        speed = speed + step / 2 * (force - friction * speed)
        place = place + step * speed
        force = forces(place, length)
        speed = (speed + step / 2 * force) / (1 + step / 2 * friction)
    return np.array(rows)


def atoms(n, friction=0.0, seed=0):
    """Runs of n atoms inside a periodic box, and its length."""
    rng, length = np.random.default_rng(seed), SIZE * (n / DENSITY) ** (1 / 3)
    states = np.array([run(n, length, friction, rng) for _ in range(RUNS)])
    size = np.r_[np.full(3 * n, length / np.sqrt(12)), np.full(3 * n, states[..., 3 * n :].std())]
    states += NOISE * size * rng.standard_normal(states.shape)
    states[..., : 3 * n] %= length
    names = [f"{kind}{axis}{i}" for kind in ("", "v") for i in range(1, n + 1) for axis in "xyz"]
    roles = ["position"] * 3 * n + ["velocity"] * 3 * n
    times = GAP * np.arange(SAMPLES)
    return Trajectories(states=states, times=times, names=names, roles=roles), length


def peak():
    """Largest memory of this process so far, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def errors(quantities):
    """Relative errors of ε and σ in the energy, if it was found."""
    for law in quantities:
        kinds = [kind[0] for kind in law.library.kinds()]
        number = dict(zip(kinds, law.coefficients.values(), strict=True))
        if {"kinetic", "pairs 0", "pairs 1"} <= set(kinds):
            twelfth, sixth = (number[f"pairs {k}"] / number["kinetic"] for k in (0, 1))
            depth, size = sixth**2 / (4 * twelfth), (-twelfth / sixth) ** (1 / 6)
            return f"{abs(depth / DEPTH - 1):9.2%} {abs(size / SIZE - 1):9.2%}"
    return f"{'–':>9} {'–':>9}"


def one(n, friction):
    """Print the row of one size."""
    runs, length = atoms(n, friction)
    data, start, used = peak(), time.perf_counter(), time.process_time()
    finder = ConservedQuantityFinder(bodies=n, box=length, random_state=0).fit(runs)
    seconds, used = time.perf_counter() - start, time.process_time() - used
    print(
        f"{n:>6} {finder.n_conserved_:>5} {seconds:>8.1f} {used:>8.1f} {data:>8.0f} {peak():>8.0f} "
        f"{errors(finder.quantities_)}"
    )


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--bodies", nargs="+", type=int, default=[8, 16, 32, 64, 256])
    parser.add_argument("--friction", type=float, default=0.0)
    parser.add_argument("--minutes", type=float, default=np.inf, help="start none after so long")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        one(options.one, options.friction)
        return
    end = time.monotonic() + 60 * options.minutes
    heads = ("seconds", "CPU s", "data MB", "peak MB")
    print(f"{'bodies':>6} {'laws':>5}", *(f"{head:>8}" for head in heads), "  error ε   error σ")
    sys.stdout.flush()
    for n in options.bodies:
        if time.monotonic() > end:
            break
        command = [sys.executable, __file__, "--one", str(n), "--friction", str(options.friction)]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
