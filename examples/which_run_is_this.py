"""Which of sixty runs does a snippet continue? Ask what is conserved along it.

Sixty orbits are measured, and later, after a pause, a piece of each again. A piece later on has
other states, but the same energy and angular momentum: so runs are compared by the laws that a
report has found, in standard errors (`report.embed`), beside a comparison by nearest states.

    python examples/which_run_is_this.py              # writes which_run_is_this.png
"""

import argparse

import matplotlib
import numpy as np
from scipy.spatial.distance import cdist

from discovery import ConservedQuantityFinder, datasets

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.colors import LogNorm

RUNS, SAMPLES, PAUSE = 60, 30, 60


def main():
    """Find the laws, compare pieces by them and by states, and draw both."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--system", default="henon_heiles")
    parser.add_argument("--noise", type=float, default=0.01)
    parser.add_argument("--out", default="which_run_is_this.png")
    options = parser.parse_args()

    known = datasets.load(
        options.system, n_trajectories=40, n_steps=100, noise=options.noise, seed=0
    )
    report = ConservedQuantityFinder(random_state=0).fit(known).report_
    print(report)

    # Runs that the report has never seen, each in two pieces.
    steps = 2 * SAMPLES + PAUSE
    runs = datasets.load(
        options.system, n_trajectories=RUNS, n_steps=steps, noise=options.noise, seed=1
    )
    first = [run[:SAMPLES] for run in runs.states]
    later = [run[-SAMPLES:] for run in runs.states]

    embedding = report.embed(first)
    by_laws = cdist(embedding.transform(later), embedding.embedding_)
    size = runs.rows.std(axis=0)
    by_states = np.array([[cdist(b / size, a / size).min(1).mean() for a in first] for b in later])
    print(f"\nfirst hits of {RUNS}:")
    for name, distances in (("what is conserved", by_laws), ("nearest states", by_states)):
        hits = np.mean(distances.argmin(axis=1) == np.arange(RUNS))
        print(f"  {name}: {hits:.2f}")
    print(f"\na run and its own continuation: {report.distance(first[0], later[0])}")
    print(f"and another's: {report.distance(first[0], later[1])}")

    order = np.argsort(embedding.embedding_[:, 0])
    figure, axes = plt.subplots(1, 2, figsize=(9.5, 4.2), layout="constrained")
    shown = (
        ("by what is conserved", by_laws, LogNorm(vmin=1), "standard errors apart"),
        ("by nearest states", by_states, None, "spreads apart"),
    )
    for ax, (title, distances, norm, unit) in zip(axes, shown, strict=True):
        image = ax.imshow(distances[np.ix_(order, order)], norm=norm)
        figure.colorbar(image, ax=ax, label=unit, shrink=0.8)
        ax.set(title=title, xlabel="first piece", ylabel="later piece")
    figure.suptitle(f"{RUNS} runs in order of what is conserved: small on the diagonal is right")
    figure.savefig(options.out, dpi=120)
    print(f"wrote {options.out}")


if __name__ == "__main__":
    main()
