"""What is read of Keras' private names, in one place: a test fails where a new Keras moved them."""

import keras


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
