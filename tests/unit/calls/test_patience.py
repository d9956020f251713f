"""A call that meets a change half done: asked anew while its time lasts, and done once."""

from typing import Any

import pytest

from kumobashi.calls.errors import CallFailed, NotHere, PeerAway, RelayedRefusal, Side
from kumobashi.calls.patience import LATELY_SECONDS, LONGEST_SECONDS, Patience, may_go_elsewhere
from kumobashi.calls.permission_errors import LinkNotReady

WAY = ("arrears", "collection.payments")


def _told(code: str, side: Side) -> RelayedRefusal:
    return RelayedRefusal(code=code, said={"side": side.value}, side=side, status=409)


@pytest.mark.parametrize(
    ("refusal", "waits"),
    [
        (NotHere(service="s", site="cloud"), True),
        (_told("call.plan_differs", Side.ANSWERING_GATEWAY), True),
        (_told("call.plan_differs", Side.ANSWERER), False),
        (_told("call.service_silent", Side.ANSWERER), False),
        (LinkNotReady(link="l", reason="", reason_en=""), False),
        (PeerAway(site="cloud", site_name="", contact=""), False),
    ],
)
def test_only_what_reached_no_system_and_may_pass_is_asked_again(
    refusal: CallFailed, waits: bool
) -> None:
    now = [0.0]
    patience = Patience(monotonic=lambda: now[0])
    hopes: dict[str, Any] = {"waited": 0.0, "budget": 30.0}
    assert not patience.waits(WAY, refusal, **hopes)  # it never worked
    patience.answered(WAY)
    assert patience.waits(WAY, refusal, **hopes) is waits
    assert not patience.waits(WAY, refusal, waited=LONGEST_SECONDS, budget=30.0)
    assert not patience.waits(WAY, refusal, waited=1.0, budget=2.0)
    now[0] += LATELY_SECONDS
    assert not patience.waits(WAY, refusal, **hopes)


@pytest.mark.parametrize(
    ("refusal", "goes"),
    [
        (PeerAway(site="cloud", site_name="", contact=""), True),
        (NotHere(service="s", site="cloud"), True),
        (_told("call.peer_away", Side.RELAY), True),
        (_told("call.waiting", Side.RELAY), True),
        (_told("call.service_away", Side.ANSWERER), True),
        (_told("call.service_silent", Side.ANSWERER), False),
        (_told("call.peer_silent", Side.RELAY), False),
        (_told("call.over", Side.RELAY), False),
    ],
)
def test_only_what_reached_no_system_goes_to_another_site(refusal: CallFailed, goes: bool) -> None:
    assert may_go_elsewhere(refusal) is goes
