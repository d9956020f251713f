"""Find out whether an agreement is what was decided: signatures, chain, rules, row. Pure.

Nothing of a row is believed by itself. What holds is what the signed moves say, each naming the one
before; the row has to say the same. :func:`verified` is asked at every use, so that a changed row
lets nothing leave; :func:`missing_in` also finds that the end of a history was cut off, for every
move stands in the evidence log as well.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NoReturn

from kumobashi.agreements import processors
from kumobashi.agreements.acting import check_four_eyes
from kumobashi.agreements.contents import Application, text_digest
from kumobashi.agreements.errors import AgreementForged, FourEyes
from kumobashi.agreements.moves import Move, read_move
from kumobashi.agreements.records import Agreement, Row
from kumobashi.agreements.states import Act, after
from kumobashi.crypto.errors import CryptoFailed
from kumobashi.crypto.keys import VerifyKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Trusted:
    """Whose moves count: the keys of this site, by ``kid``."""

    tenant: str
    site: str
    keys: Mapping[str, VerifyKey]


def verified(row: Row, tokens: Sequence[str], trusted: Trusted) -> Agreement:
    """Return the agreement that a row and its signed moves make.

    Raises:
        AgreementForged: says which of them does not fit.
    """
    moves = tuple(_read(row, number, token, trusted) for number, token in enumerate(tokens, 1))
    if not moves:
        _refuse(row, "履歴がありません", "it has no history")
    _check_chain(row, moves, trusted)
    _check_rules(row, moves)
    _check_row(row, moves)
    try:
        application = Application.decode(row.content)
        register = processors.decode(row.processors)
    except (ValueError, KeyError, TypeError, IndexError):
        _refuse(row, "申請の内容が読めません", "the application cannot be read")
    said = (application.link, application.plan.hash, application.first.isoformat())
    if (*said, application.last.isoformat()) != (
        row.link, row.plan_hash, row.first_day, row.last_day,
    ):  # fmt: skip
        _refuse(row, "行が申請の内容と違います", "the row is not what was applied for")
    return Agreement(row=row, application=application, register=register, moves=moves)


def missing_in(agreement: Agreement, evidence: Collection[tuple[str, str]]) -> list[Move]:
    """Return the moves that the evidence log does not know; ``evidence`` are (id, move) pairs."""
    return [
        move for move in agreement.moves if (agreement.agreement, move.digest()) not in evidence
    ]


def cut_off(agreement: Agreement, evidence: Collection[tuple[str, str]]) -> int:
    """Return how many moves the evidence log knows that the history has not."""
    held = {move.digest() for move in agreement.moves}
    return sum(1 for name, move in evidence if name == agreement.agreement and move not in held)


def _read(row: Row, number: int, token: str, trusted: Trusted) -> Move:
    try:
        return read_move(token, trusted.keys)
    except (CryptoFailed, ValueError):
        _refuse(
            row,
            f"{number}番目の手続の署名が正しくありません",
            f"the signature of move {number} does not hold",
        )


def _check_chain(row: Row, moves: Sequence[Move], trusted: Trusted) -> None:
    for number, move in enumerate(moves, 1):
        mine = (move.tenant, move.site, move.agreement, move.number)
        if mine != (trusted.tenant, trusted.site, row.agreement, number):
            _refuse(
                row,
                f"{number}番目の手続が別のものです",
                f"move {number} belongs somewhere else",
            )
    if moves[0].previous is not None or moves[0].act is not Act.CREATE:
        _refuse(row, "最初の手続がありません", "the first move is missing")
    for one, then in pairwise(moves):
        if then.previous != one.digest() or then.before is not one.after or then.at < one.at:
            _refuse(
                row,
                f"{then.number}番目の手続が、前の手続につながりません",
                f"move {then.number} does not follow the one before",
            )


def _check_rules(row: Row, moves: Sequence[Move]) -> None:
    """Look at every move as the rules do that never change: the table, and four eyes."""
    begun = 0
    for at, move in enumerate(moves):
        is_first = at == 0
        if after(move.before, move.act) is not move.after or is_first is not (
            move.act is Act.CREATE
        ):
            _refuse(
                row,
                f"{move.number}番目の手続は許されないものです",
                f"move {move.number} is not allowed",
            )
        if move.act is Act.SUBMIT:
            begun = at
        try:
            check_four_eyes(move.act, move.persons, moves[:at], moves[begun:at])
        except FourEyes:
            _refuse(
                row,
                f"{move.number}番目の手続は、申請・審査した本人のものです",
                f"move {move.number} was made by who applied or reviewed",
            )
        # What was applied for stays as it is until it is sent back.
        if at and move.act is not Act.EDIT and move.content != moves[at - 1].content:
            _refuse(
                row,
                f"{move.number}番目の手続で、申請の内容が変わっています",
                f"the application changed in move {move.number}",
            )


def _check_row(row: Row, moves: Sequence[Move]) -> None:
    head = moves[-1]
    held: tuple[object, ...] = (
        row.tenant, row.state, row.revision, row.plan_hash, row.number,
        text_digest(row.content), text_digest(row.processors),
    )  # fmt: skip
    said = (
        head.tenant, head.after, head.revision, head.plan_hash, head.document,
        head.content, head.processors,
    )  # fmt: skip
    names = ("団体", "状態", "版", "事前点検", "文書番号", "申請の内容", "再委託台帳")
    names_en = ("tenant", "state", "revision", "plan", "number", "application", "register")
    for ja, en, mine, theirs in zip(names, names_en, held, said, strict=True):
        if mine != theirs:
            _refuse(row, f"「{ja}」が手続の記録と違います", f"its {en} is not what was signed")


def _refuse(row: Row, ja: str, en: str) -> NoReturn:
    raise AgreementForged(agreement=row.number or row.agreement, what=ja, what_en=en)
