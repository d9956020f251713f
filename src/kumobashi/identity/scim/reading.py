"""Read what a provider sends: bounded before it is parsed, and refused with a code of ours.

Sentences of the library quote what they refuse, so they are not handed on: of a value that does not
fit only its place is told.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from pydantic import ValidationError
from scim2_models import Context, Error, PatchOp, Resource, SCIMException, SearchRequest

from kumobashi.identity.scim.errors import (
    FilterUnfit,
    MediaUnfit,
    PathUnfit,
    ScimFailed,
    SyntaxUnfit,
    TargetMissing,
    TooLarge,
    TooMany,
    Unchangeable,
    ValueUnfit,
)
from kumobashi.identity.scim.models import (
    LARGEST_BODY,
    MOST_OPERATIONS,
    MOST_RESULTS,
    Group,
    User,
)

_Kind = TypeVar("_Kind", bound=Resource[Any])
LONGEST_FILTER: Final = 1_000  # characters
_DEEPEST: Final = 20  # brackets of a filter, levels of a body
_MEDIA: Final = frozenset({"application/scim+json", "application/json"})
_PLACE: Final = re.compile(r"[^A-Za-z0-9_.$]")
_KINDS_OF_ERROR: Final[Mapping[str, type[ScimFailed]]] = {
    kind.scim_type: kind
    for kind in (FilterUnfit, PathUnfit, TargetMissing, Unchangeable, SyntaxUnfit)
}
_SEARCH: Final = (
    "attributes",
    "excludedAttributes",
    "filter",
    "sortBy",
    "sortOrder",
    "startIndex",
    "count",
)


@contextmanager
def told() -> Iterator[None]:
    """Turn what the library refuses into errors of ours."""
    try:
        yield
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=True, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        kind = Error.from_validation_error(first).scim_type or "invalidValue"
        raise _ours(kind, place) from None
    except SCIMException as error:
        raise _ours(error.scim_type, "") from None
    except RecursionError:
        raise SyntaxUnfit(where="-") from None


def parsed(body: bytes, content_type: str | None) -> Mapping[str, Any]:
    """Return the object that a body is.

    Raises:
        TooLarge, MediaUnfit, SyntaxUnfit: it is none.
    """
    check_size(len(body))
    media = (content_type or "").partition(";")[0].strip().lower()
    if media not in _MEDIA:
        raise MediaUnfit
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        raise SyntaxUnfit(where="-") from None
    if not isinstance(said, dict) or _is_deep(said):
        raise SyntaxUnfit(where="-")
    return said


def check_size(size: int) -> None:
    """Raise ``TooLarge`` for a body of so many bytes."""
    if size > LARGEST_BODY:
        raise TooLarge(most_bytes=LARGEST_BODY, most=MOST_OPERATIONS)


def read(kind: type[_Kind], said: Mapping[str, Any], *, is_new: bool) -> _Kind:
    """Return the person or group that a body describes."""
    context = Context.RESOURCE_CREATION_REQUEST if is_new else Context.RESOURCE_REPLACEMENT_REQUEST
    if _member(said, "schemas") is None:  # the library takes it for granted
        raise SyntaxUnfit(where="schemas")
    with told():
        return kind.model_validate(said, scim_ctx=context)


def read_patch(kind: type[_Kind], said: Mapping[str, Any]) -> "PatchOp[_Kind]":
    """Return the changes that a body describes."""
    steps = _member(said, "Operations")
    if isinstance(steps, list):
        if len(steps) > MOST_OPERATIONS:
            raise TooMany(most=MOST_OPERATIONS)
        for step in steps:
            path = _member(step, "path") if isinstance(step, dict) else None
            if isinstance(path, str) and not _is_shallow(path):
                raise PathUnfit
    model: Any = PatchOp
    with told():
        patch: PatchOp[_Kind] = model[kind].model_validate(
            said, scim_ctx=Context.RESOURCE_PATCH_REQUEST
        )
        return patch


def read_search(kinds: tuple[type[Resource[Any]], ...], said: Mapping[str, Any]) -> Any:  # noqa: ANN401 - one for each kind
    """Return what is searched, among people, groups or both."""
    wanted = {name: value for name in _SEARCH if (value := _member(said, name)) is not None}
    pattern = wanted.get("filter")
    if pattern is not None and not (isinstance(pattern, str) and _is_shallow(pattern)):
        raise FilterUnfit(most=LONGEST_FILTER)
    if isinstance(wanted.get("sortBy"), str) and not _is_shallow(wanted["sortBy"]):
        raise PathUnfit
    model: Any = SearchRequest
    of = model[kinds[0]] if len(kinds) == 1 else model[User | Group]
    with told():
        request = of.model_validate(wanted)
        request.count = min(MOST_RESULTS if request.count is None else request.count, MOST_RESULTS)
        return request


def _ours(scim_type: str, place: str) -> ScimFailed:
    facts = {"where": _PLACE.sub("_", place)[:80] or "-", "most": LONGEST_FILTER}
    return _KINDS_OF_ERROR.get(scim_type, ValueUnfit)(**facts)


def _member(said: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - any value of JSON
    """Return a member of an object whose names are the same in either case."""
    return next((value for key, value in said.items() if key.lower() == name.lower()), None)


def _is_shallow(expression: str) -> bool:
    """Whether a filter or path is short, and not nested deep; brackets in quotes count too."""
    depth = deepest = 0
    for character in expression[: LONGEST_FILTER + 1]:
        depth += (character in "([") - (character in ")]")
        deepest = max(deepest, depth)
    return len(expression) <= LONGEST_FILTER and deepest <= _DEEPEST


def _is_deep(said: Any) -> bool:  # noqa: ANN401 - any value of JSON
    level = [said]
    for _ in range(_DEEPEST):
        level = [
            part
            for one in level
            if isinstance(one, dict | list)
            for part in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return False
    return True
