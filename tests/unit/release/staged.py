"""Rules run on a few invented rows that are staged by hand, at any level of their ladders."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any

import duckdb

from kumobashi.crypto.keys import TokenKey
from kumobashi.release.releasing import OnFindings, Released, release
from kumobashi.release.rules import ReleaseRule
from kumobashi.release.staging import stages

ON = date(2026, 11, 22)
KEY = TokenKey(bytes(range(32)))
TYPES = {
    "resident_no": "varchar",
    "household_no": "varchar",
    "relationship": "varchar",
    "birth_date": "date",
    "town_code": "varchar",
    "family_name": "varchar",
    "income": "bigint",
}
Row = Mapping[str, Any]
TOKEN = {"name": "token", "op": "token", "of": "resident_no"}


def rule(*columns: Mapping[str, Any], **more: Any) -> ReleaseRule:
    """Return a rule over residents that also sends their tokens."""
    said = {
        "kumobashi": 1,
        "release": "r",
        "version": 1,
        "name": "例",
        "datasets": {"residents": "db.residents", "areas": "db.areas", "tax": "db.tax"},
        "subject": {"dataset": "residents", "key": "resident_no", "household": "household_no"},
        "columns": [TOKEN, *columns],
        "allow_empty": True,
    }
    return ReleaseRule.model_validate({**said, **more})


class Staged:
    """A working database that holds what ``rule`` reads."""

    def __init__(
        self, rule: ReleaseRule, residents: Sequence[Row], **others: Sequence[Row]
    ) -> None:
        self.rule = rule
        self.work = duckdb.connect(config={"threads": 1})
        self.residents = residents
        for stage in stages(rule, purpose="p", on=ON):
            rows = residents if stage.dataset == "residents" else others[stage.dataset]
            kinds = [f"{name} {TYPES.get(name, 'varchar')}" for name in stage.columns]
            self.work.execute(f"create table {stage.name} ({', '.join(kinds)})")
            for row in rows:
                marks = ", ".join("?" for _ in stage.columns)
                values = [row[name] for name in stage.columns]
                self.work.execute(f"insert into {stage.name} values ({marks})", values)

    def release(
        self, levels: Mapping[str, int] | None = None, on_findings: OnFindings = "go_on"
    ) -> Released:
        return release(
            self.rule.at_levels(levels or {}),
            self.work,
            {"residents": len(self.residents)},
            on=ON,
            pads=KEY.hmac_pads(),
            on_findings=on_findings,
        )

    def rows(self, levels: Mapping[str, int] | None = None, **how: Any) -> dict[str, Row]:
        """Return the released rows by resident number."""
        columns = self.release(levels, **how).columns
        found = self.work.execute("select * from released").fetchall()
        by_token = {row[0]: dict(zip(columns, row, strict=True)) for row in found}
        numbers = [row["resident_no"] for row in self.residents]
        return {n: by_token[KEY.token(n)] for n in numbers if KEY.token(n) in by_token}

    def values(
        self, column: str, levels: Mapping[str, int] | None = None, **how: Any
    ) -> dict[str, Any]:
        """Return the released values of a column by resident number."""
        return {number: row[column] for number, row in self.rows(levels, **how).items()}


@contextmanager
def staged(rule: ReleaseRule, residents: Sequence[Row], **others: Any) -> Iterator[Staged]:
    """Give a working database, and close it."""
    held = Staged(rule, residents, **others)
    try:
        yield held
    finally:
        held.work.close()


def person(number: int | str, **said: Any) -> dict[str, Any]:
    """Return a resident who lives alone unless it is said."""
    return {
        "resident_no": str(number),
        "household_no": f"h{number}",
        "relationship": "02",
        "birth_date": date(1990, 5, 14),
        "town_code": "9999970012003",
        "family_name": "架空",
        "income": 0,
        **said,
    }


def values_of(column: Mapping[str, Any], key: str, given: Sequence[Any], **how: Any) -> list[Any]:
    """Return what an operation makes of values of one column."""
    people = [person(n, **{key: value}) for n, value in enumerate(given)]
    with staged(rule(column), people) as held:
        found = held.values(column["name"], **how)
        return [found[str(n)] for n in range(len(given))]
