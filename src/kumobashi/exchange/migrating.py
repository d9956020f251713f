"""Bring the state's tables up to this version, before the gateway does anything else."""

import logging

from alembic import command
from alembic.config import Config

from kumobashi.storage.sqlite import StateStore


def migrate(store: StateStore) -> None:
    """Run the migrations that the store has not seen."""
    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = Config()
    config.set_main_option("script_location", "kumobashi.exchange:migrations")
    with store.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
