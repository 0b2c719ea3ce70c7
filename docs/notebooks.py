"""Notebooks as pages: their text and code, for reading; the notebooks themselves are for running.

A notebook is a JSON file; a page is made of its cells in a few lines, so the documentation needs no
Jupyter.
"""

import json
from pathlib import Path


def cells(path):
    """Return the cells of a notebook as pairs: ``"code"`` or ``"markdown"``, and the text."""
    notebook = json.loads(Path(path).read_text(encoding="utf-8"))
    return [(cell["cell_type"], "".join(cell["source"])) for cell in notebook["cells"]]


def page(path):
    """Return a notebook as Markdown, with a line that names the file after its title."""
    parts = [f"```python\n{text}\n```" if kind == "code" else text for kind, text in cells(path)]
    where = f"*This page is a notebook: `examples/notebooks/{path.name}`.*"
    return "\n\n".join([parts[0], where, *parts[1:]]) + "\n"


def write(folder, notebooks):
    """Write a page for every notebook of a folder."""
    folder = Path(folder)
    folder.mkdir(exist_ok=True)
    for path in sorted(Path(notebooks).glob("*.ipynb")):
        (folder / f"{path.stem}.md").write_text(page(path), encoding="utf-8")
