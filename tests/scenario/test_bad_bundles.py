"""What is wrong is refused with a code, in a signed receipt where one is due, and harms nothing."""

import io
import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kumobashi.crypto.canonical import canonical, digest
from kumobashi.crypto.http_signatures import sign_request
from kumobashi.crypto.keys import SealKey, SigningKey
from kumobashi.messages.fields import LARGEST_DOCUMENT
from kumobashi.messages.manifest import MediaType, sign_manifest
from kumobashi.testing.city import City
from kumobashi.testing.courier import Answer, Bundle, Courier, pack
from kumobashi.testing.gateways import until
from kumobashi.testing.town import DAY, Town

pytestmark = [pytest.mark.scenario, pytest.mark.slow]
NHI = ("hall-core", "nhi", "insured_residents")
NHI_HEADER = (
    "宛名番号,氏,名,氏 フリガナ,名 フリガナ,性別,生年月日,続柄,世帯番号,"
    "町字コード（団体コードと町字ID）,町字,番地号,方書,郵便番号"
)
NHI_ROW = (
    "0000000001,髙橋,花子,タカハシ,ハナコ,2,1990-04-01,02,0000000001,9999970001001,"
    "架空町一丁目,1-1,,2600001"
)
_dates = iter(DAY + timedelta(days=n) for n in range(1, 400))


@pytest.fixture(scope="module")
def town(city: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("bad")
    with Town.found(folder / "w", city, part_bytes=65_536) as made:
        made.start_all(but=["hall-exchange"])
        yield made


@pytest.fixture
def relay(town: Town) -> Courier:
    """Calls the receiver in the name of the relay before it."""
    return Courier(town, "public-cloud", "asp-relay")


@pytest.fixture
def hall(town: Town) -> Courier:
    """Calls the core systems' site as itself."""
    return Courier(town, "hall-core", "hall-core")


@pytest.fixture(autouse=True)
def unharmed(town: Town) -> Iterator[None]:
    """After every test the gateways run, nothing is stuck and nothing lies about."""
    yield
    for site in ("public-cloud", "asp-relay", "hall-core"):
        assert town.is_running(site)
        # The last receipt is given a moment before the folder is cleared.
        until("work cleared", partial(is_cleared, town, site), 5)


def is_cleared(town: Town, site: str) -> bool | None:
    return town.ledger(site).at_work() == [] or None


def reminders(count: int = 3, **changed: Any) -> bytes:
    columns: dict[str, Any] = {
        "token": [f"{n:032x}" for n in range(count)],
        "child_birth_ym": pa.array([201704] * count, pa.int32()),
        "vaccine_code": ["je-2"] * count,
    }
    return parquet({**columns, **changed})


def parquet(columns: dict[str, Any]) -> bytes:
    target = io.BytesIO()
    pq.write_table(pa.table({k: v for k, v in columns.items() if v is not None}), target)
    return target.getvalue()


def noise(parts: int) -> bytes:
    """Return a payload that does not compress: as many parts of 64 KiB as asked."""
    rows = (parts * 65_536 - 20_000) // 40
    tokens = [uuid.uuid4().hex for _ in range(rows)]
    return reminders(rows, token=tokens)


def csv(town: Town, rows: list[str], *, charset: str = "utf-8", header: str = NHI_HEADER) -> Bundle:
    text = "".join(f"{line}\r\n" for line in [header, *rows])
    return csv_bytes(
        town, text.encode("cp932" if charset == "cp932" else "utf-8"), len(rows), charset
    )


def csv_bytes(town: Town, payload: bytes, rows: int, charset: str = "utf-8") -> Bundle:
    return pack(
        town,
        payload,
        rows=rows,
        link="resident-to-nhi",
        layout="insured-residents",
        to=NHI,
        media_type=MediaType.CSV,
        charset=charset,
        day=next(_dates),
    )


def applied_rows(town: Town, bundle: Bundle) -> int:
    """Return how many loads of this transfer the target knows."""
    said = bundle.manifest
    found = town.sql(
        said.to_system,
        f"select count(*) from kumobashi_applied where transfer = '{said.transfer}'",
    )
    return int(found[0][0]) if found else 0


def refused(
    town: Town, courier: Courier, bundle: Bundle, code: str, *stages: str
) -> dict[str, Any]:
    """Deliver, and check that the last receipt refuses with ``code`` behind ``stages``."""
    assert courier.deliver(bundle).status == 202
    receipts = courier.result(bundle)
    assert [r["stage"] for r in receipts] == ["delivered", *stages, "refused"]
    last = dict(receipts[-1])
    assert last["code"] == code
    assert last["site"] == bundle.manifest.to_site
    assert last["note_ja"]
    assert applied_rows(town, bundle) == 0
    ledger, transfer = town.ledger(bundle.manifest.to_site), bundle.manifest.transfer
    until("spool cleared", lambda: not any(transfer in str(p) for p in ledger.spooled()) or None, 5)
    return last


# -- the good one, so that the bad ones are known to be refused for what is bad about them ---------


def test_a_good_bundle_is_applied(town: Town, relay: Courier) -> None:
    bundle = pack(town, reminders(5), rows=5, day=next(_dates))

    assert relay.deliver(bundle).status == 202

    stages = [receipt["stage"] for receipt in relay.result(bundle)]
    assert stages == ["delivered", "opened", "validated", "applied"]
    assert town.sql("notice-cloud", "select count(*) from vaccination_reminders") == [(5,)]


def test_a_good_csv_is_applied(town: Town, hall: Courier) -> None:
    bundle = csv(town, [NHI_ROW], charset="cp932")

    assert hall.deliver(bundle).status == 202

    assert hall.result(bundle)[-1]["stage"] == "applied"
    assert town.sql("nhi", "select family_name from insured_residents") == [("髙橋",)]


# -- on the wire -----------------------------------------------------------------------------------


@pytest.mark.parametrize("gateway", ["asp-relay", "public-cloud"])
def test_a_flipped_byte_in_any_part_is_not_taken(town: Town, gateway: str) -> None:
    caller = {"asp-relay": "hall-exchange", "public-cloud": "asp-relay"}[gateway]
    courier = Courier(town, gateway, caller)
    bundle = pack(town, noise(3), rows=0, day=next(_dates))
    assert len(bundle.manifest.parts) >= 3
    courier.announce(bundle)

    for part in bundle.manifest.parts:
        body = bytearray(bundle.bodies[part.digest])
        body[len(body) // 2] ^= 1
        answer = courier.put(bundle, part, bytes(body))
        assert (answer.status, answer.code) == (422, "message.part_altered")

    answer = courier.close(bundle)
    assert (answer.status, answer.code) == (409, "message.parts_missing")
    assert set(answer.body["missing"]) == {part.digest for part in bundle.manifest.parts}


def test_a_part_too_short_or_too_long_is_not_taken(town: Town, relay: Courier) -> None:
    bundle = pack(town, reminders(), rows=3, day=next(_dates))
    relay.announce(bundle)
    (part,) = bundle.manifest.parts
    body = bundle.bodies[part.digest]

    assert relay.put(bundle, part, body[:-1]).code == "message.part_altered"
    assert relay.put(bundle, part, b"").code == "message.part_altered"
    longer = relay.put(bundle, part, body + b"x")
    assert (longer.status, longer.code) == (413, "message.part_too_large")
    assert relay.put(bundle, part).status == 201
    assert relay.put(bundle, part).status == 200  # the same again changes nothing


def test_a_part_nobody_announced_is_not_taken(town: Town, relay: Courier) -> None:
    bundle = pack(town, reminders(), rows=3, day=next(_dates))
    other = pack(town, reminders(), rows=3, day=next(_dates))
    relay.announce(bundle)

    answer = relay.put(
        Bundle(manifest=bundle.manifest, bodies=other.bodies), other.manifest.parts[0]
    )

    assert (answer.status, answer.code) == (409, "message.part_not_announced")


def test_parts_of_a_transfer_nobody_announced_are_not_taken(town: Town, relay: Courier) -> None:
    bundle = pack(town, reminders(), rows=3, day=next(_dates))

    assert relay.put(bundle, bundle.manifest.parts[0]).code == "message.transfer_unknown"
    assert relay.close(bundle).code == "message.transfer_unknown"
    assert relay.status(bundle).code == "message.transfer_unknown"


def test_parts_larger_than_a_site_takes_are_refused_beforehand(town: Town, relay: Courier) -> None:
    bundle = pack(town, noise(3), rows=0, limit=100_000, day=next(_dates))

    answer = relay.announce(bundle)

    assert (answer.status, answer.code) == (413, "message.part_too_large")


def test_a_missing_part_is_named_and_can_be_handed_in_later(town: Town, relay: Courier) -> None:
    payload = noise(3)
    rows = pq.read_metadata(io.BytesIO(payload)).num_rows
    bundle = pack(town, payload, rows=rows, day=next(_dates))
    late = bundle.manifest.parts[1]

    answer = relay.deliver(bundle, but=[late])
    assert (answer.code, answer.body["missing"]) == ("message.parts_missing", [late.digest])

    relay.put(bundle, late)
    assert relay.close(bundle).status == 202
    assert relay.result(bundle)[-1]["stage"] == "applied"


def test_a_large_part_after_the_end_is_answered(town: Town, relay: Courier) -> None:
    """A sender that missed the answer hands everything in again: it must hear that all is well."""
    payload = noise(3)
    rows = pq.read_metadata(io.BytesIO(payload)).num_rows
    bundle = pack(town, payload, rows=rows, day=next(_dates))
    assert relay.deliver(bundle).status == 202
    first = relay.result(bundle)

    assert relay.deliver(bundle).status == 202

    assert relay.result(bundle) == first


# -- whose, for whom, when -------------------------------------------------------------------------


def test_a_bundle_for_another_tenant_is_not_taken(town: Town, relay: Courier) -> None:
    bundle = pack(town, reminders(), rows=3, day=next(_dates)).but(tenant="131016")

    answer = relay.announce(bundle)

    assert (answer.status, answer.code) == (403, "message.foreign")


@pytest.mark.parametrize("to_site", ["hall-core", "nowhere"])
def test_a_bundle_for_another_receiver_is_not_taken(
    town: Town, relay: Courier, to_site: str
) -> None:
    bundle = pack(town, reminders(), rows=3, day=next(_dates)).but(to_site=to_site)

    assert relay.announce(bundle).code == "message.foreign"


@pytest.mark.parametrize(
    "changed",
    [
        {"link": "notice-attributes"},
        {"from_site": "asp-relay"},
        {"to_site": "hall-core"},
        {"tenant": "131016"},
        {"attempt": 2},
    ],
    ids=str,
)
def test_a_manifest_that_is_not_what_was_announced_is_refused(
    town: Town, relay: Courier, changed: dict[str, Any]
) -> None:
    bundle = pack(town, reminders(), rows=3, day=next(_dates))
    relay.deliver(bundle, but=bundle.manifest.parts)
    for part in bundle.manifest.parts:
        relay.put(bundle, part)
    told = bundle.but(**changed)

    answer = relay.call(
        "POST",
        f"/peer/v1/transfers/{bundle.manifest.transfer}/1/close",
        signed(relay, told, "hall-core"),
    )

    assert (answer.status, answer.code) == (403, "message.foreign")
    assert relay.close(bundle).status == 202  # the right one is still welcome
    assert relay.result(bundle)[-1]["stage"] == "applied"


def signed(courier: Courier, bundle: Bundle, site: str) -> bytes:
    return sign_manifest(bundle.manifest, courier.signing(site)).encode()


@pytest.mark.parametrize(
    "changed",
    [
        {"to_system": "citizen-app"},
        {"to_dataset": "notice_attributes"},
        {"layout": "notice-attributes"},
        {"layout_version": "2"},
    ],
    ids=str,
)
def test_what_is_for_another_table_is_refused_with_a_receipt(
    town: Town, relay: Courier, changed: dict[str, str]
) -> None:
    bundle = pack(town, reminders(), rows=3, day=next(_dates))
    bent = bundle.but(**changed)
    assert relay.deliver(bent).status == 202

    last = relay.result(bent)[-1]

    assert (last["stage"], last["code"]) == ("refused", "message.foreign")
    assert applied_rows(town, bundle) == 0


def test_a_manifest_signed_by_another_site_is_refused(town: Town, relay: Courier) -> None:
    bundle = pack(town, reminders(), rows=3, day=next(_dates))
    relay.deliver(bundle, but=bundle.manifest.parts)
    for part in bundle.manifest.parts:
        relay.put(bundle, part)

    for key in (relay.signing("asp-relay"), relay.signing("public-cloud"), SigningKey.generate()):
        answer = relay.close(bundle, key)
        assert (answer.status, answer.code) == (401, "crypto.unknown_key")

    assert relay.status(bundle).body["receipts"] == []


def test_an_old_bundle_again_gets_the_same_receipts_and_is_not_applied_twice(
    town: Town, relay: Courier
) -> None:
    bundle = pack(town, reminders(7), rows=7, day=next(_dates))
    relay.deliver(bundle)
    first = relay.result(bundle)
    tokens = relay.status(bundle).body["receipts"]

    again = relay.announce(bundle)
    assert again.body["state"] == "finished"
    for part in bundle.manifest.parts:
        assert relay.put(bundle, part).status == 200
    closed = relay.close(bundle)

    assert (closed.status, closed.body["receipts"]) == (202, tokens)
    assert relay.result(bundle) == first
    assert applied_rows(town, bundle) == 1


def test_another_manifest_for_a_closed_attempt_is_refused(town: Town, relay: Courier) -> None:
    bundle = pack(town, reminders(), rows=3, day=next(_dates))
    relay.deliver(bundle)
    relay.result(bundle)

    answer = relay.close(bundle.but(rows=2))

    assert (answer.status, answer.code) == (409, "message.replayed")


def test_older_data_do_not_replace_newer(town: Town, relay: Courier) -> None:
    older_day, newer_day = next(_dates), next(_dates)
    newer = pack(town, reminders(4), rows=4, day=newer_day)
    relay.deliver(newer)
    assert relay.result(newer)[-1]["stage"] == "applied"
    older = pack(town, reminders(9), rows=9, day=older_day)

    refused(town, relay, older, "storage.superseded", "opened", "validated")

    assert town.sql("notice-cloud", "select count(*) from vaccination_reminders") == [(4,)]


def test_an_expired_bundle_is_not_taken(town: Town, relay: Courier) -> None:
    then = datetime.now(UTC) - timedelta(days=8)
    bundle = pack(town, reminders(), rows=3, day=next(_dates))
    bundle = bundle.but(created=then, expires=then + timedelta(days=7))

    answer = relay.deliver(bundle)

    assert (answer.status, answer.code) == (410, "message.expired")


# -- what is inside --------------------------------------------------------------------------------


def test_sealed_to_another_key_is_refused(town: Town, relay: Courier) -> None:
    bundle = pack(
        town, reminders(), rows=3, recipient=SealKey.generate().recipient, day=next(_dates)
    )

    refused(town, relay, bundle, "crypto.not_for_us")


@pytest.mark.parametrize(
    "changed",
    [
        {"payload_digest": "sha256:" + "0" * 64},
        {"sealed_digest": "sha256:" + "0" * 64},
        {"payload_bytes": 10},
        {"payload_bytes": 10_000_000},
        {"rows": 2},
        {"rows": 4},
    ],
    ids=str,
)
def test_a_manifest_that_lies_about_the_content_is_refused(
    town: Town, relay: Courier, changed: dict[str, Any]
) -> None:
    bundle = pack(town, reminders(3), rows=3, day=next(_dates)).but(**changed)

    refused(town, relay, bundle, "exchange.bundle_unlike")


def test_parquet_that_is_called_csv_is_refused(town: Town, relay: Courier) -> None:
    bundle = pack(town, reminders(), rows=3, day=next(_dates))

    refused(
        town,
        relay,
        bundle.but(media_type=MediaType.CSV, charset="utf-8"),
        "exchange.bytes_undecodable",
    )


def test_a_payload_that_is_no_parquet_is_refused(town: Town, relay: Courier) -> None:
    for payload in (b"PAR1 is not enough PAR1", b"", reminders()[:-9]):
        bundle = pack(town, payload, rows=3, day=next(_dates))
        refused(town, relay, bundle, "exchange.bundle_unlike")


@pytest.mark.parametrize(
    ("columns", "item"),
    [
        ({"vaccine_code": None}, "vaccine_code"),
        ({"name": ["a", "b", "c"]}, "name"),
        ({"child_birth_ym": ["abc", "201704", "201704"]}, "child_birth_ym"),
        ({"token": ["0" * 33, "1" * 32, "2" * 32]}, "token"),
        ({"vaccine_code": ["je-2", "je-2", "??"]}, "vaccine_code"),
        ({"token": ["0" * 32, None, "2" * 32]}, "token"),
        ({"child_birth_ym": pa.array([2017041, 201704, 201704], pa.int32())}, "child_birth_ym"),
    ],
    ids=[
        "missing column",
        "column too many",
        "wrong type",
        "too long",
        "unknown code",
        "required",
        "too many digits",
    ],
)
def test_rows_that_are_not_of_the_layout_are_refused_with_findings(
    town: Town, relay: Courier, columns: dict[str, Any], item: str
) -> None:
    strict(town)
    bundle = pack(town, reminders(3, **columns), rows=3, day=next(_dates))

    last = refused(town, relay, bundle, "exchange.rows_refused", "opened")

    assert last["findings"] >= 1
    (kept,) = town.ledger("public-cloud").incoming(bundle.manifest.transfer)
    assert item in {finding["item"] for finding in kept.facts["findings"]}
    assert "1111111111" not in str(kept.facts), "a finding shows no value of a row"


def strict(town: Town) -> None:
    """The link's word for findings: refuse everything."""
    path = town.folder / "links/vaccination-reminders.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("on_findings: quarantine", "on_findings: refuse"), "utf-8")


def test_the_same_person_twice_is_refused(town: Town, relay: Courier) -> None:
    strict(town)
    twice = reminders(3, token=["a" * 32, "a" * 32, "b" * 32])
    bundle = pack(town, twice, rows=3, day=next(_dates))
    assert relay.deliver(bundle).status == 202

    last = relay.result(bundle)[-1]

    assert last["stage"] == "refused"
    assert applied_rows(town, bundle) == 0
    (kept,) = town.ledger("public-cloud").incoming(bundle.manifest.transfer)
    assert [finding["code"] for finding in kept.facts["findings"]] == ["finding.key_repeated"]


def test_bytes_that_are_no_cp932_are_refused(town: Town, hall: Courier) -> None:
    good = f"{NHI_HEADER}\r\n{NHI_ROW}\r\n".encode("cp932")
    for bad in (b"\x81", b"\xa0", b"\xfd\xfe", "髙".encode()):
        payload = good + NHI_ROW.encode("cp932").replace("花子".encode("cp932"), bad) + b"\r\n"
        last = refused(
            town, hall, csv_bytes(town, payload, 2, "cp932"), "exchange.bytes_undecodable"
        )
        assert "3" in last["note_ja"], "the line is named"


def test_bytes_that_are_no_utf8_are_refused(town: Town, hall: Courier) -> None:
    payload = f"{NHI_HEADER}\r\n{NHI_ROW}\r\n".encode("cp932")

    refused(town, hall, csv_bytes(town, payload, 1, "utf-8"), "exchange.bytes_undecodable")


def test_an_unknown_charset_is_refused(town: Town, hall: Courier) -> None:
    bundle = csv(town, [NHI_ROW]).but(charset="utf-7")

    refused(town, hall, bundle, "exchange.bytes_undecodable")


@pytest.mark.parametrize("payload", [b"", b"\r\n", NHI_HEADER.encode(), b'"'], ids=repr)
def test_an_empty_csv_is_refused(town: Town, hall: Courier, payload: bytes) -> None:
    refused(town, hall, csv_bytes(town, payload, 1), "exchange.bundle_unlike")


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (NHI_ROW.replace("0000000001", "00000000011", 1), "exchange.rows_refused"),
        (NHI_ROW.replace("1990-04-01", "1990-02-30"), "exchange.rows_refused"),
        (NHI_ROW.replace(",2,1990", ",7,1990"), "exchange.rows_refused"),
        (NHI_ROW + ",余り", "exchange.bundle_unlike"),
        (NHI_ROW.rpartition(",")[0], "exchange.bundle_unlike"),
        (NHI_ROW.replace("花子", '"花子'), "exchange.bundle_unlike"),
    ],
    ids=["too long", "no date", "unknown code", "column too many", "column missing", "open quote"],
)
def test_csv_rows_that_are_wrong_are_refused(
    town: Town, hall: Courier, row: str, code: str
) -> None:
    path = town.folder / "links/resident-to-nhi.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("on_findings: quarantine", "on_findings: refuse"), "utf-8")
    bundle = csv(town, [NHI_ROW, row])
    assert hall.deliver(bundle).status == 202

    last = hall.result(bundle)[-1]

    assert (last["stage"], last["code"]) == ("refused", code)
    assert applied_rows(town, bundle) == 0


def test_a_csv_with_other_headers_is_refused(town: Town, hall: Courier) -> None:
    bundle = csv(town, [NHI_ROW], header=NHI_HEADER.replace("続柄", "関係"))

    refused(town, hall, bundle, "exchange.rows_refused", "opened")


# -- on the disk -----------------------------------------------------------------------------------


def test_a_byte_flipped_on_the_receivers_disk_is_refused(town: Town, relay: Courier) -> None:
    payload = noise(3)
    rows = pq.read_metadata(io.BytesIO(payload)).num_rows
    for number in range(3):
        bundle = pack(town, payload, rows=rows, day=next(_dates))
        relay.deliver(bundle, but=bundle.manifest.parts)
        for part in bundle.manifest.parts:
            relay.put(bundle, part)
        flip(town, "public-cloud", bundle, number)
        assert relay.close(bundle).status == 202

        last = relay.result(bundle)[-1]

        assert (last["stage"], applied_rows(town, bundle)) == ("refused", 0)


def flip(town: Town, site: str, bundle: Bundle, number: int) -> None:
    """Change one byte of a part in a gateway's spool, behind its back."""
    hex_ = bundle.manifest.parts[number].digest.removeprefix("sha256:")
    folder = town.ledger(site).folder / "spool/in" / bundle.manifest.transfer / "1"
    path = folder / f"{hex_}.part"
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 1
    path.write_bytes(bytes(body))


# -- who calls -------------------------------------------------------------------------------------


def test_unsigned_and_wrongly_signed_requests_are_refused(town: Town, relay: Courier) -> None:
    bundle = pack(town, reminders(), rows=3, day=next(_dates))
    body = bundle.announcement.encode()
    path = "/peer/v1/transfers"

    assert relay.send("POST", path, {}, body).code == "crypto.signature_missing"
    named = {"kumobashi-site": "asp-relay"}
    assert relay.send("POST", path, named, body).code == "crypto.signature_missing"
    strange = Courier(town, "public-cloud", "asp-relay", key=SigningKey.generate())
    assert strange.announce(bundle).code == "crypto.unknown_key"
    other = Courier(town, "public-cloud", "asp-relay", key=relay.signing("hall-core"))
    assert other.announce(bundle).code == "crypto.unknown_key"
    assert Courier(town, "public-cloud", "nobody", key=SigningKey.generate()).announce(
        bundle
    ).code in {"crypto.unknown_key", "message.foreign"}


def test_old_and_replayed_requests_are_refused(town: Town, relay: Courier) -> None:
    bundle = pack(town, reminders(), rows=3, day=next(_dates))
    body = bundle.announcement.encode()

    def headers(minutes: int, nonce: str) -> dict[str, str]:
        return sign_request(
            method="POST",
            target_uri=f"{town.url('public-cloud')}/peer/v1/transfers",
            content_digest=digest(body),
            site="asp-relay",
            key=relay.signing("asp-relay"),
            created=datetime.now(UTC) - timedelta(minutes=minutes),
            nonce=nonce,
        )

    def send(said: dict[str, str], content: bytes = body) -> Answer:
        return relay.send("POST", "/peer/v1/transfers", said, content)

    assert send(headers(7, "a")).code == "crypto.signature_expired"
    assert send(headers(-7, "b")).code == "crypto.signature_expired"
    good = headers(0, "c")
    assert send(good).status == 200
    assert send(good).code == "crypto.signature_replayed"
    assert send(headers(0, "d"), body + b" ").code == "crypto.body_altered"
    # Made for another site: the authority in the signature is not ours.
    other = Courier(town, "asp-relay", "hall-exchange")
    said = sign_request(
        method="POST",
        target_uri=f"{town.url('public-cloud')}/peer/v1/transfers",
        content_digest=digest(body),
        site="hall-exchange",
        key=relay.signing("hall-exchange"),
        created=datetime.now(UTC),
        nonce="e",
    )
    answer = other.send("POST", "/peer/v1/transfers", said, body)
    assert answer.code == "crypto.signature_invalid"


@pytest.mark.parametrize("caller", ["hall-core", "hall-exchange"])
def test_a_caller_without_a_connection_gets_nothing(
    town: Town, relay: Courier, caller: str
) -> None:
    bundle = pack(town, reminders(), rows=3, day=next(_dates))
    stranger = Courier(town, "public-cloud", caller)
    assert stranger.announce(bundle).code == "exchange.strange_caller"

    relay.announce(bundle)  # it is there now, and still none of theirs
    part = bundle.manifest.parts[0]
    answers = [stranger.put(bundle, part), stranger.close(bundle), stranger.status(bundle)]
    assert [answer.code for answer in answers] == ["exchange.strange_caller"] * 3
    assert relay.status(bundle).body["parts_held"] == 0


def test_a_body_that_is_too_large_is_cut_off(town: Town, relay: Courier) -> None:
    answer = relay.call("POST", "/peer/v1/transfers", b" " * (LARGEST_DOCUMENT + 1))

    assert (answer.status, answer.code) == (413, "message.part_too_large")


def test_another_major_format_is_refused(town: Town, relay: Courier) -> None:
    bundle = pack(town, reminders(), rows=3, day=next(_dates))
    said = {**json.loads(bundle.announcement.encode()), "format": 2}

    answer = relay.announce(bundle, canonical(said))

    assert (answer.status, answer.code) == (415, "message.format_unknown")


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b"null", b"{" * 5000, b"\xff", b'{"format":1}']
)
def test_nonsense_is_refused(town: Town, relay: Courier, body: bytes) -> None:
    bundle = pack(town, reminders(), rows=3, day=next(_dates))
    answer = relay.call("POST", "/peer/v1/transfers", body)
    assert 400 <= answer.status < 500
    assert answer.code

    relay.announce(bundle)
    path = f"/peer/v1/transfers/{bundle.manifest.transfer}/1/close"
    answer = relay.call("POST", path, body)
    assert 400 <= answer.status < 500
    assert answer.code


def test_the_tables_were_never_touched_by_what_was_refused(town: Town) -> None:
    rows = duckdb.connect(str(town.embedded("notice-cloud")), read_only=True)
    try:
        loads = rows.execute("select count(*), count(distinct transfer) from kumobashi_applied")
        ((count, distinct),) = loads.fetchall()
        assert count == distinct
    finally:
        rows.close()
