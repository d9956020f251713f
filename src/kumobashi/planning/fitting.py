"""Whether what a rule gives fits what the receiver holds, and whether its codes exist.

A run would find the same, row by row; here it is seen before anything moves.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from kumobashi.catalogue.code_lists import load_code_lists
from kumobashi.catalogue.layouts import Field, Layout
from kumobashi.planning.coding import logical_layout
from kumobashi.planning.workspace import Workspace
from kumobashi.release.columns import Flag, Keep
from kumobashi.release.rules import ReleaseRule
from kumobashi.storage.documents import Document, Mistake, Path


def misfits(workspace: Workspace) -> Iterator[Mistake]:
    """Give what may not fit; it is no mistake, because today's rows may fit all the same."""
    for name, rule in workspace.rules.items():
        document = workspace.documents[f"rules/{name}.yaml"]
        yield from _codes(workspace, rule, document)
        for link in workspace.links.values():
            if link.release == name:
                yield from _widths(workspace, rule, document, logical_layout(workspace, link))


def _widths(
    workspace: Workspace, rule: ReleaseRule, document: Document[Any], target: Layout
) -> Iterator[Mistake]:
    source = workspace.layout(rule.datasets[rule.subject.dataset])
    for number, column in enumerate(rule.columns):
        if not isinstance(column, Keep):
            continue
        given, taken = source.field(column.of), target.field(column.name)
        path = ("columns", number, "of")
        if given.type != taken.type:
            yield document.mistake(
                path,
                code="caution.type",
                ja=f"「{given.ja}」は {given.type}、"
                f"受け取り側の「{taken.ja}」は {taken.type} です。",
                en=f"{given.name} is {given.type}, {taken.name} of the receiver is {taken.type}.",
                expected=taken.type,
            )
        elif given.digits and taken.digits and given.digits > taken.digits:
            yield document.mistake(
                path,
                code="caution.digits",
                ja=f"「{given.ja}」は {given.digits} 桁まで、"
                f"受け取り側は {taken.digits} 桁までです。長い値の行は指摘になります。",
                en=f"{given.name} has up to {given.digits} digits, the receiver takes"
                f" {taken.digits}; rows with longer values become findings.",
                expected=f"<= {taken.digits}",
            )


def _codes(workspace: Workspace, rule: ReleaseRule, document: Document[Any]) -> Iterator[Mistake]:
    """Give the codes of a rule that are in no code list."""
    for dataset, column, path, codes in _named(rule):
        field = workspace.layout(rule.datasets[dataset]).field(column)
        yield from _unlisted(document, field, path, codes)


def _named(rule: ReleaseRule) -> Iterator[tuple[str, str, Path, Sequence[str | int]]]:
    subject = rule.subject
    for name, codes in subject.only.items():
        yield subject.dataset, name, ("subject", "only", name), codes
    if without := subject.without:
        for name, codes in without.where.items():
            yield without.dataset, name, ("subject", "without", "where", name), codes
    for number, flag in enumerate(rule.columns):
        if isinstance(flag, Flag):
            yield flag.dataset, flag.of, ("columns", number, "one"), flag.one
            yield flag.dataset, flag.of, ("columns", number, "zero"), flag.zero
            for name, codes in flag.only.items():
                yield flag.dataset, name, ("columns", number, "only", name), codes


def _unlisted(
    document: Document[Any], field: Field, path: Path, codes: Sequence[str | int]
) -> Iterator[Mistake]:
    if field.code_list is None:
        return
    known = load_code_lists()[field.code_list]
    for number, code in enumerate(codes):
        if str(code) not in known:
            listed = "、".join(f"{held.code}（{held.ja}）" for held in known.codes[:12])
            yield document.mistake(
                (*path, number),
                code="caution.code",
                ja=f"「{field.ja}」のコード表に {code} はありません。あるもの: {listed}。",
                en=f"The code list of {field.name} has no {code!r}.",
                expected=" | ".join(known.values),
            )
