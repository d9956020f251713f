"""Who a number is of, before anything is kept about them: as the hall's own register writes it.

A consent, or its withdrawal, under a mistyped number would be somebody else's or nobody's, and the
resident's own would stand as it was. So a number is looked for among the subjects of the links that
consent texts cover, and one that nobody has is refused.
"""

from collections.abc import Callable

import pyarrow as pa

from kumobashi.planning.workspace import Workspace
from kumobashi.service.errors import ResidentUnclear, ResidentUnknown, SecretMissing
from kumobashi.service.numbers import all_numbers, as_written, subjects_of
from kumobashi.storage.errors import StorageFailed


class Residents:
    """The residents of the sources at one site."""

    def __init__(self, workspace: Callable[[], Workspace], site: str) -> None:
        self._workspace = workspace
        self._site = site

    def named(self, typed: str, *, is_kept: Callable[[str], bool]) -> str:
        """Return the number as the register writes it.

        Where the register has nobody of it, or cannot be read, what ``is_kept`` knows stands as it
        was typed: people move away, and a withdrawal does not wait for a database.

        Raises:
            ResidentUnknown, ResidentUnclear: nothing may be kept under it.
            StorageFailed, SecretMissing: the register cannot be read.
        """
        workspace = self._workspace()
        registers = self._registers(workspace)
        if not registers:  # no source here says who there is
            return typed
        found: set[str] = set()
        try:
            for of in registers:
                found |= set(as_written(workspace, of, typed))
        except (StorageFailed, SecretMissing):
            if is_kept(typed):
                return typed
            raise
        if typed in found:
            return typed
        if len(found) > 1:
            raise ResidentUnclear
        if found:
            return found.pop()
        if is_kept(typed):
            return typed
        raise ResidentUnknown

    def all(self) -> pa.ChunkedArray | None:
        """Return the numbers of all, as they are written; none where no source says.

        Raises:
            StorageFailed, SecretMissing: the register cannot be read.
        """
        workspace = self._workspace()
        found = [all_numbers(workspace, of) for of in self._registers(workspace)]
        return pa.chunked_array([part for one in found for part in one.chunks]) if found else None

    def _registers(self, workspace: Workspace) -> list[tuple[str, str]]:
        """Return where the subjects are of the links of this site that consent texts cover."""
        covered = {
            one.link for text in workspace.consents.values() for one in text.covers if one.link
        }
        links = [workspace.links[name] for name in sorted(covered) if name in workspace.links]
        found = (
            subjects_of(workspace.rules[link.release])
            for link in links
            if workspace.systems[link.from_].site == self._site
        )
        return list(dict.fromkeys(found))
