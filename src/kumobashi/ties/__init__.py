"""Ties between residents and services (統合レジストリの紐付け): what both sides accepted, enforced.

In go services with the clause that decides who is eligible, proposals, narrowings, acceptances and
withdrawals; out come ties with chained revisions, each with its leaf of evidence, and the agent's
answer whether a call or a notice may be made. ``states`` and ``terms`` are the rules, ``book`` the
deeds, ``agent`` the question. Residents come as sealed numbers only.
"""

from kumobashi.ties.agent import Agent, Decision, Reason
from kumobashi.ties.book import Book
from kumobashi.ties.records import Tie
from kumobashi.ties.services import Service, Status
from kumobashi.ties.states import Act, State
from kumobashi.ties.terms import Channel, Frequency, Terms
from kumobashi.ties.writing import Said

__all__ = [
    "Act",
    "Agent",
    "Book",
    "Channel",
    "Decision",
    "Frequency",
    "Reason",
    "Said",
    "Service",
    "State",
    "Status",
    "Terms",
    "Tie",
]
