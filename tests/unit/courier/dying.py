"""Write media in processes that a test kills: ``python -m tests.unit.courier.dying``.

A line of the input is a folder and a crash point; a child writes there, and the line that comes
back is how it ended: 0, or the negative number of a signal.
"""

import os
import random
import sys
from pathlib import Path

from kumobashi.crypto.keys import SealKey, SigningKey
from kumobashi.kernel.crash import arm
from tests.unit.courier.media import World

SIZES = (3_000_000, 3_000_000, 500_000, 2_500_000)  # three files, the index besides


def world(folder: Path) -> World:
    """Return the same bundle, keys and medium in every process."""
    if not (folder / "seal.key").exists():
        SigningKey.generate().save(folder / "sign.key")
        SealKey.generate().save(folder / "seal.key")
    chance = random.Random(7)
    return World(
        folder,
        SIZES,
        medium="019aa8d1-5b7c-7000-8000-000000000001",
        to=SealKey.load(folder / "seal.key").recipient,
        key=SigningKey.load(folder / "sign.key"),
        chance=chance.randbytes,
        of_transfer=None,  # a wrapped one would be another in every process
    )


def main() -> None:
    """Serve until the input ends."""
    for line in sys.stdin:
        folder, _, point = line.rstrip("\n").partition("\t")
        child = os.fork()
        if child == 0:
            arm(point)
            world(Path(folder)).write()
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201 - the answer


if __name__ == "__main__":
    main()
