r"""Read the OpenAPI and WSDL documents of services: which operations, asked how, answering what.

Of a document only its operations are read, and its digest is taken over the bytes as they are, so
that whoever has the same file can tell. It is a partner's file: what is wrong is told in the file
of the system that names it.

>>> text = b'''
... {"openapi": "3.1.0", "paths": {"/payments/{resident_no}": {"get": {"operationId": "list",
...  "responses": {"200": {"content": {"application/json": {"schema": {"type": "object",
...   "properties": {"result": {"type": "array", "items": {"type": "object", "properties":
...    {"amount": {"type": "integer"}}}}}}}}}}}}}}'''
>>> read = read_interface(text, "interfaces/payments.json")
>>> read.operations["list"].method, read.operations["list"].path
('GET', '/payments/{resident_no}')
>>> sorted(read.operations["list"].keys_at("/result"))
['amount']
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from kumobashi.directory.service_models import INTERFACES
from kumobashi.storage.yaml_files import NotReadable, parse

LARGEST_BYTES = 4 * 1024 * 1024
_METHODS = ("get", "head", "post", "put", "patch", "delete")
_WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
_WSDL_2 = "{http://www.w3.org/ns/wsdl}"
_DEEPEST = 16  # references that lead to references
_SCHEMA = ("content", "application/json", "schema")


class InterfaceUnreadable(Exception):
    """A document is none that we read; said in both languages."""

    def __init__(self, ja: str, en: str) -> None:
        super().__init__(en)
        self.ja = ja
        self.en = en


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentedOperation:
    """One operation as a document has it."""

    method: str
    path: str | None  # WSDL names an address of the partner's own, which says nothing here
    schema: Mapping[str, Any] | None = None  # of the JSON that it answers
    whole: Mapping[str, Any] | None = None  # the document, for references into it

    def keys_at(self, at: str) -> frozenset[str] | None:
        """Return the keys of the record at a JSON pointer; nothing where the document is silent."""
        found = self._resolved(self.schema)
        for step in at.split("/")[1:]:
            if found is None:
                return None
            key = step.replace("~1", "/").replace("~0", "~")
            found = self._resolved(_held(found, "properties", key))
        if found is not None and "items" in found:
            found = self._resolved(found["items"])
        held = found.get("properties") if found else None
        return frozenset(held) if isinstance(held, dict) else None

    def _resolved(self, schema: Any) -> Mapping[str, Any] | None:  # noqa: ANN401 - JSON
        for _ in range(_DEEPEST):
            if not isinstance(schema, dict):
                return None
            reference = schema.get("$ref")
            if reference is None:
                return schema
            if not isinstance(reference, str) or not reference.startswith("#/"):
                return None
            steps = reference.removeprefix("#/").split("/")
            schema = _held(self.whole, *(s.replace("~1", "/").replace("~0", "~") for s in steps))
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class InterfaceDocument:
    """A document that was read."""

    file: str
    digest: str  # sha256:…, of the bytes
    kind: str  # "rest" or "soap"
    operations: Mapping[str, DocumentedOperation]


def interface_files(folder: Path) -> list[Path]:
    """Return the documents of a workspace."""
    return sorted(path for path in (folder / INTERFACES).glob("*") if path.is_file())


def read_interfaces(folder: Path) -> dict[str, InterfaceDocument | InterfaceUnreadable]:
    """Return every document of a workspace by its file, or why it cannot be read."""
    found: dict[str, InterfaceDocument | InterfaceUnreadable] = {}
    for path in interface_files(folder):
        file = path.relative_to(folder).as_posix()
        try:
            found[file] = read_interface(path.read_bytes(), file)
        except InterfaceUnreadable as error:
            found[file] = error
        except OSError:
            found[file] = InterfaceUnreadable("権限を確かめてください", "check its permissions")
    return found


def read_interface(body: bytes, file: str) -> InterfaceDocument:
    """Read one document.

    Raises:
        InterfaceUnreadable: it is too large, of another form, or has no operations.
    """
    if len(body) > LARGEST_BYTES:
        size = f"{LARGEST_BYTES // 1024**2} MiB"
        raise InterfaceUnreadable(f"大きすぎます（上限 {size}）", f"it is larger than {size}")
    is_xml = file.endswith((".wsdl", ".xml"))
    operations = _wsdl(body) if is_xml else _openapi(_plain(body, file))
    if not operations:
        raise InterfaceUnreadable(
            "操作（operation、operationId）がありません", "it names no operation"
        )
    return InterfaceDocument(
        file=file,
        digest=f"sha256:{sha256(body).hexdigest()}",
        kind="soap" if is_xml else "rest",
        operations=operations,
    )


def _plain(body: bytes, file: str) -> Any:  # noqa: ANN401 - JSON
    try:
        text = body.decode("utf-8-sig")
        return json.loads(text) if file.endswith(".json") else parse(text, file).value
    except NotReadable as error:
        wrong = error.mistake
        if wrong.code == "file.too_many_values":
            raise InterfaceUnreadable(
                "YAML としては大きすぎます。JSON で保存してください",
                "it is too large for YAML; save it as JSON",
            ) from None
        raise InterfaceUnreadable(
            f"{wrong.line}行目: {wrong.ja.rstrip('。')}",
            f"line {wrong.line}: {wrong.en.rstrip('.')}",
        ) from None
    except (ValueError, RecursionError):
        raise InterfaceUnreadable(
            "UTF-8 の JSON ではありません", "it is no JSON in UTF-8"
        ) from None


def _openapi(whole: Any) -> dict[str, DocumentedOperation]:  # noqa: ANN401 - JSON
    release = whole.get("openapi") if isinstance(whole, dict) else None
    if not isinstance(release, str) or not release.startswith("3."):
        raise InterfaceUnreadable(
            "OpenAPI 3 の文書ではありません（openapi: 3.… がない）",
            "it is no OpenAPI 3 document (openapi: 3.…)",
        )
    found: dict[str, DocumentedOperation] = {}
    for path, method, said in _asked(whole.get("paths")):
        name = said.get("operationId")
        if not isinstance(name, str):
            continue
        if name in found:
            raise InterfaceUnreadable(
                f"operationId「{name}」が2回あります", f"the operationId {name!r} stands twice"
            )
        responses = said.get("responses")
        good = next((one for code, one in _pairs(responses) if code.startswith("2")), None)
        found[name] = DocumentedOperation(
            method=method.upper(), path=path, schema=_held(good, *_SCHEMA), whole=whole
        )
    return found


def _asked(paths: Any) -> Iterator[tuple[str, str, Mapping[str, Any]]]:  # noqa: ANN401 - JSON
    for path, methods in _pairs(paths):
        for method, said in _pairs(methods):
            if method in _METHODS and isinstance(said, dict):
                yield path, method, said


def _pairs(value: Any) -> list[tuple[str, Any]]:  # noqa: ANN401 - JSON
    return [(str(key), held) for key, held in value.items()] if isinstance(value, dict) else []


def _held(value: Any, *steps: str) -> Any:  # noqa: ANN401 - JSON
    for step in steps:
        if not isinstance(value, dict):
            return None
        value = value.get(step)
    return value


def _wsdl(body: bytes) -> dict[str, DocumentedOperation]:
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise InterfaceUnreadable(
            "DTD（<!DOCTYPE）のある XML は読みません", "XML with a DTD (<!DOCTYPE) is not read"
        )
    try:
        root = ET.fromstring(body)  # noqa: S314 - it declares no entities, and its size is bounded
    except (ET.ParseError, ValueError):
        raise InterfaceUnreadable("XML として読めません", "it is no XML") from None
    if root.tag not in {f"{_WSDL}definitions", f"{_WSDL_2}description"}:
        raise InterfaceUnreadable("WSDL の文書ではありません", "it is no WSDL document")
    named = [
        *root.iterfind(f"{_WSDL}portType/{_WSDL}operation"),
        *root.iterfind(f"{_WSDL_2}interface/{_WSDL_2}operation"),
    ]
    return {
        name: DocumentedOperation(method="POST", path=None)
        for name in (one.get("name") for one in named)
        if name
    }
