"""``kumobashi agreement new``, ``edit``, ``attach`` and ``processors``: what is applied for."""

from pathlib import Path
from typing import Any

import click

from kumobashi.cli.agreement.asking import NOTE, SITE, Person, as_person
from kumobashi.cli.agreement.gateway import gateway_of, holder_of
from kumobashi.cli.agreement.showing import tell
from kumobashi.cli.command import command, option
from kumobashi.cli.exits import Exit
from kumobashi.cli.terminal import Terminal

_DAY = click.DateTime(["%Y-%m-%d"])
_FILE = click.Path(dir_okay=False, path_type=Path)


def _application(function: Any) -> Any:  # noqa: ANN401 - click's own
    """Give a command the options of an application."""
    for made in (
        option(
            "--condition",
            "conditions",
            multiple=True,
            metavar="TEXT",
            ja="条件・安全管理（何度でも）",
            en="A condition; may be repeated",
        ),
        option("--to", "last", required=True, type=_DAY, ja="期間の終わりの日", en="The last day"),
        option(
            "--from", "first", required=True, type=_DAY, ja="期間の始めの日", en="The first day"
        ),
        option("--purpose", required=True, metavar="TEXT", ja="利用の目的", en="What for"),
        option(
            "--owner",
            required=True,
            metavar="SECTION",
            ja="情報を所管する課",
            en="The section that owns the data",
        ),
    ):
        function = made(function)
    return function


@command(
    "new",
    ja="連携を申請します。項目・根拠は、いまの事前点検から取ります。--submit で起案から申請まで。",
    en="Draft an application for a link, of its plan as it is now; --submit applies at once.",
    example="kumobashi agreement new notice-attributes --owner 市民課 --purpose 児童手当"
    " --from 2026-12-01 --to 2027-03-31 --account tanaka --submit",
)
@click.argument("link")
@_application
@option(
    "--change",
    metavar="NUMBER",
    ja="変更申請: この文書番号の利用協議を写して始め、効力を持つと入れ替わります",
    en="Apply for a change: begin from a copy of this agreement, and replace it",
)
@option(
    "--processors",
    "register",
    type=_FILE,
    metavar="FILE",
    ja="再委託台帳（YAML）",
    en="The register of processors (YAML)",
)
@option("--submit", is_flag=True, ja="そのまま申請する", en="Apply at once")
@option("--number", metavar="NUMBER", ja="文書番号を自分で付ける", en="A number of one's own")
@as_person
def new(
    terminal: Terminal,
    *,
    link: str,
    change: str | None,
    register: Path | None,
    submit: bool,
    number: str | None,
    person: Person,
    **wish: Any,  # noqa: ANN401 - the options of an application
) -> Exit:
    """Draft an application."""
    gateway = gateway_of(terminal.workspace(), link)
    body = {
        **_body(link, wish),
        "processors": _lines(register) if register else [],
        **({"change": change} if change else {}),
        **({"submit": True} if submit else {}),
        **({"number": number} if number else {}),
    }
    tell(terminal, gateway.new({**body, **person.credentials(terminal)}))
    return Exit.OK


@command(
    "edit",
    ja="起案中の利用協議を書き直します。項目・根拠は、いまの事前点検から取り直します。",
    en="Write a draft anew, of the plan as it is now.",
    example="kumobashi agreement edit 0192f3b2 --owner 市民課 --purpose 児童手当"
    " --from 2026-12-01 --to 2027-09-30 --account tanaka",
)
@click.argument("agreement")
@_application
@SITE
@as_person
def edit(
    terminal: Terminal,
    *,
    agreement: str,
    site: str | None,
    person: Person,
    **wish: Any,  # noqa: ANN401
) -> Exit:
    """Write a draft anew."""
    gateway = holder_of(terminal.workspace(), agreement, site)
    link = gateway.show(agreement).link
    body = {**_body(link, wish), **person.credentials(terminal)}
    tell(terminal, gateway.act(agreement, "edit", body))
    return Exit.OK


@command(
    "attach",
    ja="起案中の利用協議にファイルを添付します（1つ10 MiBまで、20個まで）。",
    en="Attach a file to a draft (10 MiB each, 20 files).",
    example="kumobashi agreement attach 0192f3b2 spec.pdf --account tanaka",
)
@click.argument("agreement")
@click.argument("file", type=_FILE)
@SITE
@as_person
def attach(
    terminal: Terminal, *, agreement: str, file: Path, site: str | None, person: Person
) -> Exit:
    """Attach a file."""
    from kumobashi.agreements.attaching import check_name, check_room
    from kumobashi.agreements.errors import AttachmentUnfit
    from kumobashi.crypto import base64url

    if not file.is_file():
        raise AttachmentUnfit(reason="ファイルがありません", reason_en="there is no such file")
    check_name(file.name)
    check_room((), file.name, file.stat().st_size)  # before it is read whole
    gateway = holder_of(terminal.workspace(), agreement, site)
    body = {"name": file.name, "body": base64url.encode(file.read_bytes())}
    done = gateway.act(agreement, "attachments", {**body, **person.credentials(terminal)})
    tell(terminal, done)
    return Exit.OK


@command(
    "files",
    ja="添付を取り出します。登録のあとで書き換えられたものは出しません。",
    en="Take the attachments out; one that was changed since is not given.",
    example="kumobashi agreement files 8架総第1号 --to review",
)
@click.argument("agreement")
@option(
    "--to",
    "folder",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    ja="書き出すフォルダ（同じ名前のものがあれば断ります）",
    en="The folder to write into; a file that is there is never replaced",
)
@SITE
def files(terminal: Terminal, *, agreement: str, folder: Path, site: str | None) -> Exit:
    """Take the attachments out."""
    from kumobashi.agreements.attaching import check_name
    from kumobashi.agreements.errors import AttachmentUnfit

    gateway = holder_of(terminal.workspace(), agreement, site)
    held = gateway.show(agreement).attachments
    targets = [folder / check_name(one.name) for one in held]
    if there := next((path for path in targets if path.exists()), None):
        raise AttachmentUnfit(
            reason=f"{there} がすでにあります", reason_en=f"{there} is there already"
        )
    folder.mkdir(parents=True, exist_ok=True)
    for number, target in enumerate(targets, 1):
        target.write_bytes(gateway.file(agreement, number))
    if terminal.as_json:
        terminal.emit({"written": [str(path) for path in targets]})
        return Exit.OK
    for target in targets:
        words = terminal.t(f"書き出しました: {target}", f"Written: {target}")
        terminal.out.print(words, soft_wrap=True)
    if not targets:
        terminal.out.print(terminal.t("添付はありません。", "There are no attachments."))
    return Exit.OK


@command(
    "processors",
    ja="委託先・再委託先の台帳を登録します。許可のない再委託があれば、効力は始まりません。",
    en="Register processors and sub-processors; one without permission keeps it from force.",
    example="kumobashi agreement processors 8架総第1号 --file 台帳.yaml --account suzuki",
)
@click.argument("agreement")
@option(
    "--file", "register", required=True, type=_FILE, metavar="FILE", ja="台帳（YAML）", en="YAML"
)
@NOTE
@SITE
@as_person
def processors(
    terminal: Terminal,
    *,
    agreement: str,
    register: Path,
    note: str,
    site: str | None,
    person: Person,
) -> Exit:
    """Register processors."""
    lines = _lines(register)
    gateway = holder_of(terminal.workspace(), agreement, site)
    body = {"processors": lines, "note": note, **person.credentials(terminal)}
    tell(terminal, gateway.act(agreement, "processors", body))
    return Exit.OK


def _body(link: str, wish: Any) -> dict[str, Any]:  # noqa: ANN401 - the options
    return {
        "link": link,
        "owner_section": wish["owner"],
        "purpose": wish["purpose"],
        "conditions": list(wish["conditions"]),
        "first": wish["first"].date().isoformat(),
        "last": wish["last"].date().isoformat(),
    }


def _lines(path: Path) -> list[dict[str, Any]]:
    """Read the register; all its mistakes are told with their lines."""
    from kumobashi.agreements.models import RegisterFile
    from kumobashi.planning.errors import WorkspaceBroken
    from kumobashi.storage.documents import Document, read

    found = read(path, RegisterFile, root=path.parent)
    if not isinstance(found, Document):
        raise WorkspaceBroken(found)
    dumped = found.value.model_dump(mode="json")["processors"]
    return list(dumped)
