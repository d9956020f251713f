from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from kumobashi.kernel import new_id
from kumobashi.messages.errors import ReceiptForeign, ReceiptOutOfOrder
from kumobashi.messages.receipts import (
    ALLOWED_NEXT,
    Receipt,
    Stage,
    check_chain,
    next_receipt,
)
from tests.unit.messages import examples

MANIFEST = examples.manifest()
GOOD = [Stage.DELIVERED, Stage.OPENED, Stage.VALIDATED, Stage.APPLIED, Stage.DELETED]
MOVES = list(product([None, *Stage], Stage))


def _next(previous: Receipt | None, stage: Stage, **changes: Any) -> Receipt:
    facts: dict[str, Any] = {
        "manifest": MANIFEST,
        "stage": stage,
        "receipt": new_id(),
        "at": examples.NOW,
        "code": "message.expired" if stage is Stage.REFUSED else None,
    }
    return next_receipt(previous, **{**facts, **changes})


def _chain(*stages: Stage) -> list[Receipt]:
    chain: list[Receipt] = []
    for stage in stages:
        chain.append(_next(chain[-1] if chain else None, stage))
    return chain


def _until(stage: Stage | None) -> list[Receipt]:
    if stage is None:
        return []
    if stage is Stage.REFUSED:
        return _chain(Stage.DELIVERED, Stage.REFUSED)
    return _chain(*GOOD[: GOOD.index(stage) + 1])


@pytest.mark.parametrize(("before", "after"), MOVES)
def test_every_move_is_allowed_by_the_table_or_refused(before: Stage | None, after: Stage) -> None:
    chain = _until(before)
    previous = chain[-1] if chain else None

    if after in ALLOWED_NEXT[before]:
        chain.append(_next(previous, after))
        assert check_chain(chain, MANIFEST.digest()) is after
        return

    with pytest.raises(ReceiptOutOfOrder) as refusal:
        _next(previous, after)
    assert refusal.value.code == "message.receipt_out_of_order"
    forged = replace(
        _next(None, Stage.DELIVERED),
        stage=after,
        previous=None if previous is None else previous.digest(),
    )
    with pytest.raises(ReceiptOutOfOrder):
        check_chain([*chain, forged], MANIFEST.digest())


def test_the_table_knows_ten_moves_and_no_way_from_refused_to_applied() -> None:
    assert sum(len(following) for following in ALLOWED_NEXT.values()) == 10
    reached: set[Stage | None] = {Stage.REFUSED}
    for _ in Stage:
        reached |= {after for before in reached for after in ALLOWED_NEXT[before]}
    assert Stage.APPLIED not in reached


def test_no_receipts_yet_is_a_chain_too() -> None:
    assert check_chain([], MANIFEST.digest()) is None


def test_a_receipt_states_what_it_was_told() -> None:
    receipt = _next(None, Stage.DELIVERED, rows=3, findings=2, note_ja="到達しました。")

    assert (receipt.site, receipt.transfer, receipt.attempt) == (
        "public-cloud",
        MANIFEST.transfer,
        1,
    )
    assert (receipt.rows, receipt.findings, receipt.note_ja) == (3, 2, "到達しました。")
    assert receipt.manifest_digest == MANIFEST.digest()


@pytest.mark.parametrize("at", range(1, 5))
def test_a_receipt_left_out_breaks_the_chain(at: int) -> None:
    chain = _chain(*GOOD)
    del chain[at - 1]

    with pytest.raises(ReceiptOutOfOrder):
        check_chain(chain, MANIFEST.digest())


@pytest.mark.parametrize("at", range(5))
def test_a_receipt_changed_afterwards_breaks_the_chain(at: int) -> None:
    chain = [*_chain(*GOOD), None]
    altered = chain[at]
    assert altered is not None
    chain[at] = replace(altered, findings=altered.findings + 1)

    if at < 4:  # the last one is held by its signature alone
        with pytest.raises(ReceiptOutOfOrder):
            check_chain([receipt for receipt in chain if receipt], MANIFEST.digest())


def test_the_right_order_of_stages_with_a_wrong_link_is_refused() -> None:
    one, two = _chain(Stage.DELIVERED, Stage.OPENED), _chain(Stage.DELIVERED, Stage.OPENED)

    with pytest.raises(ReceiptOutOfOrder):
        check_chain([one[0], two[1]], MANIFEST.digest())


@pytest.mark.parametrize(
    "changes",
    [
        {"transfer": examples.OTHER},
        {"attempt": 2},
        {"tenant": "999989"},
        {"site": "asp-relay"},
        {"manifest_digest": "sha256:" + "0" * 64},
    ],
)
def test_a_receipt_about_something_else_is_refused(changes: dict[str, Any]) -> None:
    first, second = _chain(Stage.DELIVERED, Stage.OPENED)

    with pytest.raises(ReceiptForeign) as refusal:
        check_chain([first, replace(second, **changes)], MANIFEST.digest())

    assert refusal.value.field in changes


def test_receipts_of_another_manifest_are_refused() -> None:
    with pytest.raises(ReceiptForeign):
        check_chain(_chain(*GOOD), examples.manifest(attempt=2).digest())
    with pytest.raises(ReceiptForeign):
        _next(_next(None, Stage.DELIVERED), Stage.OPENED, manifest=examples.manifest(attempt=2))


@pytest.mark.parametrize(
    ("stage", "code"), [(Stage.REFUSED, None), (Stage.APPLIED, "message.expired")]
)
def test_a_refusal_needs_a_reason_and_nothing_else_has_one(stage: Stage, code: str | None) -> None:
    with pytest.raises(ValueError, match="code"):
        _next(None, stage, code=code)
