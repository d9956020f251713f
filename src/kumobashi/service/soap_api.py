"""The SOAP face of calls: ``POST /soap/<system>/<service>/<version>/…`` and its WSDL (``?wsdl``).

A system that speaks SOAP sets this address instead of the service's and proves who it is by its
token, as at the other face, or by a WS-Security signature with its registered certificate; then
the answer is signed, too. What is refused comes as a SOAP fault.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from starlette.types import Receive, Scope, Send

from kumobashi.calls.asking import Asker
from kumobashi.calls.binary_http import Answer, Headers
from kumobashi.calls.errors import SystemUnproven
from kumobashi.calls.soap.envelopes import (
    Envelope,
    Version,
    media_type_of,
    read_envelope,
    version_of,
)
from kumobashi.calls.soap.errors import (
    AnswerNotSoap,
    AttachmentUnsigned,
    DescriptionUnknown,
    SoapFailed,
)
from kumobashi.calls.soap.faults import fault, status_of
from kumobashi.calls.soap.packages import Package, opened
from kumobashi.calls.soap.signatures import Signatures, has_security, sign, without_security
from kumobashi.calls.soap.wsdl import with_address
from kumobashi.kernel import Clock, KumobashiError
from kumobashi.service.call_api import (
    Pairs,
    address_of,
    body_of,
    headers_of,
    proven_by_token,
    send_answer,
    wish_of,
)
from kumobashi.service.call_certificates import CallCertificates
from kumobashi.service.training import is_loopback

if TYPE_CHECKING:
    from kumobashi.calls.permits import Known

FACE: Final = "/soap/"
_OF_THE_BODY: Final = {"content-type", "content-length", "content-digest"}
Describe = Callable[[str, str, str], bytes | None]  # system, service, version → WSDL


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A request that was read: who asks, and the message to go on."""

    asker: str
    body: bytes
    headers: Headers
    is_signed: bool


@dataclass(slots=True, kw_only=True)
class SoapCalls:
    """Where the systems of this site ask that speak SOAP."""

    asker: Asker
    known: "Known"
    certificates: CallCertificates
    describe: Describe
    clock: Clock
    _signatures: Signatures = field(init=False)

    def __post_init__(self) -> None:
        self._signatures = Signatures(self.clock.now())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        version = Version.V11
        try:
            headers = headers_of(scope)
            said = dict(headers)
            if scope["method"] == "GET" and scope["query_string"].lower() == b"wsdl":
                await self._show(scope, said, send)
                return
            content_type = said.get("content-type", "")
            version = _spoken(content_type)
            body = await body_of(receive)
            asked = await asyncio.to_thread(self._read, body, headers)
            wish = wish_of(scope, asked.headers, asked.asker, asked.body, FACE)
            answer = await self.asker.ask(wish)
            answer = await asyncio.to_thread(self._checked, answer, asked)
        except KumobashiError as error:
            content = [("content-type", f"{version.media_type}; charset=utf-8")]
            await send_answer(send, status_of(error, version), content, fault(error, version))
            return
        await send_answer(send, answer.status, answer.headers, answer.body)

    def _read(self, body: bytes, headers: list[tuple[str, str]]) -> _Asked:
        said = dict(headers)
        package = opened(body, said.get("content-type", ""))
        envelope = read_envelope(package.root, package.root_type)
        if "authorization" in said or not has_security(envelope):
            asker = proven_by_token(self.known, said)
            return _Asked(asker=asker, body=body, headers=tuple(headers), is_signed=False)
        asker = self._signer(envelope, package)
        parameters = media_type_of(package.root_type)[1]
        sent = without_security(envelope)
        retyped = _retyped(headers, sent.version, parameters.get("action"))
        return _Asked(asker=asker, body=sent.encode(), headers=retyped, is_signed=True)

    def _signer(self, envelope: Envelope, package: Package) -> str:
        registered = self.certificates.registered()
        found = self._signatures.signer(envelope, registered, self.clock.now())
        if package.attachments is not None:
            raise AttachmentUnsigned
        system = self.certificates.system_of(found)
        if system is None:
            raise SystemUnproven
        return system

    def _checked(self, answer: Answer, asked: _Asked) -> Answer:
        """Return an answer that may be given on; it is signed for those who sign."""
        content_type = dict(answer.headers).get("content-type", "")
        try:
            package = opened(answer.body, content_type)
            envelope = read_envelope(package.root, package.root_type)
        except SoapFailed as error:
            raise AnswerNotSoap(reason=error.code) from None
        own = self.certificates.own() if asked.is_signed else None
        if own is None or package.attachments is not None:
            return answer
        body = sign(envelope, *own, self.clock.now()).encode()
        headers = _retyped(answer.headers, envelope.version)
        return Answer(status=answer.status, headers=headers, body=body)

    async def _show(self, scope: Scope, said: dict[str, str], send: Send) -> None:
        client = scope.get("client")
        if not is_loopback(client[0] if client else None):
            proven_by_token(self.known, said)
        system, service, version = address_of(scope, FACE)[:3]
        document = await asyncio.to_thread(self.describe, system, service, version)
        if document is None:
            raise DescriptionUnknown
        host = said.get("host", "")
        address = f"{scope['scheme']}://{host}{scope['raw_path'].decode('ascii')}"
        shown = await asyncio.to_thread(with_address, document, address)
        await send_answer(send, 200, [("content-type", "text/xml; charset=utf-8")], shown)


def _spoken(content_type: str) -> Version:
    """Return in which version to refuse what cannot be read."""
    media_type, parameters = media_type_of(content_type)
    inner = parameters.get("type", "") if media_type == "multipart/related" else media_type
    return version_of(inner.lower()) or Version.V11


def _retyped(headers: Pairs, version: Version, action: str | None = None) -> Headers:
    """Return the fields of a message that was written anew, as UTF-8."""
    kept = tuple(pair for pair in headers if pair[0].lower() not in _OF_THE_BODY)
    said = f"{version.media_type}; charset=utf-8" + (f'; action="{action}"' if action else "")
    return (*kept, ("content-type", said))
