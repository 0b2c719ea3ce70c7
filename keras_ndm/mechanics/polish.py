"""Full-batch quasi-Newton steps: the last digits of a model that `fit` has brought near."""

from collections.abc import Callable

import keras
import numpy as np
from keras import ops
from scipy import optimize

from keras_ndm import backend
from keras_ndm.backend.training import vjp
from keras_ndm.mechanics import flat_weights


def flat_loss(model: keras.Model, x: tuple, y: np.ndarray) -> Callable:
    """Give θ ↦ (loss, gradient) on the whole of the data, θ the trainable weights in one row.

    Parameters
    ----------
    model : keras.Model
        Built, with a `compute_loss(x, y)` of its own.
    x, y : arrays
        As `fit` takes them; all at once.
    """

    def loss_at(values):
        pairs = list(zip(model.trainable_variables, values, strict=True))
        with keras.StatelessScope(state_mapping=pairs):
            return [model.compute_loss(x=x, y=y)]

    def both(theta):
        (loss,), pull, _ = vjp(loss_at, flat_weights.split(theta, model))
        gradient = pull([ops.ones_like(loss)])
        return loss, ops.concatenate([ops.reshape(g, (-1,)) for g in gradient])

    compiled = backend.compiled(both, model.non_trainable_variables)

    def evaluate(theta: np.ndarray) -> tuple[float, np.ndarray]:
        loss, gradient = compiled(ops.convert_to_tensor(theta.astype("float32")))
        return float(loss), ops.convert_to_numpy(gradient).astype("float64")

    return evaluate


def polish(model: keras.Model, x: tuple, y: np.ndarray, iterations: int = 500) -> float:
    """Minimize the model's loss on the whole of the data by L-BFGS (Liu & Nocedal, 1989).

    Parameters
    ----------
    model, x, y
        As for `flat_loss`.
    iterations : int
        At most.

    Returns
    -------
    float
        The loss reached; the weights are changed in place, and only if it is lower.
    """
    start = flat_weights.read(model)
    evaluate = flat_loss(model, x, y)
    before, _ = evaluate(start)
    # Scaled to one at the start, or SciPy's absolute tolerances stop a small loss early.
    unit = max(before, 1e-30)

    def scaled(theta):
        loss, gradient = evaluate(theta)
        return loss / unit, gradient / unit

    options = {
        "maxiter": iterations,
        "maxfun": 2 * iterations,
        "maxcor": 30,
        "ftol": 1e-9,
        "gtol": 0,
    }
    found = optimize.minimize(scaled, start, jac=True, method="L-BFGS-B", options=options)
    if not found.fun < 1.0:
        return before
    flat_weights.write(model, found.x)
    return float(found.fun * unit)
