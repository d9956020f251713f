"""Cut a sealed bundle into smaller parts, when the other side takes no larger ones.

The sealed bytes stay what they are, so nothing is read or encrypted anew; parts and manifest are a
new attempt of the same transfer, which takes the place of the one before it at every hop.
"""

from dataclasses import replace
from typing import BinaryIO

from kumobashi.exchange.cutting import Cutting
from kumobashi.messages.manifest import Manifest
from kumobashi.messages.parts import JoinedParts, Part
from kumobashi.storage.spool import Spool


def recut(manifest: Manifest, spool: Spool, limit: int) -> Manifest:
    """Return the manifest of the next attempt, whose parts lie in the spool beside the old ones.

    Raises:
        PartAltered: a part on this disk is not what was sealed.
    """

    def held(part: Part) -> BinaryIO:
        return spool.open(manifest.transfer, manifest.attempt, part.digest.removeprefix("sha256:"))

    attempt = manifest.attempt + 1
    spool.forget(manifest.transfer, attempt)  # of a crash in here
    source = JoinedParts(manifest.parts, held)
    try:
        with Cutting(spool, manifest.transfer, attempt, limit) as cutting:
            while block := source.read():
                cutting.write(block)
            parts = cutting.finish()
    finally:
        source.close()
    return replace(manifest, attempt=attempt, parts=parts)
