"""A clerk's second story: what a resident asked is answered and printed; a leak is drafted.

Who does it are people of the first story (``agreement_story``), with their own passwords and codes,
over the gateway's local API. The incident is an exercise and closed at the end by the other person.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from kumobashi.kernel import to_wire
from kumobashi.testing.agreement_story import Staff
from kumobashi.testing.city.golden import golden

Json = dict[str, Any]
Deed = Callable[[str, Mapping[str, object]], Json]  # a deed, and its body

CLERK, CHIEF = "tanaka", "suzuki"
WHO_ASKS: Final = golden("centenarian").number


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One step: who did what, what came of it, and the page that can be printed now."""

    who: str
    what: str
    found: Json
    page: str | None = None


def disclosed(requests: Deed, staff: Staff) -> Iterator[Told]:
    """Receive a request for disclosure, compose the record, decide, print the notice."""
    asked = {"kind": "disclosure", "applicant": "self", "identity": "counter"}
    made = requests("new", {**asked, "number": WHO_ASKS, **staff.signs(CLERK)})
    yield Told(who=CLERK, what="received", found=made)
    which = {"request": made["requests"][0]["request"]}
    answered = requests("answer", {**which, **staff.signs(CHIEF)})
    yield Told(who=CHIEF, what="answered", found=answered)
    done = requests("decide", {**which, "outcome": "granted", **staff.signs(CHIEF)})
    page = requests("paper", {**which, "answer": answered["answer"]})["html"]
    yield Told(who=CHIEF, what="disclosed", found=done, page=page)


def leaked(incidents: Deed, staff: Staff, link: str, noticed: datetime) -> Iterator[Told]:
    """Note an incident, draft its prompt report, and close it as the exercise that it is."""
    said = {"link": link, "noticed": to_wire(noticed), "kinds": ["leak"], "place": "receiver"}
    made = incidents("open", {**said, "note": "訓練", **staff.signs(CLERK)})
    yield Told(who=CLERK, what="noted", found=made)
    which = {"incident": made["incident"]["incident"]}
    drafted = incidents("report", {**which, "report": "prompt"})
    yield Told(who=CLERK, what="drafted", found=drafted, page=drafted["html"])
    closing = {"reason": "mistaken", "note": "訓練のため終了"}
    done = incidents("close", {**which, **closing, **staff.signs(CHIEF)})
    yield Told(who=CHIEF, what="closed", found=done)
