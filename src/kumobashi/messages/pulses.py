"""The pulse (生存確認): a small question along the way of a link, and what each site says to it.

Asked every few seconds from where links begin, over the same relays as their rows. Each site on the
way adds one signed word: when the pulse came and left by its clock, what troubles it, and how the
next site answered. So the hall sees where a way ends, on whose side, and how far each clock is off;
a relay can leave words out, it cannot write those of others. No resident's data is in it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Self

from kumobashi.crypto import jws
from kumobashi.crypto.canonical import canonical
from kumobashi.crypto.keys import SigningKey, VerifyKey
from kumobashi.kernel import to_wire
from kumobashi.messages.errors import MessageForeign
from kumobashi.messages.fields import Fields
from kumobashi.messages.media_types import FORMAT, PULSE_TYP

MOST_TROUBLES = 20
MOST_WORDS = 16  # sites on a way
NOT_UNDERSTOOD = frozenset({"http.404", "http.405"})  # how an older release answers
_LONGEST_MS = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """The question, as it travels."""

    tenant: str
    from_site: str
    to_site: str
    id: str
    at: datetime
    budget_ms: int  # until nobody waits any more

    def encode(self) -> bytes:
        """Return the canonical bytes."""
        return canonical(
            {
                "format": FORMAT,
                "tenant": self.tenant,
                "from_site": self.from_site,
                "to_site": self.to_site,
                "id": self.id,
                "at": to_wire(self.at),
                "budget_ms": self.budget_ms,
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read canonical bytes; raise ``FormatUnknown`` or ``FieldWrong``."""
        fields = Fields.read("pulse", data)
        budget = fields.positive("budget_ms")
        if budget > _LONGEST_MS:
            raise fields.wrong("budget_ms", f"at most {_LONGEST_MS}")
        return cls(
            tenant=fields.municipality("tenant"),
            from_site=fields.name("from_site"),
            to_site=fields.name("to_site"),
            id=fields.identifier("id"),
            at=fields.moment("at"),
            budget_ms=budget,
        )


class Source(StrEnum):
    """Where a site has it from."""

    STATE = "state"  # its database or disk
    WAITING = "waiting"  # a bundle that waits for something there
    LOG = "log"  # a program wrote it to its log as an error


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something wrong at a site, as it says itself: a code and how often, never a text."""

    code: str  # of an error
    source: Source
    link: str | None  # the first whose bundle waits for it; none: it is not about one
    count: int  # since ``first``
    first: datetime
    last: datetime

    def plain(self) -> dict[str, object]:
        """Return it as JSON."""
        return {
            "code": self.code,
            "source": self.source.value,
            "link": self.link,
            "count": self.count,
            "first": to_wire(self.first),
            "last": to_wire(self.last),
        }

    @classmethod
    def of(cls, fields: Fields) -> Self:
        """Read one."""
        return cls(
            code=fields.error_code("code"),
            source=fields.choice("source", Source),
            link=fields.optional("link", fields.name),
            count=fields.positive("count"),
            first=fields.moment("first"),
            last=fields.moment("last"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PulseWord:
    """What one site says to a pulse."""

    tenant: str
    site: str
    pulse: str  # its id
    came: datetime  # by the clock of the site
    left: datetime
    next_site: str | None  # it was handed on to; none: the pulse ends here
    next_code: str | None  # why the next site gave no answer; none: it answered
    troubles: tuple[Trouble, ...] = ()
    extra: Mapping[str, object] = field(default_factory=dict)  # fields of later versions

    def encode(self) -> bytes:
        """Return the canonical bytes, those that are signed."""
        return canonical(
            {
                **self.extra,
                "format": FORMAT,
                "tenant": self.tenant,
                "site": self.site,
                "pulse": self.pulse,
                "came": to_wire(self.came),
                "left": to_wire(self.left),
                "next_site": self.next_site,
                "next_code": self.next_code,
                "troubles": [one.plain() for one in self.troubles],
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read canonical bytes; raise ``FormatUnknown`` or ``FieldWrong``."""
        fields = Fields.read("word of a pulse", data)
        word = cls(
            tenant=fields.municipality("tenant"),
            site=fields.name("site"),
            pulse=fields.identifier("pulse"),
            came=fields.moment("came"),
            left=fields.moment("left"),
            next_site=fields.optional("next_site", fields.name),
            next_code=fields.optional("next_code", fields.error_code),
            troubles=tuple(map(Trouble.of, fields.objects("troubles"))),
            extra=fields.left_over(),
        )
        if len(word.troubles) > MOST_TROUBLES:
            raise fields.wrong("troubles", f"at most {MOST_TROUBLES}")
        return word


def sign_word(word: PulseWord, key: SigningKey) -> str:
    """Return a word as a compact JWS."""
    return jws.sign(word.encode(), key, PULSE_TYP)


def verify_word(token: str, pulse: Pulse, site: str, keys: Mapping[str, VerifyKey]) -> PulseWord:
    """Return the word of ``site`` if one of its ``keys`` signed it, for this pulse.

    Raises:
        SignatureInvalid, UnknownKey, FormatUnknown, FieldWrong: not a word.
        MessageForeign: of another pulse, site or municipality.
    """
    word = PulseWord.decode(jws.verify(token, keys, PULSE_TYP).payload)
    said = {"tenant": pulse.tenant, "site": site, "pulse": pulse.id}
    for name, value in said.items():
        if getattr(word, name) != value:
            raise MessageForeign(field=name)
    return word


def words_of(answer: Mapping[str, object]) -> Sequence[str]:
    """Return the signed words of an answer, the nearest site first; not yet verified."""
    words = answer.get("words")
    if not isinstance(words, list) or len(words) > MOST_WORDS:
        return ()
    return tuple(word for word in words if isinstance(word, str))
