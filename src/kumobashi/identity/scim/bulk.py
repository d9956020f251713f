"""Many requests in one: in the order they came, except that who is named exists first.

``bulkId:`` names what another request of the same bulk makes; its id takes the place of the name.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from kumobashi.identity.scim.errors import ScimFailed, SyntaxUnfit, TooLarge, ValueUnfit
from kumobashi.identity.scim.models import LARGEST_BODY, MOST_OPERATIONS

if TYPE_CHECKING:
    from kumobashi.identity.scim.answering import Answer

_SCHEMA: Final = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
_MARK: Final = "bulkId:"
_METHODS: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_REFUSED: Final = 400
Run = Callable[[str, str, bytes, str | None], "Answer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One request of a bulk."""

    number: int
    method: str
    path: str
    data: Any
    name: str | None  # its bulkId
    version: str | None

    @property
    def needs(self) -> frozenset[str]:
        """The names it uses."""
        return frozenset(_named(self.path)) | frozenset(_named(self.data))


def ordered(said: Mapping[str, Any]) -> tuple[Sequence[Step], int | None]:
    """Return the requests in the order in which they are done, and how many may fail.

    Raises:
        SyntaxUnfit, ValueUnfit, TooLarge: nothing is done.
    """
    operations, most_failures = said.get("Operations"), said.get("failOnErrors")
    if _SCHEMA not in (said.get("schemas") or ()) or not isinstance(operations, list):
        raise SyntaxUnfit(where="Operations")
    if len(operations) > MOST_OPERATIONS:
        raise TooLarge(most_bytes=LARGEST_BODY, most=MOST_OPERATIONS)
    if most_failures is not None and (type(most_failures) is not int or most_failures < 1):
        raise ValueUnfit(where="failOnErrors")
    waiting = [_step(number, one) for number, one in enumerate(operations)]
    makers = {step.name for step in waiting if step.name}
    done: set[str] = set()
    result: list[Step] = []
    while waiting:
        step = next((one for one in waiting if not (one.needs & makers) - done), waiting[0])
        waiting.remove(step)
        result.append(step)
        done |= {step.name} if step.name else set()
    return result, most_failures


def outcomes(
    steps: Sequence[Step],
    most_failures: int | None,
    run: Run,
) -> list[Mapping[str, Any]]:
    """Do the requests, and return what became of each, in the order they came."""
    ids: dict[str, str] = {}
    done: dict[int, Mapping[str, Any]] = {}
    failures = 0
    for step in steps:
        said: dict[str, Any] = {"method": step.method}
        said |= {"bulkId": step.name} if step.name else {}
        try:
            path, data = _filled(step.path, ids), _filled(step.data, ids)
            body = json.dumps(data).encode() if step.method != "DELETE" else b""
            answer = run(step.method, path, body, step.version)
        except ScimFailed as error:
            said |= {"status": str(error.status), "response": error.scim()}
            failures += 1
        else:
            said |= {"status": str(answer.status)}
            said |= {"location": answer.location} if answer.location else {}
            said |= {"version": answer.version} if answer.version else {}
            if step.name and answer.location:
                ids[step.name] = answer.location.rpartition("/")[2]
        done[step.number] = said
        if most_failures is not None and failures >= most_failures:
            break
    return [done[number] for number in sorted(done)]


def _step(number: int, said: object) -> Step:
    if not isinstance(said, dict):
        raise SyntaxUnfit(where="Operations")
    method, path = said.get("method"), said.get("path")
    name, version = said.get("bulkId"), said.get("version")
    is_text = all(one is None or isinstance(one, str) for one in (name, version))
    if not (isinstance(method, str) and isinstance(path, str) and is_text):
        raise SyntaxUnfit(where="Operations")
    if method.upper() not in _METHODS:
        raise ValueUnfit(where="Operations.method")
    if method.upper() == "POST" and not name:
        raise ValueUnfit(where="Operations.bulkId")
    return Step(
        number=number,
        method=method.upper(),
        path=path,
        data=said.get("data"),
        name=name if method.upper() == "POST" else None,
        version=version,
    )


def _named(said: object) -> Iterator[str]:
    for text in _texts(said):
        if _MARK in text:
            yield text.partition(_MARK)[2].partition("/")[0]


def _texts(said: object) -> Iterator[str]:
    if isinstance(said, str):
        yield said
    elif isinstance(said, dict | list):
        for part in said.values() if isinstance(said, dict) else said:
            yield from _texts(part)


def _filled(said: Any, ids: Mapping[str, str]) -> Any:  # noqa: ANN401 - any value of JSON
    if isinstance(said, str):
        if _MARK not in said:
            return said
        before, _, rest = said.partition(_MARK)
        name, slash, after = rest.partition("/")
        # A name may well contain the mark: only a whole value, or a place in a path, counts.
        if before not in {"", "/Users/", "/Groups/"}:
            return said
        if name not in ids:
            raise ValueUnfit(where=_MARK.rstrip(":"))
        return f"{before}{ids[name]}{slash}{after}"
    if isinstance(said, dict):
        return {key: _filled(value, ids) for key, value in said.items()}
    if isinstance(said, list):
        return [_filled(value, ids) for value in said]
    return said
