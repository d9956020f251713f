"""Whether online links fit the workspace: who asks whom, which versions, operations and items."""

from collections.abc import Iterator

from kumobashi.catalogue.layouts import Layouts
from kumobashi.directory.models import SystemFile
from kumobashi.directory.service_models import ServiceFile
from kumobashi.planning.call_links import CallFile
from kumobashi.planning.references import Checks, Loaded, unknown
from kumobashi.planning.service_references import check_services
from kumobashi.planning.services import Documents, asked_as, documented
from kumobashi.storage.documents import Document, Mistake


def check_calls(loaded: Loaded, layouts: Layouts, documents: Documents) -> list[Mistake]:
    """Return everything in services and online links that does not fit."""
    checks = Checks(loaded, layouts)
    found = check_services(checks, documents)
    for document in loaded.kinds["calls"].values():
        found += _call(checks, document, documents)
    return found


def _call(checks: Checks, document: Document[CallFile], documents: Documents) -> Iterator[Mistake]:
    call = document.value
    if other := checks.loaded.kinds["links"].get(call.link):
        yield document.mistake(
            ("link",),
            code="workspace.twice",
            ja=f"「{call.link}」は {other.file} でも使われています。名前を変えてください"
            "（承認と利用協議は名前で決まります）。",
            en=f"{call.link!r} is the name in {other.file} too; choose another: approvals and"
            " agreements go by it.",
            example=f"link: {call.link}-online",
        )
    yield from checks.contact(document, call.contact)
    yield from checks.name(document, ("from",), "systems", call.from_)
    yield from checks.name(document, ("to",), "systems", call.to)
    if call.to == call.from_:
        yield document.mistake(
            ("to",),
            code="workspace.to_itself",
            ja="照会するシステムと回答するシステムが同じです。",
            en="A system does not ask itself.",
            example="to: arrears",
        )
    system = checks.loaded.kinds["systems"].get(call.from_)
    if system is None:
        return
    service = system.value.services.get(call.service)
    if service is None:
        what = (f" {call.from_} のサービス", f"service of {call.from_}")
        yield unknown(document, ("service",), call.service, system.value.services, what)
        return
    for number, version in enumerate(call.versions):
        if version not in service.versions:
            what = (f" {call.service} の版", f"version of {call.service}")
            yield unknown(document, ("versions", number), version, service.versions, what)
    yield from _operations(document, service)
    yield from _hidden(checks, document, service)
    if service.kind == "soap":
        yield from _soap(document, system, service, documents)


def _operations(document: Document[CallFile], service: ServiceFile) -> Iterator[Mistake]:
    """Check that the operations are there, and that no version is named for nothing."""
    call = document.value
    held = {v: service.versions[v].operations for v in call.versions if v in service.versions}
    known = sorted({name for operations in held.values() for name in operations})
    for number, name in enumerate(call.operations or ()):
        if name not in known:
            what = (f" {call.service} の操作", f"operation of {call.service}")
            yield unknown(document, ("operations", number), name, known, what)
    for number, version in enumerate(call.versions):
        if call.operations and version in held and not {*call.operations} & {*held[version]}:
            yield document.mistake(
                ("versions", number),
                code="workspace.version_unused",
                ja=f"使う操作（operations）のどれも {version} にありません。",
                en=f"None of the operations is in {version}.",
                expected=", ".join(held[version]),
                example=f"operations: [{next(iter(held[version]))}]",
            )


def _hidden(
    checks: Checks, document: Document[CallFile], service: ServiceFile
) -> Iterator[Mistake]:
    """Check that what is hidden is an item of some answer, and of an answer that can be read."""
    call = document.value
    answers = [
        operation.answer
        for version in call.versions
        if version in service.versions
        for name, operation in service.versions[version].operations.items()
        if call.operations is None or name in call.operations
    ]
    layouts = [checks.layout(answer.layout, answer.version) for answer in answers]
    known = sorted({name for layout in layouts if layout for name in layout.names})
    for number, name in enumerate(call.hide):
        if known and name not in known:
            what = ("回答の項目", "item of the answers")
            yield unknown(document, ("hide", number), name, known, what)
    if call.hide and service.kind == "soap":
        yield document.mistake(
            ("hide",),
            code="workspace.hide_in_xml",
            ja="SOAP の回答（XML）からは項目を隠せません。隠す項目のない操作を回答する側に用意して"
            "もらうか、REST のサービスを使ってください。",
            en="Nothing can be hidden in the answer of SOAP (XML); have an operation without these"
            " items, or use a REST service.",
            expected="hide: []",
            example="hide: []",
        )


def _soap(
    document: Document[CallFile],
    system: Document[SystemFile],
    service: ServiceFile,
    documents: Documents,
) -> Iterator[Mistake]:
    """Check that no operation is let through with another: SOAP has one address for many."""
    call = document.value
    for version in call.versions:
        interface = service.versions.get(version)
        if call.operations is None or interface is None:
            continue
        places: dict[tuple[str | None, str | None], list[str]] = {}
        for name, operation in interface.operations.items():
            asked = asked_as(operation, documented(interface, name, documents))
            places.setdefault(asked, []).append(name)
        for (_, path), names in places.items():
            left_out = [name for name in names if name not in call.operations]
            if left_out and len(left_out) < len(names):
                yield document.mistake(
                    ("operations",),
                    code="workspace.soap_together",
                    ja=f"SOAP の {'、'.join(names)} は同じ宛先（{path}）なので、一部を許せません"
                    f"。すべて書くか、{system.file} で宛先を分けてください。",
                    en=f"{', '.join(names)} have one address ({path}), so some of them cannot be"
                    f" permitted alone; name all, or part their addresses in {system.file}.",
                    expected=", ".join(names),
                    example=f"operations: [{', '.join(names)}]",
                )
