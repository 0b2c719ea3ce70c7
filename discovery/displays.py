"""Pictures, under the name that users import."""

from discovery.dynamics.picture import ForecastDisplay
from discovery.report.pictures.laws import InvariantDisplay, LawsDisplay
from discovery.report.pictures.portrait import PortraitDisplay, ProfilesDisplay
from discovery.report.pictures.spectrum import SpectrumDisplay

__all__ = [
    "ForecastDisplay",
    "InvariantDisplay",
    "LawsDisplay",
    "PortraitDisplay",
    "ProfilesDisplay",
    "SpectrumDisplay",
]
