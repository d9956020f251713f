"""Every line that our code logs is a constant with fields that there are: nothing of it is lost."""

import ast
from collections.abc import Iterator
from pathlib import Path

import kumobashi
from kumobashi.observe.log_fields import FIELDS

LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}


def log_calls() -> Iterator[tuple[str, ast.Call]]:
    root = Path(kumobashi.__file__).parent
    for path in sorted(root.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if "log." not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in LEVELS
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id == "log"
            ):
                yield f"{path.relative_to(root)}:{node.lineno}", node


def test_every_message_is_a_constant_without_arguments() -> None:
    found = list(log_calls())
    assert len(found) > 60
    for place, call in found:
        assert len(call.args) == 1, place
        assert isinstance(call.args[0], ast.Constant), place


def test_every_field_is_one_of_the_list() -> None:
    fields = 0
    for place, call in log_calls():
        for given in (word.value for word in call.keywords if word.arg == "extra"):
            if isinstance(given, ast.Dict):
                names = [key.value for key in given.keys if isinstance(key, ast.Constant)]
                assert set(names) <= set(FIELDS), place
                fields += len(names)
    assert fields > 60
