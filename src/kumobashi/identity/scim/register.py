"""One provider's list: people and groups, as rows; each change with its record, or not at all.

A change is noted before it counts: a record of a change that failed is possible, a change without
a record is not. Whoever a change puts out, or gives another role, loses their sessions with it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import sqlalchemy as sa

from kumobashi.identity.accounts import Accounts
from kumobashi.identity.roles import Role
from kumobashi.identity.scim.errors import ListFull, MemberUnknown, NotThere, NotUnique
from kumobashi.identity.scim.people import role_of_groups, send_out
from kumobashi.identity.scim.rows import (
    Change,
    Grouping,
    Person,
    Said,
    columns,
    grouping_of,
    person_of,
)
from kumobashi.identity.sql import provisioned, provisioned_groups, provisioned_members
from kumobashi.kernel import new_id, to_micros

MOST_PEOPLE: Final = 20_000
MOST_GROUPS: Final = 200
_AT_ONCE: Final = 500  # values in one question to the database


class Register:
    """The list of one provider at one site."""

    def __init__(self, book: Accounts, *, provider: str, note: Callable[[Change], None]) -> None:
        """``note`` is called within the change; what it raises undoes the change."""
        self.book = book
        self.provider = provider
        self._note = note

    @contextmanager
    def writing(self) -> Iterator["Pen"]:
        """Change the list: all of it, or nothing."""
        try:
            with self.book.writing() as connection:
                yield Pen(self.book, connection, self.provider, self._note)
        except sa.exc.IntegrityError as error:
            attribute = "externalId" if ".external" in str(error.orig) else "userName"
            raise NotUnique(attribute=attribute) from None

    @contextmanager
    def reading(self) -> Iterator["Pen"]:
        """Read the list as it is at one moment."""
        with self.book.engine.connect() as connection:
            yield Pen(self.book, connection, self.provider, self._note)


class Pen:
    """The list within one transaction."""

    def __init__(
        self,
        book: Accounts,
        connection: sa.Connection,
        provider: str,
        note: Callable[[Change], None],
    ) -> None:
        self._connection = connection
        self._tenant = book.tenant
        self._clock = book.clock
        self._provider = provider
        self._note = note

    def people(self, *where: sa.ColumnElement[bool]) -> list[Person]:
        """Return who is on the list, in the order they came."""
        query = sa.select(provisioned).where(self._here, *where).order_by(provisioned.c.id)
        rows = self._connection.execute(query).all()
        wanted = None if not where else [row.id for row in rows]
        groups = self._groups_of(wanted)
        return [person_of(row, groups.get(row.id, ())) for row in rows]

    def page(self, start: int, count: int) -> tuple[int, list[Person]]:
        """Return how many are on the list, and some of them, in the order they came."""
        total = self._count(provisioned, self._here)
        query = sa.select(provisioned.c.id).where(self._here).order_by(provisioned.c.id)
        ids = self._connection.execute(query.limit(count).offset(start)).scalars().all()
        return total, self.people(provisioned.c.id.in_(ids)) if ids else []

    def person(self, person: str) -> Person:
        """Return one; raise ``NotThere``."""
        found = self.people(provisioned.c.id == person)
        if not found:
            raise NotThere
        return found[0]

    def add_person(self, said: Said) -> Person:
        """Take somebody on the list; raise ``ListFull``."""
        self._check_room(provisioned, self._here, MOST_PEOPLE)
        now = self._now
        row: dict[str, Any] = {"tenant": self._tenant, "provider": self._provider, "id": new_id()}
        row |= {"version": 1, "made_at": now, "changed_at": now}
        self._connection.execute(sa.insert(provisioned).values(row | columns(said)))
        made = self.person(row["id"])
        self._write_down("add", made.id, None, is_active=said.is_active)
        return made

    def change_person(self, before: Person, said: Said) -> Person:
        """Have the list say something else of somebody; saying the same changes nothing."""
        if said == before.said:
            return before
        mine = sa.and_(provisioned.c.tenant == self._tenant, provisioned.c.id == before.id)
        values = columns(said) | {"version": before.version + 1, "changed_at": self._now}
        is_out = before.said.is_active and not said.is_active
        # Somebody else's identifier is somebody else: their sessions are not carried over.
        is_other = before.said.external not in (None, said.external)
        ended = send_out(self._connection, self._tenant, [before.id]) if is_out or is_other else 0
        if is_other:
            values |= {"subject": None}
        self._connection.execute(sa.update(provisioned).where(mine).values(values))
        role = role_of_groups(self._roles_of(before.id))
        self._write_down("change", before.id, role, is_active=said.is_active, ended=ended)
        return self.person(before.id)

    def remove_person(self, person: Person) -> None:
        """Take somebody off the list; that they were on it stays known."""
        ended = send_out(self._connection, self._tenant, [person.id])
        mine = sa.and_(provisioned.c.tenant == self._tenant, provisioned.c.id == person.id)
        gone = {"removed_at": self._now, "is_active": False, "shown": None, "attributes": "{}"}
        self._connection.execute(sa.update(provisioned).where(mine).values(gone))
        self._touch_groups([group for group, _ in person.groups])
        self._drop(provisioned_members.c.person == person.id)
        self._write_down("remove", person.id, None, is_active=False, ended=ended)

    def groups(self, *where: sa.ColumnElement[bool]) -> list[Grouping]:
        """Return the groups."""
        query = sa.select(provisioned_groups).where(self._ours, *where)
        rows = self._connection.execute(query.order_by(provisioned_groups.c.id)).all()
        return [grouping_of(row, self._members_of(row.id)) for row in rows]

    def group(self, group: str) -> Grouping:
        """Return one; raise ``NotThere``."""
        found = self.groups(provisioned_groups.c.id == group)
        if not found:
            raise NotThere
        return found[0]

    def add_group(
        self, name: str, role: Role, external: str | None, members: Sequence[str]
    ) -> Grouping:
        """Make a group; raise ``ListFull`` or ``MemberUnknown``."""
        self._check_room(provisioned_groups, self._ours, MOST_GROUPS)
        now = self._now
        row: dict[str, Any] = {"tenant": self._tenant, "provider": self._provider, "id": new_id()}
        row |= {"name": name, "role": role.value, "external": external}
        row |= {"version": 1, "made_at": now, "changed_at": now}
        self._connection.execute(sa.insert(provisioned_groups).values(row))
        moved, ended = self._move(row["id"], set(members), set())
        self._write_down("add", row["id"], role, moved=moved, ended=ended)
        return self.group(row["id"])

    def change_group(
        self,
        before: Grouping,
        *,
        name: str,
        role: Role,
        external: str | None,
        members: Sequence[str],
    ) -> Grouping:
        """Have a group be another; raise ``MemberUnknown``."""
        held, wanted = set(before.members), set(members)
        is_same = (before.name, before.role, before.external) == (name, role, external)
        if is_same and held == wanted:
            return before
        ended = 0
        if role is not before.role:
            ended = send_out(self._connection, self._tenant, held)
        mine = provisioned_groups.c.id == before.id
        values: dict[str, Any] = {"name": name, "role": role.value, "external": external}
        values |= {"version": before.version + 1, "changed_at": self._now}
        self._connection.execute(
            sa.update(provisioned_groups).where(self._ours, mine).values(values)
        )
        moved, more = self._move(before.id, wanted - held, held - wanted)
        if not is_same:
            self._touch_people(held & wanted)
        self._write_down("change", before.id, role, moved=moved, ended=ended + more)
        return self.group(before.id)

    def remove_group(self, group: Grouping) -> None:
        """Take a group away, and its role with it."""
        held = set(group.members)
        moved, ended = self._move(group.id, set(), held)
        mine = provisioned_groups.c.id == group.id
        self._connection.execute(sa.delete(provisioned_groups).where(self._ours, mine))
        self._write_down("remove", group.id, group.role, moved=moved, ended=ended)

    def _move(self, group: str, come: set[str], go: set[str]) -> tuple[int, int]:
        """Let people come and go; return how many, and how many sessions that ended."""
        known = set(self._existing(come))
        if come - known:
            raise MemberUnknown
        for batch in _batches(sorted(go)):
            self._drop(
                provisioned_members.c.group == group, provisioned_members.c.person.in_(batch)
            )
        rows = [{"tenant": self._tenant, "group": group, "person": one} for one in sorted(come)]
        if rows:
            self._connection.execute(sa.insert(provisioned_members), rows)
        self._touch_people(come | go)
        return len(come | go), send_out(self._connection, self._tenant, sorted(come | go))

    def _existing(self, people: set[str]) -> Iterator[str]:
        for batch in _batches(sorted(people)):
            query = sa.select(provisioned.c.id).where(self._here, provisioned.c.id.in_(batch))
            yield from self._connection.execute(query).scalars()

    def _touch_people(self, people: set[str]) -> None:
        for batch in _batches(sorted(people)):
            which = sa.and_(self._here, provisioned.c.id.in_(batch))
            self._touch(provisioned, which)

    def _touch_groups(self, groups: Sequence[str]) -> None:
        self._touch(provisioned_groups, sa.and_(self._ours, provisioned_groups.c.id.in_(groups)))

    def _touch(self, table: sa.Table, which: sa.ColumnElement[bool]) -> None:
        values = {"version": table.c.version + 1, "changed_at": self._now}
        self._connection.execute(sa.update(table).where(which).values(values))

    def _drop(self, *which: sa.ColumnElement[bool]) -> None:
        is_ours = provisioned_members.c.tenant == self._tenant
        self._connection.execute(sa.delete(provisioned_members).where(is_ours, *which))

    def _groups_of(self, people: list[str] | None) -> dict[str, tuple[tuple[str, str], ...]]:
        """Return the groups of people, or of all."""
        query = (
            sa.select(
                provisioned_members.c.person, provisioned_groups.c.id, provisioned_groups.c.name
            )
            .join(provisioned_groups, self._belongs)
            .where(self._ours)
            .order_by(provisioned_groups.c.id)
        )
        if people is not None:
            query = query.where(provisioned_members.c.person.in_(people))
        found: dict[str, tuple[tuple[str, str], ...]] = {}
        for row in self._connection.execute(query):
            found[row.person] = (*found.get(row.person, ()), (row.id, row.name))
        return found

    def _members_of(self, group: str) -> tuple[str, ...]:
        is_theirs = sa.and_(
            provisioned_members.c.tenant == self._tenant, provisioned_members.c.group == group
        )
        query = sa.select(provisioned_members.c.person).where(is_theirs)
        found = self._connection.execute(query.order_by(provisioned_members.c.person))
        return tuple(found.scalars())

    def _roles_of(self, person: str) -> list[str]:
        query = (
            sa.select(provisioned_groups.c.role)
            .join(provisioned_members, self._belongs)
            .where(self._ours, provisioned_members.c.person == person)
        )
        return list(self._connection.execute(query).scalars())

    def _check_room(self, table: sa.Table, where: sa.ColumnElement[bool], most: int) -> None:
        if self._count(table, where) >= most:
            raise ListFull(most=most)

    def _count(self, table: sa.Table, where: sa.ColumnElement[bool]) -> int:
        query = sa.select(sa.func.count()).select_from(table).where(where)
        return self._connection.execute(query).scalar() or 0

    def _write_down(
        self,
        act: str,
        which: str,
        role: Role | None,
        *,
        is_active: bool | None = None,
        ended: int = 0,
        moved: int = 0,
    ) -> None:
        self._note(
            Change(
                provider=self._provider,
                act=act,
                id=which,
                role=role,
                is_active=is_active,
                ended=ended,
                moved=moved,
            )
        )

    @property
    def _now(self) -> int:
        return to_micros(self._clock.now())

    @property
    def _here(self) -> sa.ColumnElement[bool]:
        return sa.and_(
            provisioned.c.tenant == self._tenant,
            provisioned.c.provider == self._provider,
            provisioned.c.removed_at.is_(None),
        )

    @property
    def _ours(self) -> sa.ColumnElement[bool]:
        return sa.and_(
            provisioned_groups.c.tenant == self._tenant,
            provisioned_groups.c.provider == self._provider,
        )

    @property
    def _belongs(self) -> sa.ColumnElement[bool]:
        return sa.and_(
            provisioned_members.c.tenant == provisioned_groups.c.tenant,
            provisioned_members.c.group == provisioned_groups.c.id,
        )


def _batches(values: list[str]) -> Iterator[list[str]]:
    for at in range(0, len(values), _AT_ONCE):
        yield values[at : at + _AT_ONCE]
