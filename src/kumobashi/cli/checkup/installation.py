"""Python, packages, and whether a commit reaches the disk.

>>> python((3, 9, 2), "CPython").state.name, python((3, 12, 1), "CPython").state.name
('WRONG', 'GOOD')
"""

import re
import sqlite3
import sys
import time
from collections.abc import Iterator, Mapping
from importlib import metadata
from importlib.resources import files
from pathlib import Path

from kumobashi.cli.checkup.checks import Check, State, fine, words
from kumobashi.exchange.views import Words
from kumobashi.kernel import new_id

_OLDEST, _TRIED = (3, 11), ((3, 11), (3, 12), (3, 13))
_OLDEST_SQLITE = (3, 37)  # strict tables and what the migrations use
_SLOW_COMMIT_SECONDS = 0.2
_SHOWN = 5
_PYTHON = words("Python", "Python")
_PACKAGES = words("パッケージ", "Packages")
_DISK = words("書き込み", "Writing")


def checks(folder: Path) -> Iterator[Check]:
    """Look at the installation; ``folder`` is where state will be written."""
    yield python(sys.version_info[:3], sys.implementation.name)
    yield packages(locked(), installed(), needed())
    yield writing(folder)


def python(version: tuple[int, int, int], implementation: str) -> Check:
    """Judge the interpreter."""
    text = ".".join(map(str, version))
    if version[:2] < _OLDEST or implementation.lower() != "cpython":
        return _too_old("doctor.python", _PYTHON, f"{implementation} {text}", "CPython 3.11")
    if version[:2] not in _TRIED:
        return Check(
            code="doctor.python",
            name=_PYTHON,
            state=State.CAUTION,
            said=words(f"{text} では試していません", f"not tried with {text}"),
            where=sys.executable,
            expected=words("3.11、3.12、3.13", "3.11, 3.12, 3.13"),
            remedy=words("困ったら 3.13 で入れ直してください。", "If something fails, use 3.13."),
        )
    return fine("doctor.python", _PYTHON, words(text, text), where=sys.executable)


def packages(
    pins: Mapping[str, frozenset[str]], there: Mapping[str, str], asked: frozenset[str]
) -> Check:
    """Judge what is installed against the versions that were tried (by normalised name)."""
    missing = sorted(name for name in asked if name not in there)
    others = sorted(
        f"{name} {there[name]} ({'/'.join(sorted(versions))})"
        for name, versions in pins.items()
        if name in there and there[name] not in versions
    )
    if missing:
        return Check(
            code="doctor.packages",
            name=_PACKAGES,
            state=State.WRONG,
            said=words(f"入っていません: {_some(missing)}", f"missing: {_some(missing)}"),
            where=sys.prefix,
            remedy=words("導入をやり直してください。", "Install again."),
        )
    if others:
        return Check(
            code="doctor.packages",
            name=_PACKAGES,
            state=State.CAUTION,
            said=words(
                f"試したものと版が違います: {_some(others)}",
                f"other versions than those tried: {_some(others)}",
            ),
            where=sys.prefix,
            expected=words("括弧の中の版", "the version in brackets"),
            remedy=words("導入をやり直すとそろいます。", "Installing again brings the tried ones."),
        )
    if not pins:
        return Check(
            code="doctor.packages",
            name=_PACKAGES,
            state=State.CAUTION,
            said=words("試した版の一覧がありません", "the list of tried versions is not there"),
            where=sys.prefix,
        )
    count = len(set(pins) & set(there))
    return fine(
        "doctor.packages",
        _PACKAGES,
        words(f"{count} 個とも試した版です", f"all {count} as tried"),
        where=sys.prefix,
    )


def _some(names: list[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" +{more}" if more > 0 else "")


def locked() -> dict[str, frozenset[str]]:
    """Return the versions that were tried, from the lock that came with us."""
    ours = files("kumobashi.cli") / "locked.txt"
    in_tree = Path(__file__).parents[4] / "requirements" / "demo.txt"
    try:
        text = (ours if ours.is_file() else in_tree).read_text(encoding="utf-8")
    except OSError:
        return {}
    found: dict[str, frozenset[str]] = {}
    for name, version in re.findall(r"^([a-z0-9][\w.-]*)==([^\s;]+)", text, re.MULTILINE):
        found[_normal(name)] = found.get(_normal(name), frozenset()) | {version}
    return found


def installed() -> dict[str, str]:
    """Return what this Python has."""
    return {_normal(one.metadata["Name"]): one.version for one in metadata.distributions()}


def needed() -> frozenset[str]:
    """Return what we cannot run without."""
    try:
        lines = metadata.requires("kumobashi") or []
    except metadata.PackageNotFoundError:
        return frozenset({"kumobashi"})
    names = (re.match(r"[\w.-]+", line) for line in lines if "extra ==" not in line)
    return frozenset(_normal(name.group()) for name in names if name)


def _too_old(code: str, name: Words, found: str, oldest: str) -> Check:
    """Say that this Python, or what it brings, is too old for us."""
    return Check(
        code=code,
        name=name,
        state=State.WRONG,
        said=words(found, found),
        where=sys.executable,
        expected=words(f"{oldest} 以上", f"{oldest} or newer"),
        remedy=words("新しい Python で入れ直してください。", "Install again with a newer Python."),
    )


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def writing(folder: Path) -> Check:
    """Commit once as a gateway does, and see whether it lasts and how long it took."""
    from kumobashi.storage.sqlite import open_engine

    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        found = f"SQLite {sqlite3.sqlite_version}"
        return _too_old("doctor.writing", _DISK, found, "SQLite 3.37")
    trial = folder / f".doctor-{new_id()}.db"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        engine = open_engine(trial)
        try:
            with engine.connect() as connection:
                with connection.begin():
                    connection.exec_driver_sql("create table trial (id integer)")
                begun = time.monotonic()
                with connection.begin():
                    connection.exec_driver_sql("insert into trial values (1)")
                seconds = time.monotonic() - begun
                kept = connection.exec_driver_sql("select count(*) from trial").scalar()
        finally:
            engine.dispose()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the finding
        return Check(
            code="doctor.writing",
            name=_DISK,
            state=State.WRONG,
            said=words(f"書けません（{_reason(error)}）", f"cannot be written ({_reason(error)})"),
            where=str(folder),
            expected=words(
                "SQLite が WAL と synchronous=FULL で書けるフォルダ",
                "a folder that SQLite can write with WAL and synchronous=FULL",
            ),
            remedy=words(
                "フォルダの権限と空きを確かめ、ネットワーク上のフォルダなら手元のディスクへ移してください。",
                "Look at the folder's rights and free space; move it to a disk of this machine.",
            ),
        )
    finally:
        for path in folder.glob(f"{trial.name}*") if folder.is_dir() else ():
            path.unlink(missing_ok=True)
    said = words(
        f"SQLite {sqlite3.sqlite_version}、1回の確定に {seconds * 1000:.1f} ミリ秒",
        f"SQLite {sqlite3.sqlite_version}, {seconds * 1000:.1f} ms a commit",
    )
    if kept != 1 or seconds > _SLOW_COMMIT_SECONDS:
        return Check(
            code="doctor.writing",
            name=_DISK,
            state=State.CAUTION,
            said=said,
            where=str(folder),
            expected=words("200 ミリ秒以内", "at most 200 ms"),
            remedy=words("混んでいるか遅いディスクです。", "The disk is busy or slow."),
        )
    return fine("doctor.writing", _DISK, said, where=str(folder))


def _reason(error: BaseException) -> str:
    cause = getattr(error, "orig", None) or error
    text = getattr(cause, "strerror", None) or str(cause)
    return text if isinstance(cause, OSError | sqlite3.Error) else type(error).__name__
