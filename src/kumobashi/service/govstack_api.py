"""The GovStack Consent API as a second face of the ledger: its shape, our rules.

An agreement is a purpose and a tier (``child-notices.tax``), its revision a version of the text.
An individual's id is the sealed number; the number itself comes once, in the body of
``POST …/individual/``, never in an address. A record that is created here is an application: it
counts when identity was checked, whoever asks. What the ledger has no word for is answered 501.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kumobashi.consent.errors import NumberUnreadable, PurposeUnknown
from kumobashi.consent.ledger import ConsentLedger
from kumobashi.consent.reading import Reading
from kumobashi.consent.records import NO_VERSION, Application, Record
from kumobashi.consent.states import State, Tier
from kumobashi.consent.texts import TIER_NAMES, ConsentText
from kumobashi.evidence.revisions import Revision
from kumobashi.exchange.noting import LOCAL_API
from kumobashi.kernel import Clock, business_date, to_wire
from kumobashi.service.consents import Consents
from kumobashi.service.errors import BadRequest, NotOffered, ResidentUnknown
from kumobashi.service.gateway import Gateway
from kumobashi.service.local_api import guarded, members

PREFIX = "/consent-bb"
INDIVIDUAL = "x-consentbb-individualid"
SOURCE = "govstack"
_MOST = 1_000  # records in one answer
Json = dict[str, Any]
Handler = Callable[[Request], Awaitable[Response]]


def govstack_routes(gateway: Gateway, consents: Consents) -> list[Route]:
    """Return the routes; each asks for the site's token like the local API."""
    api = GovStackFace(consents, gateway.clock)
    guard = partial(guarded, gateway)
    found = []
    for method, path, deed in api.operations():
        handler = guard(_answering(deed))
        found.append(Route(PREFIX + path, handler, methods=[method]))
    methods = ["GET", "POST", "PUT", "DELETE"]
    found.append(Route(PREFIX + "/{rest:path}", guard(_answering(_not_offered)), methods=methods))
    return found


def _answering(deed: "Deed") -> Handler:
    async def answer(request: Request) -> Response:
        body = await members(request) if request.method in {"POST", "PUT"} else {}
        asked = Asked(
            path=dict(request.path_params),
            query=dict(request.query_params),
            individual=request.headers.get(INDIVIDUAL, ""),
            body=body,
        )
        return JSONResponse(await asyncio.to_thread(deed, asked))

    return answer


class Asked:
    """One call, as the operations see it."""

    def __init__(
        self, *, path: Mapping[str, str], query: Mapping[str, str], individual: str, body: Json
    ) -> None:
        self.path = path
        self.query = query
        self.body = body
        self._individual = individual

    @property
    def individual(self) -> str:
        """The individual's id: of the header, else of the query."""
        found = self._individual or self.query.get("individualId", "")
        if not found:
            raise BadRequest(field="individualId", expected="an id of POST …/individual/")
        return found

    @property
    def page(self) -> slice:
        """Which of a list are wanted."""
        said = []
        for name, otherwise in (("offset", "0"), ("limit", str(_MOST))):
            text = self.query.get(name, otherwise)
            if not (text.isascii() and text.isdigit() and len(text) < 8):  # noqa: PLR2004 - enough
                raise BadRequest(field=name, expected="a number")
            said.append(int(text))
        return slice(said[0], said[0] + min(said[1], _MOST))


Deed = Callable[[Asked], Json]


def _not_offered(_asked: Asked) -> Json:
    raise NotOffered


class GovStackFace:
    """The operations that are real."""

    def __init__(self, consents: Consents, clock: Clock) -> None:
        self._consents = consents
        self._clock = clock

    def operations(self) -> Sequence[tuple[str, str, Deed]]:
        """Return method, path and what is done."""
        record = "/service/individual/record"
        agreement, consent = "/data-agreement/{agreement}/", "/consent-record/{record}/"
        return (
            ("POST", "/config/individual/", self.individual),
            ("POST", "/service/individual/", self.individual),
            *(
                ("GET", f"{group}{agreement}", self.agreement)
                for group in ("/config", "/service", "/audit")
            ),
            *(
                ("GET", f"{group}/data-agreements/", self.agreements)
                for group in ("/config", "/service/verification", "/audit")
            ),
            ("POST", f"{record}/consent-record/draft/", self.draft),
            ("POST", f"{record}/consent-record/", self.create),
            ("GET", f"{record}/consent-record/", self.records_of),
            ("PUT", f"{record}{consent}", self.update),
            ("POST", f"{record}{agreement}", self.create_for),
            ("GET", f"{record}{agreement}", self.read_for),
            ("GET", f"{record}{agreement}all/", self.all_for),
            ("GET", "/service/verification/consent-records/", self.records),
            ("GET", f"/service/verification{consent}", self.read_whole),
            ("GET", "/audit/consent-records/", self.records),
            ("GET", f"/audit{consent}", self.read),
        )

    # -- individuals and agreements -------------------------------------------------------------

    def individual(self, asked: Asked) -> Json:
        """Return the id under which a resident is spoken of here; nothing is kept."""
        said = asked.body.get("individual", asked.body)
        number = said.get("externalId") if isinstance(said, dict) else None
        if not isinstance(number, str):
            raise BadRequest(field="externalId", expected="a resident number")
        with suppress(ResidentUnknown):  # nobody's number consents to nothing that leaves
            number = self._consents.named(number)
        return {"individual": {"id": self._ledger.subjects.seal(number)}}

    def agreement(self, asked: Asked) -> Json:
        """Return an agreement and its current revision."""
        text, tier = self._agreement(asked.path["agreement"])
        number = self._offered(text)
        return {
            "dataAgreement": self._agreement_json(text, tier),
            "revision": {
                "id": f"{text.purpose}.{tier.value}.{number}",
                "schemaName": "DataAgreement",
                "objectId": f"{text.purpose}.{tier.value}",
                "serializedSnapshot": text.version(number).model_dump_json(by_alias=True),
                "serializedHash": text.hash_of(number),
                "timestamp": f"{text.version(number).from_.isoformat()}T00:00:00+09:00",
            },
        }

    def agreements(self, asked: Asked) -> Json:
        """Return all agreements."""
        found = [
            self._agreement_json(text, Tier(one.tier))
            for text in self._consents.texts().values()
            for one in text.newest.tiers
        ]
        return {"dataAgreements": found[asked.page]}

    # -- records of one individual --------------------------------------------------------------

    def draft(self, asked: Asked) -> Json:
        """Return what a record would be; nothing is kept."""
        text, tier = self._agreement(asked.query.get("dataAgreementId", ""))
        number = self._offered(text)
        said = {
            "id": "",
            "dataAgreement": self._agreement_json(text, tier),
            "dataAgreementRevisionHash": text.hash_of(number),
            "individual": {"id": self._known(asked.individual)},
            "optIn": True,
            "state": "draft",
        }
        return {"consentRecord": said, "signature": _unsigned(text.hash_of(number))}

    def create(self, asked: Asked) -> Json:
        """Take an application as a client filled the draft in."""
        said = asked.body.get("consentRecord")
        if not isinstance(said, dict):
            raise BadRequest(field="consentRecord", expected="an object")
        if said.get("optIn") is False:
            raise BadRequest(field="optIn", expected="true; taking back is PUT")
        agreement = said.get("dataAgreement")
        named = agreement.get("id") if isinstance(agreement, dict) else None
        whose = said.get("individual")
        subject = whose.get("id") if isinstance(whose, dict) else asked.individual
        shown = said.get("dataAgreementRevisionHash")
        made = self._apply(str(named or ""), str(subject), str(shown) if shown else None)
        return {**self._whole(made), "signature": _unsigned(made.head)}

    def create_for(self, asked: Asked) -> Json:
        """Take an application for the current revision of an agreement."""
        return self._whole(self._apply(asked.path["agreement"], asked.individual, None))

    def update(self, asked: Asked) -> Json:
        """Take a consent back (``optIn: false``); nothing else of a record can be changed."""
        said = asked.body.get("consentRecord")
        if not isinstance(said, dict) or said.get("optIn") is not False:
            raise BadRequest(field="optIn", expected="false")
        held = Reading(self._ledger).record(asked.path["record"])
        if held.subject != self._known(asked.individual):
            raise BadRequest(field="individualId", expected="the individual of the record")
        self._ledger.withdraw(
            self._ledger.subjects.open(held.subject),
            held.purpose,
            tier=held.tier,
            stated_at=self._clock.now(),
            source=SOURCE,
            by=LOCAL_API,
        )
        self._consents.tidy_channels()
        return self._whole(Reading(self._ledger).record(held.record))

    def read_for(self, asked: Asked) -> Json:
        """Return the record that counts for an individual and an agreement."""
        found = self._of(asked)
        if not found:
            raise BadRequest(field="dataAgreementId", expected="an agreement with a record")
        return {"consentRecord": self._record_json(found[-1])}

    def all_for(self, asked: Asked) -> Json:
        """Return every record of an individual and an agreement, the oldest first."""
        found = [self._record_json(one) for one in self._of(asked)]
        return {"consentRecords": found[asked.page]}

    def records_of(self, asked: Asked) -> Json:
        """Return the records of an individual."""
        number = self._ledger.subjects.open(self._known(asked.individual))
        found = Reading(self._ledger).of_resident(number)
        return {"consentRecords": [self._record_json(one) for one in found[asked.page]]}

    # -- verification and audit -----------------------------------------------------------------

    def records(self, asked: Asked) -> Json:
        """Return records of all individuals, the oldest first."""
        page = asked.page
        found = Reading(self._ledger).listed(limit=page.stop)[page]
        return {"consentRecords": [self._record_json(one) for one in found]}

    def read(self, asked: Asked) -> Json:
        """Return one record."""
        held = Reading(self._ledger).record(asked.path["record"])
        return {"consentRecord": self._record_json(held)}

    def read_whole(self, asked: Asked) -> Json:
        """Return one record and its newest revision."""
        return self._whole(Reading(self._ledger).record(asked.path["record"]))

    # -- inside ---------------------------------------------------------------------------------

    @property
    def _ledger(self) -> ConsentLedger:
        return self._consents.ledger

    def _agreement(self, name: str) -> tuple[ConsentText, Tier]:
        purpose, _, tier = name.rpartition(".")
        try:
            wanted = Tier(tier)
        except ValueError:
            raise PurposeUnknown(purpose="?") from None
        text = self._ledger.text(purpose)
        text.check(text.newest.version, wanted)
        return text, wanted

    def _offered(self, text: ConsentText) -> int:
        found = text.offered(business_date(self._clock.now()))
        return found.version if found else text.newest.version

    def _known(self, individual: str) -> str:
        """Return an id that this site has given.

        Raises:
            BadRequest: it is another's, or none.
        """
        try:
            self._ledger.subjects.open(individual)
        except NumberUnreadable:
            expected = "an id of POST …/individual/"
            raise BadRequest(field="individualId", expected=expected) from None
        return individual

    def _apply(self, agreement: str, individual: str, shown: str | None) -> Record:
        text, tier = self._agreement(agreement)
        said = Application(
            number=self._ledger.subjects.open(self._known(individual)),
            purpose=text.purpose,
            tier=tier,
            version=self._offered(text),
            stated_at=self._clock.now(),
            source=SOURCE,
            text=shown,
        )
        return self._ledger.apply(said, by=LOCAL_API)

    def _of(self, asked: Asked) -> list[Record]:
        text, tier = self._agreement(asked.path["agreement"])
        number = self._ledger.subjects.open(self._known(asked.individual))
        found = Reading(self._ledger).of_resident(number)
        return [one for one in found if (one.purpose, one.tier) == (text.purpose, tier)]

    def _agreement_json(self, text: ConsentText, tier: Tier) -> Json:
        version = text.version(self._offered(text))
        controller = {"id": "controller", "name": version.controller, "url": "urn:kumobashi:hall"}
        return {
            "id": f"{text.purpose}.{tier.value}",
            "version": str(version.version),
            "controller": controller,
            "purpose": version.purpose_of_use,
            "lawfulBasis": "consent",
            "dataUse": "data_using_service",
            "dpia": "",
            "active": True,
            "forgettable": False,
            "attributes": [
                {
                    "id": f"{text.purpose}.{tier.value}.{number}",
                    "name": item,
                    "sensitivity": tier.value,
                    "category": TIER_NAMES[tier][0],
                }
                for one in version.tiers
                if one.tier == tier.value
                for number, item in enumerate(one.items, 1)
            ],
        }

    def _record_json(self, record: Record) -> Json:
        found: Json = {
            "id": record.record,
            "dataAgreementRevisionHash": record.text,
            "optIn": record.state is State.GRANTED,
            "state": record.state.value,
            "dataAgreement": {"id": f"{record.purpose}.{record.tier.value}"},
        }
        if record.subject:
            found["individual"] = {"id": record.subject}
        if record.version != NO_VERSION and record.purpose in self._consents.texts():
            text = self._ledger.text(record.purpose)
            found["dataAgreement"] = self._agreement_json(text, record.tier)
        return found

    def _whole(self, record: Record) -> Json:
        newest = Reading(self._ledger).history(record.record)[-1]
        return {"consentRecord": self._record_json(record), "revision": _revision(record, newest)}


def _revision(record: Record, newest: Revision) -> Json:
    said = newest.said
    return {
        "id": f"{record.record}.{newest.number}",
        "schemaName": "ConsentRecord",
        "objectId": record.record,
        "signedWithoutObjectId": False,
        "serializedSnapshot": newest.body.decode("utf-8"),
        "serializedHash": newest.hash,
        "timestamp": str(said.get("at", to_wire(record.stated_at))),
        "authorizedByOther": str(said.get("by", "")),
        "predecessorHash": said.get("previous") or "",
    }


def _unsigned(payload: str) -> Json:
    """Return the signature of a record that nobody has signed: receipts are signed instead."""
    return {
        "id": "",
        "payload": payload,
        "signature": "",
        "verificationMethod": "",
        "verificationPayload": "",
        "verificationPayloadHash": payload,
        "verificationSignedBy": "",
        "timestamp": "",
    }
