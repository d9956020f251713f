"""Whether campaigns fit the rest of a workspace: datasets, columns, codes, release rules, links.

A comparison that cannot fit its column is a mistake here, on its line, never a surprise at night.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from kumobashi.catalogue.code_lists import load_code_lists
from kumobashi.catalogue.fields import Field, Layout
from kumobashi.catalogue.layouts import Layouts
from kumobashi.planning.references import Checks, Loaded, unknown
from kumobashi.release.campaigns import Campaign, Coarsened
from kumobashi.release.conditions import HasCode, Place, columns_of, places, rows_asked
from kumobashi.release.rules import ReleaseRule
from kumobashi.storage.documents import Document, Mistake, Path

# What a comparison can be made with, by the type of the column in the hall …
_TYPES: Mapping[str, frozenset[str]] = {
    "days": frozenset({"DATE"}),
    "age": frozenset({"DATE"}),
    "number": frozenset({"9", "S9", "9V", "YEAR"}),
    "code": frozenset({"X", "N", "9", "S9", "YEAR"}),
    "starts": frozenset({"X", "N"}),
    "parcels": frozenset({"X", "N"}),
    "flag": frozenset({"9", "S9"}),
}
# … and by the operation that makes a released one.
_OPERATIONS: Mapping[str, frozenset[str]] = {
    "flag": frozenset({"flag", "has_spouse", "has_member"}),
    "has_month": frozenset({"household_birth_months"}),
    "has_age": frozenset({"household_ages"}),
    "months": frozenset({"truncate"}),
    "number": frozenset({"truncate", "keep", "top_bottom"}),
    "code": frozenset({"keep", "prefix", "constant", "area"}),
    "starts": frozenset({"keep", "prefix", "area"}),
    "days": frozenset({"keep"}),
    "age": frozenset({"keep"}),
    "parcels": frozenset({"keep"}),
}
_ALL_OPERATIONS = frozenset().union(*_OPERATIONS.values()) | {
    "token",
    "base_date",
    "mask",
    "suppress",
    "drop",
    "household_counts",
}


def check_campaigns(loaded: Loaded, layouts: Layouts) -> list[Mistake]:
    """Return everything in the files of campaigns that does not fit."""
    checks = Checks(loaded, layouts)
    found: list[Mistake] = []
    for document in loaded.kinds["campaigns"].values():
        found += _campaign(checks, document)
    for rule in loaded.kinds["rules"].values():
        found += _predicate_only(checks, rule)
    return found


def _predicate_only(checks: Checks, document: Document[ReleaseRule]) -> Iterator[Mistake]:
    """Check that the campaigns of a rule are there, about its people and for their purpose."""
    rule = document.value
    for number, code in enumerate(rule.campaigns):
        path: Path = ("campaigns", number)
        yield from checks.name(document, path, "campaigns", code)
        held = checks.loaded.kinds["campaigns"].get(code)
        if held is None:
            continue
        whom = held.value.datasets[held.value.subject.dataset]
        theirs = rule.datasets[rule.subject.dataset]
        if (whom, held.value.subject.key) != (theirs, rule.subject.key):
            yield _other_people(document, path, f"{held.file} の対象者", held.file, whom)
        for link in checks.loaded.kinds["links"].values():
            if link.value.release == rule.release and link.value.purpose != held.value.purpose:
                yield _other_purpose(document, path, held.file, {link.value.purpose})


def _campaign(checks: Checks, document: Document[Campaign]) -> Iterator[Mistake]:
    campaign = document.value
    for name, reference in campaign.datasets.items():
        yield from checks.dataset(document, ("datasets", name), reference)
    yield from _dated(checks, document)
    yield from _one_site(checks, document)
    people = checks.layout_of(campaign.datasets[campaign.subject.dataset])
    if people:
        yield from _of_subject(document, people)
    for path, asked in rows_asked(campaign.exact, ("exact",)):
        layout = checks.layout_of(campaign.datasets[asked.dataset])
        if layout and campaign.subject.key not in layout.names:
            yield _unknown_column(document, (*path, "dataset"), campaign.subject.key, layout)
    for place in places(campaign.exact, ("exact",)):
        dataset = place.dataset or campaign.subject.dataset
        layout = checks.layout_of(campaign.datasets[dataset])
        if layout:
            yield from _compared(document, place, layout)
    if campaign.coarsened:
        yield from _coarsened(checks, document, campaign.coarsened)


def _dated(checks: Checks, document: Document[Campaign]) -> Iterator[Mistake]:
    """Check that every source says of which moment its data are, or old data would look new."""
    for name, reference in document.value.datasets.items():
        held = checks.loaded.kinds["systems"].get(reference.partition(".")[0])
        if held and held.value.as_of is None:
            yield document.mistake(
                ("datasets", name),
                code="workspace.no_as_of",
                ja=f"{held.file} に as_of がなく、データがいつの時点かわかりません。業務システム"
                "そのものなら live、集めたデータなら時点の表を書いてください。",
                en=f"{held.file} has no as_of, so nobody knows of which moment the data are.",
                expected="live | {table: …}",
                example="as_of: live",
            )


def _one_site(checks: Checks, document: Document[Campaign]) -> Iterator[Mistake]:
    """Check that all lies at the site of the people: nothing travels to be compared."""
    campaign = document.value
    sites: dict[str, str] = {}
    for name, reference in campaign.datasets.items():
        system = checks.loaded.kinds["systems"].get(reference.partition(".")[0])
        if system:
            sites[name] = system.value.site
    home = sites.get(campaign.subject.dataset)
    for name, site in sites.items():
        if home and site != home:
            yield document.mistake(
                ("datasets", name),
                code="workspace.other_site",
                ja=f"「{campaign.datasets[name]}」は {site} にあり、対象者のデータ（{home}）と"
                "一緒に読めません。同じサイトのデータを使ってください。",
                en=f"{campaign.datasets[name]!r} is at {site}, the people are at {home}.",
            )


def _of_subject(document: Document[Campaign], layout: Layout) -> Iterator[Mistake]:
    whom = document.value.subject
    named: list[tuple[Path, str]] = [(("subject", "key"), whom.key)]
    if whom.household:
        named.append((("subject", "household"), whom.household))
    named += [(("subject", "only", column), column) for column in whom.only]
    for path, column in named:
        if column not in layout.names:
            yield _unknown_column(document, path, column, layout)


def _compared(document: Document[Campaign], place: Place, layout: Layout) -> Iterator[Mistake]:
    """Check that the columns are there, can be compared so, and know the codes."""
    for key, column in zip(_keys(place), columns_of(place.leaf), strict=True):
        if column not in layout.names:
            yield _unknown_column(document, (*place.path, key), column, layout)
            continue
        field = layout.field(column)
        if field.type not in _TYPES.get(place.leaf.op, frozenset()):
            fit = [op for op, types in _TYPES.items() if field.type in types]
            yield _unfit(document, place, f"{field.ja}（{column}）", column, fit)
        elif isinstance(place.leaf, HasCode) and field.code_list:
            yield from _codes(document, place, field)


def _codes(document: Document[Campaign], place: Place, field: Field) -> Iterator[Mistake]:
    """Check that codes are in the code list: a wrong one would silently mean nobody."""
    known = load_code_lists()[field.code_list or ""]
    leaf = place.leaf
    if not isinstance(leaf, HasCode):
        return
    for key, codes in (("one_of", leaf.one_of), ("none_of", leaf.none_of)):
        for number, code in enumerate(codes):
            if str(code) not in known:
                path: Path = (*place.path, key, number)
                what = (f"{field.ja}のコード", f"code of {field.name}")
                yield unknown(document, path, str(code), known.values, what)


def _coarsened(
    checks: Checks, document: Document[Campaign], coarsened: Coarsened
) -> Iterator[Mistake]:
    yield from checks.name(document, ("coarsened", "rule"), "rules", coarsened.rule)
    held = checks.loaded.kinds["rules"].get(coarsened.rule)
    if held is None:
        return
    rule: ReleaseRule = held.value
    yield from _same_people(document, rule)
    yield from _same_purpose(checks, document, rule)
    made = {column.name: column for column in rule.columns}
    for place in places(coarsened.when, ("coarsened", "when")):
        for key, name in zip(_keys(place), columns_of(place.leaf), strict=True):
            if name not in made:
                what = (f"提供ルール {rule.release} の項目", f"column of the rule {rule.release}")
                yield unknown(document, (*place.path, key), name, made, what)
            elif (
                made[name].op in _ALL_OPERATIONS and made[name].op not in _OPERATIONS[place.leaf.op]
            ):
                fit = [op for op, ops in _OPERATIONS.items() if made[name].op in ops]
                yield _unfit(document, place, f"{name}（op: {made[name].op}）", name, fit)


def _same_people(document: Document[Campaign], rule: ReleaseRule) -> Iterator[Mistake]:
    """Check that both sides are about the same rows, or they could not be laid side by side."""
    campaign = document.value
    whom = campaign.datasets[campaign.subject.dataset]
    theirs = rule.datasets[rule.subject.dataset]
    if (whom, campaign.subject.key) != (theirs, rule.subject.key):
        yield _other_people(
            document, ("subject",), f"提供ルール {rule.release}", rule.release, theirs
        )


def _other_people(
    document: Document[Any], path: Path, what_ja: str, what: str, theirs: str
) -> Mistake:
    return document.mistake(
        path,
        code="workspace.other_people",
        ja=f"{what_ja}は {theirs} から選びます。通知の定義と提供ルールは、同じ人から選ぶもので"
        "なければ合わせられません。",
        en=f"{what} chooses from {theirs}; campaign and release rule must choose from the same"
        " people.",
        expected=theirs,
    )


def _same_purpose(
    checks: Checks, document: Document[Campaign], rule: ReleaseRule
) -> Iterator[Mistake]:
    """Check that people consented to the campaign's own purpose where the rule's rows go."""
    purposes = {
        link.value.purpose
        for link in checks.loaded.kinds["links"].values()
        if link.value.release == rule.release
    }
    if purposes and document.value.purpose not in purposes:
        yield _other_purpose(document, ("purpose",), f"rules/{rule.release}.yaml", purposes)


def _other_purpose(
    document: Document[Any], path: Path, file: str, purposes: Collection[str]
) -> Mistake:
    listed = " | ".join(sorted(purposes))
    return document.mistake(
        path,
        code="workspace.other_purpose",
        ja=f"{file} を使う連携の目的は {listed} です。同意を得た目的と違う通知はできません。",
        en=f"Links with {file} have the purpose {listed}; people consented to no other.",
        expected=listed,
        example=f"purpose: {min(purposes)}",
    )


def _keys(place: Place) -> tuple[str, ...]:
    return ("town", "number") if place.leaf.op == "parcels" else ("column",)


def _unknown_column(document: Document[Any], path: Path, column: str, layout: Layout) -> Mistake:
    what = (f"{layout.ja}の項目", f"column of {layout.layout}")
    return unknown(document, path, column, layout.names, what)


def _unfit(
    document: Document[Any], place: Place, column_ja: str, column: str, fit: list[str]
) -> Mistake:
    op, listed = place.leaf.op, " | ".join(fit)
    return document.mistake(
        (*place.path, "op"),
        code="workspace.comparison",
        ja=f"{column_ja} は op: {op} で比べられません。使えるのは {listed or 'ありません'} です。",
        en=f"{column} cannot be compared by {op}; what fits is {listed or 'nothing'}.",
        expected=listed,
        example=f"op: {fit[0]}" if fit else "",
    )
