"""A hundred and fifty odd arrays: a clear ValueError, or clean runs; never anything else."""

import datetime
import decimal
import fractions

import numpy as np
import pandas as pd
import pytest

from discovery import ConservedQuantityFinder, Trajectories
from discovery.data.flaws.reading import read
from discovery.data.readiness import check_for_analysis

RUNS, STEPS = 8, 24


def swings(rng):
    t = np.arange(STEPS) * 0.3
    a, p = rng.uniform(0.5, 2, (RUNS, 1)), rng.uniform(0, 6, (RUNS, 1))
    return np.stack([a * np.cos(t + p), -a * np.sin(t + p)], axis=-1)


def holes(value, share):
    def make(rng):
        out = swings(rng)
        out[rng.random(out.shape) < share] = value
        return out

    return make


def column(values):
    """The second coordinate is this."""

    def make(rng):
        out = swings(rng)
        out[..., 1] = values(rng) if callable(values) else values
        return out

    return make


def scaled(size):
    return lambda rng: swings(rng) * size


def cast(kind):
    return lambda rng: (30 + 12 * swings(rng)).astype(kind)


def objects(value):
    def make(rng):
        out = swings(rng).astype(object)
        out[2, 5, 0] = value
        return out

    return make


def masked(share):
    return lambda rng: np.ma.array(swings(rng), mask=rng.random((RUNS, STEPS, 2)) < share)


def unequal(rng):
    return [run[: rng.integers(1, STEPS)] for run in swings(rng)]


ODD = {
    **{
        f"{value} in {share:.0%}": holes(value, share)
        for value in (np.nan, np.inf, -np.inf, 999, -1, 1e20, 1e308, 0)
        for share in (0.002, 0.1, 0.6, 1.0)
    },
    **{f"scale {size:g}": scaled(size) for size in (0, 1e-320, 1e-300, 1e-20, 1e20, 1e160, 1e305)},
    **{
        f"as {kind}": cast(kind)
        for kind in "f2 f4 f8 g i1 i8 u1 ? O >f8 c16 U8 S8 M8[s] m8[s] V4".split()  # noqa: SIM905
    },
    **{
        f"an object: {value!r}": objects(value)
        for value in (
            None,
            pd.NA,
            pd.NaT,
            "x",
            "1.5",
            "",
            1j,
            [1],
            {},
            10**400,
            decimal.Decimal("1.5"),
            fractions.Fraction(1, 3),
            datetime.date(2020, 1, 1),
            float("nan"),
            True,
            b"1",
        )
    },
    **{f"masked {share:.0%}": masked(share) for share in (0, 0.01, 0.3, 0.97, 1.0)},
    "constant": column(3.0),
    "constant within noise of rounding": column(lambda rng: 1 + 1e-16 * rng.random((RUNS, STEPS))),
    "run numbers": column(lambda rng: np.arange(RUNS)[:, None]),
    "a clock": column(lambda rng: np.arange(STEPS)),
    "a switch": column(lambda rng: rng.random((RUNS, STEPS)) < 0.5),
    "noise": column(lambda rng: rng.standard_normal((RUNS, STEPS))),
    "heavy tails": column(lambda rng: rng.standard_cauchy((RUNS, STEPS))),
    "one step": column(lambda rng: np.arange(STEPS) > 12),
    "one spike": column(lambda rng: np.arange(RUNS * STEPS).reshape(RUNS, STEPS) == 50),
    "twice the same": lambda rng: np.repeat(swings(rng)[..., :1], 2, axis=2),
    "Fortran order": lambda rng: np.asfortranarray(swings(rng)),
    "every other sample": lambda rng: swings(rng)[:, ::2],
    "backwards": lambda rng: swings(rng)[:, ::-1],
    "read only": lambda rng: np.broadcast_to(swings(rng)[:1], (RUNS, STEPS, 2)),
    "one sample": lambda rng: swings(rng)[:, :1],
    "two samples": lambda rng: swings(rng)[:, :2],
    "three samples": lambda rng: swings(rng)[:, :3],
    "no samples": lambda rng: swings(rng)[:, :0],
    "no runs": lambda rng: swings(rng)[:0],
    "one run": lambda rng: swings(rng)[:1],
    "no columns": lambda rng: swings(rng)[..., :0],
    "one column": lambda rng: swings(rng)[..., :1],
    "many columns": lambda rng: np.tile(swings(rng), 40) + rng.standard_normal((RUNS, STEPS, 80)),
    "a table": lambda rng: pd.DataFrame(swings(rng)[0]),
    "a column of a table": lambda rng: pd.Series(swings(rng)[0, :, 0]),
    "rank two": lambda rng: swings(rng)[0],
    "rank one": lambda rng: swings(rng)[0, :, 0],
    "rank four": lambda rng: swings(rng)[None],
    "a number": lambda rng: 5.0,
    "nothing": lambda rng: None,
    "text": lambda rng: "runs",
    "a set": lambda rng: {1.0, 2.0},
    "a dict": lambda rng: {"x": 1},
    "a generator": lambda rng: (run for run in swings(rng)),
    "a list of runs": lambda rng: list(swings(rng)),
    "nested lists": lambda rng: swings(rng).tolist(),
    "a tuple of tables": lambda rng: tuple(pd.DataFrame(run) for run in swings(rng)),
    "nullable tables": lambda rng: [pd.DataFrame(run).astype("Float64") for run in swings(rng)],
    "nullable tables with NA": lambda rng: [
        pd.DataFrame(run).astype("Float64").mask(np.abs(run) < 0.1) for run in swings(rng)
    ],
    "a masked array as object": lambda rng: np.ma.array(swings(rng).astype(object), mask=False),
    "a matrix": lambda rng: [np.asmatrix(run) for run in swings(rng)],
    "unequal runs": unequal,
    "a ragged run": lambda rng: [[[1.0, 2.0], [3.0]]],
    "an empty run": lambda rng: [*swings(rng), np.zeros((0, 2))],
    "runs of unequal width": lambda rng: [*swings(rng), np.zeros((5, 3))],
    "records": lambda rng: np.zeros((RUNS, STEPS), dtype=[("x", float), ("u", float)]),
}
CASES = [(name, missing) for name in ODD for missing in ("raise", "drop")]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # casts and squares of huge numbers
@pytest.mark.parametrize(("name", "missing"), CASES)
def test_odd_states(name, missing):
    for seed in range(2):
        try:
            runs = Trajectories(states=ODD[name](np.random.default_rng(seed)), missing=missing)
            check_for_analysis(runs)
            seen, turns = read(runs)
        except ValueError as error:
            assert len(str(error)) > 30
            continue
        assert np.isfinite(seen.rows).all() and not any(turns)
        assert (np.delete(np.diff(seen.row_times), seen.offsets[1:-1] - 1) > 0).all()
        assert len(seen.rows) == RUNS * STEPS or seen.remarks or "sample" in name or "un" in name


TIMES = {
    "repeated": lambda t: np.sort(np.r_[t[:-1], t[3]]),
    "all the same": lambda t: 0 * t,
    "backwards": lambda t: t[::-1],
    "nan": lambda t: np.where(t == 3, np.nan, t),
    "infinite": lambda t: np.where(t == 3, np.inf, t),
    "huge": lambda t: t + 1e17,
    "tiny": lambda t: t * 1e-310,
    "dates": lambda t: t.astype("M8[s]"),
    "text": lambda t: t.astype(str),
    "objects": lambda t: np.array([None, *t[1:]], dtype=object),
    "masked": lambda t: np.ma.masked_equal(t, 3),
    "too few": lambda t: t[:-1],
    "a number": lambda t: 5.0,
    "integers": lambda t: t.astype(int),
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("missing", ["raise", "drop"])
@pytest.mark.parametrize("times", TIMES.values(), ids=TIMES)
def test_odd_times(times, missing):
    values = swings(np.random.default_rng(0))
    try:
        runs = Trajectories(states=values, times=times(np.arange(float(STEPS))), missing=missing)
        read(runs)
    except ValueError as error:
        assert len(str(error)) > 30
        return
    assert (np.delete(np.diff(runs.row_times), runs.offsets[1:-1] - 1) > 0).all()
    assert len(runs.rows) == RUNS * STEPS or runs.remarks


ANALYSED = [
    "nan in 10%",
    "999 in 10%",
    "as f4",
    "as i8",
    "Fortran order",
    "unequal runs",
    "a clock",
]


@pytest.mark.parametrize("name", ANALYSED)
def test_odd_states_are_analysed(name):
    runs = Trajectories(states=ODD[name](np.random.default_rng(0)), missing="drop")
    try:
        report = ConservedQuantityFinder("polynomial", random_state=0, missing="drop").fit(runs)
    except ValueError as error:
        assert len(str(error)) > 30
        return
    assert report.n_conserved_ <= 1
