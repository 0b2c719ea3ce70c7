"""Errors in the words of the command line: options in place of Python's arguments."""

from __future__ import annotations

import re

_FLAGS = {
    r"missing=[\'\"]drop[\'\"]": "--drop-missing",
    r"ordered=False": "--unordered",
    r"^in_radians: ": "--degrees: ",
    r"no information: leave it out": "no information: leave it out (--columns names the others)",
}
_OPTIONS = {
    "run": "--run",
    "time": "--time",
    "names": "--columns",
    "roles": "--roles",
    "grid_spacing": "--grid-spacing",
    "sep": "--sep",
    "decimal": "--decimal",
    "encoding": "--encoding",
    "degrees": "--degrees",
    "library": "--library",
    "noise": "--noise-level",
    "constants": "--constants",
    "kind": "--kind",
    "max_drift": "--max-drift",
    "bodies": "--bodies",
    "box": "--box",
    "client": "--client",
    "max_rows": "--max-rows",
    "n_trajectories": "--runs",
    "n_steps": "--steps",
}
# name='value', name=[...], name= at the end of a thought.
_ARGUMENT = re.compile(
    rf"\b({'|'.join(_OPTIONS)})=(?:'([^']*)'|\"([^\"]*)\"|\[\.\.\.\]|([\w.]+(?<!\.)))?"
)
# Arguments that begin a message, as its subject.
_SUBJECT = re.compile(r"\b(n_trajectories|n_steps|grid_spacing|max_rows)\b")
_NOISE = re.compile(r"^noise: ")
# A hint in Python stands in parentheses.
_CODE = re.compile(r" \((?:frame|runs|states)[.\[][^()]*(?:\([^()]*\))?[^()]*\)")


def in_options(message: str) -> str:
    """Return a message of the package in one line, with the options that its arguments are.

    Parameters
    ----------
    message : str

    Examples
    --------
    >>> in_options("no time column. Pass time='...' with its name.")
    "no time column. Pass --time COLUMN with its name."
    """
    line = " ".join(message.split())
    for argument, option in _FLAGS.items():
        line = re.sub(argument, option, line)
    line = _ARGUMENT.sub(_option, _CODE.sub("", line))
    line = _NOISE.sub("--noise-level: ", line)
    return _SUBJECT.sub(lambda found: _OPTIONS[found[1]], line)


def _option(found: re.Match) -> str:
    value = next((value for value in found.groups()[1:] if value), "")
    value = "COLUMN" if value == "..." else value
    quoted = f'"{value}"' if " " in value else value
    return f"{_OPTIONS[found[1]]} {quoted}".rstrip()
