"""A resident's name is planted wherever a log line could take it from; no line has it."""

import json
import logging
import subprocess
import sys
import textwrap
from collections.abc import Callable
from enum import StrEnum

import pytest

from kumobashi.observe import logs
from kumobashi.observe.logs import LONGEST_MESSAGE, JsonLines
from kumobashi.observe.names import declared
from kumobashi.observe.notices import NoticeHandler, Notices
from kumobashi.storage.errors import SpoolFull

OURS = "kumobashi.observe.logs"
CONSTANT = "nobody caught this"  # stands in that module
PLANTED = ("山田太郎", "ヤマダ タロウ", "yamada", "123456789012", "1980-01-01", "\u202e郎太田山")
TRANSFER = "019ab0c2-7d53-7cc0-8a11-0c5f4f4f9f11"


class _Hostile:
    def __str__(self) -> str:
        return "山田太郎"

    __repr__ = __str__


def line(
    message: object = CONSTANT,
    *args: object,
    logger: str = OURS,
    error: BaseException | None = None,
    **extra: object,
) -> dict[str, object]:
    info = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord(logger, logging.ERROR, "/src/x.py", 7, message, args, info, "work")
    record.__dict__.update(extra)
    text = JsonLines().format(record)
    assert "\n" not in text
    assert len(text) < 4096
    found = json.loads(text)
    assert isinstance(found, dict)
    return found


def raised(text: str) -> BaseException:
    try:
        raise ValueError(text)  # noqa: TRY301
    except ValueError as error:
        error.add_note(text)
        return error


PLACES: dict[str, Callable[[str], dict[str, object]]] = {
    "an argument of a message": lambda name: line(CONSTANT + " %s", name),
    "an argument by name": lambda name: line("%(who)s", {"who": name}),
    "an argument of another type": lambda _name: line("%s", _Hostile()),
    "a message put together": lambda name: line(f"{CONSTANT} {name}"),
    "a message that is an object": lambda _name: line(_Hostile()),
    "the text of an exception": lambda name: line(error=raised(name)),
    "a declared field": lambda name: line(code=name, link=name, site=name, transfer=name),
    "a field of words": lambda name: line(state=name, reason=f"refused {name}", lane=name),
    "a field of numbers": lambda name: line(parts=name, attempt=_Hostile()),
    "a field that there is not": lambda name: line(resident=name, header=name),
    "the code of an error": lambda name: line(code=f"storage.{name}"),
    "the log of a library": lambda name: line(f"GET /{name}", logger="aiohttp.access"),
    "an argument of a library": lambda name: line("%s", name, logger="sqlalchemy.engine"),
    "an error of a library": lambda name: line("x", logger="asyncio", error=raised(name)),
    "the name of a logger": lambda name: line(logger=f"kumobashi.{name}"),
    "a trace": lambda name: line(trace=name, span=name),
    "a forged line": lambda name: line(f'x\n{{"level":"info","message":"{name}"}}', name),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("number", range(len(PLANTED)))
def test_what_is_planted_is_in_no_line(place: str, number: int) -> None:
    name = PLANTED[number]
    said = json.dumps(PLACES[place](name), ensure_ascii=False)
    assert name not in said
    assert name.strip("\u202e") not in said
    assert "山田" not in said


def test_an_individual_number_is_not_said_as_a_number() -> None:
    assert "123456789012" not in json.dumps(line("%d", 123456789012, parts=123456789012))


def test_what_is_known_is_said() -> None:
    declared.know(["hall-core", "childcare-daily"])
    found = line(
        code=SpoolFull.code, site="hall-core", link="childcare-daily", transfer=TRANSFER, parts=3
    )
    assert found["message"] == CONSTANT
    assert found["code"] == SpoolFull.code
    assert (found["site"], found["link"]) == ("hall-core", "childcare-daily")
    assert (found["transfer"], found["parts"]) == (TRANSFER, 3)


def test_a_code_of_a_newer_release_keeps_its_domain() -> None:
    assert line(code="storage.not_known_here")["code"] == "storage.…"


def test_an_exception_is_told_by_its_class_and_its_lines() -> None:
    found = line(error=raised("x"))
    assert found["error"] == "ValueError"
    assert str(found["where"]).startswith("['test_logs.py:")


def test_a_class_that_is_named_for_somebody_is_not_said() -> None:
    kind = type("山田太郎", (Exception,), {})
    assert line(error=kind())["error"] == "…"


def test_what_is_left_out_can_still_be_found_in_the_code() -> None:
    assert line("put together", logger="aiohttp.client")["place"] == "x.py:7 work"


def test_a_template_that_wants_a_number_stands_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "is_constant", lambda *_: True)
    assert line("%d parts", "山田太郎")["message"] == "%d parts"
    assert line("%s " * 300, *(["x"] * 300))["message"] == ("… " * 300)[:LONGEST_MESSAGE]


class _State(StrEnum):
    REFUSED = "refused"
    SOMEBODY = "山田太郎"


def test_a_value_of_an_enum_is_said_if_it_is_a_word_of_our_code() -> None:
    # ``refused`` is no constant of ``observe``; it is one of ``exchange``.
    import kumobashi.exchange.states  # noqa: F401

    assert line(logger="kumobashi.exchange.states", state=_State.REFUSED)["state"] == "refused"
    assert line(logger="kumobashi.exchange.states", state=_State.SOMEBODY)["state"] == "…"


@pytest.fixture
def noticed() -> Notices:
    return Notices(clock=lambda: 100.0)


def test_what_a_pulse_carries_is_as_strict(noticed: Notices) -> None:
    handler = NoticeHandler(noticed)
    for code in ("yamada.taro", "storage.yamada", SpoolFull.code, "ValueError", None, 7):
        record = logging.LogRecord("kumobashi.yamada", 40, "x", 1, "x", (), None)
        record.__dict__["code"] = code
        handler.emit(record)
    kinds = noticed.recent(seconds=60)
    assert {one.code for one in kinds} == {"log.error", SpoolFull.code}
    assert {one.logger for one in kinds} == {"kumobashi"}


PROGRAM = """
    import asyncio, gc, logging, threading, warnings
    from kumobashi.observe.logs import log_to_stderr

    log_to_stderr()
    name = "山田太郎"
    logging.getLogger("kumobashi.observe.logs").warning("an own one %s", name)
    logging.getLogger("aiohttp.client").error("Cannot connect to %s", name)
    logging.getLogger("x").error("%d", name)  # cannot be written: logging would tell why
    warnings.warn(name)
    thread = threading.Thread(target=lambda: {}[name])
    thread.start()
    thread.join()

    class Broken:
        def __del__(self):
            raise ValueError(name)

    Broken()

    async def lost():
        raise ValueError(name)

    async def main():
        asyncio.create_task(lost())
        await asyncio.sleep(0.01)

    asyncio.run(main())
    gc.collect()
    raise RuntimeError(name)
    """


def test_nothing_else_writes_to_standard_error() -> None:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PROGRAM)],
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [json.loads(one) for one in done.stderr.splitlines()]
    assert done.returncode == 1
    assert "山田" not in done.stderr
    errors = [one["error"] for one in lines if "error" in one]
    assert errors == ["KeyError", "ValueError", "ValueError", "RuntimeError"]
    assert [one["logger"] for one in lines if "error" not in one] == [
        "kumobashi.observe.logs",
        "…",  # not loaded there
        "…",
        "py.warnings",
    ]
