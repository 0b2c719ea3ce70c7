"""Rivals of `forecasts.py`, a function each: of a task, it returns what follows starts.

Regression: rates by differences of the smoothed runs; all polynomials of degree 3 of the
coordinates, with sine and cosine for an angle; least squares with terms left out one after another
(Brunton, Proctor and Kutz, PNAS 113, 2016). PySINDy (`pip install pysindy`, left out where it is
not installed): `SmoothedFiniteDifference` and `STLSQ` as they come, polynomials of degree 3, those
of the other columns times sine or cosine for an angle. "refitted": the numbers fitted as those of
the laws' motion are, by multiple shooting, where no more than 60 are left. Networks:
`forecast_networks.py`; the Hamiltonian one only where q' = w and w' = −∂V/∂q, the Lagrangian one
for positions with velocities.
"""

import functools
import importlib.util
import itertools
import warnings
from typing import NamedTuple

import numpy as np
import sympy
from scipy.integrate import solve_ivp

from discovery import Trajectories
from discovery.dynamics.equations import Equations, parameters, real_symbol
from discovery.dynamics.shooting import shoot
from discovery.dynamics.windows import Measured
from discovery.estimation.local_polynomials import smooth
from discovery.estimation.model_rows import rates

FAR = 1e3  # where a motion is given up
THRESHOLD, ROUNDS, DEGREE = 0.02, 10, 3  # of regression
REFITTED = 60  # numbers of regression that are refitted, at most


class Task(NamedTuple):
    """Runs with their noise (d,), seconds of training, and whether a Hamiltonian network fits."""

    runs: Trajectories
    noise: np.ndarray
    seconds: float
    hamiltonian: bool


def followed(rate, starts, times):
    """Return the states (n, k, d) of a motion, nan from where it ends."""
    out = np.full((len(starts), len(times), starts.shape[1]), np.nan)
    for i, start in enumerate(starts):
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            solved = solve_ivp(
                lambda _, s: rate(s), (times[0], times[-1]), start, "LSODA", times,
                rtol=1e-9, atol=1e-11, events=_ended,
            )  # fmt: skip
        found = np.reshape(solved.y, (starts.shape[1], -1))
        out[i, : found.shape[1]] = found.T
    return out


def _ended(_, state):
    """Tell by a change of sign that a motion has run away."""
    return FAR - np.abs(state).max()


_ended.terminal = True


def by_regression(task):
    """Return rates that are sparse sums of plain terms."""
    runs, noise = task.runs, task.noise
    path = smooth(runs.rows, runs.row_times, runs.offsets, noise).states
    symbols = tuple(map(real_symbol, runs.names))
    angles = [i for i, role in enumerate(runs.roles or ()) if role == "angle"]
    plain = [s for i, s in enumerate(symbols) if i not in angles]
    plain += [f(symbols[i]) for i in angles for f in (sympy.sin, sympy.cos)]
    terms = [
        sympy.Mul(*factors)
        for degree in range(DEGREE + 1)
        for factors in itertools.combinations_with_replacement(plain, degree)
    ]
    columns = sympy.lambdify(symbols, terms)(*path.T)
    matrix = np.stack([np.broadcast_to(column, len(path)) for column in columns], axis=1)
    size = np.linalg.norm(matrix, axis=0)
    values, sums = [], []
    for target in rates(runs, path).T:
        kept = np.arange(len(terms))
        for _ in range(ROUNDS):
            found = np.linalg.lstsq(matrix[:, kept] / size[kept], target, rcond=None)[0]
            strong = np.abs(found) > THRESHOLD * np.linalg.norm(target)
            if strong.all() or not strong.any():
                break
            kept = kept[strong]
        values += list(found / size[kept]) if len(found) == len(kept) else []
        sums.append([terms[k] for k in kept])
    return summed(symbols, sums, values)


def by_pysindy(task):
    """Return PySINDy's rates."""
    import pysindy

    runs = task.runs
    angles = [i for i, role in enumerate(runs.roles or ()) if role == "angle"]
    library = pysindy.PolynomialLibrary(DEGREE)
    if angles:
        others = [i for i in range(len(runs.names)) if i not in angles]
        waves = pysindy.FourierLibrary(1)
        library = pysindy.GeneralizedLibrary(
            [library, waves], [[1, 1]], [others, angles], exclude_libraries=[1]
        )
    model = pysindy.SINDy(
        optimizer=pysindy.STLSQ(),
        feature_library=library,
        differentiation_method=pysindy.SmoothedFiniteDifference(),
    )
    model.fit(list(runs.states), t=list(runs.times), feature_names=list(runs.names))
    symbols = tuple(map(real_symbol, runs.names))
    named = {symbol.name: symbol for symbol in symbols}
    terms = [
        sympy.sympify(title.replace(" ", "*").replace("^", "**"), locals=named)
        for title in model.get_feature_names()
    ]
    found = model.coefficients()
    kept = [np.flatnonzero(row) for row in found]
    sums = [[terms[k] for k in own] for own in kept]
    return summed(
        symbols, sums, [row[k] for row, own in zip(found, kept, strict=True) for k in own]
    )


def summed(symbols, sums, values):
    """Return rates that are sums of terms, a list for each symbol, times numbers."""
    titles = tuple(str(term) for own in sums for term in own)
    numbers = iter(free := parameters(len(titles)))
    total = tuple(sympy.Add(*(next(numbers) * term for term in own)) for own in sums)
    return Equations(symbols, total, free, np.array(values), titles)


def as_found(find):
    """Return a rival that follows the rates that are found."""
    return lambda task: following(find(task))


def refitted(find):
    """Return a rival whose numbers come from multiple shooting, as laws' motion has them."""

    def fitted(task):
        equations = find(task)
        if not 0 < len(equations.values) <= REFITTED:
            return None
        windows = Measured.of(task.runs, task.noise, task.runs.rows.std(axis=0)).windows()
        return following(equations.with_values(shoot(equations, windows).values))

    return fitted


def following(equations):
    """Return a function that follows starts."""
    return lambda starts, times: followed(lambda s: equations(s[None])[0], starts, times)


def by_network(hamiltonian):
    """Return a rival that is a network of rates."""

    def fitted(task):
        from forecast_networks import trained

        if hamiltonian and not task.hamiltonian:
            return None
        rate = trained(task.runs, task.noise, task.seconds, hamiltonian)
        return functools.partial(followed, rate)

    return fitted


def by_lagrangian(task):
    """Return what follows by a Lagrangian manifold; None where no velocities are."""
    from forecast_networks import lagrangian

    roles = task.runs.roles or ()
    return lagrangian(task.runs, task.seconds) if "velocity" in " ".join(roles) else None


RIVALS = {
    "regression": as_found(by_regression),
    "regression, refitted": refitted(by_regression),
    "PySINDy": as_found(by_pysindy),
    "PySINDy, refitted": refitted(by_pysindy),
    "neural ODE": by_network(hamiltonian=False),
    "Hamiltonian network": by_network(hamiltonian=True),
    "Lagrangian manifold": by_lagrangian,
}
MISSING = [] if importlib.util.find_spec("pysindy") else [t for t in RIVALS if "PySINDy" in t]
