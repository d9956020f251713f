"""Write a bundle file of a transfer that this site sends or has received."""

from pathlib import Path
from typing import BinaryIO

import sqlalchemy as sa

from kumobashi.crypto.keys import VerifyKey
from kumobashi.directory.entries import Directory
from kumobashi.exchange.errors import NoSuchTransfer
from kumobashi.exchange.sql import incoming, outgoing, receipts
from kumobashi.messages.bundle_files import write_bundle
from kumobashi.messages.manifest import Manifest, verify_manifest
from kumobashi.messages.parts import Part, missing, parts_missing
from kumobashi.storage.spool import Spool


def export_bundle(
    connection: sa.Connection,
    target: Path,
    *,
    tenant: str,
    transfer: str,
    directory: Directory,
    token: str,
    var: Path,
    with_parts: bool,
) -> Manifest:
    """Write the newest attempt of ``transfer``; ``var`` is the site's own folder.

    Raises:
        NoSuchTransfer: nothing of that id is here, or it is not sealed yet.
        PartsMissing: the sealed parts are not here any more; they can be left out.
        PartAltered: a part was damaged on this disk.
    """
    side, attempt, signed = _signed(connection, tenant, transfer)
    manifest = verify_manifest(signed, _all_keys(directory))
    spool = Spool(var / "spool" / side)
    query = (
        sa.select(receipts.c.jws)
        .where(receipts.c.tenant == tenant, receipts.c.transfer == transfer)
        .where(receipts.c.attempt == attempt, receipts.c.side == side)
        .order_by(receipts.c.number)
    )
    tokens = list(connection.execute(query).scalars())
    if with_parts:
        held = {f"sha256:{hex_}" for hex_ in spool.held(transfer, attempt)}
        if gone := missing(manifest.parts, held):
            raise parts_missing(gone)

    def open_part(part: Part) -> BinaryIO:
        return spool.open(transfer, attempt, part.digest.removeprefix("sha256:"))

    write_bundle(
        target,
        directory=token,
        manifest=signed,
        verified=manifest,
        receipts=tokens,
        open_part=open_part if with_parts else None,
    )
    return manifest


def _signed(connection: sa.Connection, tenant: str, transfer: str) -> tuple[str, int, str]:
    """Return the side ("out" or "in"), the attempt and the signed manifest."""
    for side, table in (("out", outgoing), ("in", incoming)):
        query = (
            sa.select(table.c.attempt, table.c.manifest)
            .where(table.c.tenant == tenant, table.c.transfer == transfer)
            .where(table.c.manifest.is_not(None))
            .order_by(table.c.attempt.desc())
            .limit(1)
        )
        if row := connection.execute(query).first():
            return side, row.attempt, row.manifest
    raise NoSuchTransfer(transfer=transfer)


def _all_keys(directory: Directory) -> dict[str, VerifyKey]:
    return {kid: key for site in directory.sites.values() for kid, key in site.verify_keys.items()}
