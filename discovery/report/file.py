"""A report as a file: JSON that says everything, read without running anything.

`to_document` gives the plain values, `from_document` makes the report's values of them again:
formulas as trees (`discovery.formulas.trees`), terms by what they are made from
(`discovery.report.terms`). Numbers that JSON has not (nan, infinity) are text.
"""

from __future__ import annotations

import json
import math
import os
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np
import sympy

from discovery.formulas.trees import from_tree, to_tree
from discovery.laws.judging.decay import Decay
from discovery.laws.judging.verdict import Check, Verdict
from discovery.report.pictures.sample import Sample
from discovery.report.quantity import Quantity
from discovery.report.summary import Summary
from discovery.report.terms import (
    Plain,
    domain_from_plain,
    domain_to_plain,
    from_plain,
    to_plain,
)

FORMAT = "discovery report"
# Of the file's layout: one more where what was written before cannot be read as it is.
VERSION = 1
# What values that do not fit raise where they are read.
_DAMAGE = (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, RecursionError)
_VERDICTS = ("laws", "none", "undecided")


def write(summary: Summary, path: str | os.PathLike) -> None:
    """Write a report to a file, whole or not at all.

    Parameters
    ----------
    summary : Summary
    path : path to the file
        A file that is there is replaced and keeps its mode; a link stays one.

    Raises
    ------
    ValueError
        For terms that are not stored as data; nothing is written then.
    OSError
        Where the file cannot be written.
    """
    document = to_document(summary)
    text = json.dumps(document, ensure_ascii=False, allow_nan=False)
    if to_document(Summary(**from_document(json.loads(text)))) != document:
        raise ValueError("the report cannot be saved: read back, it would be another one.")
    path = Path(os.path.realpath(path))
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {path.parent}. Make it first.")
    if path.exists() and not path.is_file():
        # A device or a pipe is written to; nothing takes its place.
        path.write_text(text, encoding="utf-8")
        return
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with draft.open("x", encoding="utf-8") as file:
            file.write(text)
        if path.exists():
            shutil.copymode(path, draft)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def read(path: str | os.PathLike) -> dict[str, object]:
    """Return a report's values, by their names, from a file that `write` made.

    Parameters
    ----------
    path : path to the file

    Raises
    ------
    ValueError
        For a file that is no report, a damaged one, or one of a newer version of discovery.
    OSError
        Where there is no such file.
    """
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ValueError(
            f"{path} is no report of discovery. Expected a file that report.save(path) has written."
        )
    version = document.get("version")
    if version != VERSION:
        raise ValueError(
            f"{path} is of version {version!r} of the file format, and this discovery reads "
            f"version {VERSION}. Update discovery, or save the report again."
        )
    try:
        return from_document(document)
    except _DAMAGE as error:
        raise ValueError(f"{path} is a damaged report: {error}") from error


def to_document(summary: Summary) -> dict[str, Plain]:
    """Return a report as plain values for JSON.

    Parameters
    ----------
    summary : Summary

    Raises
    ------
    ValueError
        For formulas and terms that are not stored as data.
    """
    return {
        "format": FORMAT,
        "version": VERSION,
        "title": summary.title,
        "verdict": summary.verdict,
        "reason": summary.reason,
        "confidence": _plain(summary.confidence),
        "quantities": [_of_quantity(q) for q in summary.quantities],
        "identities": [_of_quantity(q) for q in summary.identities],
        "symmetries": list(summary.symmetries),
        "spectrum": {name: _plain(values) for name, values in summary.spectrum.items()},
        "resolution": _plain(summary.resolution),
        "noise": {name: _plain(level) for name, level in summary.noise.items()},
        "names": list(summary.names),
        "searched": list(summary.searched),
        "sample": None if summary.shown is None else summary.shown.to_dict(),
    }


def from_document(document: Mapping[str, Plain]) -> dict[str, object]:
    """Return a report's values, by their names.

    Parameters
    ----------
    document : mapping
        As `to_document` returns it.

    Raises
    ------
    LookupError, TypeError, ValueError
        For anything else.
    """
    verdict, sample = document["verdict"], document["sample"]
    if verdict not in _VERDICTS:
        raise ValueError(f"there is no verdict {verdict!r}.")
    return {
        "title": _text(document["title"]),
        "verdict": verdict,
        "reason": _text(document["reason"]),
        "confidence": float(document["confidence"]),
        "quantities": [_quantity(plain) for plain in document["quantities"]],
        "identities": [_quantity(plain) for plain in document["identities"]],
        "symmetries": [_text(line) for line in document["symmetries"]],
        "spectrum": {name: _array(values) for name, values in document["spectrum"].items()},
        "resolution": float(document["resolution"]),
        "noise": {name: float(level) for name, level in document["noise"].items()},
        "names": tuple(_text(name) for name in document["names"]),
        "searched": [_text(line) for line in document["searched"]],
        "shown": None if sample is None else Sample.from_dict(sample),
    }


# Of a quantity: what is a number or none, and a pair of numbers.
_NUMBERS = ("flatness", "drift", "signal", "spread", "noise")
_OF_DECAY = ("rate", "error", "frequency", "level", "uneven")
_MAYBE = (
    *("approximation_error", "drift_rate", "inside_error", "hidden", "outermost", "variation"),
    "outwards",
)
_PAIRS = ("flatness_interval", "drift_interval")


def _of_quantity(quantity: Quantity) -> dict[str, Plain]:
    decay = quantity.decay
    errors, covariance = np.array(list(quantity.standard_errors.values())), quantity.covariance
    return {
        # For a reader; what is read back is the tree.
        "formula": quantity.formula,
        "expression": to_tree(quantity.expression),
        "alternatives": [to_tree(form) for form in quantity.alternatives],
        "verdict": str(quantity.verdict),
        "clean": quantity.clean,
        "by_run": quantity.by_run,
        "doubtful": quantity.doubtful,
        "symmetry": quantity.symmetry,
        "name": quantity.name,
        "momenta": list(quantity.momenta),
        **{name: _plain(getattr(quantity, name)) for name in (*_NUMBERS, *_MAYBE, *_PAIRS)},
        "decay": None
        if decay is None
        else {
            **{name: _plain(getattr(decay, name)) for name in _OF_DECAY},
            "losses": [to_tree(loss) for loss in decay.losses],
            "factors": _plain(decay.factors),
        },
        "checks": [
            {key: _plain(value) for key, value in asdict(check).items()}
            for check in quantity.checks
        ],
        "coefficients": _plain(list(quantity.coefficients.values())),
        "standard_errors": None if covariance is None else _plain(errors),
        # Its lower half.
        "covariance": None
        if covariance is None
        else _plain(covariance[np.tril_indices(len(covariance))]),
        "terms": to_plain(quantity.library),
        "domain": quantity.domain and domain_to_plain(quantity.domain),
    }


def _quantity(plain: Mapping[str, Plain]) -> Quantity:
    library, coefficients = from_plain(plain["terms"]), _array(plain["coefficients"])
    covariance, decay = _covariance(plain, len(library)), plain["decay"]
    if coefficients.shape != (len(library),):
        raise ValueError("terms and coefficients differ in number.")
    # Parts that do not fit show when they are used.
    library.values(np.full((1, len(library.symbols)), 0.5))
    # Files of before have no errors of numbers inside terms.
    maybe = {name: plain.get(name) for name in _MAYBE}
    known = {symbol.name for symbol in library.symbols}
    return Quantity(
        expression=_formula(plain["expression"], known),
        verdict=Verdict(plain["verdict"]),
        clean=bool(plain.get("clean", False)),
        by_run=bool(plain.get("by_run", True)),
        doubtful=bool(plain.get("doubtful", False)),
        symmetry=None if plain["symmetry"] is None else _text(plain["symmetry"]),
        name=None if plain["name"] is None else _text(plain["name"]),
        momenta=tuple(map(_text, plain["momenta"])),
        alternatives=tuple(_formula(tree, known) for tree in plain["alternatives"]),
        decay=None if decay is None else _decay(decay, known),
        checks=tuple(_check(check) for check in plain["checks"]),
        **{name: float(plain[name]) for name in _NUMBERS},
        **{name: None if value is None else float(value) for name, value in maybe.items()},
        **{name: (float(low), float(high)) for name in _PAIRS for low, high in [plain[name]]},
        _covariance=covariance,
        _library=library,
        _coefficients=coefficients,
        # Older files hold no domain.
        _domain=domain_from_plain(plain["domain"], library) if plain.get("domain") else None,
    )


def _covariance(plain: Mapping[str, Plain], s: int) -> np.ndarray | None:
    """Return the covariance of the errors of s coefficients; older files hold its diagonal."""
    if plain["standard_errors"] is None:
        return None
    errors, half = _array(plain["standard_errors"]), np.tril_indices(s)
    if errors.shape != (s,):
        raise ValueError("terms and errors differ in number.")
    if plain.get("covariance") is None:
        return np.diag(errors**2)
    values, whole = _array(plain["covariance"]), np.zeros((s, s))
    if values.shape != half[0].shape:
        raise ValueError("coefficients and the covariance of their errors differ in number.")
    whole[half] = values
    return whole + np.tril(whole, -1).T


def _decay(plain: Mapping[str, Plain], known: set[str]) -> Decay:
    return Decay(
        float(plain["rate"]),
        float(plain["error"]),
        float(plain["frequency"]),
        tuple(_formula(loss, known) for loss in plain["losses"]),
        tuple(float(factor) for factor in plain["factors"]),
        # Written since 0.2.
        float(plain.get("level", 0.0)),
        float(plain.get("uneven", 0.0)),
    )


def _check(plain: Mapping[str, Plain]) -> Check:
    values = {f.name: plain[f.name] for f in fields(Check)}
    for name in ("statistic", "limit"):
        values[name] = float(values[name])
    if not isinstance(values["passed"], bool):
        raise ValueError("a check is neither passed nor not.")
    return Check(**values | {name: _text(values[name]) for name in ("name", "unit", "bound")})


def _formula(tree: Plain, known: set[str]) -> sympy.Expr:
    """Return a formula; what is no coordinate in it is a constant or a field, and called a word."""
    formula = from_tree(tree, fields=True)
    odd = [s.name for s in formula.free_symbols if s.name not in known]
    if odd := [name for name in odd if not name.isidentifier()]:
        raise ValueError(f"{odd[0]!r} is no coordinate.")
    return formula


def _text(value: Plain) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected text, received {value!r}")
    return value


def _array(values: Plain) -> np.ndarray:
    return np.array([float(value) for value in values])


def _plain(value: Plain | np.ndarray | np.generic | Sequence[Plain]) -> Plain:
    """Return numbers of any kind as JSON has them; those that it has not as text."""
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_plain(part) for part in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
