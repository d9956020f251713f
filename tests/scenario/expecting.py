"""What must stand at the receiver, worked out here in plain Python from the sender's own tables."""

import random
from collections import Counter
from typing import Any

from kumobashi.testing.faults.converting import for_cp932, plain, token_key, tokens_of
from kumobashi.testing.ledgers import IN_FINAL, OUT_FINAL
from kumobashi.testing.town import SITES, Town

Rows = Counter[tuple[Any, ...]]
NOTICES, NHI = "notice-attributes", "resident-to-nhi"
_NHI_COLUMNS = (
    "resident_no, family_name, given_name, family_name_kana, given_name_kana, sex, birth_date,"
    " relationship, household_no, town_code, town_name, address_number, address_building,"
    " postal_code"
)
_LIVING = "resident_status = '1'"


def tokens(town: Town, numbers: list[str], system: str = "notice-cloud") -> dict[str, str]:
    """Return token by resident number."""
    return tokens_of(token_key(town.folder / "private/hall-core/token.key"), numbers, system)


def expected(town: Town, link: str) -> Rows:
    """Return the rows that the receiver must have when the link has run."""
    if link == NHI:
        read = town.sql(
            "integrated-db", f"select {_NHI_COLUMNS} from resident_registry where {_LIVING}"
        )
        return Counter(row for row in map(for_cp932, read) if row is not None)
    read = town.sql(
        "integrated-db",
        "select resident_no, sex, (year(birth_date) * 100 + month(birth_date))::int, town_code"
        f" from resident_registry where {_LIVING}",
    )
    token = tokens(town, [row[0] for row in read])
    return Counter((token[row[0]], *row[1:]) for row in read)


def got(town: Town, link: str) -> Rows:
    """Return the rows that the receiver has."""
    if link == NHI:
        return Counter(map(plain, town.sql("nhi", f"select {_NHI_COLUMNS} from insured_residents")))
    return Counter(
        town.sql("notice-cloud", "select token, sex, birth_ym, town_code from notice_attributes")
    )


def change_some(town: Town, chance: random.Random, link: str) -> None:
    """Change the source, so that a run that was not applied would be seen."""
    numbers = [
        row[0]
        for row in town.sql(
            "integrated-db",
            f"select resident_no from resident_registry where {_LIVING} order by resident_no",
        )
    ]
    some = chance.sample(numbers, 9)
    swapped, gone = "', '".join(some[:8]), some[8]
    town.change(
        "integrated-db",
        "update resident_registry set sex = case sex when '1' then '2' else '1' end"
        f" where resident_no in ('{swapped}')",
        f"update resident_registry set resident_status = '2' where resident_no = '{gone}'",
    )


def check_settled(town: Town, transfer: str, link: str) -> None:
    """Assert everything that must hold once a transfer is applied."""
    system = "nhi" if link == NHI else "notice-cloud"
    wished, held = expected(town, link), got(town, link)
    missing, surplus = wished - held, held - wished
    assert (len(missing), len(surplus)) == (0, 0), (list(missing)[:2], list(surplus)[:2])
    once = town.sql(system, f"select count(*) from kumobashi_applied where transfer = '{transfer}'")
    assert once == [(1,)]
    sender = town.ledger("hall-core")
    assert sender.stages(transfer) == ["delivered", "opened", "validated", "applied"]
    assert [row.state for row in sender.outgoing(transfer)] == ["applied"]
    assert unquiet(town) == []


def unquiet(town: Town) -> list[str]:
    """Return what gateways still have to do, and what of payloads still lies about."""
    found = []
    for site in SITES:
        ledger = town.ledger(site)
        rows = [row for row in ledger.outgoing() if row.state not in OUT_FINAL]
        rows += [row for row in ledger.incoming() if row.state not in IN_FINAL]
        found += [f"{site}: {row.transfer} {row.state} {row.cause}" for row in rows]
        found += [f"{site}: {path.relative_to(town.folder)}" for path in ledger.spooled()]
        found += [f"{site}: {path.relative_to(town.folder)}" for path in ledger.at_work()]
    return found
