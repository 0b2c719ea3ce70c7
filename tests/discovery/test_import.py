"""`import discovery` is light: what is heavy waits until a name needs it."""

import subprocess
import sys

import pytest


def loaded_after(code):
    """Names of top-level modules that a fresh interpreter holds after the code."""
    script = f"{code}\nimport sys; print(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


HEAVY = {"tensorflow", "jax", "keras", "keras_ndm", "sympy", "scipy", "sklearn", "pandas"}


def test_import_is_light():
    assert not loaded_after("import discovery") & HEAVY


@pytest.mark.parametrize(
    "name", ["ConservedQuantityFinder", "DiscoveryReport", "Trajectories", "datasets", "discover"]
)
def test_no_backend_before_a_model_is_needed(name):
    assert not loaded_after(f"from discovery import {name}") & {"tensorflow", "jax", "keras"}


def test_what_draws_or_reads_waits_until_it_is_needed():
    assert not loaded_after("from discovery import discover") & {"sklearn", "pandas", "matplotlib"}


def test_analysis_without_a_model_needs_no_backend():
    code = (
        "from discovery import ConservedQuantityFinder, datasets\n"
        "runs = datasets.load('rigid_body', 12, 40)\n"
        "finder = ConservedQuantityFinder('polynomial').fit(runs.rows, groups=runs.groups)"
    )
    assert not loaded_after(code) & {"tensorflow", "jax", "keras"}


def test_public_names():
    import discovery

    for name in discovery.__all__:
        assert getattr(discovery, name) is not None
        assert name in dir(discovery)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        discovery.nothing  # noqa: B018
