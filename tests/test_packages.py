"""The packages hold what they must, and install in fresh environments with every extra."""

import os
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

import discovery
import keras_ndm

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
VERSION = PROJECT["version"]
# In the repository alone: settings of hosts.
UNPACKED = (".ci/", ".github/", ".gitignore")
# Written by the build.
MADE = ("PKG-INFO", "setup.cfg", "keras_ndm.egg-info/")


def run(*command, **options):
    """Run a program that must succeed, and return what it prints."""
    # Folders of modules that this process was told of would hide what is installed.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    answer = subprocess.run(
        [str(word) for word in command],
        env={**env, "MPLBACKEND": "agg", **options.pop("env", {})},
        capture_output=True,
        text=True,
        check=False,
        **options,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout


def test_the_version_is_told_once():
    assert discovery.__version__ == keras_ndm.__version__ == VERSION
    assert f"\nversion: {VERSION}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"\n## {VERSION} (2" in changes


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder with the source distribution and the wheel."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--outdir", folder, ROOT)
    return folder


@pytest.fixture(scope="module")
def wheel(built):
    (path,) = built.glob("*.whl")
    return path


@pytest.mark.slow
def test_descriptions_are_those_that_an_index_takes(built):
    run(sys.executable, "-m", "twine", "check", "--strict", *built.iterdir())


@pytest.mark.slow
def test_the_source_holds_the_repository_and_nothing_else(built):
    if not (ROOT / ".git").exists():
        pytest.skip("what belongs to the repository is known to git only")
    kept = set(run("git", "ls-files", cwd=ROOT).splitlines())
    with tarfile.open(built / f"keras_ndm-{VERSION}.tar.gz") as archive:
        files = {member.name.partition("/")[2] for member in archive if member.isfile()}
    assert {name for name in kept - files if not name.startswith(UNPACKED)} == set()
    assert {name for name in files - kept if not name.startswith(MADE)} == set()


@pytest.mark.slow
def test_the_wheel_holds_both_packages_whole(wheel):
    with zipfile.ZipFile(wheel) as archive:
        files = {name for name in archive.namelist() if ".dist-info/" not in name}
        licenses = [name for name in archive.namelist() if name.endswith("licenses/LICENSE")]
    packages = [ROOT / "discovery", ROOT / "keras_ndm"]
    whole = {
        path.relative_to(ROOT).as_posix()
        for package in packages
        for path in package.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert files == whole
    assert licenses
    assert whole > {
        "discovery/py.typed",
        "keras_ndm/py.typed",
        "discovery/report/report.html.j2",
        "discovery/datasets/measurements/planets.csv",
    }


GEOMETRY = """
import numpy as np, keras_ndm
points = np.zeros((3, 2), "float32")
assert keras_ndm.MetricLayer()(points).shape == (3, 2, 2)
"""
# What an extra is for, each in an environment of its own; "" is the package without any.
USES = {
    "": "from discovery import datasets\nassert datasets.load('planets').n_runs == 9",
    "tensorflow": GEOMETRY,
    "jax": GEOMETRY,
    "excel": """
from discovery import Trajectories, datasets
datasets.load("rigid_body", 8, 20).to_frame(run="run", time="t").to_excel("runs.xlsx", index=False)
assert Trajectories.from_file("runs.xlsx").n_runs == 8
""",
    "xarray": """
import numpy as np, xarray
from discovery import Trajectories
data = xarray.DataArray(np.zeros((2, 5, 9)), dims=("run", "time", "x"), name="h")
assert Trajectories.from_xarray(data).names[:2] == ("h1", "h2")
""",
    "dask": """
from discovery.data.scan.workers import as_client, mapped
from distributed import Client
with Client(processes=False, dashboard_address=None) as client:
    assert list(mapped(abs, [-1, -2], as_client(client))) == [1, 2]
""",
    "test": "import pytest, ruff, grimp, numpydoc, hypothesis, xdist, openpyxl, build, twine",
    "docs": "import sphinx, myst_parser, furo",
}


def test_every_extra_is_tried():
    assert set(USES) == {"", *PROJECT["optional-dependencies"]}


@pytest.mark.slow
@pytest.mark.parametrize("extra", USES)
def test_it_installs_and_works(extra, wheel, tmp_path):
    run(sys.executable, "-m", "venv", tmp_path / "env")
    programs = tmp_path / "env" / "bin"
    what = f"{wheel}[{extra}]" if extra else wheel
    run(programs / "python", "-m", "pip", "install", "--quiet", what)
    run(programs / "python", "-m", "pip", "check")
    backend = extra if extra == "jax" else "tensorflow"
    here = {"cwd": tmp_path, "env": {"KERAS_BACKEND": backend}}
    assert run(programs / "ndm-discover", "--version", **here) == f"ndm-discover {VERSION}\n"
    data = ("rigid_body", "--no-model", "--runs", 20, "--steps", 60, "--html", "report.html")
    assert "conserved quantities: 2" in run(programs / "ndm-discover", *data, **here)
    assert "<html" in (tmp_path / "report.html").read_text(encoding="utf-8")
    run(programs / "python", "-c", USES[extra], **here)
