"""To which links somebody's account is bound. Pure: names of links and systems, one question.

>>> scope = Scope(links=frozenset({"resident-to-tax"}), systems=frozenset({"care"}))
>>> scope.covers("resident-to-tax", {"resident", "tax"})
True
>>> scope.covers("resident-to-care", {"resident", "care"})
True
>>> scope.covers("resident-to-school", {"resident", "school"})
False
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from kumobashi.identity.roles import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What an account is bound to; an empty one covers nothing."""

    links: frozenset[str] = frozenset()
    systems: frozenset[str] = frozenset()

    def covers(self, link: str, systems: AbstractSet[str]) -> bool:
        """Whether a link between these systems is within."""
        return link in self.links or not self.systems.isdisjoint(systems)

    def __bool__(self) -> bool:
        """Whether it covers anything."""
        return bool(self.links or self.systems)


def binding(role: Role, scope: Scope) -> Scope | None:
    """Return what binds somebody; none: they see all links. A vendor is bound even by nothing.

    >>> binding(Role.OPERATOR, Scope()) is None, binding(Role.VENDOR, Scope())
    (True, Scope(links=frozenset(), systems=frozenset()))
    """
    return scope if scope or role is Role.VENDOR else None
