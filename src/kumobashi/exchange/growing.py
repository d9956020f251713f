"""Tables that are only ever added to: the database itself refuses to change or remove a row."""

import sqlalchemy as sa


def only_grows(connection: sa.Connection, table: str) -> None:
    """Refuse every change and removal of rows of ``table``; called by the migration that makes it.

    Needs ``evidence_refuse`` of migration 0004, which raises on PostgreSQL.
    """
    if connection.dialect.name == "postgresql":
        guards = {
            "change": "before update or delete on {table} for each row",
            "truncate": "before truncate on {table} for each statement",
        }
        refuse = "execute function evidence_refuse()"
    else:
        guards = {"update": "before update on {table}", "delete": "before delete on {table}"}
        refuse = "begin select raise(abort, 'revisions are only ever added to'); end"
    for name, when in guards.items():
        guard = f"create trigger {table}_no_{name} {when.format(table=table)} {refuse}"
        connection.exec_driver_sql(guard)
