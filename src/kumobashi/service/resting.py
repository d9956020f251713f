"""Which links of a site rest on consents or ties, and whose tokens their receivers have."""

from collections.abc import Sequence

from kumobashi.consent.errors import PurposeUnknown
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.preparing import EPOCH
from kumobashi.exchange.withdrawing import Resting
from kumobashi.kernel import Clock, business_date
from kumobashi.planning.workspace import Workspace
from kumobashi.service.consents import terms_of, ties_asked


def resting_links(
    workspace: Workspace, ledger: Ledger, *, site: str, clock: Clock
) -> Sequence[Resting]:
    """Return the links that ``site`` sends by consent or under ties and has sealed something of.

    A receiver that never got a row is told nothing: the tokens would be news to it.
    """
    on = business_date(clock.now())
    found = []
    for name, link in workspace.links.items():
        rule = workspace.rules[link.release]
        consent = rule.consent if rule.consent and rule.consent.ledger else None
        ties = ties_asked(rule)
        if not (consent or ties) or workspace.systems[link.from_].site != site:
            continue
        sealed = [row for row in ledger.outgoings(name) if row.manifest]
        if not sealed:
            continue
        try:
            terms = terms_of(consent, workspace.consents, on) if consent else None
        except PurposeUnknown:  # the file went; the workspace says so by itself
            continue
        found.append(
            Resting(
                link=name,
                to_site=workspace.systems[link.to.system].site,
                to_system=link.to.system,
                terms=terms,
                ties=ties,
                epochs=frozenset(row.facts.get(EPOCH) for row in sealed),
            )
        )
    return found
