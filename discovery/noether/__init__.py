"""Laws and symmetries, paired."""

from discovery.noether.pairing import Pairing, momentum, pair

__all__ = ["Pairing", "momentum", "pair"]
