"""The documentation has no gap: names, data sets, links; its pages load nothing from outside."""

import importlib
import json
import pkgutil
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from discovery import datasets

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
TEXTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CODE_OF_CONDUCT.md"]


def listed():
    """Return the full names that the page of the API lists."""
    names, module = set(), ""
    for line in (DOCS / "reference" / "api.rst").read_text(encoding="utf-8").splitlines():
        if line.startswith(".. currentmodule:: "):
            module = line.split()[-1]
        elif re.fullmatch(r"   [\w.]+", line):
            names.add(f"{module}.{line.strip()}")
    return names


def public_names(package):
    """Return the public names of a package and of its modules one level below."""
    modules = [importlib.import_module(package)]
    for info in pkgutil.iter_modules(modules[0].__path__, f"{package}."):
        module = importlib.import_module(info.name)
        if hasattr(module, "__all__"):
            modules.append(module)
    return {f"{m.__name__}.{name}": getattr(m, name) for m in modules for name in m.__all__}


def found(path):
    """Return what a dotted name stands for."""
    parts = path.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            thing = importlib.import_module(".".join(parts[:cut]))
        except ImportError:
            continue
        for name in parts[cut:]:
            thing = getattr(thing, name)
        return thing
    raise ImportError(path)


def without_a_page(package, pages):
    """Return the public names of a package that none of the pages is about."""
    shown = {id(found(path)) for path in pages}
    # A module's page shows what it defines; else its names are listed one by one.
    modules = [path for path in pages if path == "keras_ndm.backend"]
    return [
        path
        for path, thing in public_names(package).items()
        if id(thing) not in shown
        and path.rpartition(".")[0] not in modules
        and not any(name.startswith(f"{path}.") for name in pages)
    ]


PACKAGES = ["discovery", "keras_ndm"]


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_has_its_page(package):
    assert without_a_page(package, listed()) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_a_page_that_is_taken_away_is_missed(package):
    pages = listed()
    public = {id(thing) for thing in public_names(package).values()}
    entries = [path for path in pages if id(found(path)) in public]
    assert len(entries) > 30
    unseen = [path for path in entries if without_a_page(package, pages - {path}) == []]
    assert unseen == []


def test_the_gallery_knows_every_data_set():
    findings = json.loads((DOCS / "findings.json").read_text(encoding="utf-8"))
    assert list(findings) == [*datasets.names(), *datasets.measured()]


def test_readme_is_one_screen():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 150


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_links_lead_to_files(path):
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
    assert links
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_scripts_that_pages_name_exist():
    named = {
        script
        for page in [ROOT / "README.md", *DOCS.rglob("*.md")]
        for script in re.findall(
            r"(?:benchmarks|examples|docs|tests|discovery)/[\w/]+\.(?:py|ipynb)",
            page.read_text(encoding="utf-8"),
        )
    }
    assert len(named) > 20
    assert sorted(script for script in named if not (ROOT / script).exists()) == []


def test_notebooks_are_kept_without_outputs():
    for path in (ROOT / "examples" / "notebooks").glob("*.ipynb"):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            assert not cell.get("outputs") and cell.get("execution_count") is None, path.name


class Loads(HTMLParser):
    """The addresses that a page loads by itself: scripts, styles, pictures, frames."""

    def __init__(self):
        super().__init__()
        self.addresses = []

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        loads = "src" in attributes or (tag == "link" and attributes.get("rel") != "canonical")
        if loads:
            self.addresses.append(attributes.get("src") or attributes.get("href") or "")


def test_a_load_is_seen():
    page = Loads()
    page.feed('<a href="https://x"></a><script src="https://y"></script><link href="//z">')
    assert page.addresses == ["https://y", "//z"]


@pytest.mark.slow
def test_site_builds_and_loads_nothing(tmp_path):
    pytest.importorskip("furo", reason="make docs installs it")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html"]
    answer = subprocess.run(
        [*command, str(DOCS), str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
    pages = list(tmp_path.rglob("*.html"))
    assert len(pages) > 100
    outside = re.compile(r"(https?:)?//")
    for path in pages:
        page = Loads()
        page.feed(path.read_text(encoding="utf-8"))
        assert [a for a in page.addresses if outside.match(a)] == [], path.name
    for path in tmp_path.rglob("*.css"):
        loads = re.findall(r"(?:@import|url\()\s*['\"]?((?:https?:)?//[^'\")]*)", path.read_text())
        assert loads == [], path.name
