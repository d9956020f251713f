"""Whether the texts of consents fit the rules and links that rest on them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kumobashi.consent.texts import ConsentText
from kumobashi.planning.links import LinkFile
from kumobashi.release.rules import ReleaseRule
from kumobashi.storage.documents import Document, Mistake

if TYPE_CHECKING:
    from kumobashi.planning.references import Checks


def against_texts(checks: "Checks", document: Document[ReleaseRule]) -> Iterator[Mistake]:
    """Check that the text of a rule's purpose is there and asks for the rule's tiers."""
    consent = document.value.consent
    if consent is None or not consent.ledger or consent.purpose is None:
        return
    yield from checks.name(document, ("consent", "purpose"), "consents", consent.purpose)
    text: Document[ConsentText] | None = checks.loaded.kinds["consents"].get(consent.purpose)
    if text is None:
        return
    asked = {one.tier for one in text.value.newest.tiers}
    for tier in consent.of_tiers:
        if tier not in asked:
            yield document.mistake(
                ("consent", "tiers") if consent.tiers else ("consent",),
                code="workspace.tier_not_asked",
                ja=f"{text.file} の最新の版は、区分 {tier} の同意を求めていません。"
                "同意文に版を足すか、tiers を直してください。",
                en=f"The newest version in {text.file} asks for no consent to {tier!r}.",
                expected=", ".join(sorted(asked)),
                example=f"tiers: [{', '.join(sorted(asked))}]",
            )


def same_purpose(document: Document[LinkFile], rule: Document[ReleaseRule]) -> Iterator[Mistake]:
    """Check that a link is for the purpose that its rule asks consent for."""
    consent = rule.value.consent
    if consent and consent.ledger and consent.purpose != document.value.purpose:
        yield document.mistake(
            ("purpose",),
            code="workspace.other_purpose",
            ja=f"連携の目的が、{rule.file} の同意の目的「{consent.purpose}」と違います。",
            en=f"{rule.file} asks consent for another purpose, {consent.purpose!r}.",
            expected=str(consent.purpose),
            example=f"purpose: {consent.purpose}",
        )


def covered(checks: "Checks", document: Document[ConsentText]) -> Iterator[Mistake]:
    """Check that what a purpose covers is there."""
    for number, one in enumerate(document.value.covers):
        if one.link:
            yield from checks.name(document, ("covers", number, "link"), "links", one.link)
        if one.campaign:
            path = ("covers", number, "campaign")
            yield from checks.name(document, path, "campaigns", one.campaign)
