"""Which licence each wheel comes under, as itself says; what we may not carry is refused.

What is no permission we know is refused too: an unknown licence is no free one.

>>> accepted("Apache-2.0 AND MIT"), accepted("GPL-3.0-or-later"), accepted("MIT OR AGPL-3.0")
(True, False, True)
"""

import re
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path

# As decided for dependencies (CONTRIBUTING.md): permissive ones, and public domain inside of them.
FREE = frozenset(
    {
        "0BSD",
        "Apache-2.0",
        "BSD",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "CC0-1.0",
        "ISC",
        "MIT",
        "MIT-0",
        "PSF-2.0",
        "Zlib",
    }
)
_CLASSIFIERS = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Python Software Foundation License": "PSF-2.0",
}
# Sentences that stand in one licence and no other, for wheels that only bring the text.
_TEXTS = (
    ("Permission is hereby granted, free of charge, to any person obtaining a copy", "MIT"),
    ("Apache License Version 2.0, January 2004", "Apache-2.0"),
    ("Redistribution and use in source and binary forms", "BSD"),
    ("Permission to use, copy, modify, and/or distribute this software for any", "ISC"),
)
_SPOKEN = {"Apache 2.0": "Apache-2.0", "Apache License 2.0": "Apache-2.0", "BSD 3-Clause": "BSD"}


class LicenceRefused(Exception):
    """A wheel comes under a licence that we may not carry, or names none that we know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Licence:
    """What a wheel says of its licence, and where its text is inside of it."""

    name: str
    version: str
    expression: str
    files: tuple[str, ...]


def accepted(expression: str) -> bool:
    """Whether we may carry what comes under this expression; of an OR, one side is enough."""
    plain = expression.replace("(", " ( ").replace(")", " ) ").split()
    signs = {"(": "(", ")": ")", "AND": "and", "OR": "or"}
    return _holds([signs.get(word, str(word in FREE)) for word in plain])


def _holds(words: list[str]) -> bool:
    """Say whether a chain of True, False, and, or, brackets holds; ``and`` binds tighter."""

    def either() -> bool:
        found = both()
        while words and words[0] == "or":
            words.pop(0)
            found = both() or found
        return found

    def both() -> bool:
        found = one()
        while words and words[0] == "and":
            words.pop(0)
            found = one() and found
        return found

    def one() -> bool:
        word = words.pop(0) if words else ""
        if word == "(":
            found = either()
            return bool(words) and words.pop(0) == ")" and found
        return word == "True"

    found = either()
    return found and not words


def licence_of(wheel: Path) -> Licence:
    """Return what a wheel says of its licence.

    Raises:
        LicenceRefused: it may not be carried, or nothing that we know is said.
    """
    with zipfile.ZipFile(wheel) as archive:
        inside = archive.namelist()
        said = _metadata(archive, inside)
        texts = tuple(name for name in inside if _is_text(name))
        expression = _declared(said) or _recognised(
            archive.read(name).decode("utf-8", "replace") for name in texts
        )
    name, version = str(said["Name"]), str(said["Version"])
    if not expression or not accepted(expression):
        what = expression or "no licence that we know"
        raise LicenceRefused(f"{wheel.name}: {what}")
    return Licence(name=name, version=version, expression=expression, files=texts)


def _metadata(archive: zipfile.ZipFile, inside: Iterable[str]) -> Message:
    for name in inside:
        if re.fullmatch(r"[^/]+\.dist-info/METADATA", name):
            return HeaderParser().parsestr(archive.read(name).decode("utf-8", "replace"))
    raise LicenceRefused(f"{archive.filename}: no METADATA")


def _is_text(name: str) -> bool:
    folder, _, file = name.rpartition("/")
    return ".dist-info" in folder and bool(re.match(r"(?i)(licen[cs]e|notice|copying)", file))


def _declared(said: Message) -> str:
    expression = str(said.get("License-Expression", "")).strip()
    if expression:
        return expression
    classifiers = [
        line.rpartition(" :: ")[2]
        for line in map(str, said.get_all("Classifier", []))
        if line.startswith("License :: ")
    ]
    if classifiers:
        return " AND ".join(_CLASSIFIERS.get(one, one.replace(" ", "-")) for one in classifiers)
    spoken = str(said.get("License", "")).strip().split("\n", 1)[0]
    return _SPOKEN.get(spoken, spoken.replace(" ", "-"))


def _recognised(texts: Iterable[str]) -> str:
    """Return the licences whose text stands there; more than one are all asked for."""
    whole = " ".join(" ".join(text.split()) for text in texts)
    if re.search(r"GNU (AFFERO |LESSER )?GENERAL PUBLIC LICENSE", whole, re.IGNORECASE):
        return "GPL"
    return " AND ".join(name for sentence, name in _TEXTS if sentence in whole)


def page(found: Iterable[Licence], *, ours: str) -> str:
    """Return LICENCES.txt: one line a package, the name of each text beneath."""
    lines = [
        "同梱しているパッケージのライセンス / Licences of the packages in this archive",
        "",
        "各パッケージ(wheel)自身の記載から作りました。本文は、導入後に環境の",
        "site-packages の下、次の名前で読めます。組み込まれた部品の条件もそこにあります。",
        "Made from what each wheel says. The texts lie in it, and under site-packages once",
        "installed, by the names below; they hold the terms of parts built into a package too.",
        "",
        f"kumobashi: {ours} (LICENSE, NOTICE)",
        "",
    ]
    for one in sorted(set(found), key=lambda one: (one.name.lower(), one.version)):
        lines.append(f"{one.name} {one.version}: {one.expression}")
        lines += [f"    {name}" for name in one.files]
    return "\n".join(lines) + "\n"
