"""``kumobashi tie propose | narrow | accept | withdraw | end``."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from kumobashi.cli.command import command, option
from kumobashi.cli.consent.asking import SITE, number_from
from kumobashi.cli.errors import Usage
from kumobashi.cli.terminal import Terminal
from kumobashi.cli.tie.asking import ask
from kumobashi.cli.tie.telling import draw_ties

AnyFunction = TypeVar("AnyFunction", bound=Callable[..., Any])
_TIE = click.argument("tie")
_SOURCE = option(
    "--source", default="counter", metavar="NAME", ja="受付の窓口", en="The desk that takes it"
)
_AT = option(
    "--stated-at",
    metavar="TIME",
    ja="申出の日時（例 2026-11-22T10:00:00+09:00、既定: いま）",
    en="When it was stated (default: now)",
)
_CHANNELS = click.Choice(["call", "portal", "mail", "sms", "post"])


def _terms(function: AnyFunction) -> AnyFunction:
    """Add the options that say terms."""
    for one in (
        option("--last", metavar="DATE", ja="終わりの日（含む）", en="Last day, included"),
        option("--first", metavar="DATE", ja="初めの日", en="First day"),
        option("--days", type=int, ja="何日の間に", en="In any so many days on end"),
        option("--times", type=int, ja="何回まで", en="At most so many times"),
        option("--channel", "channels", type=_CHANNELS, multiple=True, ja="手段", en="A channel"),
        option("--item", "items", metavar="NAME", multiple=True, ja="項目", en="An item"),
    ):
        function = one(function)
    return function


@command(
    "propose",
    ja="サービスから住民に紐付けを申し出ます。宛名番号は標準入力から読みます。",
    en="Propose a tie for a service; the resident's number is read from standard input.",
    example=(
        "kumobashi tie propose child-health --item name --item address --channel post"
        " --times 4 --days 28 --first 2026-12-01 --last 2027-03-31"
    ),
)
@click.argument("service")
@SITE
@_terms
@_SOURCE
@_AT
def propose(terminal: Terminal, *, site: str | None, **said: object) -> None:
    """Propose a tie."""
    body = {**_plain(said), "resident_no": number_from(terminal)}
    draw_ties(terminal, ask(terminal, site, "propose", body))


@command(
    "narrow",
    ja="住民の答えとして条件を狭めます。示さない条件はそのままです。広げる答えは断ります。",
    en="Narrow the terms for the resident; what is not named stays, a wider answer is refused.",
    example="kumobashi tie narrow 019aa8d1-5b7c-7000-8000-0123456789ab --item name --times 1",
)
@_TIE
@SITE
@_terms
@_SOURCE
@_AT
def narrow(terminal: Terminal, *, site: str | None, **said: object) -> None:
    """Narrow a tie."""
    draw_ties(terminal, ask(terminal, site, "narrow", _plain(said)))


@command(
    "accept",
    ja="いまの条件を受け入れます。--terms は show が出す条件のハッシュです。",
    en="Accept the terms that stand; --terms is their hash, as show gives it.",
    example=(
        "kumobashi tie accept 019aa8d1-5b7c-7000-8000-0123456789ab --as resident --terms sha256:…"
    ),
)
@_TIE
@SITE
@option(
    "--as",
    "side",
    required=True,
    type=click.Choice(["resident", "service"]),
    ja="どちらの受入れか",
    en="Who accepts",
)
@option("--terms", required=True, metavar="HASH", ja="条件のハッシュ", en="Hash of the terms")
@_SOURCE
@_AT
def accept(terminal: Terminal, *, site: str | None, **said: object) -> None:
    """Accept a tie."""
    draw_ties(terminal, ask(terminal, site, "accept", said))


@command(
    "withdraw",
    ja="住民の撤回を記録します。すぐに効きます。紐付けか、--service（番号は標準入力）で示します。",
    en="Record a resident's withdrawal; it counts at once. Name a tie, or --service and a number.",
    example="kumobashi tie withdraw 019aa8d1-5b7c-7000-8000-0123456789ab",
)
@click.argument("tie", required=False)
@SITE
@option("--service", metavar="NAME", ja="このサービスの全部", en="All that ties to this service")
@_SOURCE
@_AT
def withdraw(
    terminal: Terminal, *, site: str | None, tie: str | None, service: str | None, **said: object
) -> None:
    """Withdraw."""
    if (tie is None) == (service is None):
        raise Usage(
            what="紐付けか --service のどちらか1つを示してください。",
            what_en="Name a tie, or --service.",
            command="kumobashi tie withdraw",
        )
    body = {**said, "tie": tie, "service": service}
    if service:
        body["resident_no"] = number_from(terminal)
    draw_ties(terminal, ask(terminal, site, "withdraw", body))


@command(
    "end",
    ja="サービスの側から紐付けを終えます。",
    en="End a tie for the service.",
    example="kumobashi tie end 019aa8d1-5b7c-7000-8000-0123456789ab",
)
@_TIE
@SITE
@_SOURCE
@_AT
def end(terminal: Terminal, *, site: str | None, **said: object) -> None:
    """End a tie."""
    draw_ties(terminal, ask(terminal, site, "end", said))


def _plain(said: Mapping[str, object]) -> dict[str, object]:
    return {name: list(one) if isinstance(one, tuple) else one for name, one in said.items()}
