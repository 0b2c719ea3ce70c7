import os

from keras import ops

MODE = os.environ.get("MODE", "same")
LO = float(os.environ.get("LO", "1e-13"))
DOWN = float(os.environ.get("DOWN", "0.667"))
UP = float(os.environ.get("UP", "2"))


def judged(damping, decrease, promised):
    if MODE == "same":
        return damping
    ratio = decrease / ops.where(promised > 0, promised, 1.0)
    if MODE == "fresh":
        factor = ops.where(ratio > 0.75, DOWN, ops.where(ratio < 0.25, UP, 1.0))
    else:
        factor = ops.where(ratio < 0.0, UP, DOWN)
    factor = ops.where((promised > 0) & ops.isfinite(ratio), factor, 1.0)
    return ops.clip(damping * factor, LO, 1e6)


def after(damping, fraction, ratio):
    if MODE == "same":
        f = ops.where(
            fraction >= 1.0,
            ops.where(ratio > 0.75, DOWN, ops.where(ratio < 0.25, UP, 1.0)),
            ops.where(fraction > 0, UP, 4.0),
        )
    else:
        f = ops.where(fraction >= 1.0, 1.0, ops.where(fraction > 0, 1.5, 4.0))
    return ops.clip(damping * f, LO, 1e6)
