"""Formulas in fewer terms: sin²θ for 1 − cos 2θ, and the like."""

from __future__ import annotations

import sympy


def short_in_angles(expression: sympy.Expr) -> sympy.Expr:
    """Return a formula with sin²θ for 1 − cos 2θ, and the like, where that is shorter.

    Parameters
    ----------
    expression : sympy.Expr
    """
    waves = expression.atoms(sympy.sin, sympy.cos)
    plain = all(wave.args[0].is_Symbol or _in_degrees(wave.args[0]) for wave in waves)
    if plain or expression.has(sympy.Float):
        return expression
    forms = [in_single_angles(expression), in_sines(expression)]
    factored = [sympy.factor(form) for form in forms]
    forms += [form for form in factored if not form.as_coeff_Mul()[1].is_Add]
    return min([expression, *forms], key=_size)


def in_single_angles(expression: sympy.Expr) -> sympy.Expr:
    """Return a formula without multiples and sums of angles, as a sum of terms.

    Parameters
    ----------
    expression : sympy.Expr
    """
    return sympy.expand(sympy.expand_trig(expression))


def in_sines(expression: sympy.Expr) -> sympy.Expr:
    """Return the same with 1 − sin²θ for cos²θ.

    Parameters
    ----------
    expression : sympy.Expr
    """
    opened = in_single_angles(expression)
    squares = {c**k: (1 - sympy.sin(c.args[0]) ** 2) ** (k // 2) for c, k in _even_cosines(opened)}
    return sympy.expand(opened.xreplace(squares))


def _in_degrees(angle: sympy.Expr) -> bool:
    return (180 * angle / sympy.pi).is_Symbol


def _size(form: sympy.Expr) -> tuple[int, int]:
    return len(sympy.Add.make_args(form)), sympy.count_ops(form)


def _even_cosines(e: sympy.Expr) -> list[tuple[sympy.Expr, int]]:
    powers = [(p.base, p.exp) for p in e.atoms(sympy.Pow) if isinstance(p.base, sympy.cos)]
    return [(base, int(k)) for base, k in powers if k.is_Integer and k > 0 and k % 2 == 0]
