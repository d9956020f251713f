"""The people and groups of a list as SCIM writes them: only the attributes that are used here.

What a provider sends besides is left out while it is read, so that nothing more of anybody is kept
than signing in and records need. The schemas that are published say so.
"""

from functools import cache
from typing import Annotated, Any, Final

from pydantic import Field, StringConstraints
from scim2_models import (
    URN,
    AuthenticationScheme,
    Bulk,
    CaseExact,
    ChangePassword,
    ComplexAttribute,
    ETag,
    Filter,
    Meta,
    Mutability,
    Patch,
    Reference,
    Required,
    Resource,
    ResourceType,
    ScimPolicy,
    ScimProvider,
    ServiceProviderConfig,
    Sort,
    Uniqueness,
)

from kumobashi.identity.roles import Role
from kumobashi.identity.scim.errors import RoleUnknown
from kumobashi.identity.scim.rows import Grouping, Person, Said

LARGEST_BODY: Final = 1_048_576  # bytes
MOST_OPERATIONS: Final = 200  # of one bulk, or one patch
MOST_RESULTS: Final = 200
_MOST_VALUES: Final = 5  # addresses of one person
_Line = Annotated[str, StringConstraints(max_length=255, pattern=r"^[^\x00-\x1f\x7f]*$")]
POLICY: Final = ScimPolicy(
    # Providers send whatever their directory has, and Entra writes patches in its own way.
    unknown=ScimPolicy.Unknown.ignore,
    remove_value_as_filter=ScimPolicy.RemoveValue.apply,
    unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
)


class PersonName(ComplexAttribute):
    """The parts of a name."""

    formatted: _Line | None = None
    family_name: _Line | None = None
    given_name: _Line | None = None


class Email(ComplexAttribute):
    """An address of a member of staff."""

    value: _Line | None = None
    type: _Line | None = Field(None, examples=["work", "home", "other"])
    primary: bool | None = None


class GroupOfUser(ComplexAttribute):
    """A group that somebody is in."""

    value: Annotated[str | None, Mutability.read_only, CaseExact.true] = None
    ref: Annotated[Reference["Group"] | None, Mutability.read_only] = Field(
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    display: Annotated[str | None, Mutability.read_only] = None


class User(Resource[Any]):
    """Somebody on the list."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:User")

    external_id: Annotated[_Line | None, CaseExact.true] = None
    user_name: Annotated[_Line | None, Uniqueness.server, Required.true] = None
    name: PersonName | None = None
    display_name: _Line | None = None
    active: bool | None = None
    emails: Annotated[list[Email] | None, Field(max_length=_MOST_VALUES)] = None
    groups: Annotated[list[GroupOfUser] | None, Mutability.read_only] = None


class Member(ComplexAttribute):
    """Somebody in a group."""

    value: Annotated[str | None, Mutability.immutable, CaseExact.true] = None
    ref: Annotated[Reference[User] | None, Mutability.immutable] = Field(
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    type: Annotated[str | None, Mutability.immutable] = Field(None, examples=["User"])


class Group(Resource[Any]):
    """A group, which is a role."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:Group")

    external_id: Annotated[_Line | None, CaseExact.true] = None
    display_name: Annotated[_Line | None, Required.true] = Field(
        None, examples=[role.value for role in Role]
    )
    members: list[Member] | None = None


@cache
def provider() -> ScimProvider:
    """Return what this service is, as it says of itself."""
    users = ResourceType.from_resource(User)
    groups = ResourceType.from_resource(Group)
    return ScimProvider(
        models=[User, Group], resource_types=[users, groups], config=_config(), policy=POLICY
    )


def role_of(name: str) -> Role:
    """Return the role that a group stands for, by its code or its Japanese name.

    Raises:
        RoleUnknown: neither.
    """
    for role in Role:
        if name in {role.value, role.ja}:
            return role
    raise RoleUnknown(roles="、".join(f"{role.value}（{role.ja}）" for role in Role))


def user_of(person: Person, base: str) -> User:
    """Return somebody on the list as SCIM writes them."""
    said = person.said
    groups = [
        GroupOfUser(value=one, ref=Reference(f"{base}/Groups/{one}"), display=name)
        for one, name in person.groups
    ]
    return User(
        id=person.id,
        external_id=said.external,
        user_name=said.user_name,
        display_name=said.shown,
        active=said.attributes.get("active"),
        name=PersonName.model_validate(said.attributes["name"]) if _has(said, "name") else None,
        emails=[Email.model_validate(one) for one in said.attributes.get("emails", ())] or None,
        groups=groups or None,
        meta=_meta(person, "User", f"{base}/Users/{person.id}"),
    )


def said_of(user: User, *, was_active: bool = True) -> Said:
    """Return what a provider says of somebody; where it does not say, they are as they were."""
    attributes: dict[str, Any] = {} if user.active is None else {"active": user.active}
    if user.name is not None and (parts := _kept(user.name)):
        attributes["name"] = parts
    if user.emails:
        attributes["emails"] = [_kept(one) for one in user.emails]
    return Said(
        user_name=user.user_name or "",
        external=user.external_id or None,
        shown=user.display_name or None,
        is_active=was_active if user.active is None else user.active,
        attributes=attributes,
    )


def group_of(group: Grouping, base: str) -> Group:
    """Return a group as SCIM writes it."""
    members = [
        Member(value=one, ref=Reference(f"{base}/Users/{one}"), type="User")
        for one in group.members
    ]
    return Group(
        id=group.id,
        external_id=group.external,
        display_name=group.name,
        members=members or None,
        meta=_meta(group, "Group", f"{base}/Groups/{group.id}"),
    )


def version_of(one: Person | Grouping) -> str:
    """Return the version as a header carries it."""
    return f'W/"{one.version}"'


def _meta(one: Person | Grouping, kind: str, location: str) -> Meta:
    return Meta(
        resource_type=kind,
        created=one.made_at,
        last_modified=one.changed_at,
        location=location,
        version=version_of(one),
    )


def _kept(part: ComplexAttribute) -> dict[str, Any]:
    values = {name: getattr(part, name) for name in type(part).model_fields}
    return {name: value for name, value in values.items() if value is not None}


def _has(said: Said, name: str) -> bool:
    return bool(said.attributes.get(name))


def _config() -> ServiceProviderConfig:
    bearer = AuthenticationScheme(
        type=AuthenticationScheme.Type.oauthbearertoken,
        name="Bearer token",
        description="A token for each provider, kept at the site",
        spec_uri=Reference("https://www.rfc-editor.org/info/rfc6750"),
        primary=True,
    )
    return ServiceProviderConfig(
        patch=Patch(supported=True),
        bulk=Bulk(supported=True, max_operations=MOST_OPERATIONS, max_payload_size=LARGEST_BODY),
        filter=Filter(supported=True, max_results=MOST_RESULTS),
        change_password=ChangePassword(supported=False),
        sort=Sort(supported=True),
        etag=ETag(supported=True),
        authentication_schemes=[bearer],
    )
