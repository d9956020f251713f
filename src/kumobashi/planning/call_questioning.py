"""Put what an online link says into the form that the policy is asked in, in both directions.

Pure. The answer is asked about as what the asking system gets; the request as what it gives.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from kumobashi.catalogue.fields import Layout
from kumobashi.planning.call_items import CallItem, layouts_of
from kumobashi.planning.call_links import CallFile
from kumobashi.planning.questioning import crossing_of, receiver_of
from kumobashi.planning.services import AskedOperation
from kumobashi.planning.ways import CallWay
from kumobashi.planning.workspace import Workspace
from kumobashi.policy.deciding import (
    AskedItem,
    Basis,
    Crossing,
    Decision,
    Question,
    Source,
    Where,
    decide,
)
from kumobashi.policy.tables import Tables
from kumobashi.routing.finding import Hop


def call_decisions(  # noqa: PLR0917 - all that is asked about
    workspace: Workspace,
    call: CallFile,
    way: CallWay,
    asked: tuple[AskedOperation, ...],
    items: tuple[tuple[CallItem, ...], tuple[CallItem, ...]],
    tables: Tables,
    on: date,
) -> Iterator[Decision]:
    """Ask the policy about the answer, and about what the asking system gives for it."""
    shown, requested = items
    answer = _answer_question(workspace, call, way, asked, shown)
    yield decide(answer, tables, on=on)
    here, there = workspace.systems[call.to], workspace.systems[call.from_]
    request = replace(
        answer,
        from_ja=here.name,
        to_ja=there.name,
        from_en=call.to,
        to_en=call.from_,
        from_zone=answer.to_zone,
        to_zone=answer.from_zone,
        hops=_crossings(workspace, way.handed),
        items=tuple(_asked_item(item) for item in requested),
        sources=(),
        receiver=receiver_of(workspace, there, workspace.sites[way.site]),
    )
    # Whether the link has a basis and a right receiver was asked with the answer. What is given
    # comes from the asking side itself: of it only the items and the way are judged.
    judged = {item.where for item in request.items} | {hop.where for hop in request.hops}
    found = decide(request, tables, on=on)
    yield replace(
        found, reasons=tuple(one for one in found.reasons if one.where in judged), cautions=()
    )


def _answer_question(
    workspace: Workspace,
    call: CallFile,
    way: CallWay,
    asked: tuple[AskedOperation, ...],
    shown: tuple[CallItem, ...],
) -> Question:
    answering, asking = workspace.systems[call.from_], workspace.systems[call.to]
    file, site = f"calls/{call.link}.yaml", workspace.sites[asking.site]
    stated = call.legal_basis
    return Question(
        model=workspace.municipality.network_model,
        from_ja=answering.name,
        to_ja=asking.name,
        from_en=call.from_,
        to_en=call.to,
        # A connection that the asking side opens is judged by what it gives over it.
        hops=_crossings(workspace, way.fetched),
        from_zone=workspace.sites[way.site].zone,
        to_zone=site.zone,
        basis=Basis(**stated.model_dump()) if stated else None,
        has_consent=False,  # nobody looks into the ledger of consents while a call goes by
        is_scheduled=False,
        items=tuple(_asked_item(item) for item in shown),
        sources=tuple(
            Source(
                dataset=layout.layout,
                layout=layout.layout,
                ja=layout.ja,
                where=at_answer(workspace, call, asked, layout),
            )
            for layout in {one.layout: one for one in layouts_of(workspace, asked)}.values()
        ),
        receiver=receiver_of(workspace, asking, site),
        link=workspace.where(file, "link"),
        at_basis=workspace.where(file, "legal_basis"),
        purpose=call.purpose,
    )


def _asked_item(item: CallItem) -> AskedItem:
    return AskedItem(
        name=item.name,
        ja=item.ja,
        sensitivity=item.sensitivity,
        form=item.form,
        where=item.where,
        dataset=item.source,
    )


def _crossings(workspace: Workspace, hops: tuple[Hop, ...]) -> tuple[Crossing, ...]:
    return tuple(crossing_of(workspace, hop) for hop in hops if hop.by != "same_site")


def at_answer(
    workspace: Workspace, call: CallFile, asked: tuple[AskedOperation, ...], layout: Layout
) -> Where:
    """Return the line of the layout of an answer."""
    key = (layout.layout, layout.version)
    one = next(one for one in asked if (one.answer.layout, one.answer.version) == key)
    return workspace.where(
        f"systems/{call.from_}.yaml",
        *("services", call.service, "versions", one.version, "operations", one.name),
        *("answer", "layout"),
    )
