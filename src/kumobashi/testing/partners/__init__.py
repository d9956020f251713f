"""Fake partners: stand one up, and a link can be tested before the partner exists.

In go a system of a workspace and the fictional city; out come what that partner would have: tables
of a standard system, files of a host in fixed lengths, a spreadsheet as local offices make them, or
the real gateway of the partner's site. Nothing here talks to anyone but this machine.
"""

from kumobashi.testing.partners.offering import Offered, offer
from kumobashi.testing.partners.receiving import Fetched, fetch

__all__ = ["Fetched", "Offered", "fetch", "offer"]
