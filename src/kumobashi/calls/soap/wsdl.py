"""Serve a partner's WSDL with the address at which its service is asked here."""

from typing import Final

from lxml import etree

from kumobashi.calls.soap.envelopes import read_xml

# Where SOAP 1.1, SOAP 1.2 and plain HTTP bindings of WSDL 1.1 write an address.
_ADDRESSES: Final = (
    "{http://schemas.xmlsoap.org/wsdl/soap/}address",
    "{http://schemas.xmlsoap.org/wsdl/soap12/}address",
    "{http://schemas.xmlsoap.org/wsdl/http/}address",
)


def with_address(document: bytes, address: str) -> bytes:
    """Return a WSDL 1.1 document whose ports lead to ``address``; all else stays as it is.

    Raises:
        SoapFailed: the document is no XML that is read.
    """
    root = read_xml(document)
    for tag in _ADDRESSES:
        for found in root.iter(tag):
            found.set("location", address)
    return etree.tostring(root, encoding="utf-8", xml_declaration=True)  # type: ignore[no-any-return]
