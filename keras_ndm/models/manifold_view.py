"""One view of any fitted model's geometry, for analysis: numpy in, numpy out."""

from collections.abc import Callable

import keras

from keras_ndm.models.checked_states import state_rows
from keras_ndm.models.manifold_model import Geometry, ManifoldModel, flow_of, is_metric
from keras_ndm.models.neural_differential_manifold import NeuralDifferentialManifold
from keras_ndm.rowwise import Rows


class Manifold:
    """Geometry and, where the model predicts it, dynamics of a fitted model.

    Parameters
    ----------
    dim : int
        Number of coordinates d.
    timed : bool
        Whether `step` needs dt.
    step : callable or None
        ``step(x, dt=None)`` gives next states (N, d) and Jacobians (N, d, d), ``[n, i, j]`` =
        ∂F_i/∂x_j; None when the model's output is no next state.
    metric_tensor, noise_covariance : callable
        ``f(x)``: the metric (N, d, d) in the states' coordinates, the precision of the noise, and
        its inverse.
    chart_forward : callable
        ``f(x)``: coordinates z (N, k) in which the metric is computed.
    """

    def __init__(
        self,
        dim: int,
        metric_tensor: Callable,
        noise_covariance: Callable,
        chart_forward: Callable,
        step: Callable | None,
        timed: bool,
    ):
        self.dim, self.timed, self.step = dim, timed, step
        self.metric_tensor, self.noise_covariance = metric_tensor, noise_covariance
        self.chart_forward = chart_forward


def manifold_of(model: keras.Model) -> Manifold:
    """View a fitted model's geometry.

    Parameters
    ----------
    model : NeuralDifferentialManifold, ManifoldModel, or functional keras.Model with a metric layer
        A functional model's first input is the state (N, d), a second one the step dt (N, 1).

    Raises
    ------
    ValueError
        When the model has no weights yet, no metric, or several.
    """
    if isinstance(model, Manifold):
        return model
    if isinstance(model, NeuralDifferentialManifold):
        return _of_ndm(model)
    if isinstance(model, ManifoldModel):
        return _of_graph(model.network, model.geometry, model.flow)
    if not isinstance(model, keras.Model):
        raise ValueError(f"Expected a Keras model; received {type(model).__name__}.")
    layers = [layer for layer in model.layers if is_metric(layer)]
    if len(layers) != 1:
        found = "no MetricLayer" if not layers else f"{len(layers)} metric layers"
        raise ValueError(
            f"The model {model.name!r} has {found} among its layers "
            f"({', '.join(layer.name for layer in model.layers)}). Expected one "
            "keras_ndm.MetricLayer or EvolutionLayer, which says what distance between states "
            "means."
        )
    if not getattr(model, "inputs", None):
        raise ValueError(
            f"The model {model.name!r} is not a functional model, so the way from its inputs to "
            "its metric is unknown. Build it as keras.Model(inputs, outputs), or use "
            "NeuralDifferentialManifold."
        )
    geometry = Geometry(model.inputs[0], layers[0].output)
    # The dynamics can be told only when exactly one output has the shape of a state.
    states = [output for output in model.outputs if output.shape == model.inputs[0].shape]
    flow = flow_of(keras.Model(model.inputs, states[0])) if len(states) == 1 else None
    return _of_graph(model, geometry, flow)


def _of_ndm(model):
    model._ready()
    coordinates = Rows(model.chart.call, model.variables)
    return Manifold(
        dim=model.dimension,
        metric_tensor=model.metric_tensor,
        noise_covariance=model.noise_covariance,
        chart_forward=lambda x: coordinates(state_rows(x)[0]),
        step=model.step,
        timed=model.timed,
    )


def _of_graph(network, geometry, flow):
    timed = len(network.inputs) == 2
    functions = {"tensor": geometry.tensor, "noise": geometry.noise, "z": geometry.coordinates}
    if flow is not None and len(network.inputs) <= 2:
        functions["flow"] = flow
    rows = {name: Rows(function, network.variables) for name, function in functions.items()}

    def at(name):
        def evaluate(x):
            x, _ = state_rows(x)
            _check_dimension(x, geometry.dimension)
            return rows[name](x)

        return evaluate

    def step(x, dt=None):
        x, dt = state_rows(x if dt is None else (x, dt))
        _check_dimension(x, geometry.dimension)
        if timed != (dt is not None):
            raise ValueError(
                f"The model has {len(network.inputs)} inputs, so steps dt must "
                f"{'be given' if timed else 'not be given'}."
            )
        return rows["flow"](x) if dt is None else rows["flow"](x, dt)

    return Manifold(
        dim=geometry.dimension,
        metric_tensor=at("tensor"),
        noise_covariance=at("noise"),
        chart_forward=at("z"),
        step=step if "flow" in functions else None,
        timed=timed,
    )


def _check_dimension(x, dimension):
    if x.shape[1] != dimension:
        raise ValueError(
            f"The model takes states of dimension {dimension}; received an array of shape "
            f"{x.shape}."
        )
