"""What a person is told of a plan, whichever kind of link it is of."""

from collections.abc import Mapping
from dataclasses import dataclass

from kumobashi.directory.models import Contact
from kumobashi.kernel import Language
from kumobashi.planning.approval import Standing
from kumobashi.planning.approvals import ApprovalFile
from kumobashi.planning.changes import Change
from kumobashi.planning.decided import Decided
from kumobashi.planning.doors import Door
from kumobashi.planning.timing import Expected
from kumobashi.planning.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """The system that gives, or takes."""

    system: str
    name: str
    site_name: str
    zone_ja: str
    contact: Contact | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A plan with its standing and its sentence."""

    plan: Decided
    approval: ApprovalFile | None
    standing: Standing
    changes: tuple[Change, ...]
    giver: Party
    receiver: Party
    sentence_ja: str
    sentence_en: str
    doors: tuple[Door, ...]
    expected: Expected | None = None

    def sentence(self, lang: Language) -> str:
        """Return who gives what to whom."""
        return self.sentence_ja if lang == "ja" else self.sentence_en

    @property
    def forms(self) -> Mapping[str, int]:
        """How many items leave in each form, and how many stay."""
        return {}


def party(workspace: Workspace, name: str) -> Party:
    """Return a system as people know it."""
    system = workspace.systems[name]
    site = workspace.sites[system.site]
    return Party(
        system=name,
        name=system.name,
        site_name=site.name,
        zone_ja=site.zone.ja,
        contact=workspace.municipality.contacts.get(system.contact),
    )
