"""One training step: what the natural gradient does with a batch."""

from collections.abc import Callable
from dataclasses import dataclass

import keras
from keras import ops

from keras_ndm.backend import Tensor, mean
from keras_ndm.backend.training import computed_once
from keras_ndm.keras_internals import clipped
from keras_ndm.optimizers.natural_gradient.damping import adapted, strength_of
from keras_ndm.optimizers.natural_gradient.fisher.jacobian import Jacobian, linearize, parts_of
from keras_ndm.optimizers.natural_gradient.fisher.output_fisher import output_fisher, probe
from keras_ndm.optimizers.natural_gradient.line_search import search
from keras_ndm.optimizers.natural_gradient.objective import Nested, Objective, read
from keras_ndm.optimizers.natural_gradient.solvers.choice import MOST_COLUMNS
from keras_ndm.optimizers.natural_gradient.solvers.conjugate_gradient import (
    best_combination,
    dot,
    refined,
)
from keras_ndm.optimizers.natural_gradient.solvers.exact import solve_exact

__all__ = ["natural_step", "unchanged"]


@dataclass(frozen=True)
class _Problem:
    """The linear system of one batch, (F + λ) d = ∇L.

    Attributes
    ----------
    objective : Objective
    values : list of tensors
        θ.
    seeds : list of tensors (r, N, *output)
        Columns of L_n.
    z : tensor (r, N)
        Coordinates of the gradient of the compiled loss, J̃ᵀ z.
    strength : scalar
        λ.
    incomplete : bool
        Whether J̃ᵀ z is not the whole gradient.
    finite : bool scalar
        Whether the loss of the batch is.
    """

    objective: Objective
    values: list
    seeds: list
    z: Tensor
    strength: Tensor
    incomplete: bool
    finite: Tensor


@dataclass(frozen=True)
class _Solution:
    """Direction d, J̃ d, J̃, and the slope of the loss along d as a function of d and J̃ d."""

    direction: list
    pushed: Tensor
    jacobian: Jacobian
    slope: Callable


def natural_step(
    optimizer: keras.optimizers.Optimizer,
    model: keras.Model,
    x: Nested,
    y: Nested,
    sample_weight: Nested | None,
) -> dict:
    """Take a step on one batch and return the logs of `fit`.

    The loss and the metrics are those at the values before the step, as in Keras' own training
    step. A batch whose loss is not finite changes nothing but the count of rejected batches.

    Parameters
    ----------
    optimizer : NaturalGradient
        Built.
    model : keras.Model
    x, y, sample_weight
        The batch, as `fit` hands it to a training step.
    """
    objective = Objective(model, x, y, sample_weight)
    values = objective.values
    loss, y_pred, state, added = objective.evaluate(values)
    finite = ops.isfinite(loss)
    seeds, z = output_fisher(objective, values, y_pred)
    # Keras computes losses in floatx, whatever the model's policy is.
    loss = ops.cast(loss, z.dtype)
    if optimizer.chosen_solver is None:
        parts = parts_of(objective, optimizer.taps, values)
        optimizer.choose_solver(parts, *z.shape, _itemsize(z))
    strength = _strength(optimizer, z)
    incomplete = added or optimizer.taps.approximate
    problem = _Problem(objective, values, seeds, z, strength, incomplete, finite)
    solve = _exact if optimizer.chosen_solver == "exact" else _kronecker
    solution = solve(optimizer, problem)
    direction, pushed = solution.direction, solution.pushed
    if optimizer.clipnorm or optimizer.clipvalue or optimizer.global_clipnorm:
        # Clipping acts on the natural gradient, by Keras' own rules.
        direction = clipped(optimizer, direction)
        pushed = solution.jacobian.apply(direction)
    direction = computed_once(direction)
    rate = ops.cast(optimizer.learning_rate, loss.dtype)
    fraction, lowest = search(objective, values, direction, rate, loss)
    if optimizer.adaptive_damping:
        slope = solution.slope(direction, pushed)
        predicted = rate * slope - 0.5 * rate**2 * ops.sum(ops.square(pushed))
        actual = ops.where(fraction > 0, loss - lowest, 0.0)
        coefficient = read(optimizer.coefficient)
        new = adapted(coefficient, optimizer.damping, actual, predicted)
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
    if objective.meters:
        for meter, new in zip(objective.meters, objective.measured(values), strict=True):
            meter.assign(ops.where(ops.isfinite(new), new, meter.value))
    return _logs(objective, loss, y_pred)


def unchanged(model: keras.Model, x: Nested, y: Nested, sample_weight: Nested | None) -> dict:
    """Logs of a batch for a model all of whose weights are frozen.

    Parameters
    ----------
    model, x, y, sample_weight
        As in `natural_step`.
    """
    objective = Objective(model, x, y, sample_weight)
    y_pred = objective.predict()
    return _logs(objective, objective.compute_loss(y_pred), y_pred)


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
    return strength_of(ops.cast(read(optimizer.coefficient), misfit.dtype), misfit, first)


def _exact(optimizer, problem):
    """Solve in the space of samples; see `solvers.exact`."""
    z = problem.z
    jacobian = linearize(problem.objective, optimizer.taps, problem.values, problem.seeds)
    rest = None
    if problem.incomplete:
        whole = problem.objective.gradient(problem.values)
        rest = [g - j for g, j in zip(whole, jacobian.transpose(z), strict=True)]
    previous = [read(v) for v in optimizer.last_step]
    direction, pushed = solve_exact(
        jacobian, z, rest, previous, problem.strength, optimizer.momentum
    )

    def slope(d, pushed):
        along = ops.sum(z * pushed)
        return along if rest is None else along + dot(rest, d)

    return _Solution(direction, pushed, jacobian, slope)


def _kronecker(optimizer, problem):
    """Solve with Kronecker factors; see `solvers.kronecker`. The gradient is whole in any case."""
    objective, values, seeds, z = problem.objective, problem.values, problem.seeds, problem.z
    strength = problem.strength
    few = z.shape[0] <= MOST_COLUMNS
    if not few:
        bits = keras.random.randint(ops.shape(z), 0, 2, seed=optimizer.signs)
        seeds = probe(seeds, 2.0 * ops.cast(bits, z.dtype) - 1.0)
    jacobian = linearize(objective, optimizer.taps, values, seeds)
    exact = few and not problem.incomplete
    gradient = computed_once(jacobian.transpose(z) if exact else objective.gradient(values))
    factors = optimizer.factors
    factors.update(jacobian, strength, read(optimizer.iterations), problem.finite)

    def precondition(g):
        return factors.solve(g, objective.variables, jacobian.blocks, strength)

    previous = [read(v) for v in optimizer.last_step]
    arguments = jacobian, gradient, precondition(gradient), previous, strength
    direction, pushed = best_combination(*arguments)
    if few:
        direction, pushed = refined(jacobian, gradient, direction, pushed, strength, precondition)
    return _Solution(direction, pushed, jacobian, lambda d, pushed: dot(gradient, d))


def _logs(objective, loss, y_pred):
    model, x = objective.model, objective.x
    tracker = next(m for m in model.metrics if m.name == "loss")
    tracker.update_state(loss, sample_weight=ops.shape(keras.tree.flatten(x)[0])[0])
    return model.compute_metrics(x, objective.y, y_pred, objective.sample_weight)
