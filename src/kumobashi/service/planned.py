"""The plans of a site's links, made once for a state of the workspace and a day.

A plan takes a millisecond or two; a console asks for thousands on a page. They depend on nothing
but the files, the directory and the day, so they are kept until one of those is another.
"""

import threading
from collections.abc import Callable
from datetime import date

from kumobashi.directory.entries import Directory
from kumobashi.planning.explaining import Explanation, explain
from kumobashi.planning.fictional import Example, example_of
from kumobashi.planning.plan import Plan, plan
from kumobashi.planning.workspace import Workspace


class Planned:
    """Keeps plans; asked from several threads."""

    def __init__(self, directory: Directory, today: Callable[[], date]) -> None:
        self._directory = directory
        self._today = today
        self._lock = threading.Lock()
        self._of: tuple[Workspace, date] | None = None
        self._held: dict[str, Plan] = {}
        self._examples: dict[tuple[str, date], Example] = {}  # by hash and day
        self._explained: dict[tuple[str, date], Explanation] = {}

    def plan(self, workspace: Workspace, link: str) -> Plan:
        """Return the plan of a link as it is today; raise ``LinkUnknown``."""
        on = self._today()
        with self._lock:
            # The same object is the same files: whoever reads them anew makes a new one.
            if self._of is None or self._of[0] is not workspace or self._of[1] != on:
                self._of, self._held, self._examples = (workspace, on), {}, {}
                self._explained = {}
            held = self._held
        found = held.get(link)
        if found is None:
            found = held[link] = plan(workspace, self._directory, link, on=on)
        return found

    def example(self, workspace: Workspace, decided: Plan) -> Example:
        """Return what a plan does to a fictional resident."""
        with self._lock:
            held = self._examples
        key = (decided.hash, decided.on)
        found = held.get(key)
        if found is None:
            found = held[key] = example_of(workspace, decided.link, on=decided.on)
        return found

    def explanation(self, workspace: Workspace, decided: Plan) -> Explanation:
        """Return a plan's rule as a fictional resident goes through it, at every step."""
        with self._lock:
            held = self._explained
        key = (decided.hash, decided.on)
        found = held.get(key)
        if found is None:
            found = held[key] = explain(workspace, decided)
        return found
