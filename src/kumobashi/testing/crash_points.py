"""Every named crash point of the source, found by reading it, and the sites that pass it.

A test that is written from this list cannot forget a point that somebody adds later.
"""

import ast
from functools import cache
from pathlib import Path

import kumobashi

SENDER, RELAY, RECEIVER = "sender", "relay", "receiver"
_SIDES = {
    "sending": (SENDER,),
    "inbox": (RELAY, RECEIVER),
    "relaying": (RELAY,),
    "receiving": (RECEIVER,),
    "files": (),  # only where a system keeps files: tests/scenario/test_folders.py visits them
    "remote": (),  # and where they lie elsewhere: tests/scenario/test_files_elsewhere.py
    "jobs": (),  # and where a cloud takes them by jobs: tests/scenario/test_jobs_cloud.py
    "telling": (),  # of the watch: tests/integration/test_telling_crashes.py kills it at each
    "courier": (),  # of the command: tests/unit/courier kills it at each
}
_LATER = {"deleting": (RECEIVER,), "erasing": (RECEIVER,), "requesting": (SENDER,)}
_OF_CONSENT = ("withdrawing", "withdrawn")
_REPEATED = ("inbox.part_written", "inbox.part_stored", "sending.part_put", "relaying.part_passed")


def names() -> tuple[str, ...]:
    """Return the names of the points that a transfer passes until it is applied, sorted.

    >>> "sending.sealed" in names(), "deleting.begun" in names()
    (True, False)
    """
    others = {*_LATER, *_OF_CONSENT}
    return tuple(name for name in _all() if name.partition(".")[0] not in others)


def names_of_deletion() -> tuple[str, ...]:
    """Return the names of the points on the way to ``deleted``, sorted.

    >>> "erasing.noted" in names_of_deletion()
    True
    """
    return tuple(name for name in _all() if name.partition(".")[0] in _LATER)


def names_of_withdrawal() -> tuple[str, ...]:
    """Return the names of the points between a withdrawal and its receipt, sorted.

    >>> "withdrawn.kept" in names_of_withdrawal()
    True
    """
    return tuple(name for name in _all() if name.partition(".")[0] in _OF_CONSENT)


@cache
def _all() -> tuple[str, ...]:
    """Return the names of all points; each stands in the source exactly once."""
    found: list[str] = []
    for path in sorted(Path(kumobashi.__file__).parent.rglob("*.py")):
        if "testing" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "crashpoint":
                (argument,) = node.args
                assert isinstance(argument, ast.Constant), f"{path}:{node.lineno}: name it"
                found.append(str(argument.value))
    twice = sorted({name for name in found if found.count(name) > 1})
    assert not twice, f"the same name at two places: {twice}"
    return tuple(sorted(found))


def sides(name: str) -> tuple[str, ...]:
    """Return who passes a point; an unknown family is a mistake of whoever added it.

    >>> sides("inbox.closed")
    ('relay', 'receiver')
    """
    return {**_SIDES, **_LATER}[name.partition(".")[0]]


def is_repeated(name: str) -> bool:
    """Whether a point is passed once for every part."""
    return name in _REPEATED
