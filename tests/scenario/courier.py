"""A hall and a cloud that no line joins, and the clerks who carry media between them."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from kumobashi.cli.entry import root
from kumobashi.identity import Accounts, Enrolment, Role
from kumobashi.kernel import SystemClock, business_date
from kumobashi.testing.gateways import until
from kumobashi.testing.office import code_of
from kumobashi.testing.town import DAY, Town
from tests.scenario.expecting import NOTICES

HALL, CLOUD = "hall-core", "public-cloud"
SOON = business_date(datetime.now(UTC)) + timedelta(days=3)
_ROLES = {"ask": Role.OPERATOR, "returned": Role.OPERATOR, "lost": Role.OPERATOR}


def permit_media(folder: Path) -> None:
    """Let the notices travel on media."""
    path = folder / "links" / f"{NOTICES}.yaml"
    text = path.read_text("utf-8")
    path.write_text(f"{text}courier: {{longest_days: 7}}\n", encoding="utf-8")


@dataclass
class Clerks:
    """The people of both sites; each deed is done by somebody new, as a code is taken once."""

    town: Town
    made: int = 0
    people: dict[tuple[str, Role], Enrolment] = field(default_factory=dict)

    def run(self, *words: object, expect: int = 0, stdin: str = "") -> Any:
        """Run ``kumobashi courier`` in this process and return what it says in JSON."""
        done = CliRunner().invoke(root, self._words(words), input=stdin)
        assert done.exit_code == expect, (words, done.exit_code, done.output)
        return json.loads(done.stdout)

    def killed(self, *words: object, at: str) -> None:
        """Run it in a process of its own, which dies at a crash point."""
        command = [sys.executable, "-m", "kumobashi", *self._words(words)]
        done = subprocess.run(command, env={**os.environ, "KUMO_CRASH": at}, check=False)
        assert done.returncode == -signal.SIGKILL

    def _words(self, words: Sequence[object]) -> list[str]:
        return ["--workspace", str(self.town.folder), "courier", *map(str, words), "--json"]

    def by(self, site: str, role: Role) -> tuple[list[str], str]:
        """Return the options and the input with which somebody of a role signs in."""
        self.made += 1
        folder = self.town.folder / "private" / site
        book = Accounts(folder, tenant="999997", site=site, clock=SystemClock())
        try:
            made = book.add(f"{role.value}-{self.made}", shown="", role=role)
        finally:
            book.close()
        code = code_of(made.secret, datetime.now(UTC))
        options = ["--account", made.account.name, "--credentials-stdin"]
        return options, f"{made.password}\n{code}\n"

    def do(self, deed: str, *words: object, site: str, expect: int = 0) -> Any:
        """Do something that asks who it is."""
        options, stdin = self.by(site, _ROLES.get(deed, Role.APPROVER))
        return self.run(deed, *words, "--site", site, *options, stdin=stdin, expect=expect)

    def permit(self, *what: str, site: str, media: tuple[str, ...] = ("USB-012",)) -> str:
        """Ask for a permit and have somebody else approve it."""
        labels = [word for label in media for word in ("--medium", label)]
        purpose = ("--purpose", "回線の障害", "--return-by", SOON.isoformat())
        asked = self.do("ask", *what, *labels, *purpose, site=site)
        self.do("approve", asked["permit"], site=site)
        return str(asked["permit"])

    def sealed(self, on: date = DAY) -> str:
        """Run the notices; return the transfer once it is sealed and waits for a line."""
        transfer = str(self.town.submit(NOTICES, on)["transfer"])
        self.town.wait(transfer, lambda seen: seen["state"] == "sealed" and seen["cause"])
        return transfer

    def applied_there(self, transfer: str) -> None:
        """Wait until the cloud has taken a transfer in."""
        ledger = self.town.ledger(CLOUD)

        def look() -> bool | None:
            return any(row.state == "applied" for row in ledger.incoming(transfer)) or None

        until("the cloud has applied it", look, 60, every=0.1)


def events(town: Town, site: str) -> list[str]:
    """Return the events of a site's evidence that the courier wrote, in their order."""
    ledger = town.ledger(site)
    rows = ledger._ask(
        "select body from (select entry, body from evidence_entries"
        " union select entry, body from evidence_waiting) order by entry"
    )
    found = [json.loads(bytes(row[0]))["event"] for row in rows]
    return [event for event in found if event.startswith("courier.")]
