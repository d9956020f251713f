"""Well-known cases, written by hand: who may have what, on which basis, in which form."""

from dataclasses import replace
from datetime import date

import pytest

from kumobashi.kernel import Zone
from kumobashi.policy.deciding import decide
from kumobashi.policy.levels import Held
from kumobashi.policy.questions import Question
from kumobashi.policy.tables import load_tables
from kumobashi.policy.who_may import Ask
from tests.unit.policy.asking import AT_SOURCE, ON, basis, item, question, receiver, source

TABLES = load_tables()
CORE, LGWAN, OUT = Zone.MYNUMBER, Zone.LGWAN, Zone.INTERNET


def codes(q: Question, on: date = ON) -> list[str]:
    return [reason.code for reason in decide(q, TABLES, on=on).reasons]


# layout, to unit, purpose, basis, forms, zone of the receiver → codes of the refusal
CASES = [
    # the in-hall linkages every municipality has
    ("resident-registry", "nhi", "national-health-insurance", "ordinance-9-2", "kept", CORE, []),
    ("resident-registry", "electoral-roll", "electoral-roll", "69-1", "kept", CORE, []),
    ("resident-registry", "school-register", "school-register", "69-1", "kept", CORE, []),
    ("resident-registry", "tax-collection", "tax-collection", "61", "kept", CORE, []),
    ("resident-events", "vaccination", "vaccination", "61", "kept", CORE, []),
    ("vaccinations", "health-management", "health-management", "61", "kept", CORE, []),
    # nobody wrote that they may
    ("resident-registry", "personnel", "payroll", "61", "kept", CORE,
     ["policy.not_listed", "policy.level_mask"]),
    ("resident-registry", "nhi", "advertising", "69-1", "kept", CORE, ["policy.not_listed"]),
    ("resident-registry", "nhi", "national-health-insurance", "69-1", "kept", LGWAN,
     ["policy.not_listed"]),
    ("vaccinations", "electoral-roll", "electoral-roll", "69-1", "kept", CORE,
     ["policy.not_listed"]),
    # the same row, on a basis that it does not rest on
    ("resident-registry", "nhi", "national-health-insurance", "69-2-2", "kept", CORE,
     ["policy.other_basis"]),
    ("resident-registry", "school-register", "school-register", "69-2-4", "kept", CORE,
     ["policy.other_basis"]),
    # secrecy of taxes: within tax affairs it is kept; outside it must be lifted
    ("resident-tax", "tax-collection", "tax-collection", "61", "kept", CORE, []),
    ("resident-tax", "nhi", "national-health-insurance", "69-1-tax", "kept", CORE, []),
    ("resident-tax", "child-allowance", "child-allowance", "69-2-1", "kept", CORE, []),
    ("resident-tax", "nhi", "national-health-insurance", "69-1", "kept", CORE,
     ["policy.tax_secrecy", "policy.other_basis"]),
    ("resident-tax", "nhi", "national-health-insurance", "ordinance-9-2", "kept", CORE,
     ["policy.tax_secrecy", "policy.other_basis"]),
    ("resident-tax", "long-term-care", "long-term-care-insurance", "61", "kept", CORE,
     ["policy.tax_secrecy", "policy.other_basis"]),
    # public assistance goes to others as a flag alone
    ("public-assistance", "nhi", "national-health-insurance", "ordinance-9-2", "flag", CORE, []),
    ("public-assistance", "nhi", "national-health-insurance", "ordinance-9-2", "kept", CORE,
     ["policy.form_not_permitted"]),
    ("public-assistance", "nhi", "national-health-insurance", "ordinance-9-2", "coarsened", CORE,
     ["policy.form_not_permitted"]),
    ("disability-certificates", "long-term-care", "long-term-care-insurance", "69-1", "flag",
     CORE, []),
    # protected persons: never by an automatic link, whoever asks and on whatever basis
    ("support-measures", "nhi", "national-health-insurance", "69-1", "flag", CORE,
     ["policy.forbidden", "policy.level_mask"]),
    ("support-measures", "notice-service", "child-notices", "69-2-1", "token", OUT,
     ["policy.forbidden", "policy.level_mask"]),
    # from the core to the back office: sums and tokens, never rows as they are
    ("resident-tax", "finance", "finance", "69-1-tax", "derived", LGWAN, []),
    ("resident-tax", "finance", "finance", "61", "derived", LGWAN,
     ["policy.tax_secrecy", "policy.other_basis"]),
    ("child-allowance", "finance", "benefit-payment", "61", "token", LGWAN, []),
    ("child-allowance", "finance", "benefit-payment", "61", "kept", LGWAN,
     ["policy.form_not_permitted", "policy.level_mask"]),
    # to a service outside nothing is permitted until the municipality writes its row
    ("resident-registry", "notice-service", "child-notices", "69-2-1", "token", OUT,
     ["policy.not_listed"]),
    ("consents", "notice-service", "child-notices", "69-2-1", "token", OUT,
     ["policy.forbidden"]),
    # what nobody has classified goes nowhere
    ("a-layout-of-our-own", "nhi", "national-health-insurance", "69-1", "kept", CORE,
     ["policy.no_kind"]),
    ("resident-registry", "library", "lending", "69-1", "kept", CORE, ["policy.unit_unknown"]),
    ("resident-registry", None, "lending", "69-1", "kept", CORE, ["policy.no_unit"]),
]  # fmt: skip


@pytest.mark.parametrize(("layout", "unit", "purpose", "code", "form", "zone", "expected"), CASES)
def test_well_known_cases(
    layout: str, unit: str | None, purpose: str, code: str, form: str, zone: Zone,
    expected: list[str],
) -> None:  # fmt: skip
    asked = question(layout, unit, purpose, code, form, to_zone=zone)

    assert codes(asked) == expected


def test_there_are_thirty_cases() -> None:
    assert len(CASES) >= 30


def test_a_refusal_says_who_and_what_and_how_it_would_be_right() -> None:
    asked = question("vaccinations", "nhi", "national-health-insurance", "61", "kept", to_zone=CORE)

    (refused,) = decide(asked, TABLES, on=ON).reasons

    assert refused.code == "policy.not_listed"
    assert refused.where == AT_SOURCE
    assert "予防接種" in refused.ja
    assert "国民健康保険" in refused.ja
    assert "policy/who_may.csv" in refused.remedy_ja
    row = "vaccination,nhi,vaccinations,national-health-insurance,mynumber,mynumber,yes,kept,61,..."
    assert refused.example == row


def test_the_rows_that_decided_are_named_for_a_permit_too() -> None:
    asked = question(
        "resident-registry", "nhi", "national-health-insurance", "69-1", "kept", to_zone=CORE
    )

    decision = decide(asked, TABLES, on=ON)

    assert decision.is_permitted
    files = {origin.file.rpartition("/")[2] for origin in decision.rows}
    assert files == {
        "legal_bases.csv", "forms.csv", "units.csv", "information_kinds.csv", "who_may.csv",
        "level_masks.csv",
    }  # fmt: skip


@pytest.mark.parametrize("code", ["69-2-1", "69-2-2", "69-2-3", "69-2-4", "61", "69-1"])
def test_specific_personal_information_never_rests_on_article_69(code: str) -> None:
    tables = replace(
        TABLES,
        kinds=tuple(
            replace(row, layouts=("numbers",)) if row.kind == "specific-resident-record" else row
            for row in TABLES.kinds
        ),
    )
    asked = question("numbers", "nhi", "national-health-insurance", code, "kept", to_zone=CORE)
    lawful = replace(asked, basis=basis("ordinance-9-2"))

    refused = [reason.code for reason in decide(asked, tables, on=ON).reasons]

    assert "policy.specific_needs_number_law" in refused
    assert decide(lawful, tables, on=ON).is_permitted


@pytest.mark.parametrize("code", ["69-2-2", "69-2-3", "69-2-4"])
def test_the_proviso_must_be_stated_as_checked(code: str) -> None:
    asked = question("resident-registry", "nhi", "p", code, "kept", to_zone=CORE)
    unstated = replace(asked, basis=basis(code, proviso=None))

    assert "policy.no_proviso" not in codes(asked)
    assert "policy.no_proviso" in codes(unstated)


def test_with_consent_an_unstated_proviso_is_a_caution() -> None:
    asked = question("resident-tax", "child-allowance", "child-allowance", "69-2-1", "kept",
                     to_zone=CORE)  # fmt: skip
    decision = decide(
        replace(asked, basis=basis("69-2-1", consent="child-allowance", proviso=None)),
        TABLES,
        on=ON,
    )

    assert decision.is_permitted
    assert [caution.code for caution in decision.cautions] == ["policy.proviso_unstated"]


def test_a_dataset_that_only_selects_counts_as_a_flag() -> None:
    asked = question("public-assistance", "nhi", "national-health-insurance", "ordinance-9-2",
                     to_zone=CORE)  # fmt: skip
    unlisted = replace(asked, sources=(*asked.sources, source("vaccinations", "v.rows")))

    assert codes(asked) == []  # a flag of it is permitted
    assert codes(unlisted) == ["policy.not_listed"]


def test_a_system_without_a_unit_is_found_by_its_business_number() -> None:
    asked = question("resident-registry", None, "national-health-insurance", "69-1", "kept",
                     to_zone=CORE)  # fmt: skip
    numbered = replace(asked, receiver=replace(asked.receiver, business="009"))

    assert codes(asked) == ["policy.no_unit"]
    assert codes(numbered) == []
    assert codes(replace(asked, receiver=replace(asked.receiver, business="999"))) == [
        "policy.no_unit"
    ]


ISMAP = Held(name="ISMAP", number="C00-0000-0", scope="全サービス", valid_to=date(2027, 3, 31))


def on_cloud(*held: Held, form: str = "kept", jurisdiction: str = "JP") -> Question:
    """Return a question on the residents, to a system of the hall that runs on a cloud."""
    asked = question("resident-registry", "nhi", "national-health-insurance", "69-1", form,
                     to_zone=CORE)  # fmt: skip
    cloud = replace(receiver("nhi", *held, is_outside=True), jurisdiction=jurisdiction)
    return replace(asked, receiver=cloud)


@pytest.mark.parametrize(
    ("held", "form", "jurisdiction", "expected"),
    [
        ((ISMAP,), "kept", "JP", []),
        ((), "kept", "JP", ["policy.cloud_level"]),
        ((), "token", "JP", ["policy.cloud_level"]),
        ((ISMAP,), "kept", "US", ["policy.cloud_level"]),
        ((ISMAP,), "token", "US", ["policy.cloud_level"]),
        ((replace(ISMAP, number=None),), "kept", "JP", ["policy.cloud_level"]),
        ((replace(ISMAP, scope=None),), "kept", "JP", ["policy.cloud_level"]),
        ((replace(ISMAP, valid_to=None),), "kept", "JP", ["policy.cloud_level"]),
        ((replace(ISMAP, name="ISO/IEC 27001"),), "kept", "JP", ["policy.cloud_level"]),
        ((replace(ISMAP, name="ISO/IEC 27001"),), "token", "JP", []),
        ((replace(ISMAP, name="だれも知らない認証"),), "token", "JP", ["policy.cloud_level"]),
        ((replace(ISMAP, valid_from=date(2026, 11, 23)),), "kept", "JP", ["policy.cloud_level"]),
    ],
)
def test_a_cloud_holds_what_its_certifications_are_good_for(
    held: tuple[Held, ...], form: str, jurisdiction: str, expected: list[str]
) -> None:
    assert codes(on_cloud(*held, form=form, jurisdiction=jurisdiction)) == expected


def test_a_certification_is_warned_of_from_90_days_ahead_and_refused_when_it_is_over() -> None:
    asked = on_cloud(ISMAP)

    def cautions(on: date) -> list[str]:
        return [caution.code for caution in decide(asked, TABLES, on=on).cautions]

    assert cautions(date(2026, 12, 30)) == []  # 91 days
    assert cautions(date(2026, 12, 31)) == ["policy.certification_ends"]  # 90 days
    assert codes(asked, date(2027, 3, 31)) == []
    assert cautions(date(2027, 3, 31)) == ["policy.certification_ends"]
    assert codes(asked, date(2027, 4, 1)) == ["policy.cloud_level"]
    (over,) = decide(asked, TABLES, on=date(2027, 4, 1)).reasons
    assert "2027-03-31" in over.ja
    assert "ended on 2027-03-31" in over.en


def test_a_basis_that_ended_yesterday_is_refused_and_permitted_on_its_last_day() -> None:
    asked = question("resident-registry", "nhi", "national-health-insurance", "69-1", "kept",
                     to_zone=CORE)  # fmt: skip
    ended = tuple(
        replace(row, origin=replace(row.origin, valid_to=date(2026, 11, 21)))
        if row.code == "69-1"
        else row
        for row in TABLES.bases
    )
    tables = replace(TABLES, bases=ended)

    assert decide(asked, tables, on=date(2026, 11, 21)).is_permitted
    assert [r.code for r in decide(asked, tables, on=date(2026, 11, 22)).reasons] == [
        "policy.unknown_basis"
    ]
    stated = replace(asked, basis=basis("69-1", until=date(2026, 11, 21)))
    assert codes(stated, date(2026, 11, 21)) == []
    assert codes(stated, date(2026, 11, 22)) == ["policy.basis_ended"]


def test_an_item_that_its_sensitivity_refuses_is_not_told_twice() -> None:
    asked = question("public-assistance", "nhi", "national-health-insurance", "ordinance-9-2",
                     to_zone=OUT)  # fmt: skip
    asked = replace(asked, basis=basis("69-1"), items=(item("kept", sensitivity="special"),))

    told = codes(asked)

    assert told == ["policy.item_forbidden", "policy.not_listed"]


def test_the_words_of_a_ruling_name_row_and_article() -> None:
    rules = TABLES.who_may.on(ON)
    ask = Ask("resident-registry", "nhi", "resident-record", "national-health-insurance",
              "mynumber", "mynumber")  # fmt: skip

    ruling = rules.decide(ask)
    unlisted = rules.decide(ask._replace(purpose="advertising"))

    assert ruling.places[0].startswith("policy/tables/who_may.csv:")
    assert ruling.places[0] in ruling.ja
    assert "番号法" in ruling.ja
    assert "permitted by policy/tables/who_may.csv:" in ruling.en
    assert (unlisted.code, unlisted.places, unlisted.forms) == ("policy.not_listed", (), ())
    assert "denied" in unlisted.en


def test_a_row_that_ends_within_90_days_is_a_caution() -> None:
    asked = question("vaccinations", "health-management", "health-management", "61", "kept",
                     to_zone=CORE)  # fmt: skip
    tables = replace(
        TABLES,
        may=tuple(
            replace(row, origin=replace(row.origin, valid_to=date(2027, 3, 31)))
            if row.key[2] == "vaccinations"
            else row
            for row in TABLES.may
        ),
    )

    def told(on: date) -> tuple[list[str], list[str]]:
        found = decide(asked, tables, on=on)
        return [r.code for r in found.reasons], [c.code for c in found.cautions]

    assert told(date(2026, 12, 30)) == ([], [])
    assert told(date(2026, 12, 31)) == ([], ["policy.row_ends"])
    assert told(date(2027, 3, 31)) == ([], ["policy.row_ends"])
    assert told(date(2027, 4, 1)) == (["policy.not_listed"], [])
