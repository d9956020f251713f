r"""Change one place of a YAML text and leave every other byte as it is: comments, order, quotes.

A place is a path of keys. What is put there stands on one line; a block that came as text keeps its
own lines.

>>> text = "name: 収納管理 # 税\nsite: hall\n"
>>> print(changed(text, ("site",), "cloud"), end="")
name: 収納管理 # 税
site: cloud
>>> added(text, ("open", "days"), ["月", "火"]) == text + "open:\n  days: [月, 火]\n"
True
>>> removed(added(text, ("open", "days"), ["月"]), ("open", "days")) == text
True
"""

import json
from io import StringIO
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode

Path = tuple[str, ...]
_STEP: Final = 2  # columns by which a block stands further in
_WIDE: Final = 1_000_000  # columns: one line, however long
_BOM: Final = "\ufeff"
_KEY: Final = "x"
_LINE_ENDS: Final = "\x7f\x85\u2028\u2029\ufeff"  # JSON leaves them, YAML does not


def value_of(text: str) -> Any:  # noqa: ANN401 - whatever stands there
    """Return what a YAML text says; raise ``ruamel.yaml.error.YAMLError`` when it says nothing."""
    return YAML(typ="safe", pure=True).load(text)


def holds(text: str, path: Path) -> bool:
    """Whether something stands at ``path``."""
    return _find(_root(text), path) is not None


def changed(text: str, path: Path, value: object) -> str:
    """Put ``value`` where another stands, or add it.

    Raises:
        KeyError: something around it is no mapping.
    """
    if not holds(text, path):
        return added(text, path, value)
    pair = _find(_root(text), path)
    assert pair is not None  # noqa: S101 - for the checker
    key, node = pair
    if _is_block(node):
        colon = text.index(":", key.end_mark.index)
        return f"{text[:colon]}: {_inline(value)}{text[_end(node) :]}"
    return text[: node.start_mark.index] + _like(node, value) + text[_end(node) :]


def added(text: str, path: Path, value: object = None, *, block: str | None = None) -> str:
    """Put a new key at the end of its mapping: ``value`` on its line, or the ``block`` under it.

    Raises:
        KeyError: it is there already, or something around it is no mapping.
    """
    root = _root(text)
    depth = len(path) - 1
    while depth and _find(root, path[:depth]) is None:
        depth -= 1
    around = _around(root, path[: depth + 1])
    if holds(text, path):
        raise KeyError(".".join(path))
    new = path[depth:]
    if around.flow_style:
        within: object = value_of(block) if block is not None else value
        for key in reversed(new[1:]):
            within = {key: within}
        said = f"{_inline(new[0])}: {_inline(within)}"
        if around.value:
            at, said = _end(around.value[-1][1]), f", {said}"
        else:
            at = around.start_mark.index + 1
        return text[:at] + said + text[at:]
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = []
    indent = around.value[0][0].start_mark.column
    for key in new[:-1]:
        lines.append(f"{' ' * indent}{_inline(key)}:")
        indent += _STEP
    last = f"{' ' * indent}{_inline(new[-1])}:"
    if block is None:
        lines.append(f"{last} {_inline(value)}")
    else:
        inner = " " * (indent + _STEP)
        lines += [last, *(f"{inner}{row}" if row.strip() else "" for row in block.splitlines())]
    at = _line_end(text, _end(around))
    before = text[:at] if text[:at].endswith("\n") else text[:at] + newline
    return before + newline.join(lines) + newline + text[at:]


def removed(text: str, path: Path) -> str:
    """Take a key and its value out, and what is around it when nothing else is in there.

    Raises:
        KeyError: nothing stands there, or nothing would be left.
    """
    root = _root(text)
    pair = _find(root, path)
    if pair is None:
        raise KeyError(".".join(path))
    around = _around(root, path)
    if len(around.value) == 1 and not around.flow_style:
        if not path[:-1]:
            raise KeyError(".".join(path))
        return removed(text, path[:-1])
    key, node = pair
    if not around.flow_style:
        start = text.rfind("\n", 0, key.start_mark.index) + 1
        return text[:start] + text[_line_end(text, _end(node)) :]
    number = next(i for i, (one, _) in enumerate(around.value) if one is key)
    start, end = key.start_mark.index, _end(node)
    if number:
        start = _end(around.value[number - 1][1])
    elif len(around.value) > 1:
        end = around.value[1][0].start_mark.index
    return text[:start] + text[end:]


def _root(text: str) -> MappingNode:
    if text.startswith(_BOM):  # kept as it is: the marks would not count it
        raise KeyError("U+FEFF")
    node = YAML(typ="safe", pure=True).compose(text)
    if not isinstance(node, MappingNode) or (not node.value and not node.flow_style):
        raise KeyError("")
    return node


def _find(node: Node, path: Path) -> tuple[ScalarNode, Node] | None:
    """Return key and value at ``path``."""
    found: tuple[ScalarNode, Node] | None = None
    for step in path:
        if not isinstance(node, MappingNode):
            return None
        found = next(((key, held) for key, held in node.value if key.value == step), None)
        if found is None:
            return None
        node = found[1]
    return found


def _around(root: MappingNode, path: Path) -> MappingNode:
    """Return the mapping that the last key of ``path`` stands in, or would."""
    pair = _find(root, path[:-1])
    found = pair[1] if pair else root
    if not isinstance(found, MappingNode) or (not pair and len(path) > 1):
        raise KeyError(".".join(path))
    return found


def _is_block(node: Node) -> bool:
    if isinstance(node, ScalarNode):
        return node.style in {"|", ">"}
    return isinstance(node, CollectionNode) and not node.flow_style


def _end(node: Node) -> int:
    """Return where the last character of a value ends; the comments after it are not its own."""
    while isinstance(node, CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        node = last[1] if isinstance(node, MappingNode) else last
    return int(node.end_mark.index)


def _line_end(text: str, at: int) -> int:
    if at and text[at - 1] == "\n":  # a block of text ends with its line
        return at
    found = text.find("\n", at)
    return len(text) if found < 0 else found + 1


def _like(node: Node, value: object) -> str:
    """Write a value, quoted as the one before it was."""
    if isinstance(node, ScalarNode) and node.style == '"' and isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return _inline(value)


def _inline(value: object) -> str:
    """Write a value on one line, so that it may stand between brackets too."""
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = True
    yaml.width = _WIDE
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    out = StringIO()
    yaml.dump({_KEY: value}, out)
    said = out.getvalue().strip().removeprefix(f"{{{_KEY}: ").removesuffix("}")
    if "\n" not in said and _is_read_as(said, value):
        return said
    # What the emitter does not write so that it is read again: "? a", line ends of Unicode.
    said = json.dumps(value, ensure_ascii=False)
    for sign in _LINE_ENDS:
        said = said.replace(sign, f"\\u{ord(sign):04x}")
    return said


def _is_read_as(said: str, value: object) -> bool:
    try:
        found = value_of(f"{{{_KEY}: {said}}}")
    except YAMLError:
        return False
    return bool(found == {_KEY: value})
