"""Norms of gradients, read where they pass, without a second backward pass."""

from keras import ops

from keras_ndm.backend import Tensor, traced_apart


@traced_apart
@ops.custom_gradient
def tap(tensor: Tensor, meter: Tensor, scale: Tensor) -> Tensor:
    """Identity on `tensor`, whose backward pass gives `meter` the gradient ‖gradient‖ / scale.

    With a variable made by ``add_weight(overwrite_with_gradient=True)`` as meter the optimizer
    stores the norm there, which works in plain `fit` on every backend.

    Parameters
    ----------
    tensor : tensor
        What passes, a kernel for instance.
    meter : tensor ()
        A variable's value; the norm arrives as its gradient.
    scale : tensor ()
        What the norm is divided by.
    """

    def backward(*args, upstream=None):
        gradient = args[0] if upstream is None else upstream
        norm = ops.sqrt(ops.sum(ops.square(gradient))) / ops.maximum(scale, 1e-20)
        return gradient, norm + 0.0 * meter, ops.zeros_like(scale)

    return tensor + ops.zeros_like(tensor), backward
