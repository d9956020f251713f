"""Training: a fictional city on this machine alone, from which nothing can leave.

What would lead elsewhere is looked for in the workspace when a gateway starts and before every run:
the municipality's code, the sites' addresses, the databases, and where the gateway listens.

>>> is_of_this_machine("postgresql://clerk@127.0.0.1:5432/city")
True
>>> is_of_this_machine("postgresql://clerk@10.1.2.3,127.0.0.1/city")
False
"""

import ipaddress
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from kumobashi.directory.entries import Directory
from kumobashi.directory.store_models import JobsStore, ObjectStore, PostgresqlStore, SftpStore
from kumobashi.kernel.ids import is_fictional
from kumobashi.service.errors import LeavesTraining, SecretMissing
from kumobashi.service.secrets import secret

if TYPE_CHECKING:
    from kumobashi.planning.workspace import Workspace

# Of a connection string: these name another place than the address before them.
_ELSEWHERE = frozenset({"host", "hostaddr", "service", "servicefile", "passfile", "sslkeylogfile"})


def refuse_outside(
    workspace: "Workspace", directory: Directory | None, *, host: str | None = None
) -> None:
    """Raise ``LeavesTraining``, with all that leads out of the training; ``host``: to listen at."""
    if found := tuple(_leading_out(workspace, directory, host)):
        raise LeavesTraining(places="、".join(found))


def _leading_out(
    workspace: "Workspace", directory: Directory | None, host: str | None
) -> Iterator[str]:
    code = workspace.municipality.municipality.code
    if not is_fictional(code):
        yield f"kumobashi.yaml municipality.code {code}"
    if directory and not is_fictional(directory.municipality.code):
        yield f"directory.jws municipality {directory.municipality.code}"
    for name, entry in directory.sites.items() if directory else ():
        if not is_loopback(urlsplit(entry.url).hostname):  # it is these that gateways call
            yield f"directory.jws {name}"
    for name, site in workspace.sites.items():
        if not is_loopback(urlsplit(site.url).hostname):
            yield f"sites/{name}.yaml url"
    yield from _databases_elsewhere(workspace)
    yield from _services_elsewhere(workspace)
    if host is not None and not is_loopback(host):
        yield "KUMO_HOST"


def _databases_elsewhere(workspace: "Workspace") -> Iterator[str]:
    for name, site in workspace.sites.items():
        if site.state is not None and not _is_here(workspace.folder, site.state):
            yield f"sites/{name}.yaml state"
    for name, system in workspace.systems.items():
        if isinstance(system.store, ObjectStore) and not is_loopback(
            urlsplit(system.store.endpoint).hostname
        ):
            yield f"systems/{name}.yaml store.endpoint"
        if isinstance(system.store, JobsStore):
            for what in ("url", "token_url"):
                if not is_loopback(urlsplit(getattr(system.store, what)).hostname):
                    yield f"systems/{name}.yaml store.{what}"
        if isinstance(system.store, SftpStore) and not is_loopback(system.store.host):
            yield f"systems/{name}.yaml store.host"
        if isinstance(system.store, PostgresqlStore) and not _is_here(
            workspace.folder, system.store.dsn
        ):
            yield f"systems/{name}.yaml store.dsn"


def _services_elsewhere(workspace: "Workspace") -> Iterator[str]:
    for name, system in workspace.systems.items():
        places = [
            (f"services.{key}.{what}", base)
            for key, service in system.services.items()
            for what, base in (("base", service.base), ("test_base", service.test_base))
            if base
        ]
        places += [
            (f"standby {one.site}", base) for one in system.standby for base in one.base.values()
        ]
        for key, base in places:
            if not is_loopback(urlsplit(base).hostname):
                yield f"systems/{name}.yaml {key}"


def _is_here(folder: Path, reference: str) -> bool:
    # A variable is this machine's, and may well name the real database.
    if not reference.startswith("file:"):
        return False
    try:
        return is_of_this_machine(secret(folder, reference))
    except SecretMissing:
        return True  # nothing can be reached through it


def is_of_this_machine(dsn: str) -> bool:
    """Whether a connection string names this machine and nothing else; other forms do not count."""
    try:
        parts = urlsplit(dsn)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
    except ValueError:
        return False
    hosts = parts.netloc.rpartition("@")[2]
    if parts.scheme not in {"postgresql", "postgres"} or "," in hosts:
        return False
    return not _ELSEWHERE & query.keys() and is_loopback(parts.hostname)


def is_loopback(host: str | None) -> bool:
    """Whether an address is this machine's own; names other than ``localhost`` may change.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("0.0.0.0"), is_loopback(None)
    (True, True, False, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False
