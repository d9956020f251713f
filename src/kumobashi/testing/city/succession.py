"""Who heads a household after its head, and what the others are to the new head then.

>>> home = [Member("w", "12", "2", 40.0), Member("c", "20", "1", 9.0), Member("m", "52", "2", 70.0)]
>>> {member.number: code for member, code in succeed(home, late_sex="1")}
{'w': '02', 'c': '20', 'm': '11,52'}
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_HEAD, _CHILD, _RELATIVE = "02", "20", "96"
_SPOUSES = ("12", "11", "14", "13")
_PARENTS = ("51", "52")
_SIBLINGS = ("71", "74", "81", "84")


@dataclass(frozen=True, slots=True)
class Member:
    """Someone who lives on in the household; ``age`` in years."""

    number: str
    relationship: str
    sex: str
    age: float


def succeed(members: Sequence[Member], *, late_sex: str) -> Iterator[tuple[Member, str]]:
    """Yield each member with the new relationship; exactly one becomes the head.

    The spouse follows, else the eldest. What cannot be said in two steps of kinship becomes 縁故者;
    who was a cohabitant stays one.
    """
    spouse = next((m for m in members if m.relationship in _SPOUSES), None)
    head = spouse or max(members, key=lambda m: (m.age, m.number))
    for member in members:
        if member is head:
            yield member, _HEAD
        elif spouse:
            yield member, _to_spouse(member.relationship, late_sex)
        elif head.relationship == _CHILD:
            yield member, _to_child(head, member)
        else:
            yield member, "99" if member.relationship == "99" else _RELATIVE


def _to_spouse(code: str, late_sex: str) -> str:
    """Say what someone is to the widow or widower."""
    late = "11" if late_sex == "1" else "12"
    if code in _PARENTS or code in _SIBLINGS:
        return f"{late},{code}"
    return code


def _to_child(head: Member, member: Member) -> str:
    """Say what someone is to the child that follows."""
    if member.relationship == _CHILD:
        elder = member.age > head.age
        return ("71" if elder else "74") if member.sex == "1" else ("81" if elder else "84")
    if member.relationship == "20,12" and head.sex == "1":
        return "12"
    if member.relationship == "20,20":
        return _CHILD
    return "99" if member.relationship == "99" else _RELATIVE
