"""Whether the services of a system fit the workspace: sites, layouts, documents, request items."""

from collections.abc import Generator, Iterator

from kumobashi.catalogue.items import load_items
from kumobashi.catalogue.layouts import Layout
from kumobashi.directory.models import SystemFile
from kumobashi.directory.service_models import AnswerFile, InterfaceFile, OperationFile
from kumobashi.planning.interfaces import DocumentedOperation, InterfaceDocument
from kumobashi.planning.references import Checks, unknown
from kumobashi.planning.services import Documents, asked_as, documented
from kumobashi.storage.documents import Document, Mistake, Path


def check_services(checks: Checks, documents: Documents) -> list[Mistake]:
    """Return everything in the services of all systems that does not fit."""
    found: list[Mistake] = []
    for document in checks.loaded.kinds["systems"].values():
        for number, one in enumerate(document.value.standby):
            found += checks.name(document, ("standby", number, "site"), "sites", one.site)
        for name, service in document.value.services.items():
            for version, interface in service.versions.items():
                at: Path = ("services", name, "versions", version)
                found += _interface(checks, document, at, interface, service.kind, documents)
    return found


def json_keys(layout: Layout, answer: AnswerFile) -> dict[str, str]:
    """Return the key in JSON of every item of a layout."""
    return {
        field.name: (field.romaji or field.name) if answer.keys == "romaji" else field.name
        for field in layout.fields
    }


def _interface(  # noqa: PLR0917 - what every check of an interface needs
    checks: Checks,
    document: Document[SystemFile],
    at: Path,
    interface: InterfaceFile,
    kind: str,
    documents: Documents,
) -> Iterator[Mistake]:
    yield from _document(document, at, interface, kind, documents)
    seen: dict[tuple[str, str], str] = {}
    for name, operation in interface.operations.items():
        path: Path = (*at, "operations", name)
        said = documented(interface, name, documents)
        held = documents.get(interface.document or "")
        if said is None and isinstance(held, InterfaceDocument):
            what = (f" {held.file} の操作", f"operation of {held.file}")
            yield unknown(document, path, name, sorted(held.operations), what)
            continue
        if said is not None:
            yield from _agrees(document, path, operation, said, str(interface.document))
        method, template = asked_as(operation, said)
        if template is None and said is not None:
            yield document.mistake(
                path,
                code="workspace.path_missing",
                ja=f"「{name}」の path がありません。WSDL は宛先を事業者の側で決めているため、"
                "base より後ろをここに書いてください。",
                en=f"{name!r} has no path; WSDL names an address of the partner's own, so write"
                " what follows the base.",
                example="path: /PaymentService",
            )
        if method and template:
            other = seen.setdefault((method, template), name)
            if other != name and kind == "rest":
                yield document.mistake(
                    path,
                    code="workspace.twice",
                    ja=f"「{name}」と「{other}」は、どちらも {method} {template} です。",
                    en=f"{name!r} and {other!r} are both {method} {template}.",
                    example=f"path: {template}/{name}",
                )
        layout = yield from _layout(checks, document, path, operation.answer)
        if layout is not None:
            yield from _request(document, path, operation, layout)
            if said is not None:
                yield from _answers(document, path, operation.answer, layout, said)


def _document(
    document: Document[SystemFile],
    at: Path,
    interface: InterfaceFile,
    kind: str,
    documents: Documents,
) -> Iterator[Mistake]:
    """Check that the document is there, can be read, and is one of such a service."""
    if interface.document is None:
        return
    path: Path = (*at, "document")
    held = documents.get(interface.document)
    if held is None:
        what = ("文書", "document")
        yield unknown(document, path, interface.document, sorted(documents), what)
    elif not isinstance(held, InterfaceDocument):
        yield document.mistake(
            path,
            code="workspace.document_unreadable",
            ja=f"{interface.document} を読めません: {held.ja}。",
            en=f"{interface.document} cannot be read: {held.en}.",
            expected="OpenAPI 3 | WSDL",
        )
    elif held.kind != kind:
        yield document.mistake(
            path,
            code="workspace.document_of_other_kind",
            ja=f"{interface.document} は {held.kind} の文書ですが、kind は {kind} です。",
            en=f"{interface.document} describes {held.kind}, but kind is {kind}.",
            expected=held.kind,
            example=f"kind: {held.kind}",
        )


def _agrees(
    document: Document[SystemFile],
    path: Path,
    operation: OperationFile,
    said: DocumentedOperation,
    file: str,
) -> Iterator[Mistake]:
    """Check that method and path, where both say them, are the same."""
    for key, written, right in (
        ("method", operation.method, said.method),
        ("path", operation.path, said.path),
    ):
        if written is not None and right is not None and written != right:
            yield document.mistake(
                (*path, key),
                code="workspace.document_differs",
                ja=f"{file} では {right} です。どちらかを直すか、この行を消してください"
                "（消すと文書のとおりになります）。",
                en=f"{file} says {right}; correct one of them, or delete this line.",
                expected=right,
                example=f"{key}: {right}",
            )


def _layout(
    checks: Checks, document: Document[SystemFile], path: Path, answer: AnswerFile
) -> Generator[Mistake, None, Layout | None]:
    """Check the layout of an answer, and return it."""
    layout = checks.layout(answer.layout, answer.version)
    if layout is None:
        if versions := checks.layouts.versions(answer.layout):
            yield document.mistake(
                (*path, "answer", "version"),
                code="workspace.unknown_version",
                ja=f"レイアウト {answer.layout} に第{answer.version}版はありません。"
                f"あるもの: {'、'.join(versions)}。",
                en=f"The layout {answer.layout} has no version {answer.version!r};"
                f" there are: {', '.join(versions)}.",
                expected=" | ".join(versions),
                example=f'version: "{versions[-1]}"',
            )
        else:
            at: Path = (*path, "answer", "layout")
            what = ("レイアウト", "layout")
            yield unknown(document, at, answer.layout, checks.layouts.names(), what)
    return layout


def _request(
    document: Document[SystemFile], path: Path, operation: OperationFile, layout: Layout
) -> Iterator[Mistake]:
    """Check that what the asking system gives has a name that tells how sensitive it is."""
    for number, name in enumerate(operation.request):
        if name not in layout.names and name not in load_items():
            known = sorted({*layout.names, *load_items()})
            what = (f"「{layout.ja}」か項目表の項目", f"item of {layout.layout} or of the registry")
            yield unknown(document, (*path, "request", number), name, known, what)


def _answers(
    document: Document[SystemFile],
    path: Path,
    answer: AnswerFile,
    layout: Layout,
    said: DocumentedOperation,
) -> Iterator[Mistake]:
    """Check that the answer of the document holds what the layout does, and nothing beside it.

    What no layout tells of could not be judged, nor hidden; what has another name could not either.
    """
    held = said.keys_at(answer.at)
    if held is None:
        if said.schema is not None:
            yield document.mistake(
                (*path, "answer", "at"),
                code="workspace.answer_elsewhere",
                ja=f"文書によると、回答の「{answer.at or '全体'}」に、項目のある記録はありません。",
                en="By the document there is no record with items at"
                f" {answer.at or 'the whole answer'}.",
                example="at: /result",
            )
        return
    keys = set(json_keys(layout, answer).values())
    for more, where_ja, where_en in (
        (sorted(held - keys), f"レイアウト「{layout.ja}」にない", f"the layout {layout.layout}"),
        (sorted(keys - held), "文書の回答にない", "the answer of the document"),
    ):
        if more:
            yield document.mistake(
                (*path, "answer", "layout"),
                code="workspace.answer_differs",
                ja=f"{where_ja}項目があります: {'、'.join(more)}。レイアウト・keys・文書のどれかを"
                "直してください。",
                en=f"These items are missing in {where_en}: {', '.join(more)}."
                " Correct the layout, keys or the document.",
                expected=", ".join(sorted(held)),
                example="keys: romaji" if answer.keys == "name" else "keys: name",
            )
