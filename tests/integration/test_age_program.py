"""Other people's tools open what we seal, and we open what they seal."""

import io
import shutil
import subprocess
from pathlib import Path

import pytest
import zstandard

from kumobashi.crypto.canonical import digest
from kumobashi.crypto.keys import SealKey
from kumobashi.crypto.sealing import open_sealed, seal
from kumobashi.messages.parts import JoinedParts, Part, split

AGE, ZSTD, KEYGEN = shutil.which("age"), shutil.which("zstd"), shutil.which("age-keygen")
PLAIN = "住民票,髙﨑𠮷葛󠄀\n".encode() * 20_000

pytestmark = pytest.mark.skipif(AGE is None, reason="the program age is not installed")


@pytest.mark.skipif(ZSTD is None, reason="the program zstd is not installed")
def test_a_bundle_opens_by_hand_as_the_protocol_says(tmp_path: Path) -> None:
    key = SealKey.generate()
    key.save(tmp_path / "seal.key")
    sealed = io.BytesIO()
    seal(io.BytesIO(zstandard.compress(PLAIN)), sealed, [key.recipient])
    for part, body in split(io.BytesIO(sealed.getvalue()), limit=300):
        (tmp_path / f"part-{part.number:05}").write_bytes(body)

    by_hand = "cat part-* > bundle.age; age -d -i seal.key bundle.age | zstd -d"
    opened = subprocess.run(["sh", "-c", by_hand], cwd=tmp_path, check=True, capture_output=True)

    assert opened.stdout == PLAIN


def test_what_age_seals_opens_here_part_by_part() -> None:
    key = SealKey.generate()
    sealed = subprocess.run(
        [str(AGE), "-r", key.recipient], input=PLAIN, check=True, capture_output=True
    ).stdout
    cut = list(split(io.BytesIO(sealed), limit=65_536))
    bodies = {part.digest: body for part, body in cut}

    def open_part(part: Part) -> io.BytesIO:
        return io.BytesIO(bodies[part.digest])

    opened = io.BytesIO()
    open_sealed(
        JoinedParts([part for part, _ in cut], open_part), opened, key, expected_bytes=len(sealed)
    )

    assert digest(opened.getvalue()) == digest(PLAIN)


@pytest.mark.skipif(KEYGEN is None, reason="the program age-keygen is not installed")
def test_key_files_of_both_are_the_same(tmp_path: Path) -> None:
    theirs, ours = tmp_path / "theirs.key", tmp_path / "ours.key"
    subprocess.run([str(KEYGEN), "-o", str(theirs)], check=True, capture_output=True)
    key = SealKey.load(theirs)
    key.save(ours)

    public = subprocess.run(
        [str(KEYGEN), "-y", str(ours)], check=True, capture_output=True, text=True
    )

    assert public.stdout.strip() == key.recipient
