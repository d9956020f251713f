"""Signing on at a provider of the municipality that speaks OpenID Connect.

In go a provider's address and how it knows this console; out comes a ``Known``, or one refusal that
names the check and never a value. The authorization code flow with PKCE (RFC 7636), state, nonce
and the ``iss`` of the answer (RFC 9207), pushed to the provider first where it takes that
(RFC 9126). Signing out goes both ways (RP-initiated and back-channel).

Start reading at ``signing_on``. ``claims`` decides and talks to nobody; ``fetching`` talks and
decides nothing.
"""
