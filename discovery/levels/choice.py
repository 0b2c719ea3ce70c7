"""Which laws a user means: by name, by formula or by number."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from discovery.formulas.compiling import compile_formulas
from discovery.formulas.parsing import parse_formula
from discovery.formulas.plain import plain
from discovery.levels.conserved import Conserved

# Values of two formulas that are one differ by rounding, of the largest value.
_SAME = 1e-9


def exact_laws(quantities: Sequence[Conserved]) -> list[Conserved]:
    """Return the exact laws.

    Raises
    ------
    ValueError
        Where there is none.
    """
    exact = [q for q in quantities if q.verdict == "exact"]
    if not exact:
        raise ValueError(
            "the report has no exact law, and so no level sets. Expected one with n_conserved of "
            "at least 1: report.reason says what is missing."
        )
    return exact


def chosen(quantities: Sequence[Conserved], key: Hashable, states: np.ndarray) -> Conserved:
    """Return the quantity that a key stands for.

    Parameters
    ----------
    quantities : sequence of Conserved
    key : int or str
        A position in `quantities`; or a name (``"energy"``), or a formula of one of them.
    states : (n, d) array
        At which formulas are compared.

    Raises
    ------
    ValueError
        For what is none of them, and for a name that several have.
    """
    if isinstance(key, (int, np.integer)) and not isinstance(key, bool):
        if not 0 <= key < len(quantities):
            raise ValueError(f"there is no law {key}. Expected {known(quantities)}.")
        return quantities[key]
    if not isinstance(key, str):
        raise ValueError(f"{key!r} is no name of a law. Expected {known(quantities)}.")
    named = [q for q in quantities if key in (q.name, q.formula, str(q.expression))]
    named = named or _with_formula(quantities, key, states)
    if len(named) == 1:
        return named[0]
    if named:
        raise ValueError(
            f"{key!r} is the name of {len(named)} laws. Expected one's number, of "
            f"{known(quantities)}."
        )
    raise ValueError(f"there is no law {key!r}. Expected {known(quantities)}.")


def known(quantities: Sequence[Conserved]) -> str:
    """Return the laws in words, with their numbers."""
    if not quantities:
        return "a report with laws: this one has none"
    words = (
        f"{i} ({q.name + ': ' if q.name else ''}{q.formula})" for i, q in enumerate(quantities)
    )
    return "one of " + ", ".join(words)


def _with_formula(
    quantities: Sequence[Conserved], text: str, states: np.ndarray
) -> list[Conserved]:
    """Return the quantities that have the values of a formula, however it is written."""
    if not quantities:
        return []
    symbols = [plain(symbol) for symbol in quantities[0].library.symbols]
    try:
        formula = parse_formula(text, symbols)
    except ValueError:
        return []
    with np.errstate(all="ignore"):
        values = np.broadcast_to(compile_formulas(symbols, [formula])(*states.T)[0], len(states))
        others = [q(states) for q in quantities]
    return [
        q
        for q, own in zip(quantities, others, strict=True)
        if np.allclose(own, values, rtol=0, atol=_SAME * np.abs(own).max(), equal_nan=True)
    ]
