"""Regression with the full covariance of the noise at each input."""

from collections.abc import Callable, Sequence
from inspect import signature

import keras
import numpy as np
from keras import ops

from keras_ndm.backend import Tensor
from keras_ndm.geometry import activations
from keras_ndm.metric_layer import MetricLayer
from keras_ndm.models.checked_states import FitInput, first_arrays, refuse_not_finite
from keras_ndm.models.likelihood import LikelihoodModel, gram, inverse_factor, without_still
from keras_ndm.precision import full_precision, refuse_quantized
from keras_ndm.rowwise import Rows
from keras_ndm.user_data import check_shapes, count_rows, is_number, varies, widths_of


@keras.saving.register_keras_serializable("keras_ndm")
class GaussianRegression(LikelihoodModel):
    """Mean and covariance of several targets at each input, by maximum likelihood.

    The targets y (batch, k) of an input x are distributed as N(m(x), Σ(x)), with

        m(x) = μ + S net(z),      Σ(x) = c S g(z)⁻¹ S,

    z the standardized inputs, μ and S mean and spread of the targets, and the metric g, of
    dimension k, the precision of the noise. Calling it, or `predict`, gives the mean;
    `mean_and_covariance` both.

    What is fitted to a few samples lies too close to them, and claims too small a covariance. The
    factor c mends that: `rescale`, on samples that took no part, makes χ² per degree of freedom 1
    there. `fit` calls it at its end where it has validation data.

    Parameters
    ----------
    targets : int
        k, the columns of y.
    hidden : sequence of int
        Widths of the mean's hidden layers.
    metric : MetricLayer, optional
        Of dimension k. Default: ``MetricLayer(hidden=(32,), dimension=k)``, log-Cholesky. The kind
        "diagonal" gives a variance a target, "constant" one covariance everywhere.
    activation : str or callable
        Of the mean's hidden layers.
    features : keras layer or model, optional
        From x, of any shape, to z (batch, n), in place of the standardization; it is trained too.

    Examples
    --------
    >>> model = keras_ndm.GaussianRegression(targets=2)
    >>> model.compile(keras.optimizers.Adam(3e-3))
    >>> stop = keras.callbacks.EarlyStopping(patience=50, restore_best_weights=True)
    >>> model.fit(x, y, validation_split=0.2, epochs=1000, callbacks=[stop])
    >>> mean, covariance = model.mean_and_covariance(x_new)

    Raises
    ------
    ValueError
        On a number of targets below 1, a metric of another dimension, or data of another shape.
    """

    def __init__(
        self,
        targets: int,
        hidden: Sequence[int] = (64, 64),
        metric: MetricLayer | None = None,
        activation: str | Callable = "tanh",
        features: keras.Layer | None = None,
        **kwargs,
    ):
        # A Cholesky factor has no use for half precision.
        super().__init__(dtype=full_precision(kwargs.pop("dtype", None)), **kwargs)
        if not (is_number(targets, whole=True) and targets >= 1):
            raise ValueError(f"`targets` counts the columns of y, ≥ 1; received {targets!r}.")
        self.targets = k = int(targets)
        self.hidden = widths_of(hidden)
        self.activation = activations.get(activation)
        self.metric = MetricLayer(dimension=k) if metric is None else metric
        if not isinstance(self.metric, MetricLayer) or self.metric.own_dimension != k:
            raise ValueError(
                f"`metric` must be a MetricLayer of as many dimensions as there are targets, "
                f"MetricLayer(…, dimension={k}); received {metric!r}"
                f"{f' of {metric.own_dimension}' if isinstance(metric, MetricLayer) else ''}."
            )
        self.features = features
        self._rows = None

    def build(self, input_shape: tuple) -> None:
        """Make the parts for inputs (batch, …)."""
        if self.features is not None:
            if not self.features.built:
                self.features.build(input_shape)
            input_shape = self.features.compute_output_shape(input_shape)
        if len(input_shape) != 2:
            raise ValueError(
                f"Inputs must have shape (batch, n); received {tuple(input_shape)}. Of inputs of "
                "another shape, such as images, give `features`, a Keras model that makes (batch, "
                "n) of them."
            )
        n, k = int(input_shape[-1]), self.targets
        policy = self.metric.dtype_policy
        widths = [*self.hidden, k]
        self.network = [
            keras.layers.Dense(
                units,
                activation=self.activation if i < len(self.hidden) else None,
                dtype=policy,
                name=f"mean_{i}",
            )
            for i, units in enumerate(widths)
        ]
        for layer, width in zip(self.network, [n, *self.hidden], strict=True):
            layer.build((None, width))
        if not self.metric.built:
            self.metric.build((None, n))
            self.metric.built = True
        self.input_mean = self._constant("input_mean", (n,), "zeros")
        self.input_spread = self._constant("input_spread", (n,), "ones")
        self.target_mean = self._constant("target_mean", (k,), "zeros")
        self.target_spread = self._constant("target_spread", (k,), "ones")
        # Zero for a target that does not vary: the likelihood weighs it as a plain square.
        self.varying = self._constant("varying", (k,), "ones")
        self.inflation = self._constant("inflation", (), "ones")
        self.adapted = self._constant("adapted", (), "zeros")

    def _constant(self, name, shape, start):
        return self.add_weight(shape=shape, initializer=start, trainable=False, name=name)

    def adapt(self, x: FitInput, y: np.ndarray | None = None) -> None:
        """Take mean and spread of inputs and targets from the data; `fit` does it the first time.

        The covariance starts at that of the targets, column by column.

        Parameters
        ----------
        x : array (N, …), or a data set of batches (x, y)
        y : array (N, k)
            None where x gives both.
        """
        kind, given = keras.config.floatx(), first_arrays(x, y)
        refuse_not_finite(*given)
        x, y = (np.asarray(part, kind) for part in given)
        if y.ndim != 2 or y.shape[1] != self.targets or len(x) != len(y) or not len(x):
            raise ValueError(
                f"Expected inputs (N, …) and targets (N, {self.targets}); received shapes "
                f"{x.shape} and {y.shape}. One target a sample is a column, y[:, None]."
            )
        if not self.built:
            self.build((None, *x.shape[1:]))
            self.built = True
        if self.features is None:
            mean, spread, _ = _statistics(x)
            self.input_mean.assign(mean)
            self.input_spread.assign(spread)
        mean, spread, varying = _statistics(y)
        self.target_mean.assign(mean)
        self.target_spread.assign(spread)
        self.varying.assign(varying)
        self.metric.initialize_at(np.ones(self.targets))
        self.adapted.assign(1.0)

    def fit(
        self, x: FitInput | None = None, y: np.ndarray | None = None, **kwargs
    ) -> keras.callbacks.History:
        """As `keras.Model.fit`; adapts the first time, rescales where there are validation data.

        Parameters
        ----------
        x : array (N, …), or a data set of batches (x, y)
        y : array (N, k)
        **kwargs
            As in Keras: `validation_data` or `validation_split`, `callbacks`, …
        """
        share = kwargs.pop("validation_split", 0.0)
        if share:
            kwargs["validation_data"], x, y = _split(x, y, share, kwargs)
        if not self.built or not float(ops.convert_to_numpy(self.adapted)):
            self.adapt(x, y)
        history = super().fit(x, y, **kwargs)
        held_out = kwargs.get("validation_data")
        if held_out is not None:
            self.rescale(*(held_out if isinstance(held_out, tuple | list) else (held_out,)))
        return history

    def row_shapes(self, parts: int) -> tuple:
        """Shapes of an input and of its targets."""
        del parts
        return [tuple(self.get_build_config()["input_shape"][1:])], (self.targets,)

    def moments(self, x: Tensor, training: bool = False) -> tuple:
        """Mean (batch, k) of the targets at x and their covariance (batch, k, k)."""
        z = self._coordinates(x, training)
        root = ops.convert_to_tensor(self.target_spread)[:, None] * inverse_factor(
            self.metric.factor(z)
        )
        covariance = ops.convert_to_tensor(self.inflation) * gram(root)
        return self._mean(z), without_still(covariance, ops.convert_to_tensor(self.varying))

    def call(self, x: Tensor, training: bool = False) -> Tensor:
        """Mean (batch, k) of the targets at x."""
        return self._mean(self._coordinates(x, training))

    def _coordinates(self, x, training):
        x = ops.convert_to_tensor(x)
        check_shapes(x, self.row_shapes(1)[0], "inputs")
        if self.features is not None:
            takes = "training" in signature(self.features.call).parameters
            z = self.features(x, training=training) if takes else self.features(x)
            return ops.cast(z, self.metric.compute_dtype)
        x = ops.cast(x, self.metric.compute_dtype)
        return (x - self.input_mean) / self.input_spread

    def _mean(self, z):
        for layer in self.network:
            z = layer(z)
        # A target that does not vary is predicted as it is.
        return self.target_mean + self.target_spread * self.varying * z

    def mean_and_covariance(self, x: np.ndarray) -> tuple:
        """Mean (N, k) of the targets at x (N, …) and their covariance (N, k, k), numpy arrays."""
        self._ready()
        if self._rows is None:
            self._rows = Rows(self.moments, self.variables)
        x = np.asarray(x, keras.config.floatx())
        check_shapes(x, self.row_shapes(1)[0], "inputs")
        return self._rows(x)

    def chi_square(
        self, x: FitInput, y: np.ndarray | None = None, sample_weight: np.ndarray | None = None
    ) -> float:
        """χ² per degree of freedom, the mean of (y − m)ᵀ Σ⁻¹ (y − m) / k.

        About 1 where the covariance is right, above 1 where it is too small. Its standard error is
        √(2 / (k N)) on N samples with normal noise.

        Parameters
        ----------
        x : array (N, …), or a data set of batches (x, y)
        y : array (N, k)
            None where x gives both.
        sample_weight : array (N,), optional

        Raises
        ------
        ValueError
            When there are no samples, or they are not as those that the model was fitted to.
        """
        _, covariance, residual = self._residual(x, y, sample_weight)
        varying = ops.convert_to_numpy(self.varying) > 0
        if not varying.any():
            return 1.0
        residual = residual[:, varying]
        covariance = covariance[:, varying][:, :, varying]
        white = np.linalg.solve(covariance, residual[:, :, None])[:, :, 0]
        squares = np.sum(residual * white, axis=1)
        return float(np.average(squares, weights=sample_weight) / varying.sum())

    def _residual(self, x, y, sample_weight=None):
        """Mean, covariance and residual of samples, checked."""
        self._ready()
        x, y = first_arrays(x, y)
        check_shapes(y, [(self.targets,)], "targets")
        count_rows(x, y, sample_weight)
        mean, covariance = self.mean_and_covariance(x)
        return mean, covariance, np.asarray(y, "float64") - mean

    def rescale(
        self, x: FitInput, y: np.ndarray | None = None, sample_weight: np.ndarray | None = None
    ) -> float:
        """Multiply the covariance by what makes χ² per degree of freedom 1 on held-out samples.

        That factor is the maximum of their likelihood.

        Parameters
        ----------
        x, y, sample_weight
            As in `chi_square`; samples that took no part in training.

        Returns
        -------
        float
            χ² per degree of freedom before.

        Raises
        ------
        ValueError
            When the samples are not finite, or all predicted but for rounding.
        """
        x, y = first_arrays(x, y)
        found = self.chi_square(x, y, sample_weight)
        mean, _, residual = self._residual(x, y)
        missed = varies(np.sqrt(np.mean(np.square(residual), axis=0)), mean, keras.config.floatx())
        if not (np.isfinite(found) and missed.any()):
            raise ValueError(
                f"χ² on the held-out samples is {found}, which no factor makes 1. They must be "
                "finite, and not all predicted exactly."
            )
        self.inflation.assign(self.inflation * found)
        return found

    def _ready(self):
        if not self.built:
            raise ValueError("The model has no weights yet: call fit(x, y) or adapt(x, y) first.")

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """(batch, …) to (batch, k)."""
        return (input_shape[0], self.targets)

    def get_config(self) -> dict:
        """Arguments of the constructor."""
        refuse_quantized(self)
        serialize = keras.saving.serialize_keras_object
        return {
            **super().get_config(),
            "targets": self.targets,
            "hidden": self.hidden,
            "metric": serialize(self.metric),
            "activation": serialize(self.activation),
            "features": None if self.features is None else serialize(self.features),
        }

    @classmethod
    def from_config(cls, config: dict) -> "GaussianRegression":
        """Rebuild the model from `get_config()`."""
        parts = [
            key for key in ("metric", "activation", "features") if isinstance(config[key], dict)
        ]
        read = {key: keras.saving.deserialize_keras_object(config[key]) for key in parts}
        return cls(**{**config, **read})


def _statistics(rows):
    """Mean, spread (1 for a column that does not vary) and whether it varies, of each column."""
    wide = rows.astype("float64")
    spread = wide.std(axis=0)
    varying = varies(spread, wide, keras.config.floatx())
    return wide.mean(axis=0), np.where(varying, spread, 1.0), varying


def _split(x, y, share, kwargs):
    """Validation data and the rest, x and y, as Keras splits arrays: the last share is held out."""
    if y is None:
        raise ValueError("`validation_split` needs arrays x and y; give `validation_data` instead.")
    if kwargs.get("validation_data") is not None:
        raise ValueError("Give `validation_data` or `validation_split`, not both.")
    if not 0 < share < 1:
        raise ValueError(f"`validation_split` must be in (0, 1); received {share!r}.")
    at = int(len(x) * (1 - share))
    parts = [x, y]
    if kwargs.get("sample_weight") is not None:
        parts.append(np.asarray(kwargs["sample_weight"]))
        kwargs["sample_weight"] = parts[-1][:at]
    return tuple(part[at:] for part in parts), x[:at], y[:at]
