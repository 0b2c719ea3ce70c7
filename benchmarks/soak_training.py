"""A `fit` that is killed again and again, and goes on from its backup.

`python benchmarks/soak.py --kills 10` starts this script: with `--backup` it trains under
`keras.callbacks.BackupAndRestore`. A line is printed at each epoch's end, and the weights are
stored when all is done.
"""

import argparse

import numpy as np


def pairs(n_runs=8, steps=64):
    """States of noisy oscillators (n, 2), and those that follow; in an order drawn once."""
    rng = np.random.default_rng(0)
    phase = 0.2 * np.arange(steps) + rng.uniform(0, 2 * np.pi, (n_runs, 1))
    size = rng.uniform(0.5, 1.5, (n_runs, 1))
    states = size[..., None] * np.stack([np.cos(phase), -np.sin(phase)], axis=-1)
    states += 0.01 * rng.normal(size=states.shape)
    order = rng.permutation(n_runs * (steps - 1))
    before, after = states[:, :-1].reshape(-1, 2), states[:, 1:].reshape(-1, 2)
    return before[order].astype("float32"), after[order].astype("float32")


def model_of(optimizer):
    """Return the manifold, compiled, with a penalty whose weight is adapted in training."""
    import keras

    import keras_ndm

    keras.utils.set_random_seed(0)
    model = keras_ndm.NeuralDifferentialManifold(
        metric=keras_ndm.MetricLayer(hidden=(8,)),
        hidden=(16,),
        curvature_weight=keras_ndm.evolution.Budget(0.1),
    )
    natural = optimizer == "natural"
    model.compile(keras_ndm.NaturalGradient() if natural else keras.optimizers.Adam(3e-3))
    return model


def main():
    """Train, and store the weights."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("weights", help="the file to be written (.npz)")
    parser.add_argument("--optimizer", choices=["adam", "natural"], default="adam")
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--backup", help="folder of BackupAndRestore")
    options = parser.parse_args()
    import keras

    tell = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, _: print(epoch, flush=True))
    backup = keras.callbacks.BackupAndRestore
    # A backup that was cut off while it was written is replaced by the one before.
    kept = [backup(options.backup, double_checkpoint=True)] if options.backup else []
    model = model_of(options.optimizer)
    # Unshuffled: a process that starts anew would draw other orders.
    model.fit(
        *pairs(),
        batch_size=72,
        epochs=options.epochs,
        shuffle=False,
        verbose=0,
        callbacks=[*kept, tell],
    )
    np.savez(options.weights, *model.get_weights())


if __name__ == "__main__":
    main()
