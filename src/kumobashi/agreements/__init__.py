"""Agreements between offices (利用協議): may this link's data be used, for what, and until when.

In go an application with the hash of a plan, and acts of people in offices. Out come signed,
chained moves, each with its record of evidence, and one answer: does an agreement in force cover
this link, this plan and this day. ``states`` is the machine, ``acting`` who may do what,
``verifying`` whether a record is what was decided, ``book`` how it is kept.
"""

from kumobashi.agreements.book import Book
from kumobashi.agreements.contents import Application, Attachment, Item, PlanSeen
from kumobashi.agreements.offices import Actor, Offices, Power
from kumobashi.agreements.processors import Processor
from kumobashi.agreements.records import Agreement
from kumobashi.agreements.states import Act, State

__all__ = [
    "Act",
    "Actor",
    "Agreement",
    "Application",
    "Attachment",
    "Book",
    "Item",
    "Offices",
    "PlanSeen",
    "Power",
    "Processor",
    "State",
]
