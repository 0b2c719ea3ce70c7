"""A scale: numbers to places on a picture, with ticks at round numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_MINUS = str.maketrans("-", "\N{MINUS SIGN}")
# Steps of ticks, of a power of ten.
_STEPS = (1, 2, 5, 10)
# Numbers that are written as they are; others have their power of ten, or a round number that is
# taken off, at the axis.
_PLAIN = (1e-2, 1e4)
_MOST_STEPS = 1e4


@dataclass(frozen=True)
class Scale:
    """A linear map from numbers between `low` and `high` to places from `start` to `end`.

    Attributes
    ----------
    low, high : float
    start, end : float
    most : int
        Ticks at most.
    """

    low: float
    high: float
    start: float
    end: float
    most: int = 7

    @classmethod
    def over(cls, values: np.ndarray, start: float, end: float, most: int = 7) -> Scale:
        """Return a scale that holds all values that are numbers, with some room on both sides.

        Parameters
        ----------
        values : array
        start, end : float
        most : int
            Ticks at most.
        """
        values = np.ravel(values)
        values = values[np.isfinite(values)]
        low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
        # A constant has room for rounding.
        room = 0.05 * (high - low) or 0.5 * max(abs(low), 1.0) * 1e-6
        return cls(low - room, high + room, start, end, most)

    @property
    def per_unit(self) -> float:
        """Places in one unit, without sign."""
        return abs(self.end - self.start) / (self.high - self.low)

    def zoomed(self, per_unit: float) -> Scale:
        """Return the scale about the same middle with so many places in one unit."""
        middle, half = (self.low + self.high) / 2, abs(self.end - self.start) / per_unit / 2
        return Scale(middle - half, middle + half, self.start, self.end, self.most)

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Return the places of values; what lies beyond stands at the ends."""
        share = (np.clip(values, self.low, self.high) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """The place and the text of each tick."""
        offset, power, step = self._units
        digits = max(0, -math.floor(math.log10(step / 10**power) + 1e-9))
        count = range(math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9) + 1)
        texts = [f"{(k * step - offset) / 10**power:.{digits}f}" for k in count]
        zero = f"{0:.{digits}f}"
        texts = [zero if text == f"-{zero}" else text.translate(_MINUS) for text in texts]
        places = [float(self(np.array(k * step))) for k in count]
        return list(zip(places, texts, strict=True))

    @property
    def note(self) -> str:
        """What was taken off the numbers at the ticks, or divided out, as text after a name."""
        offset, power, _ = self._units
        text = f" \N{MINUS SIGN} {offset:.15g}" if offset > 0 else ""
        text += f" + {-offset:.15g}" if offset < 0 else ""
        return text + (f", in 10{str(power).translate(_SUPERSCRIPT)}" if power else "")

    @property
    def _units(self) -> tuple[float, int, float]:
        """The number that is taken off, the power of ten that is divided out, and the step."""
        least = (self.high - self.low) / self.most
        power = math.floor(math.log10(least))
        step = next(s for s in _STEPS if s * 10.0**power >= least * (1 - 1e-9)) * 10.0**power
        offset, largest = 0.0, max(abs(self.low), abs(self.high))
        if largest > _MOST_STEPS * step:
            # As round as the range allows.
            unit = 10.0 ** math.ceil(math.log10(self.high - self.low))
            offset = round((self.low + self.high) / 2 / unit) * unit
            largest = max(abs(self.low - offset), abs(self.high - offset))
        plain = _PLAIN[0] <= largest < _PLAIN[1]
        return offset, 0 if plain else math.floor(math.log10(largest)), step
