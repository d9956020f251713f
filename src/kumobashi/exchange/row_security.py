"""Row-level security: a session sees and writes the rows of the municipality that it named.

Every migration that makes a table with a ``tenant`` calls :func:`secure`; a test finds one that
forgot. The policy is forced, so it holds for the owner of the tables as well. SQLite has no such
thing: there, one file holds one municipality's state.
"""

import sqlalchemy as sa

SETTING = "kumobashi.tenant"
"""The setting that each transaction begins with (``storage.postgresql``)."""


def secure(connection: sa.Connection, table: str) -> None:
    """Let each session reach only rows of its own ``tenant`` in ``table``."""
    if connection.dialect.name != "postgresql":
        return
    name = connection.dialect.identifier_preparer.quote(table)
    mine = f"tenant = current_setting('{SETTING}', true)"
    for statement in (
        f"alter table {name} enable row level security",
        f"alter table {name} force row level security",
        f"create policy by_tenant on {name} using ({mine}) with check ({mine})",
    ):
        connection.exec_driver_sql(statement)


def unsecured(connection: sa.Connection) -> list[str]:
    """Return the tables with a ``tenant`` whose rows any session could reach."""
    if connection.dialect.name != "postgresql":
        return []
    query = sa.text(
        "select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid"
        " where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p')"
        " and a.attname = 'tenant' and not a.attisdropped and not"
        " (c.relrowsecurity and c.relforcerowsecurity"
        " and exists (select from pg_policy p where p.polrelid = c.oid))"
        " order by 1"
    )
    return list(connection.execute(query).scalars())


def grant(connection: sa.Connection, role: str) -> None:
    """Let ``role`` read and write the state's tables, and nothing more."""
    if connection.dialect.name != "postgresql":
        return
    quote = connection.dialect.identifier_preparer.quote
    schema = quote(connection.execute(sa.select(sa.func.current_schema())).scalar_one())
    name = quote(role)
    for statement in (
        f"grant usage on schema {schema} to {name}",
        f"grant select, insert, update, delete on all tables in schema {schema} to {name}",
    ):
        connection.exec_driver_sql(statement)
