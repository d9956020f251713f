"""``kumobashi tie service add | list | delete | status | of``."""

import click

from kumobashi.cli.command import command, option
from kumobashi.cli.consent.asking import SITE, number_from
from kumobashi.cli.terminal import Terminal
from kumobashi.cli.tie.asking import ask
from kumobashi.cli.tie.telling import draw_services

_SERVICE = click.argument("service")


@command(
    "add",
    ja="サービスを登録します。--replace で登録を改めます。",
    en="Register a service; --replace changes what is registered.",
    example=(
        "kumobashi tie service add child-health --name 乳幼児健診 --provider 架空市"
        " --section 健康課 --clause 架空市乳幼児健診条例第4条 --first 2026-04-01"
    ),
)
@_SERVICE
@SITE
@option("--name", required=True, ja="名前", en="Its name")
@option("--provider", required=True, ja="提供者", en="Who provides it")
@option("--section", required=True, ja="所管課", en="The section that answers for it")
@option(
    "--clause",
    required=True,
    ja="対象者を決める法令・条例の条項",
    en="The clause that decides who is eligible",
)
@option("--first", required=True, metavar="DATE", ja="初めの日", en="First day")
@option("--last", metavar="DATE", ja="終わりの日（含む）", en="Last day, included")
@option(
    "--system",
    metavar="NAME",
    ja="ほかの拠点でこのサービスを扱うシステム。紐付けはそこに知らせ、利用もそこで数えます",
    en="The system at another site that serves it; ties are told and uses counted there",
)
@option("--replace", is_flag=True, ja="登録を改める", en="Change what is registered")
def add(terminal: Terminal, *, site: str | None, **said: object) -> None:
    """Register a service."""
    draw_services(terminal, ask(terminal, site, "service_add", said))


@command(
    "list",
    ja="サービスを探します。言葉は全部を含むものを出します。",
    en="Search services; all words must stand in one.",
    example="kumobashi tie service list 健診 --offered",
)
@click.argument("words", nargs=-1)
@SITE
@option("--section", metavar="NAME", ja="この所管課だけ", en="Of this section only")
@option("--offered", is_flag=True, ja="いま提供中のものだけ", en="Only those offered now")
def list_(
    terminal: Terminal,
    *,
    site: str | None,
    words: tuple[str, ...],
    section: str | None,
    offered: bool,
) -> None:
    """Search services."""
    said = {"words": list(words), "section": section, "offered": offered}
    draw_services(terminal, ask(terminal, site, "service_list", said))


@command(
    "delete",
    ja="サービスを削除します。終わっていない紐付けがあれば断ります。",
    en="Delete a service; refused while residents are tied to it.",
    example="kumobashi tie service delete child-health",
)
@_SERVICE
@SITE
def delete(terminal: Terminal, *, site: str | None, service: str) -> None:
    """Delete a service."""
    found = ask(terminal, site, "service_delete", {"service": service})
    if terminal.as_json:
        terminal.emit(found)
    else:
        terminal.out.print(terminal.t("削除しました。", "Deleted."))


@command(
    "status",
    ja="1人のサービスの状態を登録します。宛名番号は標準入力から読みます。",
    en="Tell how a resident stands to a service; the number is read from standard input.",
    example="kumobashi tie service status child-health receiving",
)
@_SERVICE
@click.argument("status", type=click.Choice(["eligible", "receiving", "ended"]))
@SITE
@option("--as-of", metavar="TIME", ja="いつの時点か（既定: いま）", en="As of when (default: now)")
@option("--source", default="counter", metavar="NAME", ja="だれが示したか", en="Who says so")
def status(terminal: Terminal, *, site: str | None, **said: object) -> None:
    """Tell a status."""
    body = {**said, "resident_no": number_from(terminal)}
    draw_services(terminal, ask(terminal, site, "status", body))


@command(
    "of",
    ja="1人のサービスと状態、時点、根拠。宛名番号は標準入力から読みます。",
    en="One resident's services with state, as-of time and clause; the number from standard input.",
    example="kumobashi tie service of",
)
@SITE
def of(terminal: Terminal, *, site: str | None) -> None:
    """Show one resident's services."""
    body = {"resident_no": number_from(terminal)}
    draw_services(terminal, ask(terminal, site, "services_of", body))
