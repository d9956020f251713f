"""Blank what the asking side may not see, before an answer leaves.

The plan says which items an asking system's level does not reach; the answering gateway puts
``null`` in their place, and an answer it cannot read does not leave.

>>> answer = Answer(
...     status=200,
...     headers=(("content-type", "application/json"),),
...     body=b'''
... {"result": [{"name": "A", "amount": 5}, {"name": "B", "amount": 7}]}''',
... )
>>> hide(answer, ("/result/*/name",), service="collection.payments").body
b'{"result":[{"name":null,"amount":5},{"name":null,"amount":7}]}'
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from kumobashi.calls.binary_http import Answer
from kumobashi.calls.errors import ServiceUnfit

EVERY = "*"  # of a list


def hide(answer: Answer, pointers: Sequence[str], *, service: str) -> Answer:
    """Return the answer with ``null`` at every place that a pointer (RFC 6901, with ``*``) names.

    Raises:
        ServiceUnfit: the answer has a body and is no JSON, so nobody can tell what is in it.
    """
    if not answer.body:
        return answer
    try:
        said = json.loads(answer.body)
    except (ValueError, RecursionError):
        raise ServiceUnfit(service=service, reason="no JSON, and items are to be hidden") from None
    for pointer in pointers:
        steps = [s.replace("~1", "/").replace("~0", "~") for s in pointer.split("/")[1:]]
        _blank(said, steps)
    body = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
    kept = tuple((name, value) for name, value in answer.headers if name not in {"etag", "digest"})
    return replace(answer, headers=kept, body=body)


def _blank(value: Any, steps: Sequence[str]) -> None:  # noqa: ANN401 - any JSON
    step, rest = steps[0], steps[1:]
    if isinstance(value, list):
        held = range(len(value)) if step == EVERY else [int(step)] if step.isdigit() else []
        places: list[Any] = [at for at in held if at < len(value)]
    elif isinstance(value, dict):
        places = [step] if step in value else []
    else:
        places = []
    for at in places:
        if rest:
            _blank(value[at], rest)
        else:
            value[at] = None
