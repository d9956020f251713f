"""What would fail on Windows, found in the source without running it.

``reached`` follows every import from the commands, also those inside functions; ``faults`` looks at
one file. What stands in a branch that asks for the platform (``sys.platform``, ``os.name``,
``hasattr``) is taken to know what it does.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2] / "src"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_MODULES = _words(
    "crypt curses fcntl grp nis posix pty pwd readline resource spwd syslog termios tty uvloop"
)
_NAMES = {
    "os": _words(
        "chown chroot fchmod fchown fork forkpty getegid geteuid getgid getgroups getloadavg"
        " getpgid getpgrp getsid getuid initgroups killpg lchown link mkfifo mknod nice openpty"
        " pipe2"
        " posix_fadvise posix_fallocate posix_spawn pread pwrite readv rename sched_getaffinity"
        " sendfile setegid seteuid setgid setgroups setpgid setsid setuid statvfs symlink sync"
        " sysconf ttyname uname wait wait3 wait4 writev O_CLOEXEC O_DIRECTORY O_DSYNC O_NOFOLLOW"
        " O_NONBLOCK O_SYNC WNOHANG"
    ),
    "signal": _words(
        "SIGALRM SIGCHLD SIGCONT SIGHUP SIGKILL SIGPIPE SIGQUIT SIGSTOP SIGUSR1 SIGUSR2 alarm"
        " getitimer pause pthread_kill pthread_sigmask setitimer sigwait"
    ),
    "socket": frozenset(["AF_UNIX", "SO_REUSEPORT", "socketpair"]),
    "time": frozenset(["clock_gettime", "tzset"]),
    "asyncio": frozenset(["open_unix_connection", "start_unix_server"]),
}
_METHODS = {
    "add_signal_handler": "no event loop of Windows has it",
    "remove_signal_handler": "no event loop of Windows has it",
    "rename": "fails where the new name exists: use replace",
    "symlink_to": "asks for a right that few people have",
    "hardlink_to": "not on every disk",
    "lchmod": "Windows has no such modes",
}
_PLACES = re.compile(r"/(bin|dev|etc|home|opt|proc|root|run|srv|sys|tmp|usr|var)(/[^\s{}]*)?\Z")
_WORDS_OF_SYSTEMS = ("sys.platform", "os.name", "hasattr(", "IS_WINDOWS")
_WRITING = re.compile(r"[wax+]")


@dataclass(frozen=True, slots=True)
class Fault:
    """One place that Windows would stumble over."""

    line: int
    what: str


def reached(roots: list[str], *, but: frozenset[str] = frozenset()) -> set[str]:
    """Return the names of our modules that these import, and those import, and so on."""
    found: set[str] = set(but)
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name in found or (path := path_of(name)) is None:
            continue
        found.add(name)
        parts = name.split(".")
        waiting += [".".join(parts[:length]) for length in range(1, len(parts))]
        waiting += _imports(ast.parse(path.read_text(encoding="utf-8")))
    return found - but


def path_of(name: str) -> Path | None:
    """Return the file of a module of ours."""
    place = SOURCE.joinpath(*name.split("."))
    for path in (place.with_suffix(".py"), place / "__init__.py"):
        if path.is_file():
            return path
    return None


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            name, colon, _ = node.value.partition(":")  # "package.module:attribute"
            if colon and re.fullmatch(r"kumobashi(\.\w+)+", name):
                yield name


def faults(source: str) -> list[Fault]:
    """Return what Windows would stumble over, from the top."""
    tree = ast.parse(source)
    guarded = {id(below) for node in ast.walk(tree) for below in _guarded(node, source)}
    found = [
        Fault(node.lineno, what)
        for node in ast.walk(tree)
        if isinstance(node, ast.expr | ast.stmt) and id(node) not in guarded
        for what in _wrong(node)
    ]
    return sorted(set(found), key=lambda fault: (fault.line, fault.what))


def _guarded(node: ast.AST, source: str) -> Iterator[ast.AST]:
    """Yield everything below an ``if`` that asks which system this is."""
    if isinstance(node, ast.If | ast.IfExp):
        test = ast.get_source_segment(source, node.test) or ""
        if any(word in test for word in _WORDS_OF_SYSTEMS):
            yield from ast.walk(node)
    elif isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.BoolOp):
        text = ast.get_source_segment(source, node) or ""
        if any(word in text for word in _WORDS_OF_SYSTEMS):
            yield from ast.walk(node)


def _wrong(node: ast.expr | ast.stmt) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            yield from (f"import {one.name}" for one in names if one.name in _MODULES)
        case ast.ImportFrom(module=str(module), names=names):
            if module in _MODULES:
                yield f"import {module}"
            posix = _NAMES.get(module, frozenset())
            yield from (f"{module}.{one.name}" for one in names if one.name in posix)
        case ast.Attribute(value=ast.Name(id=module), attr=attr) if attr in _NAMES.get(module, ()):
            yield f"{module}.{attr}"
        case ast.Constant(value=str(text)) if _PLACES.match(text):
            yield f"the place {text!r}"
        case ast.Constant(value=str(text)) if re.search(r"%-[a-zA-Z]", text):
            yield f"the date format {text!r}"
        case ast.Call():
            yield from _wrong_call(node)
        case ast.With() | ast.AsyncWith():
            yield from _wrong_with(node)
        case _:
            pass


def _wrong_call(call: ast.Call) -> Iterator[str]:
    function = call.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    owner = getattr(getattr(function, "value", None), "id", "")
    given = {word.arg for word in call.keywords}
    if isinstance(function, ast.Attribute) and name in _METHODS and not call.keywords:
        yield f".{name}(): {_METHODS[name]}"
    elif (owner, name) == ("os", "open"):
        if "flags" not in ast.unparse(call) and "O_BINARY" not in ast.unparse(call):
            yield "os.open: changes line ends in what is written; use open with an opener"
    elif name == "get_context" and any("fork" in str(_text(one)) for one in call.args):
        yield "multiprocessing forks"
    elif name == "read_text" and "encoding" not in given and not call.args:
        yield "read_text without encoding"
    elif name == "write_text":
        if "encoding" not in given and len(call.args) < 2:
            yield "write_text without encoding"
        if "newline" not in given:
            yield "write_text without newline"
    elif name == "open" and owner not in {"os", "webbrowser", "zipfile", "tarfile"}:
        yield from _wrong_open(call, given, is_method=isinstance(function, ast.Attribute))


def _wrong_open(call: ast.Call, given: set[str | None], *, is_method: bool) -> Iterator[str]:
    place = 0 if is_method else 1
    modes = [word.value for word in call.keywords if word.arg == "mode"]
    modes += call.args[place : place + 1]
    mode = _text(modes[0]) if modes else None if is_method and call.args else "r"
    if mode is None or not re.fullmatch(r"[rwaxbt+]{1,3}", mode) or "b" in mode:
        return
    if is_method and not modes and not call.keywords:
        return  # another thing's open(): a path's would name at least its encoding
    if "encoding" not in given:
        yield f"open({mode!r}) without encoding"
    if _WRITING.search(mode) and "newline" not in given:
        yield f"open({mode!r}) without newline"


def _wrong_with(node: ast.With | ast.AsyncWith) -> Iterator[str]:
    opened = " ".join(ast.unparse(item.context_expr) for item in node.items)
    if "open('rb')" in opened and any("os.fsync" in ast.unparse(line) for line in node.body):
        yield "os.fsync of a file that is open for reading"


def _text(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
