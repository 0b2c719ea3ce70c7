"""Chemical elements: how many atoms of each the species have that columns are named after."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

_ELEMENT = re.compile(
    "H|He|Li|Be|B|C|N|O|F|Ne|Na|Mg|Al|Si|P|S|Cl|Ar|K|Ca|Sc|Ti|V|Cr|Mn|Fe|Co|Ni|"
    "Cu|Zn|Ga|Ge|As|Se|Br|Kr|Rb|Sr|Y|Zr|Nb|Mo|Tc|Ru|Rh|Pd|Ag|Cd|In|Sn|Sb|Te|I|Xe|Cs|Ba|"
    "La|Ce|Pr|Nd|Pm|Sm|Eu|Gd|Tb|Dy|Ho|Er|Tm|Yb|Lu|Hf|Ta|W|Re|Os|Ir|Pt|Au|Hg|Tl|Pb|Bi|Po|"
    "At|Rn|Fr|Ra|Ac|Th|Pa|U|Np|Pu|Am|Cm"
)
_ATOMS = re.compile(r"([A-Z][a-z]?)(\d*)")


def atoms_in(names: Sequence[str]) -> dict[str, np.ndarray]:
    """Return the atoms of each element in species named by their formulas, H2O or NO2.

    Parameters
    ----------
    names : sequence of n str

    Returns
    -------
    dict from str to (n,) array of int
        By element; empty where a name is no formula, or none is of a compound.
    """
    parts = [_ATOMS.findall(name) for name in names]
    whole = all(
        found and "".join(e + k for e, k in found) == name
        for found, name in zip(parts, names, strict=True)
    )
    elements = sorted({element for found in parts for element, _ in found})
    compound = any(len(found) > 1 or found[0][1] for found in parts if found)
    if not whole or not compound or not all(map(_ELEMENT.fullmatch, elements)):
        return {}
    return {
        element: np.array([sum(int(k or 1) for e, k in found if e == element) for found in parts])
        for element in elements
    }
