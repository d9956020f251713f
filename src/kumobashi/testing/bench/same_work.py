r"""The same work in PostgreSQL's own SQL: join, coarsen, tokens, k; as an expert would write it.

``MEASURE`` is for a floor that does also what the gate does: l and t of the five flags, and which
class each token was told in, kept for the day on which the next release is laid beside this one.

``psql`` runs this text; the key's pads and the date reach it through its environment. The table is
unlogged: it is written once, read twice and dropped.

What was tried on 400,000 residents and is not used, because it needed more time or more processor
time: one hashed aggregate a household for ages, births and partners, joined back (three small
arrays in memory for every household: it spills); the same by sorting inside each aggregate; the
joins behind the window instead of before it (then no second process helps with them); the token
behind the window; households sorted by their text instead of its number; no parallel reading;
``to_char`` instead of ``extract``. The window below sorts once and needs no join back.
"""

MAKE = r"""
\set ON_ERROR_STOP on
\getenv inner BENCH_INNER
\getenv outer BENCH_OUTER
\getenv on BENCH_ON
set client_min_messages = warning;
set parallel_setup_cost = 100;
set parallel_tuple_cost = 0.001;
drop table if exists same_work;
create unlogged table same_work as
with residents as (
  select *, born / 100 as birth_ym,
    (to_char(:'on'::date, 'YYYYMMDD')::int - born) / 10000 as age
  from (
    select household_no::bigint as household, sex, left(town_code, 13) as town_code, relationship,
      agreed.resident_no is not null as is_agreed,
      extract(year from birth_date)::int * 10000 + extract(month from birth_date)::int * 100
        + extract(day from birth_date)::int as born,
      left(encode(sha256(:'outer'::bytea || sha256(:'inner'::bytea || resident_no::bytea)), 'hex'),
        32) as token,
      case when right(relationship, 2) in ('11', '12', '13', '14') then
        case when length(relationship) = 2 then '02'
          else left(relationship, length(relationship) - 3) end
      end as partner,
      (tax.resident_no is not null)::int::smallint as tax_exempt,
      (nhi.resident_no is not null)::int::smallint as nhi_insured,
      (allowance.resident_no is not null)::int::smallint as child_allowance,
      (support.resident_no is not null)::int::smallint as child_support_allowance,
      (assistance.resident_no is not null)::int::smallint as public_assistance
    from resident_registry
      left join (
        select resident_no from consents
        where purpose = 'child-notices' and granted_on <= :'on'::date
          and (withdrawn_on is null or withdrawn_on > :'on'::date)
      ) as agreed using (resident_no)
      left join (select resident_no from resident_tax where exemption_kind = '1') as tax
        using (resident_no)
      left join (
        select resident_no from national_health_insurance where qualification_kind in ('1', '3')
      ) as nhi using (resident_no)
      left join (
        select resident_no from child_allowance where payment_kind in ('1', '2')
      ) as allowance using (resident_no)
      left join (
        select resident_no from child_support_allowance where payment_kind in ('1', '2')
      ) as support using (resident_no)
      left join (
        select resident_no from public_assistance
        where assistance_kind in ('01', '02', '03', '04', '05', '06', '07', '08')
      ) as assistance using (resident_no)
    where resident_status = '1'
    offset 0  -- all of this may be done by parallel workers
  ) as read
), households as (
  select *,
    array_agg(least(age, 100)::smallint) over whole as household_ages,
    array_agg(birth_ym) filter (where age < 18) over whole as births,
    array_agg(partner) filter (where partner is not null) over whole as partners
  from residents
  window whole as (partition by household order by age, birth_ym desc
    rows between unbounded preceding and unbounded following)
)
select token, :'on'::date as base_date, sex, birth_ym, town_code,
  coalesce(partner is not null or relationship = any(partners), false)::int::smallint
    as has_spouse,
  household_ages, coalesce(array_reverse(births), '{}') as child_birth_yms,
  tax_exempt, nhi_insured, child_allowance, child_support_allowance, public_assistance
from households where is_agreed;
"""

COUNT_K = r"""
\set ON_ERROR_STOP on
select min(people), coalesce(sum(people) filter (where people < 5), 0), count(*) from (
  select count(*) as people from same_work group by sex, birth_ym, town_code, has_spouse,
    household_ages, child_birth_yms, tax_exempt, nhi_insured, child_allowance,
    child_support_allowance, public_assistance
) as classes;
"""

MEASURE = r"""
\set ON_ERROR_STOP on
set client_min_messages = warning;
with whole as (
  select count(*)::float8 as n, sum(tax_exempt) as a, sum(nhi_insured) as b,
    sum(child_allowance) as c, sum(child_support_allowance) as d, sum(public_assistance) as e
  from same_work
), classes as (
  select count(*)::float8 as n, sum(tax_exempt) as a, sum(nhi_insured) as b,
    sum(child_allowance) as c, sum(child_support_allowance) as d, sum(public_assistance) as e
  from same_work group by sex, birth_ym, town_code, has_spouse, household_ages, child_birth_yms
)
select min(k.n), sum(k.n) filter (where k.n < 5), count(*), avg(1 / k.n),
  min(1 + (k.a between 1 and k.n - 1)::int), max(abs(k.a / k.n - w.a / w.n)),
  min(1 + (k.b between 1 and k.n - 1)::int), max(abs(k.b / k.n - w.b / w.n)),
  min(1 + (k.c between 1 and k.n - 1)::int), max(abs(k.c / k.n - w.c / w.n)),
  min(1 + (k.d between 1 and k.n - 1)::int), max(abs(k.d / k.n - w.d / w.n)),
  min(1 + (k.e between 1 and k.n - 1)::int), max(abs(k.e / k.n - w.e / w.n))
from classes as k, whole as w;
drop table if exists told;
create table told as
select left(token, 16) as key, left(md5(concat_ws('|', sex, birth_ym, town_code, has_spouse,
  household_ages::text, child_birth_yms::text)), 16) as class
from same_work;
"""
