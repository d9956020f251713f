"""Write the sample workspace of the fictional city, with keys and a signed directory."""

import secrets
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from kumobashi.crypto.keys import SealKey, SigningKey, TokenKey
from kumobashi.crypto.private_files import write_private
from kumobashi.kernel import Clock, SystemClock
from kumobashi.planning import schemas
from kumobashi.planning.errors import WorkspaceExists
from kumobashi.planning.publishing import publish_directory
from kumobashi.planning.sample_file import write_sample_file

SAMPLE_PORTS: Mapping[str, int] = {
    "hall-core": 8740,
    "hall-exchange": 8741,
    "asp-relay": 8742,
    "public-cloud": 8743,
}
HALL = "hall-core"  # the only site that turns resident numbers into tokens
# Nothing listens on this port: the receiver of childcare-notices does not answer, on purpose.
_CLOSED = "postgresql://childcare@127.0.0.1:1/childcare?connect_timeout=2"


def write_sample(
    folder: Path,
    *,
    ports: Mapping[str, int] | None = None,
    clock: Clock | None = None,
    overwrite: bool = False,
) -> Path:
    """Write the sample into ``folder`` and return it; gateways listen on ``ports`` by site.

    Raises:
        WorkspaceExists: there is a workspace already, and ``overwrite`` was not asked for. Keys and
            approvals are kept even then.
    """
    if (folder / "kumobashi.yaml").exists() and not overwrite:
        raise WorkspaceExists(folder=str(folder))
    copy_texts(files("kumobashi.planning") / "sample", folder)
    chosen = {**SAMPLE_PORTS, **(ports or {})}
    for site, port in chosen.items():
        set_port(folder / "sites" / f"{site}.yaml", SAMPLE_PORTS[site], port)
    schemas.write(folder / ".schemas")
    write_sample_file(folder)
    (folder / ".gitignore").write_text(
        "keys/directory.key\nprivate/\nvar/\n", encoding="ascii", newline="\n"
    )
    (folder / "private").mkdir(mode=0o700, exist_ok=True)
    for site in chosen:
        make_keys(folder, site, has_tokens=site == HALL)
    dsn = folder / "private" / "public-cloud" / "childcare.dsn"
    if not dsn.exists():
        write_private(dsn, f"{_CLOSED}\n".encode("ascii"))
    publish_directory(folder, now=(clock or SystemClock()).now())
    return folder


def copy_texts(source: Traversable, target: Path) -> None:
    """Copy what people edit of a sample into a folder."""
    target.mkdir(parents=True, exist_ok=True)
    for entry in source.iterdir():
        if entry.is_dir():
            copy_texts(entry, target / entry.name)
        elif entry.name.endswith((".yaml", ".csv")):
            (target / entry.name).write_bytes(entry.read_bytes())


def set_port(file: Path, old: int, new: int) -> None:
    """Let a file of a sample say another port of this machine."""
    text = file.read_text(encoding="utf-8")
    file.write_text(
        text.replace(f"127.0.0.1:{old}", f"127.0.0.1:{new}"), encoding="utf-8", newline="\n"
    )


def make_keys(workspace: Path, site: str, *, has_tokens: bool = False) -> None:
    """Make what a gateway of a site needs in ``private/<site>``; what there is is kept."""
    folder = workspace / "private" / site
    if (folder / "sign.key").exists():
        return
    SigningKey.generate().save(folder / "sign.key")
    SealKey.generate().save(folder / "seal.key")
    if has_tokens:
        TokenKey.generate().save(folder / "token.key")
    write_private(folder / "api.token", secrets.token_urlsafe(32).encode("ascii") + b"\n")
