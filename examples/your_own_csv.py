"""Your own measurements: a table of runs in, the report out.

Here the table is made up: masses on springs, recorded at uneven times. Put the name of your file
in place of it. One row is a sample; a column tells runs apart, a column has the time, all others
are coordinates of the state.
"""

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

import discovery


def write_table(path, n_runs=40, n_samples=80, noise=0.01):
    """Write runs of x'' = -4 x from random initial states."""
    rng = np.random.default_rng(0)
    tables = []
    for run in range(n_runs):
        t = np.sort(rng.uniform(0, 8, n_samples))
        amplitude, phase = rng.uniform(0.5, 2), rng.uniform(0, 2 * np.pi)
        x, u = amplitude * np.cos(2 * t + phase), -2 * amplitude * np.sin(2 * t + phase)
        x, u = (
            x + noise * rng.standard_normal(n_samples),
            u + noise * rng.standard_normal(n_samples),
        )
        tables.append(pd.DataFrame({"spring": run, "seconds": t, "x": x, "u": u}))
    pd.concat(tables).to_csv(path, index=False)


with tempfile.TemporaryDirectory() as folder:
    table = Path(folder) / "springs.csv"
    write_table(table)
    runs = discovery.Trajectories.from_file(
        table,
        run="spring",
        time="seconds",
        # What the columns are decides which functions are tried: see discovery.trajectories.ROLES.
        roles={"x": "position", "u": "velocity"},
    )

print(runs)
report = discovery.discover(runs, random_state=0)
print(report)
print(report.to_frame().to_string())
