"""Which solver "auto" takes: the exact one as long as its kernel is small."""

__all__ = ["MOST_ROWS", "choose"]

# A step with so many takes about 0.14 seconds on one core, and the half of the kernel that is made
# 16 MiB in float64.
MOST_ROWS = 2048

# Assumed where a data set does not tell the size of its batches (its last one is smaller).
_UNKNOWN_SAMPLES = 1024


def choose(columns: int, samples: int | None, parameters: int) -> tuple[str, str]:
    """Solver for a kernel of `columns` · `samples` rows, and the reason in a sentence."""
    known = samples is not None
    rows = columns * (samples if known else _UNKNOWN_SAMPLES)
    size = (
        f"{samples} samples" if known else f"batches of unknown size, taken as {_UNKNOWN_SAMPLES},"
    )
    facts = (
        f"{size} with {columns} number{'s' * (columns > 1)} each make a kernel of {rows} rows; "
        f"the model has {parameters} parameters"
    )
    if rows <= MOST_ROWS:
        return "exact", f"exact, since {facts}."
    return "kronecker", f"kronecker, since {facts}, and more than {MOST_ROWS} rows are too many."
