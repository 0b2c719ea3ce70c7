"""Samples that lie on no path in time: iterates of maps, and groups without an order."""

import numpy as np
import pandas as pd
import pytest

import discovery
from discovery import ConservedQuantityFinder, Trajectories
from discovery.cli import main

RUNS, STEPS = 30, 80
GROUPS = np.repeat(np.arange(RUNS), STEPS)


def iterated(step, start):
    out = [start]
    for _ in range(STEPS - 1):
        out.append(step(out[-1]))
    return np.stack(out, axis=1)


def mcmillan(seed=0):
    """It keeps x²y² + x² + y² − 8/5 x y."""
    start = np.random.default_rng(seed).uniform(-2, 2, (RUNS, 2))
    return iterated(lambda s: np.c_[s[:, 1], -s[:, 0] + 1.6 * s[:, 1] / (1 + s[:, 1] ** 2)], start)


def henon(seed=0):
    """Chaos on a strange attractor."""
    start = np.random.default_rng(seed).uniform(-0.1, 0.1, (RUNS, 2))
    return iterated(lambda s: np.c_[1 - 1.4 * s[:, 0] ** 2 + s[:, 1], 0.3 * s[:, 0]], start)


def standard(seed=0):
    """Chirikov's map at K = 3, chaos, angles taken modulo a turn."""

    def step(s):
        p = s[:, 1] + 3 * np.sin(s[:, 0])
        return np.mod(np.c_[s[:, 0] + p, p] + np.pi, 2 * np.pi) - np.pi

    return iterated(step, np.random.default_rng(seed).uniform(-3, 3, (RUNS, 2)))


def swing():
    """An oscillator in kicks once a time unit: symplectic Euler, h = 1."""

    def step(s):
        p = s[:, 1] - s[:, 0]
        return np.c_[s[:, 0] + p, p]

    return iterated(step, np.random.default_rng(0).uniform(-1, 1, (RUNS, 2)))


def noisy(clean, share, seed=1):
    spread = clean.reshape(-1, clean.shape[-1]).std(axis=0)
    return clean + share * spread * np.random.default_rng(seed).standard_normal(clean.shape)


def fitted(states, library="polynomial", groups=GROUPS, **options):
    finder = ConservedQuantityFinder(library, random_state=0, **options)
    return finder.fit(states.reshape(-1, states.shape[-1]), groups=groups).report_


def motion(law, clean):
    """Return the motion of a law along clean runs over its spread."""
    values = law(clean)
    return np.sqrt(values.var(axis=1).mean()) / values.std()


@pytest.mark.parametrize("shift", [0.0, 300.0])
@pytest.mark.parametrize("share", [0.0, 0.01])
def test_an_integrable_map(share, shift):
    clean = mcmillan() + shift
    report = fitted(noisy(clean, share))
    (law,) = report.quantities
    assert law.verdict == "exact" and motion(law, clean) < 2e-2
    assert "taken as iterates of a map" in str(report)


def test_symplectic_euler_keeps_its_own_energy():
    """x² + p² of the oscillator, with a term in x p of the size of the step."""
    (law,) = fitted(noisy(swing(), 0.01)).quantities
    x, p = law.library.symbols
    assert law.expression.equals(x**2 - x * p + p**2) or motion(law, swing()) < 1e-2


@pytest.mark.parametrize("share", [0.0, 0.01])
@pytest.mark.parametrize("states", [henon, standard])
def test_chaotic_maps_keep_nothing(states, share):
    report = fitted(noisy(states(), share))
    assert not report.n_conserved and not report.identities


def white(seed):
    return np.random.default_rng(seed).standard_normal((RUNS, STEPS, 2))


def walk(seed):
    return np.cumsum(white(seed), axis=1)


def shuffled(seed):
    rng = np.random.default_rng(seed)
    return np.array([rng.permutation(run) for run in mcmillan()])


@pytest.mark.parametrize("kind", [None, "map"])
@pytest.mark.parametrize("states", [white, pytest.param(walk, marks=pytest.mark.slow), shuffled])
def test_what_is_no_map_has_no_law(states, kind):
    for seed in range(3):
        report = fitted(states(seed), kind=kind)
        assert not report.n_conserved and not report.identities
        if states is not walk:
            assert report.verdict == "undecided" and "ordered=False" in report.reason


def cloud(shift=0.0, seed=0):
    """x + 2 y z − w²/3 is one number in a group; the rest is drawn by chance."""
    rng = np.random.default_rng(seed)
    states = rng.uniform(-2, 2, (RUNS, STEPS, 4))
    x, y, z, w = np.moveaxis(states, 2, 0)
    x[:] = rng.uniform(-2, 2, (RUNS, 1)) - 2 * y * z + w**2 / 3
    return states + shift


@pytest.mark.parametrize("level", [0.0, 0.01])
def test_unordered_samples(level):
    states = cloud() + level * np.random.default_rng(2).standard_normal((RUNS, STEPS, 4))
    report = fitted(states, noise=level, ordered=False)
    assert [str(q.expression) for q in report.quantities] == ["x0 + 2*x1*x2 - x3**2/3"]
    assert "groups of unordered samples" in report.title


def test_the_order_of_unordered_samples_does_not_matter():
    states = cloud() + 0.01 * np.random.default_rng(2).standard_normal((RUNS, STEPS, 4))
    rng = np.random.default_rng(3)
    other = np.array([rng.permutation(group) for group in states])
    one, two = (fitted(s, noise=0.01, ordered=False).to_dict() for s in (states, other))
    assert one == two


@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_numbers_by_chance_share_nothing(noise):
    for seed in range(3):
        states = np.random.default_rng(seed).uniform(-1, 1, (RUNS, STEPS, 3))
        report = fitted(states, noise=noise, ordered=False)
        assert report.verdict == "none" and not report.identities


def test_unordered_samples_need_their_noise():
    with pytest.raises(ValueError, match="noise=0 where there is none"):
        fitted(cloud(), ordered=False)
    with pytest.raises(ValueError, match="noise=0 where there is none"):
        discovery.discover(Trajectories(states=cloud()), ordered=False, verbose=False)


def test_fields_have_their_own_ways():
    states = np.random.default_rng(0).normal(size=(8, 30, 16))
    runs = Trajectories(states=states, names=[f"u{i}" for i in range(16)], roles=["field"] * 16)
    with pytest.raises(ValueError, match="the coordinates are fields"):
        discovery.discover(runs, kind="map", verbose=False)


def test_discover_trains_no_manifold_for_iterates():
    report = discovery.discover(
        Trajectories(states=mcmillan()), library="polynomial", random_state=0, verbose=False
    )
    assert report.n_conserved == 1 and "taken as iterates of a map" in report.title


def test_on_the_command_line(tmp_path, capsys):
    frame = pd.DataFrame(cloud().reshape(-1, 4), columns=list("xyzw"))
    frame.insert(0, "t", np.tile(np.arange(STEPS), RUNS))
    frame.insert(0, "run", GROUPS)
    frame.to_csv(tmp_path / "cloud.csv", index=False)
    said = [str(tmp_path / "cloud.csv"), "--no-model", "--library", "polynomial", "--unordered"]
    assert main(said) == 2
    assert "--noise-level" in capsys.readouterr().err
    assert main([*said, "--kind", "map", "--noise-level", "0"]) == 2
    assert "--kind" in capsys.readouterr().err
    assert main([*said, "--noise-level", "0"]) == 0
    assert "x + 2*y*z - w**2/3" in capsys.readouterr().out
    assert main([*said[:-1], "--kind", "map"]) == 0
    assert "no sample follows from the one before" in capsys.readouterr().out
