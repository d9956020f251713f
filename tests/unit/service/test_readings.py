"""What a real gateway shows at ``/metrics``, from its state, and to whom."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.types import ASGIApp, Message

from kumobashi.calls.metering import ANSWERED, ASKER
from kumobashi.crypto.private_files import write_private
from kumobashi.exchange.states import Out
from kumobashi.observe.metric_families import FAMILIES
from kumobashi.planning.sampling import write_sample
from kumobashi.service import readings
from kumobashi.service.app import application
from kumobashi.service.gateway import Gateway
from kumobashi.service.scraping import TOKEN
from kumobashi.service.settings import read_settings
from kumobashi.storage.errors import StoreUnreachable
from kumobashi.testing.clocks import HandClock

LINK = "notice-attributes"
SECRET = b"2f9a0e8c71d64b3b9c55f5e0a1b7c3d4"
Samples = dict[str, dict[tuple[tuple[str, str], ...], float]]


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sample(tmp_path_factory.mktemp("metrics") / "city")


async def asked(
    app: ASGIApp,
    path: str = "/metrics",
    *,
    client: str = "127.0.0.1",
    host: str = "localhost",
    headers: Mapping[str, str] | None = None,
) -> tuple[int, str]:
    said: list[Message] = []
    held = {"host": host, **(headers or {})}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in held.items()],
        "client": (client, 1),
        "server": (host, 80),
    }

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        said.append(message)

    await app(scope, receive, send)
    return said[0]["status"], b"".join(one.get("body", b"") for one in said[1:]).decode()


async def scraped(app: ASGIApp) -> Samples:
    status, text = await asked(app)
    assert status == 200
    found: Samples = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = tuple(sorted(kv for kv in sample.labels.items() if kv[0] != "site"))
            found.setdefault(sample.name, {})[labels] = sample.value
    return found


def with_gateway(
    folder: Path,
    work: Callable[[Gateway, ASGIApp], Awaitable[None]],
    monkeypatch: pytest.MonkeyPatch,
    site: str = "hall-core",
) -> None:
    """Do something with a gateway whose workers do not run."""
    monkeypatch.setattr(readings, "_WAIT_SECONDS", 30.0)  # the numbers, however slow the machine

    async def run() -> None:
        gateway = Gateway(read_settings(folder, site, {}), HandClock())
        try:
            await work(gateway, application(gateway))
        finally:
            await gateway.aclose()

    asyncio.run(run())


def test_the_page_is_of_the_state_right_after_a_restart(
    city: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def before(gateway: Gateway, _app: ASGIApp) -> None:
        clock, ledger = gateway.clock, gateway.ledger
        assert isinstance(clock, HandClock)
        row, _ = ledger.start(
            LINK, "2026-11-21", mode="full", plan_hash="h", again=False, to_site="public-cloud"
        )
        for state in (Out.SEALED, Out.SENT):
            ledger.move_out(row.transfer, state)
        clock.at += timedelta(seconds=90)

    async def after(gateway: Gateway, app: ASGIApp) -> None:
        clock = gateway.clock
        assert isinstance(clock, HandClock)
        clock.at += timedelta(minutes=10)
        gateway.calling.meter.note(ASKER, ANSWERED, 0.004)
        found = await scraped(app)
        peer = (("to_site", "public-cloud"),)
        assert found["kumobashi_transfers"][("side", "out"), ("state", "sent")] == 1
        assert 595 < found["kumobashi_oldest_unacknowledged_seconds"][peer] < 700
        assert found["kumobashi_links"][(("light", "running"),)] == 1
        assert found["kumobashi_calls_total"][("outcome", "answered"), ("role", "asker")] == 1
        assert found["kumobashi_state_up"] == {(): 1}
        assert found["kumobashi_disk_free_bytes"][()] > 0
        cloud = (("outcome", "applied"), ("to_site", "public-cloud"))
        assert found["kumobashi_transfers_ended_total"][cloud] == 0  # so that the first is seen
        expires = gateway.directory.expires.timestamp()
        assert found["kumobashi_directory_expiry_timestamp_seconds"][()] == expires
        assert set(found["kumobashi_metrics_age_seconds"]) == {
            (("part", part),) for part in ("state", "history", "files", "links")
        }
        assert "process_resident_memory_bytes" in found

    with_gateway(city, before, monkeypatch)
    with_gateway(city, after, monkeypatch)


def test_every_name_is_of_the_table(city: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(_gateway: Gateway, app: ASGIApp) -> None:
        shown = {name for name in await scraped(app) if name.startswith("kumobashi_")}
        ends = ("_bucket", "_count", "_sum", "_created")
        bare = {
            name.removesuffix(next((e for e in ends if name.endswith(e)), "")) for name in shown
        }
        assert bare <= set(FAMILIES)
        assert len(bare) > 15

    with_gateway(city, work, monkeypatch)


def test_a_relay_has_a_page_too(city: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(gateway: Gateway, app: ASGIApp) -> None:
        assert gateway.endpoint is None
        found = await scraped(app)
        role = dict(next(iter(found["kumobashi_build_info"])))["role"]
        assert role == "relay"

    with_gateway(city, work, monkeypatch, site="asp-relay")


def test_a_state_that_is_away_is_told_and_no_old_number_is(
    city: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_work: object) -> None:
        raise StoreUnreachable

    async def work(gateway: Gateway, app: ASGIApp) -> None:
        monkeypatch.setattr(gateway.store, "read", away)
        found = await scraped(app)
        assert found["kumobashi_state_up"] == {(): 0}
        assert "kumobashi_transfers" not in found
        assert "kumobashi_links" not in found

    with_gateway(city, work, monkeypatch)


def bearer(secret: bytes) -> dict[str, str]:
    return {"authorization": f"Bearer {secret.decode()}"}


async def status_far(app: ASGIApp, secret: bytes | None, path: str = "/metrics") -> int:
    """Return what another machine gets."""
    headers = bearer(secret) if secret is not None else {}
    return (await asked(app, path, client="192.0.2.7", host="hall.example", headers=headers))[0]


def test_another_machine_needs_the_token(city: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = city / "private" / "hall-core" / TOKEN

    async def work(gateway: Gateway, app: ASGIApp) -> None:
        file.unlink(missing_ok=True)
        assert await status_far(app, None) == 403
        assert await status_far(app, SECRET) == 403  # there is no file
        write_private(file, SECRET + b"\n")
        assert await status_far(app, SECRET) == 200
        for wrong in (SECRET[:-1], SECRET + b"x", b"", gateway.api_token.encode()):
            assert await status_far(app, wrong) == 403
        for path in ("/", "/api/v1/overview", "/metrics/", "//metrics", "/health/../api/v1/watch"):
            assert await status_far(app, SECRET, path) in {403, 404}

    with_gateway(city, work, monkeypatch)


@pytest.mark.parametrize("content", [b"", b"\n", b"short", b"x" * 513])
def test_a_token_that_could_be_guessed_opens_nothing(
    city: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    file = city / "private" / "hall-core" / TOKEN

    async def work(_gateway: Gateway, app: ASGIApp) -> None:
        file.unlink(missing_ok=True)
        write_private(file, content)
        assert await status_far(app, content.strip()) == 403

    with_gateway(city, work, monkeypatch)


def test_a_token_that_others_can_read_opens_nothing(
    city: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = city / "private" / "hall-core" / TOKEN

    async def work(_gateway: Gateway, app: ASGIApp) -> None:
        file.unlink(missing_ok=True)
        write_private(file, SECRET)
        file.chmod(0o644)
        assert await status_far(app, SECRET) == 403

    with_gateway(city, work, monkeypatch)
