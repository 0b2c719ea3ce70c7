"""Sums over bodies, pairs and bonds as plain data: kernels as trees, forms as columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import sympy

from discovery.formulas.trees import Tree, from_tree, to_tree
from discovery.libraries.many_bodies.radial import Radial
from discovery.libraries.many_bodies.sums import Forms, Sum, Sums
from discovery.libraries.monomials import symbols_of

# What plain data of sums hold.
Plain = Mapping[str, "str | float | bool | Tree | list | dict | None"]


def sums_to_plain(library: Sums) -> Plain:
    """Return sums as plain values; forms that several sums share are there once.

    Parameters
    ----------
    library : Sums
    """
    forms = {id(form): form for term in library.sums for form in term.forms}
    place = {key: k for k, key in enumerate(forms)}
    return {
        "name": library.name,
        "symbols": [symbol.name for symbol in library.symbols],
        "forms": [
            {"index": f.index.tolist(), "factor": f.factor.tolist(), "period": f.period}
            for f in forms.values()
        ],
        "sums": [
            {
                "kernel": to_tree(term.kernel),
                "arguments": [to_tree(symbol) for symbol in term.arguments],
                "forms": [place[id(form)] for form in term.forms],
                "weights": term.weights.tolist(),
                "term": term.kind,
                "cost": term.cost,
                "radial": isinstance(term, Radial),
            }
            for term in library.sums
        ],
    }


def sums_from_plain(plain: Plain) -> Sums:
    """Return the sums that `sums_to_plain` gave.

    Parameters
    ----------
    plain : mapping

    Raises
    ------
    ValueError, LookupError, TypeError
        For anything else.
    """
    symbols = symbols_of(plain["symbols"])
    forms = [_form(form, len(symbols)) for form in plain["forms"]]
    return Sums(symbols, [_sum(term, forms) for term in plain["sums"]], str(plain["name"]))


def _form(plain: Plain, dim: int) -> Forms:
    index, factor = np.array(plain["index"], dtype=int), np.array(plain["factor"], dtype=float)
    if index.ndim != 2 or factor.shape != index.shape:
        raise ValueError("columns of a linear form and their factors differ in number.")
    if index.size and not 0 <= index.min() <= index.max() < dim:
        raise ValueError("a linear form is of a column that is not there.")
    return Forms(index, factor, None if plain["period"] is None else float(plain["period"]))


def _sum(plain: Plain, forms: Sequence[Forms]) -> Sum:
    own = tuple(forms[int(k)] for k in plain["forms"])
    kernel, arguments = from_tree(plain["kernel"]), tuple(map(from_tree, plain["arguments"]))
    weights = np.array(plain["weights"], dtype=float)
    told = all(isinstance(argument, sympy.Symbol) for argument in arguments)
    if not told or not kernel.free_symbols <= set(arguments):
        raise ValueError("a sum's function is of what is not told.")
    radial = bool(plain["radial"])
    if len(arguments) != (1 if radial else len(own)) or any(
        len(f.index) != len(weights) for f in own
    ):
        raise ValueError("a sum's parts differ in number.")
    made = Radial if radial else Sum
    return made(kernel, arguments, own, weights, str(plain["term"]), float(plain["cost"]))
