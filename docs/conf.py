"""How Sphinx makes the site: `make docs`, with every warning an error."""

import logging

from kumobashi import __version__

project = "kumobashi (雲橋)"
author = "The kumobashi authors"
copyright = "2026, The kumobashi authors"  # noqa: A001 - Sphinx's name for it
release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 3  # so that pages can point at each other's headings

html_theme = "furo"
html_title = "kumobashi 雲橋"
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["pages.css"]

autodoc_member_order = "bysource"
autodoc_typehints = "description"

# A section may have no page yet; its index says what will stand there. `suppress_warnings` cannot
# say so, because Sphinx (9.0) gives this warning a subtype and no type.
logging.getLogger("sphinx.sphinx.directives.other").addFilter(
    lambda record: getattr(record, "subtype", "") != "empty_glob"
)

# Names of our own must resolve. Those of Python and of libraries are in their own manuals, which a
# build without a network cannot ask.
nitpick_ignore_regex = [("py:.*", r"(?!kumobashi\b).*")]
