"""Hidden symmetries of a metric and potential, scikit-learn style."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import sympy
from sklearn.base import BaseEstimator

from discovery.criteria import SYMMETRIES
from discovery.formulas import pencil, simple_numbers, sparse_basis
from discovery.formulas.parsing import parse_formula
from discovery.libraries.monomials import symbols_of
from discovery.symmetries import counting, lie_operators, problem
from discovery.symmetries.candidates import vector_fields
from discovery.symmetries.finder import SymmetryFinder
from discovery.symmetries.geometry.sources import Metric, Potential
from discovery.symmetries.problem import Prepared
from discovery.symmetries.tensors import TensorLibrary, tensor_operators

# Singular values of products of symmetries, over the largest, below which they depend on others. Of
# known metrics they depend to rounding or not at all, of learned ones to a few percent.
_DEPENDENT = 0.05


@dataclass(frozen=True)
class KillingTensor:
    """One quantity quadratic in the momenta, h = ½ K^ij p_i p_j + U, that a motion conserves.

    Attributes
    ----------
    tensor : sympy.Matrix (n, n)
        K^ij(q).
    potential : sympy.Expr
        U, in the coordinates and the symbol V for the potential.
    expression : sympy.Expr
        h, with momenta p_x for the coordinate x.
    residual : float
        Defect on held-out points; see `discovery.symmetries.tensors`.
    """

    tensor: sympy.Matrix
    potential: sympy.Expr
    expression: sympy.Expr
    residual: float

    def __str__(self) -> str:
        return f"{self.expression}   (residual {self.residual:.1e})"


class KillingTensorFinder(BaseEstimator):
    """Find the Killing tensors of rank two of a metric, with their potentials.

    Parameters
    ----------
    metric : callable or fitted model
        As for `SymmetryFinder`.
    potential : callable, optional
        V, ``(batch, n) -> (batch,)`` in `keras.ops`.
    library : sequence, optional
        Scalar SymPy expressions, tried for every K^ij and, alone and times V, for U. Default:
        monomials, or products of periodic functions where roles say angle.
    degree : int
        Of the monomials.
    names, roles, tolerance, random_state
        As for `SymmetryFinder`.

    Attributes
    ----------
    n_tensors_ : int
        Dimension of the space of solutions, the metric and products of symmetries included.
    n_irreducible_ : int
        How many of them are neither: the hidden symmetries.
    tensors_ : list of KillingTensor
        A sparse basis of the hidden ones, modulo the reducible.
    dimension_bound_ : int
        n(n+1)²(n+2)/12, what a space of constant curvature has: no metric has more, and no more
        are counted. A potential fixes U, up to a constant, for each tensor that it leaves.
    spectrum_ : (k,) array
        Defects, ascending.
    undecided_ : bool
        Whether the library is too poor to tell: it does not hold the metric itself or products of
        its symmetries, which are always solutions, so that it may lack others. Also where defects
        below the tolerance grow without a gap, or are more than the bound.

    Notes
    -----
    The bound is that of G. Thompson, J. Math. Phys. 27 (1986) 2693.

    Examples
    --------
    >>> plane = lambda x: ops.eye(2) + 0 * x[:, :1, None]
    >>> kepler = lambda x: -1 / ops.sqrt(ops.sum(x**2, -1))
    >>> finder = KillingTensorFinder(metric=plane, potential=kepler).fit(points)
    >>> finder.n_irreducible_          # two components of the Laplace–Runge–Lenz vector
    2
    """

    def __init__(  # noqa: PLR0913 (public API)
        self,
        metric: Metric | None = None,
        potential: Potential | None = None,
        library: Sequence | None = None,
        degree: int = 2,
        names: Sequence[str] | None = None,
        roles: Sequence[str | None] | None = None,
        tolerance: float | str = "auto",
        random_state: int | None = None,
    ) -> None:
        self.metric = metric
        self.potential = potential
        self.library = library
        self.degree = degree
        self.names = names
        self.roles = roles
        self.tolerance = tolerance
        self.random_state = random_state

    def fit(self, points: np.ndarray, y: None = None) -> KillingTensorFinder:
        """Find the tensors over the region that the points cover.

        Parameters
        ----------
        points : (N, n) array
        y : ignored

        Raises
        ------
        ValueError
            As `SymmetryFinder.fit`.
        """
        del y
        ready = problem.prepare(self, points)
        points, geometry, n = ready.points, ready.geometry, ready.points.shape[1]
        library = self._library(ready, geometry.force is not None)
        if geometry.force is not None:
            library.drop_dependent(points, geometry.potential, geometry.double)
        rows_each = n * (n + 1) * (n + 2) / 6 + n * (geometry.force is not None)
        needed = counting.needed_points(len(library), rows_each, n)
        counting.check_count(len(points), needed, f"{len(library)} tensors and potentials")

        operators = tensor_operators(library, points, geometry, geometry.potential)
        fit, held = operators.take(ready.fit), operators.take(ready.held)
        defects, vectors = lie_operators.spectrum(fit)
        self.spectrum_ = np.maximum(defects, lie_operators.defect(held, vectors))
        self.dimension_bound_ = n * (n + 1) ** 2 * (n + 2) // 12
        self.n_tensors_ = min(ready.dimension(self.spectrum_), self.dimension_bound_)
        space = vectors[:, : self.n_tensors_]

        known, complete = self._reducible(library, ready, space)
        self.undecided_ = not complete or bool(
            np.sum(self.spectrum_ <= ready.limit) > self.n_tensors_
        )
        self.n_irreducible_ = self.n_tensors_ - known.shape[1]
        top, bottom = fit.numerator(), fit.denominator()
        forms = pencil.Pencil(top.T @ top, bottom.T @ bottom)
        self.tensors_ = []
        if self.n_irreducible_:
            worst = float(lie_operators.defect(fit, space).max())
            basis = sparse_basis.sparse_basis(forms, space, library.costs(), 1.3 * worst, known)
            self.tensors_ = [self._tensor(library, v, held) for v in basis.T]
        return self

    def _library(self, ready: Prepared, with_potential: bool) -> TensorLibrary:
        symbols = symbols_of(ready.names)
        further: list[sympy.Expr] = []
        if self.library is None:
            functions, further = (
                vector_fields.scalar_functions(symbols, ready.roles, ready.points, degree)
                for degree in (self.degree, self.degree + 2)
            )
        else:
            if isinstance(self.library, str) or not isinstance(self.library, Sequence):
                raise ValueError(
                    "`library` must be a list of scalar SymPy expressions; received "
                    f"{self.library!r}."
                )
            functions = [parse_formula(f, symbols, "library") for f in self.library]
        return TensorLibrary(symbols, functions, with_potential, further)

    def _reducible(
        self, library: TensorLibrary, ready: Prepared, space: np.ndarray
    ) -> tuple[np.ndarray, bool]:
        """Return what the metric and products of symmetries span, and whether it is all there."""
        if not space.shape[1]:
            return space, False
        points, geometry = ready.points, ready.geometry
        finder = SymmetryFinder(
            metric=self.metric,
            potential=self.potential,
            degree=self.degree,
            names=self.names,
            roles=self.roles,
            tolerance=self.tolerance,
            random_state=self.random_state,
        ).fit(points)
        fields = [s(points) for s in finder.symmetries_]
        tensors = [np.linalg.inv(geometry.metric)]
        for a, one in enumerate(fields):
            for other in fields[a:]:
                product = one[:, :, None] * other[:, None, :]
                tensors.append((product + np.swapaxes(product, 1, 2)) / 2)
        values, _ = library.scalars(points)
        columns = np.zeros((len(points), len(library), *geometry.metric.shape[1:]))
        for a, (f, i, j) in enumerate(library.entries):
            columns[:, a, i, j] = columns[:, a, j, i] = values[:, f]
        factor = np.linalg.cholesky(geometry.metric)
        white = np.einsum("baij,bix,bjy->bxya", columns, factor, factor, optimize=True)
        solutions = white.reshape(-1, len(library)) @ space
        scale = np.linalg.norm(solutions)
        found = []
        for tensor in tensors:
            target = np.einsum("bij,bix,bjy->bxy", tensor, factor, factor).reshape(-1)
            c = np.linalg.lstsq(solutions, target, rcond=1e-8)[0]
            # A product whose coefficients the library lacks is not among the solutions.
            if np.linalg.norm(
                solutions @ c - target
            ) <= SYMMETRIES.product_residual * np.linalg.norm(target):
                found.append(c / np.linalg.norm(solutions @ c) * scale)
        complete = len(found) == len(tensors)
        if not found:
            return space[:, :0], complete
        left, sizes, _ = np.linalg.svd(np.array(found).T, full_matrices=False)
        return space @ left[:, sizes > _DEPENDENT * sizes[0]], complete

    def _tensor(
        self, library: TensorLibrary, vector: np.ndarray, held: lie_operators.LieOperators
    ) -> KillingTensor:
        numbers = simple_numbers.as_numbers(vector)
        tensor, potential = library.tensor(numbers), library.potential(numbers)
        momenta = sympy.Matrix([sympy.Symbol(f"p_{s}", real=True) for s in library.symbols])
        kinetic = sympy.expand((momenta.T * tensor * momenta)[0] / 2)
        one = held.onto(vector[:, None])
        return KillingTensor(
            tensor=tensor,
            potential=potential,
            expression=kinetic + potential,
            residual=float(lie_operators.defect(one, np.eye(1))[0]),
        )
