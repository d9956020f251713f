"""``kumobashi link`` against a gateway that answers from memory."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from kumobashi.cli.exits import Exit
from kumobashi.exchange.views import (
    LinkView,
    OpenIncident,
    OverdueMedia,
    OverdueRequest,
    ReportClock,
    TransferView,
)
from kumobashi.testing import scenes
from kumobashi.testing.views import overview_of
from tests.unit.cli.conftest import Kumobashi
from tests.unit.cli.fake_gateway import FakeGateway

NAME = "notice-attributes"


def _latest(view: LinkView) -> TransferView:
    assert view.latest is not None
    return view.latest


def test_a_run_is_followed_to_its_last_receipt(
    kumobashi: Kumobashi, served: Path, gateway: FakeGateway
) -> None:
    gateway.transfers = [_latest(scenes.running()), _latest(scenes.applied())]

    done = kumobashi("link", "run", NAME, "--date", "2026-11-21", "--workspace", served)

    assert done.exit_code == Exit.OK, done.output
    assert "到達 ✓  復号 ✓  検証 ✓ 指摘 0  取込 ✓ 401,877 件" in done.stdout
    assert "完了" in done.stdout
    assert "受領書" in done.stdout
    assert "\x1b" not in done.stdout
    method, path, token, body = gateway.asked[0]
    assert (method, path) == ("POST", f"/api/v1/links/{NAME}/runs")
    assert token == f"Bearer {(served / 'private/hall-core/api.token').read_text().strip()}"
    assert body == {"date": "2026-11-21"}


def test_lines_fit_into_a_hundred_columns(
    kumobashi: Kumobashi, served: Path, gateway: FakeGateway
) -> None:
    from rich.cells import cell_len

    gateway.transfers = [_latest(scenes.stopped())]

    status = kumobashi("link", "status", "--workspace", served)
    run = kumobashi("link", "run", NAME, "--timeout", "0", "--workspace", served)

    assert max(cell_len(line) for line in (status.stdout + run.stdout).splitlines()) <= 100


@pytest.mark.parametrize(
    ("scene", "code", "said"),
    [
        (scenes.refused(), Exit.REFUSED, "拒否: 何も取り込まれていません"),
        (scenes.held(), Exit.HELD, "承認待ち"),
        (scenes.stopped(), Exit.RED, "停止"),
        (scenes.waiting(), Exit.RED, "待機中"),
    ],
    ids=["refused", "held", "stopped", "waiting"],
)
def test_a_run_that_does_not_arrive_says_why_and_whom_to_call(
    kumobashi: Kumobashi, served: Path, gateway: FakeGateway, scene: LinkView, code: Exit, said: str
) -> None:
    latest = _latest(scene)
    gateway.transfers = [latest]

    done = kumobashi("link", "run", NAME, "--timeout", "0", "--workspace", served)

    assert done.exit_code == code
    assert said in done.stdout
    assert latest.cause is not None
    assert latest.cause.code in done.stdout
    assert latest.cause.side_name in done.stdout
    if latest.cause.contact:
        assert latest.cause.contact.phone in done.stdout


def test_started_without_waiting_it_tells_the_transfer(
    kumobashi: Kumobashi, served: Path, gateway: FakeGateway
) -> None:
    done = kumobashi("link", "run", NAME, "--no-wait", "--again", "--full", "--workspace", served)

    assert done.exit_code == Exit.OK
    assert gateway.transfers[0].transfer in done.stdout
    assert gateway.asked[0][3] == {"again": True, "full": True}


def test_machines_get_the_transfer_as_json(
    kumobashi: Kumobashi, served: Path, gateway: FakeGateway
) -> None:
    done = kumobashi("link", "run", NAME, "--json", "--workspace", served)

    told = json.loads(done.stdout)
    assert told["is_new"] is True
    assert told["transfer"]["link"] == gateway.transfers[0].link
    assert told["transfer"]["receipts"][-1]["stage"] == "applied"


@pytest.mark.parametrize(
    ("problem", "code"),
    [("exchange.drifted", Exit.DRIFTED), ("planning.refused", Exit.REFUSED)],
)
def test_what_the_gateway_refuses_keeps_its_own_code(
    kumobashi: Kumobashi, served: Path, gateway: FakeGateway, problem: str, code: Exit
) -> None:
    gateway.status = 409
    gateway.problem = {"code": problem, "detail": "送っていません。", "remedy": "承認を"}

    done = kumobashi("link", "run", NAME, "--workspace", served)

    assert done.exit_code == code
    assert "送っていません。" in done.stderr
    assert problem in done.stderr


def test_a_gateway_that_is_down_is_named(kumobashi: Kumobashi, workspace: Path) -> None:
    site = workspace / "sites" / "hall-core.yaml"
    text = site.read_text(encoding="utf-8").replace("127.0.0.1:8740", "127.0.0.1:1")
    site.write_text(text, encoding="utf-8")

    done = kumobashi("link", "status", "--workspace", workspace)

    assert done.exit_code == Exit.GATEWAY_DOWN
    assert "kumobashi serve --site hall-core" in done.stderr


def test_status_puts_red_first_and_ends_with_one(kumobashi: Kumobashi, served: Path) -> None:
    done = kumobashi("link", "status", "--workspace", served)

    lines = done.stdout.splitlines()
    states = [line[2:].split()[0] for line in lines if line[:2] in {"! ", "× ", "✓ ", "⊘ "}]
    assert done.exit_code == Exit.RED
    assert states[0] == "停止"
    assert states.index("拒否") < states.index("取込済み")


def test_status_of_a_good_morning_ends_with_nought(
    kumobashi: Kumobashi, served: Path, gateway: FakeGateway
) -> None:
    gateway.overview = overview_of(scenes.applied(), scenes.in_the_hall())

    done = kumobashi("link", "status", "--workspace", served)

    assert done.exit_code == Exit.OK
    assert "2 件すべて 取込済み" in done.stdout


def test_status_is_red_when_media_should_be_back(
    kumobashi: Kumobashi, served: Path, gateway: FakeGateway
) -> None:
    late = OverdueMedia(
        permit="019aa8d1-5b7c-7000-8000-0123456789ab",
        labels=("USB-012",),
        to_site="public-cloud",
        return_by=date(2026, 11, 20),
    )
    gateway.overview = replace(overview_of(scenes.applied()), overdue_media=(late,))

    done = kumobashi("link", "status", "--workspace", served)

    assert done.exit_code == Exit.RED
    assert "媒体 USB-012 が返却期日 2026-11-20 を過ぎています" in done.stdout


def test_status_is_red_when_a_request_of_a_resident_is_overdue(
    kumobashi: Kumobashi, served: Path, gateway: FakeGateway
) -> None:
    late = OverdueRequest(
        request="019aa8d1-5b7c-7000-8000-0123456789ab",
        kind="disclosure",
        kind_ja="開示請求",
        due=date(2026, 11, 20),
    )
    gateway.overview = replace(overview_of(scenes.applied()), overdue_requests=(late,))

    done = kumobashi("link", "status", "--workspace", served)

    assert done.exit_code == Exit.RED
    assert "開示請求の決定が期限 2026-11-20 を過ぎています" in done.stdout


INCIDENT = OpenIncident(
    incident="019aa8d1-5b7c-7000-8000-0123456789ab",
    link="notice-attributes",
    noticed=datetime(2026, 11, 20, tzinfo=UTC),
    clocks=(
        ReportClock(report="prompt", due=date(2026, 11, 24), days_left=2, level="soon"),
        ReportClock(report="final", due=date(2026, 12, 19), days_left=27, level="calm"),
    ),
)


def test_status_tells_of_an_open_incident_and_is_red_when_a_report_is_late(
    kumobashi: Kumobashi, served: Path, gateway: FakeGateway
) -> None:
    gateway.overview = replace(overview_of(scenes.applied()), incidents=(INCIDENT,))
    calm = kumobashi("link", "status", "--workspace", served)
    late = replace(INCIDENT.clocks[0], level="overdue", days_left=-2)
    incident = replace(INCIDENT, clocks=(late, INCIDENT.clocks[1]))
    gateway.overview = replace(gateway.overview, incidents=(incident,))

    done = kumobashi("link", "status", "--workspace", served)

    assert (calm.exit_code, done.exit_code) == (Exit.OK, Exit.RED)
    assert "事案 456789ab（notice-attributes）" in calm.stdout
    assert "速報 2026-11-24 まであと 2 日、確報 2026-12-19 まであと 27 日" in calm.stdout.replace(
        "\n", ""
    )
    assert "速報 2026-11-24 を 2 日超過" in done.stdout.replace("\n", "")


def test_status_for_machines_is_the_overview(
    kumobashi: Kumobashi, served: Path, gateway: FakeGateway
) -> None:
    done = kumobashi("link", "status", "--json", "--workspace", served)

    told = json.loads(done.stdout)
    assert done.exit_code == Exit.RED
    assert [link["link"] for link in told["links"]] == [
        link.link for link in gateway.overview.links
    ]


def test_one_link_is_shown_with_stages_receipts_and_contact(
    kumobashi: Kumobashi, served: Path, gateway: FakeGateway
) -> None:
    done = kumobashi("link", "show", NAME, "--workspace", served)

    assert done.exit_code == Exit.OK, done.output
    for word in ("抽出", "封緘", "送達", "取込 ✓", "連絡先", "根拠"):
        assert word in done.stdout


@pytest.mark.parametrize("decision", ["accept", "cancel"])
def test_a_held_transfer_is_decided(
    kumobashi: Kumobashi, served: Path, gateway: FakeGateway, decision: str
) -> None:
    held = replace(scenes.held(), link=NAME)
    gateway.overview = overview_of(held)
    transfer = _latest(held).transfer

    done = kumobashi("link", decision, NAME, "--workspace", served)

    assert done.exit_code == Exit.OK, done.output
    assert ("POST", f"/api/v1/transfers/{transfer}/{decision}") in {
        (method, path) for method, path, _, _ in gateway.asked
    }


def test_nothing_is_accepted_when_nothing_is_held(kumobashi: Kumobashi, served: Path) -> None:
    done = kumobashi("link", "accept", NAME, "--workspace", served)

    assert done.exit_code == Exit.REFUSED
    assert "cli.nothing_runs" in done.stderr


def test_findings_are_listed_without_names_of_people(
    kumobashi: Kumobashi, served: Path, gateway: FakeGateway
) -> None:
    gateway.overview = overview_of(replace(scenes.reminders(3), link=NAME))

    people = kumobashi("link", "findings", NAME, "--workspace", served)
    machines = kumobashi("link", "findings", NAME, "--json", "--workspace", served)

    assert people.exit_code == machines.exit_code == Exit.OK
    assert len(json.loads(machines.stdout)["findings"]) == 3
    assert "期待" in people.stdout
