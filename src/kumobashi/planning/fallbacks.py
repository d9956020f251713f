"""The link that steps in when the gate of another lets nothing leave: it must be fit for that."""

from collections.abc import Iterator, Mapping
from typing import Any

from kumobashi.planning.links import LinkFile
from kumobashi.release.gates import Gate
from kumobashi.release.rules import ReleaseRule
from kumobashi.storage.documents import Document, Mistake


def against_fallback(
    kinds: Mapping[str, Mapping[str, Document[Any]]],
    document: Document[LinkFile],
    rule: ReleaseRule,
) -> Iterator[Mistake]:
    """Check the link that steps in when the gate lets nothing leave."""
    link = document.value
    needs = isinstance(rule.gate, Gate) and rule.gate.on_fail == "predicate_only"
    if link.fallback is None:
        if needs:
            yield document.mistake(
                ("release",),
                code="workspace.fallback_missing",
                ja=f"提供ルール「{rule.release}」は on_fail: predicate_only です。代わりに動く"
                "連携を fallback に書いてください。",
                en=f"The rule {rule.release} says on_fail: predicate_only; name the link that"
                " steps in as fallback.",
                example="fallback: campaign-targets",
            )
        return
    other = kinds["links"].get(link.fallback)
    others = kinds["rules"].get(other.value.release) if other else None
    if other is None or others is None:
        return
    if other.value.link == link.link or not others.value.predicate_only:
        yield document.mistake(
            ("fallback",),
            code="workspace.fallback_unfit",
            ja=f"「{link.fallback}」は代わりになりません。属性を出さない連携"
            "（提供ルールが predicate_only: true のもの）を書いてください。",
            en=f"{link.fallback!r} cannot step in: name a link whose rule is predicate_only: true.",
            example="fallback: campaign-targets",
        )
    elif not isinstance(rule.gate, Gate):
        yield document.mistake(
            ("fallback",),
            code="workspace.fallback_unfit",
            ja=f"提供ルール「{rule.release}」には gate がないので、代わりの連携は動きません。",
            en=f"The rule {rule.release} has no gate, so nothing ever steps in.",
            example="gate: {k: 5, population: residents}",
        )
