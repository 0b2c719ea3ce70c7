"""Pictures, under the name that users import."""

from discovery.report.pictures.laws import InvariantDisplay, LawsDisplay
from discovery.report.pictures.portrait import PortraitDisplay, ProfilesDisplay
from discovery.report.pictures.spectrum import SpectrumDisplay

__all__ = [
    "InvariantDisplay",
    "LawsDisplay",
    "PortraitDisplay",
    "ProfilesDisplay",
    "SpectrumDisplay",
]
