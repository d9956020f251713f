"""A link whose line is cut goes by media: two persons permit it, and receipts come back.

The exchange server and the relay do not run unless a test starts them: the hall reaches nobody.
Each test carries the run of a business date of its own, later than those before.
"""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest

from kumobashi.courier.codes import Spoken, code_of
from kumobashi.messages.receipts import Stage
from kumobashi.testing.city import City
from kumobashi.testing.gateways import until
from kumobashi.testing.town import DAY, Refused, Town
from tests.scenario.courier import CLOUD, HALL, Clerks, events, permit_media
from tests.scenario.expecting import NOTICES, check_settled

pytestmark = [pytest.mark.scenario, pytest.mark.slow, pytest.mark.xdist_group("courier")]
DAYS = (DAY + timedelta(days=number) for number in count())


@pytest.fixture(scope="module")
def town(city: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("courier") / "w"
    with Town.found(folder, city, change=permit_media, part_bytes=65_536) as made:
        made.start(HALL)
        made.start(CLOUD)
        yield made


@pytest.fixture(scope="module")
def clerks(town: Town) -> Clerks:
    return Clerks(town)


@pytest.fixture
def transfer(clerks: Clerks) -> str:
    """One that is sealed and waits for a line."""
    return clerks.sealed(next(DAYS))


@pytest.fixture
def usb(tmp_path: Path) -> Path:
    (tmp_path / "usb").mkdir()
    return tmp_path / "usb"


def carried(clerks: Clerks, transfer: str, usb: Path) -> str:
    """Write the transfer and read it in; return the permit."""
    permit = clerks.permit("--transfer", transfer, site=HALL)
    clerks.run("export", permit, "--site", HALL, "--to", usb)
    clerks.run("import", usb, "--site", CLOUD)
    clerks.applied_there(transfer)
    return permit


def brought_back(clerks: Clerks, usb: Path) -> dict[str, str]:
    """Carry the receipts home on the same medium, erased."""
    shutil.rmtree(usb / "COURIER")
    home = clerks.permit("--receipts", HALL, site=CLOUD, media=("USB-900",))
    clerks.run("export", home, "--receipts", "--site", CLOUD, "--to", usb)
    return dict(clerks.run("import", usb, "--site", HALL)["transfers"])


def test_out_and_back_on_media_is_as_good_as_over_a_line(
    town: Town, clerks: Clerks, transfer: str, usb: Path
) -> None:
    out = carried(clerks, transfer, usb)
    known = clerks.run("import", usb, "--site", CLOUD, expect=2)
    home = brought_back(clerks, usb)
    again = clerks.run("import", usb, "--site", HALL, expect=2)
    clerks.do("returned", out, site=HALL)

    assert home == {transfer: "applied"}
    assert known["error"]["code"] == again["error"]["code"] == "courier.medium_known"
    check_settled(town, transfer, NOTICES)
    assert events(town, HALL) == [
        "courier.asked", "courier.approved", "courier.begun", "courier.written",
        "courier.arrived", "courier.read", "courier.returned",
    ]  # fmt: skip
    assert events(town, CLOUD) == [
        "courier.arrived", "courier.read", "courier.asked", "courier.approved", "courier.begun",
        "courier.written",
    ]  # fmt: skip


def test_a_code_on_the_telephone_ends_what_nothing_can_be_carried_back_for(
    town: Town, clerks: Clerks, transfer: str, usb: Path
) -> None:
    early = clerks.run("code", transfer, "--site", CLOUD, expect=2)
    carried(clerks, transfer, usb)
    code = clerks.run("code", transfer, "--site", CLOUD)["code"]
    other = code.replace(code[5], "Z" if code[5] != "Z" else "Y", 1)

    slip = clerks.run("confirm", transfer, other, "--site", HALL, expect=2)
    said = clerks.run("confirm", transfer, code.lower().replace("-", ""), "--site", HALL)
    again = clerks.run("confirm", transfer, code, "--site", HALL)

    assert early["error"]["code"] == "courier.code_not_yet"
    assert slip["error"]["code"] == "courier.code_mistyped"
    assert (said["stage"], said["state"], again["state"]) == ("applied", "applied", "applied")
    seen = town.transfer(transfer)
    assert (seen["state"], seen["light"], seen["cause"]) == ("applied", "applied", None)
    assert town.ledger(HALL).stages(transfer) == []  # a code is no receipt
    assert brought_back(clerks, usb)[transfer] == "applied"  # should they come after all
    check_settled(town, transfer, NOTICES)


def test_a_transfer_on_two_media_with_an_export_that_is_killed(
    town: Town, clerks: Clerks, transfer: str, usb: Path
) -> None:
    permit = clerks.permit("--transfer", transfer, site=HALL, media=("USB-1", "USB-2"))
    to = ("export", permit, "--site", HALL, "--to", usb)
    for point in ("courier.export_begun", "courier.file_written", "courier.export_untold"):
        clerks.killed(*to, at=point)
        if point != "courier.export_untold":
            refused = clerks.run("import", usb, "--site", CLOUD, expect=2)
            assert refused["error"]["code"] in {
                "courier.medium_missing", "courier.medium_incomplete"
            }  # fmt: skip

    written = clerks.run(*to)
    over = clerks.run(*to, expect=2)
    clerks.run("import", usb, "--site", CLOUD, "--dry-run")
    (usb / "COURIER" / "note.txt").write_text("x", encoding="utf-8")
    strange = clerks.run("import", usb, "--site", CLOUD, expect=2)
    (usb / "COURIER" / "note.txt").unlink()
    assert strange["error"]["code"] == "courier.medium_strange"
    assert events(town, CLOUD)[-1] == "courier.refused"
    assert town.ledger(CLOUD).incoming(transfer) == []
    clerks.run("import", usb, "--site", CLOUD)

    assert (written["number"], written["parts_left"]) == (1, 0)
    assert over["error"]["code"] == "courier.nothing_to_carry"
    assert len(clerks.run("show", permit, "--site", HALL)["media"]) == 1
    clerks.applied_there(transfer)
    right = clerks.run("code", transfer, "--site", CLOUD)["code"]
    said = Spoken(tenant="999997", transfer=transfer, attempt=1, manifest_digest="sha256:0")
    guesses = [
        code_of(bytes([n] * 32), said, Stage.APPLIED, "sha256:" + "0" * 64) for n in range(10)
    ]
    wrong = [clerks.run("confirm", transfer, one, "--site", HALL, expect=2) for one in guesses]
    locked = clerks.run("confirm", transfer, right, "--site", HALL, expect=2)
    assert {one["error"]["code"] for one in wrong} == {"courier.code_wrong"}
    assert locked["error"]["code"] == "courier.code_locked"
    assert town.transfer(transfer)["state"] == "sealed"
    assert brought_back(clerks, usb)[transfer] == "applied"
    check_settled(town, transfer, NOTICES)


def test_a_receiver_that_dies_while_a_medium_is_read_goes_on_with_the_next_reading(
    town: Town, clerks: Clerks, transfer: str, usb: Path
) -> None:
    permit = clerks.permit("--transfer", transfer, site=HALL)
    clerks.run("export", permit, "--site", HALL, "--to", usb)
    for crash in ("inbox.announced", "inbox.part_stored", "inbox.close_before_commit"):
        town.restart(CLOUD, crash=crash)
        down = clerks.run("import", usb, "--site", CLOUD, expect=4)
        assert down["error"]["code"] == "service.gateway_down"
    town.restart(CLOUD, crash="receiving.applied_unrecorded")

    clerks.run("import", usb, "--site", CLOUD)
    town.running[CLOUD].wait_end()
    town.start(CLOUD)

    clerks.applied_there(transfer)
    assert brought_back(clerks, usb)[transfer] == "applied"
    check_settled(town, transfer, NOTICES)


def test_without_two_persons_nothing_is_written(
    town: Town, clerks: Clerks, transfer: str, usb: Path
) -> None:
    words = ("--medium", "USB-1", "--purpose", "回線の障害", "--return-by")
    soon = (*words, (DAY + timedelta(days=3)).isoformat())
    asked = clerks.do("ask", "--transfer", transfer, *soon, site=HALL)["permit"]

    early = clerks.run("export", asked, "--site", HALL, "--to", usb, expect=2)
    used = usb / "COURIER"
    used.mkdir()
    (used / "00000001.BIN").write_bytes(b"of somebody else")
    second = clerks.permit("--transfer", transfer, site=HALL)
    not_empty = clerks.run("export", second, "--site", HALL, "--to", usb, expect=2)
    assert not_empty["error"]["code"] == "courier.medium_not_empty"
    assert clerks.run("show", second, "--site", HALL)["state"] == "approved"
    clerks.do("decline", second, site=HALL)
    shutil.rmtree(used)
    clerks.do("decline", asked, site=HALL)
    declined = clerks.run("export", asked, "--site", HALL, "--to", usb, expect=2)
    late = (*words, (DAY + timedelta(days=60)).isoformat())
    too_late = clerks.do("ask", "--transfer", transfer, *late, site=HALL, expect=2)

    assert early["error"]["code"] == declined["error"]["code"] == "courier.permit_move"
    assert too_late["error"]["code"] == "courier.return_too_late"
    assert list(usb.iterdir()) == []
    carried(clerks, transfer, usb)
    assert brought_back(clerks, usb)[transfer] == "applied"


def test_what_a_person_stopped_stays_at_home_and_what_has_left_is_not_taken_back(
    town: Town, clerks: Clerks, transfer: str, usb: Path
) -> None:
    permit = clerks.permit("--transfer", transfer, site=HALL)
    to = ("export", permit, "--site", HALL, "--to", usb)
    town.call(f"/api/v1/links/{NOTICES}/pause", {})
    paused = clerks.run(*to, expect=2)
    assert list(usb.iterdir()) == []
    town.call(f"/api/v1/links/{NOTICES}/resume", {})

    clerks.killed(*to, at="courier.export_begun")  # from here on a medium may have it
    for deed in ("cancel", "pause"):
        with pytest.raises(Refused) as refused:
            town.call(f"/api/v1/transfers/{transfer}/{deed}", {})
        assert refused.value.problem["code"] == "exchange.has_left"
    clerks.run(*to)
    clerks.run("import", usb, "--site", CLOUD)
    clerks.applied_there(transfer)

    assert paused["error"]["code"] == "exchange.paused"
    assert brought_back(clerks, usb)[transfer] == "applied"
    keys = town.folder / "var" / HALL / "keys" / "out"
    assert not keys.exists() or not [one for one in keys.iterdir() if transfer in one.name]


def test_without_its_key_a_transfer_is_not_carried(
    town: Town, clerks: Clerks, transfer: str, usb: Path
) -> None:
    permit = clerks.permit("--transfer", transfer, site=HALL)
    keys = town.folder / "var" / HALL / "keys" / "out"
    (key,) = [one for one in keys.iterdir() if transfer in one.name]
    held = key.read_bytes()
    key.unlink()

    refused = clerks.run("export", permit, "--site", HALL, "--to", usb, expect=2)
    assert refused["error"]["code"] == "crypto.key_gone"
    assert list(usb.iterdir()) == []
    key.write_bytes(held)
    carried(clerks, transfer, usb)
    assert brought_back(clerks, usb)[transfer] == "applied"


def test_the_proof_of_deletion_comes_home_on_a_medium(
    town: Town, clerks: Clerks, transfer: str, usb: Path
) -> None:
    carried(clerks, transfer, usb)
    assert brought_back(clerks, usb)[transfer] == "applied"
    until("the cloud knows what it holds", lambda: held_at(town, CLOUD, "in", transfer), 30)
    town.running[CLOUD].stop()
    with closing(sqlite3.connect(town.folder / "var" / CLOUD / "state.db")) as state, state:
        state.execute("update holdings set due_at = 1 where transfer = ?", (transfer,))
    town.start(CLOUD)
    gone = lambda: held_at(town, CLOUD, "in", transfer) == "deleted" or None  # noqa: E731
    until("the cloud has deleted it", gone, 60)
    assert held_at(town, HALL, "out", transfer) != "deleted"

    assert brought_back(clerks, usb)[transfer] == "applied"

    assert held_at(town, HALL, "out", transfer) == "deleted"
    assert town.ledger(HALL).stages(transfer)[-1] == "deleted"
    again = brought_back(clerks, usb)  # on another medium it changes nothing
    assert again[transfer] == "applied"


def held_at(town: Town, site: str, side: str, transfer: str) -> str | None:
    listed = town.call("/api/v1/deletions", site=site)["holdings"]
    found = [one for one in listed if (one["transfer"], one["side"]) == (transfer, side)]
    return str(found[0]["state"]) if found else None


def test_a_line_that_comes_back_meanwhile_applies_nothing_twice(
    town: Town, clerks: Clerks, transfer: str, usb: Path
) -> None:
    permit = clerks.permit("--transfer", transfer, site=HALL)
    clerks.run("export", permit, "--site", HALL, "--to", usb)
    town.start_all()  # now both ways are open

    came = clerks.run("import", usb, "--site", CLOUD)
    seen = town.wait(transfer)

    assert came["parts_missing"] == 0
    assert seen["state"] == "applied"
    until("all is quiet", lambda: quiet(town, transfer), 30)
    code = clerks.run("code", transfer, "--site", CLOUD)["code"]
    assert clerks.run("confirm", transfer, code, "--site", HALL)["state"] == "applied"
    check_settled(town, transfer, NOTICES)


def quiet(town: Town, transfer: str) -> bool | None:
    try:
        check_settled(town, transfer, NOTICES)
    except AssertionError:
        return None
    return True


def test_a_link_that_does_not_permit_media_stays_at_home(
    town: Town, clerks: Clerks, usb: Path
) -> None:
    path = town.folder / "links" / f"{NOTICES}.yaml"
    allowed = path.read_text("utf-8")
    path.write_text(allowed.replace("courier:", "# courier:"), encoding="utf-8")
    try:
        words = ("--medium", "USB-1", "--purpose", "回線の障害", "--return-by", DAY.isoformat())
        transfer = town.ledger(HALL).outgoing()[-1].transfer
        refused = clerks.do("ask", "--transfer", transfer, *words, site=HALL, expect=2)
        path.write_text(allowed.replace("longest_days: 7", "longest_days: 8"), encoding="utf-8")
        unapproved = clerks.do("ask", "--transfer", transfer, *words, site=HALL, expect=3)
    finally:
        path.write_text(allowed, encoding="utf-8")

    assert refused["error"]["code"] == "courier.not_allowed"
    assert unapproved["error"]["code"] == "exchange.drifted"


def cut_off(folder: Path) -> None:
    """Make the cloud a place that no line leads to: in the hall's own zone, reached by media."""
    permit_media(folder)
    hall, cloud = (folder / "sites" / f"{site}.yaml" for site in (HALL, CLOUD))
    text = hall.read_text("utf-8")
    line = "{site: hall-exchange, by: designated_communication}"
    hall.write_text(text.replace(line, "{site: public-cloud, by: courier}"), encoding="utf-8")
    text = cloud.read_text("utf-8")
    cloud.write_text(text.replace("zone: internet", "zone: mynumber"), encoding="utf-8")
    rules = folder / "policy/who_may.csv"
    text = rules.read_text(encoding="utf-8")
    rules.write_text(text.replace(",mynumber,internet,", ",mynumber,mynumber,"), encoding="utf-8")


def test_a_site_without_any_line_is_reached_by_media_alone(
    city: City, tmp_path: Path, usb: Path
) -> None:
    with Town.found(tmp_path / "w", city, change=cut_off) as town:
        clerks = Clerks(town)
        town.start(HALL)
        town.start(CLOUD)
        transfer = clerks.sealed()

        waiting = town.transfer(transfer)
        carried(clerks, transfer, usb)
        home = brought_back(clerks, usb)

        assert waiting["cause"]["code"] == "exchange.courier_awaited"
        assert home == {transfer: "applied"}
        check_settled(town, transfer, NOTICES)
