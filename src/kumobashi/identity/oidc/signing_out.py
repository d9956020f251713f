"""Signing out in both directions: we tell the provider by the browser, it tells us by itself.

RP-Initiated Logout 1.0 without an ``id_token_hint``: no ID token is kept here, so the provider asks
the person once. Back-Channel Logout 1.0: a logout token is checked as strictly as an ID token, and
counts once. The front channel (a frame in a page of the provider) is not offered; our pages are in
nobody's frame.
"""

import asyncio
from typing import Final
from urllib.parse import urlencode, urlsplit

from kumobashi.identity.errors import ProviderUnfit
from kumobashi.identity.known import Doorkeeper
from kumobashi.identity.oidc.claims import Asked, ended
from kumobashi.identity.oidc.providers import Provider
from kumobashi.identity.ways import Ways

LARGEST_FORM: Final = 70_000  # bytes of a request to the back channel


async def farewell(provider: Provider) -> str | None:
    """Return where a browser goes to be signed out at the provider too; none: it has no such page.

    Raises:
        ProviderAway, ProviderUnfit: it cannot be asked.
    """
    metadata = await provider.metadata()
    if metadata.end_session is None:
        return None
    client = provider.client
    said = {"client_id": client.client_id, "post_logout_redirect_uri": client.after}
    joint = "&" if urlsplit(metadata.end_session).query else "?"
    return f"{metadata.end_session}{joint}{urlencode(said)}"


async def hear_ended(provider: Provider, ways: Ways, doorkeeper: Doorkeeper, token: str) -> int:
    """End the sessions that a logout token names, and return how many.

    Raises:
        ProviderAway: the provider's keys cannot be had.
        ProviderUnfit: it was not signed by the provider, not for here, not now, or came before.
    """
    read = await provider.read(token)
    client = provider.client
    asked = Asked(
        provider=client.provider,
        issuer=client.issuer,
        client_id=client.client_id,
        now=provider.clock.now(),
    )
    over = ended(read.claims, asked, typ=read.typ)

    def let_go() -> int:
        if not ways.is_first(client.provider, over.number, until=over.until):
            raise ProviderUnfit(provider=client.provider, check="jti, used")
        return doorkeeper.let_go(client.provider, subject=over.subject, session=over.session)

    return await asyncio.to_thread(let_go)
