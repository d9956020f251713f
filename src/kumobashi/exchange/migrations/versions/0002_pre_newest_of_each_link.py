"""pre: find the newest transfer of each link, and its days, without reading the rows."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the index."""
    op.create_index(
        "outgoing_by_start",
        "outgoing",
        ["tenant", "link", "started_at", "business_date", "sequence", "state"],
    )
