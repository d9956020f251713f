"""The plans of a site's links, made once for a state of the workspace and a day.

A plan takes a millisecond or two; a console asks for thousands on a page. They depend on nothing
but the files, the directory and the day, so they are kept until one of those is another.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from kumobashi.directory.entries import Directory
from kumobashi.planning.call_plan import CallPlan, call_plan
from kumobashi.planning.explaining import Explanation, explain
from kumobashi.planning.fictional import Example, example_of
from kumobashi.planning.plan import Plan, plan
from kumobashi.planning.workspace import Workspace


@dataclass(slots=True)
class _Held:
    """What was made for one state of the workspace and one day."""

    plans: dict[str, Plan] = field(default_factory=dict)
    calls: dict[str, CallPlan] = field(default_factory=dict)
    examples: dict[tuple[str, date], Example] = field(default_factory=dict)  # by hash and day
    explained: dict[tuple[str, date], Explanation] = field(default_factory=dict)


class Planned:
    """Keeps plans; asked from several threads."""

    def __init__(self, directory: Directory, today: Callable[[], date]) -> None:
        self._directory = directory
        self.today = today
        self._lock = threading.Lock()
        self._of: tuple[Workspace, date] | None = None
        self._held = _Held()

    def plan(self, workspace: Workspace, link: str) -> Plan:
        """Return the plan of a bulk link as it is today; raise ``LinkUnknown``."""
        on, held = self._of_today(workspace)
        found = held.plans.get(link)
        if found is None:
            found = held.plans[link] = plan(workspace, self._directory, link, on=on)
        return found

    def call_plan(self, workspace: Workspace, link: str) -> CallPlan:
        """Return the plan of an online link as it is today; raise ``LinkUnknown``."""
        on, held = self._of_today(workspace)
        found = held.calls.get(link)
        if found is None:
            found = held.calls[link] = call_plan(workspace, self._directory, link, on=on)
        return found

    def either(self, workspace: Workspace, link: str) -> Plan | CallPlan:
        """Return the plan of a link of either kind as it is today; raise ``LinkUnknown``."""
        workspace.declared(link)
        if link in workspace.calls:
            return self.call_plan(workspace, link)
        return self.plan(workspace, link)

    def example(self, workspace: Workspace, decided: Plan) -> Example:
        """Return what a plan does to a fictional resident."""
        with self._lock:
            held = self._held.examples
        key = (decided.hash, decided.on)
        found = held.get(key)
        if found is None:
            found = held[key] = example_of(workspace, decided.link, on=decided.on)
        return found

    def explanation(self, workspace: Workspace, decided: Plan) -> Explanation:
        """Return a plan's rule as a fictional resident goes through it, at every step."""
        with self._lock:
            held = self._held.explained
        key = (decided.hash, decided.on)
        found = held.get(key)
        if found is None:
            found = held[key] = explain(workspace, decided)
        return found

    def _of_today(self, workspace: Workspace) -> tuple[date, "_Held"]:
        on = self.today()
        with self._lock:
            # The same object is the same files: whoever reads them anew makes a new one.
            if self._of is None or self._of[0] is not workspace or self._of[1] != on:
                self._of, self._held = (workspace, on), _Held()
            return on, self._held
