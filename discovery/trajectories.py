"""`Trajectories`, under the name that users import."""

from discovery.data.coordinates import ROLES
from discovery.data.trajectories import Trajectories

__all__ = ["ROLES", "Trajectories"]
