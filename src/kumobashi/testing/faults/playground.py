"""The town that rounds are played in: four gateways, a bad line before each, three links.

What the receivers must have is worked out here from the sender's own tables (``converting``), and
written down before anything is sent. The file ``checked.json`` tells the checker where to look.
"""

import contextlib
import json
import random
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kumobashi.testing import postgresql
from kumobashi.testing.city import City
from kumobashi.testing.fault_proxy import FaultProxy, fault_proxy
from kumobashi.testing.faults.converting import for_cp932, token_key, tokens_of
from kumobashi.testing.faults.keeper import Keeper
from kumobashi.testing.faults.tables import Store, digest_of
from kumobashi.testing.ledgers import payload_of
from kumobashi.testing.postgresql import application_database
from kumobashi.testing.town import SITES, Town, free_ports

SENDER, RECEIVER = "hall-core", "public-cloud"
SMALL_DISKS = ("asp-relay", RECEIVER)  # where there is a small disk of one's own
_SMALL_DISK = "size=64m"
_LONGEST_WAIT = "1.5"
_LEASE = "3"
_DUTY = "0.5"
_ANSWER_SECONDS = 20
_NHI_COLUMNS = (
    "family_name",
    "given_name",
    "family_name_kana",
    "sex",
    "birth_date",
    "relationship",
    "household_no",
    "town_code",
    "address_number",
)
_LIVING = "resident_status = '1'"


@dataclass(frozen=True, slots=True)
class Course:
    """One link of a round: where its rows end."""

    link: str
    system: str
    table: str
    key: str
    columns: tuple[str, ...]


_NOTICE = ("sex", "birth_ym", "town_code")
COURSES = (
    Course("notice-attributes", "notice-cloud", "notice_attributes", "token", _NOTICE),
    Course("notice-changes", "notice-cloud", "notice_changes", "token", _NOTICE),
    Course("resident-to-nhi", "nhi", "insured_residents", "resident_no", _NHI_COLUMNS),
)


@dataclass(slots=True)
class Playground:
    """A running town, its lines and who keeps it running."""

    folder: Path
    town: Town
    keeper: Keeper
    lines: Mapping[str, FaultProxy]  # by the site that stands behind
    small_disks: frozenset[str] = frozenset()
    target: "Server | None" = None
    state: "Server | None" = None
    residents: list[str] = field(default_factory=list)

    def states(self) -> dict[str, Store]:
        """Return where each gateway keeps its state."""
        if self.state:
            return {site: Store("postgresql", self.state.database(site)) for site in SITES}
        var = self.folder / "w" / "var"
        return {site: Store("sqlite", str(var / site / "state.db")) for site in SITES}

    def store(self, course: Course) -> Store:
        """Return where a course's rows end."""
        if self.target and course.system == "notice-cloud":
            return Store("postgresql", self.target.dsn)
        return Store("duckdb", str(self.town.embedded(course.system)))

    def change_source(self, chance: random.Random) -> None:
        """Change some residents, so that a load that is missing or doubled would be seen."""
        if not self.residents:
            found = self.town.sql(
                "integrated-db",
                f"select resident_no from resident_registry where {_LIVING} order by resident_no",
            )
            self.residents = [row[0] for row in found]
        some = "', '".join(chance.sample(self.residents, 9))
        number = chance.randrange(1_000)
        self.town.change(
            "integrated-db",
            "update resident_registry set sex = case sex when '1' then '2' else '1' end,"
            f" address_number = '{number}' where resident_no in ('{some}')",
        )

    def expected(self, course: Course) -> dict[str, str]:
        """Return digest by key of the rows that must stand at the receiver."""
        if course.system == "nhi":
            columns = ", ".join(("resident_no", *course.columns))
            read = self.town.sql(
                "integrated-db", f"select {columns} from resident_registry where {_LIVING}"
            )
            kept = (row for row in map(for_cp932, read) if row is not None)
            return {str(row[0]): digest_of(row) for row in kept}
        read = self.town.sql(
            "integrated-db",
            "select resident_no, sex, (year(birth_date) * 100 + month(birth_date))::int, town_code"
            f" from resident_registry where {_LIVING}",
        )
        secret = token_key(self.town.folder / "private" / SENDER / "token.key")
        token = tokens_of(secret, (row[0] for row in read), course.system)
        return {token[row[0]]: digest_of((token[row[0]], *row[1:])) for row in read}

    def describe(self, bound_seconds: float) -> Path:
        """Write ``checked.json`` and return it."""
        directory = payload_of((self.town.folder / "directory.jws").read_text("ascii"))
        keys = {
            key["kid"]: key["x"] for site in directory["sites"].values() for key in site["sign"]
        }
        said: dict[str, Any] = {
            "history": "history.jsonl",
            "bound_seconds": bound_seconds,
            "must_apply": True,
            "links": {
                course.link: {
                    "table": course.table,
                    "key": course.key,
                    "columns": list(course.columns),
                    "store": _said(self.store(course)),
                }
                for course in COURSES
            },
            "states": {site: _said(store) for site, store in self.states().items()},
            "keys": keys,
            "wire": [f"wire-{site}.jsonl" for site in self.lines],
            "private": [
                f"w/var/{site}/{place}"
                for site in (RECEIVER, SENDER)  # one link ends where it begins
                for place in ("keys/in", "quarantine", "spool/in", "work")
            ],
        }
        path = self.folder / "checked.json"
        path.write_text(json.dumps(said, indent=1), encoding="utf-8")
        return path


@dataclass(slots=True)
class Server:
    """A PostgreSQL server that a round may restart."""

    folder: Path
    dsn: str = ""
    _running: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def start(self) -> None:
        """Start it; its address stays the same."""
        settings = {"shared_buffers": "32MB", "max_connections": "200"}
        self.dsn = self._running.enter_context(postgresql.running(self.folder, settings))

    def stop(self) -> None:
        """Stop it as an operator would, cutting every connection."""
        self._running.close()

    def database(self, site: str) -> str:
        """Return the address of a site's database for the server's owner, who sees every row."""
        name = site.replace("-", "_")
        head, _, query = self.dsn.partition("?")
        return f"{head.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")


@contextlib.contextmanager
def playground(
    folder: Path, city: City, *, postgresql_state: bool, postgresql_target: bool, disks: bool
) -> Iterator[Playground]:
    """Found the town in ``folder``, start everything, and end it with the block."""
    with contextlib.ExitStack() as stack:
        target = _server(stack, folder / "target") if postgresql_target else None
        state = _server(stack, folder / "state") if postgresql_state else None
        states = {}
        if state:
            names = {site: site.replace("-", "_") for site in SITES}
            states = {site: application_database(state.dsn, name) for site, name in names.items()}
        town = stack.enter_context(
            Town.found(
                folder / "w",
                city,
                part_bytes=65_536,
                dsn=target.dsn if target else None,
                states=states,
                change=_change,
            )
        )
        small = _mount(stack, town) if disks else frozenset()
        town.behind.update(zip(SITES, free_ports(len(SITES)), strict=True))
        lines = {
            site: stack.enter_context(
                fault_proxy(
                    town.ports[site],
                    town.behind[site],
                    wire_log=folder / f"wire-{site}.jsonl",
                    name=site,
                )
            )
            for site in SITES
        }
        keeper = Keeper(town, {site: _wishes(folder, site) for site in SITES})
        stack.enter_context(keeper)
        keeper.all_ready()
        yield Playground(folder, town, keeper, lines, small, target, state)


def clock_file(folder: Path, site: str) -> Path:
    """Return the file that says by how many seconds a site's clock is wrong."""
    return folder / f"clock-{site}"


def _wishes(folder: Path, site: str) -> dict[str, str]:
    return {
        "KUMO_CLOCK_FILE": str(clock_file(folder, site)),
        "KUMO_LONGEST_WAIT": _LONGEST_WAIT,
        "KUMO_LEASE_SECONDS": _LEASE,
        "KUMO_DUTY_SECONDS": _DUTY,
        "KUMO_MEMORY_MIB": "256",
    }


def _server(stack: contextlib.ExitStack, folder: Path) -> Server:
    server = Server(folder)
    stack.callback(server.stop)
    server.start()
    return server


def _mount(stack: contextlib.ExitStack, town: Town) -> frozenset[str]:
    """Give some gateways a small disk; a mount namespace of one's own forgets it at the end."""
    for site in SMALL_DISKS:
        where = town.folder / "var" / site
        where.mkdir(parents=True, exist_ok=True)
        mount = ["mount", "-t", "tmpfs", "-o", _SMALL_DISK, "tmpfs", str(where)]
        subprocess.run(mount, check=True, capture_output=True)  # noqa: S603 - our own words
        unmount = ["umount", "-l", str(where)]
        stack.callback(subprocess.run, unmount, check=False, capture_output=True)
    return frozenset(SMALL_DISKS)


def _change(workspace: Path) -> None:
    _add_courses(workspace)
    for site in SITES:  # nobody waits two minutes for an answer that never comes
        path = workspace / "sites" / f"{site}.yaml"
        profile = f"profile: {{answer_seconds: {_ANSWER_SECONDS}}}\n"
        path.write_text(f"{path.read_text('utf-8').rstrip()}\n{profile}", encoding="utf-8")


def _add_courses(workspace: Path) -> None:
    """Write a second link over the relays, which sends what has changed."""
    link = workspace / "links" / "notice-attributes.yaml"
    text = link.read_text("utf-8")
    text = text.replace("link: notice-attributes", "link: notice-changes")
    text = text.replace("dataset: notice_attributes", "dataset: notice_changes")
    text = text.replace("mode: full", "mode: difference")
    (workspace / "links" / "notice-changes.yaml").write_text(text, "utf-8")
    system = workspace / "systems" / "notice-cloud.yaml"
    more = '  notice_changes: {layout: notice-attributes, version: "1", table: notice_changes}\n'
    system.write_text(system.read_text("utf-8").rstrip("\n") + "\n" + more, "utf-8")


def _said(store: Store) -> dict[str, str]:
    return {"kind": store.kind, "at": store.at}
