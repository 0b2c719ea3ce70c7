"""Level sets: how well states drawn on them have their law, and which run a piece continues.

Sampling: the Kolmogorov–Smirnov distance of states drawn by ``report.sample``, from noisy runs, to
the exact microcanonical law: of r for Kepler (Kepler's equation), of both coordinates for
Hénon–Heiles and of both angles for the double pendulum (areas drawn and weighted by the mass).
With --training, the same of states that a conditional normalizing flow draws.

Which run: of so many runs the first piece is known, and a later piece, after a pause, is to be
given to its run. Printed is the share of first hits: by what is conserved (``report.embed``), by
the nearest states, by the spectrum of each coordinate, and by its moments (means, covariances,
third and fourth moments); with --training, by a contrastive encoder. Both networks are those of
`level_rivals.py`, with so many CPU seconds each; the encoder has seen all runs of the report and
the first pieces.

    python benchmarks/levels.py --seeds 3 --training 20
"""

import argparse
import itertools
import time

import numpy as np
from scipy import stats
from scipy.spatial.distance import cdist

from discovery import ConservedQuantityFinder, datasets

EDGE = 1_000_000  # points of which areas are made
PIECE, PAUSE = 100, 60


def kepler(states):
    """Return the distance of the mean anomaly to the uniform law."""
    x, y, *_ = states.T
    eccentric = np.arccos(np.clip((1 - np.hypot(x, y)) / 0.6, -1, 1))
    anomaly = (eccentric - 0.6 * np.sin(eccentric)) / np.pi
    return {"r": stats.kstest(anomaly, "uniform").statistic}


def henon_heiles(states):
    """Return the distances of both positions at E = 0.1."""
    points = np.random.default_rng(1).uniform(-0.8, 0.8, (EDGE, 2))
    q, p = points.T
    points = points[(q**2 + p**2) / 2 + q**2 * p - p**3 / 3 <= 0.1]
    return {f"q{i + 1}": stats.ks_2samp(states[:, i], points[:, i]).statistic for i in range(2)}


def double_pendulum(states):
    """Return the distances of both angles at E = −1."""
    rng = np.random.default_rng(1)
    points = rng.uniform(-np.pi, np.pi, (EDGE, 2))
    a, b = points.T
    mass = np.sqrt((2 - np.cos(a - b) ** 2) / 2)
    points = points[(-2 * np.cos(a) - np.cos(b) <= -1) & (rng.uniform(size=EDGE) < mass)]
    turned = (states[:, :2] + np.pi) % (2 * np.pi) - np.pi
    return {f"angle {i + 1}": stats.ks_2samp(turned[:, i], points[:, i]).statistic for i in (0, 1)}


# What is asked for, and how far states are from the exact law.
SAMPLING = {
    "kepler": ({"energy": -0.5, "angular momentum": 0.8}, kepler),
    "henon_heiles": ({"energy": 0.1}, henon_heiles),
    "double_pendulum": ({"energy": -1.0}, double_pendulum),
}
WHICH = ("kepler", "henon_heiles")


def spectrum(piece):
    """Return the sizes of each coordinate's Fourier coefficients."""
    return np.abs(np.fft.rfft(piece, axis=0)).ravel() / len(piece)


def moments(piece):
    """Return means, covariances, and each coordinate's third and fourth moment."""
    centred = piece - piece.mean(axis=0)
    covariance = (centred.T @ centred / len(piece))[np.triu_indices(piece.shape[1])]
    higher = [(centred**k).mean(axis=0) for k in (3, 4)]
    return np.concatenate([piece.mean(axis=0), covariance, *higher])


def first_hits(report, name, seed, options):
    """Return the share of later pieces that are given to their run, by each method."""
    count, noise = options.runs, options.noise
    steps = 2 * PIECE + PAUSE
    runs = datasets.load(name, n_trajectories=count, n_steps=steps, noise=noise, seed=seed)
    first, later = (
        [run[part] for run in runs.states] for part in (slice(PIECE), slice(-PIECE, None))
    )
    embedding = report.embed(first)
    size = runs.rows.std(axis=0)
    apart = {
        "laws": cdist(embedding.transform(later), embedding.embedding_),
        "states": np.array(
            [[cdist(b / size, a / size).min(1).mean() for a in first] for b in later]
        ),
    }
    for title, features in (("spectrum", spectrum), ("moments", moments)):
        one, other = (np.array([features(p / size) for p in pieces]) for pieces in (first, later))
        unit = one.std(axis=0)
        apart[title] = cdist(other / unit, one / unit)
    if options.training:
        from level_rivals import encoder

        known = np.concatenate([report.runs.states, np.stack(first)])
        features = encoder(known, size, options.training, seed)
        apart["encoder"] = cdist(features(later), features(first))
    return {k: float(np.mean(d.argmin(axis=1) == np.arange(count))) for k, d in apart.items()}


def main():
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--noise", type=float, default=0.01)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--states", type=int, default=4000, help="that are drawn")
    parser.add_argument("--runs", type=int, default=60, help="of which one is to be found")
    parser.add_argument("--training", type=float, default=0, help="CPU seconds for each network")
    parser.add_argument("--minutes", type=float, default=np.inf, help="stop after so long")
    options = parser.parse_args()
    end = time.monotonic() + 60 * options.minutes
    print("| system | seed | distance to the exact law | by a flow | first hits |")
    print("|---|---|---|---|---|")
    for seed, name in itertools.product(range(options.seeds), SAMPLING):
        runs = datasets.load(name, 40, 100, noise=options.noise, seed=seed)
        report = ConservedQuantityFinder(random_state=0).fit(runs).report_
        values, judge = SAMPLING[name]
        by_flow = "—"
        try:
            drawn = report.sample(options.states, values=values, random_state=seed)
            said = _said(judge(np.asarray(drawn)))
        except ValueError as refused:
            said = f"refused: {str(refused)[:80]}"
        else:
            if options.training:
                from level_rivals import flow

                drawn = flow(report, runs, values, options.states, options.training, seed)
                by_flow = _said(judge(drawn))
        hits = "—"
        if name in WHICH and report.n_conserved:
            found = first_hits(report, name, 1000 + seed, options)
            hits = ", ".join(f"{what} {share:.2f}" for what, share in found.items())
        print(f"| {name} | {seed} | {said} | {by_flow} | {hits} |", flush=True)
        if time.monotonic() > end:
            print(f"stopped after {options.minutes:g} minutes", flush=True)
            break


def _said(far):
    return ", ".join(f"{what} {d:.3f}" for what, d in far.items())


if __name__ == "__main__":
    main()
