"""Push our accounts to a linked cloud: compare, show what would be done, do it.

What was done is seen by comparing again, so a push that was cut off goes on where it was, and a
second one finds nothing to do.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa

from kumobashi.identity.accounts import Accounts
from kumobashi.identity.scim.comparing import (
    Ours,
    Step,
    TheirGroup,
    Theirs,
    compared,
    differences,
    regrouped,
    role_named,
)
from kumobashi.identity.scim.errors import FarUnfit, ManyOut
from kumobashi.identity.scim.far_side import FarSide, Reply
from kumobashi.identity.scim.people import name_key
from kumobashi.identity.sql import provider_accounts, provisioned

_PATCH: Final = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
_TRIES: Final = 3  # on a version that goes on changing
_FEW: Final = 5  # that may always be shut out at once
_DONE: Final = range(200, 300)
_GONE, _TAKEN, _STALE = 404, 409, 412
_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9_:~-][A-Za-z0-9._:~-]{0,254}")
_NOT_WRITTEN: Final = ("id", "meta", "groups")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found at the other side, and what would make it agree."""

    steps: Sequence[Step]
    there: int  # of ours
    missing_roles: Sequence[str] = ()  # that no group there is named for


@dataclass(slots=True)
class Outcome:
    """What became of a push."""

    done: list[Step] = field(default_factory=list)
    taken: list[Step] = field(default_factory=list)  # their names belong to others there
    failed: list[tuple[Step, int]] = field(default_factory=list)  # with the answer's status

    @property
    def is_whole(self) -> bool:
        """Whether both sides agree now."""
        return not self.taken and not self.failed


def ours_of(book: Accounts) -> list[Ours]:
    """Return the accounts of a site as they are pushed; two of one name: the local one."""
    prefix = prefix_of(book)
    found = {
        name_key(one.name): Ours(
            key=f"{prefix}{one.name}", user_name=one.name, shown=one.shown, role=one.role.value
        )
        for one in book.list()
        if not one.provider
    }
    if book.path.exists():
        for one in _known_by_name(book):
            found.setdefault(name_key(one.user_name), one)
    return sorted(found.values(), key=lambda one: one.key)


def prefix_of(book: Accounts) -> str:
    """Return how the identifiers begin that we give people at other sides."""
    return f"kumobashi:{book.tenant}:{book.site}:"


class Pushing:
    """Makes one list at a far side agree with ours."""

    def __init__(self, far: FarSide, ours: Sequence[Ours], prefix: str) -> None:
        self._far = far
        self._ours = {one.key: one for one in ours}
        self._prefix = prefix
        self._patches = True

    async def compare(self, *, deletes: bool = False) -> Found:
        """Return what would be done to people, and to groups as far as people are there."""
        config = await self._far.ask("GET", "/ServiceProviderConfig")
        self._patches = _supports(config, "patch")
        theirs = await self._theirs(filters=_supports(config, "filter"))
        steps = compared(self._ours.values(), theirs, deletes=deletes)
        groups = await self._groups()
        stay = [one for one in theirs if not deletes or one.key in self._ours]
        steps += regrouped(self._ours.values(), stay, groups)
        wanted = {one.role for one in self._ours.values()}
        missing = sorted(wanted - {group.role for group in groups})
        return Found(steps=steps, there=len(theirs), missing_roles=missing)

    async def push(
        self,
        found: Found,
        *,
        even_many: bool = False,
        deletes: bool = False,
        told: Callable[[Step], None] = lambda _step: None,
    ) -> Outcome:
        """Do what was found; who is new joins their group at the end.

        Raises:
            ManyOut: most of those who are there would be shut out; nothing was done.
        """
        out = sum(step.deed in {"deactivate", "delete"} for step in found.steps)
        if not even_many and out > _FEW and 2 * out > found.there:
            raise ManyOut(there=found.there, out=out)
        outcome = Outcome()
        for step in found.steps:
            await self._do(step, outcome, told)
        if any(step.deed in {"create", "change"} for step in outcome.done):
            again = await self.compare(deletes=deletes)
            for step in again.steps:
                if step.group is not None:
                    await self._do(step, outcome, told)
        return outcome

    async def _do(self, step: Step, outcome: Outcome, told: Callable[[Step], None]) -> None:
        status = await self._send(step)
        if status in _DONE or (status == _GONE and step.deed == "delete"):
            outcome.done.append(step)
            told(step)
        elif status == _TAKEN:
            outcome.taken.append(step)
        else:
            outcome.failed.append((step, status))

    async def _send(self, step: Step) -> int:
        if step.deed == "create":
            reply = await self._far.ask("POST", "/Users", step.values)
            return await self._made_before(step) if reply.status == _TAKEN else reply.status
        if step.group is not None:
            return (await self._far.ask("PATCH", f"/Groups/{step.group}", _moved(step))).status
        return await self._change(step)

    async def _made_before(self, step: Step) -> int:
        """Whether a name that is taken is ours: made by a request that got no answer."""
        quoted = step.user_name.replace("\\", "\\\\").replace('"', '\\"')
        for held in await self._far.all("/Users", f'userName eq "{quoted}"'):
            if held.get("externalId") == step.key:
                return 200
        return _TAKEN

    async def _change(self, step: Step) -> int:
        path, values, version = f"/Users/{step.id}", step.values, step.version
        status = _STALE
        for _ in range(_TRIES):
            if step.deed == "delete":
                reply = await self._far.ask("DELETE", path, version=version)
            elif self._patches:
                reply = await self._far.ask("PATCH", path, _replaced(values), version=version)
            else:
                reply = await self._replace(path, values, version)
            status = reply.status
            if status != _STALE:
                return status
            held = await self._far.ask("GET", path)  # somebody else changed them: look again
            them = _person(held.body, self._prefix)
            if them is None:
                return _GONE
            version = them.version or held.version
            ours = self._ours.get(step.key)
            if step.deed == "change" and ours is not None:
                values = differences(ours, them)
                if not values:
                    return held.status
        return status

    async def _replace(self, path: str, values: Mapping[str, Any], version: str | None) -> Reply:
        """Change by writing the whole, as it is now, for a service that knows no PATCH."""
        held = await self._far.ask("GET", path)
        if held.status not in _DONE:
            return held
        whole = {name: value for name, value in held.body.items() if name not in _NOT_WRITTEN}
        named = version or held.version
        return await self._far.ask("PUT", path, {**whole, **values}, version=named)

    async def _theirs(self, *, filters: bool) -> list[Theirs]:
        pattern = f'externalId sw "{self._prefix}"' if filters else None
        held = await self._far.all("/Users", pattern)
        found = (_person(one, self._prefix) for one in held)
        return [one for one in found if one is not None]

    async def _groups(self) -> list[TheirGroup]:
        groups = []
        for one in await self._far.all("/Groups", None):
            role = role_named(one.get("displayName"))
            if role is not None:
                members = [part for part in one.get("members") or () if isinstance(part, dict)]
                ids = frozenset(str(part.get("value")) for part in members)
                groups.append(TheirGroup(id=_identifier(one.get("id")), role=role, members=ids))
        return groups


def _known_by_name(book: Accounts) -> list[Ours]:
    """Return those of a provider's list who signed in, under the names of the list."""
    query = (
        sa.select(provisioned, provider_accounts.c.role, provider_accounts.c.shown.label("called"))
        .join(
            provider_accounts,
            sa.and_(
                provider_accounts.c.tenant == provisioned.c.tenant,
                provider_accounts.c.provider == provisioned.c.provider,
                provider_accounts.c.subject == provisioned.c.subject,
                provider_accounts.c.closed_at.is_(None),
            ),
        )
        .where(
            provisioned.c.tenant == book.tenant,
            provisioned.c.removed_at.is_(None),
            provisioned.c.is_active,
        )
    )
    prefix = prefix_of(book)
    with book.engine.connect() as connection:
        return [
            Ours(
                key=f"{prefix}{row.id}",
                user_name=row.user_name,
                shown=row.shown or row.called,
                role=row.role,
            )
            for row in connection.execute(query)
        ]


def _person(held: Mapping[str, Any], prefix: str) -> Theirs | None:
    key = held.get("externalId")
    if not isinstance(key, str) or not key.startswith(prefix):
        return None
    return Theirs(
        id=_identifier(held.get("id")),
        key=key,
        user_name=str(held.get("userName", "")),
        shown=str(held.get("displayName", "")),
        is_active=held.get("active") is not False,
        version=_version(held),
    )


def _identifier(said: object) -> str:
    """Return an id that may stand in an address and in a filter."""
    if not isinstance(said, str) or not _IDENTIFIER.fullmatch(said):
        raise FarUnfit(check="id")
    return said


def _version(held: Mapping[str, Any]) -> str | None:
    meta = held.get("meta")
    version = meta.get("version") if isinstance(meta, dict) else None
    return version if isinstance(version, str) and version.isascii() else None


def _supports(config: Reply, what: str) -> bool:
    said = config.body.get(what)
    return isinstance(said, dict) and said.get("supported") is True


def _replaced(values: Mapping[str, Any]) -> Mapping[str, Any]:
    operations = [{"op": "replace", "path": name, "value": value} for name, value in values.items()]
    return {"schemas": [_PATCH], "Operations": operations}


def _moved(step: Step) -> Mapping[str, Any]:
    operation: Mapping[str, Any] = (
        {"op": "add", "path": "members", "value": [{"value": step.id}]}
        if step.deed == "join"
        else {"op": "remove", "path": f'members[value eq "{step.id}"]'}
    )
    return {"schemas": [_PATCH], "Operations": [operation]}
