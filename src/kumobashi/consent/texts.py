"""The texts of consents as they stand in ``consents/<purpose>.yaml``: versioned, hashed, shown.

A version holds the five fields of the forms in use (実施機関・相手方, 保有機関, 利用目的,
項目, 記録形態); the text that people see is generated from them: what is shown is what is recorded.
What a wide purpose covers today changes without a new consent and stands outside the hash.
"""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from kumobashi.consent.errors import TierUnknown, VersionUnknown
from kumobashi.consent.states import Tier
from kumobashi.crypto.canonical import canonical, digest
from kumobashi.directory.file_parts import FileModel, Ident, Name
from kumobashi.storage.mistakes import Said

Sentence = Annotated[str, Field(min_length=1, max_length=2000)]
TIER_NAMES = {
    Tier.REGISTER: ("住民基本台帳等の情報", "register data"),
    Tier.TAX: ("税情報", "tax data"),
}


class Category(FileModel):
    """包括的な利用目的の区分."""

    code: Ident = Field(examples=["child-rearing"])
    name: Name = Field(examples=["子育て関連制度のお知らせ"])


class Covered(FileModel):
    """One thing that the purpose covers today: a link or a campaign."""

    link: Ident | None = Field(default=None, examples=["notice-attributes"])
    campaign: Ident | None = Field(default=None, examples=["infant-check-18m"])
    since: date | None = Field(default=None, examples=["2026-04-01"])

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.link is None) == (self.campaign is None):
            raise Said(
                "link か campaign のどちらか1つを書いてください。",
                "Name either a link or a campaign.",
                example="{link: notice-attributes}",
            )
        return self


class TierItems(FileModel):
    """項目: what is used of one tier of data; each tier is consented to separately."""

    tier: Literal["register", "tax"] = Field(examples=["register"])
    items: tuple[Name, ...] = Field(min_length=1, examples=[["氏名", "生年月", "町丁目"]])


class Version(FileModel):
    """One version of a text; it is never edited once it was shown, a change is another version."""

    version: int = Field(ge=1, examples=[1])
    from_: date = Field(alias="from", examples=["2026-04-01"])
    language: Literal["ja", "en"] = Field(default="ja", examples=["ja"])
    controller: Name = Field(examples=["架空市長（市民部広報課）"], description="実施機関・相手方")
    holder: Name = Field(examples=["架空市（市民部市民課）"], description="保有機関")
    purpose_of_use: Sentence = Field(
        examples=["子育てに関する制度のお知らせを送るため"], description="利用目的"
    )
    tiers: tuple[TierItems, ...] = Field(
        min_length=1, examples=[[{"tier": "register", "items": ["生年月"]}]], description="項目"
    )
    recorded_as: Sentence = Field(examples=["電磁的記録"], description="記録形態")
    more: tuple[Sentence, ...] = Field(default=(), examples=[["同意はいつでも撤回できます。"]])
    valid_days: int | None = Field(default=None, ge=1, le=36_525, examples=[1095])
    accepts: tuple[int, ...] = Field(
        default=(), examples=[[1]], description="この版と同じとみなす前の版"
    )

    @model_validator(mode="after")
    def _each_tier_once(self) -> Self:
        named = [one.tier for one in self.tiers]
        if len(set(named)) != len(named):
            raise Said(
                "tiers の区分が重なっています。",
                "A tier stands twice.",
                example="- {tier: tax, items: [非課税区分]}",
                at=("tiers",),
            )
        if any(one >= self.version for one in self.accepts):
            raise Said(
                "accepts には前の版だけを書いてください。",
                "Only earlier versions can be accepted.",
                example="accepts: [1]",
                at=("accepts",),
            )
        return self

    def has(self, tier: Tier) -> bool:
        """Whether it asks for consent to a tier."""
        return any(one.tier == tier.value for one in self.tiers)


class ConsentText(FileModel):
    """``consents/<purpose>.yaml``."""

    kumobashi: Literal[1]
    purpose: Ident = Field(examples=["child-notices"])
    name: Name = Field(examples=["子育て関連制度のお知らせ"])
    category: Category = Field(
        examples=[{"code": "child-rearing", "name": "子育て関連制度のお知らせ"}]
    )
    covers: tuple[Covered, ...] = Field(default=(), examples=[[{"link": "notice-attributes"}]])
    versions: tuple[Version, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _versions_rise(self) -> Self:
        numbers = [one.version for one in self.versions]
        days = [one.from_ for one in self.versions]
        if numbers != sorted(set(numbers)) or days != sorted(set(days)):
            raise Said(
                "versions は、版と from がともに大きくなる順に書いてください。",
                "Versions must stand in rising order, of number and of day.",
                example="- {version: 2, from: 2027-04-01, …}",
                at=("versions",),
            )
        return self

    @property
    def newest(self) -> Version:
        """The version with the highest number."""
        return self.versions[-1]

    def version(self, number: int) -> Version:
        """Return a version; raise ``VersionUnknown``."""
        for one in self.versions:
            if one.version == number:
                return one
        raise VersionUnknown(purpose=self.purpose, version=number)

    def offered(self, on: date) -> Version | None:
        """Return the version that is shown on a day; none: not yet."""
        begun = [one for one in self.versions if one.from_ <= on]
        return begun[-1] if begun else None

    def accepted(self, on: date) -> frozenset[int]:
        """Return the versions whose consents count on a day: the one that is shown, and its equals.

        A release that runs before the first version begins has none, so nothing leaves.
        """
        found: set[int] = set()
        asked = [now.version] if (now := self.offered(on)) else []
        while asked:
            number = asked.pop()
            if number not in found:
                found.add(number)
                asked += [a for v in self.versions if v.version == number for a in v.accepts]
        return frozenset(found)

    def check(self, number: int, tier: Tier) -> Version:
        """Return a version that asks for a tier; raise ``VersionUnknown`` or ``TierUnknown``."""
        found = self.version(number)
        if not found.has(tier):
            raise TierUnknown(purpose=self.purpose, version=number, tier=tier.value)
        return found

    def hash_of(self, number: int) -> str:
        """Return the digest of all that somebody agrees to with a version."""
        said = self.version(number).model_dump(mode="json", by_alias=True, exclude={"accepts"})
        return digest(canonical({"purpose": self.purpose, "name": self.name, "version": said}))


def shown(text: ConsentText, number: int, *, tiers: frozenset[Tier] | None = None) -> list[str]:
    """Return the lines that are read before consenting, generated from the definition."""
    version = text.version(number)
    if version.language == "en":
        lines = [
            f"Consent: {text.name} (version {number})",
            f"Body that uses the data: {version.controller}",
            f"Body that holds the data: {version.holder}",
            f"Purpose of use: {version.purpose_of_use}",
        ]
    else:
        lines = [
            f"「{text.name}」についての同意（第{number}版）",
            f"実施機関・相手方: {version.controller}",
            f"保有機関: {version.holder}",
            f"利用目的: {version.purpose_of_use}",
        ]
    is_ja = version.language == "ja"
    for one in version.tiers:
        if tiers is None or Tier(one.tier) in tiers:
            name = TIER_NAMES[Tier(one.tier)][0 if is_ja else 1]
            items = ("、" if is_ja else ", ").join(one.items)
            lines.append(f"項目（{name}）: {items}" if is_ja else f"Items ({name}): {items}")
    lines.append(
        f"記録形態: {version.recorded_as}" if is_ja else f"Recorded as: {version.recorded_as}"
    )
    if version.valid_days:
        lines.append(
            f"有効期間: 同意の日から{version.valid_days}日"
            if is_ja
            else f"Valid for {version.valid_days} days"
        )
    return [*lines, *version.more]
