"""Bring the state's tables up to this version, before the gateway does anything else."""

import logging
from importlib.resources import files

import sqlalchemy as sa

from kumobashi.storage.sqlite import StateStore


def migrate(store: StateStore) -> None:
    """Run the migrations that the store has not seen."""
    if _version(store) == newest_version():
        return  # Alembic is not even loaded: relays stay small
    from alembic import command  # noqa: PLC0415 - see above
    from alembic.config import Config  # noqa: PLC0415 - see above

    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = Config()
    config.set_main_option("script_location", "kumobashi.exchange:migrations")
    with store.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def newest_version() -> str:
    """Return the number of the newest migration: their files begin with it."""
    folder = files("kumobashi.exchange") / "migrations" / "versions"
    return max(entry.name[:4] for entry in folder.iterdir() if entry.name[:4].isdigit())


def _version(store: StateStore) -> str | None:
    with store.engine.connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        query = sa.text("select version_num from alembic_version")
        found: str | None = connection.execute(query).scalar()
        return found
