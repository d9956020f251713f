"""Who asked and who answered: the two signatures of a call (RFC 9421 over RFC 9530 digests).

The asking gateway signs the common header and the digest of the body; relays hand both on as they
are, so the answering gateway checks the asking site itself and no one between. The answering
gateway signs its answer together with the digest of what it was asked: an answer to another
request is worth nothing. Where the call came through a relay, that one signs the hop beside it
(``http_signatures``).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kumobashi.calls.errors import AnswerUntrusted, CallForeign
from kumobashi.calls.header import FIELD, CallHeader
from kumobashi.crypto.canonical import digest
from kumobashi.crypto.errors import BodyAltered, CryptoFailed
from kumobashi.crypto.http_signatures import content_digest_header, required
from kumobashi.crypto.keys import SigningKey, VerifyKey
from kumobashi.crypto.message_signatures import Shape
from kumobashi.directory.entries import Directory
from kumobashi.kernel import from_wire

PATH = "/peer/v1/calls"
ANSWER_FIELD = "kumobashi-answer"
_ASKED = Shape("call", ("@method", "@path", "content-type", "content-digest", FIELD))
_ANSWERED = Shape("answer", ("@status", "content-type", "content-digest", ANSWER_FIELD))
_BOUND = re.compile(r'format=1, call="[^"]*", site="(?P<site>[^"]*)", request="[^"]*"')
Fields = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What is kept of one side of a call: enough to check the signature without the body."""

    fields: Fields  # the signed fields and the signature
    digest: str  # sha256:… of what was signed


def sign_call(
    header: CallHeader, body_digest: str, media_type: str, key: SigningKey, now: datetime
) -> Proof:
    """Return the fields of a request to another gateway; ``body_digest`` is ``sha256:…``."""
    said, digest_field = header.encode(), content_digest_header(body_digest)
    signed = _ASKED.sign(
        ("POST", PATH, media_type, digest_field, said), key=key, created=now, nonce=header.call
    )
    fields = {
        "content-type": media_type,
        "content-digest": digest_field,
        FIELD: said,
        "signature-input": signed.input,
        "signature": signed.signature,
    }
    return Proof(fields=fields, digest=digest(signed.base))


def read_call(fields: Mapping[str, str]) -> CallHeader:
    """Return the common header; nothing is checked but its form.

    Raises:
        SignatureMissing, HeaderUnreadable: see there.
    """
    return CallHeader.decode(required(fields, FIELD))


def check_call(
    fields: Mapping[str, str],
    header: CallHeader,
    *,
    body: bytes,
    keys: Mapping[str, VerifyKey],
    now: datetime,
) -> Proof:
    """Check that the asking site signed this call; ``keys`` are those of ``asking_site``.

    Raises:
        SignatureMissing, SignatureInvalid, SignatureExpired, UnknownKey, BodyAltered: see there.
        CallForeign: signed for another call than the header names.
    """
    media_type = required(fields, "content-type")
    digest_field = required(fields, "content-digest")
    said = required(fields, FIELD)
    input_, signature = asked_signature(fields)
    checked = _ASKED.check(
        input_,
        signature,
        ("POST", PATH, media_type, digest_field, said),
        keys=keys,
        now=now,
    )
    if checked.nonce != header.call:
        raise CallForeign(field="nonce")
    if digest_field != content_digest_header(digest(body)):
        raise BodyAltered
    kept = {
        "content-type": media_type,
        "content-digest": digest_field,
        FIELD: said,
        "signature-input": input_,
        "signature": signature,
    }
    return Proof(fields=kept, digest=digest(checked.base))


def sign_answer(
    header: CallHeader,
    asked: Proof,
    *,
    status: int,
    body_digest: str,
    media_type: str,
    key: SigningKey,
    now: datetime,
) -> Proof:
    """Return the fields of the answer to ``asked``; ``body_digest`` is ``sha256:…``."""
    said = _binding(header, asked)
    digest_field = content_digest_header(body_digest)
    signed = _ANSWERED.sign(
        (str(status), media_type, digest_field, said), key=key, created=now, nonce=header.call
    )
    fields = {
        "content-type": media_type,
        "content-digest": digest_field,
        ANSWER_FIELD: said,
        "signature-input": signed.input,
        "signature": signed.signature,
    }
    return Proof(fields=fields, digest=digest(signed.base))


def check_answer(
    fields: Mapping[str, str],
    header: CallHeader,
    asked: Proof,
    *,
    status: int,
    body_digest: str,
    keys: Mapping[str, VerifyKey],
    now: datetime,
) -> Proof:
    """Check that the answering site answered this very request; ``keys`` are those of its site.

    Raises:
        AnswerUntrusted: not signed by it, changed on the way, or the answer to another request.
    """
    said = _binding(header, asked)
    if fields.get(ANSWER_FIELD) != said:
        raise AnswerUntrusted(reason="it is not bound to the request")
    media_type, digest_field = fields.get("content-type", ""), fields.get("content-digest", "")
    if digest_field != content_digest_header(body_digest):
        raise AnswerUntrusted(reason="its body was altered")
    input_, signature = fields.get("signature-input", ""), fields.get("signature", "")
    try:
        checked = _ANSWERED.check(
            input_, signature, (str(status), media_type, digest_field, said), keys=keys, now=now
        )
    except CryptoFailed as error:
        raise AnswerUntrusted(reason=error.code) from None
    kept = {
        "content-type": media_type,
        "content-digest": digest_field,
        ANSWER_FIELD: said,
        "signature-input": input_,
        "signature": signature,
    }
    return Proof(fields=kept, digest=digest(checked.base))


def verify_kept(record: Mapping[str, Any], directory: Directory) -> bool:
    """Whether a record of the journal holds what the site that it names has signed."""
    fields, at = record["fields"], from_wire(str(record["at"]))
    media_type, digest_field = fields["content-type"], fields["content-digest"]
    if record["event"] == "call.asked":
        site = CallHeader.decode(fields[FIELD]).asking_site
        shape = _ASKED
        values: tuple[str, ...] = ("POST", PATH, media_type, digest_field, fields[FIELD])
    else:
        bound = _BOUND.fullmatch(fields[ANSWER_FIELD])
        site = bound["site"] if bound else ""
        said = fields[ANSWER_FIELD]
        shape = _ANSWERED
        values = (str(record["status"]), media_type, digest_field, said)
    checked = shape.check(
        fields["signature-input"],
        fields["signature"],
        values,
        keys=directory.keys_of(site),
        now=at,
    )
    return (checked.nonce, digest(checked.base)) == (record["call"], record["digest"])


def asked_signature(fields: Mapping[str, str]) -> tuple[str, str]:
    """Return the asking site's members of the two signature fields, without a relay's."""
    input_, signature = required(fields, "signature-input"), required(fields, "signature")
    return input_.partition(", kumo=")[0], signature.partition(", kumo=")[0]


def hop_signature(fields: Mapping[str, str]) -> Mapping[str, str] | None:
    """Return the fields as the last relay signed them; nothing when none did."""
    input_, signature = required(fields, "signature-input"), required(fields, "signature")
    hop_input, hop = input_.partition(", kumo=")[2], signature.partition(", kumo=")[2]
    if not hop_input and not hop:
        return None
    return {
        **fields,
        "signature-input": f"kumo={hop_input}",
        "signature": f"kumo={hop}",
    }


def _binding(header: CallHeader, asked: Proof) -> str:
    """Return which request is answered, by its hash (as X-Road's ``X-Road-Request-Hash``)."""
    return (
        f'format=1, call="{header.call}", site="{header.answering_site}", request="{asked.digest}"'
    )
