"""One thing looked at: what was found, where, what was expected, and what to do.

>>> fine("doctor.python", words("Python", "Python"), words("3.12", "3.12")).state.sign
'✓'
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from kumobashi.exchange.views import Words
from kumobashi.kernel import Clock, KumobashiError, Language

if TYPE_CHECKING:
    from kumobashi.planning.workspace import Workspace


def words(ja: str, en: str) -> Words:
    """Return one sentence in both languages."""
    return Words(ja=ja, en=en)


NOTHING = words("", "")
_MISTAKES_SHOWN = 3


class State(Enum):
    """How it stands."""

    GOOD = "good"
    CAUTION = "caution"  # works today
    WRONG = "wrong"

    @property
    def sign(self) -> str:
        """Its sign before the line."""
        return {"good": "✓", "caution": "△", "wrong": "×"}[self.value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing looked at; ``code`` stays the same in every language and release."""

    code: str
    name: Words
    state: State
    said: Words
    where: str = ""
    expected: Words = NOTHING
    remedy: Words = NOTHING

    def plain(self, lang: Language) -> Mapping[str, object]:
        """Return it for JSON, its sentences in one language."""

        def one(said: Words) -> str:
            return said.ja if lang == "ja" else said.en

        return {
            "code": self.code,
            "name": one(self.name),
            "state": self.state.value,
            "is_good": self.state is State.GOOD,
            "where": self.where,
            "said": one(self.said),
            "expected": one(self.expected),
            "remedy": one(self.remedy),
        }


def fine(code: str, name: Words, said: Words, *, where: str = "") -> Check:
    """Return a check that found nothing."""
    return Check(code=code, name=name, state=State.GOOD, said=said, where=where)


def failed(code: str, name: Words, error: KumobashiError, *, where: str = "") -> Check:
    """Return what an error of ours says, as a check."""
    return Check(
        code=code,
        name=name,
        state=State.WRONG,
        said=words(error.say("ja"), error.say("en")),
        where=where,
        remedy=words(error.remedy("ja"), error.remedy("en")),
    )


def examine(folder: Path | None, clock: Clock) -> Iterator[Check]:
    """Look at everything, one by one; without a workspace at the installation alone."""
    from kumobashi.cli.checkup import (
        client_tls,
        clocks,
        incidents,
        installation,
        keys,
        peers,
        room,
        time_sources,
    )

    now = clock.now()
    place = folder or Path.cwd()
    yield from installation.checks(place / "var" if folder else place)
    if folder is None:
        yield Check(
            code="doctor.workspace",
            name=WORKSPACE,
            state=State.CAUTION,
            said=words(
                "連携設定がないので、導入だけを見ました",
                "none here: only the installation was seen",
            ),
            where=str(place),
            remedy=words(
                "--workspace で場所を示すか、見本を作ってください: kumobashi init --sample city",
                "Name one with --workspace, or make a sample: kumobashi init --sample city",
            ),
        )
        return
    workspace, described = _workspace(folder)
    hops = client_tls.hops(folder, workspace) if workspace else []
    asked = peers.ask_all(
        {name: site.url for name, site in workspace.sites.items()} if workspace else {},
        shown=client_tls.shown_to(hops),
    )
    yield described
    yield keys.modes(folder)
    held = keys.directory(folder, now)
    yield held.check
    if workspace:
        yield from keys.of_sites(folder, workspace, held.directory)
        yield from keys.certificates(workspace, now)
        yield from client_tls.checks(hops, now)
    yield from room.checks(folder, workspace)
    yield clocks.own(now, held.directory)
    if workspace:
        here = {site for site in workspace.sites if (folder / "private" / site).is_dir()}
        yield from time_sources.checks(folder, sorted(here))
        for site, reply in asked.replies():
            url = workspace.sites[site].url
            yield peers.judged(site, url, reply, now, is_here=site in here)
            if isinstance(reply, peers.Answer):
                yield clocks.of_peer(site, url, reply.clock)
            elif (
                site in here
                and reply.reason in peers.SOMEBODY_ELSE
                and (taken := room.port(site, url))
            ):
                yield taken
        yield from clocks.of_receipts(folder, sorted(here))
        yield from incidents.of_sites(folder, sorted(here), now)


WORKSPACE = words("連携設定", "Workspace")


def _workspace(folder: Path) -> "tuple[Workspace | None, Check]":
    from kumobashi.planning.errors import WorkspaceBroken
    from kumobashi.planning.workspace import load

    try:
        found = load(folder)
    except WorkspaceBroken as error:
        first = error.mistakes[:_MISTAKES_SHOWN]
        more = len(error.mistakes) - len(first)
        places = ", ".join(f"{one.file}:{one.line}:{one.column}" for one in first)
        return None, Check(
            code="doctor.workspace",
            name=WORKSPACE,
            state=State.WRONG,
            said=words(
                f"{len(error.mistakes)} か所の間違いがあります。はじめの1つ: {first[0].ja}",
                f"{len(error.mistakes)} mistakes; the first: {first[0].en}",
            ),
            where=places + (f" +{more}" if more else ""),
            expected=words(first[0].expected, first[0].expected),
            remedy=words(
                "すべてを見るには: kumobashi workspace check", "See all: kumobashi workspace check"
            ),
        )
    return found, fine(
        "doctor.workspace",
        WORKSPACE,
        words(
            f"間違いはありません（サイト {len(found.sites)}、連携 {len(found.every_link)}）",
            f"no mistakes ({len(found.sites)} sites, {len(found.every_link)} links)",
        ),
        where=str(folder),
    )
