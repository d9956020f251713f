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
