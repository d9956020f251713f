"""An incident, for tests."""

from datetime import UTC, datetime

from kumobashi.papers.incidents import Doubt, Incident, Kind, Place

TENANT = "999997"
NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
LEAK = Incident(
    incident="",
    link="notice-attributes",
    transfers=(),
    noticed=datetime(2026, 11, 20, 1, 0, tzinfo=UTC),
    kinds=(Kind.LEAK,),
    place=Place.RECEIVER,
    improper=Doubt.NO,
    property=Doubt.NO,
)
