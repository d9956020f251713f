"""Bring the files of a workspace to what this release writes: schema lines, schemas, ended layouts.

Nothing is guessed. A layout version that is over is replaced only where a newer one holds and the
workspace still fits together with it, which is tried on a copy first. There is one format of files
so far (``kumobashi: 1``), so no file has to be turned from an older one.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from kumobashi.catalogue.errors import LayoutUnknown
from kumobashi.directory.document import write_durably
from kumobashi.planning import schemas
from kumobashi.planning.candidate import candidate
from kumobashi.planning.errors import WorkspaceBroken
from kumobashi.planning.services import layouts_named
from kumobashi.planning.workspace import MAIN, Workspace, load

_SCHEMA_OF = {  # folder → schema
    "sites": "site",
    "systems": "system",
    "rules": "release-rule",
    "campaigns": "campaign",
    "links": "link",
    "calls": "call",
    "layouts": "layout",
    "approvals": "approval",
    "consents": "consent",
}
_LINE = "# yaml-language-server: $schema="


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewrite:
    """One file as it is and as it would be."""

    file: str  # relative to the workspace
    why_ja: tuple[str, ...]
    why_en: tuple[str, ...]
    before: str | None  # None: there is no such file yet
    after: str

    def diff(self) -> str:
        """Return what changes, as ``diff -u`` shows it."""
        return diff_of(self.file, self.before, self.after)


def diff_of(file: str, before: str | None, after: str | None) -> str:
    """Return what changes in a file, as ``diff -u`` shows it; ``None``: there is no such file."""
    lines = difflib.unified_diff(
        (before or "").splitlines(keepends=True),
        (after or "").splitlines(keepends=True),
        fromfile=file,
        tofile=file,
    )
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


def upgrades(folder: Path, *, on: date) -> list[Rewrite]:
    """Return what would be rewritten; nothing is.

    Raises:
        WorkspaceBroken: the files have mistakes; correct them first.
    """
    workspace = load(folder)
    versions = {
        file: change
        for file, change in _newer_layouts(workspace, on)
        if _still_fits(folder, {file: change[0]})
    }
    found = []
    for file in sorted(workspace.documents):
        before = (folder / file).read_text(encoding="utf-8-sig")
        after, why_ja, why_en = before, [], []
        if file in versions:
            after, ja, en = versions[file]
            why_ja.append(ja)
            why_en.append(en)
        lined = _with_schema_line(after, file)
        if lined != after:
            why_ja.append("1行目でスキーマを指します（エディターの補完と点検のため）")
            why_en.append("the first line names the schema, for editors")
        if lined != before:
            found.append(
                Rewrite(
                    file=file,
                    why_ja=tuple(why_ja),
                    why_en=tuple(why_en),
                    before=before,
                    after=lined,
                )
            )
    return [*found, *_schemas(folder)]


def write(folder: Path, rewrites: list[Rewrite]) -> None:
    """Write the files, each durably."""
    for rewrite in rewrites:
        (folder / rewrite.file).parent.mkdir(parents=True, exist_ok=True)
        write_durably(folder / rewrite.file, rewrite.after.encode("utf-8"))


def _with_schema_line(text: str, file: str) -> str:
    r"""Return the text with the right schema in its first line.

    >>> _with_schema_line("kumobashi: 1\n", "sites/a.yaml").splitlines()[0]
    '# yaml-language-server: $schema=../.schemas/site.json'
    """
    kind = file.partition("/")[0]
    place = ".schemas/municipality.json" if file == MAIN else f"../.schemas/{_SCHEMA_OF[kind]}.json"
    first, _, rest = text.partition("\n")
    if first.startswith(_LINE):
        text = rest
    return f"{_LINE}{place}\n{text}"


def _newer_layouts(workspace: Workspace, on: date) -> Iterator[tuple[str, tuple[str, str, str]]]:
    """Give each system file whose layouts are over, with its new text and why."""
    for name, system in workspace.systems.items():
        file = f"systems/{name}.yaml"
        lines = (workspace.folder / file).read_text(encoding="utf-8-sig").splitlines(keepends=True)
        why_ja, why_en = [], []
        for path, dataset in layouts_named(system):
            key = path[-2] if path[0] == "datasets" else path[-3]  # a dataset, or an operation
            old = workspace.layouts.get(dataset.layout, dataset.version)
            try:
                new = workspace.layouts.on(dataset.layout, on)
            except LayoutUnknown:
                continue
            if old.is_valid(on) or new.version == old.version:
                continue
            mark = workspace.documents[file].tree.at(path)
            line = lines[mark.line - 1]
            head, tail = line[: mark.column - 1], line[mark.column - 1 :]
            value = re.sub(r"""^("[^"]*"|'[^']*'|[^\s,}#]+)""", f'"{new.version}"', tail)
            lines[mark.line - 1] = head + value
            why_ja.append(f"{key}: レイアウト「{new.ja}」第{old.version}版 → 第{new.version}版")
            why_en.append(f"{key}: layout {new.layout} {old.version} → {new.version}")
        if why_ja:
            yield file, ("".join(lines), "、".join(why_ja), ", ".join(why_en))


def _still_fits(folder: Path, changed: Mapping[str, str]) -> bool:
    """Whether a copy of the workspace with some files changed has no mistakes."""
    with candidate(folder, changed) as target:
        try:
            load(target)
        except WorkspaceBroken:
            return False
    return True


def _schemas(folder: Path) -> Iterator[Rewrite]:
    for name, text in schemas.texts().items():
        path = folder / ".schemas" / name
        before = path.read_text(encoding="utf-8") if path.is_file() else None
        if before != text:
            yield Rewrite(
                file=f".schemas/{name}",
                why_ja=("この版の雲橋のスキーマ",),
                why_en=("the schema of this release",),
                before=before,
                after=text,
            )
