"""What an assessment is drawn up from. Pure."""

import re
from dataclasses import dataclass
from typing import Final

from kumobashi.catalogue.layouts import Field
from kumobashi.papers.important import Party
from kumobashi.planning.approvals import ApprovalFile
from kumobashi.planning.plan import Plan
from kumobashi.planning.workspace import Workspace

_NUMBER: Final = re.compile(r"個人番号|マイナンバー|individual_number|my_?number", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessed:
    """What the paper is drawn up from."""

    plan: Plan
    workspace: Workspace
    approval: ApprovalFile | None
    processors: tuple[Party, ...] | None  # none: the register could not be read

    @property
    def persons(self) -> int | None:
        """Rows as they were counted at the approval; none: nobody counted."""
        counted = self.approval.counted if self.approval else None
        return counted.rows if counted else None


def individual_numbers(known: Assessed) -> list[Field]:
    """Return fields of the link's layouts that are called an individual number: none in ours."""
    link = known.plan.link
    used = known.workspace.rules[link.release].datasets.values()
    layouts = [
        known.workspace.layout(one) for one in (*used, f"{link.to.system}.{link.to.dataset}")
    ]
    return [f for layout in layouts for f in layout.fields if _NUMBER.search(f"{f.ja} {f.name}")]


def receiver_of(known: Assessed) -> str:
    """Return the site that receives."""
    return known.workspace.systems[known.plan.link.to.system].site
