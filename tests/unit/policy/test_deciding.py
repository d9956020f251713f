from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from kumobashi.kernel import Zone
from kumobashi.policy.deciding import (
    AskedItem,
    Basis,
    Crossing,
    Question,
    Receiver,
    Where,
    decide,
)
from kumobashi.policy.errors import PolicyUnreadable
from kumobashi.policy.levels import Held
from kumobashi.policy.tables import FORMS, SENSITIVITIES, load_tables

ON = date(2026, 11, 21)
TABLES = load_tables()
MODELS = ("alpha", "alpha_prime", "beta", "beta_prime")
AT = Where("links/x.yaml", 1, "link")
CONSENT = Basis(
    code="69-2-1",
    consent="p",
    ordinance=None,
    note=None,
    until=date(2027, 3, 31),
    proviso="総務課が確認",
)
ITEM = AskedItem(name="birth_ym", ja="生年月日", sensitivity="personal", form="coarsened", where=AT)
RECEIVER = Receiver(
    unit="notice-service",
    business=None,
    is_outside=False,
    jurisdiction="JP",
    certifications=(),
    ja="お知らせ",
    en="notice",
    where=AT,
    at_site=AT,
)
GOOD = Question(
    model="alpha",
    from_ja="統合DB",
    to_ja="お知らせ",
    from_en="db",
    to_en="notice",
    hops=(),
    from_zone=Zone.MYNUMBER,
    to_zone=Zone.INTERNET,
    basis=CONSENT,
    has_consent=True,
    is_scheduled=True,
    items=(ITEM,),
    sources=(),  # what may go to whom: test_permission.py
    receiver=RECEIVER,
    link=AT,
    at_basis=AT,
    purpose="p",
)


def crossing(from_zone: Zone, to_zone: Zone, by: str) -> Crossing:
    return Crossing(
        from_zone=from_zone, to_zone=to_zone, by=by, by_ja=by, from_ja="甲", to_ja="乙", where=AT
    )


def codes(question: Question, on: date = ON) -> list[str]:
    return [reason.code for reason in decide(question, TABLES, on=on).reasons]


def test_a_flow_with_everything_in_order_is_permitted() -> None:
    decision = decide(GOOD, TABLES, on=ON)

    assert decision.is_permitted
    assert decision.cautions == ()


@pytest.mark.parametrize(
    ("basis", "code"),
    [
        (None, "policy.no_basis"),
        (replace(CONSENT, code="69-2-9"), "policy.unknown_basis"),
        (replace(CONSENT, consent=None), "policy.no_consent"),
        (replace(CONSENT, consent="q"), "policy.other_purpose"),
        (replace(CONSENT, until=date(2026, 11, 20)), "policy.basis_ended"),
        (replace(CONSENT, code="69-1"), "policy.no_note"),
        (replace(CONSENT, code="61"), "policy.no_note"),
        (replace(CONSENT, code="69-2-4"), "policy.no_note"),
        (replace(CONSENT, code="69-2-2", note="理由"), "policy.in_hall_only"),
        (replace(CONSENT, code="ordinance-9-2", ordinance="条例"), "policy.in_hall_only"),
    ],
)
def test_what_a_basis_asks_for_must_be_there(basis: Basis | None, code: str) -> None:
    decision = decide(replace(GOOD, basis=basis), TABLES, on=ON)

    assert [reason.code for reason in decision.reasons] == [code]
    assert all((r.ja, r.en, r.remedy_ja, r.remedy_en, r.example) for r in decision.reasons)


def test_consent_as_a_basis_needs_a_rule_that_keeps_who_consented() -> None:
    assert codes(replace(GOOD, has_consent=False)) == ["policy.consent_not_asked"]


def test_a_basis_counts_only_while_its_row_holds() -> None:
    assert codes(GOOD, date(2023, 3, 31)) == ["policy.unknown_basis"]
    assert codes(GOOD, date(2023, 4, 1)) == []


def test_a_daily_use_beyond_purpose_without_an_end_is_cautioned_not_refused() -> None:
    decision = decide(replace(GOOD, basis=replace(CONSENT, until=None)), TABLES, on=ON)

    assert decision.is_permitted
    assert [caution.code for caution in decision.cautions] == ["policy.continual"]


@pytest.mark.parametrize("model", MODELS)
def test_core_systems_never_reach_the_internet_zone_directly(model: str) -> None:
    for by in ("internet", "ip_vpn", "designated_communication", "same_zone", "carrier pigeon"):
        hop = crossing(Zone.MYNUMBER, Zone.INTERNET, by)
        assert codes(replace(GOOD, model=model, hops=(hop,))) == ["policy.flow_forbidden"]


@pytest.mark.parametrize("model", MODELS)
def test_every_pair_of_zones_has_an_answer_for_whatever_connection(model: str) -> None:
    for from_zone in Zone:
        for to_zone in Zone:
            flow = TABLES.flow(model, from_zone, to_zone, "carrier pigeon", on=ON)
            assert flow is not None
            assert not flow.is_permitted
            assert flow.remedy_ja
            assert flow.remedy_en


def test_the_way_of_the_trial_is_permitted_under_alpha() -> None:
    hops = (
        crossing(Zone.MYNUMBER, Zone.LGWAN, "designated_communication"),
        crossing(Zone.LGWAN, Zone.LGWAN, "lgwan"),
        crossing(Zone.LGWAN, Zone.INTERNET, "ip_vpn"),
    )

    assert codes(replace(GOOD, hops=hops)) == []
    assert codes(replace(GOOD, hops=(crossing(Zone.MYNUMBER, Zone.LGWAN, "lgwan"),))) == [
        "policy.flow_forbidden"
    ]


def test_an_unknown_model_permits_nothing() -> None:
    hop = crossing(Zone.LGWAN, Zone.LGWAN, "lgwan")

    assert codes(replace(GOOD, model="gamma", hops=(hop,))) == ["policy.unknown_flow"]


def test_local_breakout_of_alpha_prime_asks_for_a_certification_that_holds() -> None:
    hop = crossing(Zone.LGWAN, Zone.INTERNET, "internet")
    question = replace(GOOD, model="alpha_prime", hops=(hop,))

    def certified(until: date, name: str = "ISMAP") -> Question:
        held = Held(name=name, number="C00-0000-0", scope="全部", valid_to=until)
        return replace(question, receiver=replace(RECEIVER, certifications=(held,)))

    assert codes(question) == ["policy.flow_conditions"]
    assert codes(certified(date(2026, 11, 20))) == ["policy.flow_conditions"]
    assert codes(certified(ON, "だれも知らない認証")) == ["policy.flow_conditions"]
    assert codes(certified(ON)) == []
    assert codes(certified(ON), date(2024, 10, 1)) == ["policy.flow_forbidden"]
    assert codes(replace(GOOD, hops=(hop,))) == ["policy.flow_forbidden"]  # alpha has none


@pytest.mark.parametrize(
    ("sensitivity", "form", "expected"),
    [
        ("special", "kept", ["policy.item_forbidden"]),
        ("special", "coarsened", ["policy.item_forbidden"]),
        ("special", "flag", []),
        ("identifier", "kept", ["policy.item_forbidden"]),
        ("identifier", "token", []),
        ("personal", "kept", ["policy.item_forbidden"]),
        ("personal", "coarsened", []),
        ("attribute", "kept", []),
        ("secret", "flag", ["policy.unknown_form"]),
        ("personal", "blurred", ["policy.unknown_form"]),
    ],
)
def test_what_enters_the_internet_zone_and_how(
    sensitivity: str, form: str, expected: list[str]
) -> None:
    item = replace(ITEM, sensitivity=sensitivity, form=form)

    assert codes(replace(GOOD, items=(item,))) == expected


def test_a_flag_of_something_special_needs_consent_whatever_the_basis() -> None:
    item = replace(ITEM, sensitivity="special", form="flag")
    basis = replace(CONSENT, code="69-1", note="児童福祉法", consent=None)

    assert codes(replace(GOOD, basis=basis, has_consent=False, items=(item,))) == [
        "policy.item_needs_consent"
    ]


def test_every_sensitivity_zone_and_form_has_a_row_with_a_remedy_where_it_refuses() -> None:
    for sensitivity in SENSITIVITIES:
        for zone in Zone:
            for form in FORMS:
                row = TABLES.form(sensitivity, zone, form, on=ON)
                assert row is not None
                assert row.is_permitted or (row.remedy_ja and row.remedy_en)


def test_every_row_has_a_source_and_says_whether_it_was_compared() -> None:
    origins = [row.origin for row in TABLES.flows]
    origins += [row.origin for row in TABLES.bases]
    origins += [row.origin for row in TABLES.forms]

    assert all(origin.source for origin in origins)
    assert not any(row.origin.is_verified for row in TABLES.bases)  # the Act was not at hand
    assert any(origin.is_verified for origin in origins)


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("zone_flows.csv", "alpha,mynumber,mynumber,same_zone,yes", "alpha,moon,mynumber,x,yes"),
        ("zone_flows.csv", ",yes,coarsened,", ",yes,blessed,"),
        ("legal_bases.csv", "2023-04-01", "令和5年4月1日"),
        ("legal_bases.csv", "未確認", "たぶん"),
        ("forms.csv", "public,mynumber,kept,yes", "public,mynumber,kept,maybe"),
    ],
)
def test_a_table_that_cannot_be_read_permits_nothing(
    tmp_path: Path, file: str, before: str, after: str
) -> None:
    for table in Path("src/kumobashi/policy/tables").glob("*.csv"):
        text = table.read_text(encoding="utf-8")
        changed = text.replace(before, after, 1) if table.name == file else text
        assert table.name != file or changed != text
        (tmp_path / table.name).write_text(changed, encoding="utf-8")

    with pytest.raises(PolicyUnreadable) as caught:
        load_tables(tmp_path)

    assert caught.value.file == file
    assert int(caught.value.row) > 1
