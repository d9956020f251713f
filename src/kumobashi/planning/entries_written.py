"""Where the entries of the directory are written: a file of the workspace, and a place in it.

>>> at = place_of("version", "collection.payments.v2")
>>> at.file, at.path
('systems/collection.yaml', ('services', 'payments', 'versions', 'v2'))
>>> place_of("site", "hall-core").file
'sites/hall-core.yaml'
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ruamel.yaml.error import YAMLError

from kumobashi.planning.errors import EntryUnfit, NotRegistered, RegisteredAlready
from kumobashi.planning.workspace import MAIN
from kumobashi.storage.yaml_editing import added, changed, holds, removed, value_of

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")
# kind → file, and path in it; {0}, {1}, {2} are the parts of the dotted name
_PLACES: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "organisation": (MAIN, ("municipality",)),
    "contact": (MAIN, ("contacts", "{0}")),
    "site": ("sites/{0}.yaml", ()),
    "system": ("systems/{0}.yaml", ()),
    "dataset": ("systems/{0}.yaml", ("datasets", "{1}")),
    "service": ("systems/{0}.yaml", ("services", "{1}")),
    "version": ("systems/{0}.yaml", ("services", "{1}", "versions", "{2}")),
}
ENTRIES: Final = tuple(_PLACES)
_PARTS: Final = {"organisation": 0, "dataset": 2, "service": 2, "version": 3}
_OWN_FILE: Final = ("site", "system")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an entry stands."""

    kind: str
    name: str
    file: str
    path: tuple[str, ...]  # empty: the whole file

    def register(self, text: str | None, given: str) -> str:
        """Return the file with the entry; ``given`` is the entry's own YAML.

        Raises:
            RegisteredAlready: there is one.
            NotRegistered: what it belongs to is not there.
            EntryUnfit: ``given`` is no mapping, or the file cannot take it.
        """
        try:
            value = value_of(given)
        except YAMLError:
            value = None
        if not isinstance(value, dict) or not value:
            raise self._unfit("--from", "a mapping in YAML")
        if not self.path:
            if text is not None:
                raise RegisteredAlready(kind=self.kind, name=self.name, file=self.file)
            if str(value.get(self.kind)) != self.name:
                raise self._unfit(self.kind, f"{self.kind}: {self.name}")
            return given if given.endswith("\n") else given + "\n"
        if text is None:
            raise NotRegistered(kind="system", name=self.name.partition(".")[0])
        if holds(text, self.path):
            raise RegisteredAlready(kind=self.kind, name=self.name, file=self.file)
        if self.kind == "version" and not holds(text, self.path[:2]):
            raise NotRegistered(kind="service", name=self.name.rpartition(".")[0])
        try:
            return added(text, self.path, block=given.strip("\n"))
        except KeyError as error:
            raise self._unfit(str(error.args[0]), "a mapping") from None

    def change(self, text: str | None, new: Mapping[str, Any], without: tuple[str, ...]) -> str:
        """Return the file with the values of ``new`` (by dotted keys), and ``without`` others.

        Raises:
            NotRegistered: there is no such entry, or it has no such key.
            EntryUnfit: the key is the name of the entry, or something around it is no mapping.
        """
        text = self._there(text)
        for dotted in (*new, *without):
            if not all(dotted.split(".")) or (not self.path and dotted in {"kumobashi", self.kind}):
                raise self._unfit(dotted, "a key of the entry, other than its name")
        try:
            for dotted, value in new.items():
                text = changed(text, (*self.path, *dotted.split(".")), value)
            for dotted in without:
                text = removed(text, (*self.path, *dotted.split(".")))
        except KeyError as error:
            raise self._unfit(str(error.args[0]), "a key that is there, in a mapping") from None
        return text

    def retire(self, text: str | None) -> str | None:
        """Return the file without the entry; ``None``: the file goes.

        Raises:
            NotRegistered: there is no such entry.
            EntryUnfit: nothing else would be left in the file, or it is the organisation itself.
        """
        text = self._there(text)
        if not self.path:
            return None
        if self.kind == "organisation":
            raise self._unfit("retire", "an entry other than the organisation itself")
        if self.kind == "version" and not holds(removed(text, self.path), self.path[:-1]):
            raise self._unfit("versions", "another version; or retire the service as a whole")
        try:
            return removed(text, self.path)
        except KeyError as error:
            raise self._unfit(str(error.args[0]), "an entry besides others") from None

    def _there(self, text: str | None) -> str:
        if text is None or (self.path and not holds(text, self.path)):
            raise NotRegistered(kind=self.kind, name=self.name)
        return text

    def _unfit(self, what: str, expected: str) -> EntryUnfit:
        return EntryUnfit(kind=self.kind, name=self.name, what=what, expected=expected)


def place_of(kind: str, name: str) -> Place:
    """Return where an entry of this kind and name stands.

    ``kind`` is one of ``ENTRIES``; a dataset is named ``system.dataset``, a version
    ``system.service.v1``; the organisation is the workspace's own, whatever its code.

    Raises:
        EntryUnfit: the name has another form.
    """
    file, path = _PLACES[kind]
    wanted = _PARTS.get(kind, 1)
    parts = name.split(".") if wanted else []
    if len(parts) != wanted or not all(_NAME.fullmatch(part) for part in parts):
        form = ".".join(("SYSTEM", "NAME", "v1")[:wanted]) if wanted > 1 else "NAME"
        raise EntryUnfit(kind=kind, name=name, what=name, expected=form)
    return Place(
        kind=kind,
        name=name,
        file=file.format(*parts),
        path=tuple(step.format(*parts) for step in path),
    )


def text_of(folder: Path, file: str) -> str | None:
    """Return a file as it stands, line ends too; ``None`` when there is none."""
    try:
        return (folder / file).read_bytes().decode("utf-8")
    except FileNotFoundError:
        return None
