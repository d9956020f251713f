"""``kumobashi consent identify``, and a clerk who says which kind of document was seen."""

import base64
import io
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from kumobashi.cli.entry import root
from kumobashi.cli.exits import Exit
from kumobashi.consent.documents import checked, kinds
from kumobashi.consent.errors import DocumentUnknown
from kumobashi.consent.identifying import MOST
from kumobashi.identity import Accounts, Role
from kumobashi.kernel import SystemClock
from kumobashi.planning.sampling import write_sample

TARO, HANAKO, HIDDEN, GONE = "0000000001", "0000000002", "0000000003", "0000000004"
SAKURA = "0000000005"
PASSWORD = "correct horse 1"
ITEMS = ("ヤマダ ハナコ", "2", "1990-05-14", "架空市架空町一丁目2番3号")
ROWS = [
    (TARO, "ヤマダ", "タロウ", "1", date(1990, 5, 14), "架空町一丁目", "2番3号", "1"),
    (HANAKO, "ヤマダ", "ハナコ", "2", date(1990, 5, 14), "架空町一丁目", "2番3号", "1"),
    (HIDDEN, "スズキ", "ケイコ", "2", date(1985, 1, 1), "架空町二丁目", "4番5号", "1"),
    (GONE, "サトウ", "ジロウ", "1", date(1970, 2, 3), "架空町三丁目", "6番7号", "2"),
    (SAKURA, "タナカ", "サクラ", "2", date(2000, 7, 8), "架空町四丁目", "8番9号", "1"),
]


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = write_sample(tmp_path_factory.mktemp("identify") / "city")
    place = made / "var" / "hall-core" / "data"
    place.mkdir(parents=True)
    with duckdb.connect(place / "integrated-db.duckdb") as tables:
        tables.execute(
            "create table resident_registry (resident_no varchar, family_name_kana varchar,"
            " given_name_kana varchar, sex varchar, birth_date date, town_name varchar,"
            " address_number varchar, resident_status varchar)"
        )
        tables.executemany("insert into resident_registry values (?, ?, ?, ?, ?, ?, ?, ?)", ROWS)
        tables.execute(
            "create table support_measures (support_no varchar, resident_no varchar,"
            " support_from date, support_to date, ended_on date)"
        )
        tables.execute(
            "insert into support_measures values ('1', ?, date '2026-01-01', date '2099-12-31',"
            " null)",
            [HIDDEN],
        )
    return made


class Desk:
    def __init__(
        self, city: Path, capsys: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch
    ) -> None:
        self.city, self._capsys, self._patch = city, capsys, patch

    def do(self, *args: str, lines: Sequence[str]) -> tuple[int, Any]:
        self._patch.setattr("sys.stdin", io.StringIO("\n".join(lines) + "\n"))
        with pytest.raises(SystemExit) as over:
            root.main(["consent", *args, "--workspace", str(self.city), "--json"])
        said = self._capsys.readouterr()
        for secret in (*lines, "ヤマダ"):
            assert len(secret) < 3 or secret not in said.out + said.err
        return int(over.value.code or 0), json.loads(said.out)

    def identify(self, number: str, *items: str) -> tuple[int, str]:
        code, said = self.do("identify", lines=[number, *items])
        return code, said.get("outcome") or said["error"]["code"]


@pytest.fixture
def desk(city: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(city, capsys, monkeypatch)


def test_a_match_checks_the_application_and_makes_it_a_consent(desk: Desk, city: Path) -> None:
    desk.do("apply", "child-notices", lines=[HANAKO])
    record = desk.do("list", lines=[])[1]["records"][0]["record"]
    code, said = desk.do("identify", record, "--way", "four-items", lines=ITEMS)
    assert (code, said["outcome"]) == (Exit.OK, "match")
    (held,) = said["records"]
    assert (held["state"], held["method"]) == ("granted", "four_items")
    state = (city / "var" / "hall-core" / "state.db").read_bytes()
    assert "ハナコ".encode() not in state
    assert b"1990-05-14" not in state
    assert b"consent.compared" in state


def test_what_does_not_match_says_no_more_and_is_limited(desk: Desk) -> None:
    kana, sex, born, address = ITEMS
    tries = [
        ("ヤマダ ハナヨ", sex, born, address),
        (kana, "1", born, address),
        (kana, sex, "1990-05-15", address),
        (kana, sex, born, "架空市架空町一丁目2番4号"),
        ITEMS,  # another resident than the one who is named
    ]
    assert len(tries) == MOST
    for said in tries:
        assert desk.identify(TARO, *said) == (Exit.REFUSED, "none")
    own = ("ヤマダ タロウ", "1", born, address)
    assert desk.identify(TARO, *own)[1] == "consent.identity_limited"


def test_protected_and_gone_residents_are_not_there(desk: Desk) -> None:
    hidden = ("スズキ ケイコ", "2", "1985-01-01", "架空市架空町二丁目4番5号")
    assert desk.identify(HIDDEN, *hidden) == (Exit.REFUSED, "none")
    gone = ("サトウ ジロウ", "1", "1970-02-03", "架空市架空町三丁目6番7号")
    assert desk.identify(GONE, *gone) == (Exit.REFUSED, "none")


def test_a_mistake_names_the_item_and_counts_nothing(desk: Desk) -> None:
    for items in (("ヤマダ", "3", "1990-05-14", "架空町"), ("ヤマダ", "2", "昨日", "架空町")):
        for _ in range(MOST):
            assert desk.identify("0000000009", *items)[1] == "service.bad_request"
    assert desk.identify("0000000009", *ITEMS) == (Exit.REFUSED, "none")


@pytest.fixture(scope="module")
def clerks(city: Path) -> Iterator[dict[str, str]]:
    """Accounts and their secrets; a code is taken once, so each signs in once."""
    folder = city / "private" / "hall-core"
    roles = {"sato": Role.OPERATOR, "kato": Role.OPERATOR, "mita": Role.VIEWER}
    with closing(
        Accounts(folder, tenant="999997", site="hall-core", clock=SystemClock())
    ) as accounts:
        yield {
            name: accounts.add(name, shown=f"市民課 {name}", role=role, password=PASSWORD).secret
            for name, role in roles.items()
        }


def test_a_clerk_signs_for_the_document_that_was_seen(desk: Desk, clerks: dict[str, str]) -> None:
    number = SAKURA

    def grant(*args: str, by: str | None = None) -> tuple[int, Any]:
        lines, signing = [number], []
        if by:
            totp = TOTP(base64.b32decode(clerks[by]), 6, SHA1(), 30)  # noqa: S303 - RFC 6238
            lines += [PASSWORD, totp.generate(int(time.time())).decode()]
            signing = ["--account", by, "--password-stdin"]
        return desk.do("grant", "child-notices", *args, *signing, lines=lines)

    passport = ("--document", "passport")
    assert grant(*passport)[1]["error"]["code"] == "service.clerk_needed"
    assert grant(by="sato")[1]["error"]["code"] == "service.bad_request"
    assert grant(*passport, by="mita")[1]["error"]["code"].startswith("identity.")
    code, made = grant(*passport, by="kato")
    (record,) = made["records"]
    assert (code, record["document"], record["method"]) == (Exit.OK, "passport", "counter")
    _, found = desk.do("history", record["record"], lines=[])
    checked = next(one for one in found["revisions"] if one["state"] == "checked")
    assert (checked["by"], checked["document"]) == ("account:kato", "passport")
    assert desk.do("verify", lines=[]) == (Exit.OK, {"faults": []})


def test_only_kinds_of_the_list_count_on_their_days() -> None:
    day = date(2026, 11, 22)
    assert checked("drivers_licence", day).ja == "運転免許証"
    assert checked("health_insurance_card", date(2025, 12, 1)).en == "health insurance card"
    for code in ("health_insurance_card", "photo of my cat", ""):
        with pytest.raises(DocumentUnknown) as unknown:
            checked(code, day)
        assert "cat" not in str(unknown.value)
    assert all(one.verified and one.source for one in kinds(day))
