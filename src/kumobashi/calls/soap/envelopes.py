"""Read a SOAP envelope strictly: what two readers could understand differently is refused.

Expat looks first, without building anything: a document type, a processing instruction, too much
depth or too many elements end it there. Then lxml, which neither loads nor resolves anything.
"""

import codecs
import re
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import HTTP
from enum import Enum
from typing import Any, Final
from xml.parsers import expat

from lxml import etree

from kumobashi.calls.soap.errors import (
    CharsetRefused,
    DtdRefused,
    EnvelopeUnreadable,
    VersionRefused,
)

_DEEPEST: Final = 100
_MOST_ELEMENTS: Final = 500_000
_MOST_ATTRIBUTES: Final = 100
_DECLARED = re.compile(r"""<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_UNICODE: Final = {
    "utf-8": "utf-8",
    "utf-16": "utf-16",
    "utf-16-le": "utf-16",
    "utf-16-be": "utf-16",
}


class Version(Enum):
    """The versions of SOAP: namespace and media type."""

    V11 = ("http://schemas.xmlsoap.org/soap/envelope/", "text/xml")
    V12 = ("http://www.w3.org/2003/05/soap-envelope", "application/soap+xml")

    @property
    def namespace(self) -> str:
        """The namespace of its envelope."""
        return self.value[0]

    @property
    def media_type(self) -> str:
        """The media type of its messages."""
        return self.value[1]

    def tag(self, name: str) -> str:
        """Return an element's name in its namespace."""
        return f"{{{self.namespace}}}{name}"


@dataclass(frozen=True, slots=True)
class Envelope:
    """An envelope that was read."""

    version: Version
    root: Any  # lxml element

    @property
    def header(self) -> Any:  # noqa: ANN401 - lxml has no types
        """The header, or ``None``."""
        return self.root.find(self.version.tag("Header"))

    @property
    def body(self) -> Any:  # noqa: ANN401 - the same
        """The body."""
        return self.root.find(self.version.tag("Body"))

    def encode(self) -> bytes:
        """Return it as UTF-8."""
        return etree.tostring(self.root, encoding="utf-8", xml_declaration=True)  # type: ignore[no-any-return]


def media_type_of(said: str) -> tuple[str, dict[str, str]]:
    """Return media type and parameters of a Content-Type, both in lower case names.

    >>> media_type_of('Application/SOAP+XML; charset="UTF-8"')
    ('application/soap+xml', {'charset': 'UTF-8'})
    """
    held = EmailMessage(policy=HTTP)
    try:
        held["content-type"] = said
    except ValueError:
        raise EnvelopeUnreadable(reason="Content-Type") from None
    header = held["content-type"]
    return header.content_type, {name.lower(): value for name, value in header.params.items()}


def version_of(media_type: str) -> Version | None:
    """Return the version whose media type this is."""
    return next((one for one in Version if one.media_type == media_type), None)


def read_envelope(body: bytes, content_type: str) -> Envelope:
    """Read one envelope.

    Raises:
        CharsetRefused, DtdRefused, EnvelopeUnreadable, VersionRefused: it is not taken.
    """
    media_type, parameters = media_type_of(content_type)
    text = _text(body, parameters.get("charset"))
    encoded = text.encode("utf-8")
    _look(encoded)
    root = _parsed(encoded)
    said = version_of(media_type)
    found = next((one for one in Version if root.tag == one.tag("Envelope")), None)
    if said is None or said is not found:
        name = etree.QName(root)
        raise VersionRefused(
            said=media_type[:60], found=found.name if found else name.namespace or name.localname
        )
    _check_form(root, said)
    return Envelope(said, root)


def read_xml(body: bytes) -> Any:  # noqa: ANN401 - lxml has no types
    """Return the root of any XML document in Unicode, read as strictly as an envelope."""
    encoded = _text(body, None).encode("utf-8")
    _look(encoded)
    return _parsed(encoded)


def _text(body: bytes, said: str | None) -> str:
    """Return the text without byte order mark and encoding declaration."""
    begins = body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    encoding = said or ("utf-16" if begins else "utf-8")
    try:
        family = _UNICODE[codecs.lookup(encoding).name]
    except (LookupError, ValueError):
        raise CharsetRefused(reason=encoding[:40]) from None
    if family == "utf-16" and not begins:  # without a mark readers guess the order of bytes
        raise CharsetRefused(reason="UTF-16, no byte order mark")
    try:
        text = body.decode("utf-8-sig" if family == "utf-8" else "utf-16")
    except UnicodeDecodeError as error:
        raise CharsetRefused(reason=f"{family}, byte {error.start + 1}") from None
    declared = _DECLARED.match(text)
    if declared is None:
        return text
    try:
        agrees = _UNICODE.get(codecs.lookup(declared[1]).name) == family
    except LookupError:
        agrees = False
    if not agrees:
        raise CharsetRefused(reason=f"{encoding[:40]}, XML: {declared[1][:40]}")
    return text[text.index("?>") + 2 :].lstrip()


def _look(body: bytes) -> None:
    """Refuse what should not even be built."""
    depth = elements = 0

    def begin(_name: str, attributes: list[str]) -> None:
        nonlocal depth, elements
        depth, elements = depth + 1, elements + 1
        if depth > _DEEPEST or elements > _MOST_ELEMENTS or len(attributes) > 2 * _MOST_ATTRIBUTES:
            raise EnvelopeUnreadable(reason=f"depth {depth}, elements {elements}")

    def end(_name: str) -> None:
        nonlocal depth
        depth -= 1

    def refuse(*_: object) -> None:
        raise DtdRefused

    parser = expat.ParserCreate("utf-8")
    parser.ordered_attributes = True
    parser.StartElementHandler, parser.EndElementHandler = begin, end
    parser.StartDoctypeDeclHandler = refuse
    parser.ProcessingInstructionHandler = refuse
    try:
        parser.Parse(body, True)  # noqa: FBT003 - it takes no names
    except expat.ExpatError as error:
        raise EnvelopeUnreadable(reason=f"XML, line {error.lineno}") from None


def _parsed(body: bytes) -> Any:  # noqa: ANN401 - lxml has no types
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True
    )
    try:
        return etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        raise EnvelopeUnreadable(reason=f"XML, line {error.lineno}") from None


def _check_form(root: Any, version: Version) -> None:  # noqa: ANN401 - lxml has no types
    """At most one header, then one body with at most one element, and nothing else (WS-I BP)."""
    tags = [one.tag for one in root]
    header, body = version.tag("Header"), version.tag("Body")
    if tags not in ([body], [header, body]):
        raise EnvelopeUnreadable(reason="Header? Body")
    if len(root[-1]) > 1:
        raise EnvelopeUnreadable(reason="Body: 1 element")
    if any((text or "").strip() for text in (root.text, *(one.tail for one in root))):
        raise EnvelopeUnreadable(reason="text between Header and Body")
