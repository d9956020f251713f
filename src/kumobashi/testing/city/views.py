"""SQL that turns the numbers of the city into its tables."""

from kumobashi.testing.city.history import (
    BIRTH,
    DEATH,
    FROM_ABROAD_IN,
    MOVE_IN,
    MOVE_OUT,
    MOVE_WITHIN,
    TO_ABROAD,
)
from kumobashi.testing.city.outsiders import ELSEWHERE
from kumobashi.testing.city.schema import MUNICIPALITY

PREFECTURE, MUNICIPALITY_NAME, ELSEWHERE_NAME = "架空県", "架空市", "隣接市"
# 異動区分: entry, removal, correction
EVENT_KINDS = {
    BIRTH: "1",
    MOVE_IN: "1",
    FROM_ABROAD_IN: "1",
    MOVE_WITHIN: "3",
    MOVE_OUT: "2",
    TO_ABROAD: "2",
    DEATH: "2",
}


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
    "resident_details": f"""
        select {_ten("p.resident_no")} as resident_no, (t.ward::integer + 1)::varchar as ward_code,
            nullif(p.display_order, 0)::integer as display_order,
            null::varchar as former_family_name, null::varchar as alias_name,
            null::varchar as name_roman, '0' as birth_date_unknown,
            null::varchar as birth_date_label, p.removed_on
        from person p join town t on t.n = p.town""",
    "resident_events": f"""
        select '{MUNICIPALITY}' as municipality_code, {_ten("e.resident_no")} as resident_no,
            e.event_no, e.event_date, '0' as event_date_unknown,
            e.reported_on as event_reported_on,
            case {" ".join(f"when e.reason = {r} then '{k}'" for r, k in EVENT_KINDS.items())} end
                as event_kind,
            lpad(e.reason::varchar, 2, '0') as event_reason,
            {_ten("e.household_no")} as household_no, e.status::varchar as resident_status,
            if(e.reason = {MOVE_IN}, '{ELSEWHERE}', null) as previous_municipality_code,
            if(e.reason = {MOVE_IN}, '{PREFECTURE}', null) as previous_prefecture,
            if(e.reason = {MOVE_IN}, '{ELSEWHERE_NAME}', null) as previous_municipality,
            b.name as previous_town, null::varchar as previous_block,
            if(e.reason = {MOVE_OUT}, '{ELSEWHERE}', null) as destination_municipality_code,
            if(e.reason = {MOVE_OUT}, '{PREFECTURE}', null) as destination_prefecture,
            if(e.reason = {MOVE_OUT}, '{ELSEWHERE_NAME}', null) as destination_municipality,
            t.name as destination_town, e.reported_on as processed_on
        from resident_events_number e
            left join town b on b.n = e.from_town and e.reason = {MOVE_WITHIN}
            left join town t on t.n = e.to_town and e.reason = {MOVE_WITHIN}""",
    "nonresidents": f"""
        select {_ten("p.nonresident_no")} as nonresident_no,
            f.written || '\u3000' || g.written as full_name, f.written as family_name_japanese,
            g.written as given_name_japanese, null::varchar as name_alphabet,
            null::varchar as name_kanji, f.kana || '\u3000' || g.kana as name_yomigana,
            f.kana as family_name_yomigana, g.kana as given_name_yomigana,
            p.sex::varchar as sex, p.birth_date, null::varchar as birth_date_label,
            '{ELSEWHERE}' as address_municipality_code, '0000000' as address_town_id,
            '{PREFECTURE}' as address_prefecture, '{ELSEWHERE_NAME}' as address_municipality,
            p.town as address_town, {_full_width("p.lot")} || '番地' as address_block,
            null::varchar as address_building, null::varchar as address_building_kana,
            null::varchar as address_postal_code, '031' as business_id,
            null::varchar as local_system_id, 0 as is_representative,
            null::varchar as merged_into_no, 'KAKU-00001' as operator_id,
            p.registered_on as operated_on, '10:15:00' as operated_at,
            p.kind as nonresident_kind
        from nonresidents_number p
            join family f on f.n = p.family
            join given g on g.n = p.given""",
    "support_measures": f"""
        select lpad((home + 1)::varchar, 10, '0') as support_no,
            {_ten("resident_no")} as resident_no, kind::varchar as support_kind,
            role::varchar as support_role, support_from, support_to, null::date as ended_on,
            '1' as copy_refused
        from support_measures_number""",
    "long_term_care": f"""
        select {_ten("resident_no")} as resident_no, insured_no::varchar as insured_no,
            insured_kind::varchar as insured_kind, gained_on, null::date as lost_on,
            ['12', '13', '21', '22', '23', '24', '25'][care_level + 1] as care_level,
            certified_on, certified_on as valid_from, valid_to,
            premium_stage::integer as premium_stage, burden_rate::integer as burden_rate,
            '0' as is_special_address
        from long_term_care_number""",
    "latter_stage_medical": f"""
        select {_ten("resident_no")} as resident_no, insured_no::varchar as insured_no,
            '1' as insured_kind, gained_on, null::date as lost_on,
            burden_rate::integer as burden_rate, '0' as is_special_address
        from latter_stage_medical_number""",
    "disability_certificates": f"""
        select {_ten("resident_no")} as resident_no, kind::varchar as certificate_kind,
            certificate_no::varchar as certificate_no, lpad(grade::varchar, 2, '0') as grade,
            issued_on, valid_to, null::date as returned_on
        from disability_certificates_number""",
}
FAMILY_TREE = f"""
    select {_ten("resident_no")} as resident_no, {_ten("father_no")} as father_no,
        {_ten("mother_no")} as mother_no, {_ten("spouse_no")} as spouse_no
    from kin"""
