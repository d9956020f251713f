"""``kumobashi incident open | amend | tell | close``."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from kumobashi.cli.command import command, option
from kumobashi.cli.incident.asking import SITE, Answer, ask, ask_holder, moment, person, signed
from kumobashi.cli.incident.telling import draw_incident
from kumobashi.cli.terminal import Terminal

AnyFunction = TypeVar("AnyFunction", bound=Callable[..., Any])
_DOUBT = click.Choice(["yes", "no", "unknown"])
_ID = "019aa8d1-5b7c-7000-8000-0123456789ab"
_INCIDENT = click.argument("incident")


def _facts(*, is_new: bool) -> Callable[[AnyFunction], AnyFunction]:
    """Give a command the options that say what is known."""
    options = (
        option(
            "--transfer",
            "transfers",
            multiple=True,
            metavar="TRANSFER",
            ja="対象の転送（何度でも。書かなければ、出たかもしれない全部）",
            en="A transfer (may repeat; none: all of the link that may have left)",
        ),
        option(
            "--noticed",
            metavar="DATETIME",
            required=is_new,
            ja="だれかが最初に知った日時（2026-11-20T10:00、日本時間）",
            en="When anybody first knew (2026-11-20T10:00, Japanese time)",
        ),
        option(
            "--kind",
            "kinds",
            type=click.Choice(["leak", "loss", "damage"]),
            multiple=True,
            required=is_new,
            ja="漏えい・滅失・毀損（何度でも）",
            en="What became of the data (may repeat)",
        ),
        option(
            "--place",
            type=click.Choice(["sender", "route", "media", "receiver", "unknown"]),
            ja="起きた所: 送り側の表、経路・中継、媒体、受け取り側の表、不明（既定）",
            en="Where: tables of the sender, the route, media, tables of the receiver, unknown",
        ),
        option(
            "--improper",
            type=_DOUBT,
            ja="不正の目的のおそれ（あれば確報は60日）",
            en="Whether an improper purpose is feared (then the final report has 60 days)",
        ),
        option(
            "--property",
            type=_DOUBT,
            ja="財産的被害のおそれ",
            en="Whether damage to property is feared",
        ),
        option(
            "--persons",
            type=click.IntRange(0),
            metavar="N",
            ja="人が数えた本人の数（書かなければ転送の記録から）",
            en="Persons as people counted them (none: from the records of transfers)",
        ),
        option(
            "--note",
            metavar="TEXT",
            ja="経緯（氏名や番号は書きません）",
            en="What happened; no names or numbers of residents",
        ),
    )

    def decorate(function: AnyFunction) -> AnyFunction:
        for each in reversed(options):
            function = each(function)
        return function

    return decorate


@command(
    "open",
    ja="漏えい等の事案を記録します。速報と確報の期限が動き出します。",
    en="Note an incident; the clocks of both reports begin to run.",
    example="kumobashi incident open --link notice-attributes --noticed 2026-11-20T10:00"
    " --kind leak --place receiver --account tanaka",
)
@option("--link", required=True, metavar="LINK", ja="連携", en="The link")
@_facts(is_new=True)
@signed
def open_(terminal: Terminal, *, link: str, **said: Any) -> None:  # noqa: ANN401 - click's own
    """Open an incident."""
    workspace, body = terminal.workspace(), _body(said, "incident open")
    site = workspace.systems[workspace.link(link).from_].site
    who = person(terminal, body)
    found = ask(terminal, site, "open", {"link": link, **body, **who})
    _shown(terminal, found)


@command(
    "amend",
    ja="事案の分かったことを直します。書かなかったことは、そのままです。",
    en="Correct what is known of an incident; what is not said stays.",
    example=f"kumobashi incident amend {_ID} --improper yes --account tanaka",
)
@_INCIDENT
@_facts(is_new=False)
@signed
@SITE
def amend(terminal: Terminal, *, incident: str, site: str | None, **said: Any) -> None:  # noqa: ANN401 - click's own
    """Amend an incident."""
    body = _body(said, "incident amend")
    who = person(terminal, body)
    body |= {"incident": incident, **who}
    _shown(terminal, ask_holder(terminal, site, "amend", body))


@command(
    "tell",
    ja="他の機関（都道府県、警察、委託先など）に連絡したことを記録します。",
    en="Note that another office was told.",
    example=f"kumobashi incident tell {_ID} --office 架空県市町村課 --account tanaka",
)
@_INCIDENT
@option("--office", required=True, metavar="NAME", ja="連絡した機関", en="The office")
@option("--at", metavar="DATETIME", ja="連絡した日時（既定: いま）", en="When (default: now)")
@signed
@SITE
def tell(
    terminal: Terminal,
    *,
    incident: str,
    office: str,
    at: str | None,
    site: str | None,
    **said: Any,  # noqa: ANN401 - click's own
) -> None:
    """Note who was told."""
    when = moment(at, "incident tell")
    body = {"incident": incident, "office": office, "at": when, **person(terminal, said)}
    _shown(terminal, ask_holder(terminal, site, "tell", body))


@command(
    "close",
    ja="事案を終えます（承認の役）。確報の前に終えるときは、理由の説明（--note）が要り、\n"
    "記録した人とは別の人が終えます。",
    en="Close an incident (approvers); before the final report a note must say why, and another\n"
    "person than noted it closes it.",
    example=f"kumobashi incident close {_ID} --reason reported --account suzuki",
)
@_INCIDENT
@option(
    "--reason",
    type=click.Choice(["reported", "not_reportable", "mistaken"]),
    required=True,
    ja="報告済み、報告の対象でない、漏えい等ではなかった",
    en="Why it is closed",
)
@option("--note", metavar="TEXT", ja="説明", en="What else is to be said")
@signed
@SITE
def close(
    terminal: Terminal,
    *,
    incident: str,
    reason: str,
    note: str | None,
    site: str | None,
    **said: Any,  # noqa: ANN401 - click's own
) -> None:
    """Close an incident."""
    body = {"incident": incident, "reason": reason, "note": note, **person(terminal, said)}
    _shown(terminal, ask_holder(terminal, site, "close", body))


def _body(said: dict[str, Any], command_name: str) -> dict[str, object]:
    lists = {name: list(said[name]) or None for name in ("transfers", "kinds")}
    return {**said, **lists, "noticed": moment(said["noticed"], command_name)}


def _shown(terminal: Terminal, found: Answer) -> None:
    if terminal.as_json:
        terminal.emit(found)
    else:
        draw_incident(terminal, found["incident"])
