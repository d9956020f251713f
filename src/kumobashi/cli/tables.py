"""``kumobashi schemas`` and ``errors``: what the code knows of itself, for editors and people."""

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click

import kumobashi
from kumobashi.cli.command import command
from kumobashi.cli.exits import Exit, exit_of
from kumobashi.cli.plain_tables import plain_table
from kumobashi.cli.terminal import Terminal
from kumobashi.kernel import KumobashiError


@command(
    "schemas",
    ja="連携設定ファイルの JSON Schema を書き出します（エディターでの補完と点検のため）。",
    en="Write the JSON Schemas of the workspace's files, for editors.",
    example="kumobashi schemas .schemas",
)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
def schemas(terminal: Terminal, *, folder: Path) -> Exit:
    """Write the schemas."""
    from kumobashi.planning.schemas import write

    written = [str(path) for path in write(folder)]
    if terminal.as_json:
        terminal.emit({"written": written})
    else:
        for path in written:
            terminal.out.print(path, soft_wrap=True)
    return Exit.OK


@command(
    "errors",
    ja="失敗の符号と、その意味・対応・終了コードの一覧です。",
    en="All codes of failures: what they say, what to do, the exit code.",
    example="kumobashi errors",
)
def errors(terminal: Terminal) -> Exit:
    """List the codes."""
    known = sorted(all_errors(), key=lambda error: error.code)
    if terminal.as_json:
        terminal.emit(
            [
                {
                    "code": error.code,
                    "ja": error.ja,
                    "en": error.en,
                    "remedy_ja": error.remedy_ja,
                    "remedy_en": error.remedy_en,
                    "retryable": error.retryable,
                    "status": error.status,
                    "exit": int(exit_of(error.code)),
                }
                for error in known
            ]
        )
        return Exit.OK
    table = plain_table()
    table.add_column(terminal.t("符号", "Code"), no_wrap=True, style="cyan")
    table.add_column(terminal.t("終了", "Exit"), justify="right")
    table.add_column(terminal.t("意味と対応", "Meaning and remedy"))
    for error in known:
        said = terminal.t(error.ja, error.en)
        remedy = terminal.t(error.remedy_ja, error.remedy_en)
        table.add_row(error.code, str(int(exit_of(error.code))), f"{said} {remedy}".strip())
    terminal.out.print(table)
    return Exit.OK


def all_errors() -> Iterator[type[KumobashiError]]:
    """Yield every failure of the product that has a code of its own."""
    for module in pkgutil.walk_packages(kumobashi.__path__, "kumobashi."):
        if module.name.endswith("errors") and ".testing" not in module.name:
            import_module(module.name)
    seen: set[str] = set()
    waiting = [KumobashiError]
    while waiting:
        error = waiting.pop(0)
        waiting += error.__subclasses__()
        if error.code not in seen and not error.__module__.startswith("kumobashi.testing"):
            seen.add(error.code)
            yield error
