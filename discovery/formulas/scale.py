"""The scale of a formula: which printed number is it, and how well are the others known beside it.

A law has no scale of its own, so errors are those of ratios. A reader takes the number that is
printed as 1, or as the ½ of a kinetic term, as the scale, and all others as measured against it.
"""

from __future__ import annotations

import numpy as np

from discovery.formulas.simple_numbers import NUMBERS

# What books print before the term that has the scale.
_OF_BOOKS = (1.0, 0.5)


def scale_term(printed: np.ndarray, covariance: np.ndarray) -> int:
    """Return which term's printed number is the scale.

    One that is printed as 1 or ½, or else with the simplest number; of several the one that is
    known best, and where no number is simple that of all.

    Parameters
    ----------
    printed : (s,) array
        Coefficients, some of them not zero.
    covariance : (s, s) array
        Of their errors, in any scale.
    """
    sizes = np.abs(printed)
    with np.errstate(all="ignore"):
        shares = np.where(sizes > 0, np.sqrt(np.diag(covariance)) / sizes, np.inf)
    prices = np.full(len(sizes), np.inf)
    simple = NUMBERS.are_simple(sizes) & (sizes > 0)
    prices[simple] = [NUMBERS.price(size) for size in sizes[simple]]
    prices[np.isclose(sizes[:, None], _OF_BOOKS, rtol=1e-9, atol=0.0).any(axis=1)] = 0.0
    return int(np.lexsort((np.nan_to_num(shares, nan=np.inf), prices, sizes == 0))[0])


def errors_beside(coefficients: np.ndarray, covariance: np.ndarray, known: int) -> np.ndarray:
    """Return the standard errors of coefficients with one term's taken as known, (s,).

    To first order: in the scale in which term k is as printed, c_i is off by e_i − e_k c_i/c_k.

    Parameters
    ----------
    coefficients : (s,) array
    covariance : (s, s) array
        Of their errors, in any scale; infinite variances are those of what is not known.
    known : int
    """
    own, of_known = np.diag(covariance), covariance[known, known]
    with np.errstate(all="ignore"):
        ratios = coefficients / coefficients[known]
        less = 2 * ratios * covariance[known]
        variances = own + (ratios**2 * of_known if of_known else 0.0) - less
        errors = np.sqrt(np.maximum(variances, 0.0))
    errors[known] = 0.0
    return errors
