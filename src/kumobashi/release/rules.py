"""The release rule as it stands in ``rules/<name>.yaml``: what may leave of which datasets.

Its columns are in ``columns``, their ladders in ``ladders``. Names of columns are those of the
catalogue. The file models are pydantic because people write these files.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any, Literal, Self

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    StringConstraints,
    model_serializer,
    model_validator,
)

from kumobashi.release.coding import Coding
from kumobashi.release.column_parts import Codes, Model, Name, Role
from kumobashi.release.columns import (
    AnyColumn,
    Area,
    BaseDate,
    CampaignCode,
    Column,
    Constant,
    Drop,
    Flag,
    Keep,
    OfHousehold,
    Suppress,
    Token,
)
from kumobashi.release.errors import NoSuchLevel
from kumobashi.release.gates import AnyGate, Gate, mistakes_of
from kumobashi.release.ladders import check_ladder, steps
from kumobashi.storage.mistakes import Path, Said

Ident = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$")]
DatasetRef = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*\.[a-z][a-z0-9_]*$")]

LEDGER = "consent_ledger"  # where the consents of a rule are read that names no dataset of them
TIES = "tie_registry"  # where the ties of a rule are read
_UNSAID = {"gate", "coding", "predicate_only", "campaigns", "ties"}  # left out of hashes if empty


class AgeRange(Model):
    """Ages in full years at the base date, both ends included."""

    from_: Annotated[int, Field(alias="from", ge=0, le=150)]
    to: Annotated[int, Field(ge=0, le=150)]


class Without(Model):
    """Leave out who has a row in another dataset, such as a vaccination already given."""

    dataset: Name
    where: dict[Name, Codes] = Field(default={})


class Subject(Model):
    """Whom the released rows are about."""

    dataset: Name
    key: Name
    household: Name | None = None
    relationship: Name = "relationship"
    birth_date: Name = "birth_date"
    only: dict[Name, Codes] = Field(default={})
    age: AgeRange | None = None
    without: Without | None = None


class Consent(Model):
    """Where the consents are and whose counts: the subject's, or the household head's.

    Either a dataset of the rule, or the ledger of consents (本人同意の台帳) with a purpose and the
    tiers of data that the rule takes from: whoever has not consented to all of them is left out.
    """

    dataset: Name | None = None
    ledger: bool = False
    purpose: Ident | None = None
    tiers: tuple[Literal["register", "tax"], ...] = ()
    by: Literal["subject", "household_head"] = "subject"

    @model_validator(mode="after")
    def _says_where(self) -> "Consent":
        if self.ledger and (self.dataset or not self.purpose):
            raise Said(
                "台帳の同意（ledger: true）には purpose を書き、dataset は書きません。",
                "A consent in the ledger has a purpose and no dataset.",
                example="consent: {ledger: true, purpose: child-notices}",
            )
        if not self.ledger and (self.dataset is None or self.purpose or self.tiers):
            raise Said(
                "consent には dataset か、ledger: true と purpose を書いてください。",
                "A consent names a dataset, or ledger: true and a purpose.",
                example="consent: {dataset: consents}",
            )
        if len(set(self.tiers)) != len(self.tiers):
            raise Said(
                "tiers に同じ区分が2度あります。",
                "A tier stands twice.",
                example="tiers: [register, tax]",
                at=("tiers",),
            )
        return self

    @model_serializer(mode="wrap")
    def _without_the_unsaid(self, plain: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # As it was written before there was a ledger, so that the hashes of older rules stay.
        held: dict[str, Any] = plain(self)
        return {key: value for key, value in held.items() if value}

    @property
    def source(self) -> str:
        """The key under which the consents are read."""
        return self.dataset or LEDGER

    @property
    def of_tiers(self) -> tuple[str, ...]:
        """The tiers of data that must be consented to."""
        return self.tiers or ("register",)


class Ties(Model):
    """Only rows of residents leave who are tied to a service, as the tie stands now.

    A tie permits items, ways of use, how often and until when. A resident whose tie leaves out one
    item that the rule sends is left out as a whole (decision 0046).
    """

    service: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
    channel: Literal["call", "portal", "mail", "sms", "post"]
    items: dict[Name, Name] = Field(default={})


class ReleaseRule(Model):
    """A whole release rule; ``version`` rises with every change that people decide."""

    kumobashi: Literal[1]
    release: Ident
    version: Annotated[int, Field(ge=1)]
    name: str
    datasets: dict[Name, DatasetRef]
    subject: Subject
    consent: Consent | None = None
    ties: Ties | None = None
    columns: Annotated[list[Column], Field(min_length=1)]
    gate: AnyGate | None = None
    coding: Coding | None = None
    allow_empty: bool = False
    predicate_only: bool = False  # conditions are answered in the hall; only their outcome leaves
    campaigns: tuple[Ident, ...] = ()  # of a predicate-only rule: which

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

    @model_serializer(mode="wrap")
    def _without_the_unsaid(self, plain: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # Written out where it says something, so that the hashes of older rules stay.
        held: dict[str, Any] = plain(self)
        return {key: value for key, value in held.items() if value or key not in _UNSAID}

    @model_validator(mode="after")
    def _hangs_together(self) -> "ReleaseRule":
        if missing := {name for name, _ in self._datasets_used()} - self.datasets.keys():
            absent = ", ".join(sorted(missing))
            raise Said(
                f"{absent} が datasets にありません。",
                f"Not under datasets: {absent}.",
                example=f"datasets: {{{min(missing)}: integrated-db.residents}}",
                at=next(at for name, at in self._datasets_used() if name in missing),
            )
        if taken := next((name for name in (LEDGER, TIES) if name in self.datasets), None):
            raise Said(
                f"datasets の名前 {taken} は使えません。",
                f"No dataset can be called {taken}.",
                example="datasets: {consents: consent-desk.consents}",
                at=("datasets", taken),
            )
        if self.ties and (strange := sorted(self.ties.items.keys() - set(self._tied_columns()))):
            raise Said(
                f"ties.items の {strange[0]} は、紐付けの項目が要る、出す項目ではありません。",
                f"{strange[0]} under ties.items is no column that leaves by an item of the ties.",
                example="items: {birth_ym: birth_date}",
                at=("ties", "items", strange[0]),
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
        if not self.released:
            raise Said(
                "出す項目が1つもありません（すべて drop です）。",
                "No column is left: all of them are dropped.",
                example="- {name: token, op: token, of: resident_no}",
                at=("columns",),
            )
        for number, column in enumerate(self.columns):
            with _below("columns", number):
                self._check_role(column)
                check_ladder(column)
        if isinstance(self.gate, Gate):
            for said in mistakes_of(
                self.gate,
                released=frozenset(column.name for column in self.released),
                sensitive=frozenset(column.name for column in self.having("sensitive")),
                has_ladder=any(len(steps(column)) > 1 for column in self.columns),
            ):
                with _below("gate"):
                    raise said
        return self

    def _datasets_used(self) -> Iterator[tuple[str, Path]]:
        """Give the keys under ``datasets`` that are named, and where a mistake is shown."""
        at: Path = ("datasets",)
        yield self.subject.dataset, at
        if self.consent and self.consent.dataset:
            yield self.consent.dataset, at
        if self.subject.without:
            yield self.subject.without.dataset, at
        for number, column in enumerate(self.columns):
            if isinstance(column, Flag):
                yield column.dataset, at
            if isinstance(column, Area) and column.mapping:
                yield column.mapping.dataset, ("columns", number, "mapping", "dataset")
        if isinstance(self.gate, Gate) and self.gate.population:
            yield self.gate.population, ("gate", "population")

    @property
    def released(self) -> tuple[AnyColumn, ...]:
        """The columns that leave: all but those that are dropped."""
        return tuple(column for column in self.columns if not isinstance(column, Drop))

    @property
    def tied_items(self) -> frozenset[str]:
        """The items that a resident's tie must permit; columns that tell nothing need none."""
        called = self.ties.items if self.ties else {}
        return frozenset(called.get(name, name) for name in self._tied_columns())

    def _tied_columns(self) -> Iterator[str]:
        for column in self.released:
            if not isinstance(column, Token | BaseDate | Constant | Suppress):
                yield column.name

    def role_of(self, column: AnyColumn) -> Role:
        """Return what the risk gate takes a column for: as the rule says, else by its operation.

        The number of the subject, kept or as a token, is a pseudonym; flags of benefits and taxes
        are what nobody should learn; what is the same in every row tells nothing; all else may be
        known to a neighbour.
        """
        if column.role:
            return column.role
        match column:
            case Token():
                return "pseudonym"
            case Keep(of=of) if of == self.subject.key:
                return "pseudonym"
            case Flag() | CampaignCode():
                return "sensitive"
            case BaseDate() | Constant() | Suppress() | Drop():
                return "plain"
            case _:
                return "quasi"

    def _check_role(self, column: AnyColumn) -> None:
        """Refuse a role that would hide from the gate what tells people apart."""
        if column.role in {None, "quasi", "sensitive"} or column.role == self.role_of(
            column.model_copy(update={"role": None})
        ):
            return
        raise Said(
            f"項目 {column.name} の role を {column.role} にはできません。人によって違う値は、"
            "quasi か sensitive として測ります。",
            f"The column {column.name} cannot have the role {column.role}: what differs from person"
            " to person is measured as quasi or sensitive.",
            example="role: sensitive",
            at=("role",),
        )

    def having(self, role: Role) -> tuple[AnyColumn, ...]:
        """Return the released columns that have a role."""
        return tuple(column for column in self.released if self.role_of(column) == role)

    def at_levels(self, levels: Mapping[str, int]) -> Self:
        """Return this rule with some columns climbed, by name: level 0 is what the column says.

        What is left of a ladder stays on its column, so climbing twice by one is climbing by two.

        Raises:
            NoSuchLevel: a column is unknown, or its ladder is not that long.
        """
        ladders = {column.name: steps(column) for column in self.columns}
        for name, level in levels.items():
            highest = len(ladders.get(name, ())) - 1
            if not 0 <= level <= highest:
                raise NoSuchLevel(column=name, level=level, highest=max(highest, 0))
        climbed = [ladders[c.name][levels.get(c.name, 0)] for c in self.columns]
        if all(isinstance(column, Drop) for column in climbed):
            raise NoSuchLevel(column=", ".join(ladders), level="drop", highest=0)
        return self.model_copy(update={"columns": climbed})

    def as_written(self) -> Self:
        """Return this rule with a gate that may only pass or refuse."""
        if not isinstance(self.gate, Gate):
            return self
        strict = self.gate.model_copy(update={"on_fail": "refuse", "max_suppressed": 0.0})
        return self.model_copy(update={"gate": strict})

    @property
    def needs_household(self) -> bool:
        """Whether rows of the same household must be brought together."""
        return self.needs_head or any(isinstance(column, OfHousehold) for column in self.columns)

    @property
    def needs_head(self) -> bool:
        """Whether it matters who the head of a household is."""
        by_head = self.consent is not None and self.consent.by == "household_head"
        return by_head or any(
            isinstance(column, Token) and column.of == "household_head" for column in self.columns
        )


@contextmanager
def _below(*path: str | int) -> Iterator[None]:
    """Place what is said inside below ``path``."""
    try:
        yield
    except Said as said:
        raise Said(said.ja, said.en, example=said.example, at=(*path, *said.at)) from None
