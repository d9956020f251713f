"""Publish the directory of a workspace: its files and public keys, signed and numbered."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kumobashi.crypto.errors import KeyUnfit
from kumobashi.crypto.keys import SigningKey, VerifyKey
from kumobashi.directory.document import build, load, public_keys, publish, write_durably
from kumobashi.directory.entries import Directory
from kumobashi.directory.errors import DirectoryAltered, DirectoryMissing, VersionUnknown
from kumobashi.planning import workspace

FILE = "directory.jws"
KEPT = "directories"  # every version as it was published, to compare with
TRUST = "directory.pub"  # the public half, which every gateway is given beside the directory


def publish_directory(
    folder: Path, *, now: datetime, valid_for: timedelta = timedelta(days=90)
) -> Directory:
    """Sign the directory of a workspace anew, one version up, and return it.

    The first time the key is made too, as ``keys/directory.key``; its public half lies in
    ``keys/directory.pub``, which is what gateways trust.
    """
    described = workspace.load(folder)
    key = _key(folder)
    directory = build(
        described.municipality,
        described.sites,
        described.systems,
        public_keys(folder, described.sites),
        services=described.services,
        version=_newest(folder, key.public) + 1,
        issued=now,
        valid_for=valid_for,
    )
    publish(folder / FILE, directory, key)
    write_durably(_kept(folder, directory.version), (folder / FILE).read_bytes())
    return directory


def trusted_key(folder: Path) -> VerifyKey:
    """Return the key that a directory must be signed with."""
    path = folder / "keys" / TRUST
    try:
        jwk = json.loads(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        raise DirectoryMissing(file=f"keys/{TRUST}") from None
    try:
        return VerifyKey.from_jwk(jwk)
    except (KeyUnfit, AttributeError):
        raise DirectoryAltered(file=f"keys/{TRUST}", reason="no Ed25519 key") from None


def load_directory(folder: Path, *, now: datetime, known: int = 0) -> Directory:
    """Return the directory of a workspace, checked."""
    return load(folder / FILE, trusted=trusted_key(folder), now=now, known=known)


def load_version(folder: Path, named: str) -> Directory:
    """Return a version of the directory by its number, or one from a file; also when it is over.

    Raises:
        VersionUnknown: no such version was kept, and no such file is there.
        DirectoryFailed: it is not signed with the key that this workspace trusts.
    """
    path = _kept(folder, int(named)) if named.isdecimal() else Path(named)
    if not path.is_file():
        kept = (path.stem for path in (folder / KEPT).glob("*.jws"))
        known = ", ".join(sorted(kept, key=lambda stem: stem.zfill(9))) or "-"
        raise VersionUnknown(version=named, known=known)
    return load(path, trusted=trusted_key(folder), now=datetime(1970, 1, 1, tzinfo=UTC))


def _kept(folder: Path, version: int) -> Path:
    return folder / KEPT / f"{version}.jws"


def _key(folder: Path) -> SigningKey:
    path = folder / "keys" / "directory.key"
    if path.exists():
        return SigningKey.load(path)
    key = SigningKey.generate()
    key.save(path)
    text = json.dumps(key.public.jwk(), indent=2) + "\n"
    write_durably(folder / "keys" / TRUST, text.encode("ascii"))
    return key


def _newest(folder: Path, key: VerifyKey) -> int:
    """Return the version that is published, also when its time is over; 0 for none."""
    try:
        return load(folder / FILE, trusted=key, now=datetime(1970, 1, 1, tzinfo=UTC)).version
    except DirectoryMissing:
        return 0
