"""What is wrong with a command line, in both languages; click itself speaks English only."""

import click

from kumobashi.cli.errors import Usage


def usage_of(error: click.UsageError) -> Usage:
    """Return click's complaint as a failure of ours."""
    return Usage(
        what=_japanese(error),
        what_en=error.format_message(),
        command=error.ctx.command_path if error.ctx else "kumobashi",
    )


def _japanese(error: click.UsageError) -> str:
    said = error.format_message()
    match error:
        case click.NoSuchOption(option_name=name, possibilities=near):
            meant = f"もしかして: {'、'.join(sorted(near))}" if near else ""
            ja = f"オプション {name} はありません。{meant}"
        case click.MissingParameter(param=click.Argument() as argument, ctx=click.Context() as ctx):
            ja = f"引数 {argument.make_metavar(ctx)} がありません。"
        case click.MissingParameter(param=click.Parameter(opts=names)):
            ja = f"オプション {names[-1]} がありません。"
        case click.BadParameter(param=click.Parameter(opts=names)):
            ja = f"{names[-1]} の値が正しくありません（{error.message}）。"
        case _ if "No such command" in said:
            ja = f"コマンド {_quoted(said)} はありません。"
        case _ if "unexpected extra argument" in said:
            ja = f"引数が多すぎます（{said.rpartition('(')[2].rstrip(').')}）。"
        case _:
            ja = said
    return ja


def _quoted(text: str) -> str:
    """Return what stands between the first two apostrophes."""
    return text.split("'")[1] if text.count("'") > 1 else text
