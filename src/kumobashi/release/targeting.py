"""Predicate-only release: the hall answers the exact conditions, and only the outcome leaves.

    read the hall → whom does each campaign mean? → consent → token and campaign code → released

The destination learns nothing but that a token is meant by a campaign; what that tells of a person
is for the plan to show.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import duckdb

from kumobashi.release.campaigns import Campaign
from kumobashi.release.columns import CAMPAIGN, CampaignCode, Token
from kumobashi.release.compiling import compile_released, compile_rule
from kumobashi.release.compiling_conditions import Values
from kumobashi.release.consenting import left_out, untied
from kumobashi.release.errors import FindingsRefused, NothingToRelease
from kumobashi.release.holding import ABOUT_THE_FILE
from kumobashi.release.people import PEOPLE, People, alike, forget, readings
from kumobashi.release.releasing import OnFindings, Released, Source, read_stages
from kumobashi.release.rules import ReleaseRule
from kumobashi.storage.counting import count
from kumobashi.storage.tables import literal, quoted

_TARGETS = "targets"


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """Whom the campaigns mean, in counts; the keys are in table ``targets``, and never leave."""

    meant: Mapping[str, int]  # people by campaign, whether they consented or not
    unknown: Mapping[str, int]  # of whom it cannot be said: never a match


def find_targets(
    campaigns: Sequence[Campaign],
    hall: Mapping[str, Source],
    work: duckdb.DuckDBPyConnection,
    *,
    on: date,
    on_findings: OnFindings,
) -> Targets:
    """Read what the campaigns ask for, in the snapshots of ``hall``, and find whom they mean.

    Raises:
        TableMissing, ColumnMissing, CountsDisagree: a source is not as its layout says.
        FindingsRefused: rows of a source have findings, and the link does not go on with such.
    """
    _refuse_findings(hall, on_findings)
    work.execute(f"create temp table {_TARGETS} (key varchar, {CAMPAIGN} varchar)")
    meant: dict[str, int] = {}
    unknown: dict[str, int] = {}
    for group in alike(campaigns):
        wanted = readings(group)
        read_stages(wanted.stages, hall, work)
        people = People(
            campaigns=group, on=on, tables=wanted.name, columns=wanted.stages[0].columns
        )
        people.make(work)
        key = quoted(group[0].subject.key)
        for campaign in group:
            code, values = campaign.campaign, Values()
            exact = people.sql(campaign, values)
            insert = f"insert into {_TARGETS} select {key}, {literal(code)} from {PEOPLE}"
            meant[code] = count(work, f"{insert} where {exact}", values.bound)
            values = Values()
            is_unknown = (
                f"select count(*) from {PEOPLE} where {people.sql(campaign, values)} is null"
            )
            unknown[code] = count(work, is_unknown, values.bound)
        forget(work)
    return Targets(meant=meant, unknown=unknown)


def release_targets(
    rule: ReleaseRule,
    work: duckdb.DuckDBPyConnection,
    read: Mapping[str, int],
    *,
    on: date,
    pads: tuple[bytes, bytes] | None,
) -> Released:
    """Make table ``released`` from table ``targets`` and what ``extract`` read: one row a pair.

    Raises:
        NothingToRelease: no campaign means anybody who consented.
    """
    steps = compile_rule(rule, on=on)
    if steps.household:
        work.execute(steps.household)
    work.execute(steps.eligible)
    meet_targets(rule, work)
    make = compile_released(rule, on=on, unclear=frozenset())
    rows = count(work, make, {"inner": pads[0], "outer": pads[1]} if pads else None)
    people = count(work, f"select count(distinct {quoted(rule.subject.key)}) from eligible")
    extracted = read[rule.subject.dataset]
    if rows == 0 and not rule.allow_empty:
        raise NothingToRelease(extracted=extracted, without_consent=extracted - people)
    smallest, below, classes = _classes(rule, work)
    return Released(
        columns=steps.columns,
        read=dict(read),
        extracted=extracted,
        without_consent=extracted - people,
        quarantined=0,
        rows=rows,
        smallest_class=smallest,
        rows_below_five=below,
        classes=classes,
        findings=(),
        consent=left_out(rule, work),
        ties=untied(rule, work),
    )


def meet_targets(rule: ReleaseRule, work: duckdb.DuckDBPyConnection) -> None:
    """Turn ``eligible`` into a row for each campaign that means a person, with its code."""
    key = quoted(rule.subject.key)
    work.execute(
        f"create temp table targeted as select e.*, t.{CAMPAIGN} from eligible e"
        f" join {_TARGETS} t on t.key = e.{key}"
    )
    work.execute("drop view eligible")
    work.execute("alter table targeted rename to eligible")


def _classes(rule: ReleaseRule, work: duckdb.DuckDBPyConnection) -> tuple[int, int, int]:
    """Return the smallest class, the people in classes below five, and how many classes there are.

    A person is known by all the campaigns that mean him, so that is what makes a class.
    """
    token = next(quoted(c.name) for c in rule.columns if isinstance(c, Token))
    code = next(quoted(c.name) for c in rule.columns if isinstance(c, CampaignCode))
    known = f"select list_sort(list({code})) as known from released group by {token}"
    smallest, below, classes = work.execute(
        "select coalesce(min(n), 0), coalesce(sum(n) filter (n < 5), 0)::bigint, count(*)"
        f" from (select count(*) as n from ({known}) group by known)"
    ).fetchall()[0]
    return int(smallest), int(below), int(classes)


def _refuse_findings(hall: Mapping[str, Source], on_findings: OnFindings) -> None:
    """Refuse rows with findings: a wrong one would change what is said of somebody."""
    seen = set()
    for source in hall.values():
        if (place := (id(source.reader), source.table)) in seen:
            continue
        seen.add(place)
        held = source.reader.hold_back(source.table, leave_out=False)
        wrong = [finding for finding in held.findings if finding.code not in ABOUT_THE_FILE]
        if wrong and on_findings != "go_on":
            first = wrong[0]
            where = f"{first.line} 行目 " if first.line else ""
            raise FindingsRefused(
                rows=sum(finding.rows for finding in wrong),
                first=f"{where}{first.item}: {first.expected}",
                findings=held.findings,
            )
