"""The house: which room may import which, no circles, backends behind one door.

Imports inside functions and those for type checkers count as imports too.
"""

from pathlib import Path

import grimp
import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

ROOT = Path(__file__).parents[1]
# From high to low. A room may import those in lower lines, and none in its own line.
LAYERS = {
    "discovery": (
        # Doors: what pages and users import by these names; nothing inside does.
        ("__main__", "conditions", "displays", "formula_metric", "trajectories"),
        ("cli",),
        ("finder",),
        ("pipeline",),
        ("analysis",),
        ("preparations", "received", "statements"),
        ("report",),
        ("dynamics", "levels"),
        ("noether",),
        ("algebra", "pde", "symmetries"),
        ("laws",),
        ("libraries",),
        ("formulas",),
        ("datasets", "estimation"),
        ("data",),
        ("criteria",),
    ),
    "keras_ndm": (
        ("callbacks", "continual"),
        ("mechanics", "models"),
        ("evolution", "optimizers"),
        ("coordinate_layer", "laws", "metric_layer", "own_loss"),
        ("charts", "metric_heads"),
        ("geometry",),
        ("precision", "rowwise", "user_data"),
        ("backend",),
        ("keras_internals",),
    ),
}
BACKENDS = ("tensorflow", "jax", "tensorflow_probability", "tf_keras")
MOST_FILES = 14


@pytest.fixture(scope="module")
def graph():
    return grimp.build_graph(
        "discovery", "keras_ndm", include_external_packages=True, cache_dir=None
    )


def against(graph, package, layers):
    """Return the imports, as text, that run from a lower line to a higher one or along a line."""
    named = [grimp.Layer(*line, independent=True) for line in layers]
    found = graph.find_illegal_dependencies_for_layers(layers=named, containers={package})
    return sorted(
        f"{direct['importer']}:{direct['line_number']} imports {direct['imported']}"
        for dependency in found
        for route in dependency.routes
        for importer in ([route.middle[-1]] if route.middle else route.heads)
        for imported in route.tails
        for direct in graph.get_import_details(importer=importer, imported=imported)
    )


@pytest.mark.parametrize("package", LAYERS)
def test_every_room_is_in_the_table(graph, package):
    rooms = {child.removeprefix(f"{package}.") for child in graph.find_children(package)}
    assert rooms == {room for line in LAYERS[package] for room in line}


@pytest.mark.parametrize("package", LAYERS)
def test_imports_run_down(graph, package):
    assert against(graph, package, LAYERS[package]) == []


def test_an_import_that_runs_up_is_seen(graph):
    found = against(graph, "discovery", LAYERS["discovery"][::-1])
    assert any(line.startswith("discovery.finder:") for line in found)


@pytest.mark.parametrize("package", LAYERS)
def test_no_circles(graph, package):
    modules = sorted({package, *graph.find_descendants(package)})
    index = {module: i for i, module in enumerate(modules)}
    pairs = np.array(
        [
            (index[module], index[other])
            for module in modules
            for other in graph.find_modules_directly_imported_by(module)
            if other in index
        ]
    )
    arrows = csr_array((np.ones(len(pairs)), pairs.T), shape=(len(modules),) * 2)
    _, circle = connected_components(arrows, connection="strong")
    shared = np.bincount(circle)[circle] > 1
    assert [module for module, inside in zip(modules, shared, strict=True) if inside] == []


@pytest.mark.parametrize("backend", BACKENDS)
def test_backends_are_imported_in_one_place(graph, backend):
    users = graph.find_modules_that_directly_import(backend) if backend in graph.modules else set()
    assert [u for u in sorted(users) if not u.startswith("keras_ndm.backend")] == []


def test_keras_ndm_knows_no_discovery(graph):
    users = [m for m in graph.modules if m.split(".")[0] == "keras_ndm"]
    imported = {n for m in users for n in graph.find_modules_directly_imported_by(m)}
    assert [n for n in sorted(imported) if n.split(".")[0] == "discovery"] == []


def test_few_files_at_the_top():
    assert len(list((ROOT / "discovery").glob("*.py"))) <= MOST_FILES
