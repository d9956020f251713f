"""Other people's engines of authorisation, given the same table and the same questions.

Each is set up in the fastest form that its documentation knows: pycasbin with its indexed enforcer,
cedarpy with one policy over attributes and one call for all questions.
"""

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

from kumobashi.policy.who_may import Ask, MayRow

_MODEL = """
[request_definition]
r = sub, obj, act, data
[policy_definition]
p = sub, obj, act, data
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.sub == p.sub && r.obj == p.obj && r.act == p.act && r.data == p.data
"""
_CEDAR = """
permit (principal, action == Action::"ask", resource)
when { principal.may.contains(context.what) };
"""


def by_casbin(rows: Sequence[MayRow]) -> Callable[[Sequence[Ask]], list[bool]]:
    """Return pycasbin's indexed enforcer over the table."""
    casbin = import_module("casbin")
    with TemporaryDirectory() as folder:
        model, policy = Path(folder) / "model.conf", Path(folder) / "policy.csv"
        model.write_text(_MODEL, encoding="ascii")
        lines = (", ".join(("p", *_words(Ask(*row.key)))) for row in rows)
        policy.write_text("\n".join(lines), encoding="ascii")
        enforcer = casbin.FastEnforcer(str(model), str(policy), cache_key_order=[0, 2])
    return lambda asked: [bool(enforcer.enforce(*_words(ask))) for ask in asked]


def by_cedar(rows: Sequence[MayRow]) -> Callable[[Sequence[Ask]], list[bool]]:
    """Return Cedar over one policy: what an inquirer may ask for is an attribute of it."""
    cedarpy = import_module("cedarpy")
    may: dict[str, list[str]] = {}
    for row in rows:
        ask = Ask(*row.key)
        may.setdefault(ask.to_unit, []).append(_what(ask))
    entities = [
        {"uid": {"type": "Unit", "id": unit}, "attrs": {"may": held}, "parents": []}
        for unit, held in may.items()
    ]

    def decide(asked: Sequence[Ask]) -> list[bool]:
        requests = [
            {
                "principal": f'Unit::"{ask.to_unit}"',
                "action": 'Action::"ask"',
                "resource": f'Unit::"{ask.from_unit}"',
                "context": {"what": _what(ask)},
            }
            for ask in asked
        ]
        found = cedarpy.is_authorized_batch(requests, _CEDAR, entities)
        return [bool(one.allowed) for one in found]

    return decide


def _words(ask: Ask) -> tuple[str, str, str, str]:
    return ask.to_unit, ask.from_unit, ask.purpose, ask.kind


def _what(ask: Ask) -> str:
    return f"{ask.purpose}|{ask.from_unit}|{ask.kind}"
