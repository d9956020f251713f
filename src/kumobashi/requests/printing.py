"""Print the papers of a request on A4.

The staff may edit the papers: a file of the same name in the workspace's ``templates/requests``
stands in for ours. Name and address of the applicant are written in by hand.
"""

from pathlib import Path
from typing import Final

from kumobashi.requests.errors import PaperUnfit, RequestTemplateUnfit
from kumobashi.requests.records import Request
from kumobashi.requests.states import Kind, Outcome, State
from kumobashi.sheets import Sheets

PAPERS: Final = (
    "ask-more",
    "extension",
    "disclosure",
    "partial",
    "refusal",
    "correction",
    "suspension",
    "transfer",
    "receivers",
)
"""The papers that can be printed; each has a template of its name."""
SHEETS: Final = Sheets(
    own=Path(__file__).parent / "papers",
    pages={paper: f"{paper}.html" for paper in PAPERS},
    parts=("style.html", "applicant.html", "record.html", "remedies.html", "footer.html"),
    unfit=RequestTemplateUnfit,
)


def papers_of(request: Request) -> list[str]:
    """Return the papers that a request has grown, the newest last."""
    held, found = request.details, []
    if held.stops:
        found.append("ask-more")
    if held.extension:
        found.append("extension")
    if request.state is State.TRANSFERRED:
        found.append("transfer")
    if held.decision:
        found.append(_notice(request.kind, held.decision.outcome))
    if held.receivers:
        found.insert(len(found) - 1, "receivers")  # of the newest act is the resident's notice
    return found


def paper_of(request: Request, wished: str | None) -> str:
    """Return the paper that is wished, or the newest; raise :class:`PaperUnfit`."""
    known = papers_of(request)
    if not known or (wished is not None and wished not in known):
        raise PaperUnfit(paper=wished or "-", known=", ".join(known) or "-")
    return wished or known[-1]


def _notice(kind: Kind, outcome: Outcome) -> str:
    if outcome is Outcome.REFUSED:
        return "refusal"
    if kind is Kind.DISCLOSURE:
        return "partial" if outcome is Outcome.PARTLY else "disclosure"
    return kind.value
