"""A paper as values: sections of lines and tables, with blanks for what the platform cannot know.

A blank is part of a text, so that people find it wherever the text goes: on a screen, in CSV, in
JSON, on paper. All blanks of a paper are numbered in their order and listed at its end.

>>> [one.what for one in blanks_in("原因: " + blank("原因"))]
['原因']
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_BLANK = re.compile(r"【要記入: ([^【】]*)】")
_BRACKETS = str.maketrans("【】", "〔〕")


@dataclass(frozen=True, slots=True, kw_only=True)
class Blank:
    """Something that people must fill in."""

    what: str
    where: str = ""  # section and line


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a form: what it is called, what it says, and where the platform has it from."""

    label: str
    text: str
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows under heads, each as long as these."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One numbered part of a paper."""

    title: str
    lines: tuple[Line, ...] = ()
    table: Table | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """One paper; ``facts`` is the same for machines, with names in English."""

    kind: str  # a page of printing.PAGES
    title: str
    about: str  # the link, dataset or incident
    town: str
    made: str  # "2026-11-23 11:00", Japanese time
    sections: tuple[Section, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def blanks(self) -> tuple[Blank, ...]:
        """All blanks in their order."""
        return tuple(
            Blank(what=one.what, where=where)
            for where, text in self._texts()
            for one in blanks_in(text)
        )

    def plain(self) -> dict[str, Any]:
        """Return the paper as JSON."""
        return {
            "paper": self.kind,
            "title": self.title,
            "about": self.about,
            "municipality": self.town,
            "made": self.made,
            "sections": [
                {
                    "title": section.title,
                    "lines": [
                        {"label": one.label, "text": one.text, "source": one.source}
                        for one in section.lines
                    ],
                    "table": {
                        "heads": list(section.table.heads),
                        "rows": [list(row) for row in section.table.rows],
                    }
                    if section.table
                    else None,
                    "notes": list(section.notes),
                }
                for section in self.sections
            ],
            "blanks": [{"what": one.what, "where": one.where} for one in self.blanks],
            "facts": dict(self.facts),
        }

    def _texts(self) -> Iterator[tuple[str, str]]:
        for section in self.sections:
            for one in section.lines:
                yield f"{section.title} — {one.label}", one.text
            for row in section.table.rows if section.table else ():
                for head, cell in zip(
                    section.table.heads if section.table else (), row, strict=True
                ):
                    yield f"{section.title} — {head}", cell
            for note in section.notes:
                yield section.title, note


def blank(what: str) -> str:
    """Return the mark of a blank."""
    return f"【要記入: {what.translate(_BRACKETS)}】"


def blanks_in(text: str) -> list[Blank]:
    """Return the blanks of a text."""
    return [Blank(what=found) for found in _BLANK.findall(text)]


def pieces(text: str) -> Iterator[tuple[str, bool]]:
    """Yield a text cut at its blanks, each piece with whether it is one."""
    at = 0
    for found in _BLANK.finditer(text):
        if found.start() > at:
            yield text[at : found.start()], False
        yield found.group(), True
        at = found.end()
    if at < len(text) or not text:
        yield text[at:], False
