"""Pictures, under the name that users import."""

from discovery.report.displays import InvariantDisplay, SpectrumDisplay

__all__ = ["InvariantDisplay", "SpectrumDisplay"]
