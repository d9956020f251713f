"""The list of plans: what is searched for, which standings, which page. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from kumobashi.console.listing import LONGEST_SEARCH, folded, folded_names
from kumobashi.console.paging import Page, page_number, paged
from kumobashi.console.ports import Entry, PlanRow
from kumobashi.planning.approval import Standing

# What somebody has to look at comes first.
_ORDER = (Standing.DRIFTED, Standing.UNAPPROVED, Standing.REFUSED, Standing.APPROVED)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanWish:
    """What a reader of the list asks for; empty texts ask for everything."""

    q: str = ""
    standing: str = ""
    page: int = 1

    def but(self, **other: str | int) -> dict[str, str | int]:
        """Return the query of the same wish with something else, from its first page on."""
        wish = {**asdict(self), "page": 1, **other}
        return {key: value for key, value in wish.items() if value not in {"", 1}}

    @property
    def narrows(self) -> bool:
        """Whether something is left out."""
        return bool(self.q or self.standing)


def plan_wish_of(query: Mapping[str, str]) -> PlanWish:
    """Read a wish from an address; what makes no sense is as if it had not been typed.

    >>> plan_wish_of({"standing": "nonsense", "q": " 税 "})
    PlanWish(q='税', standing='', page=1)
    """
    standing = query.get("standing", "")
    return PlanWish(
        q=query.get("q", "").strip()[:LONGEST_SEARCH],
        standing=standing if standing in set(Standing) else "",
        page=page_number(query.get("page", "")),
    )


def listed_plans(rows: Iterable[PlanRow], wish: PlanWish) -> Page[PlanRow]:
    """Return the page that is wished for: proposals first, then what needs a decision."""
    words = folded(wish.q).split()
    found = [
        row
        for row in rows
        if (not wish.standing or row.standing == wish.standing)
        and _holds(words, row.link, row.name, row.number, row.approved_by)
    ]
    place = {standing: number for number, standing in enumerate(_ORDER)}
    found.sort(key=lambda row: (row.proposal is None, place[row.standing], row.name, row.link))
    return paged(found, wish.page)


def standings(rows: Iterable[PlanRow]) -> tuple[tuple[Standing, int], ...]:
    """Count the standings that are there."""
    found = Counter(row.standing for row in rows)
    return tuple((standing, found[standing]) for standing in _ORDER if found[standing])


def listed_entries(entries: Iterable[Entry], wish: PlanWish) -> Page[Entry]:
    """Return the page of the record that is wished for."""
    words = folded(wish.q).split()
    found = [
        entry
        for entry in entries
        if _holds(words, entry.link or "", entry.what.ja, entry.what.en, entry.who)
    ]
    return paged(found, wish.page)


def _holds(words: list[str], *texts: str) -> bool:
    names = folded_names(*texts) if words else ""
    return all(word in names for word in words)
