"""Penalties counted where a model computes its loss, so that logs show them on every backend.

A layer's `call` cannot update a metric on JAX: Keras discards the update. What is updated in
`compute_loss` it keeps. The models of this package count there; in any other model that calls an
`EvolutionLayer` its `compute_loss` is followed by the count.
"""

from collections.abc import Callable

import keras

__all__ = ["count_after_loss"]


def count_after_loss(model: keras.Model, count: Callable[[], None]) -> None:
    """Call `count` whenever `model` has computed its loss; done once a model.

    Parameters
    ----------
    model : keras.Model
    count : callable
    """
    compute = model.compute_loss
    if hasattr(compute, "counts_penalties") or hasattr(model, "evolutions"):
        return

    def compute_loss(*args, **kwargs):
        loss = compute(*args, **kwargs)
        count()
        return loss

    vars(compute_loss).update(vars(compute), counts_penalties=True)
    # Through __dict__: an attribute of a built layer would be tracked as state.
    model.__dict__["compute_loss"] = compute_loss
