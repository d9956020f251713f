"""The independent checker: ``python -m kumobashi.testing.faults.check checked.json``.

It reads the description of what is to be checked (JSON, written by whoever ran the rounds, or by
hand for a deployment of your own), the sender's history, the receivers' tables and the receipts in
the gateways' stores and on the wire. It runs nothing of kumobashi that carries data.

    {"history": "history.jsonl", "bound_seconds": 60,
     "links": {"notice-attributes": {"table": "notice_attributes", "key": "token",
               "columns": ["sex"], "store": {"kind": "duckdb", "at": "…"}}},
     "states": {"hall-core": {"kind": "sqlite", "at": "var/hall-core/state.db"}},
     "keys": {"<kid>": "<x of the public JWK>"}, "wire": ["wire.jsonl"], "must_apply": false,
     "private": ["var/public-cloud/keys/in", "var/public-cloud/spool/in"]}

Paths are relative to the description. Exit: 0 all hold, 1 something does not, 2 unreadable.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from kumobashi.testing.faults.evidence_logs import read_logs
from kumobashi.testing.faults.history import Event, read_events
from kumobashi.testing.faults.judging import (
    DUPLICATED,
    KINDS,
    LOST,
    UNDETECTED,
    UNFINISHED,
    Fault,
    Target,
    World,
    judge,
)
from kumobashi.testing.faults.statements import heard_statements, kept_statements
from kumobashi.testing.faults.tables import Store, gone, markers, rows_by_key

_SHOWN = 40


def read_world(path: Path) -> World:
    """Read everything that a description names."""
    said = json.loads(path.read_text(encoding="utf-8"))
    folder = path.parent
    keys = said.get("keys", {})
    targets = {}
    for link, where in said["links"].items():
        store = _store(folder, where["store"])
        targets[link] = Target(
            markers=markers(store),
            rows=rows_by_key(store, where["table"], where["key"], where["columns"]),
            gone=gone(store),
        )
    states = {site: _store(folder, where) for site, where in said.get("states", {}).items()}
    statements = []
    for site, store in states.items():
        statements += kept_statements(store, keys, found=site)
    for name in said.get("wire", ()):
        statements += heard_statements(_tokens(folder / name), keys, found=name)
    history = folder / said["history"]
    return World(
        events=_with_rows(read_events(history), targets, history.parent),
        targets=targets,
        statements=statements,
        logs=read_logs(states, keys),
        left=[name for where in said.get("private", ()) for name in _names(folder / where)],
        bound_seconds=float(said.get("bound_seconds", 60.0)),
        must_apply=bool(said.get("must_apply", False)),
    )


def _with_rows(events: list[Event], targets: Mapping[str, Target], folder: Path) -> list[Event]:
    """Read what the newest load of each link was meant to bring; older contents are replaced."""
    newest = {
        (link, max(marker.day for marker in target.markers if marker.link == link))
        for link, target in targets.items()
        if any(marker.link == link for marker in target.markers)
    }
    for event in events:
        if event["event"] == "invoke" and (event["link"], event["day"]) in newest:
            event["rows"] = json.loads((folder / event["rows_at"]).read_text(encoding="utf-8"))
    return events


def line(rounds: int, faults: Sequence[Fault]) -> str:
    """Return the one line a run ends with.

    >>> line(3, [Fault("lost", "x"), Fault("forged", "y")])
    'rounds 3: lost 1, duplicated 0, unfinished 0, undetected 1'
    """
    counts = Counter(fault.kind for fault in faults)

    def of(kinds: Sequence[str]) -> int:
        return sum(counts[kind] for kind in kinds)

    return (
        f"rounds {rounds}: lost {of(LOST)}, duplicated {of(DUPLICATED)},"
        f" unfinished {of(UNFINISHED)}, undetected {of(UNDETECTED)}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Check, print, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m kumobashi.testing.faults.check")
    parser.add_argument("description", type=Path, help="checked.json of a run")
    parser.add_argument("--json", action="store_true", help="for machines")
    chosen = parser.parse_args(arguments)
    try:
        world = read_world(chosen.description)
    except (OSError, ValueError, KeyError) as error:
        print(f"cannot be read: {type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201
        return 2
    faults = judge(world)
    rounds = len({event["round"] for event in world.events if event["event"] == "healed"})
    counts = Counter(fault.kind for fault in faults)
    if chosen.json:
        answer = {
            "rounds": rounds,
            "intents": sum(event["event"] == "invoke" for event in world.events),
            "counts": {kind: counts[kind] for kind in KINDS},
            "faults": [asdict(fault) for fault in faults],
        }
        print(json.dumps(answer, ensure_ascii=False, indent=1))  # noqa: T201
    else:
        for fault in faults[:_SHOWN]:
            print(f"{fault.kind}: {fault.who} {fault.seen}".rstrip())  # noqa: T201
        if len(faults) > _SHOWN:
            print(f"… and {len(faults) - _SHOWN} more")  # noqa: T201
        print(line(rounds, faults))  # noqa: T201
    return 1 if faults else 0


def _store(folder: Path, said: Mapping[str, Any]) -> Store:
    store = Store.of(said)
    return store if store.kind == "postgresql" else Store(store.kind, str(folder / store.at))


def _names(folder: Path) -> list[str]:
    """Return what lies in a folder; a name holds that of its transfer."""
    return [str(path.relative_to(folder.parent)) for path in folder.rglob("*")]


def _tokens(path: Path) -> list[str]:
    if not path.exists():
        return []
    return [token for event in read_events(path) for token in event.get("receipts", ())]


if __name__ == "__main__":
    sys.exit(main())
