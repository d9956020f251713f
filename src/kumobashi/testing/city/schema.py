"""The tables of the city: who owns them, their columns in order, and what makes a row unique."""

from dataclasses import dataclass

MUNICIPALITY = "999997"  # 架空市: the check digit is right, the code is assigned to no one
PURPOSES = ("child-notices", "vaccination-reminders", "childcare-notices")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table; column types are DuckDB's."""

    name: str
    system: str
    columns: dict[str, str]
    key: tuple[str, ...]
    is_received: bool = False  # filled by a link, empty in a new city

    def ddl(self, types: dict[str, str] | None = None) -> str:
        """Return the column list of CREATE TABLE, each type replaced by ``types`` where named."""
        named = types or {}
        return ", ".join(f"{name} {named.get(kind, kind)}" for name, kind in self.columns.items())


_RESIDENT_REGISTRY = {
    "resident_no": "VARCHAR",
    "household_no": "VARCHAR",
    "family_name": "VARCHAR",
    "given_name": "VARCHAR",
    "family_name_kana": "VARCHAR",
    "given_name_kana": "VARCHAR",
    "sex": "VARCHAR",
    "birth_date": "DATE",
    "relationship": "VARCHAR",
    "municipality_code": "VARCHAR",
    "town_code": "VARCHAR",
    "town_name": "VARCHAR",
    "address_number": "VARCHAR",
    "address_building": "VARCHAR",
    "postal_code": "VARCHAR",
    "resident_kind": "VARCHAR",
    "resident_status": "VARCHAR",
    "resident_since": "DATE",
    "updated_at": "TIMESTAMP",
}
_INSURED_RESIDENTS = (
    "resident_no",
    "family_name",
    "given_name",
    "family_name_kana",
    "given_name_kana",
    "sex",
    "birth_date",
    "relationship",
    "household_no",
    "town_code",
    "town_name",
    "address_number",
    "address_building",
    "postal_code",
)

_ALL = (
    Table(
        name="resident_registry",
        system="integrated-db",
        columns=_RESIDENT_REGISTRY,
        key=("resident_no",),
    ),
    Table(
        name="resident_tax",
        system="integrated-db",
        columns={
            "resident_no": "VARCHAR",
            "tax_year": "INTEGER",
            "exemption_kind": "VARCHAR",
            "total_income": "BIGINT",
            "tax_base": "BIGINT",
        },
        key=("resident_no", "tax_year"),
    ),
    Table(
        name="national_health_insurance",
        system="integrated-db",
        columns={
            "resident_no": "VARCHAR",
            "insured_no": "VARCHAR",
            "qualification_kind": "VARCHAR",
            "gained_on": "DATE",
            "lost_on": "DATE",
        },
        key=("resident_no",),
    ),
    Table(
        name="child_allowance",
        system="integrated-db",
        columns={
            "resident_no": "VARCHAR",
            "payment_kind": "VARCHAR",
            "children": "INTEGER",
            "decided_on": "DATE",
        },
        key=("resident_no",),
    ),
    Table(
        name="child_support_allowance",
        system="integrated-db",
        columns={"resident_no": "VARCHAR", "payment_kind": "VARCHAR", "decided_on": "DATE"},
        key=("resident_no",),
    ),
    Table(
        name="public_assistance",
        system="integrated-db",
        columns={
            "resident_no": "VARCHAR",
            "household_no": "VARCHAR",
            "assistance_kind": "VARCHAR",
            "started_on": "DATE",
        },
        key=("resident_no",),
    ),
    Table(
        name="resident_details",  # what version 1 of the register's layout has no place for
        system="integrated-db",
        columns={
            "resident_no": "VARCHAR",
            "ward_code": "VARCHAR",
            "display_order": "INTEGER",  # 記載順位 in the household, from 1; none for who left
            "former_family_name": "VARCHAR",
            "alias_name": "VARCHAR",
            "name_roman": "VARCHAR",
            "birth_date_unknown": "VARCHAR",
            "birth_date_label": "VARCHAR",
            "removed_on": "DATE",
        },
        key=("resident_no",),
    ),
    Table(
        name="resident_events",
        system="integrated-db",
        columns={
            "municipality_code": "VARCHAR",
            "resident_no": "VARCHAR",
            "event_no": "INTEGER",
            "event_date": "DATE",
            "event_date_unknown": "VARCHAR",
            "event_reported_on": "DATE",
            "event_kind": "VARCHAR",
            "event_reason": "VARCHAR",
            "household_no": "VARCHAR",
            "resident_status": "VARCHAR",
            "previous_municipality_code": "VARCHAR",
            "previous_prefecture": "VARCHAR",
            "previous_municipality": "VARCHAR",
            "previous_town": "VARCHAR",
            "previous_block": "VARCHAR",
            "destination_municipality_code": "VARCHAR",
            "destination_prefecture": "VARCHAR",
            "destination_municipality": "VARCHAR",
            "destination_town": "VARCHAR",
            "processed_on": "DATE",
        },
        key=("resident_no", "event_no"),
    ),
    Table(
        name="nonresidents",
        system="integrated-db",
        columns={
            "nonresident_no": "VARCHAR",
            "full_name": "VARCHAR",
            "family_name_japanese": "VARCHAR",
            "given_name_japanese": "VARCHAR",
            "name_alphabet": "VARCHAR",
            "name_kanji": "VARCHAR",
            "name_yomigana": "VARCHAR",
            "family_name_yomigana": "VARCHAR",
            "given_name_yomigana": "VARCHAR",
            "sex": "VARCHAR",
            "birth_date": "DATE",
            "birth_date_label": "VARCHAR",
            "address_municipality_code": "VARCHAR",
            "address_town_id": "VARCHAR",
            "address_prefecture": "VARCHAR",
            "address_municipality": "VARCHAR",
            "address_town": "VARCHAR",
            "address_block": "VARCHAR",
            "address_building": "VARCHAR",
            "address_building_kana": "VARCHAR",
            "address_postal_code": "VARCHAR",
            "business_id": "VARCHAR",
            "local_system_id": "VARCHAR",
            "is_representative": "INTEGER",
            "merged_into_no": "VARCHAR",
            "operator_id": "VARCHAR",
            "operated_on": "DATE",
            "operated_at": "VARCHAR",
            "nonresident_kind": "VARCHAR",
        },
        key=("nonresident_no",),
    ),
    Table(
        name="support_measures",
        system="integrated-db",
        columns={
            "support_no": "VARCHAR",
            "resident_no": "VARCHAR",
            "support_kind": "VARCHAR",
            "support_role": "VARCHAR",
            "support_from": "DATE",
            "support_to": "DATE",
            "ended_on": "DATE",
            "copy_refused": "VARCHAR",
        },
        key=("support_no", "resident_no"),
    ),
    Table(
        name="long_term_care",
        system="integrated-db",
        columns={
            "resident_no": "VARCHAR",
            "insured_no": "VARCHAR",
            "insured_kind": "VARCHAR",
            "gained_on": "DATE",
            "lost_on": "DATE",
            "care_level": "VARCHAR",
            "certified_on": "DATE",
            "valid_from": "DATE",
            "valid_to": "DATE",
            "premium_stage": "INTEGER",
            "burden_rate": "INTEGER",
            "is_special_address": "VARCHAR",
        },
        key=("resident_no",),
    ),
    Table(
        name="latter_stage_medical",
        system="integrated-db",
        columns={
            "resident_no": "VARCHAR",
            "insured_no": "VARCHAR",
            "insured_kind": "VARCHAR",
            "gained_on": "DATE",
            "lost_on": "DATE",
            "burden_rate": "INTEGER",
            "is_special_address": "VARCHAR",
        },
        key=("resident_no",),
    ),
    Table(
        name="disability_certificates",
        system="integrated-db",
        columns={
            "resident_no": "VARCHAR",
            "certificate_kind": "VARCHAR",
            "certificate_no": "VARCHAR",
            "grade": "VARCHAR",
            "issued_on": "DATE",
            "valid_to": "DATE",
            "returned_on": "DATE",
        },
        key=("resident_no", "certificate_kind"),
    ),
    Table(
        name="vaccinations",
        system="vaccination",
        columns={
            "resident_no": "VARCHAR",
            "vaccine_code": "VARCHAR",
            "dose": "INTEGER",
            "vaccinated_on": "DATE",
        },
        key=("resident_no", "vaccine_code", "dose"),
    ),
    Table(
        name="consents",
        system="consent-desk",
        columns={
            "resident_no": "VARCHAR",
            "purpose": "VARCHAR",
            "granted_on": "DATE",
            "withdrawn_on": "DATE",
            "version": "VARCHAR",
        },
        key=("resident_no", "purpose"),
    ),
    Table(
        name="insured_residents",
        system="nhi",
        columns={name: _RESIDENT_REGISTRY[name] for name in _INSURED_RESIDENTS},
        key=("resident_no",),
        is_received=True,
    ),
    Table(
        name="notice_attributes",
        system="notice-cloud",
        columns={
            "token": "VARCHAR",
            "base_date": "DATE",
            "sex": "VARCHAR",
            "birth_ym": "INTEGER",
            "town_code": "VARCHAR",
            "has_spouse": "SMALLINT",
            "household_ages": "SMALLINT[]",
            "child_birth_yms": "INTEGER[]",
            "tax_exempt": "SMALLINT",
            "nhi_insured": "SMALLINT",
            "child_allowance": "SMALLINT",
            "child_support_allowance": "SMALLINT",
            "public_assistance": "SMALLINT",
        },
        key=("token",),
        is_received=True,
    ),
    Table(
        name="vaccination_reminders",
        system="notice-cloud",
        columns={"token": "VARCHAR", "child_birth_ym": "INTEGER", "vaccine_code": "VARCHAR"},
        key=("token", "vaccine_code"),
        is_received=True,
    ),
    Table(
        name="childcare_notices",
        system="childcare-cloud",
        columns={
            "token": "VARCHAR",
            "child_birth_yms": "INTEGER[]",
            "child_allowance": "SMALLINT",
        },
        key=("token",),
        is_received=True,
    ),
)

TABLES = {table.name: table for table in _ALL}
SYSTEMS = {
    system: tuple(table for table in _ALL if table.system == system)
    for system in dict.fromkeys(table.system for table in _ALL)
}
