"""The receipt that a resident gets for a consent (同意の受領証), signed, to be verified anywhere.

Its fields follow the shape of the Kantara Consent Receipt v1.1. Nobody is named: the principal is
the keyed digest that ties the record's history to the resident. A withdrawal has a receipt too.

``docs/reference/schemas/consent-receipt.json`` is generated from :class:`ConsentReceipt`, and the
same class reads a receipt that is verified: what is written there is what is checked.
"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

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
VERSION: Literal["KI-CR-v1.1.0"] = "KI-CR-v1.1.0"
_LARGEST = 64 * 1024
_METHODS = {
    Method.COUNTER: "in person at a counter",
    Method.MAILED_CODE: "code sent by post",
    Method.FOUR_ITEMS: "compared with the resident register",
    Method.IMPORTED: "recorded before and imported",
    None: "stated without a consent before it",
}


Text = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
Moment = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,15}Z$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True, strict=True)


class Controller(_Part):
    """Who uses the data, or holds it."""

    piiController: Text  # noqa: N815 - names of the receipt
    contact: Text = Field(description="municipality and site that issued the receipt")
    onBehalf: bool = False  # noqa: N815


class Purpose(_Part):
    """What is consented to."""

    purpose: Text
    purposeCategory: list[Text] = Field(min_length=1)  # noqa: N815
    consentType: Literal["EXPLICIT"] = "EXPLICIT"  # noqa: N815
    piiCategory: list[Text] = Field(min_length=1)  # noqa: N815
    primaryPurpose: bool = True  # noqa: N815
    termination: Text = Field(description="until when, or that it lasts until withdrawn")
    thirdPartyDisclosure: bool  # noqa: N815
    thirdPartyName: Text | None = None  # noqa: N815


class Service(_Part):
    """The service that the consent is for."""

    service: Text
    purposes: list[Purpose] = Field(min_length=1)


class ConsentReceipt(_Part):
    """One receipt; keys that are not named here are kept and mean nothing."""

    version: Literal["KI-CR-v1.1.0"]
    jurisdiction: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
    consentTimestamp: int = Field(ge=0, description="seconds since 1970")  # noqa: N815
    collectionMethod: Text  # noqa: N815
    consentReceiptID: Annotated[  # noqa: N815
        str, StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
    ]
    publicKey: Text = Field(description="kid of the key that signed")  # noqa: N815
    language: Text
    piiPrincipalId: Text = Field(  # noqa: N815
        description="keyed digest of the resident; nobody is named"
    )
    piiControllers: list[Controller] = Field(min_length=1)  # noqa: N815
    policyUrl: Text  # noqa: N815
    services: list[Service] = Field(min_length=1)
    sensitive: bool
    spiCat: list[Text]  # noqa: N815
    state: State = Field(description="ours: what had become of the consent at stateTimestamp")
    stateTimestamp: Moment = Field(description="ours")  # noqa: N815
    givenBy: GivenBy = Field(description="ours: who spoke for the resident")  # noqa: N815
    textHash: Digest = Field(description="ours: of what was shown")  # noqa: N815
    revisionHash: Digest = Field(  # noqa: N815
        description="ours: of the newest revision in the ledger"
    )


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
        state=record.state,
        stateTimestamp=to_wire(at),
        givenBy=record.given_by,
        textHash=record.text if record.version != NO_VERSION else text.hash_of(number),
        revisionHash=record.head,
    )


def sign(receipt: ConsentReceipt, key: SigningKey) -> str:
    """Return a receipt as a compact JWS."""
    return jws.sign(canonical(receipt.model_dump(mode="json", exclude_none=True)), key, TYP)


def verify(token: str, keys: dict[str, VerifyKey]) -> ConsentReceipt:
    """Return the receipt if one of ``keys`` signed it.

    Raises:
        ConsentReceiptWrong: altered, of another site, or not as the schema says.
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
    return receipt.state is State.GRANTED


def said_by(receipt: ConsentReceipt) -> str:
    """Return who stated it, in Japanese."""
    words = {
        GivenBy.SELF: "本人",
        GivenBy.GUARDIAN: "法定代理人",
        GivenBy.PROXY: "任意代理人",
    }
    return words[receipt.givenBy]


def _term(until: datetime | None) -> str:
    return to_wire(until) if until else "until withdrawn"
