"""What is found in every data set, as plain values for the gallery.

    python docs/findings.py                 all data sets, some minutes on two cores
    python docs/findings.py kepler toda     these alone; the others keep their entries

The values stand in `findings.json`, so that the pages are built in seconds.
"""

import json
import sys
from pathlib import Path

from discovery import ConservedQuantityFinder, datasets

FILE = Path(__file__).with_name("findings.json")
# What the gallery says of its runs: `datasets.load` with these, and a finder without a model.
NOISE = 0.01


def find(name):
    """Return what a finder says of one data set: verdict, reason, and one entry a quantity."""
    noise = {} if name in datasets.measured() else {"noise": NOISE}
    report = ConservedQuantityFinder(random_state=0).fit(datasets.load(name, **noise)).report_
    return {
        "verdict": report.verdict,
        "reason": report.reason,
        "n_conserved": report.n_conserved,
        "quantities": [
            {"formula": q.formula, "flatness": round(q.flatness, 3), "statement": q.statement}
            for q in report.quantities
        ],
        "identities": [q.formula for q in report.identities],
    }


def names():
    """Return the names of all data sets, those that are measured last."""
    return [*datasets.names(), *datasets.measured()]


def load():
    """Return the stored findings, by the name of the data set."""
    return json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}


def main(chosen):
    """Find what is conserved in the chosen data sets, all of them by default, and store it."""
    found = load()
    for name in chosen or names():
        found[name] = find(name)
        print(name, found[name]["n_conserved"], flush=True)
        known = {name: found[name] for name in names() if name in found}
        text = json.dumps(known, indent=1, ensure_ascii=False)
        FILE.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
