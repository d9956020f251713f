"""Tracing decides by itself, says nothing of a resident, and is not there while it is off."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kumobashi.observe import tracing
from kumobashi.observe.names import declared
from kumobashi.observe.trace_context import Spot, current, of_transfer, outgoing, parse
from kumobashi.observe.tracing import Options, said
from kumobashi.service.errors import BadRequest
from kumobashi.service.settings import read_settings
from tests.collecting import Collector, collecting

GOOD = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TRANSFER = "019ab0c2-7d53-7cc0-8a11-0c5f4f4f9f11"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as made:
        yield made
        tracing.end()


def begun(collector: Collector, calls: float = 1.0) -> None:
    declared.know(["hall-core", "public-cloud"])
    tracing.begin(Options(endpoint=collector.url, calls=calls), site="hall-core", version="0")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x" * 55,
        GOOD[:-1],
        GOOD + "0",
        GOOD + "\n",
        GOOD.upper(),
        "01" + GOOD[2:],
        "ff" + GOOD[2:],
        GOOD.replace("0af7651916cd43dd8448eb211c80319c", "0" * 32),
        GOOD.replace("b7ad6b7169203331", "0" * 16),
        "00-" + "山" * 32 + GOOD[35:],
        GOOD * 1000,
    ],
)
def test_what_is_not_in_the_form_has_not_come(text: str) -> None:
    assert parse(text) is None


def test_what_is_in_the_form_is_said_as_it_came() -> None:
    spot = parse(GOOD)
    assert spot is not None
    assert spot.text() == GOOD


def test_every_gateway_finds_the_same_trace_of_a_transfer() -> None:
    one, other = of_transfer(TRANSFER), of_transfer(TRANSFER[:-1] + "2")
    assert one == of_transfer(TRANSFER)
    assert one.trace != other.trace
    assert TRANSFER.replace("-", "") not in one.text()


def test_nothing_is_loaded_and_nothing_sent_while_it_is_off() -> None:
    program = """
import sys
import kumobashi.service.app
from kumobashi.observe import tracing
from kumobashi.observe.trace_context import outgoing
with tracing.span("call", link="x") as made:
    made.set(rows=3)
    assert not made.is_recorded and outgoing() == {}
print([name for name in sys.modules if name.startswith(("opentelemetry", "requests"))])
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_attributes_are_of_the_list_and_held_to_its_rules() -> None:
    declared.know(["public-cloud"])
    assert said(
        {
            "to": "public-cloud",
            "link": "yamada-taro",
            "resident": "山田太郎",
            "rows": 123456789012,
            "parts": 3,
            "code": "x'); drop",
            "transfer": "山田太郎",
            "state": "山田太郎",
        }
    ) == {"kumobashi.to": "public-cloud", "kumobashi.parts": 3}


def test_an_error_is_told_by_its_code_and_not_its_text(collector: Collector) -> None:
    begun(collector)
    with pytest.raises(BadRequest), tracing.span("call"):
        raise BadRequest(field="山田太郎", expected="x")
    with pytest.raises(ValueError, match="山田"), tracing.span("call"):
        raise ValueError("山田太郎")
    tracing.end()
    assert [one.attributes["kumobashi.code"] for one in collector.spans] == [
        BadRequest.code,
        "ValueError",
    ]
    assert all(one.is_error for one in collector.spans)
    assert "山田".encode() not in b"".join(collector.raw)


def test_the_share_of_calls_is_ours_to_choose(collector: Collector) -> None:
    begun(collector, calls=0.0)
    with tracing.server("call", parent=parse(GOOD)) as made:
        assert not made.is_recorded  # whoever asks cannot make us send
        assert outgoing() == {"traceparent": f"{GOOD[:35]}-{current_span()}-00"}
    with tracing.span("transfer.seal", transfer=TRANSFER) as sealed:
        assert sealed.is_recorded  # of transfers there are few
    tracing.end()
    assert [one.name for one in collector.spans] == ["transfer.seal"]


def current_span() -> str:
    spot = current.get()
    assert spot is not None
    return f"{spot.span:016x}"


def test_who_is_not_sampled_before_is_not_sampled_here(collector: Collector) -> None:
    begun(collector)
    with tracing.server("call", parent=parse(GOOD[:-2] + "00")) as made:
        assert not made.is_recorded


def test_about_the_share_is_chosen(collector: Collector) -> None:
    begun(collector, calls=0.25)
    chosen = 0
    for _ in range(2_000):
        with tracing.span("call") as made:
            chosen += made.is_recorded
    assert 400 < chosen < 600


def test_a_foreign_trace_does_not_take_a_transfer_over(collector: Collector) -> None:
    begun(collector)
    root = of_transfer(TRANSFER)
    with tracing.server("transfer.receive", parent=parse(GOOD), transfer=TRANSFER):
        assert current.get() != Spot(root.trace, root.span, is_sampled=True)
    tracing.end()
    (one,) = collector.spans
    assert (one.trace, one.parent) == (f"{root.trace:032x}", f"{root.span:016x}")


def test_what_does_not_fit_is_dropped_and_nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "MOST_WAITING", 64)
    monkeypatch.setattr(tracing, "_AT_ONCE", 32)
    tracing.begin(Options(endpoint="http://127.0.0.1:9", calls=1.0), site="hall-core", version="0")
    try:
        for _ in range(5_000):
            with tracing.span("call") as made:
                assert made.is_recorded
    finally:
        tracing.end()


def test_ends_leave_nothing_behind(collector: Collector) -> None:
    begun(collector)
    tracing.end()
    tracing.end()
    with tracing.span("call") as made:
        assert not made.is_recorded
    assert current.get() is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KUMO_OTLP_ENDPOINT", "127.0.0.1:4318"),
        ("KUMO_OTLP_ENDPOINT", "http://user:secret@127.0.0.1"),
        ("KUMO_OTLP_ENDPOINT", "file:///etc/passwd"),
        ("KUMO_OTLP_ENDPOINT", "http://x:99999"),
        ("KUMO_TRACED_CALLS", "1.5"),
        ("KUMO_TRACED_CALLS", "-1"),
        ("KUMO_TRACED_CALLS", "nan"),
    ],
)
def test_a_wrong_setting_is_a_mistake_at_the_start(name: str, value: str, tmp_path: Path) -> None:
    with pytest.raises(BadRequest) as told:
        read_settings(tmp_path, "hall-core", {name: value})
    assert "secret" not in str(told.value)
