"""One training step: what the natural gradient does with a batch."""

import keras
from keras import ops

from keras_ndm.backend import mean
from keras_ndm.backend.training import computed_once
from keras_ndm.optimizers import damping
from keras_ndm.optimizers.choice import MOST_COLUMNS
from keras_ndm.optimizers.exact import solve_exact
from keras_ndm.optimizers.jacobian import linearize, parts_of
from keras_ndm.optimizers.objective import Objective, read
from keras_ndm.optimizers.output_fisher import output_fisher, probe
from keras_ndm.optimizers.quadratic import best_combination, refined
from keras_ndm.optimizers.step_size import search

__all__ = ["natural_step"]


def natural_step(
    optimizer: keras.optimizers.Optimizer,
    model: keras.Model,
    x: object,
    y: object,
    sample_weight: object,
) -> dict:
    """Take a step on one batch and return the logs of `fit`.

    The loss and the metrics are those at the values before the step, as in Keras' own
    training step.
    A batch whose loss is not finite changes nothing but the count of rejected batches.
    """
    objective = Objective(model, x, y, sample_weight)
    values = objective.values
    loss, y_pred, state, added = objective.evaluate(values)
    finite = ops.isfinite(loss)
    seeds, z = output_fisher(objective, values, y_pred)
    if optimizer.chosen_solver is None:
        parts = parts_of(objective, optimizer.taps, values)
        optimizer.choose_solver(parts, *z.shape, _itemsize(z))
    strength = _strength(optimizer, z)
    solver = _exact if optimizer.chosen_solver == "exact" else _kronecker
    direction, pushed, jacobian, slope = solver(
        optimizer,
        objective,
        values,
        seeds,
        z,
        added or optimizer.taps.approximate,
        strength,
        finite,
    )
    if optimizer.clipnorm or optimizer.clipvalue or optimizer.global_clipnorm:
        # Clipping acts on the natural gradient, by Keras' own rules.
        direction = optimizer._clip_gradients(direction)
        pushed = jacobian.apply(direction)
    direction = computed_once(direction)
    rate = ops.cast(optimizer.learning_rate, loss.dtype)
    fraction, lowest = search(objective, values, direction, rate, loss)
    if optimizer.adaptive_damping:
        predicted = rate * slope(direction, pushed) - 0.5 * rate**2 * ops.sum(ops.square(pushed))
        actual = ops.where(fraction > 0, loss - lowest, 0.0)
        coefficient = read(optimizer.coefficient)
        new = damping.adapted(coefficient, optimizer.damping, actual, predicted)
        optimizer.coefficient.assign(ops.where(finite, new, coefficient))
    # Zero where no step is taken, even if the direction is not finite.
    steps = [ops.where(fraction > 0, fraction * d, ops.zeros_like(d)) for d in direction]
    for variable, step in zip(optimizer.last_step, steps, strict=True):
        variable.assign(step)
    optimizer.rejected.assign_add(ops.cast(ops.logical_not(finite), "int32"))
    optimizer.apply(steps, objective.variables)
    if optimizer.weight_decay:  # which Keras applies whatever the step is
        for variable, old in zip(objective.variables, values, strict=True):
            variable.assign(ops.where(finite, variable.value, old))
    for variable, new, old in zip(objective.state, state, objective.state_values, strict=True):
        variable.assign(ops.where(finite, new, old))
    return _logs(model, loss, x, y, y_pred, sample_weight)


def _itemsize(z):
    """Bytes of a number: "float32" -> 4."""
    return int(keras.backend.standardize_dtype(z.dtype)[-2:]) // 8


def _strength(optimizer, z):
    """λ; the first finite misfit is remembered."""
    misfit = mean(ops.square(z))
    known = ops.cast(read(optimizer.first_misfit), misfit.dtype)
    first = ops.where(
        ops.logical_or(known > 0, ops.logical_not(ops.isfinite(misfit))), known, misfit
    )
    optimizer.first_misfit.assign(first)
    return damping.strength(ops.cast(read(optimizer.coefficient), misfit.dtype), misfit, first)


def _exact(optimizer, objective, values, seeds, z, incomplete, strength, finite):
    """Direction d, J̃ d, J̃, and the slope of the loss along d from d and J̃ d; see `exact`."""
    del finite
    jacobian = linearize(objective, optimizer.taps, values, seeds)
    rest = None
    if incomplete:
        whole = objective.gradient(values)
        rest = [g - j for g, j in zip(whole, jacobian.transpose(z), strict=True)]
    previous = [read(v) for v in optimizer.last_step]
    direction, pushed = solve_exact(jacobian, z, rest, previous, strength, optimizer.momentum)

    def slope(d, pushed):
        along = ops.sum(z * pushed)
        return along if rest is None else along + _dot(rest, d)

    return direction, pushed, jacobian, slope


def _kronecker(optimizer, objective, values, seeds, z, incomplete, strength, finite):
    """The same from Kronecker factors; see `kronecker`. The gradient is whole in any case."""
    whole = z.shape[0] <= MOST_COLUMNS
    if not whole:
        bits = keras.random.randint(ops.shape(z), 0, 2, seed=optimizer.signs)
        seeds = probe(seeds, 2.0 * ops.cast(bits, z.dtype) - 1.0)
    jacobian = linearize(objective, optimizer.taps, values, seeds)
    exact = whole and not incomplete
    gradient = computed_once(jacobian.transpose(z) if exact else objective.gradient(values))
    factors = optimizer.factors
    factors.update(jacobian, strength, read(optimizer.iterations), finite)

    def precondition(g):
        return factors.solve(g, objective.variables, jacobian.blocks, strength)

    previous = [read(v) for v in optimizer.last_step]
    arguments = jacobian, gradient, precondition(gradient), previous, strength
    direction, pushed = best_combination(*arguments)
    if whole:
        direction, pushed = refined(jacobian, gradient, direction, pushed, strength, precondition)
    return direction, pushed, jacobian, lambda d, pushed: _dot(gradient, d)


def _dot(left, right):
    return sum(ops.sum(a * b) for a, b in zip(left, right, strict=True))


def _logs(model, loss, x, y, y_pred, sample_weight):
    tracker = next(m for m in model.metrics if m.name == "loss")
    tracker.update_state(loss, sample_weight=ops.shape(keras.tree.flatten(x)[0])[0])
    return model.compute_metrics(x, y, y_pred, sample_weight)
