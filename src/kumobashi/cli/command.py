"""Commands and options that speak both languages, show an example, and share three options.

Every command takes ``--workspace``, ``--lang`` and ``--json``, before or behind its name.
"""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import click

from kumobashi.cli.terminal import Terminal
from kumobashi.kernel import Language

AnyFunction = TypeVar("AnyFunction", bound=Callable[..., Any])


class Option(click.Option):
    """An option with its help in both languages."""

    def __init__(self, names: Sequence[str], *, ja: str, en: str, **kwargs: Any) -> None:  # noqa: ANN401 - click's own
        super().__init__(names, help=ja, **kwargs)
        self.words = (ja, en)

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the line of ``--help``, in the language of the terminal."""
        self.help = self.words[0 if lang_of(ctx) == "ja" else 1]
        return super().get_help_record(ctx)


class _Spoken(click.Command):
    """What commands and groups share: how their help looks."""

    ja: str
    en: str
    example: str

    def get_short_help_str(self, limit: int = 100) -> str:
        """Return the line of the list of commands."""
        words = self.ja if _here() == "ja" else self.en
        return words.split("\n", 1)[0][:limit]

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the first line."""
        prefix = "使い方: " if lang_of(ctx) == "ja" else "Usage: "
        formatter.write_usage(ctx.command_path, " ".join(self.collect_usage_pieces(ctx)), prefix)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what the command does, and an example."""
        is_ja = lang_of(ctx) == "ja"
        formatter.write_paragraph()
        for line in (self.ja if is_ja else self.en).split("\n"):
            formatter.write(f"  {line}\n")
        if self.example:
            formatter.write(f"\n{'例' if is_ja else 'Example'}:\n  $ {self.example}\n")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, and the commands of a group."""
        is_ja = lang_of(ctx) == "ja"
        options = [p for p in self.get_params(ctx) if isinstance(p, click.Option)]
        records = [r for p in options if (r := p.get_help_record(ctx)) is not None]
        if records:
            with formatter.section("オプション" if is_ja else "Options"):
                formatter.write_dl(records)
        if isinstance(self, click.Group):
            names = self.list_commands(ctx)
            found = [(name, self.get_command(ctx, name)) for name in names]
            with formatter.section("コマンド" if is_ja else "Commands"):
                formatter.write_dl([(n, c.get_short_help_str()) for n, c in found if c is not None])

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """Return ``--help``, described in the language of the terminal."""
        option = super().get_help_option(ctx)
        if option:
            option.help = "この説明を出して終わる" if lang_of(ctx) == "ja" else "Show this and end"
        return option


class Command(_Spoken):
    """A command; ``ja`` and ``en`` say what it does, ``example`` shows how."""

    def __init__(self, *args: Any, ja: str, en: str, example: str, **kwargs: Any) -> None:  # noqa: ANN401 - click's own
        super().__init__(*args, **kwargs)
        self.ja, self.en, self.example = ja, en, example
        self.params += _shared()


class Group(_Spoken, click.Group):
    """A group whose commands are imported when they are asked for: name → ``module:attribute``."""

    def __init__(
        self,
        *args: Any,  # noqa: ANN401 - click's own
        ja: str,
        en: str,
        example: str,
        places: Mapping[str, str] | None = None,
        **kwargs: Any,  # noqa: ANN401 - click's own
    ) -> None:
        super().__init__(*args, **kwargs)
        self.ja, self.en, self.example = ja, en, example
        self.places = dict(places or {})
        self.params += _shared()

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - as click asks
        """Return the names in the order they were given, which is that of use."""
        return [*self.places, *self.commands]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command."""
        if cmd_name not in self.places:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = self.places[cmd_name].partition(":")
        found = getattr(import_module(module), attribute)
        return found if isinstance(found, click.Command) else None


def command(
    name: str, *, ja: str, en: str, example: str
) -> Callable[[Callable[..., Any]], Command]:
    """Make a function a command; it gets the :class:`Terminal` first."""

    def decorate(function: Callable[..., Any]) -> Command:
        made: Command = click.command(name, cls=Command, ja=ja, en=en, example=example)(
            click.pass_obj(function)
        )
        return made

    return decorate


def option(*names: str, ja: str, en: str, **kwargs: Any) -> Callable[[AnyFunction], AnyFunction]:  # noqa: ANN401 - click's own
    """Give a command an option with its help in both languages."""
    return click.option(*names, cls=Option, ja=ja, en=en, **kwargs)


def lang_of(ctx: click.Context) -> Language:
    """Return the language that the command line has asked for so far."""
    found = ctx.find_object(Terminal)
    return found.lang if found else "ja"


def _here() -> Language:
    ctx = click.get_current_context(silent=True)
    return lang_of(ctx) if ctx else "ja"


def _shared() -> list[click.Parameter]:
    return [
        Option(
            ["--workspace"],
            metavar="DIR",
            type=click.Path(path_type=Path),
            expose_value=False,
            is_eager=True,
            callback=_set("wish"),
            ja="連携設定フォルダ（既定: kumobashi.yaml のある一番近い親フォルダ）",
            en="The workspace (default: the nearest parent with kumobashi.yaml)",
        ),
        Option(
            ["--lang"],
            type=click.Choice(["ja", "en"]),
            expose_value=False,
            is_eager=True,
            callback=_set("lang"),
            ja="表示の言語（既定: ja）",
            en="Language for people (default: ja)",
        ),
        Option(
            ["--json"],
            is_flag=True,
            default=None,
            expose_value=False,
            is_eager=True,
            callback=_set("as_json"),
            ja="機械のための JSON で答える",
            en="Answer in JSON, for machines",
        ),
    ]


def _set(name: str) -> Callable[[click.Context, click.Parameter, object], None]:
    def note(ctx: click.Context, _param: click.Parameter, value: object) -> None:
        if value is not None and value is not False:
            setattr(ctx.ensure_object(Terminal), name, value)

    return note
