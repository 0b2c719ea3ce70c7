"""Public callables of three arguments or more document every one of them, by name.

A dataclass may do so under Attributes. Left out are private modules, the doors to the backends, and
the limits of `discovery.criteria`, each of which has a record of its own.
"""

import importlib
import inspect
import pkgutil

import pytest
from numpydoc.docscrape import get_doc_object

import discovery
import keras_ndm

LEAST = 3


def public(package):
    """Yield path, object and signature of a package's public callables."""
    for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if "._" in info.name or "backend" in info.name or info.name == "discovery.criteria":
            continue
        module = importlib.import_module(info.name)
        for name, thing in vars(module).items():
            if name.startswith("_") or getattr(thing, "__module__", None) != info.name:
                continue
            if inspect.isfunction(thing):
                yield f"{info.name}.{name}", thing
            elif inspect.isclass(thing):
                if "__init__" in vars(thing):
                    yield f"{info.name}.{name}", thing
                for key, member in vars(thing).items():
                    function = getattr(member, "__func__", member)
                    if not key.startswith("_") and inspect.isfunction(function):
                        yield f"{info.name}.{name}.{key}", function


def arguments(thing):
    function = thing.__init__ if inspect.isclass(thing) else thing
    parameters = inspect.signature(function).parameters.values()
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    names = [p.name for p in parameters if p.kind not in variable]
    # What begins with an underscore is no one's to pass.
    return [name for name in names if name not in ("self", "cls") and not name.startswith("_")]


def documented(thing):
    doc = get_doc_object(thing, config={"show_class_members": False})
    sections = [*doc["Parameters"], *doc["Other Parameters"], *doc["Attributes"]]
    return {name.strip() for entry in sections for name in entry.name.split(",")}


@pytest.mark.parametrize("package", [discovery, keras_ndm], ids=lambda package: package.__name__)
def test_every_argument_is_documented(package):
    missing = {}
    for path, thing in public(package):
        names = arguments(thing)
        left = [name for name in names if name not in documented(thing)]
        if len(names) >= LEAST and left:
            missing[path] = left
    assert missing == {}
