"""Simulation: runs of a known system, with noise and flaws."""

from __future__ import annotations

import math

import numpy as np

from discovery.data.trajectories import Trajectories
from discovery.datasets.catalogue import info
from discovery.datasets.flaws import Flaws, uneven, with_gaps, with_outliers
from discovery.datasets.integrate import integrate, iterate
from discovery.datasets.observed import Measured
from discovery.datasets.system import KINDS, System

# Standard deviation of an angle that is spread evenly over the circle.
_CIRCLE_STD = math.pi / math.sqrt(3)
_MAX_DRAWS = 100
# Of a data set, where the user does not say.
_RUNS, _STEPS = 100, 200


def load(
    name: str,
    n_trajectories: int | None = None,
    n_steps: int | None = None,
    noise: float = 0.0,
    seed: int = 0,
    *,
    noise_absolute: float | np.ndarray | None = None,
    dt: float | None = None,
    **flaws: float,
) -> Trajectories:
    """Simulate runs of a known system and add measurement noise; or read a measured data set.

    Parameters
    ----------
    name : str
        One of ``names()``, a random system ``"kind/seed"``, or one of ``measured()``: these are
        read as they are.
    n_trajectories, n_steps : int, optional
        Number of runs, samples in each. Default: 100 and 200.
    noise : float
        Standard deviation of the Gaussian noise, as a fraction of each coordinate's standard
        deviation over the whole clean set. For an angle, which may wind up without end, that
        deviation counts as at most π/√3, the spread of a full circle.
    seed : int
        Orbits and noise come from separate streams: one seed gives the same clean orbits at every
        noise level, so ``load(..., noise=0, seed=seed)`` is the clean twin of a noisy set.
    noise_absolute : float or (d,) array, optional
        Standard deviation of the noise in the coordinates' own units, in place of ``noise``.
    dt : float, optional
        Time between samples. Default: the system's own.
    **flaws : float
        What is wrong with the measurement beside noise: ``irregular``, the share of a step over
        which each time is spread, the same times in all runs; ``missing``, the share of the
        samples that are left out, at random in each run but for its ends; ``outliers``, the share
        of the values with a gross error, 5 to 10 standard deviations of their coordinate.

    Returns
    -------
    Trajectories
        With ``truth``, ``name`` and ``equations`` filled in. ``info(name).count`` is the number of
        independent laws. Measured data have a name alone; ``info(name)`` tells their source.

    Raises
    ------
    ValueError
        For an unknown name, anything chosen of measured data, sizes below one run of two samples,
        negative noise, both kinds of noise at once, or shares outside 0 to 1.
    """
    system = info(name)
    if isinstance(system, Measured):
        chosen = {"noise": noise, "noise_absolute": noise_absolute, "dt": dt} | flaws
        return _as_it_is(system, n_trajectories, n_steps, chosen)
    n_trajectories = _RUNS if n_trajectories is None else n_trajectories
    n_steps = _STEPS if n_steps is None else n_steps
    if n_trajectories < 1 or n_steps < 2:
        raise ValueError(
            f"n_trajectories is {n_trajectories}, n_steps {n_steps}. Expected at least 1 and 2."
        )
    if dt is not None and not dt > 0:
        raise ValueError(f"dt is {dt}. Expected a positive time.")
    if system.is_map and (dt is not None or flaws.get("irregular")):
        raise ValueError(
            f"{system.name!r} is a map: a step is an iterate. dt and irregular cannot be chosen "
            "for it; leave them out."
        )
    absolute = _check_noise(system, noise, noise_absolute)
    wrong = Flaws(**flaws)
    streams = np.random.SeedSequence(seed).spawn(3)
    for_orbits, for_noise, for_flaws = map(np.random.default_rng, streams)
    times = (system.dt if dt is None else dt) * np.arange(n_steps)
    if wrong.irregular:
        times = uneven(times, wrong.irregular, for_flaws)
    clean = _orbits(system, for_orbits, n_trajectories, times)
    scale = noise * _spread(system, clean) if absolute is None else absolute
    states = clean + scale * for_noise.standard_normal(clean.shape)
    if wrong.outliers:
        states = with_outliers(states, wrong.outliers, for_flaws)
    if wrong.missing:
        states, times = with_gaps(states, times, wrong.missing, for_flaws)
    runs = Trajectories(
        states=states,
        times=times,
        names=system.names,
        roles=system.roles,
        grid_spacing=system.grid_spacing,
    )
    runs.truth, runs.name, runs.equations = system.truth, system.name, system.equations
    return runs


def _as_it_is(
    record: Measured, n_trajectories: int | None, n_steps: int | None, chosen: dict[str, object]
) -> Trajectories:
    """Return measured runs; nothing of them can be chosen, but what there is may be named.

    Raises
    ------
    ValueError
    """
    runs = record.load()
    sizes = {"n_trajectories": (n_trajectories, runs.n_runs)}
    sizes["n_steps"] = (n_steps, int(runs.lengths[0]))
    others = [key for key, (given, there) in sizes.items() if given not in (None, there)]
    others += [key for key, value in chosen.items() if value]
    if others:
        raise ValueError(
            f"{record.name!r} is measured: {runs.n_runs} runs of {runs.lengths[0]} samples. "
            f"{', '.join(others)} cannot be chosen for it; leave out what is no choice."
        )
    return runs


def random(
    kind: str,
    seed: int = 0,
    n_trajectories: int = 100,
    n_steps: int = 200,
    noise: float = 0.0,
    **options: float,
) -> Trajectories:
    """Simulate runs of a system that is drawn at random, with a known number of laws.

    Coefficients are decimal numbers of three digits and no simple fractions. The system bears the
    name ``"kind/seed"``, which ``info`` and ``load`` know: ``info(runs.name)`` is its record, and
    ``load(runs.name, seed=other)`` makes other runs of the same system.

    Parameters
    ----------
    kind : str
        One of ``random_kinds()``.
    seed : int, at least 0
        Decides the system, the orbits and the noise.
    n_trajectories, n_steps, noise
        As for ``load``.
    **options : float
        Others of ``load``: ``noise_absolute``, ``dt``, flaws.

    Returns
    -------
    Trajectories
        With ``truth``, ``name`` and ``equations`` filled in. ``info(runs.name).count`` is the
        number of independent laws.

    Raises
    ------
    ValueError
        For an unknown kind, a negative seed, and as ``load`` does.
    """
    if kind not in KINDS:
        raise ValueError(f"unknown kind {kind!r}. Known: {', '.join(KINDS)}.")
    if seed < 0:
        raise ValueError(f"seed is {seed}. Expected a whole number, at least 0.")
    return load(f"{kind}/{seed:d}", n_trajectories, n_steps, noise, seed, **options)


def _orbits(system: System, rng: np.random.Generator, n: int, times: np.ndarray) -> np.ndarray:
    follow = iterate if system.is_map else integrate
    if system.accept is None:
        return follow(system.rhs, system.sample(rng, n), times)
    kept: list[np.ndarray] = []
    missing = n
    for _ in range(_MAX_DRAWS):
        drawn = follow(system.rhs, system.sample(rng, missing), times)
        kept.append(drawn[system.accept(drawn)])
        missing = n - sum(map(len, kept))
        if missing == 0:
            return np.concatenate(kept)
    raise RuntimeError(
        f"{system.name}: {missing} of {n} runs were refused {_MAX_DRAWS} times. Ask for a shorter "
        "time: fewer steps, or a smaller dt."
    )


def _check_noise(
    system: System, noise: float, noise_absolute: float | np.ndarray | None
) -> np.ndarray | None:
    if noise_absolute is not None and noise:
        raise ValueError(
            f"noise={noise} and noise_absolute={noise_absolute} are both given. Expected one of "
            "them."
        )
    values = np.asarray(noise if noise_absolute is None else noise_absolute, dtype=np.float64)
    if values.shape != () and (noise_absolute is None or values.shape != (system.dim,)):
        raise ValueError(
            f"the noise has shape {values.shape}. Expected a number, or for noise_absolute "
            f"({system.dim},)."
        )
    if not (np.isfinite(values).all() and (values >= 0).all()):
        raise ValueError(f"noise is {noise}, noise_absolute {noise_absolute}. Expected values ≥ 0.")
    return None if noise_absolute is None else values


def _spread(system: System, clean: np.ndarray) -> np.ndarray:
    """Return the standard deviations (d,); an angle's counts as at most the full circle's.

    Parameters are set, not measured: theirs is 0.
    """
    spread = clean.std(axis=(0, 1))
    angles, parameters = (
        np.array([role == kind for role in system.roles]) for kind in ("angle", "parameter")
    )
    return np.where(parameters, 0.0, np.where(angles, np.minimum(spread, _CIRCLE_STD), spread))
