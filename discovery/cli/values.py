"""Values of options that are more than a word or a number."""

from __future__ import annotations

from collections.abc import Sequence


def names_in(option: str, text: str) -> list[str]:
    """Return names with commas between.

    Raises
    ------
    ValueError
        For none.
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise ValueError(f"{option}: received {text!r}. Expected names with commas between: x,v.")
    return names


def pairs_in(option: str, text: str, example: str) -> dict[str, str]:
    """Return the values of name=value pairs with commas between.

    Parameters
    ----------
    option : str
        As messages call it: ``"--roles"``.
    text : str
    example : str
        For messages.

    Raises
    ------
    ValueError
        For anything else.
    """
    pairs = [[side.strip() for side in part.split("=")] for part in text.split(",")]
    if any(len(pair) != 2 or not all(pair) for pair in pairs):
        raise ValueError(
            f"{option}: received {text!r}. Expected name=value pairs with commas between, for "
            f"example {example}."
        )
    twice = [name for name, _ in pairs if [other for other, _ in pairs].count(name) > 1]
    if twice:
        raise ValueError(f"{option}: received {twice[0]} twice. Expected each name once.")
    return dict(pairs)


def numbers_in(option: str, text: str, example: str) -> dict[str, float]:
    """Return the numbers of name=number pairs with commas between.

    Parameters
    ----------
    option : str
    text : str
    example : str

    Raises
    ------
    ValueError
        As `pairs_in`, and for what is no number.
    """
    return {n: _number(option, v, example) for n, v in pairs_in(option, text, example).items()}


def lengths_in(option: str, text: str) -> float | list[float]:
    """Return a length, or several with commas between.

    Parameters
    ----------
    option : str
    text : str
        ``"12"``, or ``"12,12,8"``.

    Raises
    ------
    ValueError
        For what is no number.
    """
    lengths = [_number(option, part, "12,12,8") for part in text.split(",")]
    return lengths if len(lengths) > 1 else lengths[0]


def noise_in(option: str, text: str, names: Sequence[str]) -> float | list[float]:
    """Return a noise level, or one for each coordinate.

    Parameters
    ----------
    option : str
    text : str
        ``"0.01"``, or ``"x=0.01,v=0.2"``.
    names : sequence of str
        The coordinates.

    Raises
    ------
    ValueError
        For what is no number, and where a coordinate has no level or a stranger has one.
    """
    if "=" not in text:
        return _number(option, text, "0.01")
    levels = numbers_in(option, text, "x=0.01,v=0.2")
    if set(levels) != set(names):
        raise ValueError(
            f"{option}: received levels for {', '.join(levels)}. Expected one for each of the "
            f"coordinates {', '.join(names)}."
        )
    return [levels[name] for name in names]


def _number(option: str, text: str, example: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(
            f"{option}: {text!r} is no number. Expected for example {example}."
        ) from None
