"""Runs larger than memory: searched in part, judged on all, by every door."""

import os
import signal
import sys
import threading
import time

import numpy as np
import pytest

from discovery import ConservedQuantityFinder, Trajectories, discover
from discovery.cli import main
from discovery.data.row_limit import drawn_from

N_RUNS, STEPS = 600, 20


def oscillators(friction=0.0, n_runs=N_RUNS, seed=0):
    """Runs of one oscillator with noise; friction may differ from run to run."""
    rng = np.random.default_rng(seed)
    t = 0.4 * np.arange(STEPS)
    loss = np.broadcast_to(friction, n_runs)[:, None]
    size = rng.uniform(0.5, 2, (n_runs, 1)) * np.exp(-loss * t)
    phase = t + rng.uniform(0, 6.3, (n_runs, 1))
    states = np.stack([size * np.cos(phase), -size * (np.sin(phase) + loss * np.cos(phase))], -1)
    states += 0.01 * rng.standard_normal(states.shape)
    return Trajectories(states, t, ["x", "v"], {"x": "position", "v": "velocity"})


def stored(runs, folder):
    for k, part in enumerate(np.array_split(np.arange(runs.n_runs), 4)):
        runs[part].to_file(folder / f"part{k}.parquet")
    return Trajectories.scan(folder, roles={"x": "position", "v": "velocity"})


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    return stored(oscillators(), tmp_path_factory.mktemp("runs"))


def fitted(scan, library=("x**2", "v**2"), **given):
    finder = ConservedQuantityFinder(list(library), max_rows=4000, random_state=0, **given)
    return finder.fit(scan).report_


def test_all_rows_judge(scan):
    report = fitted(scan)
    assert report.n_conserved == 1
    assert report.title.startswith("600 runs × 20 samples, coordinates x, v")
    assert "searched on 4000 rows of 200 runs; judged on all 12000 rows of 600 runs" in report.title
    # What the sample alone says of the same law excludes less, by about the root of the rows.
    alone = drawn_from(scan, 4000, np.random.default_rng(0))
    small = ConservedQuantityFinder(["x**2", "v**2"], random_state=0).fit(alone).quantities_[0]
    drifts = [q.drift_interval[1] ** 2 for q in (small, report.quantities[0])]
    assert drifts[0] / drifts[1] > 1.3


def test_files_that_fit_are_the_runs_themselves(scan):
    scan = Trajectories.scan(f"{scan.path}/part0.parquet")
    (piece,) = scan.pieces(10**6)
    runs = piece.read()
    finder = ConservedQuantityFinder(["x**2", "v**2"], random_state=0)
    told, known = (finder.fit(given).report_ for given in (scan, runs))
    assert str(told) == str(known) and "judged" not in told.title


def test_a_law_of_the_sample_alone_loses_its_verdict(tmp_path):
    """One run in two hundred has friction, and none of these is in the sample."""
    rng = np.random.default_rng(np.random.RandomState(0).randint(2**31))  # the finder's
    sample = drawn_from(stored(oscillators(), tmp_path), 4000, rng).run_ids
    rest = np.setdiff1d(np.arange(N_RUNS), sample)[:5]
    scan = stored(oscillators(np.where(np.isin(np.arange(N_RUNS), rest), 0.05, 0.0)), tmp_path)
    report = fitted(scan)
    assert report.n_conserved == 0
    assert "x**2 + v**2 holds on the sample and not on all" in report.title


def test_nothing_is_judged_where_nothing_is_found(tmp_path):
    rng = np.random.default_rng(0)
    states = rng.normal(size=(300, 30, 2)).cumsum(axis=1)
    scan = stored(Trajectories(states, names=["x", "v"]), tmp_path)
    report = ConservedQuantityFinder(["x**2", "v"], max_rows=3000, random_state=0).fit(scan).report_
    assert report.n_conserved == 0


def test_maps_by_discover(tmp_path):
    turn = np.array([[np.cos(0.7), -np.sin(0.7)], [np.sin(0.7), np.cos(0.7)]])
    rng = np.random.default_rng(0)
    states = [rng.normal(size=(300, 2))]
    for _ in range(29):
        states.append(states[-1] @ turn.T)
    states = np.stack(states, 1) + 0.01 * rng.standard_normal((300, 30, 2))
    scan = stored(Trajectories(states, names=["x", "v"]), tmp_path)
    report = discover(scan, kind="map", noise=0.01, max_rows=3000, random_state=0, verbose=False)
    assert report.n_conserved == 1 and "judged on all 9000 rows" in report.title


def test_by_the_command_line(scan, capsys):
    asked = ["--no-model", "--max-rows", "4000", "--roles", "x=position,v=velocity"]
    assert main([scan.path, *asked]) == 0
    out, _ = capsys.readouterr()
    assert "judged on all 12000 rows" in " ".join(out.split()) and "quantities: 1" in out
    assert main([scan.path, "--max-rows", "7", "--no-model"]) == 2
    assert "--max-rows: received 7" in capsys.readouterr().err


def test_fields_are_not_taken_in_part(tmp_path):
    runs = oscillators(n_runs=100)
    scan = stored(runs, tmp_path)
    scan = Trajectories.scan(tmp_path, roles={"x": "field", "v": "field"})
    with pytest.raises(ValueError, match="rows of fields"):
        ConservedQuantityFinder(max_rows=1000).fit(scan)


def test_without_dask_an_error_says_what_to_install(scan, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ImportError, match=r"pip install 'keras-ndm\[dask\]'"):
        fitted(scan, client="tcp://127.0.0.1:1")
    assert fitted(scan).n_conserved == 1


def test_what_is_no_client(scan):
    pytest.importorskip("distributed")
    with pytest.raises(ValueError, match="client: received int"):
        fitted(scan, client=3)
    with pytest.raises(ValueError, match="no scheduler answers"):
        fitted(scan, client="nowhere")


def test_no_client_is_made_where_no_scheduler_answers(scan, monkeypatch):
    """One that is half open keeps the process from ending for a minute."""
    distributed = pytest.importorskip("distributed")

    class Never(distributed.Client):
        def __init__(self, *_, **__):
            raise AssertionError

    monkeypatch.setattr(distributed, "Client", Never)
    with pytest.raises(ValueError, match="no scheduler answers"):
        fitted(scan, client="nowhere")


def kill_one_that_works(client, processes):
    busy = []
    while not busy:
        time.sleep(0.05)
        busy = [worker for worker, tasks in client.processing().items() if tasks]
    os.kill(processes[busy[0]], signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.parametrize("kill", [False, True])
def test_a_cluster_says_the_same(kill, tmp_path):
    """Two processes, of which one may be killed while they work."""
    distributed = pytest.importorskip("distributed")
    runs = oscillators(n_runs=15_000)
    # A law of odd coefficients, which are refitted.
    odd = Trajectories(runs.states * [1.0, 1.0673], runs.times, runs.names, runs.roles)
    scan = stored(odd, tmp_path)
    alone = fitted(scan)
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        before = client.run(os.getpid)
        killer = threading.Thread(target=kill_one_that_works, args=(client, before), daemon=True)
        if kill:
            killer.start()
        report = fitted(scan, client=client)
        if kill:
            killer.join()
            assert set(before.values()) != set(client.run(os.getpid).values())
    for one, other in zip(alone.quantities, report.quantities, strict=True):
        assert one.expression == other.expression and one.verdict == other.verdict
        numbers = [
            [q.flatness, q.drift, *q.drift_interval, q.signal, *q.standard_errors.values()]
            for q in (one, other)
        ]
        np.testing.assert_allclose(*numbers, rtol=1e-9)
    assert alone.confidence == report.confidence
