"""What offices decide because of a day's events: insurance, allowances, and the tax of a new year.

All of it is SQL over the tables of the integrated database; who is touched is given.
"""

from datetime import date, timedelta

import duckdb

_GROWN_UP = 19  # years, as in the city's own allowance table
_TAXABLE_AGE = 15
_ENDED = (
    ("national_health_insurance", "qualification_kind = '0', lost_on = greatest(gained_on, ?)"),
    ("long_term_care", "lost_on = greatest(gained_on, ?)"),
    ("latter_stage_medical", "lost_on = greatest(gained_on, ?)"),
    ("disability_certificates", "returned_on = ?"),
    ("support_measures", "ended_on = ?"),
)
_DROPPED = ("child_allowance", "child_support_allowance", "public_assistance")


def end_for(connection: duckdb.DuckDBPyConnection, numbers: list[str], on: date) -> None:
    """End what ends with residence: insurance is lost the day after, allowances stop."""
    after = on + timedelta(days=1)
    open_column = {"disability_certificates": "returned_on", "support_measures": "ended_on"}
    for table, assignment in _ENDED:
        connection.execute(
            f"update {table} set {assignment} where {open_column.get(table, 'lost_on')} is null"
            " and resident_no in (select unnest(?::varchar[]))",
            [after, numbers],
        )
    for table in _DROPPED:
        connection.execute(
            f"delete from {table} where resident_no in (select unnest(?::varchar[]))", [numbers]
        )


def decide_child_allowance(
    connection: duckdb.DuckDBPyConnection, homes: list[str], on: date
) -> None:
    """Give each of the homes one recipient for its children, and none without children."""
    connection.execute(
        """create or replace temp table families as
        select household_no, count(*) as children from resident_registry
        where resident_status = '1' and relationship in ('20', '20,20')
            and birth_date > ?::date - to_years(?)
            and household_no in (select unnest(?::varchar[])) group by 1""",
        [on, _GROWN_UP, homes],
    )
    connection.execute(
        """delete from child_allowance where resident_no in (
            select resident_no from resident_registry
            where household_no in (select unnest(?::varchar[]))
                and household_no not in (select household_no from families))""",
        [homes],
    )
    connection.execute(
        """update child_allowance a set children = f.children
        from resident_registry r, families f
        where r.resident_no = a.resident_no and f.household_no = r.household_no
            and r.resident_status = '1'"""
    )
    connection.execute(
        """insert into child_allowance
        select resident_no, '1', children, ? from (
            select r.resident_no, f.children, row_number() over (
                partition by r.household_no order by r.birth_date, r.resident_no) as eldest
            from families f join resident_registry r using (household_no)
            where r.resident_status = '1' and r.birth_date <= ?::date - to_years(?)
                and r.relationship in ('02', '11', '12', '13', '14', '20', '20,12')
                and not exists (from child_allowance a join resident_registry x
                    using (resident_no) where x.household_no = f.household_no)
                and (r.relationship in ('20', '20,12')) = exists (from resident_registry y
                    where y.household_no = f.household_no and y.relationship = '20,20'
                        and y.resident_status = '1')
        ) where eldest = 1""",
        [on, on, _TAXABLE_AGE],
    )


def turn_ages(connection: duckdb.DuckDBPyConnection, on: date) -> None:
    """Insure those whose birthday it is: long-term care from 65, medical care from 75.

    Whoever had the birthday before and has no row yet, such as a newcomer, gets it too.
    """
    turning = """select resident_no, greatest((birth_date + to_years({years}))::date - {before},
            resident_since) as gained from resident_registry
        where resident_status = '1' and birth_date + to_years({years}) <= ?::date + {before}"""
    # 29 February becomes 28 in a year without it; the day before an age counts for the first.
    of_65 = turning.format(years=65, before=1)
    connection.execute(
        f"""insert into long_term_care (resident_no, insured_no, insured_kind, gained_on,
            premium_stage, burden_rate, is_special_address)
        select resident_no, resident_no, '1', gained, 5, 1, '0' from ({of_65})
        where resident_no not in (select resident_no from long_term_care)""",
        [on],
    )
    connection.execute(
        f"""update long_term_care set insured_kind = '1' where insured_kind = '2'
            and resident_no in (select resident_no from ({of_65}))""",
        [on],
    )
    of_75 = turning.format(years=75, before=0)
    connection.execute(
        f"""insert into latter_stage_medical (resident_no, insured_no, insured_kind, gained_on,
            burden_rate, is_special_address)
        select resident_no, right(resident_no, 8), '1', gained, 1, '0' from ({of_75})
        where resident_no not in (select resident_no from latter_stage_medical)
            and resident_no not in (select resident_no from public_assistance)""",
        [on],
    )
    connection.execute(
        f"""update national_health_insurance n
        set qualification_kind = '0', lost_on = greatest(gained_on, t.gained)
        from ({of_75}) t where lost_on is null and t.resident_no = n.resident_no""",
        [on],
    )


def turning_grown_up(connection: duckdb.DuckDBPyConnection, on: date) -> list[str]:
    """Return the homes whose child is no child any more from this day on."""
    rows = connection.execute(
        """select distinct household_no from resident_registry
        where resident_status = '1' and birth_date + to_years(?) = ?::date order by 1""",
        [_GROWN_UP, on],
    ).fetchall()
    return [row[0] for row in rows]


def switch_tax_year(connection: duckdb.DuckDBPyConnection, on: date) -> None:
    """Put the tax of this year in the place of last year's: who lived here on 1 January is taxed.

    Incomes move by a few percent; of those who were taxed elsewhere last year they are new.
    """
    january = date(on.year, 1, 1)
    connection.execute(
        """create or replace temp table next_tax as
        with taxed as (
            select r.resident_no, t.exemption_kind, t.total_income, t.tax_base,
                0.96 + (hash(r.resident_no || ?::varchar) % 1000) / 10000.0 as change,
                date_diff('year', r.birth_date, ?::date) as age
            from resident_registry r join resident_details d using (resident_no)
                left join resident_tax t using (resident_no)
            where r.resident_since <= ?::date and r.birth_date <= ?::date - to_years(?)
                and (d.removed_on is null or d.removed_on > ?::date)
            union all
            select t.resident_no, t.exemption_kind, t.total_income, t.tax_base, 1.0, 50
            from resident_tax t join nonresidents n on n.nonresident_no = t.resident_no
        )
        select resident_no, ?::integer as tax_year,
            coalesce(exemption_kind, if(age between 22 and 64, '0', '1')) as exemption_kind,
            coalesce((total_income * change)::bigint // 1000 * 1000,
                if(age between 22 and 64, (2500000 * change)::bigint // 1000 * 1000, 0))
                as total_income,
            coalesce((tax_base * change)::bigint // 1000 * 1000,
                if(age between 22 and 64, 2000000, 0)) as tax_base
        from taxed""",
        [on.year, january, january, january, _TAXABLE_AGE, january, on.year],
    )
    connection.execute("delete from resident_tax")
    connection.execute("insert into resident_tax from next_tax order by resident_no")
    connection.execute("drop table next_tax")
