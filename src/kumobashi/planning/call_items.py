"""The items of an online link: what its answers hold, what is hidden, what the asking side gives.

An answer is no rule's work: its items leave as they are, or they are hidden.
"""

from dataclasses import dataclass
from typing import Any

from kumobashi.catalogue.fields import Field, Layout
from kumobashi.catalogue.items import load_items
from kumobashi.planning.call_links import CallFile
from kumobashi.planning.service_references import json_keys
from kumobashi.planning.services import AskedOperation, asked_by
from kumobashi.planning.workspace import Workspace
from kumobashi.policy.deciding import Where
from kumobashi.release.columns import Keep
from kumobashi.release.saying import said

_RISING = ("public", "attribute", "personal", "identifier", "special")
_OUTGOING = "request"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallItem:
    """One item of an answer, or one that the asking system gives."""

    name: str  # "collection-payments.resident_no"; of a request "request.resident_no"
    item: str  # "resident_no"
    ja: str
    source: str  # the layout
    source_ja: str
    sensitivity: str
    outcome: str  # type and digits
    where: Where
    form: str = "kept"

    @property
    def operation(self) -> dict[str, Any]:
        """What becomes of it, as a release rule would say."""
        return {"name": self.item, "op": "keep", "of": self.item}

    @property
    def operation_ja(self) -> str:
        """The same in Japanese."""
        return said(Keep.model_validate(self.operation))[0]

    @property
    def operation_en(self) -> str:
        """The same in English."""
        return said(Keep.model_validate(self.operation))[1]


def operations_of(workspace: Workspace, call: CallFile) -> tuple[AskedOperation, ...]:
    """Return the operations that an online link uses."""
    return tuple(asked_by(call, *workspace.service(call)))


def layouts_of(workspace: Workspace, asked: tuple[AskedOperation, ...]) -> tuple[Layout, ...]:
    """Return the layouts of the answers, each once."""
    return tuple(
        workspace.layouts.get(*key)
        for key in dict.fromkeys((one.answer.layout, one.answer.version) for one in asked)
    )


def answered_items(
    workspace: Workspace, call: CallFile, asked: tuple[AskedOperation, ...]
) -> tuple[tuple[CallItem, ...], tuple[CallItem, ...]]:
    """Return the items that the asking system gets, and those that are hidden from it."""
    file = f"calls/{call.link}.yaml"
    line = workspace.where(file, "hide" if call.hide else "link").line
    every: dict[str, CallItem] = {}
    for layout in layouts_of(workspace, asked):  # an old version and a new one may stand together
        for field in layout.fields:
            name = f"{layout.layout}.{field.name}"
            _keep(every, name, _item(layout, field, Where(file, line, name)))
    shown = tuple(item for item in every.values() if item.item not in call.hide)
    return shown, tuple(item for item in every.values() if item.item in call.hide)


def requested_items(
    workspace: Workspace, call: CallFile, asked: tuple[AskedOperation, ...]
) -> tuple[CallItem, ...]:
    """Return the items that the asking system gives, each once, the most sensitive reading."""
    found: dict[str, CallItem] = {}
    for one in asked:
        layout = workspace.layouts.get(one.answer.layout, one.answer.version)
        for name in one.request:
            where = workspace.where(
                f"systems/{call.from_}.yaml",
                *("services", call.service, "versions", one.version, "operations", one.name),
                "request",
            )
            at = Where(where.file, where.line, f"request.{name}")
            _keep(found, name, _requested(layout, name, at))
    return tuple(found.values())


def answer_keys(
    workspace: Workspace, call: CallFile, one: AskedOperation
) -> tuple[frozenset[str], frozenset[str]]:
    """Return the members of a record in JSON that leave, and those that are blanked."""
    keys = json_keys(workspace.layouts.get(one.answer.layout, one.answer.version), one.answer)
    blanked = frozenset(key for name, key in keys.items() if name in call.hide)
    return frozenset(keys.values()) - blanked, blanked


def request_keys(workspace: Workspace, one: AskedOperation) -> frozenset[str]:
    """Return the members in JSON that the asking system may give."""
    keys = json_keys(workspace.layouts.get(one.answer.layout, one.answer.version), one.answer)
    return frozenset(keys.get(name, name) for name in one.request)


def _keep(found: dict[str, CallItem], name: str, item: CallItem) -> None:
    """Keep an item; of two of one name the more sensitive."""
    old = found.get(name)
    if old is None or _RISING.index(item.sensitivity) > _RISING.index(old.sensitivity):
        found[name] = item


def _item(layout: Layout, field: Field, where: Where) -> CallItem:
    return CallItem(
        name=f"{layout.layout}.{field.name}",
        item=field.name,
        ja=field.ja,
        source=layout.layout,
        source_ja=layout.ja,
        sensitivity=field.sensitivity,
        outcome=f"{field.type}({field.digits})" if field.digits else field.type,
        where=where,
    )


def _requested(layout: Layout, name: str, where: Where) -> CallItem:
    """Return an item of a request, as the layout knows it, else the registry."""
    if name in layout.names:
        field = layout.field(name)
        ja, sensitivity, kind, digits = field.ja, field.sensitivity, field.type, field.digits
    else:
        item = load_items()[name]
        ja, sensitivity, kind, digits = item.ja, item.sensitivity, item.type, item.digits
    return CallItem(
        name=f"{_OUTGOING}.{name}",
        item=name,
        ja=ja,
        source=_OUTGOING,
        source_ja="照会",
        sensitivity=sensitivity,
        outcome=f"{kind}({digits})" if digits else kind,
        where=where,
    )
