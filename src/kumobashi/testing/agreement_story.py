"""A clerk's story: an application goes from desk to desk until its notice is printed.

The people are the sample workspace's (``agreements:`` of its ``kumobashi.yaml``). What they do goes
over the gateway's local API with their own passwords and codes, as ``kumobashi agreement`` does it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa

from kumobashi.identity import Accounts, Role
from kumobashi.identity.errors import AccountUnknown
from kumobashi.identity.sql import accounts, sessions
from kumobashi.kernel import Clock
from kumobashi.testing.office import code_of

Json = dict[str, Any]
Call = Callable[[str, Json], Json]  # path and body of a POST to the local API

ROOT: Final = "/api/v1/agreements"
PEOPLE: Final[Mapping[str, tuple[str, Role]]] = {
    "tanaka": ("子育て支援課 主任 田中", Role.OPERATOR),
    "sato": ("市民課 課長 佐藤", Role.APPROVER),
    "suzuki": ("総務課 課長 鈴木", Role.APPROVER),
    "yamada": ("総務部 部長 山田", Role.APPROVER),
    "kato": ("総務課 課長補佐 加藤", Role.APPROVER),
}
STEPS: Final = (("sato", "review"), ("suzuki", "concur"), ("yamada", "approve"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One step of the story: who did what, and the agreement as it then was."""

    who: str
    what: str
    agreement: Json


class Staff:
    """The people of the story; each shows password and code for every act."""

    def __init__(self, accounts: Accounts, clock: Clock) -> None:
        self._accounts = accounts
        self._clock = clock

    def enrol(self) -> None:
        """Make the accounts that are not there yet."""
        for name, (shown, role) in PEOPLE.items():
            try:
                self._accounts.get(name)
            except AccountUnknown:
                self._accounts.add(name, shown=shown, role=role)

    def leave(self) -> None:
        """Take the accounts away as if they had never been: whoever comes may look again."""
        with self._accounts.writing() as connection:
            for table in (sessions, accounts):
                theirs = sa.and_(table.c.tenant == self._accounts.tenant, table.c.name.in_(PEOPLE))
                connection.execute(sa.delete(table).where(theirs))

    def signs(self, name: str, at: datetime | None = None) -> Json:
        """Return what somebody types; a code is taken once, so they are let in anew each time."""
        made = self._accounts.reset(name)
        code = code_of(made.secret, at or self._clock.now())
        return {"account": name, "password": made.password, "code": code}


def application(link: str, first: date, last: date, **more: object) -> Json:
    """Return what the clerk writes."""
    return {
        "link": link,
        "owner_section": "市民課",
        "purpose": "児童手当のお知らせを、対象の世帯だけに届けるため",
        "conditions": ["お知らせのほかには使わない", "受け取った日から30日で消去する"],
        "first": first.isoformat(),
        "last": last.isoformat(),
        "processors": [
            {
                "name": "架空クラウド株式会社",
                "address": "架空県架空市雲橋町1-2-3",
                "task": "お知らせ配信サービスの運用",
                "place": "東日本データセンター",
                "jurisdiction": "JP",
            },
            {
                "name": "架空運用サービス合同会社",
                "address": "架空県架空市雲橋町4-5",
                "task": "夜間の監視",
                "place": "東日本データセンター",
                "under": "架空クラウド株式会社",
                "permission": "8架総第1号の2",
                "permitted_until": last.isoformat(),
            },
        ],
        **more,
    }


def walk(call: Call, staff: Staff, link: str, first: date, last: date) -> Iterator[Told]:
    """Apply, review, concur and decide; after the last step the agreement is in force.

    The notice is then printed by ``kumobashi agreement print NUMBER --notice``.
    """
    staff.enrol()
    body = {**application(link, first, last), "submit": True, **staff.signs("tanaka")}
    made = call(ROOT, body)
    yield Told(who="tanaka", what="submit", agreement=made)
    for who, what in STEPS:
        made = call(f"{ROOT}/{made['agreement']}/{what}", staff.signs(who))
        yield Told(who=who, what=what, agreement=made)
