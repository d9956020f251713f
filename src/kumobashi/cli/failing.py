"""Failures as one clear block: what, where, expected, what to do, code."""

import traceback
from dataclasses import dataclass

import click
from rich.text import Text

from kumobashi.cli.errors import GatewayRefused, Unexpected, Usage
from kumobashi.cli.exits import Exit, exit_of
from kumobashi.cli.terminal import Terminal
from kumobashi.cli.usage import usage_of
from kumobashi.kernel import KumobashiError
from kumobashi.storage.mistakes import Mistake


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A failure, ready to be said."""

    what: str
    code: str
    remedy: str
    exit: Exit
    mistakes: tuple[Mistake, ...] = ()


def tell(terminal: Terminal, error: Exception) -> Exit:
    """Say what went wrong, and return the exit code."""
    failure = failure_of(terminal, error)
    if terminal.as_json:
        terminal.emit({"error": _plain(failure)})
    else:
        for line in lines(terminal, failure):
            terminal.err.print(line, soft_wrap=True)
    return failure.exit


def failure_of(terminal: Terminal, error: Exception) -> Failure:
    """Return what there is to say about an error."""
    ours = _ours(error)
    code = ours.said if isinstance(ours, GatewayRefused) else ours.code
    mistakes = tuple(getattr(ours, "mistakes", ()))  # of a workspace that is broken, or would be
    return Failure(
        what=ours.say(terminal.lang),
        code=code,
        remedy=ours.remedy(terminal.lang),
        exit=exit_of(code),
        mistakes=mistakes,
    )


def lines(terminal: Terminal, failure: Failure) -> list[Text]:
    """Return the block that people read."""
    found = [Text.assemble(("× ", "bold red"), (failure.what, "bold"))]
    if failure.remedy:
        found.append(Text(f"  {terminal.t('対応', 'To do')}: {failure.remedy}"))
    for mistake in failure.mistakes:
        found.append(
            Text.assemble(
                (f"  {mistake.file}:{mistake.line}:{mistake.column}", "cyan"),
                f"  {mistake.key}" if mistake.key else "",
            )
        )
        found.append(Text(f"    {terminal.t(mistake.ja, mistake.en)}"))
        if mistake.example:
            found.append(Text(f"    {terminal.t('例', 'Example')}: {mistake.example}"))
    found.append(Text(f"  {terminal.t('符号', 'Code')}: {failure.code}", style="dim"))
    return found


def _ours(error: Exception) -> KumobashiError:
    if isinstance(error, KumobashiError):
        return error
    if isinstance(error, click.UsageError):
        return usage_of(error)
    if isinstance(error, click.ClickException):
        return Usage(
            what=error.format_message(), what_en=error.format_message(), command="kumobashi"
        )
    return Unexpected(kind=type(error).__name__, where=_where(error))


def _where(error: Exception) -> str:
    """Return the last places; never the text, which may quote a value."""
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    return " < ".join(
        f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}"
        for frame in reversed(frames)
    )


def _plain(failure: Failure) -> dict[str, object]:
    found: dict[str, object] = {
        "code": failure.code,
        "what": failure.what,
        "remedy": failure.remedy,
        "exit": int(failure.exit),
    }
    if failure.mistakes:
        found["mistakes"] = [
            {
                "file": mistake.file,
                "line": mistake.line,
                "column": mistake.column,
                "key": mistake.key,
                "code": mistake.code,
                "ja": mistake.ja,
                "en": mistake.en,
                "expected": mistake.expected,
                "example": mistake.example,
            }
            for mistake in failure.mistakes
        ]
    return found
