"""A hall's console on a made morning, with plans to decide and people to sign in.

For browsers that look at every page and for the pictures in ``docs``: the links of a scene of
:mod:`kumobashi.testing.scenes`, the plans of the sample workspace, an account for each role. Clock
and keys stand still, so that the same page comes out the same on every day.
"""

import base64
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import uvicorn
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from starlette.applications import Starlette

from kumobashi.console import console_routes, error_pages
from kumobashi.crypto.keys import VerifyKey
from kumobashi.directory.entries import Directory
from kumobashi.exchange.views import Overview
from kumobashi.identity import Accounts, Enrolment, Role
from kumobashi.kernel import business_date
from kumobashi.planning.measured import Measured
from kumobashi.planning.plan import Plan
from kumobashi.planning.publishing import load_directory
from kumobashi.planning.sampling import write_sample
from kumobashi.planning.workspace import Workspace, load
from kumobashi.service.plan_desk import PlanDesk
from kumobashi.service.planned import Planned
from kumobashi.testing import gates, views
from kumobashi.testing.boards import SceneBoard, SceneDeeds
from kumobashi.testing.clocks import HandClock
from kumobashi.testing.fault_night import watched_night
from kumobashi.testing.kept_evidence import KeptEvidence

SITE = "hall-core"
PEOPLE: Mapping[Role, tuple[str, str]] = {  # role: account, how pages call it
    Role.OPERATOR: ("unyo", "情報政策課 運用担当"),
    Role.APPROVER: ("shonin", "福祉課 課長"),
    Role.AUDITOR: ("kansa", "総務課 監査担当"),
    Role.VIEWER: ("etsuran", "子育て支援課"),
}
GATED = "notice-attributes"  # the link whose plan is counted with a gate
_STEP = timedelta(seconds=31)  # a code is taken once; the next one is another


def counted(_workspace: Workspace, plan: Plan) -> Measured:
    """Return what a plan would send, as if it had been counted; where there is a gate, with it."""
    report = gates.climbed(left_out=1_204) if plan.link.link == GATED else None
    figures = report.after if report else None
    rows = figures.rows if figures else 401_877
    return Measured(
        on=date(2026, 11, 22),
        rows=rows,
        extracted=rows + 10_453 + (report.suppressed if report else 0),
        without_consent=10_453,
        bytes=6_100_000,
        parts=4,
        smallest_class=figures.k if figures else None,
        rows_below_five=figures.below_five if figures else None,
        findings=(),
        losses=(),
        gate=report,
    )


class Office:
    """The console of one hall; ``folder`` is its own and empty."""

    def __init__(
        self,
        folder: Path,
        scene: Callable[[], Overview],
        *,
        signs_in: bool,
        is_watched: bool = False,
    ) -> None:
        """Make the workspace; with ``signs_in`` also an account for each role.

        ``is_watched``: a watch has seen a fault that goes on (``testing.fault_night``), and there
        is a log (``testing.kept_evidence``).
        """
        self.clock = HandClock(views.NOW.astimezone(UTC))
        self.folder = write_sample(folder / "city", clock=self.clock)
        self.accounts = Accounts(folder / "accounts", tenant="999997", site=SITE, clock=self.clock)
        self.people: dict[Role, Enrolment] = {}
        if signs_in:
            for role, (name, shown) in PEOPLE.items():
                self.people[role] = self.accounts.add(name, shown=shown, role=role)
        directory = _with_still_keys(load_directory(self.folder, now=self.clock.at))
        self.desk = PlanDesk(
            workspace=lambda: load(self.folder),
            directory=directory,
            planned=Planned(directory, lambda: business_date(self.clock.at)),
            site=SITE,
            folder=folder / "var",
            clock=self.clock,
            count=counted,
            note=lambda _record: None,
        )
        board = SceneBoard(scene)
        self._kept = (
            KeptEvidence(folder / "kept", site=SITE, clock=self.clock) if is_watched else None
        )
        routes = console_routes(
            board,
            zones=views.ZONES,
            plans=self.desk,
            deeds=SceneDeeds(board, self.clock),
            faults=watched_night(folder / "watch", self.clock) if is_watched else None,
            evidence=self._kept.board if self._kept else None,
            accounts=self.accounts,
        )
        self.application = Starlette(routes=routes, exception_handlers={**error_pages()})

    def credentials(self, role: Role) -> dict[str, str]:
        """Return what somebody of this role types now, by field; the clock goes on a step."""
        self.clock.at += _STEP
        made = self.people[role]
        return {
            "name": made.account.name,
            "password": made.password,
            "code": code_of(made.secret, self.clock.at),
        }

    def propose(self, link: str, *, by: Role = Role.OPERATOR) -> None:
        """Ask for the approval of a plan, which counts it; whether somebody can sign in or not."""
        name, shown = PEOPLE[by]
        self.desk.propose(link, (self.desk.plan(link) or {})["hash"], by=name, shown=shown)

    def close(self) -> None:
        """Let go of the files."""
        self.accounts.close()
        if self._kept:
            self._kept.close()


def code_of(secret: str, at: datetime) -> str:
    """Return what an authenticator shows for a Base32 secret (RFC 6238).

    >>> code_of("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", datetime.fromtimestamp(59, UTC))
    '287082'
    """
    totp = TOTP(base64.b32decode(secret), 6, SHA1(), 30)  # noqa: S303 - what authenticators know
    return totp.generate(int(at.timestamp())).decode()


@contextmanager
def served(application: Starlette) -> Iterator[str]:
    """Serve on a free port of 127.0.0.1 while the block runs; give the address."""
    config = uvicorn.Config(application, host="127.0.0.1", port=0, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        if not thread.is_alive():
            raise RuntimeError("the console did not start")
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


def _with_still_keys(directory: Directory) -> Directory:
    """Give each site a public key made of its name: a decision's number depends on keys."""
    sites = {
        name: replace(
            site,
            sign=(VerifyKey(sha256(name.encode()).digest()).jwk(),),
            seal=(f"age1{sha256(name.encode()).hexdigest()}",),
        )
        for name, site in directory.sites.items()
    }
    return replace(directory, sites=sites)
