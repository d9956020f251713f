"""Every row of every rule table decides a permit and a denial: all of them are walked.

What is expected comes from ``slow_scan``, which reads the files by itself, row by row. For each row
a question is derived that this row decides, and the nearest one that it does not: a day on which it
does not hold, another zone, a condition left out.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import product
from typing import Any

import pytest

from kumobashi.kernel import Zone
from kumobashi.policy.deciding import decide
from kumobashi.policy.levels import Held, reliability
from kumobashi.policy.linkage import answers, ask_of, load_linkage
from kumobashi.policy.questions import Crossing, Question
from kumobashi.policy.tables import Tables, load_tables
from kumobashi.policy.who_may import Ask, WhoMay
from tests.unit.policy.asking import AT, basis, item, question, receiver
from tests.unit.policy.slow_scan import SAMPLE, TABLES, Line, deciding, lines

HELD = load_tables(own=SAMPLE)
FORMS = ("kept", "coarsened", "flag", "token", "derived")
ONE_DAY = timedelta(days=1)
NOBODY = "somebody-no-row-names"


@dataclass
class Seen:
    """Which rows decided a permit, and which a denial."""

    permits: set[str] = field(default_factory=set)
    denials: set[str] = field(default_factory=set)


def everything(name: str) -> list[Line]:
    """Return our rows and those of the sample city."""
    return [*lines(name), *lines(name, SAMPLE)]


def day_of(row: Line) -> date:
    """Return a day on which a row holds: today, if it does."""
    today = date(2026, 11, 22)
    return today if row.holds(today) else date.fromisoformat(row["valid_from"])


def days_outside(row: Line) -> list[date]:
    """Return the day before a row begins, and the day after it ends."""
    outside = [date.fromisoformat(row["valid_from"]) - ONE_DAY]
    if row["valid_to"]:
        outside.append(date.fromisoformat(row["valid_to"]) + ONE_DAY)
    return outside


def asked_of(row: Line, rows: Sequence[Line], columns: Sequence[str]) -> dict[str, str]:
    """Return a question that this row decides: what it names, and for ``*`` what leads to it."""
    day, choices = day_of(row), []
    for column in columns:
        named = sorted({other[column] for other in rows} - {"*"})
        zone = "zone" in column or column == "jurisdiction"
        free = named if zone else [NOBODY, *named]
        choices.append(free if row[column] == "*" else [row[column]])
    for values in product(*choices):
        asked = dict(zip(columns, values, strict=True))
        if [found.place for found in deciding(rows, columns, asked, day)] == [row.place]:
            return asked
    raise AssertionError(f"no question leads to {row.place}")


def neighbours(
    row: Line, rows: Sequence[Line], columns: Sequence[str], asked: Mapping[str, str]
) -> Iterator[tuple[dict[str, str], date]]:
    """Give questions that differ in one thing: the day, or one of the columns."""
    for day in days_outside(row):
        yield dict(asked), day
    for column in columns:
        for value in sorted({other[column] for other in rows} - {"*", asked[column]}):
            yield {**asked, column: value}, day_of(row)
        if "zone" not in column:
            yield {**asked, column: NOBODY}, day_of(row)


MAY = ("from_unit", "to_unit", "kind", "purpose", "from_zone", "to_zone")


def test_every_row_of_who_may() -> None:
    rows, seen = everything("who_may.csv"), Seen()
    for row in rows:
        asked, is_permit = asked_of(row, rows, MAY), row["permit"] == "yes"
        ruling = HELD.who_may.on(day_of(row)).decide(Ask(**asked))

        assert ruling.is_permitted is is_permit, row.place
        assert ruling.places == (row.place,)
        (seen.permits if is_permit else seen.denials).add(row.place)
        others = 0
        for other, day in neighbours(row, rows, MAY, asked):
            expected = deciding(rows, MAY, other, day)
            found = HELD.who_may.on(day).decide(Ask(**other))
            assert set(found.places) == {line.place for line in expected}
            permits = bool(expected) and all(line["permit"] == "yes" for line in expected)
            assert found.is_permitted is permits
            if not is_permit and row.place not in found.places:
                others += 1  # a denial is met by a question that another row, or none, decides
            if is_permit and not permits:
                others += 1
                assert found.code in ("policy.not_listed", "policy.forbidden")
        assert others, row.place
        (seen.denials if is_permit else seen.permits).add(row.place)

    assert seen.permits == seen.denials == {row.place for row in rows}
    assert len(rows) >= 80


@pytest.mark.parametrize("own", [False, True])
def test_every_row_of_who_may_says_in_which_forms_and_on_which_bases(*, own: bool) -> None:
    rows = everything("who_may.csv")
    for row in (r for r in rows if r.is_own is own and r["permit"] == "yes"):
        ruling = HELD.who_may.on(day_of(row)).decide(Ask(**asked_of(row, rows, MAY)))
        listed = FORMS if row["forms"] == "*" else tuple(row["forms"].split("+"))
        accepted = [] if row["bases"] in ("*", "") else row["bases"].split("+")

        assert set(ruling.forms) == set(listed)
        for code in {line["code"] for line in everything("legal_bases.csv")}:
            assert ruling.rests_on(code) is (not accepted or code in accepted)


def flowing(model: str, from_zone: str, to_zone: str, by: str) -> Question:
    """Return a question whose way is one connection, with every condition met."""
    asked = question("none", "nhi", "p", "61", to_zone=Zone(to_zone))
    hop = Crossing(
        from_zone=Zone(from_zone),
        to_zone=Zone(to_zone),
        by=by,
        by_ja=by,
        from_ja="甲",
        to_ja="乙",
        where=AT,
    )
    ismap = Held(name="ISMAP", number="C00-0000-0", scope="全部", valid_to=date.max)
    certified = replace(asked.receiver, certifications=(ismap,))
    return replace(asked, model=model, hops=(hop,), sources=(), receiver=certified)


FLOW = ("model", "from_zone", "to_zone", "by")
BROKEN: Mapping[str, Mapping[str, Any]] = {
    "coarsened": {"items": (item("kept", sensitivity="personal"),), "to_zone": Zone.MYNUMBER},
    "consent": {"has_consent": False},
    "certified": {"receiver": receiver("nhi")},
}


def refusals(q: Question, on: date) -> dict[str, str]:
    """Return the codes that refuse, with the row of each."""
    found = decide(q, HELD, on=on).reasons
    return {reason.code: reason.origin.place if reason.origin else "" for reason in found}


def test_every_row_of_zone_flows() -> None:
    rows, seen = everything("zone_flows.csv"), Seen()
    for row in rows:
        asked, on = asked_of(row, rows, FLOW), day_of(row)
        q, is_permit = flowing(**asked), row["permit"] == "yes"
        decision = decide(q, HELD, on=on)

        assert row.place in [origin.place for origin in decision.rows]
        assert decision.is_permitted is is_permit, row.place
        if is_permit:
            seen.permits.add(row.place)
            for condition in filter(None, row["conditions"].split("+")):
                broken = replace(q, **BROKEN[condition])
                assert refusals(broken, on)["policy.flow_conditions"] == row.place
        else:
            assert refusals(q, on) == {"policy.flow_forbidden": row.place}
            seen.denials.add(row.place)
        for other, day in neighbours(row, rows, FLOW, asked):
            expected = deciding(rows, FLOW, other, day)
            permits = bool(expected) and expected[0]["permit"] == "yes"
            found = refusals(flowing(**other), day)
            found.pop("policy.unknown_basis", None)  # the basis has days of its own
            assert (not found) is permits
            if is_permit and not permits:
                seen.denials.add(row.place)
            if not is_permit and row.place not in found.values():
                seen.permits.add(row.place)

    assert seen.permits == seen.denials == {row.place for row in rows}


def test_all_four_models_answer_for_every_pair_of_zones() -> None:
    rows = everything("zone_flows.csv")
    models = ("alpha", "alpha_prime", "beta", "beta_prime")
    for model, from_zone, to_zone in product(models, Zone, Zone):
        asked = {"model": model, "from_zone": from_zone.value, "to_zone": to_zone.value,
                 "by": NOBODY}  # fmt: skip
        (decides,) = deciding(rows, FLOW, asked, date(2026, 11, 22))

        assert decides["permit"] == "no"  # what no row names is refused, with its remedy
        assert decides["remedy_ja"]


def test_every_row_of_forms() -> None:
    rows, seen = everything("forms.csv"), Seen()
    for row in rows:
        on, is_permit = day_of(row), row["permit"] == "yes"
        one = item(row["form"], sensitivity=row["sensitivity"])
        asked = question("none", "nhi", "p", "61", to_zone=Zone(row["zone"]))
        asked = replace(asked, sources=(), items=(one,))
        before = refusals(asked, date.fromisoformat(row["valid_from"]) - ONE_DAY)

        if is_permit:
            assert decide(asked, HELD, on=max(on, date(2023, 4, 1))).is_permitted
            assert "policy.unknown_form" in before
            if row["needs_consent"] == "yes":
                unasked = refusals(replace(asked, has_consent=False), on)
                assert unasked == {"policy.item_needs_consent": row.place}
        else:
            assert refusals(asked, on) == {"policy.item_forbidden": row.place}
            others = [
                replace(asked, to_zone=Zone(other["zone"]), items=(
                    item(other["form"], sensitivity=other["sensitivity"]),))
                for other in rows
                if other["permit"] == "yes" and other["sensitivity"] == row["sensitivity"]
            ]  # fmt: skip
            assert any(decide(other, HELD, on=on).is_permitted for other in others)
        seen.permits.add(row.place)
        seen.denials.add(row.place)

    assert seen.permits == seen.denials == {row.place for row in rows}


NEEDS = {
    "needs_consent": ({"consent": None}, "policy.no_consent"),
    "needs_note": ({"note": None}, "policy.no_note"),
    "needs_ordinance": ({"ordinance": None}, "policy.no_ordinance"),
}


def test_every_row_of_legal_bases() -> None:
    rows, seen = everything("legal_bases.csv"), Seen()
    for row in rows:
        asked = question("none", "nhi", "p", row["code"], to_zone=Zone.MYNUMBER)
        asked, on = replace(asked, sources=()), day_of(row)

        decision = decide(asked, HELD, on=on)
        assert decision.is_permitted
        assert row.place in [origin.place for origin in decision.rows]
        seen.permits.add(row.place)
        for column, (without, code) in NEEDS.items():
            lacking = replace(asked, basis=basis(row["code"], **{"consent": "p", **without}))
            assert (code in refusals(lacking, on)) is (row[column] == "yes")
        unchecked = replace(asked, basis=basis(row["code"], proviso=None))
        assert ("policy.no_proviso" in refusals(unchecked, on)) is (row["proviso"] == "refuse")
        outside = refusals(replace(asked, to_zone=Zone.INTERNET), on)
        assert ("policy.in_hall_only" in outside) is (row["in_hall_only"] == "yes")
        for day in days_outside(row):
            assert refusals(asked, day)["policy.unknown_basis"] == ""
            seen.denials.add(row.place)

    assert seen.permits == seen.denials == {row.place for row in rows}


def test_every_row_of_retention_classes() -> None:
    rows, seen = everything("retention_classes.csv"), Seen()
    for row in rows:
        held = HELD.retention(row["code"], on=day_of(row))
        assert held is not None
        assert (held.days, held.is_by_law) == (int(row["days"]), row["by_law"] == "yes")
        seen.permits.add(held.origin.place)
        for day in days_outside(row):
            assert HELD.retention(row["code"], on=day) is None
            seen.denials.add(row.place)

    assert seen.permits == seen.denials == {row.place for row in rows}


def test_every_row_of_units() -> None:
    rows, seen = everything("units.csv"), Seen()
    for row in rows:
        asked = question("none", row["unit"], "p", "61", to_zone=Zone.MYNUMBER)
        asked, on = replace(asked, sources=()), day_of(row)
        unit = HELD.unit(row["unit"], on=on)

        assert unit is not None
        assert unit.protection_level == row["protection_level"]
        assert unit.keeps_tax_secrecy is (row["tax_secrecy"] == "yes")
        assert "policy.unit_unknown" not in refusals(asked, on)
        if row["business"]:
            assert HELD.unit_of_business(row["business"], on=on) is unit
        seen.permits.add(unit.origin.place)
        for day in days_outside(row):
            assert "policy.unit_unknown" in refusals(asked, day)
            seen.denials.add(row.place)

    assert seen.permits == seen.denials == {row.place for row in rows}


def test_every_row_of_information_kinds() -> None:
    rows, seen = everything("information_kinds.csv"), Seen()
    for row in rows:
        on = day_of(row)
        kind = HELD.kind(row["kind"], on=on)
        assert kind is not None
        assert (kind.confidentiality, kind.unit) == (row["confidentiality"], row["unit"])
        # a layout of the test's own stands for kinds that no layout of ours holds
        held = tuple(
            replace(k, layouts=(*k.layouts, "probe")) if k.kind == row["kind"] else k
            for k in HELD.kinds
        )
        tables = replace(HELD, kinds=held)
        for layout in ("probe", *filter(None, row["layouts"].split("+"))):
            for code in ("61", "69-1-tax", "ordinance-9-2"):
                asked = question(layout, "nhi", "p", code, "flag", to_zone=Zone.MYNUMBER)
                told = {reason.code for reason in decide(asked, tables, on=on).reasons}
                assert "policy.no_kind" not in told
                assert ("policy.tax_secrecy" in told) is (
                    row["tax"] == "yes" and code != "69-1-tax"
                )
                assert ("policy.specific_needs_number_law" in told) is (
                    row["specific"] == "yes" and code != "ordinance-9-2"
                )
            for day in days_outside(row):
                told = {reason.code for reason in decide(asked, tables, on=day).reasons}
                assert told & {"policy.no_kind", "policy.unit_unknown"}
                seen.denials.add(row.place)
        seen.permits.add(kind.origin.place)

    assert seen.permits == seen.denials == {row.place for row in rows}


MASK = ("from_level", "to_level", "kind")


def test_every_row_of_level_masks() -> None:
    rows, seen = everything("level_masks.csv"), Seen()
    for row in rows:
        asked = asked_of(row, rows, MASK)
        found = HELD.mask(*(asked[column] for column in MASK), on=day_of(row))
        assert found is not None
        assert found.origin.place == row.place
        listed = FORMS if row["forms"] == "*" else tuple(filter(None, row["forms"].split("+")))
        assert set(found.forms) == set(listed)
        (seen.permits if listed else seen.denials).add(row.place)
        for other, day in neighbours(row, rows, MASK, asked):
            expected = deciding(rows, MASK, other, day)
            other_row = HELD.mask(*(other[column] for column in MASK), on=day)
            assert ([other_row.origin.place] if other_row else []) == [r.place for r in expected]
            forms = set(other_row.forms) if other_row else set()
            if set(listed) - forms:
                seen.denials.add(row.place)
            if forms - set(listed):
                seen.permits.add(row.place)

    assert seen.permits == seen.denials == {row.place for row in rows}


CLOUD = ("confidentiality", "form", "level", "jurisdiction")


def test_every_row_of_cloud_levels() -> None:
    rows, seen = everything("cloud_levels.csv"), Seen()
    elsewhere = dict.fromkeys(CLOUD, "US") | {"valid_from": "9999", "valid_to": ""}
    abroad = [*rows, Line("nowhere", is_own=False, cells=elsewhere)]
    for row in rows:
        asked = asked_of(row, abroad, CLOUD)
        asked = {**asked, "form": "coarsened"} if row["form"] == "*" else asked
        found = HELD.cloud(*(asked[column] for column in CLOUD), on=day_of(row))
        assert found is not None
        assert found.origin.place == row.place
        assert found.is_permitted is (row["permit"] == "yes")
        (seen.permits if found.is_permitted else seen.denials).add(row.place)
        for other, day in neighbours(row, abroad, CLOUD, asked):
            expected = deciding(rows, CLOUD, other, day)
            other_row = HELD.cloud(*(other[column] for column in CLOUD), on=day)
            assert ([other_row.origin.place] if other_row else []) == [r.place for r in expected]
            permits = bool(other_row and other_row.is_permitted)
            if found.is_permitted and not permits:
                seen.denials.add(row.place)
            if not found.is_permitted and permits:
                seen.permits.add(row.place)

    assert seen.denials == {row.place for row in rows}
    assert seen.permits == {row.place for row in rows}


def test_every_row_of_certification_levels() -> None:
    rows, seen = everything("certification_levels.csv"), Seen()
    for row in rows:
        on = day_of(row)
        held = Held(name=row["name"], number="1", scope="全部", valid_to=on)

        def level(held: Held, day: date) -> str:
            return reliability([held], HELD.certifications, on=day).level

        assert level(held, on) == row["level"]
        seen.permits.add(row.place)
        lacking: Mapping[str, str] = {
            "number": "needs_number",
            "scope": "needs_scope",
            "valid_to": "needs_expiry",
        }
        for fact, column in lacking.items():
            expected = "0" if row[column] == "yes" else row["level"]
            without: Mapping[str, Any] = {fact: None}
            assert level(replace(held, **without), on) == expected
        assert level(held, on + ONE_DAY) == "0"
        for day in days_outside(row):
            assert level(replace(held, valid_to=date.max), day) == "0"
            seen.denials.add(row.place)

    assert seen.permits == seen.denials == {row.place for row in rows}


LINKAGE = ("inquirer", "affair", "provider", "information")


def test_every_answer_of_the_fictional_linkage_table() -> None:
    raw = lines("linkage.csv", TABLES / "samples")
    rules, seen, pairs = WhoMay(answers(load_linkage())), Seen(), 0
    providers = {name for row in raw for name in row["providers"].split("+")}
    for row in raw:
        named = row["providers"].split("+")
        for provider, information in product(named, row["information"].split("+")):
            pairs += 1
            asked = ask_of(inquirer=row["inquirer"], affair=row["affair"], provider=provider,
                           information=information)  # fmt: skip
            assert rules.on(day_of(row)).decide(asked).is_permitted
            seen.permits.add(row.place)
            for day in days_outside(row):
                assert rules.on(day).decide(asked).code == "policy.not_listed"
            for other in providers - {provider}:
                may = any(
                    line.holds(day_of(row))
                    and line["affair"] == row["affair"]
                    and other in line["providers"].split("+")
                    and information in line["information"].split("+")
                    for line in raw
                )
                ruling = rules.on(day_of(row)).decide(asked._replace(from_unit=other))
                assert ruling.is_permitted is may
                if not may:
                    seen.denials.add(row.place)

    assert pairs == 555
    assert seen.permits == seen.denials == {row.place for row in raw}


def test_no_table_is_left_out() -> None:
    walked = {
        "who_may.csv", "zone_flows.csv", "forms.csv", "legal_bases.csv", "retention_classes.csv",
        "units.csv", "information_kinds.csv", "level_masks.csv", "cloud_levels.csv",
        "certification_levels.csv",
    }  # fmt: skip

    assert {path.name for path in TABLES.glob("*.csv")} == walked
    assert {path.name for path in SAMPLE.glob("*.csv")} <= walked
    assert {file for file, _ in HELD.every_row()} == walked
    assert sum(1 for _ in HELD.every_row()) == sum(len(everything(name)) for name in walked)


def test_every_permission_can_be_used() -> None:
    """No row permits what another table refuses whatever the basis and the form."""
    bases = [row.code for row in HELD.bases]
    for row in (row for row in HELD.may if row.is_permitted):
        ask = Ask(*row.key)
        purpose = "p" if ask.purpose == "*" else ask.purpose
        held = tuple(
            replace(kind, layouts=(*kind.layouts, "probe")) if kind.kind == ask.kind else kind
            for kind in HELD.kinds
        )
        tables = replace(HELD, kinds=held)
        zone = Zone.INTERNET if ask.to_zone in ("internet", "*") else Zone(ask.to_zone)

        def permits(code: str, form: str, ask: Ask = ask, purpose: str = purpose,
                    zone: Zone = zone, tables: Tables = tables) -> bool:  # fmt: skip
            asked = question("probe", ask.to_unit, purpose, code, form, to_zone=zone)
            begins = Zone.MYNUMBER if ask.from_zone == "*" else Zone(ask.from_zone)
            asked = replace(asked, from_zone=begins)
            return decide(asked, tables, on=date(2026, 11, 22)).is_permitted

        assert any(permits(*one) for one in product(row.bases or bases, row.forms)), row.origin
