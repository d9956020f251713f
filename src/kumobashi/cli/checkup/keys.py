"""Keys and what is signed: modes of files, keys that the directory knows, ends of validity."""

import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from kumobashi.cli.checkup.checks import Check, State, failed, fine, words
from kumobashi.crypto.keys import SealKey, SigningKey, TokenKey
from kumobashi.directory.entries import Directory
from kumobashi.kernel import JST, KumobashiError

if TYPE_CHECKING:
    from kumobashi.planning.workspace import Workspace

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_DIRECTORY_SOON = timedelta(days=14)
_CERTIFICATION_SOON = timedelta(days=90)
_MODES = words("鍵の権限", "Modes of keys")
_DIRECTORY = words("ディレクトリ", "Directory")


@dataclass(frozen=True, slots=True)
class Held:
    """The directory, when it can be used, and what was found."""

    check: Check
    directory: Directory | None


def modes(folder: Path) -> Check:
    """Judge whether anybody but the owner may read a key."""
    files = [folder / "keys" / "directory.key", *(folder / "private").glob("*/*")]
    there = [path for path in files if path.is_file()]
    open_ones = [
        path.relative_to(folder).as_posix()
        for path in there
        if sys.platform != "win32" and path.stat().st_mode & _OTHERS
    ]
    if open_ones:
        listed = " ".join(open_ones)
        return Check(
            code="doctor.key_modes",
            name=_MODES,
            state=State.WRONG,
            said=words("所有者のほかも読めます: " + listed, "others may read: " + listed),
            where=str(folder),
            expected=words("0600（所有者だけ）", "0600, the owner alone"),
            remedy=words(
                f"chmod 600 {listed}\n読まれたおそれがあれば、鍵を交換してください。",
                f"chmod 600 {listed}\nReplace a key that somebody may have read.",
            ),
        )
    said = words(
        f"{len(there)} 個とも所有者だけが読めます",
        f"all {len(there)} readable by their owner alone",
    )
    return fine("doctor.key_modes", _MODES, said, where=str(folder / "private"))


def directory(folder: Path, now: datetime) -> Held:
    """Judge the directory's signature and its end."""
    from kumobashi.planning.publishing import FILE, load_directory

    try:
        held = load_directory(folder, now=now)
    except KumobashiError as error:
        return Held(failed("doctor.directory", _DIRECTORY, error, where=str(folder / FILE)), None)
    end = held.expires.astimezone(JST).date()
    said = words(f"第 {held.version} 版、{end} まで有効", f"version {held.version}, valid to {end}")
    if held.expires - now > _DIRECTORY_SOON:
        return Held(fine("doctor.directory", _DIRECTORY, said, where=str(folder / FILE)), held)
    soon = Check(
        code="doctor.directory",
        name=_DIRECTORY,
        state=State.CAUTION,
        said=said,
        where=str(folder / FILE),
        expected=words("残り 14 日より長い", "more than 14 days left"),
        remedy=words(
            "期限が近づいています: kumobashi directory publish",
            "It ends soon: kumobashi directory publish",
        ),
    )
    return Held(soon, held)


def of_sites(folder: Path, workspace: "Workspace", held: Directory | None) -> Iterator[Check]:
    """Judge the keys of each site whose private folder is here against the directory."""
    here = [site for site in workspace.sites if (folder / "private" / site).is_dir()]
    for site in here:
        yield _of_site(folder / "private" / site, site, held)
    if not here:
        yield Check(
            code="doctor.keys",
            name=words("鍵", "Keys"),
            state=State.CAUTION,
            said=words("どのサイトの鍵もここにありません", "no site's keys are here"),
            where=str(folder / "private"),
            remedy=words(
                "ゲートウェイを動かす所では、private/サイト名 に鍵を置いてください。",
                "Where a gateway runs, put its keys into private/SITE.",
            ),
        )


def _of_site(private: Path, site: str, held: Directory | None) -> Check:
    name = words(f"鍵 {site}", f"Keys {site}")
    try:
        kid = SigningKey.load(private / "sign.key").kid
        recipient = SealKey.load(private / "seal.key").recipient
        if (private / "token.key").exists():
            TokenKey.load(private / "token.key")
    except KumobashiError as error:
        return failed("doctor.keys", name, error, where=str(private))
    entry = held.sites.get(site) if held else None
    if held is None:
        return fine("doctor.keys", name, words("読めます", "readable"), where=str(private))
    if entry and kid in entry.verify_keys and recipient in entry.seal:
        said = words("ディレクトリと合っています", "as in the directory")
        return fine("doctor.keys", name, said, where=str(private))
    return Check(
        code="doctor.keys_unpublished",
        name=name,
        state=State.WRONG,
        said=words(
            "この鍵はディレクトリにありません。相手は署名も封も受け付けません",
            "the directory does not have this key; peers will refuse signatures and seals",
        )
        if entry
        else words("サイトがディレクトリにありません", "the directory does not have this site"),
        where=str(private),
        expected=words(f"署名鍵 {kid}", f"signing key {kid}"),
        remedy=words(
            "発行し直し、ほかのサイトへ配ってください: kumobashi directory publish",
            "Publish it again and give it to the other sites: kumobashi directory publish",
        ),
    )


def certificates(workspace: "Workspace", now: datetime) -> Iterator[Check]:
    """Judge the ends of what auditors and lists say about sites."""
    today = now.astimezone(JST).date()
    for site, entry in workspace.sites.items():
        for one in entry.certifications:
            if one.valid_to is None or one.valid_to - today > _CERTIFICATION_SOON:
                continue
            is_over = one.valid_to < today
            ends = "終わりました" if is_over else "終わります"
            yield Check(
                code="doctor.certification",
                name=words(f"認証 {site}", f"Listing {site}"),
                state=State.WRONG if is_over else State.CAUTION,
                said=words(
                    f"「{one.name}」は {one.valid_to} に{ends}",
                    f"{one.name!r} {'ended' if is_over else 'ends'} on {one.valid_to}",
                ),
                where=f"sites/{site}.yaml",
                expected=words("残り 90 日より長い", "more than 90 days left"),
                remedy=words(
                    "更新を相手に確かめ、valid_to を直してください。",
                    "Ask about its renewal, and set valid_to.",
                ),
            )
