"""One fictional resident before and after a release rule: what people look at to understand it.

The rows are invented so that the rule lets the person through: an age it asks for, the consent it
needs, the codes it filters by. Then the rule itself runs on them, the same SQL as at night; so what
is shown as "after" is what would leave, and no second description of the operations can be wrong.
Nobody of the city is read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from types import MappingProxyType

import duckdb

from kumobashi.catalogue.layouts import Layout
from kumobashi.crypto.keys import TokenKey
from kumobashi.planning.coding import logical_layout
from kumobashi.planning.inventing import Value, any_value, said_value
from kumobashi.planning.links import LinkFile
from kumobashi.planning.workspace import Workspace
from kumobashi.release.columns import CAMPAIGN, Area, Flag
from kumobashi.release.compiling import compile_released, compile_rule
from kumobashi.release.rules import LEDGER, TIES, ReleaseRule
from kumobashi.release.staging import CONSENTS, TIED, Stage, stages
from kumobashi.release.targeting import meet_targets
from kumobashi.storage.tables import literal, quoted

_KEY = TokenKey(sha256("架空の住民の例".encode()).digest())  # of examples; seals nothing
_TYPES = {"9": "bigint", "S9": "bigint", "YEAR": "integer", "DATE": "date"}
_TYPES |= {"TIMESTAMP": "timestamp", "LIST9": "integer[]"}
_HOUSE = {
    "household_no": "0000000777",
    "family_name": "𠮷田",
    "family_name_kana": "ヨシダ",
    "municipality_code": "999997",
    "town_code": "9999970012003",
    "town_name": "本町三丁目",
    "address_number": "5番1号",
    "address_building": "架空ハイツ203",
    "postal_code": "0000000",
    "resident_kind": "1",
    "resident_status": "1",
}
# given name, kana, sex, relationship to the head, age; the first whose age is asked for is shown
_MEMBERS: tuple[tuple[str, str, str, str, int], ...] = (
    ("髙子", "タカコ", "2", "12", 38),
    ("さくら", "サクラ", "2", "20", 9),
    ("健一", "ケンイチ", "1", "02", 41),
    ("蓮", "レン", "1", "20", 6),
    ("千代", "チヨ", "2", "52", 76),
)
_HEAD = 2  # of the members


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """What one fictional person is in the hall, and what of it leaves; all as texts."""

    person: str  # "𠮷田 髙子（38歳）"
    household: int  # how many persons live in it
    before: Mapping[str, str]  # by "dataset.column" of the rule
    after: Mapping[str, str]  # by released item; empty when the rule lets nobody through


def example_of(
    workspace: Workspace,
    link: LinkFile,
    *,
    on: date,
    levels: Mapping[str, int] = MappingProxyType({}),
) -> Example:
    """Run the rule of a link, with columns climbed to ``levels``, on invented rows."""
    rule = workspace.rules[link.release].at_levels(levels)
    layouts = {name: workspace.layout(ref) for name, ref in rule.datasets.items()}
    members = _members(rule, layouts[rule.subject.dataset], on)
    chosen = _chosen(rule, members, on)
    rows = _rows(rule, layouts, members, chosen, purpose=link.purpose, on=on)
    released = _run(rule, layouts, rows, chosen, purpose=link.purpose, on=on)
    receiving = logical_layout(workspace, link)
    subject = members[chosen]
    born = subject.get(rule.subject.birth_date)
    age = f"（{_age(born, on)}歳）" if isinstance(born, date) else ""
    named = f"{subject.get('family_name') or ''} {subject.get('given_name') or ''}".strip()
    return Example(
        person=f"{named}{age}",
        household=len(members),
        before={
            f"{name}.{field.name}": said_value(field, held[0].get(field.name))
            for name, held in _of_subject(rule, rows, subject).items()
            if held and name in layouts
            for field in layouts[name].fields
        },
        after={
            item: said_value(receiving.field(item), value)
            for item, value in released.items()
            if item in receiving.names
        },
    )


# -- inventing ----------------------------------------------------------------------------------


def _members(rule: ReleaseRule, layout: Layout, on: date) -> list[dict[str, Value]]:
    ages = [age for *_, age in _MEMBERS]
    if (asked := rule.subject.age) and not any(asked.from_ <= age <= asked.to for age in ages):
        ages[0] = asked.from_
    found = []
    for number, (given, kana, sex, relationship, _) in enumerate(_MEMBERS):
        known: dict[str, Value] = {
            **_HOUSE,
            "resident_no": f"{123456 + number:010d}",
            "given_name": given,
            "given_name_kana": kana,
            "sex": sex,
            "relationship": relationship,
            "birth_date": _born(ages[number], on),
        }
        row = {field.name: known.get(field.name, any_value(field, on)) for field in layout.fields}
        found.append(row | _filtered(rule.subject.only))
    return found


def _chosen(rule: ReleaseRule, members: Sequence[Mapping[str, Value]], on: date) -> int:
    if (asked := rule.subject.age) is None:
        return 0
    for number, member in enumerate(members):
        born = member.get(rule.subject.birth_date)
        if isinstance(born, date) and asked.from_ <= _age(born, on) <= asked.to:
            return number
    return 0


def _rows(
    rule: ReleaseRule,
    layouts: Mapping[str, Layout],
    members: list[dict[str, Value]],
    chosen: int,
    *,
    purpose: str,
    on: date,
) -> dict[str, list[dict[str, Value]]]:
    """Return rows by dataset of the rule."""
    key = rule.subject.key
    rows: dict[str, list[dict[str, Value]]] = {rule.subject.dataset: members}
    for name, layout in layouts.items():
        if name == rule.subject.dataset:
            continue
        row = {field.name: any_value(field, on) for field in layout.fields}
        row[key] = members[chosen][key]
        for column in rule.columns:
            if isinstance(column, Flag) and column.dataset == name:
                row |= _filtered(column.only) | {column.of: column.one[0]}
            if isinstance(column, Area) and (said := column.mapping) and said.dataset == name:
                row[said.key] = str(members[chosen][column.of] or "")[: said.length]
        rows[name] = [row]
    if rule.subject.without:
        rows[rule.subject.without.dataset] = []
    if rule.consent:
        who = members[_HEAD if rule.consent.by == "household_head" else chosen][key]
        given = {key: who, "purpose": purpose, "granted_on": on - timedelta(days=200)}
        like = rows[rule.consent.dataset][0] if rule.consent.dataset else {}
        rows[rule.consent.source] = [like | given | {"withdrawn_on": None}]
    if rule.ties:
        rows[TIES] = [{key: members[chosen][key]}]
    return rows


def _of_subject(
    rule: ReleaseRule,
    rows: Mapping[str, list[dict[str, Value]]],
    subject: dict[str, Value],
) -> dict[str, list[dict[str, Value]]]:
    return {**rows, rule.subject.dataset: [subject]}


def _filtered(only: Mapping[str, Sequence[str | int]]) -> dict[str, Value]:
    return {name: codes[0] for name, codes in only.items()}


def _born(age: int, on: date) -> date:
    year = on.year - age - (0 if (on.month, on.day) >= (5, 14) else 1)
    return date(year, 5, 14)


def _age(born: date, on: date) -> int:
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


# -- running ------------------------------------------------------------------------------------


def _run(
    rule: ReleaseRule,
    layouts: Mapping[str, Layout],
    rows: Mapping[str, list[dict[str, Value]]],
    chosen: int,
    *,
    purpose: str,
    on: date,
) -> dict[str, Value]:
    """Return the released row of the chosen person, by item."""
    steps = compile_rule(rule, on=on)
    key = rule.subject.key
    with duckdb.connect() as work:
        work.execute("set threads = 1")
        for stage in stages(rule, purpose=purpose, on=on):
            if stage.dataset in {LEDGER, TIES}:
                _permitted(work, stage, rows[stage.dataset])
            else:
                _stage(work, stage, layouts[stage.dataset], rows[stage.dataset])
        for mapping in steps.mappings:
            work.execute(mapping)
        if steps.household:
            work.execute(steps.household)
        who = rows[rule.subject.dataset][chosen][key]
        others = f"{quoted(key)} <> {literal(str(who))}"
        work.execute(f"delete from subjects where {others}")  # noqa: S608 - our own number
        work.execute(steps.eligible)
        if rule.predicate_only:  # as if the first campaign meant the person
            work.execute(
                f"create temp table targets as select {literal(str(who))} as key,"
                f" {literal(rule.campaigns[0])} as {CAMPAIGN}"
            )
            meet_targets(rule, work)
        make = compile_released(rule, on=on, unclear=frozenset())
        inner, outer = _KEY.hmac_pads()
        work.execute(make, {"inner": inner, "outer": outer} if "$inner" in make else None)
        found = work.execute("select * from released").fetchall()
    return dict(zip(steps.columns, found[0], strict=True)) if found else {}


def _stage(
    work: duckdb.DuckDBPyConnection,
    stage: Stage,
    layout: Layout,
    rows: Sequence[Mapping[str, Value]],
) -> None:
    columns = [
        f"{quoted(name)} {_TYPES.get(layout.field(name).type, 'varchar')}" for name in stage.columns
    ]
    work.execute(f"create table {quoted(stage.name)} ({', '.join(columns)})")
    for row in rows:
        marks = ", ".join("?" for _ in stage.columns)
        into = f"insert into {quoted(stage.name)} values ({marks})"  # noqa: S608 - names of the rule
        work.execute(into, [row[name] for name in stage.columns])


def _permitted(
    work: duckdb.DuckDBPyConnection, stage: Stage, rows: Sequence[Mapping[str, Value]]
) -> None:
    """Make what a register of permissions would give: everybody's yes, and nobody's no."""
    columns = ", ".join(f"{quoted(name)} varchar" for name in stage.columns)
    work.execute(f"create table {quoted(stage.name)} ({columns})")
    for row in rows if stage.name in {CONSENTS, TIED} else ():
        into = f"insert into {quoted(stage.name)} by name select ? as {quoted(stage.columns[0])}"
        work.execute(into, [row[stage.columns[0]]])
