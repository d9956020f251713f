"""One mistake in a file that people write: where it is, what was expected, what right looks like.

>>> mistake = Mistake(
...     file="sites/hall-core.yaml",
...     line=6,
...     column=7,
...     key="zone",
...     code="file.choice",
...     ja="「lgwann」は使えません。",
...     en="'lgwann' is not a choice.",
...     expected="mynumber | lgwan | internet",
...     example="zone: lgwan",
... )
>>> print(mistake.say("en"))
sites/hall-core.yaml, line 6, column 7, zone: 'lgwann' is not a choice. Example: zone: lgwan
"""

from dataclasses import dataclass

from kumobashi.kernel import Language

Path = tuple[str | int, ...]  # ("connects_to", 0, "site")


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A place in a file, both counted from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """What a person must correct, said in both languages; the sentences say what was expected."""

    file: str  # relative to the folder that was read
    line: int
    column: int
    key: str  # connects_to[0].site; empty: the file as a whole
    code: str  # stable, "file.unknown_key"
    ja: str
    en: str
    expected: str  # short, for a table: "mynumber | lgwan | internet"
    example: str  # a line that would be right; may be empty

    def say(self, lang: Language = "ja") -> str:
        """Return place, sentence and example in one line."""
        if lang == "ja":
            key = f" {self.key}" if self.key else ""
            example = f" 例: {self.example}" if self.example else ""
            return f"{self.file} {self.line}行目 {self.column}文字目{key}: {self.ja}{example}"
        key = f", {self.key}" if self.key else ""
        example = f" Example: {self.example}" if self.example else ""
        return f"{self.file}, line {self.line}, column {self.column}{key}: {self.en}{example}"


class Said(ValueError):
    """What a model's own validator raises, so that people are told in their language.

    ``at`` is the path below the validated value that the mistake is about.
    """

    def __init__(self, ja: str, en: str, *, example: str = "", at: Path = ()) -> None:
        super().__init__(en)
        self.ja = ja
        self.en = en
        self.example = example
        self.at = at


def key_text(path: Path) -> str:
    """Return a path as people write it.

    >>> key_text(("connects_to", 0, "site"))
    'connects_to[0].site'
    """
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text.removeprefix(".")


def mistake_at(
    file: str,
    mark: Mark,
    path: Path,
    *,
    code: str,
    ja: str,
    en: str,
    expected: str = "",
    example: str = "",
) -> Mistake:
    """Return a mistake about the value at ``path``."""
    return Mistake(
        file=file,
        line=mark.line,
        column=mark.column,
        key=key_text(path),
        code=code,
        ja=ja,
        en=en,
        expected=expected,
        example=example,
    )
