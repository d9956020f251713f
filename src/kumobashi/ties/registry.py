"""The register of services (サービスレジストリ): register, change, delete, search; and statuses."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from kumobashi.evidence.revisions import revise
from kumobashi.kernel import Clock, from_micros, to_micros, to_wire
from kumobashi.storage.state import StateStore
from kumobashi.ties.copies import mark_service
from kumobashi.ties.errors import ServiceTaken, ServiceTied, ServiceUnknown, StatusOlder
from kumobashi.ties.lists import STATUSES
from kumobashi.ties.services import PREFIX, Known, Service, Status, registered, service_of
from kumobashi.ties.sql import services, statuses, ties
from kumobashi.ties.states import LIVE, check_time
from kumobashi.ties.writing import Pen, check_subject


class Registry:
    """The services of one municipality; ids of deleted ones are not used again."""

    def __init__(self, store: StateStore, *, tenant: str, clock: Clock) -> None:
        self._store = store
        self._tenant = tenant
        self._clock = clock

    def add(self, service: Service, *, by: str) -> Service:
        """Register a service; raise ``ServiceTaken``."""

        def work(connection: sa.Connection) -> Service:
            if self._row(connection, service.service) is not None:
                raise ServiceTaken(service=service.service)
            row = {"tenant": self._tenant, "revisions": 0, "head": "-", "deleted_at": None}
            connection.execute(sa.insert(services).values({**row, **_columns(service)}))
            self._revise(connection, service.service, "add", by)
            return service

        return self._store.write(work, key="ties")

    def replace(self, service: Service, *, by: str) -> Service:
        """Change what is registered. Ties stay, their days count anew.

        Raises:
            ServiceUnknown: nothing was changed.
            ServiceTied: uses are counted where a service is served, so with live ties it stays.
        """

        def work(connection: sa.Connection) -> Service:
            Pen(connection, self._tenant, now=self._clock.now()).lock(service.service)
            before = self.one(connection, service.service)
            if before.system != service.system and (
                count := self._living(connection, service.service)
            ):
                raise ServiceTied(service=service.service, ties=count)
            changed = sa.update(services).where(self._mine(service.service))
            connection.execute(changed.values(_columns(service)))
            self._revise(connection, service.service, "replace", by)
            return service

        return self._store.write(work, key="ties")

    def delete(self, service: str, *, by: str) -> None:
        """Delete a service that nobody is tied to; raise ``ServiceUnknown``, ``ServiceTied``."""

        def work(connection: sa.Connection) -> None:
            pen = Pen(connection, self._tenant, now=self._clock.now())
            pen.lock(service)
            self.one(connection, service)
            if count := self._living(connection, service):
                raise ServiceTied(service=service, ties=count)
            gone = {"deleted_at": to_micros(pen.now)}
            connection.execute(sa.update(services).where(self._mine(service)).values(gone))
            self._revise(connection, service, "delete", by)

        self._store.write(work, key="ties")

    def service(self, service: str) -> Service:
        """Return a service; raise ``ServiceUnknown``."""
        return self._store.read(lambda connection: self.one(connection, service))

    def search(
        self, words: Sequence[str] = (), *, section: str | None = None, at: datetime | None = None
    ) -> list[Service]:
        """Return services whose texts hold all words, by id; ``at``: only those offered then."""
        query = sa.select(services).where(
            services.c.tenant == self._tenant, services.c.deleted_at.is_(None)
        )
        if section:
            query = query.where(services.c.section == section)
        found = self._store.read(
            lambda connection: [
                service_of(row) for row in connection.execute(query.order_by(services.c.service))
            ]
        )
        return [
            one
            for one in found
            if all(_holds(one, word) for word in words) and (at is None or one.is_offered(at))
        ]

    # -- statuses of residents --------------------------------------------------------------------

    def tell(
        self, subject: str, service: str, status: Status, *, as_of: datetime, source: str, by: str
    ) -> Known:
        """Keep how a resident stands to a service.

        Raises:
            TieSubjectUnfit, ServiceUnknown, TieStatedInFuture: nothing was kept.
            StatusOlder: a later one is known.
        """
        check_subject(subject)
        check_time(as_of, self._clock.now())

        def work(connection: sa.Connection) -> Known:
            pen = Pen(connection, self._tenant, now=self._clock.now())
            pen.lock(service)
            of = self.one(connection, service)
            mine = sa.and_(
                statuses.c.tenant == self._tenant,
                statuses.c.subject == subject,
                statuses.c.service == service,
            )
            held = connection.execute(sa.select(statuses.c.as_of).where(mine)).scalar()
            if held is not None and held > to_micros(as_of):
                raise StatusOlder(service=service)
            key = {"tenant": self._tenant, "subject": subject, "service": service}
            said: dict[str, str | int] = {"status": status.value, "as_of": to_micros(as_of)}
            said |= {"source": source, "clause": of.clause}
            STATUSES.put(connection, key, said, now=to_micros(pen.now), by=by)
            return Known(service=of, status=status, as_of=as_of, source=source, clause=of.clause)

        return self._store.write(work, key="ties")

    def known(self, subject: str) -> list[Known]:
        """Return what is known of one resident, by service; deleted services are left out."""
        check_subject(subject)
        of = sa.and_(
            services.c.tenant == statuses.c.tenant, services.c.service == statuses.c.service
        )
        query = (
            sa.select(
                services,
                statuses.c.status,
                statuses.c.as_of,
                statuses.c.source,
                statuses.c.clause.label("told"),
            )
            .join_from(statuses, services, of)
            .where(
                statuses.c.tenant == self._tenant,
                statuses.c.subject == subject,
                services.c.deleted_at.is_(None),
            )
            .order_by(statuses.c.service)
        )
        return self._store.read(
            lambda connection: [
                Known(
                    service=service_of(row),
                    status=Status(row.status),
                    as_of=from_micros(row.as_of),
                    source=row.source,
                    clause=row.told,
                )
                for row in connection.execute(query)
            ]
        )

    def one(self, connection: sa.Connection, service: str) -> Service:
        """Return a service inside a transaction; raise ``ServiceUnknown``."""
        row = self._row(connection, service)
        if row is None or row.deleted_at is not None:
            raise ServiceUnknown(service=service)
        return service_of(row)

    # -- inside ---------------------------------------------------------------------------------

    def _living(self, connection: sa.Connection, service: str) -> int:
        living = sa.select(sa.func.count()).where(
            ties.c.tenant == self._tenant,
            ties.c.service == service,
            ties.c.state.in_([state.value for state in LIVE]),
        )
        return connection.execute(living).scalar_one()

    def _revise(self, connection: sa.Connection, service: str, act: str, by: str) -> None:
        pen = Pen(connection, self._tenant, now=self._clock.now())
        row = self._row(connection, service)
        if row is None:
            raise ServiceUnknown(service=service)
        number, record = row.revisions + 1, PREFIX + service
        facts = {**registered(row), "act": act, "at": to_wire(pen.now), "by": by}
        revision = revise(record, number, row.head if number > 1 else None, facts)
        head = {"revisions": number, "head": revision.hash}
        connection.execute(sa.update(services).where(self._mine(service)).values(head))
        pen.keep(revision, record)
        mark_service(connection, self._tenant, service)
        pen.note(
            "tie.service",
            by,
            {"service": service, "act": act, "revision": revision.hash, "number": number},
        )

    def _row(self, connection: sa.Connection, service: str) -> sa.Row[Any] | None:
        return connection.execute(sa.select(services).where(self._mine(service))).first()

    def _mine(self, service: str) -> sa.ColumnElement[bool]:
        return sa.and_(services.c.tenant == self._tenant, services.c.service == service)


def _columns(service: Service) -> dict[str, str | None]:
    return {
        "service": service.service,
        "name": service.name,
        "provider": service.provider,
        "section": service.section,
        "clause": service.clause,
        "first_day": service.first.isoformat(),
        "last_day": service.last.isoformat() if service.last else None,
        "system": service.system,
    }


def _holds(service: Service, word: str) -> bool:
    told = (service.service, service.name, service.provider, service.section, service.clause)
    return any(word.casefold() in one.casefold() for one in told)
