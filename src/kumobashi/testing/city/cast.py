"""Collect the rows of people who are put into the city by hand, with what goes without saying.

That is a line in the register, consents, tax from 15, care insurance from 65, medical care of the
old from 75. The stories themselves are in ``casting``.
"""

# ruff: noqa: PLR2004 - ages that the law names

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from kumobashi.testing.city.benefits import tax_year
from kumobashi.testing.city.outsiders import ELSEWHERE
from kumobashi.testing.city.schema import MUNICIPALITY
from kumobashi.testing.city.towns import Town, towns
from kumobashi.testing.city.views import ELSEWHERE_NAME, PREFECTURE

Row = dict[str, Any]
Rows = dict[str, list[Row]]
_ENTRIES, _REMOVALS = {"01", "02", "15"}, {"04", "05", "16"}


class Cast:
    """Collects rows; a home is named by the number of its first person."""

    def __init__(self, on: date, purposes: Sequence[str]) -> None:
        self.on, self.purposes = on, purposes
        self.rows: Rows = {}

    def add(self, table: str, **values: object) -> None:
        """Add one row; columns that are not named are null."""
        self.rows.setdefault(table, []).append(values)

    def ago(self, days: int) -> date:
        """Return the day so many days before that of the city."""
        return self.on - timedelta(days=days)

    def born(self, age: int, month: int, day: int) -> date:
        """Return the birthday of someone who is ``age`` on the day of the city."""
        this_year = date(self.on.year, month, day) <= self.on
        return date(self.on.year - age - (0 if this_year else 1), month, day)

    def person(  # noqa: PLR0913 - a line of the register has so many columns
        self,
        number: int,
        family: tuple[str, str | None],
        given: tuple[str, str | None],
        sex: str,
        born: date,
        *,
        home: int = 0,
        ward: int = 1,
        relationship: str = "02",
        order: int | None = 1,
        status: str = "1",
        kind: str = "1",
        since: date | None = None,
        removed: date | None = None,
        income: int | None = 0,
        **details: object,
    ) -> None:
        """Add a person of the register; ``income`` None means that there is no tax row."""
        no, at = f"{number:010d}", _town(ward)
        since = max(born, since or self.ago(4000))
        last = max(since, removed or since, self.ago(400))
        self.add(
            "resident_registry",
            resident_no=no,
            household_no=f"{home or number:010d}",
            family_name=family[0],
            given_name=given[0],
            family_name_kana=family[1],
            given_name_kana=given[1],
            sex=sex,
            birth_date=born,
            relationship=relationship,
            municipality_code=MUNICIPALITY,
            town_code=at.code,
            town_name=at.name,
            address_number=_wide(f"{(home or number) % 90 + 1}番地"),
            postal_code=at.postal_code,
            resident_kind=kind,
            resident_status=status,
            resident_since=since,
            updated_at=datetime.combine(min(last, self.ago(1)), time(9, 30)),
        )
        unknown = {"birth_date_unknown": "0", **details}
        self.add(
            "resident_details",
            resident_no=no,
            ward_code=str(ward),
            display_order=order if status == "1" else None,
            removed_on=removed,
            **unknown,
        )
        if income is not None and self.age(born) >= 15:
            self.tax(no, income)
        if status == "1":
            self._living(no, born, since)

    def age(self, born: date) -> int:
        """Return the age on the day of the city."""
        before = (self.on.month, self.on.day) < (born.month, born.day)
        return self.on.year - born.year - before

    def tax(self, no: str, income: int) -> None:
        """Add the row of the current tax year."""
        base = max(income - 430_000, 0)
        self.add(
            "resident_tax",
            resident_no=no,
            tax_year=tax_year(self.on),
            exemption_kind="0" if income > 450_000 else "1",
            total_income=income,
            tax_base=base if income > 450_000 else 0,
        )

    def care(self, no: str, born: date, *, level: str | None = None, special: str = "0",
             since: date | None = None, lost: date | None = None) -> None:  # fmt: skip
        """Add a row of the care insurance."""
        certified = self.ago(200) if level else None
        self.add(
            "long_term_care",
            resident_no=no,
            insured_no=no,
            insured_kind="1",
            gained_on=max(_turns(born, 65) - timedelta(days=1), since or date.min),
            lost_on=lost,
            care_level=level,
            certified_on=certified,
            valid_from=certified,
            valid_to=certified + timedelta(days=730) if certified else None,
            premium_stage=3,
            burden_rate=1,
            is_special_address=special,
        )

    def medical(self, no: str, born: date, *, special: str = "0") -> None:
        """Add a row of the medical care of the old."""
        self.add(
            "latter_stage_medical",
            resident_no=no,
            insured_no=no[2:],
            insured_kind="1",
            gained_on=_turns(born, 75),
            burden_rate=1,
            is_special_address=special,
        )

    def insured(self, number: int, since: date, *, home: int, lost: date | None = None,
                kind: str = "1") -> None:  # fmt: skip
        """Add a row of the national health insurance."""
        self.add(
            "national_health_insurance",
            resident_no=f"{number:010d}",
            insured_no=f"97-{home:08d}",
            qualification_kind="0" if lost else kind,
            gained_on=since,
            lost_on=lost,
        )

    def allowance(self, number: int, children: int, decided: date) -> None:
        """Add a recipient of the child allowance."""
        self.add(
            "child_allowance",
            resident_no=f"{number:010d}",
            payment_kind="1",
            children=children,
            decided_on=decided,
        )

    def event(self, number: int, no: int, reason: str, day: date, *, home: int = 0,
              status: str = "1", elsewhere: bool = False) -> None:  # fmt: skip
        """Add an event of the register."""
        prefix = "previous" if reason in _ENTRIES else "destination"
        place = {
            f"{prefix}_municipality_code": ELSEWHERE,
            f"{prefix}_prefecture": PREFECTURE,
            f"{prefix}_municipality": ELSEWHERE_NAME,
        }
        self.add(
            "resident_events",
            municipality_code=MUNICIPALITY,
            resident_no=f"{number:010d}",
            event_no=no,
            event_date=day,
            event_date_unknown="0",
            event_reported_on=day,
            event_kind="1" if reason in _ENTRIES else "2" if reason in _REMOVALS else "3",
            event_reason=reason,
            household_no=f"{home or number:010d}",
            resident_status=status,
            processed_on=day,
            **(place if elsewhere else {}),
        )

    def outsider(  # noqa: PLR0917 - as a clerk would read them out
        self,
        number: int,
        kind: str,
        name: tuple[str, str],
        kana: tuple[str, str],
        sex: str,
        born: date,
        **values: object,
    ) -> None:
        """Add a person without a resident record."""
        plain: Row = {
            "nonresident_no": f"{number:010d}",
            "full_name": "\u3000".join(name),
            "family_name_japanese": name[0],
            "given_name_japanese": name[1],
            "name_yomigana": "\u3000".join(kana),
            "family_name_yomigana": kana[0],
            "given_name_yomigana": kana[1],
            "sex": sex,
            "birth_date": born,
            "address_municipality_code": ELSEWHERE,
            "address_town_id": "0000000",
            "address_prefecture": PREFECTURE,
            "address_municipality": ELSEWHERE_NAME,
            "address_town": "本町",
            "address_block": _wide(f"{number % 900}番地"),
            "business_id": "031",
            "is_representative": 0,
            "operator_id": "KAKU-00001",
            "operated_on": self.ago(900),
            "operated_at": "10:15:00",
            "nonresident_kind": kind,
        }
        self.add("nonresidents", **{**plain, **values})

    def _living(self, no: str, born: date, since: date) -> None:
        for purpose in self.purposes:
            self.add(
                "consents",
                resident_no=no,
                purpose=purpose,
                granted_on=min(max(self.ago(100), since), self.ago(1)),
                version="2026-04",
            )
        level = {"0000000101": "22", "0000000191": "23"}.get(no)
        if self.age(born) >= 65:
            self.care(no, born, level=level)
        if self.age(born) >= 75:
            self.medical(no, born)


def _town(ward: int) -> Town:
    return next(town for town in towns() if town.ward == ward - 1)


def _turns(born: date, years: int) -> date:
    try:
        return born.replace(year=born.year + years)
    except ValueError:  # 29 February
        return date(born.year + years, 3, 1)


def _wide(text: str) -> str:
    return text.translate({ord("0") + digit: ord("０") + digit for digit in range(10)})
