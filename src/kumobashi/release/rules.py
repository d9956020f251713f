"""The release rule as it stands in ``rules/<name>.yaml``: what may leave of which datasets.

An operation is one of a closed set; there is no free SQL. Names of columns are those of the
catalogue. The file models are pydantic because people write these files.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from kumobashi.storage.mistakes import Said

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Ident = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$")]
DatasetRef = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*\.[a-z][a-z0-9_]*$")]
Codes = Annotated[list[str | int], Field(min_length=1)]


class Model(BaseModel):
    """A part of a file that people write: unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Token(Model):
    """A token per destination instead of a number of the hall: HMAC-SHA256, 128 bits, hex."""

    name: Name
    op: Literal["token"]
    of: Name | Literal["household_head"]


class BaseDate(Model):
    """The date that ages are counted at: the business date of the transfer."""

    name: Name
    op: Literal["base_date"]


class Keep(Model):
    """The value as it is."""

    name: Name
    op: Literal["keep"]
    of: Name


class Constant(Model):
    """The same value in every row."""

    name: Name
    op: Literal["constant"]
    value: str


class CampaignCode(Model):
    """The code of a campaign that means the person: all that a predicate-only rule tells."""

    name: Name
    op: Literal["campaign"]


class Truncate(Model):
    """A date made coarser: yyyymm for months, yyyy for years."""

    name: Name
    op: Literal["truncate"]
    of: Name
    to: Literal["month", "year"]


class Prefix(Model):
    """The first ``length`` characters of a code, such as 町丁目 of an address code."""

    name: Name
    op: Literal["prefix"]
    of: Name
    length: Annotated[int, Field(ge=1, le=100)]


class HasSpouse(Model):
    """1 when the relationships of the household show a spouse (続柄 11 to 14, also chained)."""

    name: Name
    op: Literal["has_spouse"]
    of: Name


class HouseholdAges(Model):
    """Ages of all members at the base date, sorted; ``top`` and more become ``top``."""

    name: Name
    op: Literal["household_ages"]
    of: Name
    top: Annotated[int, Field(ge=1, le=150)] = 100


class HouseholdBirthMonths(Model):
    """Birth year-months (yyyymm) of members younger than ``under`` years, sorted."""

    name: Name
    op: Literal["household_birth_months"]
    of: Name
    under: Annotated[int, Field(ge=1, le=150)]


class Flag(Model):
    """1 or 0 from the codes of another dataset; an unknown code is a finding, never 0."""

    name: Name
    op: Literal["flag"]
    dataset: Name
    of: Name
    one: Codes
    zero: list[str | int] = []
    absent: Literal[0, 1] = 0
    only: dict[Name, Codes] = {}

    @model_validator(mode="after")
    def _apart(self) -> "Flag":
        if both := {str(c) for c in self.one} & {str(c) for c in self.zero}:
            codes = ", ".join(sorted(both))
            raise Said(
                f"コード {codes} が one と zero の両方にあります。",
                f"Codes in both one and zero: {codes}.",
                example='one: ["1"]\n    zero: ["0"]',
            )
        return self


Column = Annotated[
    Token
    | BaseDate
    | Keep
    | Constant
    | CampaignCode
    | Truncate
    | Prefix
    | HasSpouse
    | HouseholdAges
    | HouseholdBirthMonths
    | Flag,
    Field(discriminator="op"),
]


class AgeRange(Model):
    """Ages in full years at the base date, both ends included."""

    from_: Annotated[int, Field(alias="from", ge=0, le=150)]
    to: Annotated[int, Field(ge=0, le=150)]


class Without(Model):
    """Leave out who has a row in another dataset, such as a vaccination already given."""

    dataset: Name
    where: dict[Name, Codes] = {}


class Subject(Model):
    """Whom the released rows are about."""

    dataset: Name
    key: Name
    household: Name | None = None
    relationship: Name = "relationship"
    birth_date: Name = "birth_date"
    only: dict[Name, Codes] = {}
    age: AgeRange | None = None
    without: Without | None = None


class Consent(Model):
    """Where the consents are and whose counts: the subject's, or the household head's."""

    dataset: Name
    by: Literal["subject", "household_head"] = "subject"


class ReleaseRule(Model):
    """A whole release rule; ``version`` rises with every change that people decide."""

    kumobashi: Literal[1]
    release: Ident
    version: Annotated[int, Field(ge=1)]
    name: str
    datasets: dict[Name, DatasetRef]
    subject: Subject
    consent: Consent | None = None
    columns: Annotated[list[Column], Field(min_length=1)]
    allow_empty: bool = False
    predicate_only: bool = False  # conditions are answered in the hall; only their outcome leaves
    campaigns: list[Ident] = []  # of a predicate-only rule: which

    @model_validator(mode="after")
    def _tells_only_the_outcome(self) -> "ReleaseRule":
        ops = [column.op for column in self.columns]
        if not self.predicate_only:
            if self.campaigns or "campaign" in ops:
                raise Said(
                    "campaigns と op: campaign は predicate_only: true のときだけ書けます。",
                    "campaigns and op: campaign belong to a rule with predicate_only: true.",
                    example="predicate_only: true",
                    at=("campaigns",) if self.campaigns else ("columns", ops.index("campaign")),
                )
            return self
        if not self.campaigns or len(set(self.campaigns)) != len(self.campaigns):
            raise Said(
                "庁内で判定する通知の定義（campaigns）を、それぞれ1度ずつ書いてください。",
                "Name the campaigns that are answered in the hall, each once.",
                example="campaigns: [infant-check-18m]",
                at=("campaigns",) if self.campaigns else (),
            )
        if ops.count("token") != 1 or ops.count("campaign") != 1:
            raise Said(
                "predicate_only の項目には token と campaign が1つずつ要ります。",
                "A predicate-only rule has one token and one campaign.",
                example="- {name: campaign, op: campaign}",
                at=("columns",),
            )
        for number, op in enumerate(ops):
            if op not in {"token", "campaign", "base_date"}:
                raise Said(
                    f"predicate_only では属性を出せません（op: {op}）。出るのは符号と通知の"
                    "コード、年齢基準日だけです。",
                    f"A predicate-only rule tells no attribute ({op}): a token, the campaign's"
                    " code and the base date are all.",
                    example="- {name: base_date, op: base_date}",
                    at=("columns", number, "op"),
                )
        return self

    @model_validator(mode="after")
    def _hangs_together(self) -> "ReleaseRule":
        used = {self.subject.dataset}
        used |= {column.dataset for column in self.columns if isinstance(column, Flag)}
        if self.consent:
            used.add(self.consent.dataset)
        if self.subject.without:
            used.add(self.subject.without.dataset)
        if missing := used - self.datasets.keys():
            absent = ", ".join(sorted(missing))
            raise Said(
                f"{absent} が datasets にありません。",
                f"Not under datasets: {absent}.",
                example=f"datasets: {{{min(missing)}: integrated-db.residents}}",
                at=("datasets",),
            )
        names = [column.name for column in self.columns]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise Said(
                f"項目名が重なっています: {', '.join(twice)}",
                f"Columns named twice: {', '.join(twice)}.",
                example=f"- {{name: {twice[0]}_2, …}}",
                at=("columns",),
            )
        if self.needs_household and self.subject.household is None:
            raise Said(
                "これらの項目か同意の取り方には subject.household が要ります。",
                "These columns, or the consent, need subject.household.",
                example="household: household_no",
                at=("subject",),
            )
        return self

    @property
    def needs_household(self) -> bool:
        """Whether rows of the same household must be brought together."""
        return self.needs_head or any(
            isinstance(column, HasSpouse | HouseholdAges | HouseholdBirthMonths)
            for column in self.columns
        )

    @property
    def needs_head(self) -> bool:
        """Whether it matters who the head of a household is."""
        by_head = self.consent is not None and self.consent.by == "household_head"
        return by_head or any(
            isinstance(column, Token) and column.of == "household_head" for column in self.columns
        )
