"""A draft of 個人情報ファイル簿: one sheet for each dataset that holds persons. Pure.

A dataset holds persons when one of its fields is more than an attribute. What the platform knows of
it comes from layouts, links and tables; who keeps it, how it is collected and where requests go, it
does not know.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Final

from kumobashi.catalogue.layouts import Layout
from kumobashi.directory.models import SystemFile
from kumobashi.exchange.holding_report import unformed
from kumobashi.kernel import business_date
from kumobashi.papers.rules import size_row
from kumobashi.papers.sheet import Line, Paper, Section, Table, blank
from kumobashi.papers.wording import local_time
from kumobashi.planning.links import LinkFile
from kumobashi.planning.workspace import Workspace

_OF_PERSONS: Final = frozenset({"personal", "identifier", "special"})
Counts = Mapping[str, int]  # "system.dataset" → rows


def holds_persons(layout: Layout) -> bool:
    """Whether rows of a layout are about persons who can be told."""
    return any(field.sensitivity in _OF_PERSONS for field in layout.fields)


def register_of(
    workspace: Workspace, *, now: datetime, counts: Counts | None = None
) -> tuple[Paper, ...]:
    """Return a sheet for each dataset that holds persons, by its reference.

    ``counts`` are rows that somebody counted; without one the number of persons is a blank.

    Raises:
        PaperRulesMissing: no row says from how many persons on a sheet is asked for.
    """
    found = [
        (f"{name}.{dataset}", system)
        for name, system in sorted(workspace.systems.items())
        for dataset in sorted(system.datasets)
    ]
    return tuple(
        _sheet(workspace, reference, system, now=now, count=(counts or {}).get(reference))
        for reference, system in found
        if holds_persons(workspace.layout(reference))
    )


def as_csv(papers: Sequence[Paper]) -> str:
    """Return the sheets as one table: a line for each sheet, a column for each label."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    labels = list(
        dict.fromkeys(line.label for paper in papers for s in paper.sections for line in s.lines)
    )
    writer.writerow(["データセット", *labels, "空欄の数"])
    for paper in papers:
        said = {line.label: line.text for s in paper.sections for line in s.lines}
        cells = [paper.about, *(said.get(label, "") for label in labels), str(len(paper.blanks))]
        writer.writerow([unformed(cell) for cell in cells])
    return text.getvalue()


def _sheet(
    workspace: Workspace, reference: str, system: SystemFile, *, now: datetime, count: int | None
) -> Paper:
    layout, on = workspace.layout(reference), business_date(now)
    goes, comes = list(_from(workspace, reference)), list(_to(workspace, reference))
    special = [field.ja for field in layout.fields if field.sensitivity == "special"]
    town = workspace.municipality.municipality.name
    return Paper(
        kind="register",
        title="個人情報ファイル簿（下書き）",
        about=f"{system.name}／{layout.ja}（{reference}）",
        town=town,
        made=local_time(now),
        sections=(
            Section(
                title="1　個人情報ファイル",
                lines=(
                    Line(
                        label="個人情報ファイルの名称",
                        text=f"{layout.ja}{blank('公表する名称にするか')}",
                        source="レイアウト",
                    ),
                    Line(label="行政機関等の名称", text=town, source="連携設定"),
                    Line(label="事務をつかさどる組織", text=blank("利用に供する事務の所管課")),
                    Line(label="利用目的", text=_purposes(goes)),
                    Line(
                        label="記録項目",
                        text="、".join(field.ja for field in layout.fields),
                        source=f"レイアウト {layout.layout} 第{layout.version}版",
                    ),
                    Line(label="記録範囲", text=_scope(workspace, goes, reference)),
                    Line(label="記録情報の収集方法", text=_collected(comes)),
                    Line(
                        label="要配慮個人情報",
                        text=("含む（" + "、".join(special) + "）" if special else "含まない")
                        + blank("条例要配慮個人情報と、台帳の外の記録を含めた有無"),
                        source="項目の機微度「要配慮」",
                    ),
                    Line(label="経常的提供先", text=_provided(workspace, goes, system.system)),
                    Line(label="保持期間", text=_retention(workspace, comes, on)),
                    Line(
                        label="開示請求等を受理する組織",
                        text=blank("開示・訂正・利用停止の請求を受け付ける課と所在地"),
                    ),
                    Line(
                        label="他の法令による訂正・利用停止",
                        text=blank("他の法令の定めの有無と、その法令"),
                    ),
                    Line(
                        label="ファイルの種別",
                        text=f"電算処理（{system.name}、{workspace.sites[system.site].name}）"
                        + blank("マニュアル処理のファイルの有無"),
                        source="連携設定",
                    ),
                    Line(label="本人の数", text=_persons(count, on)),
                    Line(
                        label="行政機関等匿名加工情報の提案",
                        text=blank("提案の募集をするか。するなら提案を受ける組織"),
                    ),
                    Line(label="備考", text=blank("備考")),
                ),
            ),
            *(
                (
                    Section(
                        title="2　経常的に渡る連携",
                        table=Table(
                            heads=("連携", "渡る先", "法的根拠", "渡る項目"),
                            rows=tuple(_row(workspace, link, reference) for link in goes),
                        ),
                        notes=("粗くした項目も、個人情報として渡ります。",),
                    ),
                )
                if goes
                else ()
            ),
        ),
        facts={
            "dataset": reference,
            "system": system.system,
            "items": [field.name for field in layout.fields],
            "special_items": [f.name for f in layout.fields if f.sensitivity == "special"],
            "provided_by": [link.link for link in goes],
            "asked_by": sorted(
                call.link for call in workspace.calls.values() if call.from_ == system.system
            ),
            "collected_by": [link.link for link in comes],
            "persons": count,
        },
    )


def _from(workspace: Workspace, reference: str) -> Iterator[LinkFile]:
    """Yield the links that read a dataset."""
    for _, link in sorted(workspace.links.items()):
        if reference in workspace.rules[link.release].datasets.values():
            yield link


def _to(workspace: Workspace, reference: str) -> Iterator[LinkFile]:
    """Yield the links that write it."""
    for _, link in sorted(workspace.links.items()):
        if f"{link.to.system}.{link.to.dataset}" == reference:
            yield link


def _purposes(links: Sequence[LinkFile]) -> str:
    known = "、".join(dict.fromkeys(link.purpose for link in links))
    return blank("ファイルの利用目的") + (f"（連携での目的の符号: {known}）" if known else "")


def _scope(workspace: Workspace, links: Sequence[LinkFile], reference: str) -> str:
    for link in links:
        subject = workspace.rules[link.release].subject
        if workspace.rules[link.release].datasets.get(subject.dataset) == reference:
            said = f"連携 {link.link} は {subject.key} ごとに1人"
            return blank("記録される本人の範囲") + f"（{said}）"
    return blank("記録される本人の範囲")


def _collected(links: Sequence[LinkFile]) -> str:
    if not links:
        return blank("記録情報の収集方法（本人から、他の機関からなど）")
    return "、".join(f"連携 {link.link}（{link.name}）" for link in links) + blank(
        "連携のほかの収集方法"
    )


def _provided(workspace: Workspace, links: Sequence[LinkFile], system: str) -> str:
    names = dict.fromkeys(workspace.systems[link.to.system].name for link in links)
    # Which of its records a system answers from, only the system knows: whoever asks it is named.
    asking = [call for call in workspace.calls.values() if call.from_ == system]
    asked = dict.fromkeys(workspace.systems[call.to].name for call in asking)
    said = "、".join(names) or "一括の連携では渡していない"
    if asked:
        said += f"（システムに照会する先: {'、'.join(asked)}）"
        said += blank("照会への回答にこのファイルの記録が含まれるか")
    return said + blank("連携でない経常的提供先")


def _retention(workspace: Workspace, links: Sequence[LinkFile], on: date) -> str:
    found = []
    for link in links:
        row = workspace.tables.retention(link.retention.class_, on=on) if link.retention else None
        if link.retention and row:
            found.append(f"連携 {link.link}: {link.retention.days or row.days} 日（{row.ja}）")
    return "、".join(found) or blank("保存期間")


def _persons(count: int | None, on: date) -> str:
    if count is None:
        return blank("本人の数（1000人以上か）")
    row = size_row("register", count, on=on)
    mark = "" if row.origin.is_verified else "【未確認】"
    return f"{count:,} 件。{row.ordinary_ja}（{mark}{row.origin.source}、{row.origin.place}）"


def _row(workspace: Workspace, link: LinkFile, reference: str) -> tuple[str, ...]:
    rule = workspace.rules[link.release]
    inside = {name for name, held in rule.datasets.items() if held == reference}
    basis = link.legal_basis
    items = [
        column.name
        for column in rule.released
        if getattr(column, "dataset", rule.subject.dataset) in inside
    ]
    return (
        f"{link.name}（{link.link}）",
        workspace.systems[link.to.system].name,
        basis.code if basis else blank("法的根拠"),
        "、".join(items) or "（条件だけに使う）",
    )
