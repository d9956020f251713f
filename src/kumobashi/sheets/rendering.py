"""Render templates in Jinja's sandbox, and say of a mistake where it stands.

A file of the same name in the staff's folder stands in for ours. Templates see nothing but the
placeholders, and a placeholder that there is not is an error with its line, never an empty space.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import (
    BaseLoader,
    ChoiceLoader,
    FileSystemLoader,
    StrictUndefined,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
    UndefinedError,
    meta,
    nodes,
)
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from kumobashi.catalogue.eras import era_date
from kumobashi.kernel import KumobashiError

_COMMON: Final = Path(__file__).parent / "common"
_LARGEST_BYTES: Final = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheets:
    """The templates of one domain."""

    own: Path  # folder of the domain's templates
    pages: Mapping[str, str]  # paper -> template
    parts: Sequence[str]  # templates that pages include
    unfit: Callable[..., KumobashiError]  # from file, line, reason and reason_en

    def render(
        self, paper: str, placeholders: Mapping[str, Any], *, folder: Path | None = None
    ) -> str:
        """Return a paper as one HTML file without scripts; ``folder`` has what the staff edited.

        Raises:
            KumobashiError: what ``unfit`` makes of a placeholder that there is not, a mistake in a
                template, or something that a template may not do; says file and line.
        """
        environment = self._environment(folder)
        name = self.pages[paper]
        for part in (name, *self.parts):
            self._check(environment, part, frozenset(placeholders))
        try:
            return environment.get_template(name).render(dict(placeholders))
        except TemplateError as error:
            file, line = _place(error, name)
            raise self._unfit(file, line, error) from None
        except (TypeError, ValueError, OverflowError, ArithmeticError, RecursionError) as error:
            file, line = _place(error, name)
            raise self.unfit(
                file=file,
                line=line,
                reason=f"計算できません（{type(error).__name__}）",
                reason_en=f"it cannot be worked out ({type(error).__name__})",
            ) from None

    def write(self, folder: Path) -> list[Path]:
        """Copy our templates into a folder of the workspace, for the staff to edit.

        A file that is there already stays as it is. Returns those that were written.
        """
        folder.mkdir(parents=True, exist_ok=True)
        written = []
        for name in (*self.pages.values(), *self.parts):
            target = folder / name
            if not target.exists():
                ours = next(place / name for place in self._places() if (place / name).exists())
                target.write_text(ours.read_text("utf-8"), encoding="utf-8", newline="\n")
                written.append(target)
        return written

    def _places(self) -> tuple[Path, Path]:
        return self.own, _COMMON

    def _environment(self, folder: Path | None) -> ImmutableSandboxedEnvironment:
        loaders: list[BaseLoader] = [_loader(place) for place in self._places()]
        if folder is not None and folder.is_dir():
            loaders.insert(0, FileSystemLoader(folder))
        made = ImmutableSandboxedEnvironment(
            loader=ChoiceLoader(loaders),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        made.filters["日付"] = day_of
        made.globals.clear()  # no range, no cycler: what papers need is in the placeholders
        return made

    def _check(
        self, environment: ImmutableSandboxedEnvironment, name: str, known: frozenset[str]
    ) -> None:
        """Raise for the first placeholder of a template that there is not, used or not."""
        loader = environment.loader or _loader(self.own)
        try:
            source, file, _ = loader.get_source(environment, name)
            if len(source.encode("utf-8")) > _LARGEST_BYTES:
                raise self.unfit(
                    file=name,
                    line=1,
                    reason=f"{_LARGEST_BYTES // 1000} KB までです",
                    reason_en=f"it may have up to {_LARGEST_BYTES // 1000} KB",
                )
            tree = environment.parse(source, name, file)
            unknown = meta.find_undeclared_variables(tree) - known
        except TemplateSyntaxError as error:
            raise self._unfit(name, error.lineno, error) from None
        except UnicodeDecodeError:
            raise self.unfit(
                file=name, line=1, reason="UTF-8 ではありません", reason_en="it is not UTF-8"
            ) from None
        for used in tree.find_all(nodes.Name):
            if used.ctx == "load" and used.name in unknown:
                raise self.unfit(
                    file=name,
                    line=used.lineno,
                    reason=f"差込項目「{used.name}」はありません",
                    reason_en=f"there is no placeholder {used.name!r}",
                )

    def _unfit(self, file: str, line: int, error: TemplateError) -> KumobashiError:
        if isinstance(error, SecurityError):
            ja, en = "様式では許されない書き方です", "a template may not do this"
        elif isinstance(error, UndefinedError):
            ja, en = "ない差込項目を使っています", "it uses a placeholder that there is not"
        elif isinstance(error, TemplateNotFound):
            ja, en = "ない様式を読み込んでいます", "it includes a template that there is not"
        else:
            ja, en = "書き方が違います", "it cannot be read"
        said = (error.message or "").splitlines()[0][:200] if error.message else ""
        return self.unfit(
            file=file,
            line=line,
            reason=f"{ja}（{said}）" if said else ja,
            reason_en=f"{en}: {said}",
        )


def day_of(value: date | None) -> str:
    """Return a day as papers write it; empty where there is none.

    >>> day_of(date(2026, 11, 22))
    '令和8年11月22日'
    """
    return era_date(value).text if value is not None else ""


@cache
def _loader(folder: Path) -> FileSystemLoader:
    return FileSystemLoader(folder)


def _place(error: BaseException, name: str) -> tuple[str, int]:
    """Return file and line of the template where an error came up, as Jinja's trace has them."""
    file, line = name, 1
    trace = error.__traceback__
    while trace is not None:
        path = Path(trace.tb_frame.f_code.co_filename)
        if path.suffix == ".html":
            file, line = path.name, trace.tb_lineno
        trace = trace.tb_next
    return file, line
