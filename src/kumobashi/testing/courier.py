"""Speak the peer protocol by hand, with the real keys of a town's sites: honestly, or not.

A test makes a :class:`Bundle`, bends it, and hands it to a gateway in the name of a site. Nothing
here retries or repairs; every answer is returned as it came.
"""

import hashlib
import http.client
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Self
from urllib.parse import urlsplit

import zstandard

from kumobashi.crypto.canonical import digest
from kumobashi.crypto.http_signatures import EMPTY_BODY, sign_request
from kumobashi.crypto.keys import SealKey, SigningKey
from kumobashi.crypto.sealing import seal
from kumobashi.crypto.transfer_keys import key_hash, wrap
from kumobashi.kernel import new_id
from kumobashi.messages.announcement import Announcement
from kumobashi.messages.manifest import Compression, Manifest, MediaType, Mode, sign_manifest
from kumobashi.messages.parts import Part, split
from kumobashi.testing.gateways import until
from kumobashi.testing.ledgers import payload_of
from kumobashi.testing.town import DAY, Town

FINAL = frozenset({"applied", "refused"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: Mapping[str, Any]

    @property
    def code(self) -> str | None:
        """The code of a problem document."""
        return self.body.get("code")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A manifest and the bodies of its parts, by digest."""

    manifest: Manifest
    bodies: Mapping[str, bytes]
    wrapped: bytes | None = None  # the key, as it goes to the receiver

    @property
    def announcement(self) -> Announcement:
        """What is said before the parts."""
        said = self.manifest
        return Announcement(
            tenant=said.tenant,
            transfer=said.transfer,
            attempt=said.attempt,
            link=said.link,
            from_site=said.from_site,
            to_site=said.to_site,
            business_date=said.business_date,
            parts=said.parts,
            sealed_bytes=said.sealed_bytes,
            created=said.created,
        )

    def but(self, **changes: Any) -> Self:  # noqa: ANN401 - any field of a manifest
        """Return the same parts under a manifest that says something else."""
        return replace(self, manifest=replace(self.manifest, **changes))


def pack(  # noqa: PLR0913 - whatever a manifest says
    town: Town,
    payload: bytes,
    *,
    link: str = "vaccination-reminders",
    rows: int,
    limit: int = 65_536,
    recipient: str | None = None,
    media_type: MediaType = MediaType.PARQUET,
    charset: str | None = None,
    to: tuple[str, str, str] = ("public-cloud", "notice-cloud", "vaccination_reminders"),
    layout: str = "vaccination-reminders",
    day: date = DAY,
    sequence: int = 1,
    has_key: bool = False,
) -> Bundle:
    """Seal a payload as an honest sender would: to a key of its own, or as older ones did."""
    to_site, to_system, to_dataset = to
    is_csv = media_type is MediaType.CSV
    plain = zstandard.ZstdCompressor().compress(payload) if is_csv else payload
    sealed = io.BytesIO()
    site = SealKey.load(town.folder / "private" / to_site / "seal.key")
    key = SealKey.generate() if has_key else None
    seal(io.BytesIO(plain), sealed, [recipient or (key or site).recipient])
    cut = list(split(io.BytesIO(sealed.getvalue()), limit))
    now = datetime.now(UTC)
    manifest = Manifest(
        tenant="999997",
        transfer=new_id(),
        attempt=1,
        link=link,
        from_site="hall-core",
        to_site=to_site,
        to_system=to_system,
        to_dataset=to_dataset,
        business_date=day,
        sequence=sequence,
        mode=Mode.FULL,
        base_transfer=None,
        media_type=media_type,
        charset=charset,
        compression=Compression.ZSTD if is_csv else Compression.NONE,
        payload_digest=digest(payload),
        payload_bytes=len(payload),
        sealed_digest=digest(sealed.getvalue()),
        sealed_bytes=len(sealed.getvalue()),
        rows=rows,
        deleted_rows=0,
        layout=layout,
        layout_version="1",
        parts=tuple(part for part, _ in cut),
        created=now,
        expires=now + timedelta(days=1),
        key=key_hash(key.recipient) if key else None,
    )
    wrapped = wrap(key, site.recipient) if key else None
    bodies = {part.digest: body for part, body in cut}
    return Bundle(manifest=manifest, bodies=bodies, wrapped=wrapped)


@dataclass
class Courier:
    """Calls one gateway in the name of a site."""

    town: Town
    to: str  # the gateway that is called
    name: str  # the site it says it is
    key: SigningKey | None = None  # when not that site's own
    headers: dict[str, str] = field(default_factory=dict)  # sent besides, or instead

    def announce(self, bundle: Bundle, body: bytes | None = None) -> Answer:
        """Say what is coming."""
        return self.call("POST", "/peer/v1/transfers", body or bundle.announcement.encode())

    def put(self, bundle: Bundle, part: Part, body: bytes | None = None) -> Answer:
        """Hand over one part, or ``body`` in its place."""
        path = f"{_path(bundle)}/parts/{part.digest.removeprefix('sha256:')}"
        sent = bundle.bodies[part.digest] if body is None else body
        return self.call("PUT", path, sent, said_digest=part.digest)

    def put_key(self, bundle: Bundle, document: bytes | None = None) -> Answer:
        """Hand over the wrapped key, or ``document`` in its place."""
        body = (bundle.wrapped or b"") if document is None else document
        return self.call("PUT", f"{_path(bundle)}/key", body)

    def close(self, bundle: Bundle, key: SigningKey | None = None) -> Answer:
        """Hand over the manifest, signed by its sender or by ``key``."""
        token = sign_manifest(bundle.manifest, key or self.signing(bundle.manifest.from_site))
        return self.call("POST", f"{_path(bundle)}/close", token.encode())

    def status(self, bundle: Bundle, wait: int = 0) -> Answer:
        """Ask how it stands."""
        return self.call("GET", f"{_path(bundle)}?after=0&seen=&wait={wait}", b"")

    def deliver(self, bundle: Bundle, *, but: Iterable[Part] = ()) -> Answer:
        """Announce, put all parts and close; fail when anything before the closing is refused."""
        left_out = {part.digest for part in but}
        assert self.announce(bundle).status == 200  # noqa: PLR2004 - HTTP
        if bundle.wrapped:
            assert self.put_key(bundle).status in {200, 201}
        for part in bundle.manifest.parts:
            if part.digest not in left_out:
                assert self.put(bundle, part).status in {200, 201}
        return self.close(bundle)

    def result(self, bundle: Bundle, seconds: float = 90) -> list[dict[str, Any]]:
        """Return the statements of all receipts once the last one is there."""

        def look() -> list[dict[str, Any]] | None:
            receipts = [payload_of(token) for token in self.status(bundle).body["receipts"]]
            return receipts if receipts and receipts[-1]["stage"] in FINAL else None

        return until("the last receipt", look, seconds, every=0.05)

    def call(
        self, method: str, path: str, body: bytes, *, said_digest: str | None = None
    ) -> Answer:
        """Send one signed request."""
        known = self.town.url(self.to)
        said = said_digest or (digest(body) if body else EMPTY_BODY)
        headers = sign_request(
            method=method,
            target_uri=known + path,
            content_digest=said,
            site=self.name,
            key=self.key or self.signing(self.name),
            created=datetime.now(UTC),
            nonce=new_id(),
        )
        return self.send(method, path, {**headers, **self.headers}, body)

    def send(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send a request as it is."""
        address = urlsplit(self.town.url(self.to))
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
        try:
            connection.request(method, path, body, dict(headers))
            with connection.getresponse() as answer:
                text = answer.read()
                return Answer(answer.status, json.loads(text) if text[:1] == b"{" else {})
        finally:
            connection.close()

    def signing(self, site: str) -> SigningKey:
        """Return the key a site signs with."""
        return SigningKey.load(self.town.folder / "private" / site / "sign.key")


def _path(bundle: Bundle) -> str:
    return f"/peer/v1/transfers/{bundle.manifest.transfer}/{bundle.manifest.attempt}"


def sha256(body: bytes) -> str:
    """Return the digest of a body as it stands in paths."""
    return hashlib.sha256(body).hexdigest()
