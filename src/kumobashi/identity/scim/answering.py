"""Answer a provider's requests about its own list (RFC 7644); nothing here knows a web framework.

Each request that changes something is one transaction: what an ``If-Match`` names is compared with
what is then changed, and no other request comes between.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

from scim2_models import (
    Context,
    PatchOp,
    Resource,
    ResponseParameters,
    ScimFilter,
)
from scim2_models.path import CompareOperator, Comparison

from kumobashi.identity.scim.bulk import ordered, outcomes
from kumobashi.identity.scim.errors import (
    MethodUnfit,
    NotOffered,
    NotThere,
    SearchRefused,
    VersionStale,
)
from kumobashi.identity.scim.models import (
    POLICY,
    Group,
    User,
    group_of,
    provider,
    role_of,
    said_of,
    user_of,
    version_of,
)
from kumobashi.identity.scim.people import name_key
from kumobashi.identity.scim.reading import (
    parsed,
    read,
    read_patch,
    read_search,
    told,
)
from kumobashi.identity.scim.register import Pen, Register
from kumobashi.identity.scim.rows import Grouping, Person
from kumobashi.identity.sql import provisioned

_Kind = TypeVar("_Kind", bound=Resource[Any])
_FARTHEST: Final = 1_000_000  # where a page may begin
_LISTED: Final = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
_KINDS: Final[Mapping[str, type[Resource[Any]]]] = {"Users": User, "Groups": Group}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request, below the address of the service."""

    method: str
    path: str  # "/Users/0199…"
    base: str  # address of the service
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    content_type: str | None = None
    if_match: str | None = None
    if_none_match: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is answered."""

    status: int = 200
    body: Mapping[str, Any] | None = None
    location: str | None = None
    version: str | None = None


def answer(register: Register, asked: Asked) -> Answer:  # noqa: PLR0911 - one for each address
    """Return the answer to a request; raise ``ScimFailed``."""
    with POLICY:
        parts = asked.path.strip("/").split("/")
        match parts:
            case ["ServiceProviderConfig"] | ["ResourceTypes" | "Schemas", *_]:
                return _described(asked, parts)
            case ["Bulk"]:
                _only(asked, "POST")
                return _bulk(register, asked)
            case [".search"] | [_, ".search"]:
                _only(asked, "POST")
                said = parsed(asked.body, asked.content_type)
                return _search(register, asked, parts[:-1], said)
            case [""]:
                _only(asked, "GET")
                return _search(register, asked, [], asked.query)
            case ["Me", *_]:
                raise NotOffered
            case ["Users" | "Groups"] if asked.method == "GET":
                return _search(register, asked, parts, asked.query)
            case ["Users" | "Groups"]:
                _only(asked, "GET", "POST")
                return _add(register, asked, parts[0])
            case ["Users" | "Groups", one]:
                _only(asked, "GET", "PUT", "PATCH", "DELETE")
                return _one(register, asked, parts[0], one)
            case _:
                raise NotThere


def _described(asked: Asked, parts: Sequence[str]) -> Answer:
    """Answer what this service is; these lists are short and cannot be searched (RFC 7644, 4)."""
    _only(asked, "GET")
    if "filter" in asked.query:
        raise SearchRefused
    is_about, base = provider(), asked.base
    if parts[0] == "ServiceProviderConfig":
        if is_about.config is None or len(parts) > 1:
            raise NotThere
        return Answer(body=_placed(is_about.config, f"{base}/ServiceProviderConfig", parts[0]))
    held: Sequence[Resource[Any]] = (
        is_about.schemas if parts[0] == "Schemas" else is_about.resource_types
    )
    bodies = [_placed(one, f"{base}/{parts[0]}/{one.id}", parts[0][:-1]) for one in held]
    if len(parts) == 1:
        return Answer(body=_list(bodies, len(bodies), 1))
    for one, body in zip(held, bodies, strict=True):
        if one.id == "/".join(parts[1:]):
            return Answer(body=body)
    raise NotThere


def _placed(one: Resource[Any], location: str, kind: str) -> Mapping[str, Any]:
    body = one.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE)
    return body | {"meta": {"resourceType": kind, "location": location}}


def _add(register: Register, asked: Asked, kind: str) -> Answer:
    said = parsed(asked.body, asked.content_type)
    with register.writing() as pen:
        made: Person | Grouping
        if kind == "Users":
            made = pen.add_person(said_of(read(User, said, is_new=True)))
        else:
            group = read(Group, said, is_new=True)
            made = pen.add_group(**_of_group(group))
    context = Context.RESOURCE_CREATION_RESPONSE
    return _shown(asked, made, context, status=201)


def _one(register: Register, asked: Asked, kind: str, one: str) -> Answer:
    if asked.method == "GET":
        with register.reading() as pen:
            held = _held(pen, kind, one)
        if asked.if_none_match and _matches(asked.if_none_match, held):
            return Answer(status=304, version=version_of(held))
        return _shown(asked, held, Context.RESOURCE_QUERY_RESPONSE)
    said = parsed(asked.body, asked.content_type) if asked.method != "DELETE" else {}
    with register.writing() as pen:
        before = _held(pen, kind, one)
        if asked.if_match and not _matches(asked.if_match, before):
            raise VersionStale
        if asked.method == "DELETE":
            if isinstance(before, Person):
                pen.remove_person(before)
            else:
                pen.remove_group(before)
            return Answer(status=204)
        after = _changed(pen, before, said, asked)
    context = (
        Context.RESOURCE_PATCH_RESPONSE
        if asked.method == "PATCH"
        else Context.RESOURCE_REPLACEMENT_RESPONSE
    )
    return _shown(asked, after, context)


def _held(pen: Pen, kind: str, one: str) -> Person | Grouping:
    return pen.person(one) if kind == "Users" else pen.group(one)


def _changed(
    pen: Pen, before: Person | Grouping, said: Mapping[str, Any], asked: Asked
) -> Person | Grouping:
    if isinstance(before, Person):
        user = _after(User, user_of(before, asked.base), said, asked.method)
        return pen.change_person(before, said_of(user, was_active=before.said.is_active))
    group = _after(Group, group_of(before, asked.base), said, asked.method)
    return pen.change_group(before, **_of_group(group))


def _after(kind: type[_Kind], held: _Kind, said: Mapping[str, Any], method: str) -> _Kind:
    """Return what becomes of ``held``."""
    if method == "PATCH":
        patch: PatchOp[_Kind] = read_patch(kind, said)
        with told():
            patch.patch(held)
            # A patch writes past the bounds of the attributes; reading it again holds them.
            return kind.model_validate(held.model_dump())
    wanted = read(kind, said, is_new=False)
    with told():
        wanted.replace(held)
    return wanted


def _of_group(group: Group) -> dict[str, Any]:
    name = group.display_name or ""
    members = [member.value or "" for member in group.members or ()]
    return {
        "name": name,
        "role": role_of(name),
        "external": group.external_id or None,
        "members": list(dict.fromkeys(members)),
    }


def _search(
    register: Register, asked: Asked, parts: Sequence[str], said: Mapping[str, Any]
) -> Answer:
    if parts and parts[0] not in _KINDS:
        raise NotThere
    kinds = (_KINDS[parts[0]],) if parts else (User, Group)
    request = read_search(kinds, said)
    start = min(request.start_index_0 or 0, _FARTHEST)
    found: list[Resource[Any]] = []
    with register.reading() as pen:
        if kinds == (User,) and request.filter is None and request.sort_by is None:
            total, people = pen.page(start, request.count)
            return _listed([user_of(one, asked.base) for one in people], request, total, start)
        if User in kinds:
            found += [user_of(one, asked.base) for one in pen.people(*_narrowed(request.filter))]
        if Group in kinds:
            found += [group_of(one, asked.base) for one in pen.groups()]
    with told():
        if request.filter is not None:
            found = [one for one in found if request.filter.match(one)]
        if request.sort_by is not None:
            found = request.sort(found)
    return _listed(found[start : start + request.count], request, len(found), start)


def _listed(
    page: Sequence[Resource[Any]],
    request: Any,  # noqa: ANN401 - one for each kind
    total: int,
    start: int,
) -> Answer:
    with told():
        bodies = [
            one.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE, response_parameters=request)
            for one in page
        ]
    return Answer(body=_list(bodies, total, start + 1))


def _narrowed(wanted: ScimFilter[Any] | None) -> tuple[Any, ...]:
    """Return what the database can answer of a filter: the two questions providers mostly ask."""
    if wanted is None or not isinstance(wanted.ast, Comparison):
        return ()
    node = wanted.ast
    if node.op is not CompareOperator.eq or not isinstance(node.value, str):
        return ()
    match str(node.attr_path).rpartition(":")[2].lower():
        case "username":
            return (provisioned.c.user_key == name_key(node.value),)
        case "externalid":
            return (provisioned.c.external == node.value,)
        case _:
            return ()


def _shown(asked: Asked, one: Person | Grouping, context: Context, *, status: int = 200) -> Answer:
    named = ("attributes", "excludedAttributes")
    wanted = {name: asked.query[name] for name in named if name in asked.query}
    resource: Resource[Any]
    if isinstance(one, Person):
        model, resource = User, user_of(one, asked.base)
    else:
        model, resource = Group, group_of(one, asked.base)  # type: ignore[assignment]
    parameters: Any = ResponseParameters
    with told():
        body = resource.model_dump(
            scim_ctx=context, response_parameters=parameters[model].model_validate(wanted)
        )
    location = resource.meta.location if resource.meta else None
    return Answer(status=status, body=body, location=str(location), version=version_of(one))


def _bulk(register: Register, asked: Asked) -> Answer:
    """Answer many requests in one; each is its own transaction (RFC 7644, 3.7)."""
    steps, most_failures = ordered(parsed(asked.body, asked.content_type))

    def run(method: str, path: str, body: bytes, version: str | None) -> Answer:
        parts = path.strip("/").split("/")
        if parts[0] not in _KINDS or len(parts) > 2 or parts[-1] == ".search":  # noqa: PLR2004 - kind and id
            raise NotThere
        part = replace(asked, method=method, path=path, query={}, body=body, if_match=version)
        return answer(register, replace(part, content_type="application/scim+json"))

    done = outcomes(steps, most_failures, run)
    schema = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"
    return Answer(body={"schemas": [schema], "Operations": done})


def _list(bodies: Sequence[Mapping[str, Any]], total: int, start: int) -> Mapping[str, Any]:
    return {
        "schemas": [_LISTED],
        "totalResults": total,
        "startIndex": start,
        "itemsPerPage": len(bodies),
        "Resources": list(bodies),
    }


def _matches(header: str, one: Person | Grouping) -> bool:
    """Whether a header names the version; both kinds of ETag count (RFC 7232, 2.3.2, weakly)."""
    named = {part.strip().removeprefix("W/") for part in header.split(",")}
    return "*" in named or version_of(one).removeprefix("W/") in named


def _only(asked: Asked, *methods: str) -> None:
    if asked.method not in methods:
        raise MethodUnfit
