"""What of the directory is not what it was: added, changed, retired; and what it holds, by words.

Both are over the same flat list: each site, system, dataset, service, interface, operation and
contact with its facts, under the name that people know it by.

>>> before = {("service", "collection.payments"): {"name": "納付", "test_only": "true"}}
>>> after = {("service", "collection.payments"): {"name": "納付", "test_only": "false"}}
>>> [(one.what, one.name, one.facts) for one in compared(before, after)]
[('changed', 'collection.payments', {'test_only': ('true', 'false')})]
"""

import json
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

from kumobashi.directory.entries import Directory

Facts = Mapping[tuple[str, str], Mapping[str, str]]  # by kind and name
KINDS: Final = {
    "municipality": "団体",
    "site": "サイト",
    "system": "システム",
    "dataset": "データセット",
    "service": "サービス",
    "interface": "版",
    "operation": "操作",
    "contact": "連絡先",
}
_SITE_APART = ("sign", "seal")


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that came, went or is another; of a changed one what was and what is."""

    kind: str
    name: str
    what: Literal["added", "changed", "retired"]
    facts: Mapping[str, tuple[str | None, str | None]] = field(default_factory=dict)


def facts_of(directory: Directory) -> Facts:
    """Return everything that a directory holds, flat; keys by their thumbprints."""
    found: dict[tuple[str, str], dict[str, Any]] = {
        ("municipality", directory.municipality.code): {
            "name": directory.municipality.name,
            "network_model": directory.network_model.value,
        }
    }
    for name, site in directory.sites.items():
        held = {key: value for key, value in asdict(site).items() if key not in _SITE_APART}
        found["site", name] = held | {"sign": list(site.verify_keys), "seal": list(site.seal)}
    for name, contact in directory.contacts.items():
        found["contact", name] = asdict(contact)
    for name, system in directory.systems.items():
        found["system", name] = {
            key: getattr(system, key)
            for key in ("name", "site", "kind", "business", "contact", "standby")
        }
        for dataset, entry in system.datasets.items():
            found["dataset", f"{name}.{dataset}"] = asdict(entry)
        for service, held_service in system.services.items():
            reference = f"{name}.{service}"
            found["service", reference] = {
                key: getattr(held_service, key) for key in ("name", "kind", "test_only")
            }
            for version, interface in held_service.interfaces.items():
                found["interface", f"{reference} {version}"] = {
                    "document": interface.document,
                    "last_day": interface.last_day,
                }
                for operation, asked in interface.operations.items():
                    found["operation", f"{reference} {version} {operation}"] = asdict(asked)
    return {
        key: {name: _text(value) for name, value in held.items()} for key, held in found.items()
    }


def differences(old: Directory, new: Directory) -> list[Difference]:
    """Return what differs, in the order of the kinds and the names."""
    return list(compared(facts_of(old), facts_of(new)))


def compared(old: Facts, new: Facts) -> Iterator[Difference]:
    """Compare two lists of facts."""
    order = list(KINDS)
    for kind, name in sorted({*old, *new}, key=lambda key: (order.index(key[0]), key[1])):
        before, after = old.get((kind, name)), new.get((kind, name))
        if before is None:
            yield Difference(kind=kind, name=name, what="added")
        elif after is None:
            yield Difference(kind=kind, name=name, what="retired")
        elif before != after:
            changed = {
                key: (before.get(key), after.get(key))
                for key in dict.fromkeys((*before, *after))
                if before.get(key) != after.get(key)
            }
            yield Difference(kind=kind, name=name, what="changed", facts=changed)


def searched(directory: Directory, text: str) -> list[tuple[str, str, Mapping[str, str]]]:
    """Return what holds all words of a text, in its name or its facts; width and case do not count.

    Keys are no words: nobody looks for one here.
    """
    words = _folded(text).split()
    return [
        (kind, name, facts)
        for (kind, name), facts in facts_of(directory).items()
        if all(
            word
            in _folded(" ".join((name, *(v for k, v in facts.items() if k not in _SITE_APART))))
            for word in words
        )
    ]


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
