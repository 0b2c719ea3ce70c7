"""Lagrangian manifolds: their equation of motion, training, rollouts and saving."""

import warnings

import keras
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from keras_ndm import LagrangianManifold
from keras_ndm.mechanics import from_positions

RNG = np.random.default_rng(0)
Q, V = RNG.normal(size=(40, 2)), RNG.normal(size=(40, 2))


def random_model(**options):
    """A model with weights far from a free particle, on uneven scales."""
    keras.utils.set_random_seed(1)
    model = LagrangianManifold(hidden=(16, 16), **options)
    model.adapt((Q * [1.0, 3.0], V * [1.0, 3.0]), RNG.normal(size=(40, 2)))
    for weight in model.trainable_variables:
        if "kernel" in weight.name:
            weight.assign(RNG.normal(size=weight.shape) / np.sqrt(weight.shape[0]))
    return model


def rates(model, q, v, h=2e-3):
    """∂_k g (n, k, i, j) and ∂_k V (n, k) by central differences of the public functions."""
    units = np.eye(q.shape[1]) * h
    dg = [(model.mass_matrix(q + e) - model.mass_matrix(q - e)) / (2 * h) for e in units]
    dv = [(model.potential(q + e) - model.potential(q - e)) / (2 * h) for e in units]
    return np.stack(dg, axis=1), np.stack(dv, axis=1)


@pytest.mark.parametrize("angles", [(), (0,), (0, 1)])
def test_accelerations_obey_the_euler_lagrange_equations(angles):
    model = random_model(angles=angles)
    g = model.mass_matrix(Q)
    dg, dv = rates(model, Q, V)
    geodesic = np.einsum("nkij,nk,nj->ni", dg, V, V) - 0.5 * np.einsum("nijk,nj,nk->ni", dg, V, V)
    expected = np.linalg.solve(g, -(geodesic + dv)[:, :, None])[:, :, 0]
    found = model.acceleration(Q, V)
    # Differences of single-precision values: 1e-7 / 2e-3.
    np.testing.assert_allclose(found, expected, rtol=5e-3, atol=5e-3 * np.abs(expected).max())


def test_derivatives_that_symmetries_are_read_from():
    model = random_model(angles=(1,))
    terms = model.lagrangian_terms(Q)
    dg, dv = rates(model, Q, V)
    np.testing.assert_allclose(terms.partials, dg, atol=2e-3 * np.abs(dg).max())
    np.testing.assert_allclose(terms.force, dv, atol=2e-3 * np.abs(dv).max())


def power(model, q, v):
    """Rate of the energy along the motion, from accelerations and differences of g and V."""
    a, g = model.acceleration(q, v), model.mass_matrix(q)
    dg, dv = rates(model, q, v)
    kinetic = np.einsum("ni,nij,nj->n", v, g, a) + 0.5 * np.einsum("nk,nkij,ni,nj->n", v, dg, v, v)
    return kinetic + np.einsum("nk,nk->n", v, dv)


@pytest.mark.slow_on_jax
def test_magnetic_forces_do_no_work_and_friction_takes_energy():
    still = np.abs(power(random_model(), Q, V)).max()
    scale = np.abs(random_model().energy(Q, V)).max()
    assert still < 1e-2 * scale
    assert np.abs(power(random_model(magnetic=True), Q, V)).max() < 1e-2 * scale
    assert np.all(power(random_model(dissipation=True), Q, V) < -still / 10)
    with_field = random_model(magnetic=True)
    # Reversing velocities reverses magnetic forces: the acceleration is not even in v.
    difference = with_field.acceleration(Q, V) - with_field.acceleration(Q, -V)
    assert np.abs(difference).max() > 0.1


def test_angles_are_periodic():
    model = random_model(angles=(0,))
    turned = Q + np.array([2 * np.pi, 0.0])
    np.testing.assert_allclose(
        model.acceleration(turned, V), model.acceleration(Q, V), rtol=1e-3, atol=1e-3
    )


def test_scale_and_zero_are_fixed():
    model = random_model()
    spread, shift = (np.array(getattr(model, name)) for name in ("spread", "shift"))
    g = model.mass_matrix(shift[None])[0]
    assert np.linalg.det(g * np.outer(spread, spread)) == pytest.approx(1.0, rel=1e-4)
    assert model.potential(shift[None])[0] == pytest.approx(0.0, abs=1e-5)


def test_energy_is_the_legendre_transform():
    model = random_model(magnetic=True)
    kinetic = 0.5 * np.einsum("ni,nij,nj->n", V, model.mass_matrix(Q), V)
    np.testing.assert_allclose(model.energy(Q, V), kinetic + model.potential(Q), rtol=1e-4)
    # ∂p/∂v = g.
    h = 1e-2
    slope = (model.momentum(Q, V + np.array([h, 0])) - model.momentum(Q, V - [h, 0])) / (2 * h)
    np.testing.assert_allclose(slope, model.mass_matrix(Q)[:, :, 0], rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize("magnetic", [False, True])
def test_rollout_against_an_independent_integrator(magnetic):
    model = random_model(magnetic=magnetic)
    times = np.linspace(0, 0.5, 26)
    q, v = 0.3 * Q[:2], 0.3 * V[:2]
    path = model.rollout(q, v, times)
    assert path.shape == (2, 26, 4)
    for run in range(2):

        def rhs(_, y):
            return np.concatenate([y[2:], model.acceleration(y[None, :2], y[None, 2:])[0]])

        start = np.concatenate([q[run], v[run]])
        expected = solve_ivp(rhs, (0, 0.5), start, t_eval=times, rtol=1e-6, atol=1e-7).y.T
        np.testing.assert_allclose(path[run], expected, atol=1e-3 * np.abs(expected).max())


def oscillator(n, noise=0.0):
    """Two unequal masses on springs: g = diag(1, 2), V = ½ (x² + 3 y² + 2 x y)."""
    rng = np.random.default_rng(3)
    q, v = rng.uniform(-1, 1, (n, 2)), rng.uniform(-1, 1, (n, 2))
    a = -np.stack([q[:, 0] + q[:, 1], (q[:, 0] + 3 * q[:, 1]) / 2], axis=1)
    return q, v, a + noise * rng.normal(size=a.shape)


def trained(x, y, epochs, **options):
    keras.utils.set_random_seed(0)
    model = LagrangianManifold(hidden=(32, 32), **options)
    steps = epochs * (len(y) // 128)
    rate = keras.optimizers.schedules.CosineDecay(1e-2, steps)
    model.compile(keras.optimizers.Adam(rate), jit_compile=True)
    history = model.fit(x, y, epochs=epochs, batch_size=128, verbose=0)
    return model, history.history["loss"]


@pytest.mark.slow
def test_fit_on_accelerations_learns_the_motion_and_saves(tmp_path):
    q, v, a = oscillator(1024)
    model, losses = trained((q, v), a, epochs=60)
    assert losses[-1] < 2e-3 * losses[0]
    error = model.acceleration(q, v) - a
    assert np.sqrt(np.mean(error**2)) < 0.05 * a.std()
    times = np.linspace(0, 20, 401)
    path = model.rollout(q[:4], v[:4], times)
    energy = model.energy(path[..., :2].reshape(-1, 2), path[..., 2:].reshape(-1, 2))
    drift = energy.reshape(4, -1) - energy.reshape(4, -1)[:, :1]
    # Symplectic: the error oscillates and does not grow.
    assert np.abs(drift).max() < 2e-3 * np.abs(energy).max()
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.acceleration(q, v), model.acceleration(q, v), atol=1e-5)
    predicted = loaded.predict((q, v), verbose=0)
    np.testing.assert_allclose(predicted, model.acceleration(q, v), atol=1e-4)


def test_training_goes_on_from_a_file(tmp_path):
    """With the optimizer's state, and with a gradient for every weight."""
    q, v, a = oscillator(256)
    model = LagrangianManifold(hidden=(8,))
    model.compile("adam")
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="Gradients do not exist")
        model.fit((q, v), a, epochs=2, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    losses = [m.fit((q, v), a, shuffle=False, verbose=0).history["loss"] for m in (model, loaded)]
    assert losses[0] == losses[1]


def test_mixed_precision_trains_in_full(default_policy):
    keras.config.set_dtype_policy("mixed_float16")
    q, v, a = oscillator(256)
    model = LagrangianManifold(hidden=(8,))
    model.compile("adam")
    assert np.isfinite(model.fit((q, v), a, verbose=0).history["loss"]).all()
    assert model.compute_dtype == "float32"


@pytest.fixture
def default_policy():
    yield
    keras.config.set_dtype_policy("float32")


@pytest.mark.slow_on_jax
@pytest.mark.parametrize("hidden", [(16,), pytest.param((48, 48), marks=pytest.mark.slow)])
def test_polish_reaches_the_last_digits(hidden):
    """By all weights at once where they are few, by L-BFGS where they are many."""
    q, v, a = oscillator(512)
    keras.utils.set_random_seed(0)
    model = LagrangianManifold(hidden=hidden)
    model.adapt((q, v), a)
    before = np.sqrt(np.mean((model.acceleration(q, v) - a) ** 2))
    loss = model.polish((q, v), a, iterations=300)
    after = np.sqrt(np.mean((model.acceleration(q, v) - a) ** 2))
    assert after < 0.03 * before
    # What it returns is the loss of the weights that it leaves.
    rest = (model.acceleration(q, v) - a) / np.sqrt(np.mean(a**2, axis=0))
    assert loss == pytest.approx(0.5 * np.mean(np.sum(rest**2, axis=1)), rel=1e-2)


@pytest.mark.slow
def test_a_free_particle_in_flat_space_has_no_accelerations():
    """All residuals would be counted in units of zero."""
    q, v, _ = oscillator(256)
    keras.utils.set_random_seed(0)
    model = LagrangianManifold(hidden=(16,), potential=False)
    model.compile("adam")
    history = model.fit((q, v), 0 * q, epochs=2, verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    loss = model.polish((q, v), 0 * q, iterations=30)
    assert loss < 1e-6
    assert np.abs(model.acceleration(q, v)).max() < 1e-2
    now = np.hstack([q + 0.1 * v, v])
    states = LagrangianManifold(hidden=(16,), potential=False)
    states.compile("adam")
    history = states.fit((q, v, np.full((256, 1), 0.1)), now, epochs=1, verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    still = LagrangianManifold(hidden=(16,))
    assert np.isfinite(still.polish((q, 0 * v), 0 * q, iterations=5))


def test_draws_spread_where_the_data_leave_the_weights_open():
    q, v, a = oscillator(256, noise=0.05)
    keras.utils.set_random_seed(0)
    model = LagrangianManifold(hidden=(12,))
    model.polish((q, v), a, iterations=60)
    # A twentieth of the spread of the accelerations, about .6.
    assert 0.05 < model.posterior.noise < 0.15
    assert model.posterior.determined < 0.7 * len(model.posterior.mean)
    inside, outside = q[:50], 3.0 * q[:50]
    before = model.mass_matrix(inside)

    def spread(at):
        drawn = np.array([t.metric for t in model.drawn_terms(at, 8)])
        return np.sqrt(np.mean(drawn.std(axis=0) ** 2)) / np.mean(np.abs(drawn))

    assert 1e-4 < spread(inside) < spread(outside)
    np.testing.assert_array_equal(model.mass_matrix(inside), before)
    model.trainable_variables[0].assign(0.9 * model.trainable_variables[0])
    assert model.drawn_terms(inside, 3) == []


def pendulum(runs, steps, dt):
    """Angles run on beyond π: some runs wind."""
    start = np.random.default_rng(4).uniform([-2, -2.5], [2, 2.5], (runs, 2))
    times = dt * np.arange(steps)

    def rhs(_, y):
        return np.concatenate([y[runs:], -np.sin(y[:runs])])

    path = solve_ivp(rhs, (0, times[-1]), start.T.ravel(), t_eval=times, rtol=1e-9, atol=1e-9)
    return path.y.T.reshape(steps, 2, runs).transpose(2, 0, 1), times


@pytest.mark.slow
def test_fit_on_states_with_steps_and_angles_that_jump():
    runs, _ = pendulum(16, 81, 0.1)
    runs[..., 0] = np.angle(np.exp(1j * runs[..., 0]))
    now, after = runs[:, :-1].reshape(-1, 2), runs[:, 1:].reshape(-1, 2)
    x = (now[:, :1], now[:, 1:], np.full((len(now), 1), 0.1))
    model, losses = trained(x, after, epochs=20, angles=(0,))
    assert losses[-1] < 1e-2 * losses[0]
    model.polish(x, after, iterations=30)
    angle = np.linspace(-3, 3, 50)[:, None]
    np.testing.assert_allclose(model.acceleration(angle, 0 * angle), -np.sin(angle), atol=0.08)


def test_derivatives_from_noisy_positions():
    runs, times = pendulum(20, 200, 0.05)
    q = runs[..., :1]
    noisy = q + 1e-3 * RNG.normal(size=q.shape)
    (smooth, rate), bend = from_positions(noisy, times)
    per_run = len(smooth) // 20
    half = (200 - per_run) // 2
    inner = slice(half, 200 - half)
    exact = -np.sin(q[:, inner]).reshape(-1, 1)
    error = np.sqrt(np.mean((bend - exact) ** 2))
    naive = np.diff(noisy, n=2, axis=1) / 0.05**2 + np.sin(q[:, 1:-1])
    assert error < 0.02
    assert error < 0.05 * np.sqrt(np.mean(naive**2))
    assert np.sqrt(np.mean((rate - runs[:, inner, 1:].reshape(-1, 1)) ** 2)) < 3e-3
    assert np.sqrt(np.mean((smooth - q[:, inner].reshape(-1, 1)) ** 2)) < 1e-3


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (Q, V, "x must be"),
        ((Q, V[:5]), V, "one shape"),
        ((Q[:, 0], V[:, 0]), V, "one shape"),
        ((Q, V), V[:, :1], "accelerations"),
        ((Q, V, np.ones(40)), V, "next states"),
        ((Q, V, np.zeros(40)), np.hstack([Q, V]), "positive"),
        ((Q, V * np.nan), V, "finite"),
        ((Q, V), V * np.inf, "finite"),
        ((Q, V), None, "adapt"),
    ],
)
def test_data_that_do_not_fit(x, y, message):
    model = LagrangianManifold()
    model.compile("adam")
    with pytest.raises(ValueError, match=message):
        model.fit(x, y, verbose=0)


def test_arguments_that_do_not_fit():
    with pytest.raises(ValueError, match="relu"):
        LagrangianManifold(activation="relu")
    with pytest.raises(ValueError, match="substeps"):
        LagrangianManifold(substeps=0)
    with pytest.raises(ValueError, match="angles"):
        LagrangianManifold(angles=(2,)).adapt((Q, V), V)
    with pytest.raises(ValueError, match="no `loss`"):
        LagrangianManifold().compile("adam", loss="mse")
    with pytest.raises(ValueError, match="no weights yet"):
        LagrangianManifold().acceleration(Q, V)
    model = random_model()
    with pytest.raises(ValueError, match="2 coordinates"):
        model.mass_matrix(Q[:, :1])
    with pytest.raises(ValueError, match="increasing"):
        model.rollout(Q, V, np.zeros(3))
    with pytest.raises(ValueError, match="too long"):
        model.rollout(Q, V, [0.0, 1e3])
    with pytest.raises(ValueError, match="evenly"):
        from_positions(Q.reshape(2, 20, 2), np.arange(20.0) ** 2)
    with pytest.raises(ValueError, match="9 samples"):
        from_positions(Q[:8].reshape(1, 8, 2), np.arange(8.0))
