"""Which requests of residents are overdue, for whoever looks at the whole site."""

from datetime import date

from kumobashi.exchange.views import OverdueRequest
from kumobashi.kernel import business_date
from kumobashi.requests.reading import Reading
from kumobashi.requests.states import OPEN, State
from kumobashi.service.gateway import Gateway
from kumobashi.service.request_receivers import Following, due_day


def overdue_requests(gateway: Gateway) -> tuple[OverdueRequest, ...]:
    """Return the requests whose deadline has passed; those that were touched are for ``verify``."""
    today = business_date(gateway.clock.now())
    listed = Reading(gateway.store, tenant=gateway.identity.tenant).listed(states=OPEN)
    found = [(one, one.due(today)) for one in listed.requests]
    late = [
        OverdueRequest(request=one.request, kind=one.kind.value, kind_ja=one.kind.ja, due=due.day)
        for one, due in found
        if due.is_late(today)
    ]
    return (*late, *_receivers(gateway, today))


def _receivers(gateway: Gateway, today: date) -> list[OverdueRequest]:
    """Return requests that were carried out and that receivers have not confirmed in time."""
    reading, following = Reading(gateway.store, tenant=gateway.identity.tenant), Following(gateway)
    listed = reading.listed(states=(State.CARRIED_OUT,))
    return [
        OverdueRequest(
            request=one.request,
            kind=one.kind.value,
            kind_ja=one.kind.ja,
            due=due,
            awaits="receivers",
        )
        for one in listed.requests
        if (due := due_day(one)) and today > due and following.is_overdue(one)
    ]
