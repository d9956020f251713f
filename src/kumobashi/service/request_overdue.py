"""Which requests of residents are overdue, for whoever looks at the whole site."""

from kumobashi.exchange.views import OverdueRequest
from kumobashi.kernel import business_date
from kumobashi.requests.reading import Reading
from kumobashi.requests.states import OPEN
from kumobashi.service.gateway import Gateway


def overdue_requests(gateway: Gateway) -> tuple[OverdueRequest, ...]:
    """Return the requests whose deadline has passed; those that were touched are for ``verify``."""
    today = business_date(gateway.clock.now())
    listed = Reading(gateway.store, tenant=gateway.identity.tenant).listed(states=OPEN)
    found = [(one, one.due(today)) for one in listed.requests]
    return tuple(
        OverdueRequest(request=one.request, kind=one.kind.value, kind_ja=one.kind.ja, due=due.day)
        for one, due in found
        if due.is_late(today)
    )
