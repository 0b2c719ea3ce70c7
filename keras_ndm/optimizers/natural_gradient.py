"""`NaturalGradient`, a Keras optimizer that takes its Fisher matrix from the metric at the outputs."""

import os
import weakref

import keras
from keras import ops

from keras_ndm.optimizers.attachment import take_over, watch_compile
from keras_ndm.optimizers.exact import exact_solver
from keras_ndm.optimizers.jacobian import linearize
from keras_ndm.optimizers.kronecker import KroneckerFactors, best_combination
from keras_ndm.optimizers.objective import Objective
from keras_ndm.optimizers.output_fisher import output_fisher, probe
from keras_ndm.optimizers.step_size import search
from keras_ndm.optimizers.taps import Taps


class NaturalGradient(keras.optimizers.Optimizer):
    def __init__(
        self,
        learning_rate=1.0,
        damping=1e-3,
        adaptive_damping=True,
        momentum=0.9,
        solver="auto",
        name="natural_gradient",
        **kwargs,
    ):
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.damping = damping
        self.adaptive_damping = adaptive_damping
        self.momentum = momentum
        self.solver = solver
        self._model = lambda: None
        watch_compile()

    def attach(self, model):
        self._model = weakref.ref(model)
        take_over(model, self._train_step)

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self._last = self.add_optimizer_variables(variables, "last_step")
        dtype = keras.backend.floatx()
        self._present_damping = self.add_variable(
            (), keras.initializers.Constant(self.damping), dtype, name="damping"
        )
        self._last_rate = self.add_variable((), "zeros", dtype, name="last_rate")
        self._turn = self.add_variable(
            (),
            keras.initializers.Constant(float(os.environ.get("TURN", "0.1"))),
            dtype,
            name="turn",
        )
        self._trial = self.add_variable((), "zeros", "bool", name="trial")
        self._rival = self.add_optimizer_variables(variables, "rival_step")
        self._rejected = self.add_variable((), "zeros", "int32", name="rejected")
        self._taps = Taps(self._model())
        self._signs = keras.random.SeedGenerator(0)
        self._track_variable(self._signs.state)
        if self.solver == "kronecker":
            self._factors = KroneckerFactors(self, self._taps, variables)

    def update_step(self, gradient, variable, learning_rate):
        self.assign_sub(
            variable, ops.cast(learning_rate, variable.dtype) * ops.cast(gradient, variable.dtype)
        )

    def _train_step(self, x, y, sample_weight):
        model = self._model()
        if not self.built:
            self.build(model.trainable_variables)
        objective = Objective(model, x, y, sample_weight)
        values = objective.values
        loss, y_pred, new_state, added = objective.evaluate(values)
        previous = [ops.convert_to_tensor(v) for v in self._last]
        damping = self._judge(objective, values, loss, previous)
        solve = self._solver(objective, values, y_pred, added, previous, damping)
        rate = ops.cast(self.learning_rate, loss.dtype)
        zero = [ops.zeros_like(p) for p in previous]

        def attempt(damping):
            d = solve(damping)
            steps = self._clip_gradients(d.values)
            fraction, _ = search(objective, values, steps, rate, loss)
            return [
                ops.where(fraction > 0, ops.cast(fraction, d.dtype) * d, ops.zeros_like(d))
                for d in steps
            ], fraction

        steps, fraction = attempt(damping)
        T = int(os.environ.get("T", "2"))
        trial = ops.equal(self._iterations % T, 0)
        rival = ops.cond(
            trial, lambda: attempt(damping * ops.convert_to_tensor(self._turn))[0], lambda: zero
        )
        self._trial.assign(trial)
        self._present_damping.assign(ops.where(fraction > 0, damping, damping * 4.0))
        self._last_rate.assign(rate)
        for v, d in zip(self._last, steps):
            v.assign(d)
        for v, d in zip(self._rival, rival):
            v.assign(d)
        self._rejected.assign_add(ops.cast(ops.logical_not(ops.isfinite(loss)), "int32"))
        self.apply(steps, objective.variables)
        for v, new, old in zip(objective.state, new_state, objective.state_values):
            v.assign(ops.where(ops.isfinite(loss), new, old))
        tracker = next(m for m in model.metrics if m.name == "loss")
        tracker.update_state(loss, sample_weight=ops.shape(keras.tree.flatten(x)[0])[0])
        return model.compute_metrics(x, y, y_pred, sample_weight)

    def _judge(self, objective, values, loss, previous):
        damping = ops.convert_to_tensor(self._present_damping)
        if not self.adaptive_damping:
            return damping
        rate = ops.convert_to_tensor(self._last_rate)
        turn = ops.convert_to_tensor(self._turn)
        other = objective(
            [
                v + ops.cast(rate, v.dtype) * (p - r.value)
                for v, p, r in zip(values, previous, self._rival)
            ]
        )
        better = other < loss
        trial = ops.cast(ops.convert_to_tensor(self._trial), "bool")
        self._turn.assign(ops.where(trial & ops.logical_not(better), 1 / turn, turn))
        return ops.clip(
            ops.where(trial & better, damping * turn, damping),
            float(os.environ.get("LO", "1e-13")),
            1e6,
        )

    def _solver(self, objective, values, y_pred, added, previous, damping):
        seeds, z = output_fisher(objective, y_pred)
        rest = None
        if self.solver == "exact":
            jacobian = linearize(objective, self._taps, values, seeds)
            if added:
                whole = objective.gradient(values)
                rest = [g - j for g, j in zip(whole, jacobian.transpose(z))]
            return exact_solver(jacobian, z, rest, previous, self.momentum)
        signs = (
            2.0 * ops.cast(keras.random.randint(ops.shape(z), 0, 2, seed=self._signs), z.dtype)
            - 1.0
        )
        jacobian = linearize(objective, self._taps, values, probe(seeds, signs))
        gradient = objective.gradient(values)
        count = ops.size(z)
        self._factors.update(jacobian, damping, count, self._iterations)
        d = self._factors.solve(gradient, objective.variables, jacobian.blocks, damping, count)
        return lambda damping: best_combination(
            jacobian, gradient, d, previous, self._factors._strength(damping, count)
        )

    def get_config(self):
        return {**super().get_config(), "damping": self.damping}
