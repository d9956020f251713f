"""A process that is killed while it tells people: nobody is left out, repeats have the same id."""

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kumobashi.monitoring.telling.book import TellingBook, telling_file
from kumobashi.testing.clocks import HandClock
from tests.integration.test_telling import MORNING, TENANT, Hook

# Tells of one alert by a webhook, and dies where KUMO_CRASH says; started again, it goes on.
PROGRAM = """
import sys
from datetime import UTC, datetime
from pathlib import Path

from kumobashi.monitoring.channels.posting import Target
from kumobashi.monitoring.channels.webhook import WebhookChannel
from kumobashi.monitoring.telling.book import TellingBook, telling_file
from kumobashi.monitoring.telling.dispatching import Dispatcher
from kumobashi.monitoring.telling.ports import Setup
from kumobashi.testing.clocks import HandClock
from tests.unit.monitoring.telling.plans_for_tests import alert, plan

class Faults:
    def takers(self, faults):
        return {}
    def take(self, fault, by):
        pass
    def told(self, fault, words):
        pass

folder, port, at = Path(sys.argv[1]), int(sys.argv[2]), datetime.fromisoformat(sys.argv[3])
hook = {"channel": "hook", "webhook": {"url": "https://x.example.jp/", "secret": "file:x"}}
mail = {"channel": "mail", "mail": {"host": "x.example.jp", "sender": "k@city.example.jp"}}
first = {"after_minutes": 0, "by": ["hook"]}
second = {"after_minutes": 60, "to": "sato", "by": ["mail"]}
made = plan(channels=[hook, mail], rules=[{"urgency": ["now", "today"], "steps": [first, second]}])
target = Target(
    channel="hook", host="127.0.0.1", port=port, path="/", is_encrypted=False, may_be_inside=True
)
channels = {"hook": WebhookChannel(target=target, secret=b"a secret of the webhook")}
clock = HandClock(at)
book = TellingBook(telling_file(folder), tenant="999997", clock=clock)
dispatcher = Dispatcher(
    book=book, setup=lambda: Setup(plan=made, channels=channels), faults=Faults(), clock=clock
)
book.tell(alert())
for _ in range(3):
    dispatcher.turn()
    dispatcher.settle()
dispatcher.close()
"""


def run(folder: Path, port: int, crash: str) -> int:
    where = (str(folder), str(port), MORNING.isoformat())
    environment = {**os.environ, "KUMO_CRASH": crash}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *where],
        env=environment,
        cwd=Path(__file__).parents[2],
        timeout=60,
        check=False,
        capture_output=True,
    )
    if done.returncode not in {0, -signal.SIGKILL}:
        raise AssertionError(done.stderr.decode())
    return done.returncode


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no SIGKILL here")
@pytest.mark.parametrize(
    ("crash", "expected"),
    [
        ("telling.decided:1", 1),
        ("telling.gathered:1", 1),
        ("telling.going:1", 1),
        ("telling.sent:1", 2),  # it went out, and was not noted: once more, under its id
    ],
)
def test_killed_anywhere_it_tells_at_least_once_and_under_one_id(
    tmp_path: Path, crash: str, expected: int
) -> None:
    hook = Hook()
    hook.thread.start()
    try:
        port = int(hook.server.server_address[1])
        assert run(tmp_path, port, crash) == -signal.SIGKILL
        assert run(tmp_path, port, "") == 0
    finally:
        hook.server.shutdown()
        hook.server.server_close()
    assert len(hook.got) == expected
    assert len({headers["Idempotency-Key"] for headers, _ in hook.got}) == 1
    assert len({json.loads(body)["alerts"][0]["alert"] for _, body in hook.got}) == 1
    book = TellingBook(telling_file(tmp_path), tenant=TENANT, clock=HandClock(datetime.now(UTC)))
    (told,) = book.listed()
    assert (told.steps, told.rest) == (1, None)  # nobody has taken it yet
    book.close()
