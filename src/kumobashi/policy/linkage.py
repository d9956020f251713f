"""A sample table in the shape of the number law's linkage rules: who asks whom for what, on what.

Each row is one inquirer and affair with the providers and the information they give. The sample
that comes with this program is **fictional** (架空) from the first row to the last: 120 items that
have the shape of the law's table (report of 2013, tables 3-2 and 3-4) and nothing of its content. A
body that works under the law writes the table from the text in force. It is decided by the same
evaluator as every other rule.

>>> from datetime import date
>>> sample = load_linkage()
>>> len({row.item for row in sample}), len(sample), len(answers(sample))
(120, 284, 555)
>>> rules = WhoMay(answers(sample)).on(date(2026, 11, 22))
>>> ask = ask_of(
...     inquirer="inquirer-01",
...     affair="affair-001",
...     provider="provider-01",
...     information="information-01",
... )
>>> rules.decide(ask).code, rules.decide(ask._replace(from_unit="provider-02")).code
('policy.permitted', 'policy.not_listed')
"""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from kumobashi.policy.overlaps import same_key
from kumobashi.policy.reading import ANY, FORMS, Folder, Origin, Row, Shelf
from kumobashi.policy.who_may import Ask, MayRow, WhoMay

__all__ = ["FILE", "LinkageRow", "WhoMay", "answers", "ask_of", "load_linkage"]

FILE = "linkage.csv"
_SAMPLES = "policy/tables/samples"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkageRow:
    """One row: every provider named may give every kind of information named."""

    item: int  # 項
    inquirer: str
    inquirer_ja: str
    affair: str
    affair_ja: str
    providers: tuple[str, ...]
    providers_ja: str
    information: tuple[str, ...]
    information_ja: str
    regulation_ja: str
    origin: Origin


def load_linkage(folder: Path | None = None) -> tuple[LinkageRow, ...]:
    """Read the table of ``folder``, or the fictional sample.

    Raises:
        PolicyUnreadable: a row makes no sense.
        PolicyContradicts: two rows give the same answer on the same day.
    """
    place: Folder = folder or files("kumobashi.policy") / "tables" / "samples"
    shelf = Shelf(place, "linkage" if folder else _SAMPLES)
    rows = shelf.rows(FILE, _read)
    for mistake in same_key(answers(rows), lambda answer: [answer.key]):
        shelf.note(mistake)
    return rows


def answers(rows: Iterable[LinkageRow]) -> tuple[MayRow, ...]:
    """Return one row for each provider and kind of information; a row's line stays its own."""
    return tuple(
        MayRow(
            key=tuple(
                ask_of(
                    inquirer=row.inquirer,
                    affair=row.affair,
                    provider=provider,
                    information=information,
                )
            ),
            is_permitted=True,
            forms=FORMS,
            bases=("number-19",),
            article_ja=f"{row.item}の項、{row.regulation_ja}",
            article_en=f"item {row.item} (fictional)",
            remedy_ja="",
            remedy_en="",
            origin=row.origin,
        )
        for row in rows
        for provider in row.providers
        for information in row.information
    )


def ask_of(*, inquirer: str, affair: str, provider: str, information: str) -> Ask:
    """Return the question whether an inquirer may have information for an affair."""
    return Ask(provider, inquirer, information, affair, ANY, ANY)


def _read(row: Row) -> LinkageRow:
    providers, information = row.listed("providers"), row.listed("information")
    if not providers or not information:
        raise row.wrong("providers, information", "")
    return LinkageRow(
        item=row.count("item"),
        inquirer=row.name("inquirer"),
        inquirer_ja=row.name("inquirer_ja"),
        affair=row.name("affair"),
        affair_ja=row.name("affair_ja"),
        providers=providers,
        providers_ja=row.name("providers_ja"),
        information=information,
        information_ja=row.name("information_ja"),
        regulation_ja=row.name("regulation_ja"),
        origin=row.origin(),
    )
