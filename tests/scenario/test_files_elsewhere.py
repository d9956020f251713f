"""File linkage through object storage and SFTP: the provider puts, the consumer takes, once.

A desk's system puts its file into a bucket of SeaweedFS; the gateway takes it, and puts what the
mail room gets onto a file server. Both servers are others' programs.
"""

import csv
import io
import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import obstore
import pytest

from kumobashi.testing.city import City
from kumobashi.testing.commands import command
from kumobashi.testing.crash_points import names
from kumobashi.testing.town import DAY, Town
from tests.page_examples import Page, run_python, run_shell
from tests.peers.file_server import FileServer, file_server
from tests.peers.object_storage import KEY_ID, SECRET_KEY, Storage, rclone, seaweedfs
from tests.scenario.desks import GOOD, LINK, found, submit

pytestmark = [pytest.mark.scenario, pytest.mark.slow]
GIVEN = f"名簿_{DAY:%Y%m%d}.csv"
S3 = """{{kind: s3, endpoint: "{endpoint}", bucket: linkage, prefix: desk, \
key_id: "file:private/hall-core/s3.id", secret_key: "file:private/hall-core/s3.key", {more}}}"""
SFTP = """{{kind: sftp, host: 127.0.0.1, port: {port}, user: {user}, folder: mail-room, \
host_key: "{host_key}", key: "file:private/hall-core/sftp.key", complete: done}}"""


@dataclass
class Place:
    """The town, and both servers as their owners see them."""

    town: Town
    bucket: Any
    mail_room: Path

    def give(self, text: str = GOOD, name: str = GIVEN) -> None:
        """Put a file as the desk's system does."""
        obstore.put(self.bucket, name, text.encode("cp932"))

    @property
    def given(self) -> set[str]:
        return {str(one["path"]) for page in obstore.list(self.bucket) for one in page}

    @property
    def got(self) -> list[Path]:
        return sorted(path for path in self.mail_room.iterdir() if path.suffix == ".csv")


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    with seaweedfs(tmp_path_factory.mktemp("seaweedfs")) as running:
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FileServer]:
    with file_server(tmp_path_factory.mktemp("sftp")) as running:
        yield running


@pytest.fixture
def place(
    city: City, storage: Storage, server: FileServer, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Place]:
    more = getattr(request, "param", "taken: leave")
    mail_room = server.folder / "mail-room"
    mail_room.mkdir(exist_ok=True)
    for path in mail_room.iterdir():
        if path.is_file():
            path.unlink()
    bucket = obstore.store.S3Store(
        storage.bucket, prefix="desk", endpoint=storage.endpoint, access_key_id=KEY_ID,
        secret_access_key=SECRET_KEY, region="us-east-1",
        client_options={"allow_http": True, "timeout": timedelta(seconds=10)},
    )  # fmt: skip
    with ExitStack() as stack:
        town = stack.enter_context(
            found(
                tmp_path / "w",
                city,
                desk=S3.format(endpoint=storage.endpoint, more=more),
                mail_room=SFTP.format(port=server.port, user=server.user, host_key=server.host_key),
                mail_file="発送_{date}_{sequence}.csv",
            )
        )
        private = town.folder / "private/hall-core"
        for name, secret in (("s3.id", KEY_ID), ("s3.key", SECRET_KEY), ("sftp.key", server.key)):
            (private / name).write_text(secret, encoding="utf-8")
            (private / name).chmod(0o600)
        made = Place(town, bucket, mail_room)
        for name in made.given:
            obstore.delete(bucket, name)
        town.start("hall-core")
        yield made


def rows(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))


def test_what_a_provider_puts_is_taken_once_and_put_where_the_consumer_takes_it(
    place: Place,
) -> None:
    place.give()
    place.give("", f"{GIVEN}.part")  # not meant

    run = place.town.run(LINK)

    assert (run["state"], run["rows_applied"]) == ("applied", 2), str(run["cause"])
    (file,) = place.got
    assert file.name == f"発送_{DAY:%Y%m%d}_1.csv"
    assert rows(file)[1:] == [
        ["0000000001", "髙橋", "1990-02-28", "1番,2号"],
        ["0000000002", "山﨑", "2001-12-31", "007"],
    ]
    assert (file.parent / f"{file.name}.done").exists()
    assert GIVEN in place.given  # nobody removes what is the provider's

    again = place.town.run(LINK, again=True)  # the kept file, though it still lies there
    assert (again["state"], again["rows_applied"]) == ("applied", 2)
    assert [rows(path) for path in place.got] == [rows(file)] * 2


@pytest.mark.parametrize("place", ["taken: remove"], indirect=True)
def test_where_it_is_agreed_what_was_taken_is_removed(place: Place) -> None:
    place.give()
    place.town.run(LINK)
    assert GIVEN in place.given  # until somebody looks again

    place.town.run(LINK, again=True)

    assert place.given == set()


def test_a_corrected_file_under_the_same_name_is_sent_in_its_place(place: Place) -> None:
    place.give()
    place.town.run(LINK)
    place.give(GOOD.replace("髙橋", "髙島"))

    again = place.town.run(LINK, again=True)

    assert again["state"] == "applied"
    assert rows(place.got[-1])[1][1] == "髙島"


def test_a_link_waits_until_the_provider_has_put_its_file(place: Place) -> None:
    transfer = place.town.submit(LINK)["transfer"]
    waiting = place.town.wait(transfer, lambda seen: seen["cause"] is not None)
    assert waiting["cause"]["code"] == "storage.file_awaited"

    place.give()

    assert place.town.wait(transfer)["state"] == "applied"


def test_another_file_under_the_name_is_not_written_over(place: Place) -> None:
    place.give()
    theirs = place.mail_room / f"発送_{DAY:%Y%m%d}_1.csv"
    theirs.write_text("theirs", encoding="utf-8")

    transfer = place.town.submit(LINK)["transfer"]
    seen = place.town.wait(transfer, lambda seen: seen["cause"] is not None)

    assert seen["cause"]["code"] == "remote.name_taken", seen["cause"]
    assert theirs.read_text(encoding="utf-8") == "theirs"


def test_a_place_is_tried_before_it_is_used(place: Place) -> None:
    place.give()
    before = place.given

    for system in ("desk", "mail-room"):
        done = command("system", "try", system, "--json", folder=place.town.folder)
        assert done.exit_code == 0, done.output
        assert json.loads(done.output)["written"]
    shown = command("system", "try", "desk", "--read-only", folder=place.town.folder)
    assert "s3:linkage/desk" in shown.output
    none = command("system", "try", "integrated-db", "--json", folder=place.town.folder)

    assert json.loads(none.output)["error"]["code"] == "cli.no_files_elsewhere"
    assert place.given == before
    assert [path.name for path in place.mail_room.iterdir() if path.is_file()] == []


def test_a_storage_that_overwrites_is_refused_when_it_is_tried(
    place: Place, tmp_path: Path
) -> None:
    with rclone(tmp_path) as bad:
        place.town.edit("systems/desk.yaml", r'endpoint: "[^"]*"', f'endpoint: "{bad.endpoint}"')
        done = command("system", "try", "desk", "--json", folder=place.town.folder)

    assert done.exit_code != 0
    assert json.loads(done.output)["error"]["code"] == "remote.condition_ignored"


def test_no_key_of_the_servers_is_on_a_page_or_in_a_log(place: Place) -> None:
    place.give()
    place.town.run(LINK)
    shown = str(place.town.call("/api/v1/overview"))
    logged = "".join(process.tail(10_000) for process in place.town.running.values())

    for text in (shown, logged):
        assert SECRET_KEY not in text
        assert "PRIVATE KEY" not in text


@pytest.mark.parametrize("name", [name for name in names() if name.startswith("remote.")])
def test_killed_at_each_point_the_same_file_arrives(place: Place, name: str) -> None:
    place.give()
    place.town.restart("hall-core", crash=f"{name}:1")

    transfer = submit(place.town)
    assert place.town.running["hall-core"].wait_end(60) == -9
    between = [path.read_bytes() for path in place.got]
    for path in place.got:
        path.unlink()  # the consumer takes at once
    place.town.start("hall-core")
    run = place.town.wait(transfer)

    assert (run["state"], run["rows_applied"]) == ("applied", 2), str(run["cause"])
    after = [path.read_bytes() for path in place.got]
    assert len({*between, *after}) == 1  # if it comes twice, it is the same under the same name
    assert [path.name for path in place.got] in ([], [f"発送_{DAY:%Y%m%d}_1.csv"])
    outbox = place.town.folder / "var/hall-core/data/mail-room.files/outbox"
    assert [path for path in outbox.iterdir() if path.is_file()] == []


@pytest.mark.parametrize("language", ["sh", "python"])
def test_the_page_shows_how_others_put_and_take(
    place: Place, storage: Storage, server: FileServer, tmp_path: Path, language: str
) -> None:
    page, folder = Page("files-elsewhere"), tmp_path / "theirs"
    put, take = page.blocks(language)
    folder.mkdir()
    (folder / "recipients.csv").write_bytes(GOOD.encode("cp932"))
    keys = {"KEY_ID": KEY_ID, "SECRET_KEY": SECRET_KEY}
    run = run_shell if language == "sh" else run_python
    there = {"https://objects.example.lg.jp": storage.endpoint, "999997/collection": "desk"}
    name = "recipients_20261121_1.csv"
    if language == "python":
        there["timedelta(seconds=60)}"] = 'timedelta(seconds=60), "allow_http": True}'

    run(put, folder, there | {name: quote(GIVEN) if language == "sh" else GIVEN}, keys)
    with pytest.raises(AssertionError):  # it is there already
        run(put, folder, there | {name: quote(GIVEN) if language == "sh" else GIVEN}, keys)
    assert place.town.run(LINK)["state"] == "applied"

    (folder / "host.pub").write_text(server.host_key, encoding="utf-8")
    (folder / "linkage").write_text(server.key, encoding="utf-8")
    (folder / "linkage").chmod(0o600)
    given = place.got[0].name
    if language == "sh":
        changed = {
            "sftp://files.example.lg.jp": f"sftp://127.0.0.1:{server.port}",
            "linkage/collection": "mail-room",
            name: quote(given),
        }
    else:
        changed = {
            '"files.example.lg.jp"': '"127.0.0.1"',
            "22,": f"{server.port},",
            "linkage/collection": "mail-room",
            name: given,
        }
    run(take, folder, changed)
    taken = folder / ("recipients.csv" if language == "sh" else given)
    assert taken.read_bytes() == place.got[0].read_bytes()
