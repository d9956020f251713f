"""Which role somebody's attributes make them. Pure: rules in order, the first that fits counts.

>>> clerk = Rule(role=Role.OPERATOR, when={"groups": ("情報政策課",), "office": ("本庁*",)})
>>> anybody = Rule(role=Role.VIEWER, when={"groups": ("職員",)})
>>> role_of({"groups": ("職員", "情報政策課"), "office": ("本庁舎",)}, [clerk, anybody])
<Role.OPERATOR: 'operator'>
>>> role_of({"groups": ("職員",)}, [clerk, anybody])
<Role.VIEWER: 'viewer'>
>>> role_of({"groups": ("他団体",)}, [clerk, anybody]) is None
True
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kumobashi.identity.roles import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One role, and what has to be there for it."""

    role: Role
    when: Mapping[str, tuple[str, ...]]  # by attribute: any of these; a * at the end: any ending

    def fits(self, attributes: Mapping[str, tuple[str, ...]]) -> bool:
        """Whether every attribute has one of its values."""
        return all(
            any(_is(wanted, has) for wanted in values for has in attributes.get(name, ()))
            for name, values in self.when.items()
        )


def role_of(attributes: Mapping[str, tuple[str, ...]], rules: Iterable[Rule]) -> Role | None:
    """Return the role of the first rule that fits; none: they may not enter."""
    return next((rule.role for rule in rules if rule.fits(attributes)), None)


def _is(wanted: str, has: str) -> bool:
    return has.startswith(wanted[:-1]) if wanted.endswith("*") else has == wanted
