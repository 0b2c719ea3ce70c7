"""Bounds of forecasts: how well the runs of `forecasts.py` can tell the numbers of a motion.

The true equations with unknown numbers, one start a run, and the noise that was added: the inverse
of Fisher's information is the least covariance of the numbers that any method without a bias has
(Cramér and Rao). Followed from fresh starts, known exactly, it is the least error after one
horizon, as a share of the coordinates' spread; printed is the median over the starts, as of
`forecasts.py`.

With --efficiency, what `motion.refit` reaches from numbers that are off by 3 %: the errors of its
numbers over the least standard errors. 1 in the root mean square is efficient, 0 in the mean is
without bias; over all numbers and draws.

    python benchmarks/forecast_bounds.py --noise 0.01 --seeds 3
    python benchmarks/forecast_bounds.py --noise 0.05 --seeds 6 --efficiency
"""

import argparse
import itertools

import numpy as np
import sympy
from forecasts import MASSES, STARTS, SYSTEMS, drawn

from discovery.dynamics.equations import Equations, parameters, real_symbol
from discovery.dynamics.flow import Steps, varied
from discovery.dynamics.shooting import lengthened, shoot
from discovery.dynamics.windows import Measured

FINE = Steps(8, 2)
POINTS = 200  # of a horizon
OFF = 0.03  # of the numbers where a fit begins


def pulls():
    """Return the rates of three bodies in a plane that attract each other."""
    places = [f"{w}{i}" for i in "123" for w in "uv"]
    for i, q in itertools.product(range(3), "xy"):
        terms = [
            f"a{j}*({q}{j + 1} - {q}{i + 1})"
            f"/((x{j + 1} - x{i + 1})**2 + (y{j + 1} - y{i + 1})**2)**(3/2)"
            for j in range(3)
            if j != i
        ]
        places.append(" + ".join(terms))
    return places


# The rates with numbers a0, a1, …, and their true values.
FORMS = {
    "pendulum": (["u", "-a0*sin(a)"], [1.3713]),
    "rigid body": (["-a0*y*z", "a1*x*z", "-a2*x*y"], [1.2137, 1.1171, 0.2413]),
    "Lotka–Volterra": (["a0*x - a1*x*y", "-a2*y + a3*x*y"], [1.1372, 0.8713, 0.7131, 0.5877]),
    "Hénon–Heiles": (
        ["u", "v", "-a0*x - 2*a1*x*y", "-a2*y - a1*x**2 + a3*y**2"],
        [1.1372, 0.9431, 0.8713, 0.8631],
    ),
    "Kepler": (
        ["u", "v", "-a0*x/(x**2 + y**2)**(3/2)", "-a0*y/(x**2 + y**2)**(3/2)"],
        [1.1372],
    ),
    "central force": (
        [
            "u",
            "v",
            "-a0*x/(x**2 + y**2)**(3/2) - a1*x",
            "-a0*y/(x**2 + y**2)**(3/2) - a1*y",
        ],
        [1.1372, 0.3426],
    ),
    "three bodies": (pulls(), list(MASSES)),
}


def equations_of(name):
    """Return the true equations, their numbers unknown."""
    rates, values = FORMS[name]
    symbols = tuple(map(real_symbol, SYSTEMS[name][3]))
    numbers = parameters(len(values))
    named = {s.name: s for s in symbols} | {f"a{k}": a for k, a in enumerate(numbers)}
    rates = tuple(sympy.sympify(rate, locals=named) for rate in rates)
    return Equations(symbols, rates, numbers, np.array(values), tuple(map(str, numbers)))


def bound(name, noise, seed):
    """Return the least standard errors of the numbers, and the least error after a horizon."""
    equations = equations_of(name)
    runs, level, starts, _, _, spread = drawn(name, noise, seed)
    whole = Measured.of(runs, level, spread).windows(runs.lengths.max())
    fit = shoot(equations, Measured.of(runs, level, spread).windows())
    fit = shoot(equations.with_values(fit.values), whole)
    times = np.tile(np.linspace(0, SYSTEMS[name][2], POINTS), (STARTS, 1))
    moved = varied(equations, starts, times, FINE).by_parameter[:, -1]
    covariance = moved @ fit.covariance @ moved.transpose(0, 2, 1) / spread / spread[:, None]
    errors = np.sqrt(np.trace(covariance, axis1=1, axis2=2) / len(spread))
    return np.sqrt(np.diag(fit.covariance)), float(np.median(errors))


def reached(name, noise, seed):
    """Return the errors of fitted numbers over the least standard errors."""
    equations = equations_of(name)
    runs, level, _, _, _, spread = drawn(name, noise, seed)
    off = 1 + OFF * np.random.default_rng(seed).choice([-1, 1], len(equations.values))
    begun = equations.with_values(equations.values * off)
    fit = lengthened(begun, Measured.of(runs, level, spread).windows()).fit
    return (fit.values - equations.values) / bound(name, noise, seed)[0]


def efficiency(options):
    """Print the table of what is reached."""
    print("| system | noise | rms error over the bound | mean |\n|---|---|---|---|")
    for noise, name in itertools.product(options.noise, options.systems):
        z = np.concatenate([reached(name, noise, seed) for seed in range(options.seeds)])
        print(f"| {name} | {noise:g} | {np.sqrt(np.mean(z**2)):.2f} | {z.mean():.2f} |", flush=True)


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--noise", type=float, nargs="*", default=[0.01])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--systems", nargs="*", default=list(FORMS), choices=list(FORMS))
    parser.add_argument("--efficiency", action="store_true", help="what a refit reaches")
    options = parser.parse_args()
    if options.efficiency:
        efficiency(options)
        return
    print("| system | noise | seed | standard errors | error after a horizon |")
    print("|---|---|---|---|---|")
    for seed, noise, name in itertools.product(
        range(options.seeds), options.noise, options.systems
    ):
        errors, ahead = bound(name, noise, seed)
        said = ", ".join(f"{error:.1e}" for error in errors)
        print(f"| {name} | {noise:g} | {seed} | {said} | {ahead:.1e} |", flush=True)


if __name__ == "__main__":
    main()
