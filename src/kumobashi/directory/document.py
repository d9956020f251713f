"""The directory as a document: signed, numbered, with an end; read only with the trusted key.

The form is a compact JWS over canonical JSON. What is read must be signed by the key that this
installation trusts, be of this municipality, not be over, and not be older than what is known.

>>> from kumobashi.crypto.keys import SigningKey
>>> from kumobashi.directory.entries import MunicipalityEntry
>>> from kumobashi.directory.models import NetworkModel
>>> key, now = SigningKey.generate(), datetime(2026, 11, 21, tzinfo=UTC)
>>> empty = Directory(
...     format=1,
...     version=1,
...     issued=now,
...     expires=now + timedelta(days=90),
...     sites={},
...     systems={},
...     municipality=MunicipalityEntry(code="999997", name="架空市"),
...     contacts={},
...     network_model=NetworkModel.ALPHA,
... )
>>> read(sign(empty, key), trusted=key.public, now=now).municipality.name
'架空市'
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from kumobashi.crypto import jws
from kumobashi.crypto.canonical import canonical
from kumobashi.crypto.errors import CryptoFailed
from kumobashi.crypto.keys import SealKey, SigningKey, VerifyKey
from kumobashi.directory.entries import Directory, ServiceEntry
from kumobashi.directory.errors import (
    DirectoryAltered,
    DirectoryExpired,
    DirectoryForeign,
    DirectoryMissing,
    DirectoryOld,
    DirectoryUnreadable,
    SiteKeysMissing,
)
from kumobashi.directory.models import MunicipalityFile, NetworkModel, SiteFile, SystemFile

__all__ = [
    "FORMAT",
    "TYP",
    "NetworkModel",
    "SiteKeys",
    "adopt",
    "build",
    "load",
    "public_keys",
    "publish",
    "read",
    "sign",
]

FORMAT = 1
TYP = "kumobashi-directory+jws"
_CODEC = TypeAdapter(Directory)


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteKeys:
    """The public halves of a site's keys, the ones in use first."""

    sign: tuple[VerifyKey, ...]
    seal: tuple[str, ...]


def public_keys(folder: Path, sites: Mapping[str, Any]) -> dict[str, SiteKeys]:
    """Read the public halves from ``private/<site>/`` of a workspace."""
    found = {}
    for site in sites:
        place = folder / "private" / site
        if not (place / "sign.key").exists() or not (place / "seal.key").exists():
            raise SiteKeysMissing(site=site, folder=f"private/{site}")
        found[site] = SiteKeys(
            sign=(SigningKey.load(place / "sign.key").public,),
            seal=(SealKey.load(place / "seal.key").recipient,),
        )
    return found


def build(
    municipality: MunicipalityFile,
    sites: Mapping[str, SiteFile],
    systems: Mapping[str, SystemFile],
    keys: Mapping[str, SiteKeys],
    *,
    services: Mapping[str, Mapping[str, ServiceEntry]] | None = None,
    version: int,
    issued: datetime,
    valid_for: timedelta = timedelta(days=90),
) -> Directory:
    """Return the directory that the files and keys make.

    ``services`` are those of the systems, by name, with what their documents say.
    """
    drop = {"kumobashi"}
    return _CODEC.validate_python(
        {
            "format": FORMAT,
            "version": version,
            "issued": issued,
            "expires": issued + valid_for,
            "municipality": municipality.municipality.model_dump(),
            "network_model": municipality.network_model,
            "contacts": {name: c.model_dump() for name, c in municipality.contacts.items()},
            "sites": {
                name: site.model_dump(exclude=drop | {"site"})
                | {"sign": [key.jwk() for key in keys[name].sign], "seal": keys[name].seal}
                for name, site in sorted(sites.items())
            },
            "systems": {
                name: system.model_dump(
                    exclude={"kumobashi": True, "system": True, "store": True}
                    | {"datasets": {"__all__": {"table"}}, "services": True, "standby": True}
                )
                | {"services": dict((services or {}).get(name, {}))}
                | {"standby": [one.site for one in system.standby]}
                for name, system in sorted(systems.items())
            },
        }
    )


def sign(directory: Directory, key: SigningKey) -> str:
    """Return the document."""
    return jws.sign(canonical(_CODEC.dump_python(directory, mode="json")), key, TYP)


def read(
    token: str,
    *,
    trusted: VerifyKey,
    now: datetime,
    municipality: str | None = None,
    known: int = 0,
    file: str = "directory.jws",
) -> Directory:
    """Check a document and return the directory.

    ``municipality`` is the code that is expected, ``known`` the highest version seen so far.

    Raises:
        DirectoryAltered: not signed by ``trusted``, or changed since.
        DirectoryUnreadable: signed, but of another form.
        DirectoryForeign: of another municipality.
        DirectoryOld: older than ``known``.
        DirectoryExpired: its time is over.
    """
    try:
        payload = jws.verify(token.strip(), {trusted.kid: trusted}, TYP).payload
    except CryptoFailed as error:
        raise DirectoryAltered(file=file, reason=error.code) from None
    directory = _decode(payload, file)
    if municipality is not None and directory.municipality.code != municipality:
        raise DirectoryForeign(got=directory.municipality.code, expected=municipality)
    if directory.version < known:
        raise DirectoryOld(version=directory.version, known=known)
    if directory.expires <= now:
        expires = directory.expires.isoformat()
        raise DirectoryExpired(version=directory.version, expires=expires)
    return directory


def load(
    path: Path,
    *,
    trusted: VerifyKey,
    now: datetime,
    municipality: str | None = None,
    known: int = 0,
) -> Directory:
    """Read and check the file at ``path``; raise :class:`DirectoryMissing` without one."""
    try:
        token = path.read_text(encoding="ascii")
    except FileNotFoundError:
        raise DirectoryMissing(file=path.name) from None
    except (UnicodeDecodeError, OSError):
        raise DirectoryAltered(file=path.name, reason="not readable as text") from None
    return read(
        token, trusted=trusted, now=now, municipality=municipality, known=known, file=path.name
    )


def adopt(
    offered: Path, kept: Path, *, trusted: VerifyKey, now: datetime, municipality: str
) -> Directory:
    """Take over ``offered`` if it is good and not older, else stay with the last good copy.

    ``kept`` is the gateway's own copy; the version in it is the one to beat, also after its end.

    Raises:
        DirectoryFailed: the offered one is no good and there is no good copy either.
    """
    copy = _kept(kept, trusted, municipality)
    try:
        fresh = load(
            offered,
            trusted=trusted,
            now=now,
            municipality=municipality,
            known=copy.version if copy else 0,
        )
    except (
        DirectoryMissing,
        DirectoryAltered,
        DirectoryUnreadable,
        DirectoryForeign,
        DirectoryOld,
    ):
        if copy is None or copy.expires <= now:
            raise
        return copy
    if copy is None or fresh.version > copy.version:
        write_durably(kept, offered.read_bytes())
    return fresh


def publish(path: Path, directory: Directory, key: SigningKey) -> None:
    """Sign and write the document so that readers see the old one or the new one, never half."""
    write_durably(path, sign(directory, key).encode("ascii"))


def write_durably(path: Path, body: bytes) -> None:
    """Replace ``path`` by a file that is on the disk before its name is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with beside.open("wb") as out:
        out.write(body)
        out.flush()
        os.fsync(out.fileno())
    beside.replace(path)


def _kept(path: Path, trusted: VerifyKey, municipality: str) -> Directory | None:
    """Return the last good copy, whether or not its time is over."""
    before_all_time = datetime(1970, 1, 1, tzinfo=UTC)
    try:
        return load(path, trusted=trusted, now=before_all_time, municipality=municipality)
    except (DirectoryMissing, DirectoryAltered, DirectoryUnreadable, DirectoryForeign):
        return None


def _decode(payload: bytes, file: str) -> Directory:
    try:
        directory = _CODEC.validate_json(payload)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        reason = ".".join(map(str, first["loc"])) or "not JSON"
        raise DirectoryUnreadable(file=file, reason=reason) from None
    if directory.format != FORMAT:
        raise DirectoryUnreadable(file=file, reason=f"format {directory.format}")
    return directory
