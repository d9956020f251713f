"""What a receiver keeps of withdrawals, the same in every store and every order of arrival."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import pytest
import sqlalchemy as sa

from kumobashi.crypto.errors import SignatureInvalid
from kumobashi.crypto.keys import SigningKey
from kumobashi.evidence.sql import waiting
from kumobashi.exchange.identity import Identity
from kumobashi.exchange.withdrawn import Withdrawn
from kumobashi.messages.errors import MessageForeign
from kumobashi.messages.standings import Stands, TieStanding
from kumobashi.messages.withdrawals import (
    Withdrawal,
    WithdrawalEnvelope,
    WithdrawalNotice,
    sign_notice,
    verify_withdrawal_receipt,
)
from kumobashi.planning.publishing import load_directory
from kumobashi.planning.sampling import write_sample
from kumobashi.storage.state import StateStore
from kumobashi.testing.clocks import HandClock
from kumobashi.testing.outboxes import identity
from kumobashi.ties.agent import Agent, Reason
from kumobashi.ties.terms import Channel
from tests.unit.ties.books import OFFER, SERVICE

pytestmark = [pytest.mark.slow, pytest.mark.postgres]
NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
LINK = "notice-attributes"


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Identity]:
    folder = write_sample(tmp_path_factory.mktemp("city") / "city")
    directory = load_directory(folder, now=datetime.now(UTC))
    names = ("hall-core", "hall-exchange", "public-cloud")
    return {name: identity(folder, directory, name) for name in names}


@pytest.fixture
def withdrawn(store: StateStore, sites: dict[str, Identity]) -> Withdrawn:
    return Withdrawn(
        identity=sites["public-cloud"],
        store=store,
        clock=HandClock(NOW),
        sender_of=lambda _link: "hall-core",
    )


def told(
    sites: dict[str, Identity],
    *entries: tuple[str, bool, int],
    key: SigningKey | None = None,
    from_site: str = "hall-core",
) -> WithdrawalEnvelope:
    notice = WithdrawalNotice(
        tenant="999997",
        from_site=from_site,
        to_site="public-cloud",
        link=LINK,
        to_system="notice-cloud",
        last=max(number for _, _, number in entries),
        at=NOW,
        entries=tuple(
            Withdrawal(token=token, epoch=None, is_withdrawn=is_so, sequence=number)
            for token, is_so, number in entries
        ),
    )
    return WithdrawalEnvelope(
        tenant="999997",
        from_site=from_site,
        to_site="public-cloud",
        notice=sign_notice(notice, key or sites[from_site].signing),
    )


def test_a_kept_notice_counts_and_its_receipt_verifies(
    withdrawn: Withdrawn, sites: dict[str, Identity]
) -> None:
    notice = told(sites, ("aa", True, 1), ("bb", False, 2))
    receipt = withdrawn.take(notice)
    mine = sites["hall-core"].keys_of("public-cloud")
    assert verify_withdrawal_receipt(receipt, mine, notice.notice).entries == 2
    assert withdrawn.among(LINK, ["aa", "bb", "cc"]) == {"aa"}
    assert withdrawn.among("other", ["aa"]) == set()
    bodies = withdrawn.store.read(lambda c: list(c.execute(sa.select(waiting.c.body)).scalars()))
    assert len(bodies) == 1
    assert b'"withdrawn":1' in bytes(bodies[0])


TIE = TieStanding(
    tie="018f0000-0000-7000-8000-000000000001",
    token="8f" * 16,
    stands=Stands.WITHDRAWN,
    terms=OFFER.encode().encode(),
    service=SERVICE.service,
    clause=SERVICE.clause,
    first=SERVICE.first,
    last=None,
    sequence=4,
)


def of_ties(sites: dict[str, Identity], from_site: str) -> WithdrawalEnvelope:
    where: dict[str, Any] = {"tenant": "999997", "from_site": from_site, "to_site": "public-cloud"}
    notice = WithdrawalNotice(
        **where, link=None, to_system="notice-cloud", last=1, at=NOW, ties=(TIE,)
    )
    return WithdrawalEnvelope(**where, notice=sign_notice(notice, sites[from_site].signing))


def test_a_notice_of_ties_is_kept_and_receipted_but_not_a_relays(
    withdrawn: Withdrawn, sites: dict[str, Identity]
) -> None:
    with pytest.raises(MessageForeign):
        withdrawn.take(of_ties(sites, "hall-exchange"))
    agent = Agent(withdrawn.store, tenant="999997", clock=withdrawn.clock)
    assert agent.may(TIE.tie, ["name"], Channel.POST).reason is Reason.UNKNOWN
    told = of_ties(sites, "hall-core")
    receipts = [withdrawn.take(told) for _ in range(2)]
    mine = sites["hall-core"].keys_of("public-cloud")
    said = [verify_withdrawal_receipt(receipt, mine, told.notice) for receipt in receipts]
    assert [(one.link, one.entries) for one in said] == [(None, 1), (None, 1)]
    assert agent.may(TIE.tie, ["name"], Channel.POST).reason is Reason.WITHDRAWN


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_of_a_token_the_highest_change_counts_whenever_it_comes(
    withdrawn: Withdrawn, sites: dict[str, Identity], order: tuple[int, ...]
) -> None:
    notices = [
        told(sites, ("aa", True, 1), ("bb", True, 2)),
        told(sites, ("aa", False, 5)),
        told(sites, ("aa", True, 9), ("bb", False, 8)),
    ]
    for number in (*order, *order):  # each twice
        withdrawn.take(notices[number])
    assert withdrawn.all_of(LINK) == {"aa"}


def test_only_the_site_that_sends_the_link_may_tell(
    withdrawn: Withdrawn, sites: dict[str, Identity]
) -> None:
    with pytest.raises(MessageForeign):
        withdrawn.take(told(sites, ("aa", True, 1), from_site="hall-exchange"))
    forged = replace(told(sites, ("aa", True, 1), from_site="hall-exchange"), from_site="hall-core")
    with pytest.raises(Exception, match=r"key|signature"):
        withdrawn.take(forged)
    touched = told(sites, ("aa", True, 1))
    with pytest.raises(SignatureInvalid):
        withdrawn.take(replace(touched, notice=touched.notice[:-4] + "AAAA"))
    with pytest.raises(MessageForeign):
        withdrawn.take(replace(touched, to_site="hall-core"))
    assert withdrawn.all_of(LINK) == set()
