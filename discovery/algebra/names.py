"""Names of real Lie algebras from their structure constants.

An algebra is split into ideals by its centroid (the maps T with T[x, y] = [Tx, y], whose
eigenspaces are ideals), and each indecomposable part is told by its dimension, radical and the
signature of its Killing form.

Source: W. A. de Graaf, Lie Algebras: Theory and Algorithms (2000), §1.15 (direct sums), §2.6
(radical).
"""

from __future__ import annotations

import numpy as np

from discovery.criteria import SYMMETRIES

UNKNOWN = ("unknown",)
# Simple algebras: (dimension, positive, negative eigenvalues of the Killing form) -> names.
_SIMPLE = {
    (3, 0, 3): ("so(3)", "su(2)"),
    (3, 2, 1): ("sl(2)", "so(2,1)"),
    (6, 3, 3): ("so(3,1)", "sl(2,C)"),
    (8, 0, 8): ("su(3)",),
    (8, 4, 4): ("su(2,1)",),
    (8, 5, 3): ("sl(3)",),
    (10, 0, 10): ("so(5)",),
    (10, 4, 6): ("so(4,1)",),
    (10, 6, 4): ("so(3,2)",),
    (15, 0, 15): ("so(6)", "su(4)"),
    (15, 5, 10): ("so(5,1)",),
}


def identify(structure: np.ndarray, tolerance: float = 1e-6) -> tuple[str, ...]:
    """Name an algebra; only where the name is the same for any tolerance near the one given.

    Parameters
    ----------
    structure : (d, d, d) array
        ``structure[i, j, k]`` = c_ij^k.
    tolerance : float
        Relative size of what counts as zero; generators should be of about equal size.

    Returns
    -------
    tuple of str
        The usual name first, others of the same algebra after it: ``("so(3)", "su(2)")``.
    """
    names = {_identify(structure, factor * tolerance) for factor in (0.5, 1.0, 2.0)}
    return names.pop() if len(names) == 1 else UNKNOWN


def _identify(structure: np.ndarray, tolerance: float) -> tuple[str, ...]:
    c = _normalized(structure, tolerance)
    if not np.any(c):
        return (_lines(len(c)), "abelian") if len(c) > 1 else ("R", "abelian", "u(1)")
    core, n_lines = _without_free_centre(c, tolerance)
    parts = [_indecomposable(ideal, tolerance) for ideal in _ideals(core, tolerance)]
    if any(part == UNKNOWN for part in parts):
        return UNKNOWN
    return _sum_of(sorted(parts), n_lines)


def _lines(count: int) -> str:
    return "R" if count == 1 else f"R^{count}"


def _sum_of(parts: list[tuple[str, ...]], n_lines: int) -> tuple[str, ...]:
    names = [part[0] for part in parts]
    if n_lines:
        text = " + ".join([*names, _lines(n_lines)])
        if n_lines == 1 and names == ["su(3)"]:
            return ("u(3)", text)
        if n_lines == 1 and names == ["so(3)"]:
            return (text, "u(2)")
        if names == ["so(3)", "so(3)"]:
            return (f"so(4) + {_lines(n_lines)}", text)
        return (text,)
    if names == ["so(3)", "so(3)"]:
        return ("so(4)", "so(3) + so(3)")
    return parts[0] if len(parts) == 1 else (" + ".join(names),)


def _normalized(c: np.ndarray, tolerance: float) -> np.ndarray:
    """Scale the largest constant to one."""
    largest = np.abs(c).max(initial=0.0)
    if largest <= tolerance:
        return np.zeros_like(c)
    return c / largest


def _null(matrix: np.ndarray, tolerance: float) -> np.ndarray:
    """Return an orthonormal basis of the null space, in columns."""
    _, values, right = np.linalg.svd(matrix, full_matrices=len(matrix) < matrix.shape[1])
    rank = int(np.sum(values > tolerance * max(values.max(initial=0.0), 1e-300)))
    return right[rank:].T


def _range(matrix: np.ndarray, tolerance: float) -> np.ndarray:
    """Return an orthonormal basis of the column space."""
    left, values, _ = np.linalg.svd(matrix, full_matrices=False)
    return left[:, values > tolerance * max(values.max(initial=0.0), 1e-300)]


def _loose(tolerance: float) -> float:
    """Zero test of ranks: errors of constants add up there."""
    return min(3 * tolerance, 0.1)


def _centre(c: np.ndarray, tolerance: float) -> np.ndarray:
    """Return {x : [x, ·] = 0} as columns."""
    return _null(c.transpose(1, 2, 0).reshape(-1, len(c)), _loose(tolerance))


def _derived(c: np.ndarray, tolerance: float) -> np.ndarray:
    """Return [g, g] as columns."""
    return _range(c.reshape(-1, len(c)).T, _loose(tolerance))


def _restricted(c: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """Return the constants in a basis (columns) of a subalgebra, or of a quotient's complement."""
    brackets = np.einsum("ia,jb,ijk->abk", basis, basis, c)
    return np.einsum("abk,kc->abc", brackets, np.linalg.pinv(basis).T)


def _without_free_centre(c: np.ndarray, tolerance: float) -> tuple[np.ndarray, int]:
    """Split off lines that commute with everything and are no brackets."""
    centre, derived = _centre(c, tolerance), _derived(c, tolerance)
    if not centre.shape[1]:
        return c, 0
    # The part of the centre that is free: orthogonal to the part within [g, g].
    outside = centre - derived @ (derived.T @ centre)
    _, values, right = np.linalg.svd(outside, full_matrices=False)
    free = values > 0.1
    n_lines = int(free.sum())
    if not n_lines:
        return c, 0
    # Any complement of the free lines that contains [g, g] is an ideal.
    lines = centre @ right[free].T
    rest = _null(np.concatenate([derived, lines], axis=1).T, 1e-9)
    basis = np.concatenate([derived, rest], axis=1)
    everything = np.concatenate([basis, lines], axis=1)
    inverse = np.linalg.inv(everything)
    brackets = np.einsum("ia,jb,ijk->abk", basis, basis, c)
    coordinates = np.einsum("abk,ck->abc", brackets, inverse)
    return coordinates[:, :, : basis.shape[1]], n_lines


def _ideals(c: np.ndarray, tolerance: float) -> list[np.ndarray]:
    """Split an algebra into indecomposable ideals; return the constants of each."""
    d = len(c)
    # T[e_i, e_j] = [T e_i, e_j]: with T e_i = Σ_a T_ia e_a, Σ_k c_ij^k T_kl − Σ_a T_ia c_aj^l = 0.
    eye = np.eye(d)
    # equations[i, j, l, a, b] multiplies T_ab.
    equations = np.einsum("ija,bl->ijlab", c, eye) - np.einsum("ia,bjl->ijlab", eye, c)
    maps = _null(equations.reshape(d**3, d * d), _loose(tolerance)).T.reshape(-1, d, d)
    if len(maps) <= 1:
        return [c]
    rng = np.random.default_rng(0)
    groups, vectors = max(
        (
            _eigengroups(np.einsum("m,mij->ji", rng.standard_normal(len(maps)), maps))
            for _ in range(8)
        ),
        key=lambda pair: len(pair[0]),
    )
    if len(groups) == 1:
        return [c]
    bases = [
        _range(np.concatenate([vectors[:, g].real, vectors[:, g].imag], axis=1), 1e-6)
        for g in groups
    ]
    if sum(b.shape[1] for b in bases) != d:
        return [c]  # nilpotent parts: eigenvectors do not span; treat as one
    return [_restricted(c, basis) for basis in bases]


def _eigengroups(matrix: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
    """Group eigenvalues by their real parts; complex pairs stay together. Also the eigenvectors.

    Nilpotent parts spread an eigenvalue by the root of the noise: only wide gaps part groups.
    """
    values, vectors = np.linalg.eig(matrix)
    order = np.argsort(values.real)
    gaps = np.diff(values.real[order]) > SYMMETRIES.eigenvalue_gap * np.linalg.norm(matrix, 2)
    return np.split(order, np.flatnonzero(gaps) + 1), vectors


def _indecomposable(c: np.ndarray, tolerance: float) -> tuple[str, ...]:
    c = _normalized(c, tolerance)
    d, loose = len(c), _loose(tolerance)
    killing = np.einsum("ilm,jml->ij", c, c)
    derived = _derived(c, tolerance)
    # The radical is the complement of [g, g] in the Killing form.
    against = derived.T @ killing
    size = np.abs(np.einsum("ilm,jml->ij", np.abs(c), np.abs(c))).max()
    _, values, right = np.linalg.svd(against)
    rank = int(np.sum(values > loose * size))
    radical = right[rank:].T
    if not radical.shape[1]:
        return _simple(killing, loose)
    if radical.shape[1] == d:
        return _solvable(c, derived, tolerance)
    return _motions(c, radical, tolerance)


def _simple(killing: np.ndarray, loose: float) -> tuple[str, ...]:
    values = np.linalg.eigvalsh(killing)
    if np.any(np.abs(values) <= loose * np.abs(values).max()):
        return UNKNOWN
    key = (len(values), int(np.sum(values > 0)), int(np.sum(values < 0)))
    return _SIMPLE.get(key, UNKNOWN)


def _solvable(c: np.ndarray, derived: np.ndarray, tolerance: float) -> tuple[str, ...]:
    d, k = len(c), derived.shape[1]
    centre = _centre(c, tolerance)
    if k == 1 and centre.shape[1] == 1 and d % 2 == 1:
        # Heisenberg: brackets are a non-degenerate two-form times the central element.
        return (f"Heisenberg({d})",) if np.abs(derived.T @ centre) > 0.9 else UNKNOWN
    if d == 2:
        return ("aff(1)",)
    inner = _restricted(c, derived)
    if d != 3 or k != 2 or np.abs(inner).max() > _loose(tolerance):
        return UNKNOWN
    outside = _null(derived.T, 1e-9)[:, 0]
    action = np.einsum("i,ja,ijk,kb->ab", outside, derived, c, derived)
    trace, det = np.trace(action), np.linalg.det(action)
    if abs(trace) > _loose(tolerance) * np.abs(action).max() * 3:
        return UNKNOWN
    return ("e(2)",) if det > 0 else ("e(1,1)",)


def _motions(c: np.ndarray, radical: np.ndarray, tolerance: float) -> tuple[str, ...]:
    """Tell e(n): so(n) acting faithfully on an abelian ideal of dimension n."""
    n = radical.shape[1]
    if np.abs(_restricted(c, radical)).max() > _loose(tolerance):
        return UNKNOWN
    complement = _null(radical.T, 1e-9)
    basis = np.concatenate([complement, radical], axis=1)
    inverse = np.linalg.inv(basis)
    brackets = np.einsum("ia,jb,ijk,ck->abc", basis, basis, c, inverse)
    m = complement.shape[1]
    names = _identify(brackets[:m, :m, :m], tolerance)
    action = brackets[:m, m:, m:].reshape(m, -1)
    faithful = np.linalg.matrix_rank(action, tol=0.05 * np.abs(action).max()) == m
    if faithful and m == n * (n - 1) // 2 and f"so({n})" in names:
        return (f"e({n})",)
    return UNKNOWN
