"""What a log line may say in words: constants of our own modules, codes of our errors, and no more.

A template counts as ours only if it stands as a constant in the code of the module that its logger
is named for. A text that was put together at run time, by an f-string or by a library, is no such
constant; so what it holds cannot get into a line, whoever wrote it there.

>>> is_constant(__name__, "a template that no module has")
False
>>> code_said("yamada.spool_full", __name__)
'…'
"""

import re
import sys
import threading
import time
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from types import CodeType
from typing import Any, Final

from kumobashi.kernel import KumobashiError
from kumobashi.observe.names import LEFT_OUT

OWN: Final = "kumobashi"
_CODE: Final = re.compile(r"([a-z][a-z0-9_]{0,39})\.[a-z][a-z0-9_]{0,59}")
_CLASS: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,79}")
_LOOK_SECONDS: Final = 1.0  # between two looks for classes that were not there before
_MOST_MODULES: Final = 5_000

_lock = threading.RLock()
_constants: dict[str, frozenset[str]] = {}
_classes: set[str] = set()
_codes: set[str] = set()
_domains: set[str] = set()
_looked = float("-inf")


def is_constant(module: str, text: object) -> bool:
    """Whether a text stands as a constant in a module of ours."""
    return type(text) is str and text in _constants_of(module)


def code_said(code: object, module: str) -> str:
    """Return a code that is known here; of one that is not at most its domain.

    Known is the code of an error class, the name of an exception class, and what stands as a
    constant in the package that says it.
    """
    if not isinstance(code, str) or len(code) > 120:  # noqa: PLR2004 - longer than any code
        return LEFT_OUT
    text = str(code)
    shape = _CODE.fullmatch(text)
    if not shape and not _CLASS.fullmatch(text):
        return LEFT_OUT
    if text in _codes or text in _classes or _is_of_package(text, module):
        return text
    _look()
    if text in _codes or text in _classes:
        return text
    domain = shape.group(1) if shape else ""
    return f"{domain}.{LEFT_OUT}" if domain in _domains else LEFT_OUT


def word_said(word: object, module: str) -> str:
    """Return a word that stands as a constant in the package of ``module``."""
    text = str(word) if isinstance(word, str) else ""
    return text if text and _is_of_package(text, module) else LEFT_OUT


def logger_said(name: str) -> str:
    """Return a logger's name as far as it names modules that are loaded."""
    if name == "root":
        return name
    parts = name.split(".")[:12]
    while parts:
        if (text := ".".join(parts)) in sys.modules or text == "py.warnings":
            return text
        parts.pop()
    return LEFT_OUT


def _is_of_package(text: str, module: str) -> bool:
    """Whether a text is a constant of a module or of its loaded neighbours."""
    if text in _constants_of(module):
        return True
    package = ".".join(module.split(".")[:2]) + "."
    if not package.startswith(f"{OWN}."):
        return False
    near = [name for name in tuple(sys.modules) if name.startswith(package)]
    return any(text in _constants_of(name) for name in near)


def _constants_of(module: str) -> frozenset[str]:
    held = _constants.get(module)
    if held is not None:
        return held
    if module != OWN and not module.startswith(f"{OWN}."):
        return frozenset()
    loaded = sys.modules.get(module)
    spec: ModuleSpec | None = getattr(loaded, "__spec__", None)
    if loaded is None or spec is None:
        return frozenset()  # nothing is loaded for the sake of a line
    found = frozenset(_texts(_code_of(spec)))
    with _lock:
        if len(_constants) < _MOST_MODULES:
            _constants[module] = found
    return found


def _code_of(spec: ModuleSpec) -> CodeType | None:
    get_code = getattr(spec.loader, "get_code", None)
    try:
        code = get_code(spec.name) if get_code else None
    except (ImportError, OSError, SyntaxError):
        return None
    return code if isinstance(code, CodeType) else None


def _texts(code: CodeType | None) -> Iterator[str]:
    """Yield every text that stands in compiled code, however deep."""
    waiting: list[Any] = [code] if code else []
    while waiting:
        one = waiting.pop()
        if isinstance(one, CodeType):
            waiting.extend(one.co_consts)
        elif isinstance(one, tuple | frozenset):
            waiting.extend(one)
        elif type(one) is str:
            yield one


def _look() -> None:
    """See what exception classes there are by now, at most once a second."""
    global _looked  # noqa: PLW0603 - one look for a process
    now = time.monotonic()
    with _lock:
        if now - _looked < _LOOK_SECONDS:
            return
        _looked = now
        waiting: list[type[BaseException]] = [BaseException]
        seen: set[type[BaseException]] = set()
        while waiting:
            kind = waiting.pop()
            if kind in seen:
                continue
            seen.add(kind)
            waiting.extend(type.__subclasses__(kind))
        _classes.update(kind.__name__ for kind in seen if _CLASS.fullmatch(kind.__name__))
        own = {kind.code for kind in seen if issubclass(kind, KumobashiError)}
        _codes.update(code for code in own if _CODE.fullmatch(code))
        _domains.update(code.partition(".")[0] for code in _codes)


def place_of(path: str, line: int, function: str) -> str:
    """Return a place in code, in one short piece."""
    name = path.replace("\\", "/").rpartition("/")[2]
    text = f"{name}:{line} {function}"
    return text if re.fullmatch(r"[\w.<>-]{1,80}:[0-9]{1,9} [\w.<>]{1,80}", text) else LEFT_OUT
