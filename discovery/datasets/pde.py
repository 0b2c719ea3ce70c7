"""Fields on a periodic grid; their laws are integrals of local densities.

The wave equations are cut off in Fourier space below the wave number where products of the field
would alias (Galerkin truncation), so that the integrals are conserved by the grid equations too,
not only in the limit of a fine grid.
"""

from __future__ import annotations

import numpy as np

from discovery.datasets.system import System, register


def field_names(letters: str, n: int) -> tuple[str, ...]:
    """Return u1, u2, …: n columns a letter."""
    return tuple(f"{letter}{i + 1}" for letter in letters for i in range(n))


def waves(
    rng: np.random.Generator, n: int, points: int, modes: int, size: tuple[float, float]
) -> np.ndarray:
    """Draw random waves without mean.

    Parameters
    ----------
    rng : numpy Generator
    n, points : int
        Number of waves, points of each.
    modes : int
        Periods on the ring: 1 to ``modes``.
    size : (low, high)
        Range of the root mean square.

    Returns
    -------
    (n, points)
    """
    spectrum = np.zeros((n, points // 2 + 1), dtype=complex)
    spectrum[:, 1 : modes + 1] = rng.standard_normal((2, n, modes)).T.swapaxes(0, 1) @ [1, 1j]
    waves = np.fft.irfft(spectrum, points)
    return waves * (rng.uniform(*size, (n, 1)) / waves.std(axis=1, keepdims=True))


_KDV_POINTS, _KDV_LENGTH = 64, 20.0
_KDV_SPACING = _KDV_LENGTH / _KDV_POINTS
_KDV_K = 2 * np.pi / _KDV_LENGTH * np.arange(_KDV_POINTS // 2 + 1)
# Cubes of the field do not alias below a third of the grid's wave numbers.
_KDV_KEEP = np.arange(_KDV_POINTS // 2 + 1) < _KDV_POINTS / 3


def _kdv_flow(u: np.ndarray) -> np.ndarray:
    spectrum, square = np.fft.rfft(u), np.fft.rfft(u**2)
    slope = (1j * _KDV_K**3 * spectrum - 3j * _KDV_K * square) * _KDV_KEEP
    return np.fft.irfft(slope, _KDV_POINTS)


def _kdv_energy(u: np.ndarray) -> np.ndarray:
    slope = np.fft.irfft(1j * _KDV_K * _KDV_KEEP * np.fft.rfft(u), _KDV_POINTS)
    return _KDV_SPACING * (slope**2 / 2 - u**3).sum(axis=-1)


kdv = System(
    name="kdv",
    doc="Korteweg-de Vries equation, period 20, 64 points: random waves of one to three periods on "
    "a random mean. Of its infinitely many laws the first three are counted.",
    equations="u_t + 6*u*u_x + u_xxx = 0",
    source="R. M. Miura, C. S. Gardner and M. D. Kruskal, J. Math. Phys. 9, 1204 (1968)",
    names=field_names("u", _KDV_POINTS),
    roles=("field",) * _KDV_POINTS,
    flow=_kdv_flow,
    sample=lambda rng, n: (
        rng.uniform(-0.2, 0.4, (n, 1)) + waves(rng, n, _KDV_POINTS, 3, (0.15, 0.4))
    ),
    dt=0.05,
    laws={
        "mass": lambda u: _KDV_SPACING * u.sum(axis=-1),
        "momentum": lambda u: _KDV_SPACING * (u**2).sum(axis=-1),
        "energy": _kdv_energy,
    },
    count=3,
    grid_spacing=_KDV_SPACING,
)

_PHI_POINTS, _PHI_LENGTH = 32, 4 * np.pi
_PHI_SPACING = _PHI_LENGTH / _PHI_POINTS
_PHI_K = 2 * np.pi / _PHI_LENGTH * np.arange(_PHI_POINTS // 2 + 1)
# Fourth powers of the field do not alias below a quarter of the grid's wave numbers.
_PHI_KEEP = np.arange(_PHI_POINTS // 2 + 1) < _PHI_POINTS / 4


def _phi_slope(u: np.ndarray) -> np.ndarray:
    return np.fft.irfft(1j * _PHI_K * _PHI_KEEP * np.fft.rfft(u), _PHI_POINTS)


def _phi_flow(state: np.ndarray) -> np.ndarray:
    u, v = np.split(state, 2, axis=-1)
    force = np.fft.rfft(-u - u**3) - _PHI_K**2 * np.fft.rfft(u)
    return np.concatenate([v, np.fft.irfft(force * _PHI_KEEP, _PHI_POINTS)], axis=-1)


def _phi_energy(state: np.ndarray) -> np.ndarray:
    u, v = np.split(state, 2, axis=-1)
    density = v**2 / 2 + _phi_slope(u) ** 2 / 2 + u**2 / 2 + u**4 / 4
    return _PHI_SPACING * density.sum(axis=-1)


def _phi_momentum(state: np.ndarray) -> np.ndarray:
    u, v = np.split(state, 2, axis=-1)
    return -_PHI_SPACING * (v * _phi_slope(u)).sum(axis=-1)


nonlinear_wave = System(
    name="nonlinear_wave",
    doc="Klein-Gordon equation with a cubic term, period 4π, 32 points of u and of v = u_t: random "
    "waves of one to three periods on random means.",
    equations="u_t = v, v_t = u_xx - u - u**3",
    source="R. K. Dodd et al., Solitons and Nonlinear Wave Equations (1982), ch. 10",
    names=field_names("uv", _PHI_POINTS),
    roles=("field",) * (2 * _PHI_POINTS),
    flow=_phi_flow,
    sample=lambda rng, n: np.hstack(
        [
            rng.uniform(-0.8, 0.8, (n, 1)) + waves(rng, n, _PHI_POINTS, 3, (0.3, 1.0))
            for _ in range(2)
        ]
    ),
    dt=0.08,
    laws={"energy": _phi_energy, "momentum": _phi_momentum},
    count=2,
    grid_spacing=_PHI_SPACING,
)

_CELL_POINTS, _CELL_LENGTH = 32, 10.0
_CELL_SPACING = _CELL_LENGTH / _CELL_POINTS


def _laplacian(u: np.ndarray) -> np.ndarray:
    return (np.roll(u, 1, axis=-1) - 2 * u + np.roll(u, -1, axis=-1)) / _CELL_SPACING**2


def _pinning_flow(state: np.ndarray) -> np.ndarray:
    u, v = np.split(state, 2, axis=-1)
    exchange = v * (0.067 + u**2 / (1 + u**2)) - u
    return np.concatenate([0.1 * _laplacian(u) + exchange, _laplacian(v) - exchange], axis=-1)


wave_pinning = System(
    name="wave_pinning",
    doc="Protein of a cell between its membrane (u) and its interior (v), 32 points of each on a "
    "ring of length 10: only the total amount is conserved.",
    equations="u_t = 0.1*u_xx + f, v_t = v_xx - f, f = v*(0.067 + u**2/(1 + u**2)) - u",
    source="Y. Mori, A. Jilkine and L. Edelstein-Keshet, Biophys. J. 94, 3684 (2008)",
    names=field_names("uv", _CELL_POINTS),
    roles=("field",) * (2 * _CELL_POINTS),
    flow=_pinning_flow,
    sample=lambda rng, n: np.hstack(
        [
            rng.uniform(*mean, (n, 1)) + waves(rng, n, _CELL_POINTS, 3, (0.1, 0.25))
            for mean in ((0.8, 1.2), (1.5, 2.5))
        ]
    ),
    dt=0.05,
    laws={"mass": lambda state: _CELL_SPACING * state.sum(axis=-1)},
    count=1,
    grid_spacing=_CELL_SPACING,
)

register(kdv, nonlinear_wave, wave_pinning)
