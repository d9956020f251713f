"""What Alembic runs: the migrations on the connection that ``migrating`` gave it."""

from alembic import context

from kumobashi.exchange.sql import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
