"""Let out of an answer what the plan says, before it leaves.

The plan knows the items of a layout and those the asking system's level does not reach. The
answering gateway keeps the first, puts ``null`` in place of the second, and drops whatever was
declared nowhere: nobody judged it. An answer it cannot read does not leave.

>>> shown = Shown(at="/result", kept=frozenset({"amount"}), blanked=frozenset({"name"}))
>>> answer = Answer(
...     status=200,
...     headers=(("content-type", "application/json"),),
...     body=b'''
... {"result": [{"name": "A", "amount": 5, "memo": "x"}], "debtors": ["A", "B"]}''',
... )
>>> show(answer, shown, service="collection.payments").body
b'{"result":[{"name":null,"amount":5}]}'
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import Any, Final, Never

from kumobashi.calls.binary_http import Answer, Headers
from kumobashi.calls.errors import ServiceUnfit

EVERY: Final = "*"  # of a list
OK: Final = range(200, 300)


@dataclass(frozen=True, kw_only=True)
class Shown:
    """Where the records of an answer lie, and which of their members leave."""

    at: str  # JSON pointer (RFC 6901), "*" for every place of a list
    kept: frozenset[str]
    blanked: frozenset[str]

    @cached_property
    def steps(self) -> tuple[str, ...]:
        """The steps to the records."""
        return tuple(s.replace("~1", "/").replace("~0", "~") for s in self.at.split("/")[1:])


def show(answer: Answer, shown: Shown, *, service: str) -> Answer:
    """Return the answer with what ``shown`` lets leave.

    A refusal of the system (any status but 2xx) has no records: it stays as it is, but for members
    that are blanked.

    Raises:
        ServiceUnfit: the answer has a body that cannot be read as JSON, or no records where they
            should lie, so nobody can tell what is in it.
    """
    is_ok = answer.status in OK
    if not answer.body or not (is_ok or shown.blanked):
        return answer
    try:
        said = json.loads(answer.body, parse_float=exact, parse_constant=refuse)
        found = _records(said, shown.steps, shown) if is_ok else _without(said, shown.blanked)
        body = written(found).encode()
    except (ValueError, RecursionError):
        raise ServiceUnfit(
            service=service, reason=f"no JSON with records at {shown.at or '/'}"
        ) from None
    return replace(answer, headers=still_true(answer.headers), body=body)


def still_true(headers: Headers) -> Headers:
    """Return the headers of an answer that hold for what is left of it."""
    return tuple((name, value) for name, value in headers if name not in {"etag", "digest"})


def _records(value: Any, steps: Sequence[str], shown: Shown) -> Any:  # noqa: ANN401 - any JSON
    """Return what lies on the way to the records, and of them what leaves."""
    if not steps:
        if isinstance(value, list):
            return [shown_record(one, shown) for one in value]
        return None if value is None else shown_record(value, shown)
    step, rest = steps[0], steps[1:]
    if isinstance(value, list) and step == EVERY:
        return [_records(one, rest, shown) for one in value]
    if isinstance(value, dict):
        return {step: _records(value[step], rest, shown)} if step in value else {}
    raise ValueError


def shown_record(value: Any, shown: Shown) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """Return of one record what leaves; raise ``ValueError`` for what is none."""
    if not isinstance(value, dict):
        raise ValueError  # noqa: TRY004 - it is told as one that cannot be read
    return {
        name: None if name in shown.blanked else held
        for name, held in value.items()
        if name in shown.blanked or (name in shown.kept and not isinstance(held, dict | list))
    }


def _without(value: Any, names: frozenset[str]) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, list):
        return [_without(one, names) for one in value]
    if isinstance(value, dict):
        return {
            name: None if name in names else _without(held, names) for name, held in value.items()
        }
    return value


def exact(text: str) -> float:
    """Return a number with a fraction, if writing it again says the same."""
    value = float(text)
    if Decimal(text) != Decimal(repr(value)):
        raise ValueError
    return value


def refuse(_constant: str) -> Never:
    """Refuse NaN and the like, which are no JSON."""
    raise ValueError


def written(value: Any) -> str:  # noqa: ANN401 - any JSON
    """Return JSON without white space, in UTF-8 characters."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
