"""Bulk linkage with public clouds by jobs: one cloud gives, another takes, a gateway between.

Both clouds are processes of their own with limits and faults; the gateway is killed at every point
between two steps of a job.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from kumobashi.testing.city import City
from kumobashi.testing.commands import command
from kumobashi.testing.crash_points import names
from kumobashi.testing.jobs_cloud.running import RunningCloud, jobs_cloud
from kumobashi.testing.jobs_cloud.settings import (
    CLIENT_ID,
    CLIENT_SECRET,
    CloudSettings,
    Column,
    Table,
)
from kumobashi.testing.town import Town
from tests.scenario.desks import LINK, found, submit

pytestmark = [pytest.mark.scenario, pytest.mark.slow]
JOBS = """{{kind: jobs, url: "{url}", token_url: "{url}/token", \
client_id: "file:private/hall-core/{name}.id", \
client_secret: "file:private/hall-core/{name}.secret", patience_seconds: 10, \
limits: {{upload_bytes: 2000}}}}"""
SETTINGS = CloudSettings(
    tables={
        "addressees": Table(
            key="resident_no",
            columns={
                "resident_no": Column(longest=10, required=True),
                "family_name": Column(longest=50, required=True),
                "birth_date": Column(kind="date", required=True),
                "address_number": Column(longest=50),
            },
        )
    },
    work_seconds=0.0,
)
PEOPLE: list[dict[str, str | None]] = [
    {
        "resident_no": f"{number:010}",
        "family_name": "髙橋" if number % 2 else '山﨑, "二"',
        "birth_date": f"{1950 + number % 60}-02-{1 + number % 28:02}",
        "address_number": None if number % 7 == 0 else f"{number}番\n2号",
    }
    for number in range(120)
]  # fmt: skip


@dataclass
class Place:
    """The town, and both clouds as their owners see them."""

    town: Town
    giving: RunningCloud
    taking: RunningCloud

    @property
    def got(self) -> list[dict[str, Any]]:
        rows = [
            {k: v for k, v in row.items() if k != "Id"} for row in self.taking.rows("addressees")
        ]
        return sorted(rows, key=lambda row: str(row["resident_no"]))


@pytest.fixture
def place(city: City, tmp_path: Path) -> Iterator[Place]:
    with ExitStack() as stack:
        giving = stack.enter_context(
            jobs_cloud(tmp_path / "giving", SETTINGS.with_limits(page_rows=50))
        )
        taking = stack.enter_context(jobs_cloud(tmp_path / "taking", SETTINGS))
        town = stack.enter_context(
            found(
                tmp_path / "w",
                city,
                desk=JOBS.format(url=giving.url, name="giving"),
                desk_file=None,
                mail_room=JOBS.format(url=taking.url, name="taking"),
                mail_file=None,
            )
        )
        private = town.folder / "private/hall-core"
        for cloud in ("giving", "taking"):
            for name, secret in (("id", CLIENT_ID), ("secret", CLIENT_SECRET)):
                (private / f"{cloud}.{name}").write_text(secret, encoding="utf-8")
                (private / f"{cloud}.{name}").chmod(0o600)
        giving.give("addressees", PEOPLE)
        town.start("hall-core")
        yield Place(town, giving, taking)


def test_what_one_cloud_gives_by_jobs_another_takes_by_jobs(place: Place) -> None:
    run = place.town.run(LINK)

    assert (run["state"], run["rows_applied"]) == ("applied", 120), str(run["cause"])
    assert place.got == PEOPLE
    jobs = [job for job in place.taking.jobs() if job["kind"] == "ingest"]
    assert len(jobs) > 2
    assert {job["state"] for job in jobs} == {"JobComplete"}

    place.giving.give("addressees", PEOPLE[:100])  # twenty have moved away
    again = place.town.run(LINK, again=True)

    assert (again["state"], again["rows_applied"]) == ("applied", 100)
    assert place.got == PEOPLE[:100]


def test_rows_that_the_cloud_refuses_are_told_and_nothing_counts_as_arrived(place: Place) -> None:
    strict = replace(SETTINGS.tables["addressees"].columns["family_name"], longest=3)
    columns = SETTINGS.tables["addressees"].columns | {"family_name": strict}
    narrow = replace(SETTINGS, tables={"addressees": Table(key="resident_no", columns=columns)})
    narrow.write(place.taking.folder / "settings.json")
    place.taking.kill()
    place.taking.start()

    run = place.town.run(LINK)

    assert run["state"] == "refused", run
    assert run["cause"]["code"] == "jobs.rows_failed"
    said = json.dumps(run, ensure_ascii=False)
    assert "STRING_TOO_LONG" in said
    assert "山﨑" not in said
    logged = "".join(process.tail(10_000) for process in place.town.running.values())
    assert "山﨑" not in logged

    SETTINGS.write(place.taking.folder / "settings.json")
    place.taking.kill()
    place.taking.start()
    assert place.town.run(LINK, again=True)["state"] == "applied"
    assert place.got == PEOPLE


def test_a_cloud_that_is_away_is_waited_for(place: Place) -> None:
    place.taking.kill()
    transfer = place.town.submit(LINK)["transfer"]
    waiting = place.town.wait(transfer, lambda seen: seen["cause"] is not None)
    assert waiting["cause"]["code"] == "jobs.away"

    place.taking.start()

    assert place.town.wait(transfer)["state"] == "applied"
    assert place.got == PEOPLE


def test_a_cloud_of_jobs_is_tried_before_it_is_used(place: Place) -> None:
    for system, rows in (("desk", 120), ("mail-room", 0)):
        done = command("system", "try", system, "--json", folder=place.town.folder)
        assert done.exit_code == 0, done.output
        said = json.loads(done.output)
        assert said["tables"] == {"addressees": rows}
    assert place.got == []
    bad = place.town.folder / "private/hall-core/taking.secret"
    bad.write_text("wrong", encoding="utf-8")
    done = command("system", "try", "mail-room", "--json", folder=place.town.folder)
    assert json.loads(done.output)["error"]["code"] == "jobs.away"


@pytest.mark.parametrize("name", [name for name in names() if name.startswith("jobs.")])
@pytest.mark.parametrize("count", [1, 3])
def test_killed_at_each_point_every_row_is_there_once(place: Place, name: str, count: int) -> None:
    place.town.restart("hall-core", crash=f"{name}:{count}")

    transfer = submit(place.town)
    assert place.town.running["hall-core"].wait_end(60) == -9
    place.town.start("hall-core")
    run = place.town.wait(transfer)

    assert (run["state"], run["rows_applied"]) == ("applied", 120), str(run["cause"])
    assert place.got == PEOPLE
    jobs = [job for job in place.taking.jobs() if job["kind"] == "ingest"]
    assert {job["state"] for job in jobs} <= {"JobComplete", "Aborted"}
    done = sum(job["numberRecordsProcessed"] for job in jobs if job["state"] == "JobComplete")
    assert done == 120, "a job that was let begin is not sent again"
    private = place.town.folder / "var/hall-core/data/mail-room.jobs"
    assert [path.name for path in private.iterdir() if path.is_dir()] == []
