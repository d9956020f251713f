import inspect
import re
import string
from types import ModuleType

import pytest

from kumobashi.crypto import errors as crypto_errors
from kumobashi.kernel import KumobashiError
from kumobashi.messages import errors as message_errors

TREES: dict[str, ModuleType] = {"crypto": crypto_errors, "message": message_errors}
CASES: list[tuple[str, type[KumobashiError]]] = [
    (domain, kind)
    for domain, module in TREES.items()
    for kind in vars(module).values()
    if inspect.isclass(kind)
    and issubclass(kind, KumobashiError)
    and kind.__module__ == module.__name__
]


@pytest.mark.parametrize(("domain", "kind"), CASES)
def test_every_failure_speaks_both_languages_and_has_a_code(
    domain: str, kind: type[KumobashiError]
) -> None:
    assert re.fullmatch(rf"{domain}\.[a-z_]+", kind.code)
    assert 400 <= kind.status < 600
    wanted = {name for _, name, _, _ in string.Formatter().parse(kind.ja + kind.en) if name}
    error = kind(**dict.fromkeys(wanted, "x"))
    for lang in ("ja", "en"):
        assert error.say(lang)
        assert "{" not in error.say(lang) + error.remedy(lang)


def test_no_code_is_used_twice() -> None:
    codes = [kind.code for _, kind in CASES]

    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("module", TREES.values(), ids=TREES)
def test_the_tree_at_the_top_of_the_module_names_every_failure(module: ModuleType) -> None:
    drawn = set(re.findall(r"[├└]── (\w+)", inspect.getdoc(module) or ""))

    assert drawn == {kind.__name__ for _, kind in CASES if inspect.getmodule(kind) is module}
