# ruff: noqa: D103
"""Optimizers at equal wall time on the same model and data: test loss against time.

    python benchmarks/natural_gradient.py --seconds 60               # everything, float64
    python benchmarks/natural_gradient.py --problems regression_2d --dtype float32
    python benchmarks/natural_gradient.py --out benchmarks/results   # also JSON and a picture
    python benchmarks/natural_gradient.py --step                     # a step against a gradient

Compilation (the first step) and the evaluations of the test loss do not count. Learning rates that
decay follow the clock, so that every schedule ends with the time. One process, one method after the
other: what else runs on the machine disturbs all of them.
"""

import argparse
import json
import math
import resource
import time
from pathlib import Path

import keras
import numpy as np
import scipy.optimize
from keras import ops
from natural_gradient_problems import PROBLEMS, mlp

import keras_ndm
from keras_ndm import backend
from keras_ndm.optimizers.natural_gradient.objective import Objective


def natural(solver):
    def method(problem, seconds):
        return by_steps(
            problem,
            seconds,
            keras_ndm.NaturalGradient(solver=solver),
            problem.exact_batch if solver == "exact" else problem.batch,
            # Gauss-Newton needs no smaller steps at the end, unless the data are noisy.
            decay=problem.decay,
        )

    return method


def by_gradients(make, rate):
    def method(problem, seconds):
        return by_steps(problem, seconds, make(rate), problem.batch, decay=True)

    return method


def adamw(rate):
    return keras.optimizers.AdamW(rate, weight_decay=1e-4)


class Clock:
    """Training time without evaluations, and the curve of the test loss."""

    def __init__(self, problem, model, seconds):
        self.problem, self.model, self.seconds = problem, model, seconds
        self.curve, self.used, self.due = [], 0.0, seconds / 20
        self.last = time.perf_counter()

    def tick(self):
        """Whether time is left."""
        self.used += time.perf_counter() - self.last
        if self.used >= self.due or self.used >= self.seconds:
            self.curve.append((self.used, self.problem.measure(self.model)))
            self.due = self.used + self.seconds / 20
        self.last = time.perf_counter()
        return self.used < self.seconds


def batches(problem, size):
    rng = np.random.default_rng(1)
    while True:
        order = rng.permutation(len(problem.x))
        for start in range(0, len(order) - size + 1, size):
            rows = order[start : start + size]
            yield problem.x[rows], problem.y[rows]


def train(problem, model, seconds, step, size, before=lambda share: None):
    """Call `step(x, y)` until the time is over; curve, compilation time, steps."""
    stream = batches(problem, size)
    begun = time.perf_counter()
    step(*next(stream))
    compilation = time.perf_counter() - begun
    problem.measure(model)
    clock, count = Clock(problem, model, seconds), 0
    while clock.tick():
        before(clock.used / seconds)
        step(*next(stream))
        count += 1
    return {"curve": clock.curve, "compilation": compilation, "steps": count, "batch": size}


def by_steps(problem, seconds, optimizer, size, decay):
    """Train with a Keras optimizer; with `decay` along a cosine of the time."""
    model = problem.model()
    model.compile(optimizer, **({} if problem.loss is None else {"loss": problem.loss}))
    rate = float(optimizer.learning_rate)

    def before(share):
        if decay:
            optimizer.learning_rate = rate * 0.5 * (1.0 + math.cos(math.pi * min(share, 1.0)))

    return train(problem, model, seconds, model.train_on_batch, size, before)


def levenberg_marquardt(problem, seconds):
    """The package tf-levenberg-marquardt: TensorFlow, an N × P Jacobian, squared error here."""
    if problem.loss != "mse":
        raise ValueError("run here on squared error only")
    from tf_levenberg_marquardt.loss import MeanSquaredError
    from tf_levenberg_marquardt.training import Trainer

    model = problem.model()
    trainer = Trainer(model, loss=MeanSquaredError(), solve_method="cholesky")
    trainer.backup_variables()

    def step(x, y):
        trainer.train_step(*(ops.convert_to_tensor(a, model.compute_dtype) for a in (x, y)))

    return train(problem, model, seconds, step, problem.exact_batch)


def gradient_of(model, x, y):
    """Compiled loss and gradient of one batch: a function without arguments."""
    tensors = [
        ops.convert_to_tensor(a, model.compute_dtype if a.dtype.kind == "f" else None)
        for a in (x, y)
    ]

    def both(*batch):
        objective = Objective(model, *batch)
        values = objective.values
        return objective(values), objective.gradient(values)

    compiled = backend.compiled(both, model.variables + model.metrics_variables)
    return lambda: compiled(*tensors)


def lbfgs(problem, seconds):
    """SciPy's L-BFGS on the full batch, float64 outside, the model's type inside."""
    model = problem.model()
    model.compile("sgd", **({} if problem.loss is None else {"loss": problem.loss}))
    x, y = problem.x[:16384], problem.y[:16384]
    model.evaluate(x[:64], y[:64], verbose=0)
    both, variables = gradient_of(model, x, y), model.trainable_variables

    def assign(point):
        start = 0
        for v in variables:
            size = int(np.prod(v.shape))
            v.assign(point[start : start + size].reshape(v.shape))
            start += size

    def function(point):
        assign(point)
        loss, gradient = both()
        flat = [np.ravel(ops.convert_to_numpy(g)) for g in gradient]
        return float(loss), np.concatenate(flat).astype("float64")

    start = np.concatenate([np.ravel(ops.convert_to_numpy(v)) for v in variables]).astype("float64")
    begun = time.perf_counter()
    function(start)
    compilation = time.perf_counter() - begun
    clock, count = Clock(problem, model, seconds), [0]

    def after(point):
        count[0] += 1
        assign(point)
        if not clock.tick():
            raise StopIteration

    scipy.optimize.minimize(
        function,
        start,
        jac=True,
        method="L-BFGS-B",
        callback=after,
        options={"maxiter": 10**6, "maxfun": 10**6, "ftol": 0.0, "gtol": 0.0, "maxcor": 30},
    )
    clock.curve.append((clock.used, problem.measure(model)))
    return {"curve": clock.curve, "compilation": compilation, "steps": count[0], "batch": len(x)}


METHODS = {
    "natural exact": natural("exact"),
    "natural kronecker": natural("kronecker"),
    "Adam": by_gradients(keras.optimizers.Adam, 3e-3),
    "AdamW": by_gradients(adamw, 3e-3),
    "Muon": by_gradients(keras.optimizers.Muon, 1e-2),
    "L-BFGS": lbfgs,
    "tf-levenberg-marquardt": levenberg_marquardt,
}


def picture(results, path):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(results), figsize=(3.6 * len(results), 3.2), squeeze=False)
    for axis, (title, methods) in zip(axes[0], results.items(), strict=True):
        for name, result in methods.items():
            axis.plot(*zip(*result["curve"], strict=True), label=name)
        axis.set(title=title, xlabel="seconds")
        if all(value > 0 for r in methods.values() for _, value in r["curve"]):
            axis.set_yscale("log")
    axes[0][0].legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(path, dpi=120)


def compare(options):
    """The table: every method on every problem."""
    results = {}
    for problem_name in options.problems:
        problem = PROBLEMS[problem_name]()
        results[problem_name] = {}
        print(f"\n{problem_name}, {options.dtype}, {options.seconds:g} s, {problem.unit}")
        for name in options.methods:
            keras.utils.set_random_seed(0)
            try:
                result = METHODS[name](problem, options.seconds)
            except Exception as error:  # one method that fails must not hide the others
                print(f"  {name:22s} {type(error).__name__}: {str(error)[:90]}", flush=True)
                continue
            results[problem_name][name] = result
            best = min(value for _, value in result["curve"])
            print(
                f"  {name:22s} last {result['curve'][-1][1]:11.3e}  best {best:11.3e}  "
                f"{result['steps']:6d} × {result['batch']}, compiled {result['compilation']:.1f} s",
                flush=True,
            )
        if options.out:
            options.out.mkdir(parents=True, exist_ok=True)
            stem = options.out / f"natural_gradient-{options.dtype}"
            stem.with_suffix(".json").write_text(json.dumps(results))
            picture(results, stem.with_suffix(".png"))


def megabytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def step_against_gradient(width, samples=1024, repeats=30):
    """Time of a step of each solver over the time of one gradient, taken in turns in one run."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (samples, 2)).astype(keras.config.floatx())
    y = np.sin(3.0 * x[:, :1])
    models = {name: mlp(2, 1, width) for name in ("gradient", "SGD", "exact", "kronecker")}
    models["gradient"].compile("sgd", "mse")
    models["gradient"].train_on_batch(x, y)
    models["SGD"].compile("sgd", "mse")
    steps = {"gradient": gradient_of(models["gradient"], x, y)}
    for name in ("exact", "kronecker"):
        models[name].compile(keras_ndm.NaturalGradient(solver=name), "mse")
    for name in ("SGD", "exact", "kronecker"):
        steps[name] = lambda model=models[name]: model.train_on_batch(x, y)
    grown = {}
    for name, step in steps.items():
        before = megabytes()
        for _ in range(3):
            step()
        grown[name] = megabytes() - before
    times = {name: [] for name in steps}
    for _ in range(repeats):
        for name, step in steps.items():
            begun = time.perf_counter()
            ops.convert_to_numpy(keras.tree.flatten(step())[-1])
            times[name].append(time.perf_counter() - begun)
    parameters = models["gradient"].count_params()
    jacobian = samples * parameters * x.itemsize / 2**20
    print(
        f"\nP = {parameters}, N = {samples}, {x.dtype}, {keras.config.backend()}; "
        f"an N × P Jacobian would take {jacobian:.0f} MiB"
    )
    for name, t in times.items():
        # The shortest times too: beside other jobs they are what the work itself takes.
        median, shortest = (
            f"{1e3 * of(t):.1f} ms = {of(t) / of(times['gradient']):.1f} gradients"
            for of in (np.median, np.min)
        )
        print(
            f"  {name:10s} median {median}, shortest {shortest}; peak memory grew by "
            f"{grown[name]:.0f} MiB, compilation included",
            flush=True,
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--problems", nargs="+", default=list(PROBLEMS), choices=PROBLEMS)
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=METHODS)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--dtype", default="float64", choices=["float32", "float64"])
    parser.add_argument("--out", type=Path)
    parser.add_argument("--step", action="store_true", help="a step against one gradient, instead")
    options = parser.parse_args()
    keras.config.set_floatx(options.dtype)
    keras.config.set_dtype_policy(options.dtype)
    if options.dtype == "float64" and keras.config.backend() == "jax":
        import jax

        jax.config.update("jax_enable_x64", True)
    if options.step:
        for width in (68, 400):
            step_against_gradient(width)
    else:
        compare(options)


if __name__ == "__main__":
    main()
