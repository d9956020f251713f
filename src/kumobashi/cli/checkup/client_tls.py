"""What the sites of this machine show where the entrance of another asks for a certificate."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from kumobashi.cli.checkup.checks import Check, State, failed, fine, words
from kumobashi.crypto.client_tls import ClientTls, Shown
from kumobashi.crypto.errors import KeyFailed
from kumobashi.directory.models import By
from kumobashi.exchange.views import Words
from kumobashi.kernel import JST

if TYPE_CHECKING:
    from kumobashi.planning.workspace import Workspace

_SOON = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Hop:
    """A connection by TLS that a site of this machine opens, and how."""

    site: str
    to: str
    where: Path
    found: Shown | KeyFailed


def hops(folder: Path, workspace: "Workspace") -> list[Hop]:
    """Return every such connection."""
    found = []
    for name, site in sorted(workspace.sites.items()):
        if not (folder / "private" / name).is_dir():
            continue
        tls = ClientTls(folder / "private" / name / "tls")
        for connection in site.connects_to:
            there = workspace.sites.get(connection.site)
            if there is None or connection.by is By.COURIER:
                continue
            where = tls.files(connection.site)[0]
            try:
                shown: Shown | KeyFailed | None = tls.towards(connection.site, there.url)
            except KeyFailed as error:
                shown = error
            if shown is not None:
                found.append(Hop(name, connection.site, where, shown))
    return found


def shown_to(found: list[Hop]) -> Mapping[str, Shown]:
    """Return how each site is met, by its name."""
    return {hop.to: hop.found for hop in reversed(found) if isinstance(hop.found, Shown)}


def checks(found: list[Hop], now: datetime) -> Iterator[Check]:
    """Judge the files of every connection that has some."""
    for hop in found:
        name = words(
            f"クライアント証明書 {hop.site} → {hop.to}",
            f"Client certificate {hop.site} → {hop.to}",
        )
        where = str(hop.where)
        if isinstance(hop.found, KeyFailed):
            yield failed("doctor.client_certificate", name, hop.found, where=where)
        elif hop.found.expires is not None:
            yield _judged(name, where, hop.found.expires, now)


def _judged(name: Words, where: str, end: datetime, now: datetime) -> Check:
    day = end.astimezone(JST).date()
    if end - now >= _SOON:
        said = words(f"{day} まで", f"until {day}")
        return fine("doctor.client_certificate", name, said, where=where)
    is_over = end <= now
    return Check(
        code="doctor.client_certificate_over" if is_over else "doctor.client_certificate_ends",
        name=name,
        state=State.WRONG if is_over else State.CAUTION,
        said=words(
            f"{day} に終わりました" if is_over else f"{day} に終わります",
            f"ended on {day}" if is_over else f"ends on {day}",
        ),
        where=where,
        expected=words("残り 30 日より長い", "more than 30 days left"),
        remedy=words(
            "新しい証明書と鍵を同じ場所に置いてください。動かしたまま替わります。",
            "Put a new certificate and key there; it is taken up while running.",
        ),
    )
