"""``kumobashi call``: ask another system as one of this site does, and make their tokens."""

import http.client
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click
from rich.text import Text

from kumobashi.cli.command import Group, command, option
from kumobashi.cli.errors import Usage
from kumobashi.cli.exits import Exit
from kumobashi.cli.terminal import Terminal

if TYPE_CHECKING:
    from kumobashi.directory.models import SystemFile
    from kumobashi.planning.workspace import Workspace

call = Group(
    "call",
    ja="オンライン照会: 別の業務システムに問い合わせ、回答を受けます。",
    en="Calls that answer: ask another system through this site's gateway.",
    example="kumobashi call token arrears",
)
_PATIENCE_SECONDS = 60.0


@command(
    "token",
    ja="業務システムの合言葉（token）を作り、置いた場所を示します。合言葉は表示しません。\n"
    "業務システムは、照会のたびにこれを自分のゲートウェイに見せます。",
    en="Make a system's token and say where it lies; the token itself is not shown.\n"
    "With every call the system shows it to its own gateway.",
    example="kumobashi call token arrears",
)
@click.argument("system")
@option(
    "--anew",
    is_flag=True,
    ja="作り直す（前の合言葉はすぐに使えなくなります）",
    en="Make another one; the one before is worth nothing at once",
)
def token(terminal: Terminal, *, system: str, anew: bool) -> Exit:
    """Make a token."""
    from kumobashi.service.call_tokens import make_token

    held = _system(terminal.workspace(), system)
    path = make_token(terminal.folder, held.site, system, anew=anew)
    shown = path.relative_to(terminal.folder)
    if terminal.as_json:
        terminal.emit({"system": system, "site": held.site, "file": str(shown)})
    else:
        terminal.out.print(
            terminal.t(
                f"{held.name} の合言葉を {shown} に置きました。",
                f"The token of {system} is in {shown}.",
            ),
            soft_wrap=True,
        )
    return Exit.OK


@command(
    "client",
    ja="庁内データ連携（OAuth 2.0）で照会する業務システムのクライアントを作ります。\n"
    "置いた場所を示し、client_secret は表示しません。",
    en="Make the OAuth client of a system that asks by the internal-linkage profile.\n"
    "It says where it lies; the secret is not shown.",
    example="kumobashi call client arrears",
)
@click.argument("system")
@option(
    "--anew",
    is_flag=True,
    ja="client_secret を作り直す（前のものはすぐに使えなくなります）",
    en="Make another secret; the one before is worth nothing at once",
)
@option(
    "--basic",
    is_flag=True,
    ja="当面の措置の client_secret_basic も許す",
    en="Allow client_secret_basic too, as in the interim",
)
def client(terminal: Terminal, *, system: str, anew: bool, basic: bool) -> Exit:
    """Make a client."""
    from kumobashi.service.linkage_clients import make_client

    held = _system(terminal.workspace(), system)
    path = make_client(terminal.folder, held.site, system, anew=anew, basic=basic)
    shown = path.relative_to(terminal.folder)
    if terminal.as_json:
        terminal.emit({"system": system, "site": held.site, "file": str(shown)})
    else:
        terminal.out.print(
            terminal.t(
                f"{held.name} のクライアントを {shown} に置きました。",
                f"The client of {system} is in {shown}.",
            ),
            soft_wrap=True,
        )
    return Exit.OK


@command(
    "certificate",
    ja="SOAP の電文に署名する業務システムの証明書を登録します。\n"
    "前の証明書はすぐに使えなくなります。",
    en="Register the certificate that a system signs its SOAP messages with.\n"
    "One before is worth nothing at once.",
    example="kumobashi call certificate arrears arrears.pem",
)
@click.argument("system")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def certificate(terminal: Terminal, *, system: str, file: Path) -> Exit:
    """Register a certificate."""
    from kumobashi.calls.soap.signatures import fingerprint
    from kumobashi.kernel import JST, SystemClock
    from kumobashi.service.call_certificates import register

    held = _system(terminal.workspace(), system)
    found = register(terminal.folder, held.site, system, file, SystemClock().now())
    mark = fingerprint(found).hex(":").upper()
    ends = found.not_valid_after_utc.astimezone(JST).date().isoformat()
    own = f"private/{held.site}/soap.crt"
    if terminal.as_json:
        said = {"system": system, "site": held.site, "fingerprint": mark, "until": ends}
        terminal.emit({**said, "answers_signed_by": own})
    else:
        terminal.out.print(
            terminal.t(
                f"{held.name} の証明書を登録しました（{ends} まで）。\n"
                f"指紋 SHA-256: {mark}\n電話などで業務システムの担当と読み合わせてください。"
                f"回答の署名を確かめる証明書: {own}",
                f"The certificate of {system} is registered, until {ends}.\n"
                f"SHA-256: {mark}\nCompare it with the system's people, by telephone say."
                f" Answers are signed by: {own}",
            ),
            soft_wrap=True,
        )
    return Exit.OK


@command(
    "ask",
    ja="業務システムに代わって照会し、回答をそのまま表示します（疎通の確認に）。",
    en="Ask as one of this site's systems, and print the answer as it came.",
    example="kumobashi call ask --from finance collection.accounts v1/totals/2026-11-20",
)
@click.argument("service", metavar="SYSTEM.SERVICE")
@click.argument("path", metavar="VERSION/PATH")
@option("--from", "asker", required=True, metavar="SYSTEM", ja="照会する側", en="Who asks")
@option("--method", default="GET", metavar="METHOD", ja="メソッド", en="The method")
@option(
    "--body",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    ja="送る JSON のファイル",
    en="A file of JSON to send",
)
@option("--test", is_flag=True, ja="試験の照会として", en="As a test call")
def ask(
    terminal: Terminal,
    *,
    service: str,
    path: str,
    asker: str,
    method: str,
    body: Path | None,
    test: bool,
) -> Exit:
    """Ask."""
    from kumobashi.service.call_api import FACE
    from kumobashi.service.call_tokens import folder_of

    workspace = terminal.workspace()
    held = _system(workspace, asker)
    answerer, _, name = service.partition(".")
    if not name:
        raise Usage(
            what="照会する先は システム.サービス と書いてください",
            what_en="write whom to ask as SYSTEM.SERVICE",
            command="kumobashi call ask",
        )
    file = folder_of(terminal.folder, held.site) / f"{asker}.token"
    if not file.exists():
        raise Usage(
            what=f"{asker} の合言葉がありません。先に kumobashi call token {asker}",
            what_en=f"{asker} has no token; first: kumobashi call token {asker}",
            command="kumobashi call ask",
        )
    headers = {
        "authorization": f"Bearer {file.read_text(encoding='ascii').strip()}",
        "kumobashi-system": asker,
        "accept": "application/json",
        **({"content-type": "application/json"} if body else {}),
        **({"kumobashi-test": "1"} if test else {}),
    }
    if body and not body.is_file():
        raise Usage(
            what=f"ファイル {body} がありません",
            what_en=f"there is no file {body}",
            command="kumobashi call ask",
        )
    site = workspace.sites[held.site]
    at = urlsplit(site.url)
    line = http.client.HTTPConnection(
        at.hostname or "127.0.0.1", at.port or 80, timeout=_PATIENCE_SECONDS
    )
    try:
        target = f"{FACE}{answerer}/{name}/{path.lstrip('/')}"
        sent = body.read_bytes() if body else None
        line.request(method.upper(), target, body=sent, headers=headers)
        answer = line.getresponse()
        text = answer.read()
    except (OSError, http.client.HTTPException):
        from kumobashi.service.errors import GatewayDown

        raise GatewayDown(site=held.site, url=site.url) from None
    finally:
        line.close()
    if answer.headers.get_content_type() == "application/problem+json":
        _tell_refusal(terminal, text)
        return Exit.RED
    sys.stdout.buffer.write(text if text.endswith(b"\n") or not text else text + b"\n")
    sys.stdout.flush()
    return Exit.OK if answer.status < 400 else Exit.RED  # noqa: PLR2004 - HTTP


def _tell_refusal(terminal: Terminal, text: bytes) -> None:
    """Say why there is no answer, and on which side the fault is."""
    import json

    said = json.loads(text)
    if terminal.as_json:
        terminal.emit(said)
        return
    words = said["detail"] if terminal.lang == "ja" else said["title"]
    remedy = said["remedy"] if terminal.lang == "ja" else said["remedy_en"]
    side = said.get("side_ja") if terminal.lang == "ja" else said.get("side")
    out = terminal.out
    out.print(Text.assemble(("× ", "bold red"), (words, "bold")), soft_wrap=True)
    if side:
        out.print(f"  {terminal.t('原因のある側', 'Side at fault')}: {side}", soft_wrap=True)
    out.print(f"  {terminal.t('対応', 'To do')}: {remedy}", soft_wrap=True)
    out.print(f"  {terminal.t('符号', 'Code')}: {said['code']}", style="dim", soft_wrap=True)


def _system(workspace: "Workspace", name: str) -> "SystemFile":
    held = workspace.systems.get(name)
    if held is None:
        from kumobashi.directory.errors import SystemUnknown

        raise SystemUnknown(system=name)
    return held


for each in (token, client, certificate, ask):
    call.add_command(each)
