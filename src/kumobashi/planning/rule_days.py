"""What changes for the links of a workspace between two days, because rows begin or end.

>>> from datetime import date
>>> from kumobashi.planning.sampling import write_sample
>>> from kumobashi.planning.workspace import load
>>> import pathlib, tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     workspace = load(write_sample(pathlib.Path(folder) / "city"))
>>> found = between(workspace, date(2026, 11, 22), date(2036, 4, 1))
>>> [change.link for change in found if change.breaks][:2]
['campaign-targets', 'childcare-notices']
"""

from dataclasses import dataclass
from datetime import date

from kumobashi.planning.decided import Decided
from kumobashi.planning.deciding import plan_of
from kumobashi.planning.workspace import Workspace
from kumobashi.policy.questions import Reason
from kumobashi.policy.reading import Origin
from kumobashi.policy.tables import Tables

# Whether a directory was published says nothing about the rules, and never about another day.
_NOT_OF_RULES = ("planning.no_directory", "planning.directory_stale")


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkOnDays:
    """A link on both days: what speaks against it, and which of its rows end or begin between."""

    link: str
    name: str
    before: tuple[Reason, ...]
    after: tuple[Reason, ...]
    cautions: tuple[Reason, ...]  # on the later day
    ending: tuple[Origin, ...]  # rows that it rests on today and that no longer hold
    beginning: tuple[Origin, ...]  # rows that hold on the later day only

    @property
    def breaks(self) -> bool:
        """Whether it may run today and may not on that day."""
        return not self.before and bool(self.after)

    @property
    def mends(self) -> bool:
        """Whether it is refused today and may run on that day."""
        return bool(self.before) and not self.after

    @property
    def is_changed(self) -> bool:
        """Whether anything that is said of it, or any row it rests on, is another."""
        said = [(reason.code, reason.where) for reason in self.before]
        then = [(reason.code, reason.where) for reason in self.after]
        return said != then or bool(self.ending or self.beginning)


def between(
    workspace: Workspace, today: date, day: date, *, tables: Tables | None = None
) -> tuple[LinkOnDays, ...]:
    """Decide every link for both days; the order is that of their names."""
    return tuple(
        _on_days(
            plan_of(workspace, None, link, on=today, tables=tables),
            plan_of(workspace, None, link, on=day, tables=tables),
        )
        for link in sorted(workspace.every_link)
    )


def _on_days(now: Decided, then: Decided) -> LinkOnDays:
    return LinkOnDays(
        link=now.link.link,
        name=now.link.name,
        before=_of_rules(now),
        after=_of_rules(then),
        cautions=then.cautions,
        ending=tuple(row for row in now.rows if not row.holds(then.on)),
        beginning=tuple(row for row in then.rows if not row.holds(now.on)),
    )


def _of_rules(planned: Decided) -> tuple[Reason, ...]:
    return tuple(reason for reason in planned.reasons if reason.code not in _NOT_OF_RULES)
