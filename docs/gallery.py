"""The gallery: a page with a picture for every data set, written when the documentation is built.

Pictures are drawn from the data sets; what is found in each comes from `findings.json`.
"""

import re
from pathlib import Path

import findings
from gallery_pictures import caption, draw
from written_laws import formula

from discovery import datasets

INDEX = """# Gallery

Every data set of the package: {laws} simulated systems with known conserved quantities,
{controls} without any, and {measured} measured ones. `discovery.datasets.load(name)` makes or reads
the runs, `datasets.info(name)` tells their equations and their source.

Each page says what `ConservedQuantityFinder` finds: in {n_runs} runs of 200 samples with 1 % noise
of a simulated system, and in the numbers as they are of a measured one. `python docs/findings.py`
finds it again.

## With laws

{cards_laws}

## Without a law

A tool that finds laws must say "none" here. Friction, limit cycles, chaos and driven motion keep
nothing constant.

{cards_controls}

## Measured

No noise and no number of runs can be chosen here, and nobody knows how many laws there are.

{cards_measured}

```{{toctree}}
:hidden:

{names}
```
"""
CARD = """:::{{container}} card
[![{alt}]({name}.svg)]({name}.md)

[{name}]({name}.md)
:::"""
PAGE = """# {name}

{doc}

![{alt}]({name}.svg)

| | |
|---|---|
| equations | `{equations}` |
| coordinates | {coordinates} |
| independent laws | {count} |
| source | {source} |

## Its laws

{laws}

## What is found

{found}

```python
from discovery import ConservedQuantityFinder, datasets

runs = datasets.load("{name}", noise=0.01)
print(ConservedQuantityFinder(random_state=0).fit(runs).report_)
```
"""
MEASURED_PAGE = """# {name}

{doc}

![{alt}]({name}.svg)

| | |
|---|---|
| coordinates | {coordinates} |
| time | {time} |
| runs | {runs} |
| source | {source} |

## What is found

{found}

```python
from discovery import ConservedQuantityFinder, datasets

runs = datasets.load("{name}")
print(ConservedQuantityFinder(random_state=0).fit(runs).report_)
```

`examples/{name}.py` goes on from here, with a picture.
"""


def write(folder):
    """Write the index, and a page and a picture for each data set; what is up to date stays."""
    folder = Path(folder)
    folder.mkdir(exist_ok=True)
    found = findings.load()
    simulated, measured = datasets.names(), datasets.measured()
    for name in [*simulated, *measured]:
        picture = folder / f"{name}.svg"
        if not picture.exists():
            draw(name, picture)
        text = (measured_page if name in measured else page)(datasets.info(name), found.get(name))
        write_text(folder / f"{name}.md", text)
    laws = [name for name in simulated if datasets.info(name).count]
    controls = [name for name in simulated if name not in laws]
    index = INDEX.format(
        laws=len(laws),
        controls=len(controls),
        measured=len(measured),
        n_runs=100,
        cards_laws=cards(laws),
        cards_controls=cards(controls),
        cards_measured=cards(measured),
        names="\n".join([*simulated, *measured]),
    )
    write_text(folder / "index.md", index)


def write_text(path, text):
    """Write a file unless it says this already: Sphinx then need not read it again."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def cards(names):
    """Return the pictures of some data sets side by side, as MyST."""
    inner = "\n\n".join(CARD.format(name=name, alt=caption(name)) for name in names)
    return f"::::{{container}} cards\n{inner}\n::::"


def page(system, found):
    """Return the page of a data set, as MyST."""
    return PAGE.format(
        name=system.name,
        doc=plain(system.doc),
        alt=caption(system.name),
        equations=system.equations.replace("|", r"\|"),
        coordinates=coordinates(system),
        count=system.count or "none",
        source=system.source,
        laws=known_laws(system),
        found=what_is_found(found),
    )


def measured_page(record, found):
    """Return the page of a measured data set, as MyST."""
    runs = record.load()
    lengths = {len(states) for states in runs.states}
    columns = zip(record.names, record.roles, record.units, strict=True)
    return MEASURED_PAGE.format(
        name=record.name,
        doc=plain(record.doc),
        alt=caption(record.name),
        coordinates=", ".join(f"{name} ({role}, {unit})" for name, role, unit in columns),
        time=record.time,
        runs=f"{runs.n_runs} of {' to '.join(map(str, sorted(lengths)))} samples",
        source=record.source,
        found=what_is_found(found),
    )


def coordinates(system):
    """Return names and roles of a system's coordinates, in words."""
    if system.grid_spacing is not None:
        letters = sorted({name.rstrip("0123456789") for name in system.names})
        points = system.dim // len(letters)
        return f"{' and '.join(letters)} at {points} points (role `field`)"
    return ", ".join(f"{n} ({r})" for n, r in zip(system.names, system.roles, strict=True))


def known_laws(system):
    """Return a list of a system's laws, with their formulas where they can be written."""
    if not system.laws:
        return "None: no function of its coordinates stays constant along its runs."
    lines = [f"- {law}{formula(system, law)}" for law in system.laws]
    if system.count < len(lines):
        lines.append(f"\n{system.count} of them are independent, the others functions of these.")
    return "\n".join(lines)


def what_is_found(found):
    """Return a table of the quantities found, or why there is none."""
    if found is None:
        return "`python docs/findings.py` has not looked at this data set."
    before = "" if found["verdict"] == "laws" else f"{found['verdict'].capitalize()}: "
    lines = [f"{before}{found['reason']}"]
    if found["quantities"]:
        lines += ["", "| formula | flatness | verdict |", "|---|---|---|"]
        lines += [
            f"| `{cell(q['formula'])}` | {q['flatness']:.2f} | {q['statement']} |"
            for q in found["quantities"]
        ]
    if found["identities"]:
        lines += ["", "Obeyed by all runs alike, not counted:", ""]
        lines += [f"- `{identity}` = constant" for identity in found["identities"]]
    return "\n".join(lines)


def plain(text):
    """Escape what Markdown would take for emphasis."""
    return re.sub(r"([*_])", r"\\\1", text)


def cell(text):
    """Escape what would end a cell of a table."""
    return text.replace("|", "\\|")
