"""README's snippets run as printed, in their order and in one session."""

import re
from pathlib import Path

import pytest

from discovery import datasets

README = Path(__file__).parents[1] / "README.md"


@pytest.mark.slow
def test_snippets_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # The table that the first snippet reads.
    runs = datasets.load("harmonic_oscillator", 40, 80, noise=0.01)
    runs.to_frame(run="run", time="t").to_csv("runs.csv", index=False)
    snippets = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert len(snippets) > 8
    session = {"__name__": "readme"}
    for snippet in snippets:
        exec(compile(snippet, str(README), "exec"), session)
