"""Print the application (申請書) and the notice of decision (決定通知書) on A4.

The staff may edit the papers: a file of the same name in the workspace's ``templates/agreements``
stands in for ours.
"""

from pathlib import Path
from typing import Final

from kumobashi.agreements.errors import TemplateUnfit
from kumobashi.sheets import Sheets

PAGES: Final = {"application": "application.html", "notice": "notice.html"}
"""The papers that can be printed, and their template."""
SHEETS: Final = Sheets(
    own=Path(__file__).parent / "papers",
    pages=PAGES,
    parts=("style.html", "desks.html", "register.html", "foot.html"),
    unfit=TemplateUnfit,
)
