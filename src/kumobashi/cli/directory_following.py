"""``kumobashi directory follow``: changes of the directory, as they come."""

import http.client
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode, urlsplit

import click
from rich.text import Text

from kumobashi.cli.command import command, option
from kumobashi.cli.exits import Exit
from kumobashi.cli.terminal import Terminal

if TYPE_CHECKING:
    from kumobashi.directory.subscribing import News

_WAIT_SECONDS: Final = 20
_SLOWEST_SECONDS: Final = 30.0  # between two tries while nobody answers
_LARGEST_BYTES: Final = 64 * 1024**2


@command(
    "follow",
    ja="ディレクトリの変更を、届くたびに示します。署名を自分で確かめ、最後に見た版を覚えます。\n"
    "版が巻き戻されていれば止まります。",
    en="Show changes of the directory as they come. Signatures are checked here, and the version\n"
    "that was seen last is remembered; it stops when the directory was rolled back.",
    example="kumobashi directory follow --url http://127.0.0.1:8740 --of collection",
)
@option("--url", required=True, metavar="URL", ja="ゲートウェイ", en="The gateway")
@option("--of", metavar="NAME", ja="この名前のものだけ", en="Only what is of this name")
@option(
    "--state",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    ja="最後に見た版を覚えるファイル（既定: var/directory-seen.jws）",
    en="Remembers the version seen last (default: var/directory-seen.jws)",
)
@option("--once", is_flag=True, ja="待たずに終わる", en="Do not wait for more")
def follow(terminal: Terminal, *, url: str, of: str | None, state: Path | None, once: bool) -> Exit:
    """Follow the directory."""
    from kumobashi.directory.document import write_durably
    from kumobashi.directory.errors import DirectoryUnreachable
    from kumobashi.directory.subscribing import take, version_of
    from kumobashi.kernel import SystemClock
    from kumobashi.planning.publishing import trusted_key

    clock, trusted = SystemClock(), trusted_key(terminal.folder)
    path = state or terminal.folder / "var" / "directory-seen.jws"
    kept = _remembered(path)
    pause = 1.0
    while True:
        since = version_of(kept, trusted=trusted) if kept else None
        try:
            offered = _ask(url, since, kept, 0 if once else _WAIT_SECONDS)
        except DirectoryUnreachable as error:
            if once:
                raise
            terminal.err.print(Text(error.say(terminal.lang)), soft_wrap=True)
            time.sleep(pause)
            pause = min(pause * 2, _SLOWEST_SECONDS)
            continue
        pause = 1.0
        news = take(offered, kept, trusted=trusted, now=clock.now()) if offered else None
        if news and offered:
            _tell(terminal, news, of)
            write_durably(path, offered.encode("ascii"))  # after it was told: twice, never not
            kept = offered
        if once:
            return Exit.OK


def _remembered(path: Path) -> str | None:
    """Return the document seen last; raise ``DirectoryAltered`` when the file holds no such."""
    from kumobashi.directory.errors import DirectoryAltered

    try:
        return path.read_text(encoding="ascii") if path.is_file() else None
    except UnicodeDecodeError:
        raise DirectoryAltered(file=str(path), reason="not ASCII") from None


def _tell(terminal: Terminal, news: "News", of: str | None) -> None:
    from kumobashi.cli.directory_looking import difference_json, difference_lines
    from kumobashi.directory.subscribing import concerns

    told = [one for one in news.differences if concerns(one, of)]
    version = news.directory.version
    if terminal.as_json:
        said = {
            "version": version,
            "since": news.since,
            "skipped": list(news.skipped),
            "differences": [difference_json(one) for one in told],
        }
        click.echo(json.dumps(said, ensure_ascii=False))
        return
    head = terminal.t(f"第 {version} 版", f"Version {version}")
    if news.skipped:
        first, last = news.skipped[0], news.skipped[-1]
        head += terminal.t(
            f"（見ていない第 {first}〜{last} 版の変更も含みます）",
            f" (with what versions {first} to {last} changed, which were not seen)",
        )
    terminal.out.print(Text(head, "bold"), soft_wrap=True)
    for one in told:
        for line in difference_lines(terminal, one):
            terminal.out.print(line, soft_wrap=True)


def _ask(url: str, since: int | None, kept: str | None, wait: int) -> str | None:
    """Return the newest document; ``None``: it is the one that is known.

    Raises:
        DirectoryUnreachable: nobody answers, or with something else.
        DirectoryOld: the gateway has an older one than ``since``.
        DirectoryAltered: the gateway's own copy is not signed as it must be.
    """
    from kumobashi.directory.errors import DirectoryAltered, DirectoryOld, DirectoryUnreachable
    from kumobashi.directory.subscribing import mark_of

    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    asked = {} if since is None else {"since": since, "wait": wait}
    try:
        line = kind(parts.hostname or "", parts.port, timeout=wait + 10)
        try:
            place = f"{parts.path.rstrip('/')}/directory/v1?{urlencode(asked)}"
            known = {} if since is None or kept is None else {"if-none-match": mark_of(since, kept)}
            line.request("GET", place, headers=known)
            answer = line.getresponse()
            if answer.status == http.client.NOT_MODIFIED:
                return None
            said = json.loads(answer.read(_LARGEST_BYTES))
        finally:
            line.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise DirectoryUnreachable(url=url, reason=type(error).__name__) from None
    if answer.status == http.client.OK and isinstance(said, dict):
        document = said.get("document")
        if isinstance(document, str) and document.isascii():
            return document
    if isinstance(said, dict) and said.get("code") == DirectoryOld.code:
        raise DirectoryOld(version=said.get("version", "?"), known=since)
    if isinstance(said, dict) and said.get("code") == DirectoryAltered.code:
        raise DirectoryAltered(file=url, reason="at the gateway")
    raise DirectoryUnreachable(url=url, reason=f"HTTP {answer.status}")
