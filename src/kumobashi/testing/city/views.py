"""SQL that turns the numbers of the city into its tables."""

from kumobashi.testing.city.schema import MUNICIPALITY


def _ten(column: str) -> str:
    return f"lpad({column}::varchar, 10, '0')"


def _full_width(value: str) -> str:
    return f"translate(({value})::varchar, '0123456789', '０１２３４５６７８９')"


VIEWS = {
    "resident_registry": f"""
        select {_ten("p.resident_no")} as resident_no, {_ten("p.household_no")} as household_no,
            f.written as family_name, g.written as given_name,
            f.kana as family_name_kana, g.kana as given_name_kana,
            p.sex::varchar as sex, p.birth_date, r.code as relationship,
            '{MUNICIPALITY}' as municipality_code, t.code as town_code, t.name as town_name,
            case t.kind
                when 'block'
                    then {_full_width("p.block")} || '番' || {_full_width("p.lot")} || '号'
                else {_full_width("p.block * 37 + p.lot")} || '番地'
            end as address_number,
            b.name || {_full_width("p.room")} || '号' as address_building,
            t.postal_code, p.resident_kind::varchar as resident_kind,
            p.resident_status::varchar as resident_status, p.resident_since, p.updated_at
        from person p
            join family f on f.n = p.family
            join given g on g.n = p.given
            join relation r on r.n = p.relationship
            join town t on t.n = p.town
            left join building b on b.n = p.building""",
    "resident_tax": f"""
        select {_ten("resident_no")} as resident_no, tax_year,
            exemption_kind::varchar as exemption_kind, total_income, tax_base
        from resident_tax_number""",
    "national_health_insurance": f"""
        select {_ten("resident_no")} as resident_no,
            '97-' || symbol as insured_no,
            qualification_kind::varchar as qualification_kind, gained_on, lost_on
        from national_health_insurance_number""",
    "child_allowance": f"""
        select {_ten("resident_no")} as resident_no, payment_kind::varchar as payment_kind,
            children, decided_on
        from child_allowance_number""",
    "child_support_allowance": f"""
        select {_ten("resident_no")} as resident_no, payment_kind::varchar as payment_kind,
            decided_on
        from child_support_allowance_number""",
    "public_assistance": f"""
        select {_ten("resident_no")} as resident_no, {_ten("household_no")} as household_no,
            lpad(assistance_kind::varchar, 2, '0') as assistance_kind, started_on
        from public_assistance_number""",
    "vaccinations": f"""
        select {_ten("resident_no")} as resident_no, vaccine_code, dose, vaccinated_on
        from vaccinations_number""",
    "consents": f"""
        select {_ten("resident_no")} as resident_no, purpose, granted_on, withdrawn_on,
            '2026-04' as version
        from consents_number""",
}
