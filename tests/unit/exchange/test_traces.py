"""What may be said of a resident in a transfer: absence only where nothing speaks against it."""

from itertools import product

import pytest

from kumobashi.exchange.traces import Grounds, Presence, Trace, judged


@pytest.mark.parametrize("doubts", list(product((False, True), repeat=4)))
@pytest.mark.parametrize("grounds", [Grounds.SNAPSHOT, Grounds.HISTORY])
def test_absence_is_said_only_without_any_doubt(
    doubts: tuple[bool, bool, bool, bool], grounds: Grounds
) -> None:
    sent_anew, difference, household, unknown = doubts

    def said(*, is_there: bool) -> Trace:
        return judged(
            is_there=is_there,
            grounds=grounds,
            is_sent_anew=sent_anew,
            is_difference=difference,
            is_of_household=household,
            is_known=not unknown,
        )

    assert said(is_there=True) == Trace(presence=Presence.INCLUDED, grounds=grounds)
    expected = Presence.POSSIBLE if any(doubts) else Presence.ABSENT
    assert said(is_there=False).presence is expected
