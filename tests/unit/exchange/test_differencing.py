"""Links to one cloud on the real path, up to the sealed bundle: what they tell together."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from kumobashi.crypto.keys import SealKey
from kumobashi.exchange.orders import Order  # noqa: TC001 - as elsewhere
from kumobashi.exchange.records import Outgoing
from kumobashi.exchange.states import Out
from kumobashi.messages.manifest import kept_manifest
from kumobashi.planning.publishing import publish_directory
from kumobashi.planning.sampling import write_sample
from kumobashi.storage.duckdb_tables import DuckDBTables
from kumobashi.testing.outboxes import Outbox, outbox
from kumobashi.testing.town import SITES
from tests.unit.exchange.test_leaving import field, layout, order
from tests.unit.release.staged import rule

MONDAY = date(2026, 11, 16)
BORN = {"name": "born", "op": "truncate", "of": "birth_date", "to": "year"}
TOWN = {"name": "town", "op": "prefix", "of": "town_code", "length": 13}
FIELDS = {"born": field("born", "9", 4), "town": field("town", "X", 13)}
GATE = {"k": 5, "max_suppressed": 0.05}
Person = tuple[int, int]  # year of birth, town


class Hall:
    """One sending site with its own ledger, spool and keys, and links without a workspace."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.source = DuckDBTables("db", folder / "db.duckdb")
        self.orders: dict[str, Order] = {}
        seal = folder / "w/private/public-cloud/seal.key"
        self.recipient = SealKey.load(seal).recipient

    def people(self, people: Mapping[int, Person]) -> None:
        with duckdb.connect(self.source.path) as made:
            made.execute(
                "create or replace table residents"
                " (resident_no varchar, birth_date date, town_code varchar)"
            )
            made.executemany(
                "insert into residents values (?, make_date(?, 6, 1), ?)",
                [[str(n), year, f"99999700{town:05d}"] for n, (year, town) in people.items()],
            )

    def link(self, name: str, column: Mapping[str, Any], **said: Any) -> None:
        more = {"gate": GATE} | said
        made = rule(
            column, subject={"dataset": "residents", "key": "resident_no"}, consent=None, **more
        )
        self.orders[name] = replace(
            order(made),
            link=name,
            layout=layout(field("token", "X", 32), FIELDS[str(column["name"])]),
            sources={"residents": (self.source, "residents")},
            recipient=self.recipient,
            largest_part_bytes=1 << 20,
        )

    def run(self, link: str, on: date, *, again: bool = False) -> Outgoing:
        return asyncio.run(self._run([(link, on)], again=again))[0]

    def run_at_once(self, *links: str) -> list[Outgoing]:
        return asyncio.run(self._run([(link, MONDAY) for link in links]))

    async def _run(
        self, wanted: Sequence[tuple[str, date]], *, again: bool = False
    ) -> list[Outgoing]:
        out = outbox(self.folder / "w", orders=self.orders.__getitem__, token_secret=bytes(32))
        try:
            started = [
                out.ledger.start(
                    link,
                    on.isoformat(),
                    mode=self.orders[link].mode,
                    plan_hash="sha256:0",
                    again=again,
                )[0]
                for link, on in wanted
            ]
            steps = await asyncio.gather(*(out.sender.prepare(row.transfer) for row in started))
            for step in steps:
                _see_that_nothing_rests(out, step.row)
            return [step.row for step in steps]
        finally:
            await out.aclose()


def _see_that_nothing_rests(out: Outbox, row: Outgoing) -> None:
    assert not list(out.here.work.glob("*")), "nothing readable stays"
    assert bool(out.spool.held(row.transfer, row.attempt)) == (row.state is Out.SEALED)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hall") / "w"
    write_sample(folder, ports=dict(zip(SITES, range(12_000, 12_000 + len(SITES)), strict=True)))
    publish_directory(folder, now=datetime.now(UTC))
    return folder


@pytest.fixture
def hall(workspace: Path, tmp_path: Path) -> Hall:
    (tmp_path / "w").mkdir()
    for path in workspace.iterdir():
        if path.name != "var":
            (tmp_path / "w" / path.name).symlink_to(path)
    return Hall(tmp_path)


def sent(row: Outgoing) -> int:
    return kept_manifest(row.manifest or "").rows


def said(row: Outgoing) -> dict[str, Any]:
    found: dict[str, Any] = row.facts["gate"]["differencing"]
    return found


SQUARE = {n: (1980 + n // 5, n % 5) for n in range(25)}


def test_a_second_link_that_would_tell_everybody_apart_is_refused(hall: Hall) -> None:
    hall.people(SQUARE)
    hall.link("by-birth", BORN)
    hall.link("by-town", TOWN)

    first = hall.run("by-birth", MONDAY)
    second = hall.run("by-town", MONDAY + timedelta(days=3))

    assert (first.state, sent(first)) == (Out.SEALED, 25)
    assert second.state is Out.REFUSED
    assert second.manifest is None
    assert second.cause is not None
    assert second.cause["code"] == "release.differencing_refused"
    assert "by-birth 2026-11-16" in second.cause["ja"]
    assert not any(f"{n:05d}" in second.cause["ja"] for n in range(25))


def test_the_link_that_stands_in_begins_then_too(hall: Hall) -> None:
    hall.people(SQUARE)
    hall.link("by-birth", BORN)
    hall.link("by-town", TOWN)
    hall.orders["by-town"] = replace(hall.orders["by-town"], fallback="by-birth")
    hall.run("by-birth", MONDAY)

    row = hall.run("by-town", MONDAY + timedelta(days=1))

    assert row.state is Out.REFUSED
    assert row.facts["fallback"]["link"] == "by-birth"
    assert row.facts["gate"]["outcome"] == "passed", "it is not the gate that stopped it"


def test_what_was_refused_is_held_against_nobody(hall: Hall) -> None:
    hall.people(SQUARE)
    hall.link("by-birth", BORN)
    hall.link("by-town", TOWN)
    hall.run("by-birth", MONDAY)
    assert hall.run("by-town", MONDAY).state is Out.REFUSED

    assert said(hall.run("by-birth", MONDAY + timedelta(days=1)))["against"] == ["by-birth"]


def test_another_system_or_another_epoch_cannot_join_them(hall: Hall) -> None:
    hall.people(SQUARE)
    hall.link("by-birth", BORN)
    hall.link("by-town", TOWN)
    hall.orders["by-town"] = replace(hall.orders["by-town"], to_system="childcare-cloud")

    assert hall.run("by-birth", MONDAY).state is Out.SEALED
    assert hall.run("by-town", MONDAY).state is Out.SEALED


def test_of_two_links_at_once_one_leaves_and_one_is_refused(hall: Hall) -> None:
    hall.people(SQUARE)
    hall.link("by-birth", BORN)
    hall.link("by-town", TOWN)

    rows = hall.run_at_once("by-birth", "by-town")

    assert sorted(row.state for row in rows) == [Out.REFUSED, Out.SEALED]


def test_the_next_day_who_moved_alone_is_left_out_and_the_rest_leaves(hall: Hall) -> None:
    """One has moved, one has died, one has come; two are gone from where they were."""
    people = {n: (1980, n // 40) for n in range(120)}
    hall.people(people)
    hall.link("by-town", TOWN)
    first = hall.run("by-town", MONDAY)
    later = people | {0: (1980, 1), 200: (1980, 2)}
    del later[50]
    hall.people(later)

    second = hall.run("by-town", MONDAY + timedelta(days=1))
    third = hall.run("by-town", MONDAY + timedelta(days=2))

    assert (sent(first), sent(second), sent(third)) == (120, 119, 119)
    assert said(second) == {
        "against": ["by-town"],
        "k": 5,
        "smallest": 39,
        "too_small": 1,
        "left_out": 1,
        "appeared": 1,
        "gone": 2,
    }
    assert said(third)["left_out"] == 1, "still the only one who moved"
    assert second.facts["gate"]["suppressed"] == 1
    assert (said(third)["appeared"], said(third)["gone"]) == (0, 0)


def test_the_same_day_with_one_person_less_others_are_left_out_beside_that_one(hall: Hall) -> None:
    people = {n: (1980, n % 2) for n in range(200)}
    hall.people(people)
    hall.link("by-town", TOWN)
    hall.orders["by-town"] = replace(hall.orders["by-town"], mode="full")
    first = hall.run("by-town", MONDAY)
    del people[0]
    hall.people(people)
    hall.link("by-town-too", TOWN)

    second = hall.run("by-town-too", MONDAY)

    assert sent(first) == 200
    assert sent(second) == 195, "one of five who are missing from that town"
    assert said(second)["left_out"] == 4


def test_a_lost_history_refuses_by_name_and_a_crash_before_the_seal_does_not_count(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    hall.people(SQUARE)
    hall.link("by-birth", BORN)
    hall.link("by-town", TOWN)
    with monkeypatch.context() as broken:
        broken.setattr("kumobashi.exchange.sending.sign_manifest", _crash)
        with pytest.raises(KeyboardInterrupt):
            hall.run("by-birth", MONDAY)
    assert hall.run("by-birth", MONDAY).state is Out.SEALED, "its own first try stops nothing"
    (key,) = (hall.folder / "w/var/hall-core/keys/histories").iterdir()
    key.unlink()

    row = hall.run("by-town", MONDAY)

    assert row.state is Out.REFUSED
    assert row.cause is not None
    assert row.cause["code"] == "exchange.history_lost"


def test_what_cannot_be_noted_is_not_sealed_and_goes_on_when_it_can(hall: Hall) -> None:
    hall.people(SQUARE)
    hall.link("by-birth", BORN)
    folder = hall.folder / "w/var/hall-core/histories/notice-cloud/none"
    folder.mkdir(parents=True)
    (folder / "by-birth").write_text("in the way")

    waiting = hall.run("by-birth", MONDAY)

    assert (waiting.state, waiting.manifest) == (Out.EXTRACTING, None)
    (folder / "by-birth").unlink()
    (folder / "by-birth").mkdir()
    (folder / "by-birth" / "00000001.parquet.tmp").write_text("half")
    row = hall.run("by-birth", MONDAY)
    assert (row.transfer, row.state) == (waiting.transfer, Out.SEALED)
    (kept,) = (folder / "by-birth").iterdir()
    assert row.transfer in kept.name


def _crash(*_: object) -> None:
    raise KeyboardInterrupt
