"""Settings of the documentation: `make docs` builds it into docs/_build/html.

Nothing is loaded from the network, neither by the build nor by its pages. Pictures, the gallery,
and the pages of notebooks are drawn before Sphinx reads the sources; none of them is in git.
"""

import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import gallery  # noqa: E402
import notebooks  # noqa: E402

project = "keras-ndm"
author = "the authors of keras-ndm"
copyright = author
release = tomllib.loads((HERE.parent / "pyproject.toml").read_text())["project"]["version"]

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
templates_path = ["_templates"]

autosummary_generate = True
autosummary_imported_members = True
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # numpy docstrings say it with shapes
# Of scikit-learn, the same for every estimator.
autodoc_default_options = {
    "exclude-members": "set_fit_request, set_score_request, set_transform_request",
}
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True
# Sphinx takes an attribute's name for a link; several classes have a `name`.
suppress_warnings = ["ref.python"]
# What is no Python says what it is, or is plain text.
highlight_language = "none"
# `text` in docstrings is a name or a piece of code.
default_role = "code"

html_theme = "furo"
html_title = f"keras-ndm {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_theme_options = {"navigation_with_keys": True}
pygments_style = "tango"
pygments_dark_style = "monokai"


def setup(app):
    """Write the pages that are made from data sets and notebooks before any page is read."""
    gallery.write(HERE / "gallery")
    notebooks.write(HERE / "notebooks", HERE.parent / "examples" / "notebooks")
