"""What both ends ask while a call goes by: the links of one look, or why there are none."""

import pytest

from kumobashi.calls.errors import Side
from kumobashi.calls.permission_errors import LinkChanging, LinkNotReady
from kumobashi.calls.permits import not_ready
from kumobashi.directory.entries import Directory
from kumobashi.planning.errors import LinkUnknown, WorkspaceBroken
from kumobashi.planning.workspace import Workspace
from kumobashi.service.call_permits import CallPermits
from kumobashi.service.call_wiring import CallWiring
from kumobashi.service.errors import LinksUnread


def broken() -> Workspace:
    raise WorkspaceBroken([])


def never(_directory: Directory) -> CallWiring:
    return None  # type: ignore[return-value]  # nobody comes so far


@pytest.fixture
def permits() -> CallPermits:
    return CallPermits(never, broken, None)  # type: ignore[arg-type]


def test_before_the_first_look_and_while_files_are_half_written_a_call_may_be_sent_again(
    permits: CallPermits,
) -> None:
    before = permits.permitted("arrears", "collection.payments")
    permits.look()
    during = permits.permitted("arrears", "collection.payments")

    assert not before.links
    assert not during.links
    assert isinstance(before.refusal, LinksUnread)
    assert isinstance(during.refusal, WorkspaceBroken)
    for found in (before.refusal, during.refusal):
        said = not_ready("payments", found, Side.ANSWERING_GATEWAY)
        assert isinstance(said, LinkChanging)
        assert said.retryable


def test_a_link_that_is_not_there_is_no_passing_thing() -> None:
    reason = LinkUnknown(link="payments", known="")

    said = not_ready("payments", reason, Side.ASKING_GATEWAY)

    assert isinstance(said, LinkNotReady)
    assert not isinstance(said, LinkChanging)
    assert not said.retryable
