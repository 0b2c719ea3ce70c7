"""What is read of Keras' private names, in one place: a test fails where a new Keras moved them."""

from collections.abc import Callable, Hashable
from typing import TypeAlias

import keras
from keras.src.backend.common.stateless_scope import get_stateless_scope, in_stateless_scope

# Tensors in the structures in which Keras passes them.
Nested: TypeAlias = keras.KerasTensor | dict | list | tuple

#: Attribute in which `keras.Model.compile` keeps its arguments, the last thing that it does.
COMPILE_CONFIG = "_compile_config"


def pass_under_way(layer: keras.Layer) -> Hashable:
    """Give what stands for the forward pass in which `layer` is called; one object each pass.

    JAX's training step calls a model's `call` in a scope of its own, so that each layer looks like
    the outermost one.
    """
    return get_stateless_scope() if in_stateless_scope() else layer._get_call_context()


def model_being_called(layer: keras.Layer) -> keras.Model | None:
    """Give the outermost model whose call has led to that of `layer`, if there is one."""
    outermost = layer._get_call_context().entry_layer
    return outermost if isinstance(outermost, keras.Model) else None


def layers_inside(layer: keras.Layer) -> list:
    """All layers within a layer or model, however deep, and itself."""
    return list(layer._flatten_layers())


def own_metrics(model: keras.Model) -> list:
    """Metrics that a model holds beside those of `compile`: the list itself."""
    return model._metrics


def sublayers(layer: keras.Layer) -> list:
    """Layers that a layer or model holds itself."""
    return list(layer._layers)


def kernel_variable(dense: keras.layers.Dense) -> keras.Variable:
    """Kernel of a Dense layer as the variable that is trained; `kernel` may be a tensor."""
    return dense._kernel


def has_value(variable: keras.Variable) -> bool:
    """Whether a variable holds an array: on JAX not while `fit` runs, which has it then."""
    return variable._value is not None


def made_by(tensor: keras.KerasTensor) -> tuple:
    """Operation that made a symbolic tensor, and the tensors it was called on.

    Returns
    -------
    operation : keras.Operation or None
        None for what is no symbolic tensor.
    inputs : list of KerasTensor
    """
    history = getattr(tensor, "_keras_history", None)
    if history is None:
        return None, []
    operation, node, _ = history
    return operation, list(operation._inbound_nodes[node].input_tensors)


def loss_takes_training(model: keras.Model) -> bool:
    """Whether a model's own `compute_loss` takes `training=`."""
    return model._compute_loss_has_training_arg


def untrained(model: keras.Model) -> dict:
    """Arguments that tell a model that it predicts, where its `call` takes any."""
    return {"training": False} if model._call_has_training_arg else {}


def compiled_loss(model: keras.Model) -> object | None:
    """What `compile` made of the losses given; None where none was."""
    return model._compile_loss


def has_loss(model: keras.Model) -> bool:
    """Whether a model was compiled with a loss."""
    return model._compile_loss is not None


def losses_of(model: keras.Model) -> list:
    """Losses of `compile`, each as (path to its output, loss, weight, name), once it was built."""
    return list(model._compile_loss._flat_losses) if has_loss(model) else []


def labels_in_place(model: keras.Model, y: object) -> object:
    """Labels in the structure in which a loss's path finds its own."""
    return _packed(model._compile_loss._y_true_build_structure, y)


def outputs_in_place(model: keras.Model, y_pred: object) -> object:
    """Outputs in the structure in which a loss's path finds its own."""
    return _packed(model._compile_loss._y_pred_build_structure, y_pred)


def _packed(structure: object, tree: object) -> object:
    return keras.tree.pack_sequence_as(structure, keras.tree.flatten(tree))


def options_of(loss: keras.losses.Loss) -> dict:
    """Arguments of the function that a loss wraps, such as `from_logits`."""
    return getattr(loss, "_fn_kwargs", {})


def clipped(optimizer: keras.optimizers.Optimizer, gradients: list) -> list:
    """Gradients, clipped as the optimizer's arguments say."""
    return optimizer._clip_gradients(gradients)


def build_optimizer(model: keras.Model) -> None:
    """Make the optimizer's variables before the first step, of a model whose layers are built.

    Made within that step, they let TensorFlow trace it twice. Its sum of gradients over replicas, a
    custom gradient, makes TensorFlow keep the traced step for good: over one there is none.
    """
    if model.optimizer is None or not all(layer.built for layer in layers_inside(model)):
        return
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    # Under "mixed_float16" Keras wraps one around it.
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    strategy = getattr(optimizer, "_distribution_strategy", None)
    if strategy is not None and strategy.num_replicas_in_sync == 1:
        optimizer._all_reduce_sum_gradients = list


def track(optimizer: keras.optimizers.Optimizer, variable: keras.Variable) -> None:
    """Let an optimizer save a variable that was made elsewhere."""
    optimizer._track_variable(variable)


class _Reading(keras.StatelessScope):
    """Remembers each variable whose value is asked for."""

    def __init__(self):
        super().__init__()
        self.found = {}

    def get_current_value(self, variable: keras.Variable) -> None:
        self.found[id(variable)] = variable


def variables_read(function: Callable) -> list:
    """Keras variables that a function of no arguments reads.

    Parameters
    ----------
    function : callable
        Called twice: the first time layers that are not built yet may make their variables.
    """
    function()
    with _Reading() as reading:
        function()
    return list(reading.found.values())
