"""Physical laws read off trajectories: how many, which, and how sure.

Nothing heavy is imported until a name is used, so ``import discovery`` is quick and never loads a
backend.
"""

from importlib import import_module

# Public name -> the module that defines it. A module must not share its name with a function
# listed here: importing it would bind the module over the function.
_EXPORTS = {
    "ConservedQuantityFinder": "finder",
    "DiscoveryReport": "report.report",
    "KillingTensorFinder": "symmetries.tensor_finder",
    "Motion": "dynamics.motion",
    "SymmetryFinder": "symmetries.finder",
    "Trajectories": "data.trajectories",
    "discover": "pipeline",
}
_SUBMODULES = ("algebra", "conditions", "datasets", "displays", "libraries", "noether")

__all__ = [*_EXPORTS, *_SUBMODULES]


def __getattr__(name: str) -> object:
    if name in _EXPORTS:
        value = getattr(import_module(f"{__name__}.{_EXPORTS[name]}"), name)
    elif name in _SUBMODULES:
        value = import_module(f"{__name__}.{name}")
    elif name == "__version__":
        value = import_module("importlib.metadata").version("keras-ndm")
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
