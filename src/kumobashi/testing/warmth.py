"""What forked processes find in memory beside libraries: every command, and the sample's files.

The fork server imports this module before it forks. The files of a test's town are mostly those of
the sample workspace, and a text that was parsed once is not parsed again (``storage.documents``).
"""

import tempfile
from importlib import import_module
from pathlib import Path

from kumobashi.cli.entry import PLACES
from kumobashi.planning.sampling import write_sample
from kumobashi.planning.workspace import load

__all__: list[str] = []

for _place in PLACES.values():
    import_module(_place.partition(":")[0])
with tempfile.TemporaryDirectory(prefix="kumo-warmth-") as _folder:
    load(write_sample(Path(_folder) / "city"))
