"""What a gateway keeps on its disk, read from outside: its state file and its spool.

Checkers must not believe the program they check, so nothing of kumobashi is called here.
"""

import base64
import json
import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import adbc_driver_postgresql.dbapi as postgresql

OUT_FINAL = frozenset({"applied", "refused", "cancelled"})
IN_FINAL = frozenset({"applied", "refused", "settled", "superseded"})


@dataclass(frozen=True, slots=True)
class Kept:
    """One transfer as one gateway has it."""

    transfer: str
    attempt: int
    link: str
    state: str
    cause: dict[str, Any] | None
    facts: dict[str, Any]


class LedgerReader:
    """The folder ``var/<site>`` of one gateway, and the PostgreSQL of its state if it has one."""

    def __init__(self, folder: Path, *, dsn: str | None = None, tenant: str = "999997") -> None:
        self.folder = folder
        self._dsn = dsn
        self._tenant = tenant

    def outgoing(self, transfer: str | None = None) -> list[Kept]:
        """Return what this site sends."""
        return self._rows("outgoing", transfer)

    def incoming(self, transfer: str | None = None) -> list[Kept]:
        """Return what came to this site."""
        return self._rows("incoming", transfer)

    def receipts(self, transfer: str, side: str = "out") -> list[dict[str, Any]]:
        """Return the statements of the receipts, in the order they were kept."""
        query = "select jws from receipts where transfer = ? and side = ? order by attempt, number"
        return [payload_of(row[0]) for row in self._ask(query, transfer, side)]

    def stages(self, transfer: str, side: str = "out") -> list[str]:
        """Return the stages of the receipts."""
        return [receipt["stage"] for receipt in self.receipts(transfer, side)]

    def spooled(self) -> list[Path]:
        """Return every file in the spool, half-written ones too."""
        return _files(self.folder / "spool")

    def at_work(self) -> list[Path]:
        """Return every file in the folder of work that is under way."""
        return _files(self.folder / "work")

    def _rows(self, table: str, transfer: str | None) -> list[Kept]:
        text = "cast({} as text)".format
        query = f"select transfer, attempt, link, state, {text('cause')}, {text('facts')}"
        query = f"{query} from {table}"
        if transfer is None:
            rows = self._ask(f"{query} order by started_at")
        else:
            rows = self._ask(f"{query} where transfer = ? order by attempt", transfer)
        return [
            Kept(row[0], row[1], row[2], row[3], _json(row[4]), _json(row[5]) or {}) for row in rows
        ]

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of any query of the state."""
        return self._ask(query)

    def _ask(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        if self._dsn:
            return self._ask_postgresql(query, values)
        path = self.folder / "state.db"
        if not path.exists():  # it never ran
            return []
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
        try:
            return connection.execute(query, values).fetchall()
        finally:
            connection.close()

    def _ask_postgresql(self, query: str, values: tuple[str, ...]) -> list[tuple[Any, ...]]:
        numbered = "".join(
            f"${number}{piece}" if number else piece
            for number, piece in enumerate(query.split("?"))
        )
        with postgresql.connect(self._dsn) as connection, connection.cursor() as cursor:
            cursor.execute("select to_regclass('outgoing') is not null")
            if not cursor.fetchall()[0][0]:  # it never ran
                return []
            cursor.execute(f"select set_config('kumobashi.tenant', '{self._tenant}', false)")
            cursor.execute(numbered, values) if values else cursor.execute(numbered)
            return [tuple(row) for row in cursor.fetchall()]


def _json(text: str | None) -> dict[str, Any] | None:
    value: dict[str, Any] | None = json.loads(text) if text else None
    return value


def payload_of(token: str) -> dict[str, Any]:
    """Return what a signed statement says, unverified."""
    body = token.split(".")[1]
    value: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return value


def _files(folder: Path) -> list[Path]:
    """Return the files below ``folder``, also while a gateway is clearing it away."""
    return sorted(Path(root, name) for root, _, names in os.walk(folder) for name in names)
