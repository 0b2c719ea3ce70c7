"""The data of a task: arrays, and targets where the user gives none."""

import keras
import numpy as np
from keras import ops

from keras_ndm.keras_internals import compiled_loss, labels_in_place, options_of, untrained
from keras_ndm.optimizers.natural_gradient.fisher.output_fisher import kind_of, losses_and_outputs
from keras_ndm.optimizers.natural_gradient.objective import Nested
from keras_ndm.user_data import ENOUGH, Data, batches_of

__all__ = ["arrays_of", "targets_of"]


def arrays_of(x: Data, y: Nested | None) -> tuple:
    """Numpy arrays x and y (or None) of what `fit` takes, arrays or a data set of batches.

    Parameters
    ----------
    x : nested arrays (N, ...), or data set of batches (x, y) or x
    y : nested arrays (N, ...) or None

    Raises
    ------
    ValueError
        When there are no samples, or not as many x as y.
    """
    known = hasattr(x, "__array__") or isinstance(x, dict | tuple | list)
    if not known:
        parts, rows = [], 0
        for batch in batches_of(x):
            parts.append(keras.utils.unpack_x_y_sample_weight(batch)[:2])
            rows += len(keras.tree.flatten(parts[-1])[0])
            if rows >= ENOUGH:
                break
        if not parts:
            raise ValueError("Received no samples to consolidate.")
        join_up = lambda *arrays: np.concatenate([np.asarray(a) for a in arrays])  # noqa: E731
        x = keras.tree.map_structure(join_up, *[part[0] for part in parts])
        labelled = parts[0][1] is not None
        y = keras.tree.map_structure(join_up, *[part[1] for part in parts]) if labelled else y
    whole = lambda tree: keras.tree.map_structure(np.asarray, tree)  # noqa: E731
    x, y = whole(x), None if y is None else whole(y)
    counts = {len(a) for a in keras.tree.flatten((x, y)) if a is not None}
    if len(counts) > 1:
        raise ValueError(f"x and y must have as many samples; received {sorted(counts)}.")
    return x, y


def targets_of(model: keras.Model, x: Nested, y: Nested | None) -> Nested:
    """Targets, or what the model predicts in their place; the compiled loss is built.

    Parameters
    ----------
    model : keras.Model
        Compiled.
    x, y : nested arrays (N, ...), or None for y

    Raises
    ------
    ValueError
        When the loss needs targets and there are none, or labels name no class.
    """
    loss = compiled_loss(model)
    if loss is not None and not loss.built:
        if y is None:
            raise ValueError(
                "Received no `y`, and the model was not trained since it was compiled."
            )
        first = keras.tree.map_structure(lambda a: a[:1], (x, y))
        model.test_on_batch(*first)
    if y is not None:
        _check_labels(model, x, y)
        return y
    own = type(model).compute_loss is not keras.Model.compute_loss
    if loss is None and own and not hasattr(model, "moments"):
        raise ValueError(
            f"The Fisher matrix of {type(model).__name__}'s own `compute_loss` depends on targets: "
            "pass `y`."
        )
    y_pred = model.predict(x, verbose=0)
    if loss is None:
        return keras.tree.flatten(y_pred)[0]
    labels = []
    for _, fn, _, output in losses_and_outputs(model, y_pred):
        if kind_of(fn) in ("own", "unknown"):
            raise ValueError(
                f"The Fisher matrix of the loss {fn.name!r} depends on targets: pass `y`."
            )
        sparse = getattr(fn, "fn", None) is keras.losses.sparse_categorical_crossentropy
        labels.append(np.argmax(output, axis=-1) if sparse else output)
    return labels_in_place(model, labels)


def _check_labels(model, x, y):
    """See that labels given as numbers are those of classes: the Fisher matrix would not notice."""
    if compiled_loss(model) is None:
        return
    head = keras.tree.map_structure(lambda a: ops.convert_to_tensor(a[:1]), x)
    outputs = losses_and_outputs(model, model(head, **untrained(model)))
    for (_, loss, _, output), (*_, labels) in zip(
        outputs, losses_and_outputs(model, y), strict=True
    ):
        if getattr(loss, "fn", None) is not keras.losses.sparse_categorical_crossentropy:
            continue
        classes, labels = output.shape[-1], np.asarray(labels)
        wrong = ((labels < 0) | (labels >= classes)) & (
            labels != options_of(loss).get("ignore_class")
        )
        if wrong.any():
            raise ValueError(
                f"Labels must be numbers of classes, 0 to {classes - 1}; received "
                f"{labels[wrong][0]}."
            )
