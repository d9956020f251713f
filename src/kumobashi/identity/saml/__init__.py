"""Signing on at a provider of the municipality that speaks SAML 2.0.

In go a provider's metadata, as people approved them, and the form that a browser brought; out comes
a ``Known``, or one refusal that names the check and never a value. Only what the provider signed is
ever looked at.

Start reading at ``signing_on``. ``signed`` finds the one element that a certificate covers;
``believing`` and ``answering`` decide and talk to nobody.
"""

from kumobashi.identity.saml.signed import read_bounded, signed_assertion

__all__ = ["read_bounded", "signed_assertion"]
