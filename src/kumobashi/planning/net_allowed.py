"""The allow list that was applied for, kept in the workspace, and what has changed since.

``net/allowed.csv`` is the form as it was handed in. A connection that a link needs and that is not
on it is not open yet: the plan says so before anybody wonders why nothing arrives.
"""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from kumobashi.directory.document import write_durably
from kumobashi.planning.net_forms import HEADINGS, as_csv, rows
from kumobashi.planning.net_rules import NetRule, NetRules, is_line, rule_between
from kumobashi.planning.workspace import Workspace
from kumobashi.policy.deciding import Reason
from kumobashi.routing.finding import Hop

FILE: Final = "net/allowed.csv"
_TOLD: Final = (1, 2, 3, 5, 6, 7, 9, 10)  # ends with IP and MAC, protocol, port
Line = tuple[str, ...]


def allowed(folder: Path) -> frozenset[Line] | None:
    """Return what was applied for, as a device is told of it; nothing where nobody applied."""
    try:
        text = (folder / FILE).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return None
    lines = list(csv.reader(text.splitlines()))[1:]
    return frozenset(_told(tuple(line)) for line in lines if len(line) == len(HEADINGS))


def not_applied_for(folder: Path, rules: Sequence[NetRule]) -> tuple[NetRule, ...]:
    """Return the rules that no application has; none where nobody ever applied."""
    held = allowed(folder)
    if held is None:
        return ()
    lines = zip(rows(rules), rules, strict=True)
    return tuple(rule for row, rule in lines if _told(row) not in held)


def no_longer_needed(folder: Path, found: NetRules) -> tuple[Line, ...]:
    """Return what was applied for and no link needs any more."""
    needed = {_told(row) for row in rows(found.rules)}
    return tuple(sorted((allowed(folder) or frozenset()) - needed))


def write_allowed(folder: Path, found: NetRules) -> Path:
    """Keep the list as the one that was applied for; Excel reads it."""
    path = folder / FILE
    write_durably(path, as_csv(found).encode("utf-8-sig"))
    return path


def net_cautions(workspace: Workspace, link: str, hops: Sequence[Hop]) -> Iterator[Reason]:
    """Give what a plan says of connections that are not open yet."""
    rules = [
        rule_between(workspace, hop.from_site, hop.to_site, str(hop.by), links=(link,))
        for hop in hops
        if is_line(hop)
    ]
    for rule in not_applied_for(workspace.folder, rules):
        a, b = rule.source, rule.target
        yield Reason(
            code="planning.net_rule_needed",
            ja=f"{a.name}から{b.name}（{rule.protocol} {rule.port}）への通信は、申請した許可の一覧"
            f"（{FILE}）にありません",
            en=f"The connection from {a.site} to {b.site} ({rule.protocol} {rule.port}) is not on"
            f" the list that was applied for ({FILE})",
            where=workspace.where(f"sites/{a.site}.yaml", "connects_to"),
            remedy_ja="kumobashi net rules で一覧を確かめ、機器の設定を申請してください。",
            remedy_en="See the list with kumobashi net rules, and have the devices told.",
        )


def _told(row: Line) -> Line:
    return tuple(row[at] for at in _TOLD)
