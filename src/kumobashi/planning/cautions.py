"""What is no mistake in a workspace but should be seen to: ends that come near, files nobody uses.

Nothing here stops a link; ``references`` and the plan do that.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from kumobashi.planning.fitting import misfits
from kumobashi.planning.services import layouts_named
from kumobashi.planning.workspace import Workspace
from kumobashi.storage.documents import Document, Mistake

_BASIS_SOON, _SITE_SOON, _LAYOUT_SOON = timedelta(days=60), timedelta(days=90), timedelta(days=60)


def cautions(workspace: Workspace, *, on: date) -> list[Mistake]:
    """Return what to see to, in the order of the files; the codes begin ``caution.``."""
    found = [
        *_bases(workspace, on),
        *_certifications(workspace, on),
        *_layouts(workspace, on),
        *_useless_substitutes(workspace),
        *_unused(workspace),
        *misfits(workspace),
    ]
    return sorted(found, key=lambda caution: (caution.file, caution.line))


def _bases(workspace: Workspace, on: date) -> Iterator[Mistake]:
    files = {f"links/{name}.yaml": link.legal_basis for name, link in workspace.links.items()}
    files |= {f"calls/{name}.yaml": call.legal_basis for name, call in workspace.calls.items()}
    for file, basis in files.items():
        until = basis.until if basis else None
        if until and until - on <= _BASIS_SOON:
            over = until < on
            yield _of(workspace, file).mistake(
                ("legal_basis", "until"),
                code="caution.basis_ends",
                ja=f"法的根拠の期限 {until.isoformat()} が"
                + ("過ぎています。改めて決定を受けてください。" if over else "近づいています。"),
                en=f"The legal basis {'ended' if over else 'ends'} on {until.isoformat()}.",
            )


def _certifications(workspace: Workspace, on: date) -> Iterator[Mistake]:
    for name, site in workspace.sites.items():
        for number, held in enumerate(site.certifications):
            if held.valid_to and held.valid_to - on <= _SITE_SOON:
                over = held.valid_to < on
                yield _of(workspace, f"sites/{name}.yaml").mistake(
                    ("certifications", number, "valid_to"),
                    code="caution.certification_ends",
                    ja=f"認証「{held.name}」の期限 {held.valid_to.isoformat()} が"
                    + ("過ぎています。" if over else "近づいています。"),
                    en=f"The certification {held.name} {'ended' if over else 'ends'} on"
                    f" {held.valid_to.isoformat()}.",
                )


def _layouts(workspace: Workspace, on: date) -> Iterator[Mistake]:
    used = [
        (name, path, one)
        for name, system in workspace.systems.items()
        for path, one in layouts_named(system)
    ]
    for name, path, one in used:
        layout = workspace.layouts.get(one.layout, one.version)
        if layout.valid_to and layout.valid_to - on <= _LAYOUT_SOON:
            over = layout.valid_to < on
            yield _of(workspace, f"systems/{name}.yaml").mistake(
                path,
                code="caution.layout_ends",
                ja=f"レイアウト「{layout.ja}」第{layout.version}版は"
                f" {layout.valid_to.isoformat()} で{'終わりました' if over else '終わります'}。"
                "kumobashi workspace upgrade が次の版を探します。",
                en=f"The layout {layout.layout} {layout.version}"
                f" {'ended' if over else 'ends'} on {layout.valid_to.isoformat()};"
                " kumobashi workspace upgrade looks for the next.",
            )


def _useless_substitutes(workspace: Workspace) -> Iterator[Mistake]:
    for name, link in workspace.links.items():
        if link.characters.substitutes and link.characters.charset != "cp932":
            yield _of(workspace, f"links/{name}.yaml").mistake(
                ("characters", "substitutes"),
                code="caution.substitutes_unused",
                ja=f"{link.characters.charset} ではどの字も表せるので、置き換えは使われません。",
                en=f"{link.characters.charset} holds every character; the substitutes are unused.",
            )


def _unused(workspace: Workspace) -> Iterator[Mistake]:
    """Give what stands in a file and is named by no other."""
    links = workspace.links.values()
    rules = {link.release for link in links}
    systems = {link.from_ for link in links} | {link.to.system for link in links}
    systems |= {
        reference.partition(".")[0]
        for rule in rules
        for reference in workspace.rules[rule].datasets.values()
    }
    sent = {code for rule in rules for code in workspace.rules[rule].campaigns}
    served = {
        code
        for code, campaign in workspace.campaigns.items()
        if code in sent or (campaign.coarsened and campaign.coarsened.rule in rules)
    }
    systems |= {
        reference.partition(".")[0]
        for code in served
        for reference in workspace.campaigns[code].datasets.values()
    }
    systems |= {name for call in workspace.calls.values() for name in (call.from_, call.to)}
    layouts = {
        one.layout for system in workspace.systems.values() for _, one in layouts_named(system)
    }
    layouts |= {rule.coding.layout for rule in workspace.rules.values() if rule.coding}
    contacts = {site.contact for site in workspace.sites.values()}
    contacts |= {system.contact for system in workspace.systems.values()}
    contacts |= {link.contact for link in links}
    contacts |= {call.contact for call in workspace.calls.values()}
    for file, document in workspace.documents.items():
        kind, value = file.partition("/")[0], document.value
        if kind == "rules" and value.release not in rules:
            yield _unused_file(document, "release", "どの連携も使わない提供ルールです。", "link")
        elif kind == "campaigns" and value.campaign not in served:
            yield _unused_file(document, "campaign", "どの連携でも送れない通知の定義です。", "link")
        elif kind == "systems" and value.system not in systems:
            yield _unused_file(document, "system", "どの連携にも出てこないシステムです。", "link")
        elif kind == "layouts" and value.layout not in layouts:
            yield _unused_file(
                document, "layout", "どのシステムも使わないレイアウトです。", "system"
            )
    main = _of(workspace, "kumobashi.yaml")
    for name in workspace.municipality.contacts:
        if name not in contacts:
            yield main.mistake(
                ("contacts", name),
                code="caution.unused",
                ja=f"どのファイルも指さない連絡先「{name}」です。",
                en=f"No file names the contact {name!r}.",
            )


def _unused_file(document: Document[Any], key: str, ja: str, by: str) -> Mistake:
    return document.mistake((key,), code="caution.unused", ja=ja, en=f"No {by} uses this {key}.")


def _of(workspace: Workspace, file: str) -> Document[Any]:
    return workspace.documents[file]
