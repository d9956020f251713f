"""What a consumer gets: ``metadata``, ``_links``, ``result``, or ``title``, ``detail``, ``errors``.

After 住登外者宛名番号付番API v2.0 (デジタル庁, PDL 1.0, processed): 200, 400 with errors, 401, 503
for what nobody expected, and a 5xx that is not JSON for what took more than 30 seconds.

>>> import json
>>> said = shaped({"result": [{"kazei": 1}]}, "/linkage/031/a/v1/b", {}, "/result")
>>> sorted(json.loads(said))
['_links', 'metadata', 'result']
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from kumobashi.calls.binary_http import Answer
from kumobashi.calls.errors import ServiceUnfit
from kumobashi.calls.linkage.errors import ItemsUnfit, LinkageFailed, TooSlow
from kumobashi.calls.linkage.items import renamed
from kumobashi.calls.permission_errors import ItemNotPermitted
from kumobashi.crypto.canonical import read_json
from kumobashi.crypto.errors import NotCanonical
from kumobashi.kernel import KumobashiError

LARGEST: Final = 64 * 1024 * 1024
_MEMBERS: Final = {"metadata", "_links", "result"}
_LATE: Final = frozenset({504})
_THEIRS: Final = 500  # statuses below it speak of the request
_OURS_ON_401: Final = frozenset({401, 403})


def read_answer(answer: Answer, service: str) -> Any:  # noqa: ANN401 - any JSON
    """Return the JSON of an answer; raise ``ServiceUnfit`` when it is none."""
    if not answer.body:
        return []
    try:
        return read_json(answer.body, limit=LARGEST)
    except NotCanonical:
        raise ServiceUnfit(service=service, reason="JSON, UTF-8") from None


def shaped(said: Any, href: str, names: Mapping[str, str], at: str) -> bytes:  # noqa: ANN401
    """Return an answer in the profile's shape; ``at`` is where its records lie (JSON Pointer).

    One that has the shape keeps its words; records get the names of ``names``.
    """
    records = said
    for step in at.split("/")[1:]:
        records = (
            records.get(step.replace("~1", "/").replace("~0", "~"), [])
            if (isinstance(records, dict))
            else []
        )
    result = renamed(records if isinstance(records, list) else [records], names)
    held = said if isinstance(said, dict) and said.keys() >= _MEMBERS else {}
    metadata = held.get("metadata", {"title": "OK", "detail": "正常に終了しました。"})
    return _json({"metadata": metadata, "_links": _self(href), "result": result})


def refused(error: KumobashiError, href: str) -> tuple[int, str, bytes]:
    """Return status, media type and body of a refusal, in the profile's shape."""
    if isinstance(error, TooSlow) or error.status in _LATE:
        return 504, "text/plain; charset=utf-8", error.say("ja").encode()
    body: dict[str, object] = {
        "title": error.say("ja"),
        "detail": error.remedy("ja"),
        "_links": _self(href),
    }
    if error.status in _OURS_ON_401 and not isinstance(error, ItemNotPermitted):
        return 401, "application/json", _json(body)
    if error.status >= _THEIRS or (not isinstance(error, LinkageFailed) and error.retryable):
        return 503, "application/json", _json(body)
    if isinstance(error, ItemsUnfit):
        errors = [{"code": one.code, "message": one.message} for one in error.errors]
    else:
        errors = [{"code": error.code, "message": error.say("ja")}]
    return 400, "application/json", _json(body | {"errors": errors})


def _self(href: str) -> dict[str, object]:
    return {"self": {"href": href}}


def _json(said: object) -> bytes:
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
