"""``kumobashi directory register``, ``change``, ``retire`` and ``undo``."""

import getpass
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

from kumobashi.cli.command import command, option
from kumobashi.cli.exits import Exit
from kumobashi.cli.system import diff_lines, link_json, link_lines
from kumobashi.cli.terminal import Terminal
from kumobashi.cli.wording import hung

if TYPE_CHECKING:
    from kumobashi.planning.registering import Occasion, Registration

_ENTRIES = ("organisation", "contact", "site", "system", "dataset", "service", "version")
_KIND = click.argument("kind", metavar="KIND", type=click.Choice(_ENTRIES))
_NAME = click.argument("name", metavar="NAME")
_WRITE = option("--write", "is_written", is_flag=True, ja="置き換える", en="Put it in place")
_BY = option(
    "--by",
    metavar="NAME",
    ja="承認する人（既定: この利用者）",
    en="Who approves (default: this user)",
)


@command(
    "register",
    ja="連絡先・サイト・システム・データセット・サービス・版を、YAML から登録します。\n"
    "--write がなければ、何が変わるかを示すだけです。",
    en="Register a contact, site, system, dataset, service or version from YAML.\n"
    "Without --write it only shows what would change.",
    example="kumobashi directory register service finance.budgets --from budgets.yaml --write",
)
@_KIND
@_NAME
@option(
    "--from",
    "given",
    required=True,
    type=click.Path(dir_okay=False, allow_dash=True),
    metavar="FILE",
    ja="登録する内容（- は標準入力）",
    en="What is registered (-: standard input)",
)
@_WRITE
@_BY
def register(
    terminal: Terminal, *, kind: str, name: str, given: str, is_written: bool, by: str | None
) -> Exit:
    """Register an entry."""
    from kumobashi.planning.registering import register as prepare

    at = _now(by)
    try:
        with click.open_file(given, encoding="utf-8") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError):
        raise click.BadParameter(f"{given} (UTF-8)", param_hint="--from") from None
    return _done(terminal, prepare(terminal.folder, kind, name, text, at), at, is_written)


@command(
    "change",
    ja="登録されているものの値を変えます（KEY は点でつなげます: profile.at_once=8）。\n"
    "--write がなければ、何が変わるかを示すだけです。",
    en="Change values of an entry (KEY may be dotted: profile.at_once=8).\n"
    "Without --write it only shows what would change.",
    example="kumobashi directory change site public-cloud url=https://gw.example.jp --write",
)
@_KIND
@_NAME
@click.argument("values", metavar="KEY=VALUE", nargs=-1)
@option("--unset", multiple=True, metavar="KEY", ja="なくす項目", en="A key that goes")
@_WRITE
@_BY
def change(
    terminal: Terminal,
    *,
    kind: str,
    name: str,
    values: tuple[str, ...],
    unset: tuple[str, ...],
    is_written: bool,
    by: str | None,
) -> Exit:
    """Change an entry."""
    from ruamel.yaml.error import YAMLError

    from kumobashi.planning.registering import change as prepare
    from kumobashi.storage.yaml_editing import value_of

    new: dict[str, Any] = {}
    for one in values:
        key, equals, text = one.partition("=")
        if not (key and equals):
            raise click.BadParameter(one, param_hint="KEY=VALUE")
        try:
            new[key] = value_of(text)
        except YAMLError:
            raise click.BadParameter(one, param_hint="KEY=VALUE") from None
    if not (new or unset):
        raise click.UsageError("KEY=VALUE")
    at = _now(by)
    return _done(
        terminal, prepare(terminal.folder, kind, name, new, at, without=unset), at, is_written
    )


@command(
    "retire",
    ja="登録されているものを廃止します。まだ使われていれば断り、使っている行をすべて示します。\n"
    "--write がなければ、何が変わるかを示すだけです。",
    en="Retire an entry; refused, with every line that uses it, while it is used.\n"
    "Without --write it only shows what would change.",
    example="kumobashi directory retire version collection.payments.v1 --write",
)
@_KIND
@_NAME
@_WRITE
@_BY
def retire(terminal: Terminal, *, kind: str, name: str, is_written: bool, by: str | None) -> Exit:
    """Retire an entry."""
    from kumobashi.planning.registering import retire as prepare

    at = _now(by)
    return _done(terminal, prepare(terminal.folder, kind, name, at), at, is_written)


@command(
    "undo",
    ja="register・change・retire で最後に書いた変更を取り消します（もう一度で元に戻ります）。",
    en="Take back the last change by register, change or retire; once more brings it again.",
    example="kumobashi directory undo --write",
)
@_WRITE
@_BY
def undo(terminal: Terminal, *, is_written: bool, by: str | None) -> Exit:
    """Take a change back."""
    from kumobashi.planning.registering import undo as prepare

    at = _now(by)
    return _done(terminal, prepare(terminal.folder, at), at, is_written)


def _now(by: str | None) -> "Occasion":
    from kumobashi.kernel import SystemClock, business_date
    from kumobashi.planning.registering import Occasion

    now = SystemClock().now()
    return Occasion(by=by or getpass.getuser(), now=now, on=business_date(now))


def _done(terminal: Terminal, ready: "Registration", at: "Occasion", is_wished: bool) -> Exit:  # noqa: FBT001 - as click gave it
    from kumobashi.planning.registering import put_in_place

    is_done = is_wished and not ready.is_refused
    if is_done:
        put_in_place(terminal.folder, ready, at)
    if terminal.as_json:
        terminal.emit(_json(ready, is_written=is_done))
    else:
        _tell(terminal, ready, is_wished=is_wished, is_done=is_done)
    return Exit.REFUSED if ready.stopping else Exit.OK


def _tell(terminal: Terminal, ready: "Registration", *, is_wished: bool, is_done: bool) -> None:
    head = terminal.t(
        f"{ready.entry}：{ready.edit.file}（ディレクトリ第{ready.version}版）",
        f"{ready.entry}: {ready.edit.file} (directory {ready.version})",
    )
    terminal.out.print(Text(head, style="bold"), soft_wrap=True)
    for row in diff_lines(ready.edit.diff()):
        terminal.out.print(row, soft_wrap=True)
    for link in ready.links:
        for line in link_lines(terminal, link):
            terminal.out.print(line, soft_wrap=True)
        if link.agreement:
            known = terminal.t(f"    利用協議 {link.agreement}", f"    agreement {link.agreement}")
            terminal.out.print(Text(known, "dim"), soft_wrap=True)
    if is_done:
        said = terminal.t(
            "置き換えました。戻すには: kumobashi directory undo --write",
            "In place. To take it back: kumobashi directory undo --write",
        )
    elif is_wished:
        said = terminal.t(
            "× の照会の連携が止まるので、何も置き換えていません。",
            "Nothing was changed: online links marked × would stop.",
        )
    else:
        said = terminal.t(
            "まだ何も変えていません。置き換えるには --write を付けます。",
            "Nothing was changed yet. Add --write to put it in place.",
        )
    for line in hung(Text(""), said, terminal.width):
        terminal.out.print(line, soft_wrap=True)


def _json(ready: "Registration", *, is_written: bool) -> dict[str, Any]:
    return {
        "deed": ready.deed,
        "entry": ready.entry,
        "directory": ready.version,
        "written": is_written,
        "file": ready.edit.file,
        "diff": ready.edit.diff(),
        "differences": [
            {"kind": one.kind, "name": one.name, "what": one.what} for one in ready.differences
        ],
        "links": [link_json(link) for link in ready.links],
    }
