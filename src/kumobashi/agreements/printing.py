"""Print the application (申請書) and the notice of decision (決定通知書) on A4.

The papers are templates that the staff may edit: a file of the same name in the workspace's
``templates/agreements`` stands in for ours (:mod:`kumobashi.catalogue.paper_templates`).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from kumobashi.agreements.errors import TemplateUnfit
from kumobashi.catalogue.paper_templates import Templates

PAPERS: Final = Path(__file__).parent / "papers"
PAGES: Final = {"application": "application.html", "notice": "notice.html"}
"""The papers that can be printed, and their template."""
PARTS: Final = ("style.html", "desks.html", "register.html", "foot.html")
_TEMPLATES: Final = Templates(ours=PAPERS, pages=PAGES, parts=PARTS, unfit=TemplateUnfit)


def render(paper: str, placeholders: Mapping[str, Any], *, folder: Path | None = None) -> str:
    """Return a paper as one HTML file without scripts; ``folder`` holds what the staff edited.

    Raises:
        TemplateUnfit: a placeholder that there is not, a mistake in a template, or something that
            a template may not do; says file and line.
    """
    return _TEMPLATES.render(paper, placeholders, folder=folder)


def write_templates(folder: Path) -> list[Path]:
    """Copy our templates into a folder of the workspace, for the staff to edit.

    A file that is there already stays as it is. Returns those that were written.
    """
    return _TEMPLATES.write(folder)
