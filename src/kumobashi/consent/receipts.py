"""The receipt that a resident gets for a consent (同意の受領証), signed, to be verified anywhere.

Its fields follow the shape of the Kantara Consent Receipt v1.1. Nobody is named: the principal is
the keyed digest that ties the record's history to the resident. A withdrawal has a receipt too.
"""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kumobashi.consent.errors import ConsentReceiptWrong
from kumobashi.consent.records import NO_VERSION, GivenBy, Method, Record
from kumobashi.consent.states import State
from kumobashi.consent.texts import TIER_NAMES, ConsentText
from kumobashi.crypto import jws
from kumobashi.crypto.canonical import canonical
from kumobashi.crypto.errors import CryptoFailed
from kumobashi.crypto.keys import SigningKey, VerifyKey
from kumobashi.evidence.revisions import Revision
from kumobashi.kernel import to_wire

TYP = "kumobashi-consent-receipt+jws"
VERSION = "KI-CR-v1.1.0"
_LARGEST = 64 * 1024
_METHODS = {
    Method.COUNTER: "in person at a counter",
    Method.MAILED_CODE: "code sent by post",
    Method.FOUR_ITEMS: "compared with the resident register",
    Method.IMPORTED: "recorded before and imported",
    None: "stated without a consent before it",
}


class _Part(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True)


class Controller(_Part):
    """Who uses the data, or holds it."""

    piiController: str  # noqa: N815 - names of the receipt
    contact: str
    onBehalf: bool = False  # noqa: N815


class Purpose(_Part):
    """What is consented to."""

    purpose: str
    purposeCategory: list[str]  # noqa: N815
    consentType: Literal["EXPLICIT"] = "EXPLICIT"  # noqa: N815
    piiCategory: list[str]  # noqa: N815
    primaryPurpose: bool = True  # noqa: N815
    termination: str
    thirdPartyDisclosure: bool  # noqa: N815
    thirdPartyName: str | None = None  # noqa: N815


class Service(_Part):
    """The service that the consent is for."""

    service: str
    purposes: list[Purpose] = Field(min_length=1)


class ConsentReceipt(_Part):
    """One receipt."""

    version: str
    jurisdiction: str
    consentTimestamp: int  # noqa: N815 - seconds since 1970
    collectionMethod: str  # noqa: N815
    consentReceiptID: str  # noqa: N815
    publicKey: str  # noqa: N815 - kid of the site's key
    language: str
    piiPrincipalId: str  # noqa: N815
    piiControllers: list[Controller] = Field(min_length=1)  # noqa: N815
    policyUrl: str  # noqa: N815
    services: list[Service] = Field(min_length=1)
    sensitive: bool
    spiCat: list[str]  # noqa: N815
    state: str  # ours: granted, withdrawn, …
    stateTimestamp: str  # noqa: N815 - ours
    givenBy: str  # noqa: N815 - ours
    textHash: str  # noqa: N815 - ours: digest of what was shown
    revisionHash: str  # noqa: N815 - ours: the newest revision in the ledger


def receipt_of(
    record: Record, first: Revision, text: ConsentText, *, site: str, tenant: str, kid: str
) -> ConsentReceipt:
    """Return the receipt of a record.

    ``first`` is its first revision. The receipt of a withdrawal without a consent before it speaks
    of the newest version of the text.
    """
    number = record.version if record.version != NO_VERSION else text.newest.version
    version = text.version(number)
    items = [i for one in version.tiers if one.tier == record.tier.value for i in one.items]
    at = record.ended_at or record.granted_at or record.stated_at
    return ConsentReceipt(
        version=VERSION,
        jurisdiction="JP",
        consentTimestamp=int(record.stated_at.timestamp()),
        collectionMethod=_METHODS[record.method],
        consentReceiptID=record.record,
        publicKey=kid,
        language=version.language,
        piiPrincipalId=str(first.said.get("subject", "-")),
        piiControllers=[
            Controller(piiController=version.controller, contact=f"{tenant}/{site}"),
            Controller(piiController=version.holder, contact=f"{tenant}/{site}"),
        ],
        policyUrl=f"urn:kumobashi:consent-text:{tenant}:{text.purpose}:{number}",
        services=[
            Service(
                service=text.name,
                purposes=[
                    Purpose(
                        purpose=version.purpose_of_use,
                        purposeCategory=[text.category.name],
                        piiCategory=[TIER_NAMES[record.tier][0], *items],
                        termination=_term(record.until),
                        thirdPartyDisclosure=version.controller != version.holder,
                        thirdPartyName=version.controller,
                    )
                ],
            )
        ],
        sensitive=record.tier.value == "tax",
        spiCat=[TIER_NAMES[record.tier][0]] if record.tier.value == "tax" else [],
        state=record.state.value,
        stateTimestamp=to_wire(at),
        givenBy=record.given_by.value,
        textHash=record.text if record.version != NO_VERSION else text.hash_of(number),
        revisionHash=record.head,
    )


def sign(receipt: ConsentReceipt, key: SigningKey) -> str:
    """Return a receipt as a compact JWS."""
    return jws.sign(canonical(receipt.model_dump(mode="json", exclude_none=True)), key, TYP)


def verify(token: str, keys: dict[str, VerifyKey]) -> ConsentReceipt:
    """Return the receipt if one of ``keys`` signed it.

    Raises:
        ConsentReceiptWrong: altered, of another site, or no receipt.
    """
    try:
        return ConsentReceipt.model_validate_json(
            jws.verify(token, keys, TYP, limit=_LARGEST).payload
        )
    except CryptoFailed as wrong:
        raise ConsentReceiptWrong(reason=wrong.code) from None
    except ValidationError:
        raise ConsentReceiptWrong(reason="fields") from None


def is_given(receipt: ConsentReceipt) -> bool:
    """Whether the receipt is for a consent that was in force when it was issued."""
    return receipt.state == State.GRANTED.value


def said_by(receipt: ConsentReceipt) -> str:
    """Return who stated it, in Japanese."""
    words = {
        GivenBy.SELF: "本人",
        GivenBy.GUARDIAN: "法定代理人",
        GivenBy.PROXY: "任意代理人",
    }
    return words[GivenBy(receipt.givenBy)]


def _term(until: datetime | None) -> str:
    return to_wire(until) if until else "until withdrawn"
