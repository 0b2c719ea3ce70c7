"""The command line: what it prints, where, and with which exit status."""

import inspect
import io
import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

import discovery
from discovery import DiscoveryReport, Trajectories, datasets, pipeline
from discovery.cli import main

QUICK = ["--no-model", "--runs", "30", "--steps", "80"]


def test_report_of_a_data_set(capsys):
    assert main(["rigid_body", "--noise", "0.01", *QUICK]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("rigid_body: 30 runs × 80 samples, coordinates omega1, omega2, omega3")
    assert "conserved quantities: 2" in out
    assert err == ""


def test_json_is_all_that_stdout_holds(capsys):
    assert main(["rigid_body", "--noise", "0.01", "--json", *QUICK]) == 0
    values = json.loads(capsys.readouterr().out)
    assert values["n_conserved"] == 2
    assert {q["verdict"] for q in values["quantities"]} == {"exact"}


def test_page(capsys, tmp_path):
    path = tmp_path / "page.html"
    assert main(["rigid_body", "--noise", "0.01", "--html", str(path), *QUICK]) == 0
    assert "conserved quantities: 2" in capsys.readouterr().out
    page = path.read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>") and "2 conserved quantities" in page


def test_files_beside_the_report(capsys, tmp_path):
    """Markdown, LaTeX, a picture, and the report itself, which is loaded again."""
    names = ("markdown", "latex", "plot", "save")
    paths = [tmp_path / f"laws.{suffix}" for suffix in ("md", "tex", "svg", "json")]
    pairs = zip(names, paths, strict=True)
    asked = [part for name, path in pairs for part in (f"--{name}", str(path))]
    assert main(["rigid_body", "--noise", "0.01", "--explain", *asked, *QUICK]) == 0
    out, err = capsys.readouterr()
    assert "What decided: all checks are passed" in out and err == ""
    markdown, latex, plot, saved = (path.read_text(encoding="utf-8") for path in paths)
    assert "**Conserved quantities: 2" in markdown and r"\begin{tabular}" in latex
    assert plot.startswith("<?xml") and '"n_conserved"' not in saved
    report = DiscoveryReport.load(paths[3])
    assert report.n_conserved == 2 and report.explain() == out.removesuffix("\n")


@pytest.mark.parametrize("option", ["html", "markdown", "latex", "plot", "save"])
@pytest.mark.parametrize("place", ["nowhere/page.png", "."])
def test_files_where_none_can_be(capsys, tmp_path, option, place):
    """It is seen before the source is even looked for."""
    assert main(["no_such_source", f"--{option}", str(tmp_path / place)]) == 2
    out, err = capsys.readouterr()
    assert out == "" and f"--{option}: " in err and "cannot be written" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("source", ["runs.csv", ".", "r*.csv"])
def test_the_data_are_not_written_over(capsys, tmp_path, source):
    data = tmp_path / "runs.csv"
    datasets.load("rigid_body", 10, 40, seed=0).to_file(data)
    before = data.read_bytes()
    assert main([str(tmp_path / source), "--no-model", "--html", str(data)]) == 2
    out, err = capsys.readouterr()
    assert out == "" and "holds the data" in err and data.read_bytes() == before


def test_letters_that_a_terminal_lacks_are_replaced():
    command = [sys.executable, "-m", "discovery", "rigid_body", "--noise", "0.01", *QUICK]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, capture_output=True, env=environment, timeout=120)
    assert done.returncode == 0
    assert b"conserved quantities: 2" in done.stdout and b"30 runs ? 80 samples" in done.stdout


def test_pictures_of_an_unknown_kind_and_two_files_of_one_name(capsys, tmp_path):
    assert main(["no_such_source", "--plot", str(tmp_path / "laws.txt")]) == 2
    assert "Expected one such as .png, .svg or .pdf" in capsys.readouterr().err
    twice = str(tmp_path / "laws")
    assert main(["no_such_source", "--html", twice, "--save", twice]) == 2
    assert "is named twice" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_seed_decides_everything(capsys):
    answers = []
    for seed in ("3", "3", "4"):
        main(["rigid_body", "--noise", "0.05", "--json", "--seed", seed, *QUICK])
        answers.append(capsys.readouterr().out)
    assert answers[0] == answers[1] != answers[2]


@pytest.fixture
def table(tmp_path):
    """A file of orbits whose columns have names of their own."""
    runs = datasets.load("kepler", 30, 80, noise=0.005, seed=0)
    frame = runs.to_frame("orbit", "seconds")
    path = tmp_path / "runs.csv"
    frame.to_csv(path, index=False)
    return str(path)


def test_file(capsys, table):
    arguments = [table, "--run", "orbit", "--time", "seconds", "--no-model"]
    roles = "x=position, y=position, u=velocity, v=velocity"
    assert main([*arguments, "--roles", roles, "--library", "mechanics"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("30 runs × 80 samples, coordinates x, y, u, v")
    assert "u**2/2 + v**2/2 - 1/sqrt(x**2 + y**2)" in out
    assert "searched: mechanics" in out


def test_a_model_is_trained_unless_told_otherwise(capsys, monkeypatch):
    """What reaches `discover`; training itself is tested there."""
    seen = {}

    def discover(runs, **options):
        seen.update(options, runs=runs)
        return "the report"

    monkeypatch.setattr(pipeline, "discover", discover)
    assert main(["kepler", "--runs", "9", "--library", "mechanics", "--seed", "5", "--quiet"]) == 0
    assert capsys.readouterr().out == "the report\n"
    assert (seen["runs"].n_runs, seen["runs"].name) == (9, "kepler")
    assert (seen["library"], seen["random_state"], seen["verbose"]) == ("mechanics", 5, False)


def written(runs, path, head):
    """Write runs as a spreadsheet in Germany does."""
    lines = [head]
    for group, t, row in zip(runs.groups, runs.row_times, runs.rows, strict=True):
        cells = [str(group), f"{t:.6f}", *(f"{x:.9f}" for x in row)]
        lines.append(";".join(cells).replace(".", ","))
    path.write_text("\n".join(lines), encoding="latin-1")


@pytest.fixture
def oscillators():
    return datasets.load("harmonic_oscillator", 20, 60, noise=0.01, seed=0)


def test_a_table_from_elsewhere(capsys, tmp_path, oscillators):
    """Semicolons, decimal commas, units, Latin 1, other names: nothing needs to be said."""
    written(oscillators, tmp_path / "a.csv", "Versuch;Zeit (s);Höhe (m);v [m/s]")
    assert main([str(tmp_path / "a.csv"), "--no-model"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("20 runs × 60 samples, coordinates Höhe, v")
    assert "conserved quantities: 1" in out and err == ""


def test_options_of_what_was_measured(capsys, tmp_path, oscillators):
    frame = oscillators.to_frame().assign(comment="none")
    x, u = oscillators.names
    frame.to_csv(tmp_path / "a.csv", index=False)
    options = ["--columns", f"{x},{u}", "--noise-level", "0.01", "--constants", "k=1"]
    assert main([str(tmp_path / "a.csv"), "--no-model", *options]) == 0
    assert "conserved quantities: 1" in capsys.readouterr().out


def test_a_column_that_does_not_vary(capsys, tmp_path, oscillators):
    """The option that leaves it out is named."""
    frame = oscillators.to_frame().assign(room=293.0)
    frame.to_csv(tmp_path / "lab.csv", index=False)
    assert main([str(tmp_path / "lab.csv"), "--no-model"]) == 2
    said = capsys.readouterr().err
    assert "'room' is constant over all runs" in said and "--columns names the others" in said


def test_standard_input(capsys, monkeypatch, oscillators):
    text = oscillators.to_frame().to_csv(index=False)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert main(["-", "--no-model", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["n_conserved"] == 1


@pytest.mark.skipif(
    "missing" not in inspect.signature(Trajectories.from_file).parameters,
    reason="Trajectories.from_file has no missing= yet",
)
def test_missing_samples_are_dropped(capsys, tmp_path, oscillators):
    frame = oscillators.to_frame()
    frame.iloc[100, 2] = np.nan
    frame.to_csv(tmp_path / "a.csv", index=False)
    assert main([str(tmp_path / "a.csv"), "--no-model"]) == 2
    assert "--drop-missing" in capsys.readouterr().err
    assert main([str(tmp_path / "a.csv"), "--no-model", "--drop-missing"]) == 0


@pytest.mark.skipif(
    not hasattr(Trajectories, "in_radians"), reason="there is no Trajectories.in_radians yet"
)
def test_degrees(capsys, tmp_path):
    runs = datasets.load("pendulum", 20, 60)
    frame = runs.to_frame()
    frame[list(runs.names)] *= 180 / np.pi
    frame.to_csv(tmp_path / "a.csv", index=False)
    columns = ",".join(runs.names)
    assert main([str(tmp_path / "a.csv"), "--no-model", "--degrees", columns]) == 0
    assert "conserved quantities: 1" in capsys.readouterr().out


@pytest.mark.skipif(
    not hasattr(Trajectories, "with_velocities"),
    reason="there is no Trajectories.with_velocities yet",
)
def test_positions_only(capsys, tmp_path):
    runs = datasets.load("harmonic_oscillator", 20, 100)
    runs.to_frame().drop(columns=runs.names[1]).to_csv(tmp_path / "a.csv", index=False)
    assert main([str(tmp_path / "a.csv"), "--no-model", "--positions-only"]) == 0
    assert "conserved quantities: 1" in capsys.readouterr().out


def test_positions_of_a_wrapped_angle_in_degrees_and_their_noise(capsys, tmp_path):
    runs = datasets.load("pendulum", 20, 80).of_columns([0])
    frame = runs.to_frame().rename(columns={runs.names[0]: "theta"})
    frame["theta"] = np.degrees(frame["theta"]) % 360
    frame.to_csv(tmp_path / "a.csv", index=False)
    options = ["--no-model", "--positions-only", "--noise-level", "theta=0.01", "--json"]
    assert main([str(tmp_path / "a.csv"), *options]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["n_conserved"] == 1
    assert report["noise"]["theta"] < np.radians(0.01)


def test_the_noise_of_degrees_is_in_degrees(capsys, monkeypatch, tmp_path):
    seen = {}
    monkeypatch.setattr(pipeline, "discover", lambda runs, **options: seen.update(options))
    runs = datasets.load("pendulum", 9, 40)
    runs.to_frame().to_csv(tmp_path / "a.csv", index=False)
    told = ["--degrees", runs.names[0], "--noise-level", "1"]
    assert main([str(tmp_path / "a.csv"), *told]) == 0
    np.testing.assert_allclose(seen["noise"], [np.pi / 180, 1])


def test_positions_only_is_about_paths(capsys):
    assert main(["kepler", "--runs", "9", "--positions-only", "--kind", "map"]) == 2
    assert "--kind map" in capsys.readouterr().err


def test_what_the_search_is_told(capsys, monkeypatch):
    seen = {}

    def discover(runs, **options):
        seen.update(options)
        return "the report"

    monkeypatch.setattr(pipeline, "discover", discover)
    told = ["--kind", "map", "--max-drift", "0.3", "--noise-level", "x=1,y=2,u=3,v=4"]
    assert main(["kepler", "--runs", "9", *told]) == 0
    assert (seen["kind"], seen["max_drift"], seen["noise"]) == ("map", 0.3, [1, 2, 3, 4])
    assert main(["kepler", "--runs", "9", "--unordered", "--noise-level", "0"]) == 0
    assert (seen["ordered"], seen["noise"]) == (False, 0)


def test_progress_is_shown_when_asked_for(capsys):
    assert main(["rigid_body", "--progress", *QUICK]) == 0
    assert "searching" in capsys.readouterr().err


def test_stopped_by_the_user(capsys, monkeypatch):
    def discover(runs, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "discover", discover)
    assert main(["kepler", "--runs", "9"]) == 130
    assert capsys.readouterr().err == "ndm-discover: stopped.\n"


@pytest.mark.skipif(os.name != "posix", reason="signals are those of POSIX")
def _heed_interrupts():
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_stopped_in_the_midst():
    """A real Ctrl-C, while it computes: one line, no traceback."""
    command = [sys.executable, "-m", "discovery", "henon_heiles", "--no-model", "--progress"]
    # A job in the background has the signal ignored, and hands that on.
    with subprocess.Popen(
        command, stdout=-1, stderr=-1, text=True, preexec_fn=_heed_interrupts
    ) as running:
        for line in iter(lambda: running.stderr.read(1), ""):
            if line == "%":
                break  # the bar of the search
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=60)
    assert (running.returncode, out) == (130, "")
    assert err.rstrip().endswith("ndm-discover: stopped.") and "Traceback" not in err


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"ndm-discover {discovery.__version__}\n"


def test_list(capsys):
    assert main(["--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    every = [*datasets.names(), *datasets.measured()]
    assert [line.split()[0] for line in lines] == every
    assert next(line for line in lines if line.startswith("planets ")).endswith("measured")
    assert next(line for line in lines if line.startswith("kepler ")).endswith("3 laws")
    assert next(line for line in lines if line.startswith("lorenz ")).endswith("no laws")
    main(["--list", "--json"])
    assert json.loads(capsys.readouterr().out) == every


@pytest.mark.parametrize("options", [[], ["--no-model"]])
def test_a_table_of_one_run(capsys, tmp_path, options):
    """No column of run ids: one run, and what is constant along it."""
    t = np.linspace(0, 20, 200)
    rows = "\n".join(f"{a},{np.cos(a)},{-np.sin(a)}" for a in t)
    (tmp_path / "one.csv").write_text(f"t,x,u\n{rows}\n")
    assert main([str(tmp_path / "one.csv"), "--quiet", *options]) == 0
    out = capsys.readouterr().out
    assert out.startswith("1 run × 200 samples, coordinates x, u")
    assert "u**2/2 + x**2/2" in out and "undecided: one run cannot tell a law" in out


def test_help_teaches(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    for words in ("python -m discovery kepler --noise 0.01", "--run", "how to read", "undecided"):
        assert words in text
    from discovery.data.coordinates import ROLES
    from discovery.libraries.choice import NAMES

    flat = " ".join(text.split())
    assert all(name in flat for name in (*NAMES, *ROLES))


def text_column(path):
    path.write_text("run,t,x,u\n0,0,1,a\n0,1,2,b\n")


def header_only(path):
    path.write_text("run,t,x,u\n")


def one_run(path):
    t = np.arange(20.0)
    rows = "\n".join(f"0,{a},{np.cos(a)},{np.sin(a)}" for a in t)
    path.write_text(f"run,t,x,u\n{rows}\n")


def no_time(path):
    path.write_text("run,x,u\n0,1,1\n0,0,2\n")


def no_titles(path):
    path.write_text("0,1,2\n1,3,2\n")


def missing_cell(path):
    path.write_text("run,t,x,u\n0,0,1,1\n0,1,,2\n")


MISTAKES = {
    "nothing": ([], None, "expected the name of a data set or a file"),
    "unknown system": (["keppler"], None, "Did you mean 'kepler'"),
    "missing file": (["none.csv"], None, "no such file"),
    "kind of file": (["./runs.pkl"], None, "unknown kind of file"),
    "empty file": (["FILE"], header_only, "no rows"),
    "text in a number column": (["FILE"], text_column, "column 'u' is not numbers"),
    "missing column": (["FILE", "--run", "cell"], one_run, "--run cell is no column"),
    "missing time": (["FILE", "--time", "clock"], one_run, "--time clock is no column"),
    "no time": (["FILE"], no_time, "Pass --time u if the times are there, or --time steps"),
    "no titles": (["FILE"], no_titles, "--time x0 if the first is the time"),
    "unknown columns": (["FILE", "--columns", "x,w"], one_run, "no coordinate columns ['w']"),
    "no columns": (["FILE", "--columns", ","], one_run, "--columns: received ','"),
    "missing values": (["FILE"], missing_cell, "states hold NaN at run 0, line 3"),
    "separator": (["FILE", "--sep", "ab"], one_run, "--sep ab separates no cells"),
    "decimal": (["FILE", "--decimal", "x"], one_run, "--decimal x is no decimal mark"),
    "encoding": (["FILE", "--encoding", "x-1"], one_run, "--encoding x-1 is unknown"),
    "constants": (["kepler", "--constants", "g:9.81"], None, "--constants: received 'g:9.81'"),
    "constant": (["kepler", "--constants", "g=fast"], None, "--constants: 'fast' is no number"),
    "noise level": (["kepler", "--noise-level", "small"], None, "--noise-level: 'small' is no"),
    "noise levels": (["kepler", "--noise-level", "x=1", *QUICK], None, "x, y, u, v"),
    "negative noise level": (["kepler", "--noise-level", "-1", *QUICK], None, "--noise-level"),
    "clouds without noise": (["kepler", "--unordered"], None, "Give --noise-level"),
    "clouds of a map": (
        ["kepler", "--unordered", "--noise-level", "0", "--kind", "map"],
        None,
        "exclude each other",
    ),
    "runs of measured data": (["planets", "--runs", "3"], None, "--runs cannot be chosen"),
    "no runs": (["kepler", "--runs", "0"], None, "--runs is 0"),
    "unknown role": (["FILE", "--roles", "x=place"], one_run, "unknown role 'place'"),
    "role of a stranger": (["FILE", "--roles", "z=position"], one_run, "z"),
    "roles that are no pairs": (["FILE", "--roles", "x"], one_run, "x=position,u=velocity"),
    "unknown library": (["kepler", "--library", "poly", *QUICK], None, "unknown name 'poly'"),
    "negative noise": (["kepler", "--noise", "-1", *QUICK], None, "≥ 0"),
    "data set options with a file": (["FILE", "--runs", "5"], one_run, "--runs cannot be used"),
    "file options with a data set": (["kepler", "--roles", "x=angle"], None, "--roles cannot be"),
}


@pytest.mark.parametrize(("arguments", "make", "message"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes_are_one_line_and_status_two(capsys, tmp_path, arguments, make, message):
    path = tmp_path / "file.csv"
    if make:
        make(path)
    assert main([str(path) if a == "FILE" else a for a in arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert err.startswith("ndm-discover: ") and err.count("\n") == 1
    assert "Traceback" not in err


@pytest.mark.parametrize("arguments", [["--runs", "many"], ["kepler", "--nose", "1"], ["a", "b"]])
def test_unreadable_arguments(capsys, arguments):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_as_a_module():
    done = subprocess.run(
        [sys.executable, "-m", "discovery", "--list"],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "kepler" in done.stdout.split()
