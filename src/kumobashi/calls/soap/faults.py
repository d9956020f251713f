"""Say what went wrong as a SOAP fault; the whole problem stands in its detail.

>>> from kumobashi.calls.soap.errors import DtdRefused
>>> b"<faultcode>env:Client</faultcode>" in fault(DtdRefused(), Version.V11)
True
"""

import re
from typing import Final

from lxml import etree

from kumobashi.calls.soap.envelopes import Version
from kumobashi.calls.soap.errors import VersionRefused
from kumobashi.kernel import KumobashiError

_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_DETAIL = "urn:kumobashi:error"
_THEIRS = 500  # statuses below it speak of the request
_BAD_REQUEST = 400
_UNFIT: Final = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def status_of(error: KumobashiError, version: Version) -> int:
    """Return the HTTP status: SOAP 1.1 has 500 for every fault, 1.2 tells the sender's apart."""
    return _BAD_REQUEST if version is Version.V12 and error.status < _THEIRS else _THEIRS


def fault(error: KumobashiError, version: Version) -> bytes:
    """Return an error as an envelope, in Japanese; English and the code are in the detail."""
    envelope = etree.Element(version.tag("Envelope"), nsmap={"env": version.namespace})
    body = etree.SubElement(envelope, version.tag("Body"))
    found = etree.SubElement(body, version.tag("Fault"))
    is_senders = error.status < _THEIRS
    if version is Version.V11:
        code = "Client" if is_senders else "Server"
        code = "VersionMismatch" if isinstance(error, VersionRefused) else code
        etree.SubElement(found, "faultcode").text = f"env:{code}"
        etree.SubElement(found, "faultstring").text = _said(error.say("ja"))
        detail = etree.SubElement(found, "detail")
    else:
        code = "Sender" if is_senders else "Receiver"
        code = "VersionMismatch" if isinstance(error, VersionRefused) else code
        held = etree.SubElement(found, version.tag("Code"))
        etree.SubElement(held, version.tag("Value")).text = f"env:{code}"
        reason = etree.SubElement(found, version.tag("Reason"))
        for lang in ("ja", "en"):
            text = etree.SubElement(reason, version.tag("Text"), {_XML_LANG: lang})
            text.text = _said(error.say("ja" if lang == "ja" else "en"))
        detail = etree.SubElement(found, version.tag("Detail"))
    problem = etree.SubElement(detail, f"{{{_DETAIL}}}problem", nsmap={None: _DETAIL})
    for name, value in error.problem().items():
        etree.SubElement(problem, f"{{{_DETAIL}}}{name}").text = _said(value)
    return etree.tostring(envelope, encoding="utf-8", xml_declaration=True)  # type: ignore[no-any-return]


def _said(value: object) -> str:
    """Return a value as text that XML can hold."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return _UNFIT.sub("\N{REPLACEMENT CHARACTER}", text)
