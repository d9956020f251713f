"""The offices of a small town, an application, and books that keep agreements in a file."""

import tempfile
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

from kumobashi.agreements import Application, Book, Item, Offices, PlanSeen, State
from kumobashi.agreements.acting import Wish
from kumobashi.agreements.offices import Actor, Deputy, Member, Power
from kumobashi.agreements.records import Agreement
from kumobashi.agreements.states import Act
from kumobashi.agreements.verifying import Trusted
from kumobashi.crypto.keys import SigningKey
from kumobashi.exchange.migrating import migrate
from kumobashi.identity.roles import Role
from kumobashi.storage.sqlite import SQLiteState
from kumobashi.storage.state import StateStore
from kumobashi.testing.clocks import HandClock

TENANT, SITE = "999997", "hall-core"
NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
HASH = "sha256:" + "1" * 64
OTHER_HASH = "sha256:" + "2" * 64


def member(account: str, section: str, *powers: Power) -> Member:
    return Member(account=account, section=section, powers=frozenset(powers))


OFFICES = Offices(
    members={
        "tanaka": member("tanaka", "子育て支援課", Power.APPLY),
        "mori": member("mori", "子育て支援課", Power.APPLY),
        "sato": member("sato", "市民課", Power.REVIEW),
        "suzuki": member("suzuki", "総務課", Power.CONCUR, Power.DECIDE),
        "yamada": member("yamada", "総務課", Power.DECIDE),
        "hara": member("hara", "税務課", Power.APPLY, Power.REVIEW),
        "ogawa": member("ogawa", "市民課", *Power),
    },
    deputies=(
        Deputy(
            account="kato",
            instead_of="suzuki",
            first=date(2026, 11, 1),
            last=date(2026, 11, 30),
        ),
        Deputy(
            account="sato",
            instead_of="suzuki",
            first=date(2026, 11, 1),
            last=date(2026, 11, 30),
        ),
        Deputy(
            account="kato",
            instead_of="tanaka",
            first=date(2026, 11, 1),
            last=date(2026, 11, 30),
        ),
    ),
    letters="架総",
    days={State.APPLIED: 7, State.OWNER_REVIEW: 7, State.GENERAL_AFFAIRS_CONCUR: 5},
)
APPLICATION = Application(
    link="notice-attributes",
    applicant_section="子育て支援課",
    owner_section="市民課",
    basis="69-2-1",
    purpose="児童手当のお知らせを、対象の世帯だけに届けるため",
    items=(Item(name="birth_year_month", ja="生年月", form="月まで"),),
    conditions=("受け取った日から30日で消去する",),
    first=date(2026, 11, 1),
    last=date(2027, 3, 31),
    plan=PlanSeen(hash=HASH, number="1111…1111", decision='{"format":1}'),
)


def actor(account: str, role: Role = Role.APPROVER, **more: object) -> Actor:
    return Actor(account=account, role=role, **more)  # type: ignore[arg-type]


TANAKA = actor("tanaka", Role.OPERATOR)
SATO, SUZUKI, YAMADA = actor("sato"), actor("suzuki"), actor("yamada")
WAY = ((Act.SUBMIT, TANAKA), (Act.REVIEW, SATO), (Act.CONCUR, SUZUKI), (Act.APPROVE, YAMADA))


def book_of(
    store: StateStore, clock: HandClock, key: SigningKey, offices: Offices = OFFICES
) -> Book:
    trusted = Trusted(tenant=TENANT, site=SITE, keys={key.kid: key.public})
    return Book(store, trusted=trusted, key=key, offices=lambda: offices, clock=clock)


@cache
def _migrated() -> bytes:
    """Return a state file with its tables; making it takes longer than most tests."""
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "state.db"
        store = SQLiteState(path, owner="here")
        migrate(store)
        store.close()
        assert sorted(each.name for each in Path(place).glob("state.db-wal")) == []
        return path.read_bytes()


def file_book(folder: Path, clock: HandClock, offices: Offices = OFFICES) -> Book:
    folder.mkdir(exist_ok=True)
    (folder / "state.db").write_bytes(_migrated())
    store = SQLiteState(folder / "state.db", owner="here")
    return book_of(store, clock, SigningKey.generate(), offices)


def in_state(book: Book, state: State, application: Application = APPLICATION) -> Agreement:
    """Return a new agreement in a state, by the moves that people make."""
    if state is State.DECIDED and application is APPLICATION:
        application = replace(application, first=date(2026, 12, 1))
    if state is State.EXPIRED:
        application = replace(application, last=date(2026, 11, 22))
    made = book.create(application, TANAKA)
    ways = {
        State.DRAFT: 0,
        State.APPLIED: 1,
        State.OWNER_REVIEW: 2,
        State.GENERAL_AFFAIRS_CONCUR: 3,
        State.DECIDED: 4,
        State.IN_FORCE: 4,
        State.REFUSED: 3,
        State.WITHDRAWN: 0,
        State.EXPIRED: 4,
    }
    for act, by in WAY[: ways[state]]:
        made = book.act(made.agreement, Wish(act=act), by)
    if state is State.REFUSED:
        made = book.act(made.agreement, Wish(act=Act.REFUSE), YAMADA)
    if state is State.WITHDRAWN:
        made = book.act(made.agreement, Wish(act=Act.WITHDRAW), TANAKA)
    if state is State.EXPIRED:
        clock = book.clock
        assert isinstance(clock, HandClock)
        now, clock.at = clock.at, datetime(2026, 11, 22, 15, 0, tzinfo=UTC)  # midnight in Japan
        (due,) = book.due()
        made = book.keep_up(due) or made
        clock.at = now
    assert made.state is state
    return made
