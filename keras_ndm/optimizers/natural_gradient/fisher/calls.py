"""Calls of layers, seen by others."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import keras

__all__ = ["calling"]


@contextmanager
def calling(layer: keras.layers.Layer, record: Callable, method: str = "call") -> Iterator[None]:
    """Within the context, a call of `layer` is ``record(layer, call, *args, **kwargs)``.

    The one place where methods of Keras layers are replaced. A recorder cannot be handed to the
    layers instead: they are called from the code of other layers and of users, which passes on
    only what it knows of, and Keras has no hook that could add a zero to what a layer returns. The
    replacement stands on the instance, so no other layer is touched, and is put there through
    `__dict__`, since Keras tracks attributes that are assigned.

    Parameters
    ----------
    layer : keras.Layer
    record : callable
    method : str
        Which method is replaced.
    """
    attributes, call = layer.__dict__, getattr(layer, method)
    own = method in attributes
    attributes[method] = lambda *args, **kwargs: record(layer, call, *args, **kwargs)
    try:
        yield
    finally:
        if own:
            attributes[method] = call
        else:
            del attributes[method]
