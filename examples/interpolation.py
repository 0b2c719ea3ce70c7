"""From one digit to another: geodesics in the latent space of an autoencoder, and straight lines.

An autoencoder presses 8 × 8 digits into a few numbers. Between two digits one can go straight
there, or along a geodesic: of the pullback metric, in which a length is how much the decoded
picture changes, or of a density metric, in which regions without data are far. The table tells by
the half of the digits that no metric has seen how well each way stays with the data: the mean
log density along the way (a kernel estimate from their codes), the distance to the nearest code and
that of the decoded picture to the nearest digit.

    python examples/interpolation.py --latent 2 4     # writes interpolation.png
"""

import argparse

import keras
import matplotlib
import numpy as np
from keras import ops
from scipy.spatial import cKDTree
from sklearn.datasets import load_digits
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity

import keras_ndm

matplotlib.use("Agg")
import matplotlib.pyplot as plt

PAIRS, STOPS, WIDTH = 40, 33, 64


def autoencoder(images, latent):
    """Train encoder and decoder on images (N, 64)."""
    dense = keras.layers.Dense
    encoder = keras.Sequential([keras.Input((64,)), dense(WIDTH, "tanh"), dense(latent)])
    decoder = keras.Sequential([keras.Input((latent,)), dense(WIDTH, "tanh"), dense(64)])
    # A little noise on the codes keeps them close together and the decoder smooth between them.
    noise = keras.layers.GaussianNoise(0.1)
    normal = keras.layers.BatchNormalization(center=False, scale=False, name="normal")
    model = keras.Sequential([encoder, normal, noise, decoder])
    model.compile(keras.optimizers.Adam(3e-3), loss="mse")
    model.fit(images, images, batch_size=64, epochs=80, verbose=0)
    encode = keras.Sequential([encoder, normal])
    return lambda x: encode.predict(x, verbose=0), decoder


def pullback(decoder, latent):
    """Jᵀ J of the decoder: its layers are those of a metric's embedding."""
    metric = keras_ndm.MetricLayer(
        keras_ndm.metric_heads.Pullback(64), hidden=(WIDTH,), activation="tanh"
    )
    metric.build((None, latent))
    metric.set_weights(decoder.get_weights())
    return metric


def density_metric(codes, latent):
    """(p(z) + p₀)^(−2/d) 1 with p a mixture of Gaussians and p₀ what the rarest codes have."""
    mixture = GaussianMixture(20, reg_covar=1e-2, random_state=0).fit(codes)
    roots = mixture.precisions_cholesky_
    logs = np.log(mixture.weights_) + np.log(np.diagonal(roots, axis1=1, axis2=2)).sum(axis=1)
    logs -= 0.5 * latent * np.log(2 * np.pi)
    centers = np.einsum("ki,kij->kj", mixture.means_, roots)
    rare = np.quantile(mixture.score_samples(codes), 0.01)

    def metric(z):
        white = ops.einsum("ni,kij->nkj", z, ops.cast(roots, z.dtype)) - ops.cast(centers, z.dtype)
        log = ops.logsumexp(ops.cast(logs, z.dtype) - ops.sum(white**2, axis=-1) / 2, axis=1)
        factor = ops.exp(-2.0 / latent * (ops.logaddexp(log, ops.full_like(log, rare)) - rare))
        return factor[:, None, None] * ops.eye(latent, dtype=z.dtype)

    return metric


def evenly(path):
    """Points of a path (S + 1, d) at equal Euclidean distances, (STOPS, d)."""
    along = np.append(0.0, np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1)))
    at = np.linspace(0.0, along[-1], STOPS)
    return np.stack([np.interp(at, along, column) for column in path.T], axis=1)


def ways(metrics, a, b):
    """Paths (PAIRS, STOPS, d) by name, and how many geodesics converged."""
    line = np.linspace(0.0, 1.0, STOPS)[None, :, None]
    found, sure = {"straight line": a[:, None] * (1 - line) + b[:, None] * line}, {}
    for name, metric in metrics.items():
        path = keras_ndm.geometry.connect(metric, a, b, points=32)
        found[name] = np.array([evenly(points) for points in path.points])
        sure[name] = int(path.converged.sum())
    return found, sure


def table(latent, paths, sure, judges, decoder):
    """Print one row a way, mean ± standard error over the pairs; order these by what is gained."""
    density = {}
    kernel, codes, pictures = judges
    for name, points in paths.items():
        flat = points.reshape(-1, latent)
        decoded = decoder.predict(flat.astype("float32"), verbose=0)
        values = [kernel.score_samples(flat), codes.query(flat)[0], pictures.query(decoded)[0]]
        cells = []
        for value in values:
            each = value.reshape(len(points), -1)[:, 1:-1].mean(axis=1)
            cells.append(f"{each.mean():.2f} ± {each.std() / np.sqrt(len(each)):.2f}")
        density[name] = values[0].reshape(len(points), -1).mean(axis=1)
        converged = f"{sure[name]} of {len(points)}" if name in sure else "—"
        print(f"| {latent} | {name} | {' | '.join(cells)} | {converged} |", flush=True)
    return np.argsort(density["straight line"] - density["density geodesic"])


def draw(paths, decoder, rows, out):
    """Decode some paths, one strip each."""
    figure, axes = plt.subplots(len(rows) * len(paths), 1, figsize=(9, 2.3 * len(rows)))
    strips = [(row, name) for row in rows for name in paths]
    for axis, (row, name) in zip(axes, strips, strict=True):
        points = paths[name][row][np.linspace(0, STOPS - 1, 11).astype(int)]
        images = decoder.predict(points.astype("float32"), verbose=0).reshape(-1, 8, 8)
        axis.imshow(np.pad(images, ((0, 0), (0, 0), (0, 1))).swapaxes(0, 1).reshape(8, -1),
                    cmap="gray_r", vmin=0, vmax=1)  # fmt: skip
        axis.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)
        axis.set(xticks=[], yticks=[])
    figure.savefig(out, dpi=110, bbox_inches="tight")


def main():
    """Print the table and draw decoded paths of the last latent space."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--latent", type=int, nargs="+", default=[2, 4])
    parser.add_argument("--out", default="interpolation.png")
    options = parser.parse_args()
    images, labels = load_digits(return_X_y=True)
    images = (images / 16).astype("float32")
    order = np.random.default_rng(0).permutation(len(images))
    images, labels = images[order], labels[order]
    seen, unseen = images[::2], images[1::2]
    pairs = np.arange(0, 4 * PAIRS, 2)
    pairs = pairs[labels[pairs] != labels[pairs + 2]][:PAIRS]
    print(
        "| latent | way | log density | to the nearest code | picture to the nearest digit |",
        end="",
    )
    print(" converged |\n|---|---|---|---|---|---|")
    for latent in options.latent:
        keras.utils.set_random_seed(0)
        encode, decoder = autoencoder(seen, latent)
        near, far = encode(seen), encode(unseen)
        kernel = KernelDensity(bandwidth="scott").fit(far)
        metrics = {
            "pullback geodesic": pullback(decoder, latent),
            "density geodesic": density_metric(near, latent),
        }
        a, b = (encode(images[rows]) for rows in (pairs, pairs + 2))
        paths, sure = ways(metrics, a, b)
        gains = table(latent, paths, sure, (kernel, cKDTree(far), cKDTree(unseen)), decoder)
    # The pair that gains most by the density geodesic, the one in the middle, and the last.
    draw(paths, decoder, gains[[0, len(gains) // 2, -1]], options.out)
    print(f"Decoded ways of {latent} latent numbers are in {options.out}.")


if __name__ == "__main__":
    main()
