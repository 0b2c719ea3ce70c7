"""Densities at equal training time: FlowDensity and Atlas, beside zuko where it is installed.

    python benchmarks/densities.py [--seconds 15] [--seeds 1] [--only moons eight circle …]

Two moons and eight dimensions beside zuko's neural spline flow and masked autoregressive flow
(`pip install zuko`); circle, sphere and torus with noise of .05: one flow and an atlas with about
as many weights. Each model gets the same processor time on one thread, after its program was
compiled; batches of 256, Adam from 3e-3 down to 0 by half a cosine of the time. Printed is the gap,
the mean of log p(true) − log p(model) on 4000 new points, in nats: 0 is the truth.
"""

import argparse
import importlib.util
import math
import os
import time
from collections.abc import Callable

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")

import numpy as np
from scipy.special import ive, logsumexp

NOISE, ROWS, TEST, BATCH, RATE = 0.05, 20_000, 4000, 256, 3e-3


class Ring:
    """Circle of radius 1 in the plane, with noise."""

    width, noise = 2, NOISE

    def draw(self, n, rng):
        """Points (n, d)."""
        t = rng.uniform(0, 2 * np.pi, n)
        return np.stack([np.cos(t), np.sin(t)], 1) + self.noise * rng.normal(size=(n, 2))

    def log_density(self, x):
        """True log density (n,) at x."""
        return log_ring(np.linalg.norm(x, axis=1), 1.0, self.noise)


def log_ring(r, radius, noise):
    """Log density at distance r of a circle's points with normal noise, in the circle's plane."""
    bessel = np.log(ive(0, r * radius / noise**2))  # scaled by exp(−r radius/σ²)
    return bessel - (r - radius) ** 2 / (2 * noise**2) - math.log(2 * math.pi * noise**2)


class Sphere:
    """Unit sphere, with noise."""

    width = 3

    def draw(self, n, rng):
        """Points (n, d)."""
        u = rng.normal(size=(n, 3))
        return u / np.linalg.norm(u, axis=1)[:, None] + NOISE * rng.normal(size=(n, 3))

    def log_density(self, x):
        """True log density (n,) at x."""
        r = np.linalg.norm(x, axis=1)
        a = r / NOISE**2
        shell = np.log(-np.expm1(-2 * a)) - np.log(2 * a) - (r - 1) ** 2 / (2 * NOISE**2)
        return shell - 1.5 * math.log(2 * math.pi * NOISE**2)


class Torus:
    """Torus of radii 1 and .4, uniform in both angles, with noise."""

    width, small = 3, 0.4

    def draw(self, n, rng):
        """Points (n, d)."""
        s, t = rng.uniform(0, 2 * np.pi, (2, n))
        ring = 1 + self.small * np.cos(t)
        x = np.stack([ring * np.cos(s), ring * np.sin(s), self.small * np.sin(t)], 1)
        return x + NOISE * rng.normal(size=(n, 3))

    def log_density(self, x):
        """True log density (n,) at x."""
        t = np.linspace(0, 2 * np.pi, 400, endpoint=False)
        plane = np.linalg.norm(x[:, :2], axis=1)[:, None]
        flat = log_ring(plane, 1 + self.small * np.cos(t), NOISE)
        height = -((x[:, 2:] - self.small * np.sin(t)) ** 2) / (2 * NOISE**2)
        height = height - 0.5 * math.log(2 * math.pi * NOISE**2)
        return logsumexp(flat + height, axis=1) - math.log(len(t))


class Moons:
    """Two half circles, as in scikit-learn's `make_moons`, noise .1."""

    width, noise = 2, 0.1

    def centres(self, t, upper):
        """Points of the half circles at the angles t, of the upper one or the lower."""
        first = np.stack([np.cos(t), np.sin(t)], -1)
        return np.where(upper[..., None], first, np.asarray([1.0, 0.5]) - first)

    def draw(self, n, rng):
        """Points (n, d)."""
        where = self.centres(rng.uniform(0, np.pi, n), rng.uniform(size=n) < 0.5)
        return where + self.noise * rng.normal(size=(n, 2))

    def log_density(self, x):
        """True log density (n,) at x."""
        t = (np.arange(300) + 0.5) * np.pi / 300
        both = [self.centres(t, np.full(len(t), upper)) for upper in (True, False)]
        far = np.sum((x[:, None] - np.concatenate(both)) ** 2, axis=2)
        norm = math.log(2 * math.pi * self.noise**2) + math.log(2 * len(t))
        return logsumexp(-far / (2 * self.noise**2), axis=1) - norm


class Eight:
    """Eight dimensions: a mixture of two clusters of four bananas each, turned."""

    width, apart, thin = 8, 1.5, 0.3

    def __init__(self):
        self.turn = np.linalg.qr(np.random.default_rng(0).normal(size=(8, 8)))[0]

    def draw(self, n, rng):
        """Points (n, d)."""
        a = rng.normal(size=(n, 4))
        b = a**2 - 1 + self.thin * rng.normal(size=(n, 4))
        side = self.apart * np.sign(rng.uniform(size=(n, 1)) - 0.5)
        return np.concatenate([a + side, b], 1) @ self.turn.T

    def log_density(self, x):
        """True log density (n,) at x."""
        y = x @ self.turn
        sides = []
        for side in (self.apart, -self.apart):
            a = y[:, :4] - side
            rest = (y[:, 4:] - a**2 + 1) / self.thin
            sides.append(-0.5 * np.sum(a**2 + rest**2, 1))
        norm = 4 * math.log(2 * math.pi) + 4 * math.log(self.thin) + math.log(2)
        return logsumexp(sides, axis=0) - norm


TARGETS = {"moons": Moons, "eight": Eight, "circle": Ring, "sphere": Sphere, "torus": Torus}


def own(chart: Callable) -> Callable:
    """Train a `FlowDensity` with the chart that `chart()` gives."""

    def train(x, seconds, seed):
        import keras

        import keras_ndm

        keras.utils.set_random_seed(seed)
        density = keras_ndm.FlowDensity(chart())
        density.compile(keras.optimizers.Adam(RATE))
        density.fit(x[:BATCH], batch_size=BATCH, epochs=1, verbose=0)  # compiles the program
        start = time.process_time()
        density.adapt(x)

        class Clock(keras.callbacks.Callback):
            def on_train_batch_begin(self, batch, logs=None):
                share = (time.process_time() - start) / seconds
                rate = RATE * 0.5 * (1 + math.cos(math.pi * min(share, 1.0)))
                self.model.optimizer.learning_rate.assign(rate)
                self.model.stop_training = share >= 1

        # The remainder would be a second program.
        whole = x[: len(x) // BATCH * BATCH]
        while time.process_time() - start < seconds:
            density.fit(whole, batch_size=BATCH, epochs=1000, verbose=0, callbacks=[Clock()])
        weights = sum(int(np.prod(v.shape)) for v in density.trainable_variables)
        return (
            density.log_prob,
            weights,
            int(keras.ops.convert_to_numpy(density.optimizer.iterations)) - 1,
        )

    return train


def zuko_flow(name: str) -> Callable:
    """Train a flow of zuko on standardized columns."""

    def train(x, seconds, seed):
        import torch
        import zuko

        torch.set_num_threads(1)
        torch.manual_seed(seed)
        mean, scale = x.mean(0), x.std(0)
        rows = torch.as_tensor((x - mean) / scale, dtype=torch.float32)
        flow = getattr(zuko.flows, name)(features=x.shape[1])
        optimizer = torch.optim.Adam(flow.parameters(), lr=RATE)
        start, steps = time.process_time(), 0
        while (share := (time.process_time() - start) / seconds) < 1:
            for group in optimizer.param_groups:
                group["lr"] = RATE * 0.5 * (1 + math.cos(math.pi * share))
            loss = -flow().log_prob(rows[torch.randint(len(rows), (BATCH,))]).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            steps += 1

        def log_prob(points):
            with torch.no_grad():
                z = torch.as_tensor((points - mean) / scale, dtype=torch.float32)
                return flow().log_prob(z).numpy() - np.log(scale).sum()

        return log_prob, sum(p.numel() for p in flow.parameters()), steps

    return train


def models(target):
    """Rows of the table for a target: name and how to train it."""
    from keras_ndm import charts

    def flow():
        return charts.SplineCoupling(depth=6, hidden=(64,), activation="silu")

    def net(width):
        return charts.Autoregressive(hidden=(width, width), activation="silu")

    # Where the data close up, many charts, each simple; elsewhere few that can do more.
    k, parts = 16 if target == "circle" else 32, [net(16)]
    if target in ("moons", "eight"):
        k, width = {"moons": (6, 24), "eight": (4, 48)}[target]
        parts = [net(width), charts.Permute(), net(width)]
    rows = {
        "one flow (splines)": own(flow),
        f"atlas of {k}": own(lambda: charts.Atlas(k, parts)),
    }
    if target in ("moons", "eight") and importlib.util.find_spec("zuko"):
        rows |= {f"zuko {name}": zuko_flow(name) for name in ("NSF", "MAF")}
    return rows


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=15.0, help="processor time a model")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--only", nargs="+", choices=TARGETS, default=list(TARGETS))
    options = parser.parse_args()
    print(f"{'data':8}{'model':22}{'weights':>8}{'steps':>8}{'gap, nats':>11}")
    for name in options.only:
        target = TARGETS[name]()
        for model, train in models(name).items():
            for seed in range(options.seeds):
                rng = np.random.default_rng(seed)
                x = target.draw(ROWS, rng).astype("float32")
                test = target.draw(TEST, rng)
                log_prob, weights, steps = train(x, options.seconds, seed)
                gap = np.mean(target.log_density(test) - log_prob(test.astype("float32")))
                print(f"{name:8}{model:22}{weights:8}{steps:8}{gap:11.4f}", flush=True)


if __name__ == "__main__":
    main()
