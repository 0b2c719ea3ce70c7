"""The page in a browser: nothing runs, nothing is loaded, it fits a phone, and prints whole."""

import html
import json
import re
import shutil
import subprocess
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import numpy as np
import pytest
import sympy

from discovery import ConservedQuantityFinder, datasets

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM = next((path for name in NAMES if (path := shutil.which(name))), None)
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason=f"no browser: none of {', '.join(NAMES)} is installed"
)
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-extensions",
    # It would ask for the time of day.
    "--disable-features=NetworkTimeServiceQuerying",
)
# Blink's numbers of the two colour schemes.
SCHEMES = {"dark": 0, "light": 1}
PHONE = 360
# What would tell that a name had become a script.
EVIL = ("<img src=q onerror='parent.ran=1'>", "<script>parent.ran=1</script>", "'\"><svg onload=1>")

MEASURE = """
<script>
window.ran = 0;
addEventListener("load", () => {
  const found = [...document.querySelectorAll("iframe")].map(frame => {
    const page = frame.contentDocument, view = frame.contentWindow;
    const seen = node => view.getComputedStyle(node);
    const badge = page.querySelector(".badge");
    return {
      ran: window.ran,
      width: page.documentElement.scrollWidth,
      ground: seen(page.body).backgroundColor,
      ink: seen(page.body).color,
      pictures: [...page.querySelectorAll("svg")].map(svg => svg.getBoundingClientRect().width),
      verdict: badge ? badge.getBoundingClientRect().right : 0,
      open: [...page.querySelectorAll(".guide")].map(guide => guide.open),
    };
  });
  document.body.innerHTML = "<pre></pre>";
  document.querySelector("pre").textContent = JSON.stringify(found);
});
</script>
"""


class Quiet(SimpleHTTPRequestHandler):
    """Serves the files of a folder, and answers for all hosts; it keeps what it was asked for."""

    def do_GET(self):
        self.server.asked.append(self.path)
        super().do_GET()

    def log_message(self, *_):
        """Say nothing of what is no request: the browser's own attempts with TLS."""


@pytest.fixture
def server(tmp_path):
    """Return a server of a folder, of which a test asks what was loaded."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=tmp_path)) as running:
        running.folder, running.asked = tmp_path, []
        Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


def browse(*arguments):
    command = [CHROMIUM, *FLAGS, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


def seen(server, pages, scheme="light"):
    """Return what a browser makes of pages in frames as wide as a phone, and what it loads."""
    frames = "".join(
        f'<iframe style="width: {PHONE}px; border: 0" srcdoc="{html.escape(page)}"></iframe>'
        for page in pages
    )
    text = f"<!doctype html><body>{MEASURE}{frames}"
    (server.folder / "frames.html").write_text(text, encoding="utf-8")
    server.asked.clear()
    dom = browse(
        "--dump-dom",
        f"--blink-settings=preferredColorScheme={SCHEMES[scheme]}",
        f"--host-resolver-rules=MAP * 127.0.0.1:{server.server_port}",
        "http://here.test/frames.html",
    )
    loaded = [path for path in server.asked if path not in ("/frames.html", "/favicon.ico")]
    return json.loads(html.unescape(re.search(r"<pre>(.*)</pre>", dom, re.S)[1])), loaded


def luminance(color):
    """Return the relative luminance of rgb(r, g, b), as WCAG 2 defines it."""
    shares = np.array([float(c) for c in re.findall(r"[\d.]+", color)[:3]]) / 255
    linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


@pytest.fixture(scope="module")
def kepler():
    runs = datasets.load("kepler", 30, 80, noise=0.01, seed=0)
    finder = ConservedQuantityFinder(roles=runs.roles, random_state=0)
    return finder.fit(runs.rows, groups=runs.groups, times=runs.row_times).report_


@pytest.fixture(scope="module")
def evil(kepler):
    """Return a report with names that are markup wherever a name may stand."""
    symbols = [sympy.Symbol(name) for name in EVIL]
    law = replace(kepler.quantities[0], expression=sum(symbols), symmetry=EVIL[0])
    sample = replace(kepler.shown, names=EVIL[:2], formulas=(law.formula,))
    return replace(
        kepler,
        quantities=[law],
        shown=sample,
        title=EVIL[1],
        reason=EVIL[0],
        verdict="undecided",
        searched=list(EVIL),
        noise=dict.fromkeys(EVIL, 0.1),
        spectrum=dict.fromkeys(EVIL, np.ones(1)),
        symmetries=list(EVIL),
    )


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_page_on_a_phone(kepler, evil, scheme, server):
    # Names must be harmless without the page's policy too, as in a notebook.
    bare = re.sub(r"<meta http-equiv[^>]*>", "", evil.to_html())
    long = replace(kepler.quantities[0], expression=sum(sympy.symbols("x:99")))
    wide = replace(kepler, quantities=[long])
    pages, loaded = seen(server, [kepler.to_html(), bare, wide.to_html()], scheme)
    assert loaded == []
    for page in pages:
        assert page["ran"] == 0
        assert page["width"] <= PHONE
        assert page["verdict"] <= PHONE
        assert page["open"] == [True]
        ground, ink = luminance(page["ground"]), luminance(page["ink"])
        assert (ground < ink) == (scheme == "dark")
        assert (max(ground, ink) + 0.05) / (min(ground, ink) + 0.05) > 7
    # The pictures of runs fit; the spectrum alone is wider, and scrolls.
    assert max(pages[0]["pictures"][:-1]) <= PHONE


def test_a_bad_page_is_seen(server):
    picture = "<img src='http://elsewhere.test/none.png'>"
    bad = f"<!doctype html><div style='width: 500px'>wide</div>{EVIL[1]}{picture}"
    (page,), loaded = seen(server, [bad])
    assert page["ran"] == 1 and page["width"] > PHONE and loaded == ["/none.png"]


@pytest.mark.slow
def test_it_prints_with_its_legend_open(kepler, tmp_path):
    """A legend that is folded up on screen takes as much of the print as one that is open."""
    page = kepler.to_html()
    folded = page.replace("'guide' open>", "'guide'>")
    without = re.sub(r"<details class='guide'.*?</details>", "", page, flags=re.S)
    sizes = []
    for k, text in enumerate((page, folded, without)):
        path = tmp_path / f"{k}.html"
        path.write_text(text, encoding="utf-8")
        browse(f"--print-to-pdf={tmp_path / 'page.pdf'}", "--no-pdf-header-footer", path.as_uri())
        sizes.append((tmp_path / "page.pdf").stat().st_size)
    assert folded != page
    assert abs(sizes[1] - sizes[0]) < 0.1 * (sizes[0] - sizes[2])
