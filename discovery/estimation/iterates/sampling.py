"""Sampling: how the samples of a run follow each other, told or seen.

flow    along a smooth path
map     as iterates of a map, or so far apart in time that they may as well be
cloud   not at all: they are in no order, and share the constants of their group
"""

from __future__ import annotations

import itertools
from enum import StrEnum

import numpy as np

from discovery.criteria import NOISE
from discovery.data.noise_level import noise_scale
from discovery.data.trajectories import Trajectories
from discovery.estimation.iterates.one_step import one_step
from discovery.estimation.model_rows import continuous_rows
from discovery.estimation.smoothness import have_a_path, roughness


class Sampling(StrEnum):
    """How samples follow each other; ``AUTO`` where the samples are to tell."""

    AUTO = "auto"
    FLOW = "flow"
    MAP = "map"
    CLOUD = "cloud"

    __repr__ = str.__repr__


# What users may pass as ``kind=``.
KINDS = (Sampling.AUTO, Sampling.FLOW, Sampling.MAP)


def told_sampling(kind: str | None, ordered: bool, noise_told: bool) -> Sampling:
    """Return what a user says of the samples.

    Parameters
    ----------
    kind : {"auto", "flow", "map"} or None
    ordered : bool
        Whether the rows of a run are in the order of time.
    noise_told : bool
        Whether ``noise=`` was given.

    Raises
    ------
    ValueError
        For another kind, a kind of rows that are in no order, and for these without their noise.
    """
    if kind is not None and kind not in KINDS:
        raise ValueError(
            f"kind: received {kind!r}; expected one of {', '.join(map(repr, map(str, KINDS)))}."
        )
    if not isinstance(ordered, (bool, np.bool_)):
        raise ValueError(f"ordered: received {ordered!r}; expected True or False.")
    if ordered:
        return Sampling(kind or Sampling.AUTO)
    if kind not in (None, Sampling.AUTO):
        raise ValueError(
            f"kind={str(kind)!r} is about samples in the order of time, and ordered=False says "
            "that there is none. Leave one of them out."
        )
    if not noise_told:
        raise ValueError(
            "noise: unordered samples do not tell their noise. Pass noise= with its standard "
            "deviation, or noise=0 where there is none."
        )
    return Sampling.CLOUD


def seen_sampling(runs: Trajectories) -> Sampling:
    """Tell iterates of a map from samples of a path.

    Where a period has few samples both are possible. Misfit adds to the noise that is read from a
    path, and to that which is read from one step; where a map shows less of it, it is a map.

    Parameters
    ----------
    runs : Trajectories
        Of coordinates, without parameters.
    """
    if not have_a_path(runs):
        return Sampling.MAP
    if roughness(runs) <= NOISE.few_a_period:
        return Sampling.FLOW
    step = one_step(runs)
    if step is None or not step.is_map:
        return Sampling.FLOW
    path = noise_scale(continuous_rows(runs), runs.row_times, runs.offsets)
    return Sampling.MAP if np.prod(step.noise / path) < 1 else Sampling.FLOW


def without_order(runs: Trajectories) -> Trajectories:
    """Return unordered samples in an order that depends on their values alone.

    So whatever is made of them does not depend on the order in which they came. It is an order as
    by chance: in one that follows a coordinate neighbours would be alike.

    Parameters
    ----------
    runs : Trajectories
        Its times are left out.
    """
    by_value = np.lexsort((*runs.rows.T, runs.groups))
    rng = np.random.default_rng(0)
    spans = itertools.pairwise(runs.offsets)
    shuffled = Trajectories(
        states=[runs.rows[rng.permutation(by_value[a:b])] for a, b in spans],
        names=runs.names,
        roles=runs.roles,
        run_ids=runs.run_ids,
    )
    shuffled.name = runs.name
    return shuffled
