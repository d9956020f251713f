"""What a check of evidence came to, for people and machines; records as a table in a file."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from kumobashi.cli.terminal import Terminal
from kumobashi.cli.wording import hung
from kumobashi.kernel import JST

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kumobashi.calls.auditing import JournalAudit
    from kumobashi.exchange.auditing import Audit
    from kumobashi.kernel import KumobashiError


def write_table(
    terminal: Terminal, out: Path, site: str, records: "Iterable[tuple[int, Mapping[str, Any]]]"
) -> int:
    """Write records for Excel or for paper, as the name ends; return how many."""
    from kumobashi.exchange.evidence_tables import write_csv, write_html

    with out.open("wb") as target:
        if out.suffix == ".csv":
            return write_csv(target, records, terminal.lang)
        title = terminal.t(f"証跡 {site}", f"Evidence of {site}")
        made = f"{datetime.now(JST):%Y-%m-%d %H:%M}"
        lines = [terminal.t(f"書き出し {made}（日本時間）", f"Written {made} (Japan)")]
        return write_html(target, records, terminal.lang, title=title, lines=lines)


def tell(terminal: Terminal, found: "Audit", calls: "JournalAudit | None" = None) -> None:
    """Say what a check came to; ``calls`` is that of the journals of calls beside it."""
    failure = found.failure or (calls.failure if calls else None)
    if terminal.as_json:
        terminal.emit(_plain(found) | ({"calls": _plain_calls(calls)} if calls else {}))
        return
    t, out = terminal.t, terminal.out
    if failure is None:
        said = t("証跡は正しいままです", "The evidence is as it was written")
        out.print(Text.assemble(("✓ ", "bold green"), (said, "bold"), f"  {found.site}"))
    else:
        out.print(Text.assemble(("× ", "bold red"), (failure.say(terminal.lang), "bold")))
        for line in hung(
            Text(f"  {t('対応', 'To do')}: "), failure.remedy(terminal.lang), terminal.width
        ):
            out.print(line, soft_wrap=True)
        out.print(Text(f"  {t('符号', 'Code')}: {failure.code}", style="dim"))
    span = " – ".join(
        f"{at.astimezone(JST):%Y-%m-%d %H:%M}" for at in (found.first_at, found.last_at) if at
    )
    facts = [
        t(
            f"確かめた記録 {found.records:,} 件（署名 {found.signed:,} 件まで）  {span}",
            f"{found.records:,} records checked (signed up to {found.signed:,})  {span}",
        ),
        t(
            f"署名した区切り {found.checkpoints:,}、到達確認 {found.receipts:,} 通"
            f"（うち署名も確認 {found.receipt_signatures:,} 通）",
            f"{found.checkpoints:,} checkpoints, {found.receipts:,} receipts"
            f" ({found.receipt_signatures:,} signatures checked)",
        ),
    ]
    if calls and calls.journals:
        facts.append(
            t(
                f"照会の記録 {calls.records:,} 件（うち署名も確認 {calls.signatures:,} 件）",
                f"{calls.records:,} records of calls ({calls.signatures:,} signatures checked)",
            )
        )
    if found.waiting:
        facts.append(
            t(
                f"まだ署名のない記録 {found.waiting:,} 件（次の区切りで署名されます）",
                f"{found.waiting:,} records are not signed yet; the next checkpoint covers them",
            )
        )
    if found.unknown_keys:
        facts.append(
            t(
                f"前の鍵で署名された区切り {found.unknown_keys:,}（新しい署名が束ねています）",
                f"{found.unknown_keys:,} checkpoints carry a former key; the newest one binds them",
            )
        )
    if found.compared_with:
        sites = ", ".join(found.compared_with)
        facts.append(t(f"突き合わせた相手: {sites}", f"Compared with: {sites}"))
    for fact in facts:
        out.print(f"  {fact}", soft_wrap=True)


def _plain(found: "Audit") -> dict[str, object]:
    return {
        "is_sound": found.is_sound,
        "site": found.site,
        "kind": found.kind,
        "records": found.records,
        "signed": found.signed,
        "waiting": found.waiting,
        "checkpoints": found.checkpoints,
        "receipts": found.receipts,
        "receipt_signatures": found.receipt_signatures,
        "first_at": found.first_at.isoformat() if found.first_at else None,
        "last_at": found.last_at.isoformat() if found.last_at else None,
        "directory_version": found.directory_version,
        "compared_with": list(found.compared_with),
        "witnessed": [
            {"site": one.site, "size": one.size, "verdict": one.verdict} for one in found.witnessed
        ],
        "touched": _touched(found.failure),
    }


def _plain_calls(calls: "JournalAudit") -> dict[str, object]:
    return {
        "is_sound": calls.is_sound,
        "journals": calls.journals,
        "records": calls.records,
        "signatures": calls.signatures,
        "waiting": calls.waiting,
        "touched": _touched(calls.failure),
    }


def _touched(failure: "KumobashiError | None") -> dict[str, object] | None:
    if failure is None:
        return None
    return {
        "code": failure.code,
        "ja": failure.say("ja"),
        "en": failure.say("en"),
        "remedy": failure.remedy("ja"),
        **{k: v for k, v in failure.facts.items() if isinstance(v, str | int)},
    }
