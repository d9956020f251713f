"""A candidate of a workspace: its files in a folder of their own, with some of them changed.

What people are shown, and what is put in place at once, is tried there first; gateways see nothing.
"""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from kumobashi.directory.service_models import INTERFACES
from kumobashi.planning.workspace import KINDS, MAIN
from kumobashi.policy.tables import OWN


@contextmanager
def candidate(folder: Path, changed: Mapping[str, str | None]) -> Iterator[Path]:
    """Give a copy of the workspace with ``changed`` files, by name (``None``: without it).

    It is gone afterwards. Keys are not copied: whoever needs them reads them where they lie.
    """
    with tempfile.TemporaryDirectory(prefix="kumobashi-candidate-") as copy:
        target = Path(copy)
        shutil.copyfile(folder / MAIN, target / MAIN)
        for kind in (*KINDS, "layouts", OWN, INTERFACES):
            if (folder / kind).is_dir():
                shutil.copytree(folder / kind, target / kind)
        for file, text in changed.items():
            if text is None:
                (target / file).unlink()
                continue
            (target / file).parent.mkdir(exist_ok=True)
            (target / file).write_text(text, encoding="utf-8", newline="\n")
        yield target
