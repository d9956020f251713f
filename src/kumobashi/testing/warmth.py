"""What a forked gateway finds in memory beside its libraries: the parsed files of the sample.

The fork server imports this module before it forks. The files of a test's town are mostly those of
the sample workspace, and a text that was parsed once is not parsed again (``storage.documents``).
"""

import tempfile
from pathlib import Path

from kumobashi.planning.sampling import write_sample
from kumobashi.planning.workspace import load

__all__: list[str] = []

with tempfile.TemporaryDirectory(prefix="kumo-warmth-") as _folder:
    load(write_sample(Path(_folder) / "city"))
