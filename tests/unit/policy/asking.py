"""Questions in which everything is in order, to be changed in one thing."""

from datetime import date

from kumobashi.kernel import Zone
from kumobashi.policy.levels import Held
from kumobashi.policy.questions import AskedItem, Basis, Question, Receiver, Source, Where

ON = date(2026, 11, 22)
AT = Where("links/x.yaml", 1, "link")
AT_SOURCE = Where("rules/x.yaml", 5, "datasets")


def basis(code: str, **more: str | date | None) -> Basis:
    """Return a basis that states whatever its row could ask for."""
    said: dict[str, str | date | None] = {
        "consent": "p",
        "ordinance": "架空市条例 第4条",
        "note": "架空の理由",
        "until": date(2036, 3, 31),
        "proviso": "総務課が確認（架空）",
    }
    return Basis(code=code, **(said | more))  # type: ignore[arg-type]


def item(form: str, dataset: str = "db.rows", sensitivity: str = "attribute") -> AskedItem:
    """Return an item that leaves in a form."""
    at = Where("rules/x.yaml", 20, f"{dataset}-{form}")
    return AskedItem(
        name=f"{form}_item",
        ja="項目",
        sensitivity=sensitivity,
        form=form,
        where=at,
        dataset=dataset,
    )


def source(layout: str, dataset: str = "db.rows") -> Source:
    """Return a dataset with a layout."""
    return Source(dataset=dataset, layout=layout, ja=layout, where=AT_SOURCE)


def receiver(unit: str | None, *held: Held, is_outside: bool = False) -> Receiver:
    """Return a receiver of a unit, in the hall or on a cloud."""
    return Receiver(
        unit=unit,
        business=None,
        is_outside=is_outside,
        jurisdiction="JP",
        certifications=held,
        ja="受け取る側",
        en="receiver",
        where=Where("systems/r.yaml", 4, "system"),
        at_site=Where("sites/s.yaml", 4, "site"),
    )


def question(
    layout: str, to_unit: str | None, purpose: str, code: str, *forms: str, to_zone: Zone
) -> Question:
    """Return a question on one kind of information from the core zone."""
    return Question(
        model="alpha",
        from_ja="統合DB",
        to_ja="受け取る側",
        from_en="db",
        to_en="receiver",
        hops=(),
        from_zone=Zone.MYNUMBER,
        to_zone=to_zone,
        basis=basis(code, consent=purpose),
        has_consent=True,
        is_scheduled=True,
        items=tuple(item(form) for form in forms),
        sources=(source(layout),),
        receiver=receiver(to_unit),
        link=AT,
        at_basis=AT,
        purpose=purpose,
    )
