"""False discoveries: laws reported on systems that have none, over seeds and noise levels.

    python benchmarks/false_discoveries.py             # 20 seeds, four noise levels: an hour
    python benchmarks/false_discoveries.py --seeds 2   # minutes
    python benchmarks/false_discoveries.py --no-roles  # nothing told about the coordinates

A law that is called exact on one of these systems is the worst error there is, and is printed.
`approximate` is right only where the drift truly is small; those are printed too.
"""

import argparse
import time

from discovery import ConservedQuantityFinder, datasets

NOISES = (0.0, 0.01, 0.05, 0.1)


def controls():
    """Names of the systems without a law, fields on grids apart."""
    every = (datasets.info(name) for name in datasets.names())
    return [s.name for s in every if s.count == 0 and s.grid_spacing is None]


def fits(name, seeds, told):
    """Yield the noise, the seed and the report of every fit."""
    for seed in seeds:
        for noise in NOISES:
            runs = datasets.load(name, noise=noise, seed=seed)
            roles = runs.roles if told else None
            finder = ConservedQuantityFinder(roles=roles, random_state=seed)
            yield noise, seed, finder.fit(runs.rows, groups=runs.groups).report_


def main():
    """Print the table, and every law."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--no-roles", action="store_true", help="tell no roles")
    options = parser.parse_args()
    seeds = range(options.first, options.first + options.seeds)
    print(
        f"{'system':22} {'fits':>5} {'exact':>6} {'approximate':>12} {'undecided':>10} {'s/fit':>6}"
    )
    for name in controls():
        start, count = time.perf_counter(), dict.fromkeys(("fits", "exact", "approximate"), 0)
        undecided = 0
        for noise, seed, report in fits(name, seeds, not options.no_roles):
            count["fits"] += 1
            undecided += report.verdict == "undecided"
            for law in report.quantities:
                if law.verdict in count:
                    count[law.verdict] += 1
                    print(f"  {law.verdict}: noise {noise}, seed {seed}: {law.formula}")
        seconds = (time.perf_counter() - start) / count["fits"]
        print(
            f"{name:22} {count['fits']:>5} {count['exact']:>6} {count['approximate']:>12} "
            f"{undecided:>10} {seconds:>6.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
