"""Bring the state's tables up to this version, before the gateway does anything else.

The file of a migration says when it may run: ``pre`` before the new code, beside which the old code
still runs, ``post`` when nothing old runs any more. A store of one process takes both at its start.
Of a shared one a starting process takes what is ``pre``, up to the first ``post``; that one is for
``kumobashi state migrate --post``, after the last old process has gone.
"""

import logging
from importlib.resources import files

import sqlalchemy as sa

from kumobashi.storage.errors import SchemaOld
from kumobashi.storage.state import StateStore

_LOCK = 0x6B756D6F  # any number, the same in every process: "kumo"
_MAY_NOT = "42501"  # SQLSTATE insufficient_privilege


def migrate(store: StateStore, *, post: bool = False) -> str:
    """Run the migrations that the store has not seen, and return the version it is at.

    A store that is newer than this program is left as it is: old code runs on the new schema.

    Raises:
        SchemaOld: it is older, and the role may not change the tables.
    """
    found = store.read(version)
    target = wanted(found, is_shared=store.is_shared and not post)
    if target is None:
        return found or ""  # Alembic is not even loaded: relays stay small
    try:
        store.write(lambda connection: _upgrade(connection, target))
    except sa.exc.DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != _MAY_NOT:
            raise
        raise SchemaOld(found=found or "0", needed=target) from None
    return target


def wanted(found: str | None, *, is_shared: bool) -> str | None:
    """Return the version to go to from ``found``, or nothing when the store is there or beyond."""
    target = None
    for number, when in migrations():
        if number <= (found or ""):
            continue
        if is_shared and when == "post":
            break
        target = number
    return target


def migrations() -> list[tuple[str, str]]:
    """Return number and ``pre`` or ``post`` of every migration, in their order."""
    folder = files("kumobashi.exchange") / "migrations" / "versions"
    parts = sorted(entry.name.split("_") for entry in folder.iterdir() if entry.name[:4].isdigit())
    return [(number, when) for number, when, *_ in parts]


def newest_version() -> str:
    """Return the number of the newest migration: their files begin with it."""
    return migrations()[-1][0]


def version(connection: sa.Connection) -> str | None:
    """Return the version a store is at; nothing before the first migration."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    query = sa.text("select version_num from alembic_version")
    found: str | None = connection.execute(query).scalar()
    return found


def _upgrade(connection: sa.Connection, target: str) -> None:
    from alembic import command  # noqa: PLC0415 - see above
    from alembic.config import Config  # noqa: PLC0415 - see above

    if connection.dialect.name == "postgresql":  # one process at a time
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    if (version(connection) or "") >= target:
        return  # another one was faster
    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = Config()
    config.set_main_option("script_location", "kumobashi.exchange:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, target)
